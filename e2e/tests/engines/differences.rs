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
    pub(crate) words: &'static [&'static str],
}

const TEMPLATE: &[&str] = &["template"];
const CONDITION: &[&str] = &["cel", "expr"];
const PATH: &[&str] = &["path"];
const FOLLOWED: &[&str] = &["path", "field"];

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
    ours("t-range", TEMPLATE, &["unexpected }} in range"]),
    ours("t-bounds", TEMPLATE, &["more than"]),
    ours("c-nan", CONDITION, &["undecided: "]),
    ours(
        "c-constant",
        CONDITION,
        &[
            "this part does not depend on the measured value",
            "a count is always",
            "a count is never",
            "(x) is always",
            "(x) is never",
            "both choices are the same",
            "both sides come from the same value",
            "this is not a finite number",
            "this divides by 0",
            "the list is empty",
            "never hold together",
            "one always holds",
        ],
    ),
    ours(
        "c-types",
        CONDITION,
        &[
            "is never equal to a text",
            "is never true or false",
            "cannot be compared",
            "compare numbers, and this is",
            "this is never nil",
            "it does not depend on the measured value",
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
            "write it without a unit",
            "put digits behind the point",
            "= sets nothing here",
            "write || or or",
            "unexpected ), where a value is wanted",
            "unexpected ], where a value is wanted",
        ],
    ),
    ours(
        "c-functions",
        CONDITION,
        &[
            // functions of expr-lang
            "find is not known",
            "findIndex is not known",
            "findLast is not known",
            "findLastIndex is not known",
            "groupBy is not known",
            "sortBy is not known",
            "reduce is not known",
            "type is not known",
            "string is not known",
            "trim is not known",
            "upper is not known",
            "lower is not known",
            "split is not known",
            "join is not known",
            "indexOf is not known",
            "hasPrefix is not known",
            "hasSuffix is not known",
            "toJSON is not known",
            "fromJSON is not known",
            "get is not known",
            "take is not known",
            "reverse is not known",
            "uniq is not known",
            "concat is not known",
            "flatten is not known",
            "sort is not known",
            "bitnot is not known",
            "bitand is not known",
            "unexpected contains",
            "unexpected matches",
            "unexpected startsWith",
            "objects in braces are not served",
            "there is no function .Year",
            "there is no function .Seconds",
            // functions of CEL
            "duration is not known",
            "dyn is not known",
            "there is no function .contains",
            "map takes a name",
        ],
    ),
    ours(
        "c-arguments",
        CONDITION,
        &[
            "mean takes ",
            "median takes ",
            "sum takes one list",
            "count takes ",
            "first takes ",
            "last takes ",
            "len takes ",
            "isNil takes ",
            "a list cannot stand in a list",
            "this is a list or a",
            "this is a number or ",
            "a number has no entries",
            "it yields a number",
            "in looks into a list",
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
            "overload for 'max' applied to '(double",
            "overload for 'min' applied to '(double",
            "applied to '(list(double), list(double))'",
            "applied to '(list(bool))'",
            // a value where a list is wanted, and a list where a value is
            "overload for 'len' applied to '(double)'",
            "overload for 'sum' applied to '(double)'",
            "overload for 'mean' applied to '(double)'",
            "applied to '(list(double))'",
            "no value",
            // the value of a list of one
            "(list(double), double)",
            "(double, list(double))",
            // two kinds of numbers
            "'(double, int)'",
            "'(int, double)'",
            "'(bool, int, double)'",
            "'(bool, double, int)'",
            "'(int)'",
            "'(double, list(int))'",
            "'(int, list(double))'",
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
            // a value where a list is wanted, and a list where a value is
            "takes only array",
            "cannot fetch",
            "cannot get first element from float64",
            "cannot get last element from float64",
            "invalid argument for len",
            "no number",
            "not defined on float64",
            "float64[int] is undefined",
            // a missing scalar
            "mismatched types unknown and float64",
            "cannot use nil as argument",
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
            "a slice goes forward",
            "{ is not closed by }",
            "a backslash can stand before punctuation only",
            "which is not there: compare it",
            "a filter begins with @",
            "stand alone in [ ]",
            "one of them is empty",
            "is no text, number, true, false or null",
        ],
    ),
    ours(
        "f-forms",
        &["field"],
        &[
            "neither text nor number",
            "it must begin with $ or a point",
            "leads to many fields",
            "it ends too early",
            "{ is not closed by }",
            "cannot stand there",
            "kubectl reads",
            "* leads to a text",
        ],
    ),
    theirs("p-missing", FOLLOWED, &["is not found", "out of bounds", "starting index"]),
    theirs(
        "p-kinds",
        FOLLOWED,
        &[
            "is not array or slice",
            "incompatible types",
            "invalid array index",
            "unrecognized identifier",
            "invalid type for comparison",
            "unrecognized character in action",
            "unterminated array",
            "cannot parse number",
            "unclosed action",
            "unquote string",
        ],
    ),
    ours("w-forms", &["window"], &["no duration"]),
    theirs("w-units", &["window"], &["not of Flagger's pattern"]),
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
