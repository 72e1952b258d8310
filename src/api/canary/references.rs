//! References in the spec of a Canary.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Points at the workload of a Canary, in its namespace.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetRef {
    /// API version, e.g. `apps/v1`, or `serving.knative.dev/v1` for a Knative Service.
    pub api_version: String,
    /// Kind of the workload.
    #[schemars(extend("enum" = ["DaemonSet", "Deployment", "Service"]))]
    pub kind: String,
    /// Name of the workload.
    pub name: String,
}

/// Points at the autoscaler of a workload, in its namespace.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoscalerRef {
    /// API version, e.g. `autoscaling/v2`.
    pub api_version: String,
    /// Kind of the autoscaler.
    #[schemars(extend("enum" = ["HorizontalPodAutoscaler", "ScaledObject"]))]
    pub kind: String,
    /// Name of the autoscaler.
    pub name: String,
    /// Queries for the primary's ScaledObject, by trigger name. Default: the target's, with names rewritten.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 50))]
    pub primary_scaler_queries: BTreeMap<String, String>,
    /// Replica bounds of the primary's autoscaler where they differ from the target's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_scaler_replicas: Option<ScalerReplicas>,
}

/// Replica bounds of an autoscaler.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScalerReplicas {
    /// Fewest replicas, at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub min_replicas: Option<i32>,
    /// Most replicas, at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_replicas: Option<i32>,
}

/// Points at an object in the Canary's namespace.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalRef {
    /// API version of the object.
    pub api_version: String,
    /// Kind of the object.
    pub kind: String,
    /// Name of the object.
    pub name: String,
}

impl LocalRef {
    /// Schema for fields that allow only one kind.
    pub(super) fn properties_of(kind: &str) -> serde_json::Value {
        serde_json::json!({
            "apiVersion": { "type": "string", "description": "API version of the object." },
            "kind": { "type": "string", "enum": [kind], "description": "Kind of the object." },
            "name": { "type": "string", "description": "Name of the object." },
        })
    }
}

/// Points at a user's route in the Canary's namespace.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteRef {
    /// API version of the object.
    pub api_version: String,
    /// Kind of the object.
    #[schemars(extend("enum" = ["ApisixRoute", "VirtualService"]))]
    pub kind: String,
    /// Name of the object.
    pub name: String,
    /// Name of the http route of a VirtualService that leads to the workload. Default: the only one it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
}

/// Points at a Gloo Upstream.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamRef {
    /// API version of the Upstream.
    pub api_version: String,
    /// Kind of the object.
    #[schemars(extend("enum" = ["Upstream"]))]
    pub kind: String,
    /// Name of the Upstream.
    pub name: String,
    /// Namespace of the Upstream. Default: the Canary's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}
