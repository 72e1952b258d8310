//! Pages of lists and lines of watches, from an API server that hands on whatever users wrote.

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{Object, Page, answer::Event, object::Decoded};
use crate::tests::fuzz::{Target, examples, fuzz, literals};
use k8s_openapi::api::coordination::v1::Lease;
use kube::core::PartialObjectMeta;

fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn name(text: &str) -> String {
    Object::of(text).content["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

/// A list of three objects, of which this is the second: the others are seen whatever it is.
fn between(object: &str) -> Result<(), String> {
    let list = format!(
        r#"{{"kind":"List","items":[{{"metadata":{{"name":"first"}}}},{object},{{"metadata":{{"name":"last"}}}}],"metadata":{{"resourceVersion":"7"}}}}"#
    );
    let page = Page::of(&list).ok_or("an object keeps a list from being read")?;
    if page.version != "7"
        || page.items.len() != 3
        || name(page.items[0]) != "first"
        || name(page.items[2]) != "last"
    {
        return Err(format!("of a list {} objects are seen", page.items.len()));
    }
    let line = format!(r#"{{"type":"MODIFIED","object":{object}}}"#);
    match Event::of(&line) {
        Some(Event::Changed(text)) if text == page.items[1] => Ok(()),
        _ => Err("an object keeps a watch from going on".into()),
    }
}

/// Words of this language.
const WORDS: &[&str] = &[
    "\"metadata\":",
    "\"items\":",
    "\"name\":\"a\"",
    "\"namespace\":",
    "\"resourceVersion\":\"1\"",
    "\"continue\":",
    "\"type\":\"ADDED\"",
    "\"object\":",
    "\"managedFields\":",
    "metadata",
    "items",
    "spec",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"",
    "\\\"",
    "\\\\",
    "\\u0000",
    "\\ud800",
    "null",
    "1e999",
];

#[test]
fn fuzz_pages() {
    let target = || {
        let mut texts = literals(include_str!("tests.rs"));
        texts.extend(literals(include_str!("answer.rs")));
        texts.extend(literals(include_str!("object.rs")));
        texts.retain(|text| text.contains('{'));
        texts.extend(
            ["MetricTemplate", "Canary", "AlertProvider"]
                .into_iter()
                .flat_map(examples)
                .map(|all| all.to_string()),
        );
        texts.push(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "n", "resourceVersion": "3",
            "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {}}}]}, "spec": {"ports": [{"port": 80}]}}).to_string());
        Target {
            seeds: texts.into_iter().map(|text| vec![text]).collect(),
            words: WORDS,
            longest: 64 * 1024,
            held: (256 << 10, 300),
            made: (2000, 8),
        }
    };
    fuzz("pages", target, &|input| {
        let text = input[0].as_str();
        let page = Page::of(text).map_or(0, |page| {
            let read = page.items.iter().map(|item| Object::of(item).number());
            read.count()
        });
        let event = match Event::of(text) {
            Some(Event::Changed(_)) => "changed",
            Some(Event::Gone(_)) => "gone",
            Some(Event::Bookmark(_)) => "bookmark",
            Some(Event::Error(_)) => "error",
            None => "none",
        };
        let object = Object::of(text);
        if depth(&object.content) > 102 {
            return Err("it is decoded deeper than it may be decoded again".into());
        }
        let typed = (
            <Lease as Decoded>::of(object.content.clone()).is_ok(),
            <PartialObjectMeta<Lease> as Decoded>::of(object.content.clone()).is_ok(),
        );
        let valid = serde_json::from_str::<IgnoredAny>(text).is_ok();
        if valid {
            between(text)?;
        }
        let lacking = object.lacking.unwrap_or_default();
        Ok(format!("{} {event} {typed:?} {valid} {lacking}", "I".repeat(page.min(9))))
    });
}
