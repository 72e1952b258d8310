//! MetricTemplate: a query that Canaries share, or a Job.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::job::JobTemplate;
use crate::api::schema;

/// A query and where to ask it.
#[derive(CustomResource, JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "flagger.app",
    version = "v1beta1",
    kind = "MetricTemplate",
    plural = "metrictemplates",
    namespaced,
    category = "all",
    derive = "Default",
    derive = "PartialEq",
    doc = "A query that Canaries refer to by `templateRef`, and the metrics server that answers it.",
    printcolumn(name = "Provider", type_ = "string", json_path = ".spec.provider.type")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rule(
    "self.provider.type == 'job' ? has(self.job) : has(self.query)",
    "a query is needed, or with the provider type job a job",
)))]
pub struct MetricTemplateSpec {
    /// The metrics server to ask.
    pub provider: MetricProvider,
    /// The query in the language of its server, a Go template. Variables: `name`, `namespace`, `target`, `service`, `ingress`, `route`, `interval`,
    /// and `variables` for the `templateVariables` of the metric.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 16384))]
    pub query: String,
    /// The Job whose end is the measurement, for the provider type `job`. Its texts are Go templates like `query`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobTemplate>,
    /// Namespaces whose Canaries may refer to it, beside its own: names, or patterns such as `team-*` and `*`. Unset: all, or with
    /// the operator's `--strict` none. Empty: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 100),
        inner(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?$"))
    )]
    pub allowed_namespaces: Option<Vec<String>>,
}

/// A metrics server and how to reach it.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricProvider {
    /// What kind of metrics server it is.
    #[serde(rename = "type")]
    #[schemars(extend("enum" = [
        "prometheus", "influxdb", "datadog", "externalmetrics", "stackdriver", "cloudwatch", "newrelic", "graphite",
        "dynatrace", "keptn", "splunk", "web", "job",
    ]))]
    pub type_: String,
    /// URL of its API. Unset: the provider's public one, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// JSONPath to the value within the answer, for `web`. Default: `$`, the whole answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json_path: Option<String>,
    /// Headers sent with each query, each with its values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Vec<String>>,
    /// The Secret with its credentials, in the namespace of the MetricTemplate: `token`, or `username` and `password`,
    /// or the keys of its kind; under `ca.crt` the certificates of a server with an authority of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
    /// Cloud region to ask in, e.g. `eu-west-1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Accept any TLS certificate from the address. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insecure_skip_verify: Option<bool>,
}

/// Names a Secret in the same namespace.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// Name of the Secret.
    pub name: String,
}
