//! PURE. Patterns of names: `*` matches any characters, `{namespace}` the namespace for which a name is checked.

/// Placeholder for a namespace in a pattern.
pub(crate) const NAMESPACE: &str = "{namespace}";

/// The text matches the pattern. Nothing matches a pattern with an unknown namespace.
pub(crate) fn fits(pattern: &str, text: &str, namespace: &str) -> bool {
    if pattern.contains(NAMESPACE) && namespace.is_empty() {
        return false;
    }
    let pattern = pattern.replace(NAMESPACE, namespace);
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// One of the patterns matches.
pub(crate) fn any(patterns: &[String], text: &str, namespace: &str) -> bool {
    patterns.iter().any(|pattern| fits(pattern, text, namespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_a_namespace_for_itself() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "a"),
            ("team-*", "team-a"),
            ("team-*", "team-"),
            ("*-prod", "a-prod"),
            ("a*b*c", "abbc"),
            ("a*b*c", "a-b-c"),
            ("*.{namespace}.svc", "prom.shop.svc"),
            ("{namespace}/*", "shop/public"),
            ("shop", "shop"),
        ] {
            assert!(fits(pattern, text, "shop"), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("team-*", "ateam-a"),
            ("team-*", "team"),
            ("shop", "shops"),
            ("", "a"),
            ("ab*ba", "aba"),
            ("a*b*c", "acb"),
            ("*.{namespace}.svc", "prom.other.svc"),
            ("*.{namespace}.svc", "prom.shop.svc.evil.test"),
        ] {
            assert!(!fits(pattern, text, "shop"), "{pattern} {text}");
        }
        assert!(!fits("*{namespace}*", "anything", ""), "no namespace is known");
    }
}
