//! Helpers for writing schemas by hand: properties, lists, maps, choices and rules in CEL.
//!
//! Knows nothing about what the schemas describe.

pub(super) mod routing;

use schemars::Schema;
use serde_json::{Map, Value, json};

/// A named property.
pub(super) type Property = (&'static str, Value);

pub(crate) fn string(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

pub(crate) fn boolean(description: &str) -> Value {
    json!({ "type": "boolean", "description": description })
}

pub(crate) fn integer(description: &str) -> Value {
    json!({ "type": "integer", "format": "int32", "description": description })
}

pub(crate) fn choice(description: &str, values: &[&str]) -> Value {
    json!({ "type": "string", "enum": values, "description": description })
}

pub(crate) fn list(description: &str, items: Value) -> Value {
    let mut schema = json!({ "type": "array", "description": description });
    schema["items"] = items;
    schema
}

pub(crate) fn map(description: &str, values: Value) -> Value {
    let mut schema = json!({ "type": "object", "description": description });
    schema["additionalProperties"] = values;
    schema
}

pub(crate) fn strings(description: &str) -> Value {
    list(description, json!({ "type": "string" }))
}

pub(crate) fn string_map(description: &str) -> Value {
    map(description, json!({ "type": "string" }))
}

pub(crate) fn object(description: &str, properties: impl IntoIterator<Item = Property>) -> Value {
    let properties: Map<String, Value> = properties.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    json!({ "type": "object", "properties": properties, "description": description })
}

/// Adds keywords to a schema.
pub(crate) fn with(mut schema: Value, keywords: Value) -> Value {
    if let (Value::Object(schema), Value::Object(keywords)) = (&mut schema, keywords) {
        schema.extend(keywords);
    }
    schema
}

/// A rule in CEL, as the value of `x-kubernetes-validations`.
pub(crate) fn rule(rule: &str, message: &str) -> Value {
    rules([(rule, message)])
}

/// Several rules in CEL, each with its message.
pub(crate) fn rules<const N: usize>(all: [(&str, &str); N]) -> Value {
    all.into_iter().map(|(rule, message)| json!({ "rule": rule, "message": message })).collect()
}

/// Adds a rule in CEL to a schema.
pub(crate) fn ruled(schema: Value, text: &str, message: &str) -> Value {
    with(schema, json!({ "x-kubernetes-validations": rule(text, message) }))
}

pub(crate) fn finish(schema: Value) -> Schema {
    Schema::try_from(schema).unwrap_or_default()
}
