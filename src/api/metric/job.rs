//! `spec.job` of a MetricTemplate: a Job that is made for each measurement, and judged by how it ends.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{metadata::CustomMetadata, schema};

/// A Job, as a CronJob has it under `jobTemplate`.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobTemplate {
    /// Labels and annotations of the Job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<CustomMetadata>,
    /// The spec of a `batch/v1` Job. Defaults: `activeDeadlineSeconds: 600`, `backoffLimit: 0`,
    /// `ttlSecondsAfterFinished: 3600`, and for its pods `restartPolicy: Never`.
    #[schemars(schema_with = "job_spec")]
    pub spec: Value,
}

/// The API server validates the fields of a Job when a Job is created.
fn job_spec(_: &mut SchemaGenerator) -> Schema {
    schema::finish(json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true }))
}
