//! `spec.analysis.metrics[].args`: values for a query that are not all known when the Canary is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::schema;

/// A value for the query, which writes `{{ args.name }}`.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rule(
    "has(self.value) != has(self.valueFrom)",
    "give either value or valueFrom",
)))]
pub struct MetricArg {
    /// Name of the argument.
    #[schemars(length(max = 253))]
    pub name: String,
    /// The value itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16384))]
    pub value: Option<String>,
    /// Where the value is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_from: Option<ArgSource>,
}

/// Where the value of an argument is: one of these.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rule(
    "has(self.fieldRef) != has(self.secretKeyRef)",
    "give either fieldRef or secretKeyRef",
)))]
pub struct ArgSource {
    /// In a field of the Canary or of its target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_ref: Option<ArgField>,
    /// Under a key of a Secret in the Canary's namespace. It is sent, and never shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<ArgSecret>,
}

/// A field of the Canary or of its target.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArgField {
    /// Path of the field, e.g. `metadata.labels['team']`.
    pub field_path: String,
    /// Whose field it is. Default: `canary`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["canary", "target"]))]
    pub of: Option<String>,
}

/// A key of a Secret.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArgSecret {
    /// Name of the Secret.
    pub name: String,
    /// The key.
    pub key: String,
}
