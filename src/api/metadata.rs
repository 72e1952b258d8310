//! Labels and annotations that users add to what is made for them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::schema;
use crate::names;

/// Labels and annotations to add to a generated object. Those of Serin's own are refused by the schema, and left out where an
/// object has them all the same: what they say is believed.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rule(&none_of(&names::OWN), OWN_REFUSED)))]
pub struct CustomMetadata {
    /// Labels to add.
    #[serde(default, deserialize_with = "but_own", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations to add.
    #[serde(default, deserialize_with = "but_own", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

const OWN_REFUSED: &str = "labels and annotations of serin.dev are written by Serin alone: leave them out";

fn none_of(keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("'{key}'")).collect();
    let missing = |map: &str| format!("!(has(self.{map}) && key in self.{map})");
    format!("[{}].all(key, {} && {})", keys.join(", "), missing("labels"), missing("annotations"))
}

/// Other writers and older definitions may have allowed them.
fn but_own<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let mut given = BTreeMap::<String, String>::deserialize(deserializer)?;
    given.retain(|key, _| !names::is_own(key));
    Ok(given)
}
