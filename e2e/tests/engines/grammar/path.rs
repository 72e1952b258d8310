//! Paths into answers of several servers.

use super::damaged;
use crate::{generated::Random, original::Case, paths};

const PIECES: [&str; 18] =
    ["[", "]", "(", ")", "'", "\"", "?", "@", ".", "..", "*", ",", ":", "-", " ", "$", "\\", "0"];

/// Answers of servers, including odd ones.
const DOCUMENTS: [&str; 5] = [
    paths::DOCUMENT,
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"app":"a","code":"200"},"value":[1.5,"0.25"]},{"metric":{"app":"b"},"value":[1.5,"7"]}]}}"#,
    r#"[{"name":"a","v":1,"datapoints":[[1,10],[null,20],[3,30]]},{"name":"b","v":null,"datapoints":[]}]"#,
    r#"{"data":[[1,2,[3,{"v":4}]],[],{"v":[5,6]}],"items":{"0":"zero","1":"one"},"value":false,"":"none","a.b":{"c":1},"v":"1"}"#,
    "7",
];

pub(crate) fn path(random: &mut Random) -> Vec<Case> {
    let mut text = String::new();
    for _ in 0..=random.below(4) {
        text.push_str(&step(random));
    }
    let text = match random.below(4) {
        0 => format!("{{{text}}}"),
        1 => format!("{{${text}}}"),
        2 => text,
        _ => format!("${text}"),
    };
    let text = damaged(random, text, &PIECES);
    let document = random.of(&DOCUMENTS).to_owned();
    vec![Case { document, ..paths::case(text) }]
}

fn step(random: &mut Random) -> String {
    let name = |random: &mut Random| {
        random.of(&[
            "data",
            "items",
            "result",
            "metric",
            "value",
            "v",
            "name",
            "app",
            "datapoints",
            "labels",
            "deep",
            "list",
            "0",
            "1",
            "error-rate",
            "nope",
            "numbers",
        ])
    };
    let int = |random: &mut Random| random.of(&["0", "1", "2", "-1", "-2", "-9", "9", ""]);
    match random.below(12) {
        0..=3 => format!(".{}", name(random)),
        4 => format!("[{}]", random.of(&["0", "1", "-1", "2", "*", " 0 ", "00", "+1", "-0"])),
        5 => format!("[{}:{}]", int(random), int(random)),
        6 => format!("[{}:{}:{}]", int(random), int(random), random.of(&["1", "2", "-1", "0", ""])),
        7 => format!(
            "[{},{}]",
            random.of(&["0", "1", "-1", "'v'", "'name'"]),
            random.of(&["0", "1", "9", "'v'", "'app'"])
        ),
        8 => {
            let quote = random.of(&["'", "\""]);
            format!(
                "[{quote}{}{quote}]",
                random.of(&["v", "name", "a.b", "a\\.b", "", "0", "app", "a b", "value"])
            )
        }
        9 => random.of(&["..", ".*", "[*]", "..v", "..value"]).to_owned(),
        _ => filter(random),
    }
}

fn filter(random: &mut Random) -> String {
    let of = random.of(&[
        "@.v",
        "@.name",
        "@.metric.app",
        "@",
        "@.value[1]",
        "@[0]",
        "@.nope",
        "@['v']",
        "@.metric['code']",
    ]);
    let sign = random.of(&["==", "!=", "<", "<=", ">", ">=", " == ", ""]);
    let with = if sign.is_empty() {
        ""
    } else {
        random.of(&["1", "'a'", "\"a\"", "true", "2.5", "null", "'0.25'", "-1", "4"])
    };
    format!("[?({of}{sign}{with})]")
}
