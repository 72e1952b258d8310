//! Allowed differences: refusals by one side, recognised by their words. `docs/engines.md` explains the reasons.

use crate::original::Case;

/// The side that refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Ours,
    Theirs,
}

pub(crate) struct Known {
    pub(crate) id: &'static str,
    engines: &'static [&'static str],
    side: Side,
    /// The refusal contains one of these texts.
    words: &'static [&'static str],
}

const TEMPLATE: &[&str] = &["template"];
const CONDITION: &[&str] = &["cel", "expr"];
const PATH: &[&str] = &["path"];

const fn ours(id: &'static str, engines: &'static [&'static str], words: &'static [&'static str]) -> Known {
    Known { id, engines, side: Side::Ours, words }
}

const fn theirs(id: &'static str, engines: &'static [&'static str], words: &'static [&'static str]) -> Known {
    Known { id, engines, side: Side::Theirs, words }
}

pub(crate) const ALL: &[Known] = &[
    ours("t-numbers", TEMPLATE, &["no number that is served here"]),
    ours("t-bytes", TEMPLATE, &["is no text in UTF-8", "cuts a character in two"]),
    ours("t-maps", TEMPLATE, &["a map cannot be compared"]),
    ours("t-printf", TEMPLATE, &["of a fraction is not served", "%p is not served", "cannot be quoted here"]),
    ours("t-bounds", TEMPLATE, &["more than"]),
    ours("c-nan", CONDITION, &["undecided: "]),
    ours(
        "c-types",
        CONDITION,
        &[
            "is never equal to a text",
            "is never true or false",
            "cannot be compared",
            "compare numbers, and this is",
            "this is never nil",
            "does not depend on the measured value",
        ],
    ),
    ours(
        "c-syntax",
        CONDITION,
        &[
            "# is not known",
            "unexpected *, ",
            "unexpected /, ",
            "unexpected +, ",
            "unexpected :, ",
            "unexpected ., ",
            "';' has no meaning here",
            "string is not known",
            "write it without a unit",
            "put digits behind the point",
        ],
    ),
    ours("c-nested", CONDITION, &["inside another is not served"]),
    ours("c-nothing", CONDITION, &["there is no value"]),
    theirs(
        "c-cel",
        &["cel"],
        &[
            // words and functions of Argo Rollouts
            "mismatched input 'and'",
            "mismatched input 'or'",
            "mismatched input 'not'",
            "missing ':' at",
            "reference to 'not'",
            "reference to 'nil'",
            "reference to 'abs'",
            "reference to 'round'",
            "reference to 'floor'",
            "reference to 'ceil'",
            "reference to 'median'",
            "reference to 'count'",
            "reference to 'first'",
            "reference to 'last'",
            "reference to 'isNil'",
            "reference to 'asFloat'",
            "reference to 'float'",
            "reference to 'asInt'",
            "reference to 'default'",
            "overload for 'max' applied to '(double, double)'",
            "overload for 'min' applied to '(double, double)'",
            // the value of a list of one
            "(list(double), double)",
            "(double, list(double))",
            // two kinds of numbers
            "'(double, int)'",
            "'(int, double)'",
            "overload for '_%_'",
            "index out of bounds",
        ],
    ),
    theirs(
        "c-expr",
        &["expr"],
        &[
            // words of CEL
            "array elements can only be selected",
            "unknown name size",
            "unknown name double",
            // two kinds of numbers
            "invalid operation: %",
            "invalid integer literal",
            "index out of range",
            "interface conversion: interface {} is",
            // the value of a list of one
            "[]float64",
            // a missing scalar
            "mismatched types unknown and float64",
        ],
    ),
    ours("p-texts", PATH, &["* leads to a text"]),
    ours(
        "p-forms",
        PATH,
        &[
            "is no place in a list",
            "one comparison with a text or number",
            "ends too early",
            "begin with $",
            "kubectl reads",
            "the slice is empty",
            "one .. only",
            "cannot stand there",
            "of each of several lists",
            "leads to everything",
        ],
    ),
    theirs("p-missing", PATH, &["is not found", "out of bounds", "starting index"]),
    theirs(
        "p-kinds",
        PATH,
        &[
            "is not array or slice",
            "incompatible types",
            "invalid array index",
            "unrecognized identifier",
            "invalid type for comparison",
            "unrecognized character in action: U+003A",
        ],
    ),
    ours("d-negative", &["duration"], &["below zero"]),
    ours("q-digits", &["quantity"], &["without a digit"]),
];

/// The text of a refusal without the position and the quoted input.
pub(crate) fn placeless(why: &str) -> String {
    let line = why.lines().next().unwrap_or_default();
    let quoted: String = line.split('"').step_by(2).collect::<Vec<_>>().join("…");
    let words = quoted.chars().map(|c| if c.is_ascii_digit() { '0' } else { c });
    let all: String = words.collect();
    all.replace("00", "0").replace("00", "0").chars().take(100).collect()
}

/// The known difference for this refusal, if there is one.
pub(crate) fn listed(side: Side, case: &Case, why: &str) -> Option<&'static str> {
    let known = ALL.iter().find(|known| {
        known.side == side
            && known.engines.contains(&case.engine)
            && known.words.iter().any(|words| why.contains(words))
    });
    known.map(|known| known.id)
}
