//! `spec.service`: how users reach the workload, and what the routing objects carry besides weights.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::{metadata::CustomMetadata, schema::routing};

/// The generated Services and the routing between them. Parts that are only copied into routing objects are kept as
/// written.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryService {
    /// Name of the Service that users call, and of the routing object; `-primary` and `-canary` are appended for the
    /// Services behind it. Default: the name of the target. Not meant to be changed later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Port of the Services, 1 to 65535.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
    /// Name of that port. Default: `http`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_name: Option<String>,
    /// Port of the container, by number or name. Default: the same as `port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_port: Option<IntOrString>,
    /// Application protocol of the port, e.g. `http`, `grpc`; `tcp` makes Istio route connections, not requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_protocol: Option<String>,
    /// Which endpoints the Services prefer. Default: all alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["PreferClose", "PreferSameZone", "PreferSameNode"]))]
    pub traffic_distribution: Option<String>,
    /// Add the other ports of the target's containers to the Services. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_discovery: Option<bool>,
    /// Make the Services headless (no cluster IP). Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headless: Option<bool>,
    /// Time limit of a request, as a duration such as `15s`. Default: the provider's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// Time limit of one try of a request, as a duration such as `5s` (Gateway API). Default: the provider's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_timeout: Option<String>,
    /// Istio gateways, `name` or `namespace/name`; `mesh` is the traffic inside the mesh. Default: `mesh`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub gateways: Vec<String>,
    /// Gateways that a Gateway API route attaches to, at most 32.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "routing::gateway_refs")]
    pub gateway_refs: Vec<Value>,
    /// Host names that are routed besides the Service's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub hosts: Vec<String>,
    /// Make the VirtualService a delegate: without hosts and gateways, for another to refer to (Istio). Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegation: Option<bool>,
    /// Traffic policy of the generated DestinationRules (Istio).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "routing::traffic_policy")]
    pub traffic_policy: Option<Value>,
    /// Which requests are routed. Default: all.
    #[serde(default, rename = "match", skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "routing::service_match")]
    pub match_: Vec<Value>,
    /// What requests are rewritten to before they are sent on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "routing::rewrite")]
    pub rewrite: Option<Value>,
    /// When and how often requests are tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "routing::retries")]
    pub retries: Option<Value>,
    /// Headers to add, set and remove.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "routing::headers")]
    pub headers: Option<Value>,
    /// Where copies of all requests are sent (Gateway API).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "routing::mirror")]
    pub mirror: Vec<Value>,
    /// Which other origins may call from a browser (Istio).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "routing::cors_policy")]
    pub cors_policy: Option<Value>,
    /// Name of the App Mesh. Not served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mesh_name: Option<String>,
    /// App Mesh backends. Not served.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub backends: Vec<String>,
    /// Metadata of the Service that users call, and of the routing object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apex: Option<CustomMetadata>,
    /// Metadata of the primary's Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<CustomMetadata>,
    /// Metadata of the canary's Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<CustomMetadata>,
    /// Metadata of the generated Services that belongs to others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unmanaged_metadata: Option<UnmanagedMetadata>,
}

/// Keys that the operator neither sets nor removes.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnmanagedMetadata {
    /// Keys of annotations to leave alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<String>,
    /// Keys of labels to leave alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}
