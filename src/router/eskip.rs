//! PURE. Skipper's language for routes, as far as it takes to put a predicate in front of those of each route:
//! `id: Method("OPTIONS") && Path("/x") -> status(204) -> <shunt>; other: * -> "http://x"`, or one route without an id.

/// Each route of `text` with `predicate` in front of its own. Err: why it cannot be read.
pub(super) fn with_first(text: &str, predicate: &str) -> Result<String, String> {
    each(text, |rest| format!("{predicate} && {rest}"))
}

/// Takes one of these predicates away again where [`with_first`] has put it.
pub(super) fn without_first(text: &str, predicates: &[&str]) -> Result<String, String> {
    each(text, |rest| {
        let of = |predicate: &&str| rest.strip_prefix(*predicate)?.strip_prefix(" && ");
        predicates.iter().find_map(of).unwrap_or(rest).to_owned()
    })
}

fn each(text: &str, change: impl Fn(&str) -> String) -> Result<String, String> {
    let mut all = Vec::new();
    for route in split(text, ';')? {
        let route = route.trim();
        if route.is_empty() {
            continue;
        }
        let (head, rest) = named(route);
        all.push(format!("{head}{}", change(rest)));
    }
    Ok(all.join("; "))
}

/// The id of a route with what separates it from the rest, if it has one.
fn named(route: &str) -> (String, &str) {
    let symbol = route.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(route.len());
    let (id, rest) = route.split_at(symbol);
    match rest.trim_start().strip_prefix(':') {
        Some(rest) if !id.is_empty() => (format!("{id}: "), rest.trim_start()),
        _ => (String::new(), route),
    }
}

/// The parts between separators, without comments; none is looked for in texts and regular expressions.
fn split(text: &str, separator: char) -> Result<Vec<String>, String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let comment = c == '/' && chars.peek() == Some(&'/');
        if comment {
            while chars.next_if(|c| *c != '\n').is_some() {}
            continue;
        }
        if c == separator {
            parts.push(String::new());
            continue;
        }
        let part = parts.last_mut().ok_or("no part")?;
        part.push(c);
        if !['"', '`', '/'].contains(&c) {
            continue;
        }
        loop {
            let inner = chars.next().ok_or_else(|| format!("a {c} has no end"))?;
            part.push(inner);
            if inner == c {
                break;
            }
            if inner == '\\' && c != '`' {
                part.extend(chars.next());
            }
        }
    }
    Ok(parts)
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
            assert_eq!(with_first(text, "W(1)").as_deref(), Ok(with));
            assert_eq!(with_first(&without_first(with, &["W(1)"]).unwrap(), "W(1)").as_deref(), Ok(with));
        }
        assert!(with_first(r#"a: Header("x -> <shunt>"#, "W(1)").is_err());
    }
}
