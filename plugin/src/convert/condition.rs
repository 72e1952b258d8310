//! Conditions: the same language as in Argo Rollouts, except for `#` in predicates.

use serin::expression::Condition;

/// The same condition in the supported language.
///
/// # Errors
/// Why the condition cannot be converted.
pub(super) fn convert(text: &str) -> Result<String, String> {
    let text = text.trim();
    let Err(why) = Condition::parse(text) else { return Ok(text.to_owned()) };
    let other = predicates(text).filter(|other| Condition::parse(other).is_ok());
    other.ok_or(why)
}

/// Functions over lists, with their names in Serin.
const LOOPS: [(&str, &str); 6] = [
    ("all", "all"),
    ("any", "exists"),
    ("one", "exists_one"),
    ("none", "exists"),
    ("filter", "filter"),
    ("map", "map"),
];

/// `all(result, {# > 0.9})` and `all(result, # > 0.9)` as `result.all(x, x > 0.9)`.
fn predicates(text: &str) -> Option<String> {
    let mut text = text.to_owned();
    // each iteration replaces one, so the number of '#' is the bound
    for _ in 0..text.matches('#').count() {
        let Some((from, name, other)) = first_loop(&text) else { break };
        let open = from + name.len();
        let close = open + matching(text.get(open..)?)?;
        let (list, body) = split(text.get(open + 1..close)?)?;
        let body = body.trim();
        let body = body.strip_prefix('{').and_then(|b| b.strip_suffix('}')).unwrap_or(body);
        let not = if name == "none" { "!" } else { "" };
        let said = format!("{not}{}.{other}(x, {})", list.trim(), body.trim().replace('#', "x"));
        text.replace_range(from..=close, &said);
    }
    (!text.contains('#')).then_some(text)
}

/// The first call of such a function. The name must be a whole word.
fn first_loop(text: &str) -> Option<(usize, &'static str, &'static str)> {
    let free = |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
    LOOPS
        .iter()
        .flat_map(|(name, other)| {
            let call = format!("{name}(");
            let found: Vec<usize> = text.match_indices(&call).map(|(at, _)| at).collect();
            found.into_iter().map(move |at| (at, *name, *other))
        })
        .filter(|(at, ..)| free(*at))
        .min_by_key(|(at, ..)| *at)
}

/// The position of the matching closing bracket.
fn matching(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 1 => return Some(at),
            ')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// List and predicate, split at the first comma outside brackets.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_argo_rollouts_are_taken_or_said_in_other_words() {
        for (given, wanted) in [
            ("result[0] >= 0.95", "result[0] >= 0.95"),
            (
                "len(result) == 0 || isNaN(result[0]) || result[0] >= 0.99",
                "len(result) == 0 || isNaN(result[0]) || result[0] >= 0.99",
            ),
            ("default(result, 0) < 5", "default(result, 0) < 5"),
            (
                "asFloat(result[0]) > 1.5 and not isInf(result[0])",
                "asFloat(result[0]) > 1.5 and not isInf(result[0])",
            ),
            ("all(result, {# > 0.9})", "result.all(x, x > 0.9)"),
            ("all(result, # > 0.9)", "result.all(x, x > 0.9)"),
            ("any(result, {# > 5}) || len(result) == 0", "result.exists(x, x > 5) || len(result) == 0"),
            ("none(result, {# == 0})", "!result.exists(x, x == 0)"),
            ("len(filter(result, {# > 1})) < 2", "len(result.filter(x, x > 1)) < 2"),
        ] {
            assert_eq!(convert(given).as_deref(), Ok(wanted), "{given}");
        }
        for text in ["result == \"ok\"", "result.ok", "true", "result[0] >", "all(result, #", ""] {
            convert(text).unwrap_err();
        }
    }
}
