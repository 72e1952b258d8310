//! Paths in the forms of kubectl, Argo Rollouts and RFC 9535, and every element with every kind of misuse.

use crate::original::Case;

pub(crate) const DOCUMENT: &str = r#"{
    "data": {"value": 1.5, "error-rate": 0.2, "1st": 7, "ok": true, "none": null, "app.kubernetes.io/name": "x",
        "labels": {"team": "blue", "a b": 3, "üb": 4}, "value2": "0.5", "deep": {"value": 2, "list": [[1, 2], [3]]}},
    "items": [{"name": "a", "v": 1, "tags": ["x"]}, {"name": "b", "v": 2.5}, {"name": "c", "v": 3, "on": true}],
    "text": "abc", "empty": [], "numbers": [5, 6, 7, 8], "nothing": {}
}"#;

const STARTS: [&str; 5] = ["$.", "{.", "{$.", "", "{"];
const FIRST: [&str; 9] = ["data", "items", "numbers", "text", "nope", "empty", "nothing", "data.deep", "*"];
const THEN: [&str; 44] = [
    "",
    ".value",
    ".error-rate",
    ".1st",
    ".labels.team",
    "[0]",
    "[-1]",
    "[9]",
    "[*]",
    ".*",
    "[0:2]",
    "[1:]",
    "[:2]",
    "[::2]",
    "[-2:]",
    "[0:-1]",
    "[2:1]",
    "[1:1]",
    "[0,2]",
    "[0:3:2]",
    "[3:0:-1]",
    "['value']",
    "[\"value\"]",
    "['labels']['team']",
    "['labels','value']",
    "['app\\.kubernetes\\.io/name']",
    ".app\\.kubernetes\\.io/name",
    "['a b']",
    ".labels['a b']",
    ".labels.üb",
    "[0].v",
    "[*].v",
    "[*].tags[0]",
    "[?(@.name=='b')].v",
    "[?(@.name==\"b\")].v",
    "[?(@.v>2)].name",
    "[?(@.v>=2.5)].name",
    "[?(@.on)].name",
    "[?(@.tags)].name",
    "[?(@.name!='b')].v",
    "[?(@.v==1)].v",
    ".deep.list[*][0]",
    ".deep.list[0][1]",
    ".none",
];

const OTHERS: [&str; 78] = [
    "$",
    "{$}",
    "{}",
    "{.}",
    "$.",
    "",
    " ",
    "data.value",
    "{data.value}",
    "{.data.value",
    ".data.value}",
    "{ .data.value }",
    "{.data .value}",
    "{.data}{.text}",
    "{.data.value}/{.text}",
    "{range .items[*]}{.v}{end}",
    "{@.data.value}",
    "$.data.value ",
    " $.data.value",
    "$..value",
    "{..value}",
    "{.data..value}",
    "{..v}",
    "{..*}",
    "{..}",
    "{...}",
    "{..name}",
    "{..items[0].v}",
    "{..[0]}",
    "$..data..value",
    "$['data']['value']",
    "{['data']['value']}",
    "$[\"data\"].value",
    "$['data'].value",
    "$.data['value'].x",
    "{.data['']}",
    "{.data['*']}",
    "{.data['value.x']}",
    "{.data['[0]']}",
    "{.items[00].v}",
    "{.items[+1].v}",
    "{.items[1].v}",
    "{.items[ 1 ].v}",
    "{.items[1 ,2].v}",
    "{.items[0,1,2].v}",
    "{.items[a].v}",
    "{.items[]}",
    "{.items[}",
    "{.items]}",
    "{.items[0}",
    "{.items['}",
    "{.items[?(@.v)]}",
    "{.items[?(@.v>'a')].v}",
    "{.items[?(@.v==1 && @.name=='a')].v}",
    "{.items[?(@.v==1 || @.v==3)].v}",
    "{.items[?(@.nope==1)].v}",
    "{.items[?(@.nope!=1)].v}",
    "{.items[?(@.name=~'a')].v}",
    "{.items[?(@.on==true)].v}",
    "{.items[?@.v==1].v}",
    "$.items[?@.v==1].v",
    "$.items[?@.v > 1].v",
    "$.items[?length(@.name) > 0].v",
    "{.items[?(@.tags[0]=='x')].v}",
    "{.items[?(@.name in ['a'])].v}",
    "{.numbers[?(@>6)]}",
    "{.numbers[?(@==6)]}",
    "$.length()",
    "{.items[?(@.tags[0])].v}",
    "{.items[?(@.tags[1])].v}",
    "{.items[?(@[0])].v}",
    "$.items[?(@.tags[-1])].v",
    "{.items.length}",
    "{.text[0]}",
    "{.text.*}",
    "{.data.ok}",
    "{.data.value2}",
    "{.items[*]['name','v']}",
];

pub(crate) fn case(text: String) -> Case {
    Case { engine: "path", text, document: DOCUMENT.to_owned(), ..Case::default() }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all: Vec<String> = OTHERS.iter().map(|text| (*text).to_owned()).collect();
    for first in FIRST {
        for then in THEN {
            all.extend(STARTS.iter().map(|start| {
                let end = if start.starts_with('{') { "}" } else { "" };
                format!("{start}{first}{then}{end}")
            }));
        }
    }
    // kubectl takes a path without braces as plain text, so these are sent in the form of Argo Rollouts
    all.into_iter().map(case).collect()
}
