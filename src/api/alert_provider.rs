//! AlertProvider: where alerts go.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{metric::template::SecretRef, schema};

/// A chat service and how to reach it: by `address` or by `secretRef`.
#[derive(CustomResource, JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "flagger.app",
    version = "v1beta1",
    kind = "AlertProvider",
    plural = "alertproviders",
    namespaced,
    category = "all",
    derive = "Default",
    derive = "PartialEq",
    doc = "A chat service that Canaries refer to by `alerts[].providerRef`.",
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rule(
    "has(self.address) != has(self.secretRef)",
    "exactly one of address and secretRef is needed",
)))]
pub struct AlertProviderSpec {
    /// What kind of service it is. `webhook` is posted CloudEvents (1.0, JSON).
    #[serde(rename = "type")]
    #[schemars(extend("enum" = ["slack", "msteams", "discord", "rocket", "gchat", "webhook"]))]
    pub type_: String,
    /// Channel to post to, where the hook lets one choose. Default: `general`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Name under which alerts are posted. Default: `flagger`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// URL of the hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// URL of an HTTP proxy on the way to the hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// The Secret, in the namespace of the AlertProvider, with the URL under the key `address` and, where
    /// one is needed, a bearer token under `token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,
    /// Namespaces whose Canaries may refer to it, beside its own: names, or patterns such as `team-*` and `*`. Unset: all, or with
    /// the operator's `--strict` none. Empty: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 100),
        inner(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?$"))
    )]
    pub allowed_namespaces: Option<Vec<String>>,
}
