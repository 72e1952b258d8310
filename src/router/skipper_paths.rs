//! PURE. Which paths of Ingresses Skipper decides between by their predicates: equal ones, and regular expressions that
//! may match the same requests. Of two other paths the longer one comes first.

/// Requests may match both paths, each with its type, and neither comes first because of its path.
pub(super) fn meet(one: (&str, &str), other: (&str, &str)) -> bool {
    if !(is_expression(one.1) && is_expression(other.1)) {
        return one.0.trim_end_matches('/') == other.0.trim_end_matches('/');
    }
    let (one, other) = (beginning(one.0), beginning(other.0));
    one.starts_with(other) || other.starts_with(one)
}

/// Paths of this type are regular expressions.
pub(super) fn is_expression(kind: &str) -> bool {
    !["Exact", "Prefix"].contains(&kind)
}

/// The literal text at the beginning of every match of a regular expression.
fn beginning(expression: &str) -> &str {
    let expression = expression.strip_prefix('^').unwrap_or(expression);
    if expression.contains('|') {
        return "";
    }
    let end = expression.find(|c| "^$.*+?()[]{}\\".contains(c)).unwrap_or(expression.len());
    let (literal, rest) = expression.split_at(end);
    // the character before these may be missing
    match literal.char_indices().next_back() {
        Some((last, _)) if rest.starts_with(['*', '?', '{']) => &literal[..last],
        _ => literal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_expressions_meet_if_one_may_continue_the_other() {
        let expression = |path| (path, "ImplementationSpecific");
        for (one, other) in [
            ("/", "/api"),
            ("/api", "/api"),
            ("^/api", "/api/v1"),
            ("/(a|b)", "/b"),
            ("/apis?/x", "/api/x"),
            ("", "/"),
        ] {
            assert!(meet(expression(one), expression(other)), "{one} {other}");
            assert!(meet(expression(other), expression(one)), "{other} {one}");
        }
        assert!(!meet(expression("/api"), expression("/shop")));
        assert!(meet(("/api/", "Prefix"), ("/api", "Prefix")) && !meet(("/", "Prefix"), ("/api", "Prefix")));
        assert!(!meet(("/", "Prefix"), expression("/api")), "regular expressions come after all others");
    }
}
