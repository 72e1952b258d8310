//! PURE. The schema of the `-o json` output for each kind: `docs/reference/kubectl-canary.schema.json`. Within a
//! version, fields are added, but never changed or removed.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    convert::Note,
    doctor::Group,
    lint::Finding,
    migrate::Remark,
    probe::Share,
    simulate::PlanView,
    view::{API_VERSION, CanaryView, EventView, RunView},
};

fn of<T: JsonSchema>() -> Value {
    let settings =
        SchemaSettings::draft2020_12().for_serialize().with(|settings| settings.inline_subschemas = true);
    let mut schema: Value = settings.into_generator().into_root_schema_for::<T>().into();
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("$schema");
    }
    schema
}

/// The object around lists and findings.
fn report(kind: &str, about: &str, fields: &[(&str, Value)]) -> (String, Value) {
    let mut all = Map::new();
    all.insert("apiVersion".into(), json!({"type": "string", "const": API_VERSION}));
    all.insert("kind".into(), json!({"type": "string", "const": kind}));
    all.extend(fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())));
    let required: Vec<&String> = all.keys().collect();
    let schema = json!({"title": kind, "description": about, "type": "object", "required": required, "properties": all});
    (kind.to_owned(), schema)
}

fn list(item: &Value) -> Value {
    json!({"type": "array", "items": item})
}

/// The schema of all kinds.
pub fn document() -> Value {
    let kinds = kinds();
    let kinds_named: Vec<Value> =
        kinds.keys().map(|kind| json!({"$ref": format!("#/$defs/{kind}")})).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("kubectl canary -o json, {API_VERSION}"),
        "oneOf": kinds_named,
        "$defs": kinds,
    })
}

fn kinds() -> Map<String, Value> {
    let text = || json!({"type": "string"});
    let count = || json!({"type": "integer", "minimum": 0});
    let truth = || json!({"type": "boolean"});
    let mut kinds: Map<String, Value> = Map::new();
    for (kind, schema) in
        [("CanaryView", of::<CanaryView>()), ("RunView", of::<RunView>()), ("PlanView", of::<PlanView>())]
    {
        kinds.insert(kind.into(), schema);
    }
    kinds.extend([
        report("CanaryViewList", "Several Canaries.", &[("items", list(&of::<CanaryView>()))]),
        report("RunViewList", "Runs, newest first.", &[("items", list(&of::<RunView>()))]),
        report("EventViewList", "Events, newest first.", &[("items", list(&of::<EventView>()))]),
        report("PlanViewList", "Several plans.", &[("items", list(&of::<PlanView>()))]),
        report(
            "LintReport",
            "What is wrong with Canaries in files.",
            &[("canaries", count()), ("unreadable", list(&text())), ("findings", list(&of::<Finding>()))],
        ),
        report(
            "ConversionReport",
            "Objects of another tool as those of Serin.",
            &[
                ("rollouts", count()),
                ("unreadable", list(&text())),
                ("objects", list(&json!({"type": "object", "additionalProperties": true}))),
                ("notes", list(&of::<Note>())),
            ],
        ),
        report(
            "MigrationReport",
            "What changes for objects of Flagger.",
            &[("canaries", count()), ("unreadable", list(&text())), ("remarks", list(&of::<Remark>()))],
        ),
        report(
            "DoctorReport",
            "Whether everything is there that releases need.",
            &[("success", truth()), ("groups", list(&of::<Group>()))],
        ),
        report(
            "ProbeReport",
            "Which version answers how often.",
            &[
                ("url", text()),
                ("shares", list(&of::<Share>())),
                ("unanswered", json!({"type": "object", "additionalProperties": {"type": "integer"}})),
            ],
        ),
        report(
            "DiffView",
            "What a pod template changes.",
            &[("from", text()), ("to", text()), ("different", truth()), ("lines", list(&text()))],
        ),
    ]);
    kinds
}

/// Everything in a value that does not match the schema of its kind.
#[cfg(test)]
pub(crate) fn violations(value: &Value) -> Vec<String> {
    let kind = value["kind"].as_str().unwrap_or("?");
    let document = document();
    let schema = &document["$defs"][kind];
    let mut wrong = Vec::new();
    if schema.is_null() {
        return vec![format!("there is no schema of the kind {kind}")];
    }
    check(value, schema, kind, &mut wrong);
    wrong
}

#[cfg(test)]
fn check(value: &Value, schema: &Value, at: &str, wrong: &mut Vec<String>) {
    for ways in ["anyOf", "oneOf"] {
        let Some(ways) = schema[ways].as_array() else { continue };
        let fits = ways.iter().any(|way| {
            let mut found = Vec::new();
            check(value, way, at, &mut found);
            found.is_empty()
        });
        if !fits {
            wrong.push(format!("{at}: {value} fits none of the ways"));
        }
        return;
    }
    if schema.get("const").is_some_and(|wanted| wanted != value) {
        wrong.push(format!("{at}: {value} is not {}", schema["const"]));
    }
    if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
        wrong.push(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => value.is_null(),
    };
    if !types.is_empty() && !types.iter().any(|kind| is(kind)) {
        wrong.push(format!("{at}: {value} is no {types:?}"));
        return;
    }
    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
        check(item, &schema["items"], &format!("{at}[{i}]"), wrong);
    }
    for (name, field) in value.as_object().into_iter().flatten() {
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Null) if schema["properties"].is_object() => {
                wrong.push(format!("{at}.{name} is not in the schema"));
            }
            (Value::Null, Value::Object(_)) => {
                check(field, &schema["additionalProperties"], &format!("{at}.{name}"), wrong);
            }
            (Value::Null, _) => {}
            (own, _) => check(field, own, &format!("{at}.{name}"), wrong),
        }
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            wrong.push(format!("{at}.{name} is missing"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{FIXTURES, canary, fixture, fixture_time, run};

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/kubectl-canary.schema.json");

    #[test]
    fn the_published_schema_is_that_of_the_views() {
        let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
        if std::fs::read_to_string(FILE).unwrap_or_default() != text {
            let new = format!("{FILE}.new");
            std::fs::write(&new, text).unwrap();
            panic!("the views have another schema: look at it, and mv {new} {FILE}");
        }
    }

    #[test]
    fn every_view_of_every_state_is_as_the_schema_says() {
        for name in FIXTURES {
            let facts = fixture(name);
            let view = serde_json::to_value(canary(&facts, fixture_time())).unwrap();
            assert_eq!(violations(&view), Vec::<String>::new(), "{name}");
            for one in facts.newest_first() {
                let view = serde_json::to_value(run(one)).unwrap();
                assert_eq!(violations(&view), Vec::<String>::new(), "{name}");
            }
        }
    }

    #[test]
    fn what_the_schema_does_not_say_is_noticed() {
        let view = serde_json::to_value(canary(&fixture("gate"), fixture_time())).unwrap();
        let mut more = view.clone();
        more["surprise"] = json!(1);
        let mut less = view.clone();
        less.as_object_mut().unwrap().remove("state");
        let mut other = view.clone();
        other["weight"]["canary"] = json!("20");
        let mut word = view;
        word["state"] = json!("dancing");
        for (changed, at) in [(more, "surprise"), (less, "state"), (other, "weight.canary"), (word, "state")]
        {
            assert!(violations(&changed).iter().any(|text| text.contains(at)), "{at}");
        }
        assert_eq!(violations(&json!({"kind": "Nothing"})).len(), 1);
    }

    #[test]
    fn kinds_stand_for_themselves() {
        assert!(!of::<CanaryView>().to_string().contains("$ref"));
    }
}
