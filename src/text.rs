//! Beginnings of texts, never cut within a character, and texts of others on one line.

/// At most this many characters.
pub(crate) fn first_chars(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

/// At most this many bytes.
pub(crate) fn first_bytes(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Without what ends a line or turns how it is read: control characters and marks of direction become blanks.
pub(crate) fn plain(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_or_turns_a_line_is_a_blank() {
        assert_eq!(plain("a\r\nb\u{0}\u{1b}[31m\u{202e}c\u{2028}é 😀"), "a  b  [31m c é 😀");
    }

    #[test]
    fn characters_stay_whole() {
        assert_eq!((first_chars("aéb", 2), first_chars("aéb", 9)), ("aé", "aéb"));
        assert_eq!((first_bytes("aéb", 2), first_bytes("aéb", 3), first_bytes("é", 9)), ("a", "aé", "é"));
    }
}
