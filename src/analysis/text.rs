//! The text of a query on its way to a server.

use crate::expression::template::url;

/// As it is written, without the blanks around it: a comment ends with its line, so line breaks are kept.
pub fn as_written(text: &str) -> &str {
    text.trim()
}

/// With the value of a Secret instead of its placeholder. If the placeholder was encoded for a URL, so is the value.
pub fn placed(text: &str, mark: &str, value: &str) -> String {
    text.replace(mark, value).replace(&url(mark), &url(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m5_an_encoded_mark_gives_way_to_the_encoded_value() {
        let mark = "*****id*****";
        let text = format!("?a={mark}&b={}", url(mark));
        assert_eq!(placed(&text, mark, "a&b c"), "?a=a&b c&b=a%26b+c");
    }

    #[test]
    fn h4_line_breaks_within_a_query_are_kept() {
        assert_eq!(as_written(" sum(a) # 5xx\n/ sum(b)\n"), "sum(a) # 5xx\n/ sum(b)");
    }
}
