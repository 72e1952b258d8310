//! JSON schemas of the definitions, for editors and kubeconform: <group>/<kind>_<version>.json, and `all.json`, which
//! selects one of them for files with several kinds.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The schemas of a CustomResourceDefinition, by path.
pub fn schemas(definition: &Value) -> Result<BTreeMap<String, Value>> {
    let spec = &definition["spec"];
    let group = spec["group"].as_str().context("a definition without a group")?;
    let kind = spec["names"]["kind"].as_str().context("a definition without a kind")?;
    let mut all = BTreeMap::new();
    for version in spec["versions"].as_array().context("a definition without versions")? {
        let name = version["name"].as_str().context("a version without a name")?;
        let mut schema = version["schema"]["openAPIV3Schema"].clone();
        convert(&mut schema);
        schema["$schema"] = DRAFT.into();
        schema["properties"]["apiVersion"] = json!({ "const": format!("{group}/{name}") });
        schema["properties"]["kind"] = json!({ "const": kind });
        schema["properties"]["metadata"] = json!({ "type": "object" });
        schema["required"] = json!(["apiVersion", "kind", "metadata", "spec"]);
        all.insert(format!("{group}/{}_{name}.json", kind.to_lowercase()), schema);
    }
    Ok(all)
}

/// One schema for all of them, selected by apiVersion and kind. Other objects pass.
pub fn any_of(all: &BTreeMap<String, Value>) -> Value {
    let choices = all.iter().map(|(path, schema)| {
        let named =
            json!({ "apiVersion": schema["properties"]["apiVersion"], "kind": schema["properties"]["kind"] });
        json!({ "if": { "properties": named, "required": ["apiVersion", "kind"] }, "then": { "$ref": path } })
    });
    json!({ "$schema": DRAFT, "allOf": choices.collect::<Vec<_>>() })
}

/// Converts the API server's dialect to JSON schema. Unknown fields are errors here, but the API server drops them.
fn convert(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    if object.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        object.insert("type".into(), json!(["integer", "string"]));
    }
    let open = object.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
    object.retain(|key, _| !key.starts_with("x-kubernetes-"));
    if object.contains_key("properties") && !open {
        object.entry("additionalProperties").or_insert(Value::Bool(false));
    }
    if object.get("nullable") == Some(&Value::Bool(true)) {
        let null = json!([object.get("type"), "null"]);
        object.insert("type".into(), null);
    }
    object.remove("nullable");
    each(object, "properties", |all| {
        all.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(convert);
    });
    each(object, "items", convert);
    each(object, "additionalProperties", convert);
}

fn each(object: &mut Map<String, Value>, key: &str, act: impl FnOnce(&mut Value)) {
    if let Some(value) = object.get_mut(key) {
        act(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(properties: &Value) -> Value {
        let schema = json!({ "type": "object", "properties": { "spec": { "type": "object", "properties": properties } } });
        json!({ "spec": {
            "group": "flagger.app",
            "names": { "kind": "Canary" },
            "versions": [{ "name": "v1beta1", "schema": { "openAPIV3Schema": schema } }],
        } })
    }

    fn spec(properties: &Value) -> Value {
        let all = schemas(&definition(properties)).unwrap();
        all["flagger.app/canary_v1beta1.json"]["properties"]["spec"].clone()
    }

    #[test]
    fn fields_that_are_not_known_are_errors_but_where_any_are_taken() {
        let open =
            json!({ "type": "object", "properties": {}, "x-kubernetes-preserve-unknown-fields": true });
        let map = json!({ "type": "object", "additionalProperties": { "type": "string" } });
        let found = spec(&json!({ "open": open, "map": map }));
        assert_eq!(found["additionalProperties"], false);
        assert_eq!(found["properties"]["open"].get("additionalProperties"), None);
        assert_eq!(found["properties"]["map"]["additionalProperties"], json!({ "type": "string" }));
    }

    #[test]
    fn a_property_may_have_the_name_of_a_keyword() {
        let found = spec(
            &json!({ "items": { "x-kubernetes-int-or-string": true }, "nullable": { "type": "string" } }),
        );
        assert_eq!(found["properties"]["items"], json!({ "type": ["integer", "string"] }));
        assert_eq!(found["properties"]["nullable"], json!({ "type": "string" }));
    }

    #[test]
    fn one_schema_chooses_by_version_and_kind() {
        let all = schemas(&definition(&json!({}))).unwrap();
        let choice = &any_of(&all)["allOf"][0];
        assert_eq!(choice["if"]["properties"]["apiVersion"]["const"], "flagger.app/v1beta1");
        assert_eq!(choice["then"]["$ref"], "flagger.app/canary_v1beta1.json");
    }
}
