//! Checks fields and values against the definitions, like the API server, and suggests the name that was probably
//! meant.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::Value;
use serin::api::crd::all_crds;

use super::{documents::Document, finding::Finding};

/// Everything that the API server would refuse or silently drop.
pub(super) fn check(document: &Document) -> Vec<Finding> {
    let Some(schema) = schema_of(&document.object) else { return vec![] };
    let mut wrong = Vec::new();
    walk(&document.object["spec"], &schema["properties"]["spec"], "spec", &mut wrong);
    wrong.into_iter().map(|text| Finding::of(document, "SER0101", text)).collect()
}

/// Schemas by group, kind and version.
static SCHEMAS: LazyLock<BTreeMap<(String, String, String), Value>> = LazyLock::new(|| {
    let mut all = BTreeMap::new();
    for crd in all_crds() {
        for version in crd.spec.versions {
            let schema = version.schema.and_then(|schema| schema.open_api_v3_schema);
            let key = (crd.spec.group.clone(), crd.spec.names.kind.clone(), version.name);
            all.extend(serde_json::to_value(schema).ok().map(|schema| (key, schema)));
        }
    }
    all
});

fn schema_of(object: &Value) -> Option<&'static Value> {
    let (group, version) = object["apiVersion"].as_str()?.split_once('/')?;
    let kind = object["kind"].as_str()?;
    SCHEMAS.get(&(group.to_owned(), kind.to_owned(), version.to_owned()))
}

fn walk(value: &Value, schema: &Value, path: &str, wrong: &mut Vec<String>) {
    if value.is_null() || schema["x-kubernetes-int-or-string"] == true {
        return;
    }
    if let Some(type_) = schema["type"].as_str().filter(|type_| !is_of(value, type_)) {
        let article = if type_.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
        wrong.push(format!("{path} is {}: it has to be {article} {type_}", shown(value)));
        return;
    }
    if let Some(all) = schema["enum"].as_array().filter(|all| !all.contains(value)) {
        let all: Vec<_> =
            all.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect();
        wrong.push(format!("{path} is {}: choose one of {}", shown(value), all.join(", ")));
    }
    if let (Some(number), Some(least)) = (value.as_f64(), schema["minimum"].as_f64())
        && number < least
    {
        wrong.push(format!("{path} is {number}: it has to be at least {least}"));
    }
    if let (Some(number), Some(most)) = (value.as_f64(), schema["maximum"].as_f64())
        && number > most
    {
        wrong.push(format!("{path} is {number}: it may be {most} at most"));
    }
    match value {
        Value::Object(_) => fields(value, schema, path, wrong),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                walk(item, &schema["items"], &format!("{path}[{i}]"), wrong);
            }
        }
        _ => {}
    }
}

fn fields(value: &Value, schema: &Value, path: &str, wrong: &mut Vec<String>) {
    let Some(object) = value.as_object() else { return };
    let known = schema["properties"].as_object();
    let open =
        schema["x-kubernetes-preserve-unknown-fields"] == true || schema["additionalProperties"] == true;
    for (name, field) in object {
        let at = format!("{path}.{name}");
        match known.and_then(|known| known.get(name)) {
            Some(schema) => walk(field, schema, &at, wrong),
            None if schema["additionalProperties"].is_object() => {
                walk(field, &schema["additionalProperties"], &at, wrong);
            }
            None if open || schema["type"].is_null() => {}
            None => {
                let meant = known.and_then(|known| closest(name, known.keys()));
                let meant = meant.map(|meant| format!("; {meant} is probably meant")).unwrap_or_default();
                wrong.push(format!("{at} is no field that is known: the API server drops it{meant}"));
            }
        }
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if object.get(name).is_none_or(Value::is_null) {
            wrong.push(format!("{path}.{name} is missing"));
        }
    }
}

fn is_of(value: &Value, type_: &str) -> bool {
    match type_ {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0),
        _ => true,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "a mapping".into(),
        Value::Array(_) => "a list".into(),
        other => crate::text::cut(&other.to_string(), 60, "…"),
    }
}

/// The known name that differs by at most two letters, or only by case.
fn closest<'n>(name: &str, known: impl Iterator<Item = &'n String>) -> Option<&'n String> {
    let near = known.map(|one| (distance(&name.to_lowercase(), &one.to_lowercase()), one));
    near.filter(|(far, _)| *far <= 2.min(name.len() / 2)).min_by_key(|(far, _)| *far).map(|(_, one)| one)
}

/// The Levenshtein distance: the number of letters to insert, delete or replace.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut above_left = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = above_left + usize::from(x != *y);
            above_left = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(above_left + 1);
        }
    }
    row[b.len()]
}
