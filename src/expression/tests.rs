//! Whatever is written, it is read or refused: nothing panics, and what is made is bounded.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Condition, Path, quantity,
    template::{Functions, render},
};

/// Cases of each property.
const CASES: u32 = 10_000;

fn pieces(all: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(prop::sample::select(all), 0..most).prop_map(|parts| parts.concat())
}

const TEMPLATE: &[&str] = &[
    "{{",
    "}}",
    "{{ ",
    " }}",
    "{{- ",
    " -}}",
    "/*",
    "*/",
    "if ",
    "else",
    " end ",
    "range ",
    "with ",
    "define ",
    "template ",
    "block ",
    "break",
    "$x",
    " := ",
    " = ",
    ", ",
    "| ",
    "(",
    ")",
    ".",
    ".a",
    "\"a\"",
    "\"%5.2f%v\"",
    "`b`",
    "'c'",
    "1",
    "-2.5",
    "1e3",
    "100000",
    "nil ",
    "true ",
    "target ",
    "variables",
    " index ",
    "printf ",
    "print ",
    "eq ",
    "slice ",
    "len ",
    "html ",
    "é",
    "\n",
    "\\",
    "\"",
    "x",
];

const CONDITION: &[&str] = &[
    "result",
    "[0]",
    "[-1]",
    " >= ",
    " < ",
    " == ",
    "0.5",
    "1",
    " && ",
    " || ",
    "isNaN(",
    "len(",
    "(",
    ")",
    "default(",
    ", ",
    "!",
    "not ",
    "primary",
    ".all(x, x",
    ".map(x, ",
    ".filter(x, ",
    " in ",
    "?",
    ":",
    "-",
    "%",
    "/",
    "*",
    "9223372036854775807",
    "'a'",
    "true",
    "nil",
    "[",
    "]",
    "max(",
    "median(",
    "é",
    "#",
    " ",
];

const PATH: &[&str] = &[
    "$",
    "{",
    "}",
    ".",
    "..",
    "[",
    "]",
    "*",
    "?",
    "(",
    ")",
    "@",
    "'",
    "\"",
    "a",
    "b-c",
    "0",
    "-1",
    ":",
    ",",
    "==",
    "<",
    "&&",
    "\\",
    "\\.",
    " ",
    "é",
    "1st",
    "null",
    "99999999999999999999",
];

fn rendered(text: &str) {
    let variables: BTreeMap<String, String> = [("a".to_owned(), "b".to_owned())].into();
    let functions = Functions {
        texts: [("target", "podinfo")].into(),
        maps: [("variables", &variables)].into(),
        marks: vec!["podinfo"],
    };
    match render(text, &functions) {
        Ok(made) => assert!(made.len() <= 32 * 1024, "{text}"),
        Err(why) => assert!(!why.is_empty() && why.len() < 2000, "{text}"),
    }
}

fn asked(text: &str, value: f64) {
    match Condition::parse(text) {
        Ok(condition) => drop(condition.holds(&[value, 0.5], &[value])),
        Err(why) => assert!(!why.is_empty() && !why.contains('\n'), "{text}: {why}"),
    }
}

fn document() -> Value {
    json!({"a": [{"b-c": 1, "a": "x"}, {"b-c": null}, [1, 2, [3]]], "é": {"1st": {"a": 2}}})
}

fn followed(text: &str) {
    for read in [Path::parse(text), Path::field(text)] {
        match read {
            Ok(path) => assert!(path.find(&document()).unwrap_or_default().len() <= 100),
            Err(why) => assert!(!why.is_empty() && !why.contains('\n'), "{text}: {why}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn no_template_panics(text in pieces(TEMPLATE, 24), any in "[ -~éü\n]{0,40}") {
        rendered(&text);
        rendered(&format!("{{{{ {any} }}}}"));
    }

    #[test]
    fn no_condition_panics(text in pieces(CONDITION, 16), any in "[ -~éü\n]{0,40}", value in any::<f64>()) {
        asked(&text, value);
        asked(&any, value);
    }

    #[test]
    fn no_path_panics(text in pieces(PATH, 16), any in "[ -~éü\n]{0,40}") {
        followed(&text);
        followed(&any);
    }

    #[test]
    fn no_duration_or_quantity_panics(text in "[-+.0-9a-zµé]{0,24}") {
        let read = crate::api::duration::parse(&text);
        prop_assert!(read.is_none_or(|d| i64::try_from(d.as_nanos()).is_ok()));
        prop_assert!(quantity::parse(&text).is_none_or(|n| !n.is_nan()));
    }
}
