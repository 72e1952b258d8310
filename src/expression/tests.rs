//! Any input is either accepted or refused: nothing panics, and time and memory are limited.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Condition, Path, quantity,
    template::{Functions, render},
};
use crate::{api::duration, tests::bounds::within};

/// Cases of each property.
const CASES: u32 = 10_000;
/// Most bytes that a template uses at a time: all its texts, and its parsed form.
const TEMPLATE_BYTES: u64 = 2 << 20;
/// Most bytes that a condition uses at a time, evaluated on a hundred series.
const CONDITION_BYTES: u64 = 256 << 10;
/// Most bytes that a path uses at a time, without the document.
const PATH_BYTES: u64 = 256 << 10;
/// Most bytes that a number with a unit uses.
const NUMBER_BYTES: u64 = 4 << 10;

fn pieces(all: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(prop::sample::select(all), 0..most).prop_map(|parts| parts.concat())
}

/// A few pieces, repeated: things that nest, and things that grow.
fn repeated(all: &'static [&'static str]) -> impl Strategy<Value = String> {
    let parts = proptest::collection::vec(prop::sample::select(all), 1..5);
    (parts, 1..60_usize).prop_map(|(parts, times)| parts.concat().repeat(times))
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

const NUMBER: &[&str] = &[
    "0",
    "1",
    "9",
    "5000",
    "9223372036854775807",
    ".",
    "-",
    "+",
    "e",
    "E",
    "ns",
    "us",
    "µs",
    "ms",
    "s",
    "m",
    "h",
    "k",
    "Ki",
    "M",
    "Ei",
    "n",
    "inf",
    "NaN",
    " ",
    "é",
];

fn rendered(text: &str) {
    let variables: BTreeMap<String, String> = [("a".to_owned(), "b".to_owned())].into();
    let functions = Functions {
        texts: [("target", "podinfo")].into(),
        maps: [("variables", &variables)].into(),
        marks: vec!["podinfo"],
    };
    within(TEMPLATE_BYTES, text, || match render(text, &functions) {
        Ok(made) => assert!(made.len() <= 32 * 1024, "{text}"),
        Err(why) => assert!(!why.is_empty() && why.len() < 2000, "{text}"),
    });
}

fn asked(text: &str, value: f64) {
    let values = [value; 100];
    within(CONDITION_BYTES, text, || match Condition::parse(text) {
        Ok(condition) => {
            for values in [&values[..1], &values[..], &[]] {
                drop(condition.holds(values, &[value]));
            }
        }
        Err(why) => assert!(!why.is_empty() && !why.contains('\n'), "{text}: {why}"),
    });
}

fn document() -> Value {
    let item = json!({"b-c": 1, "a": "x", "é": [1, 2, [3]]});
    json!({"a": vec![item; 40], "é": {"1st": {"a": 2}}, "b-c": null})
}

fn followed(text: &str, document: &Value) {
    for read in [Path::parse, Path::field] {
        within(PATH_BYTES, text, || match read(text) {
            Ok(path) => assert!(path.find(document).unwrap_or_default().len() <= 100),
            Err(why) => assert!(!why.is_empty() && !why.contains('\n'), "{text}: {why}"),
        });
    }
}

/// Templates that call each other, each within many blocks, and a last one with many parentheses: the deepest use of
/// the stack of a thread.
#[test]
fn s2_templates_as_deep_as_they_may_be_leave_the_stack_whole() {
    let functions = Functions::default();
    let blocks = |inner: &str| format!("{}{inner}{}", "{{ range 1 }}".repeat(30), "{{ end }}".repeat(30));
    let call = |name: usize| format!(r#"{{{{ template "{name}" }}}}"#);
    let asks = format!("{{{{ {}1{} }}}}", "(print ".repeat(30), ")".repeat(30));
    let chained = |count: usize| {
        let defined = |n: usize| {
            let inner = if n + 1 == count { asks.clone() } else { blocks(&call(n + 1)) };
            format!(r#"{{{{ define "{n}" }}}}{inner}{{{{ end }}}}"#)
        };
        render(&(0..count).map(defined).chain([call(0)]).collect::<String>(), &functions)
    };
    assert_eq!(chained(5).as_deref(), Ok("1"));
    for count in [6, 16] {
        assert!(chained(count).unwrap_err().contains("more than 128 blocks and templates"), "{count}");
    }
    let endless = format!(r#"{{{{ define "0" }}}}{}{{{{ end }}}}{}"#, blocks(&call(0)), call(0));
    assert!(render(&endless, &functions).unwrap_err().contains("inside one another"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn no_template_panics_or_grows(
        text in prop_oneof![pieces(TEMPLATE, 24), repeated(TEMPLATE)],
        any in "[ -~éü\n]{0,40}",
    ) {
        rendered(&text);
        rendered(&format!("{{{{ {any} }}}}"));
    }

    #[test]
    fn no_condition_panics_or_grows(
        text in prop_oneof![pieces(CONDITION, 16), repeated(CONDITION)],
        any in "[ -~éü\n]{0,40}",
        value in any::<f64>(),
    ) {
        asked(&text, value);
        asked(&any, value);
    }

    #[test]
    fn no_path_panics_or_grows(
        text in prop_oneof![pieces(PATH, 16), repeated(PATH)],
        any in "[ -~éü\n]{0,40}",
    ) {
        let document = document();
        followed(&text, &document);
        followed(&any, &document);
    }

    #[test]
    fn no_duration_or_quantity_panics_or_grows(
        text in prop_oneof!["[-+.0-9a-zµé]{0,24}", pieces(NUMBER, 16), repeated(NUMBER)],
    ) {
        within(NUMBER_BYTES, &text, || {
            assert!(duration::parse(&text).is_none_or(|d| i64::try_from(d.as_nanos()).is_ok()), "{text}");
            assert!(quantity::parse(&text).is_none_or(|n| !n.is_nan()), "{text}");
        });
    }
}
