//! PURE. Skipper's language for routes, as far as needed to put a predicate in front of those of each route:
//! `id: Method("OPTIONS") && Path("/x") -> status(204) -> <shunt>; other: * -> "http://x"`, or one route without an id.

/// Each route of `text` with a predicate in front of its own: the one for its [`rank`]. Err: why it cannot be parsed.
pub(super) fn with_first(text: &str, predicate: impl Fn(usize) -> &'static str) -> Result<String, String> {
    each(text, |rest| {
        let own = split(rest, "->")?;
        Ok(format!("{} && {rest}", predicate(rank(own.first().map_or("", String::as_str))?)))
    })
}

/// The precedence of these predicates if several routes match: one each, a weight as much as it says. Err: why they
/// cannot be parsed.
pub(super) fn rank(predicates: &str) -> Result<usize, String> {
    let weight = |one: &str| one.strip_prefix("Weight(")?.strip_suffix(')')?.trim().parse().ok();
    let one = |one: &str| if ["", "*"].contains(&one) { 0 } else { weight(one).unwrap_or(1) };
    Ok(split(predicates, "&&")?
        .iter()
        .fold(0, |sum: usize, predicate| sum.saturating_add(one(predicate.trim()))))
}

/// Removes one of these predicates again that [`with_first`] has added.
pub(super) fn without_first(text: &str, predicates: &[&str]) -> Result<String, String> {
    each(text, |rest| {
        let of = |predicate: &&str| rest.strip_prefix(*predicate)?.strip_prefix(" && ");
        Ok(predicates.iter().find_map(of).unwrap_or(rest).to_owned())
    })
}

fn each(text: &str, change: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let mut all = Vec::new();
    for route in split(text, ";")? {
        let route = route.trim();
        if route.is_empty() {
            continue;
        }
        let (head, rest) = named(route);
        all.push(format!("{head}{}", change(rest)?));
    }
    Ok(all.join("; "))
}

/// The id of a route with its separator, if it has one.
fn named(route: &str) -> (String, &str) {
    let symbol = route.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(route.len());
    let (id, rest) = route.split_at(symbol);
    match rest.trim_start().strip_prefix(':') {
        Some(rest) if !id.is_empty() => (format!("{id}: "), rest.trim_start()),
        _ => (String::new(), route),
    }
}

/// The parts between separators, without comments; separators in texts and regular expressions do not count.
fn split(text: &str, separator: &str) -> Result<Vec<String>, String> {
    let mut parts = vec![String::new()];
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
            continue;
        }
        if let Some(after) = rest.strip_prefix(separator) {
            parts.push(String::new());
            rest = after;
            continue;
        }
        let length = if ['"', '`', '/'].contains(&c) { quoted(rest, c)? } else { c.len_utf8() };
        parts.last_mut().ok_or("no part")?.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    Ok(parts)
}

/// The length of the text or regular expression at the beginning, with its quotes.
fn quoted(text: &str, quote: char) -> Result<usize, String> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if !escaped && c == quote {
            return Ok(at + c.len_utf8());
        }
        escaped = !escaped && c == '\\' && quote != '`';
    }
    Err(format!("a {quote} has no end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t5b_each_route_has_the_predicate_in_front() {
        for (text, with) in [
            (
                r#"opt: Method("OPTIONS") -> status(204) -> <shunt>"#,
                r#"opt: W(1) && Method("OPTIONS") -> status(204) -> <shunt>"#,
            ),
            (r#"Method("OPTIONS") -> <shunt>"#, r#"W(1) && Method("OPTIONS") -> <shunt>"#),
            (
                "a: * -> <shunt>;\n  b :Header(\"x\", \"a;b: c\") -> \"http://x\";",
                r#"a: W(1) && * -> <shunt>; b: W(1) && Header("x", "a;b: c") -> "http://x""#,
            ),
            (
                "// a; b\na: PathRegexp(/a\\/;b/) -> <shunt> // c",
                r"a: W(1) && PathRegexp(/a\/;b/) -> <shunt>",
            ),
            ("", ""),
        ] {
            assert_eq!(with_first(text, |_| "W(1)").as_deref(), Ok(with));
            let without = without_first(with, &["W(1)"]).unwrap();
            assert_eq!(with_first(&without, |_| "W(1)").as_deref(), Ok(with));
        }
        assert!(with_first(r#"a: Header("x -> <shunt>"#, |_| "W(1)").is_err());
    }

    #[test]
    fn t5b_predicates_count_as_skipper_counts_them() {
        for (predicates, counted) in [
            ("", 0),
            ("*", 0),
            (r#"Method("OPTIONS")"#, 1),
            (r#"Method("OPTIONS") && Header("x", "a && b")"#, 2),
            (r#"HeaderRegexp("x", /a\/ && b/)&&Weight(7) // && True()"#, 8),
            ("Weight(18446744073709551615) && True()", usize::MAX),
        ] {
            assert_eq!(rank(predicates), Ok(counted), "{predicates}");
        }
        let text = r#"a: * -> "http://x?a->b"; b: True() && False() -> <shunt>"#;
        let first = |rank| if rank > 1 { "W(2)" } else { "W(1)" };
        let with = r#"a: W(1) && * -> "http://x?a->b"; b: W(2) && True() && False() -> <shunt>"#;
        assert_eq!(with_first(text, first).as_deref(), Ok(with));
    }
}
