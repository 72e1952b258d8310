//! How to query a metrics server, apart from the text of the query.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::api::MetricTemplateSpec;

/// The default kind of server.
pub(crate) const PROMETHEUS: &str = "prometheus";

/// A Secret whose content a query needs, without the content.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SecretAt {
    /// The object and field that name it, for people: `MetricTemplate test/errors (spec.provider.secretRef)`.
    pub named_by: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its resourceVersion, if Secrets are watched: a version is read only once.
    pub version: Option<String>,
}

/// A key of a Secret, without its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SecretKeyAt {
    /// The Secret.
    pub of: SecretAt,
    /// The key.
    pub key: String,
}

/// How to query a server, apart from its address.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Access {
    /// Namespace of the object that names the server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Another namespace lends it, with its credentials: see [`is_lent`](super::provider_kinds::is_lent).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lent: bool,
    /// Name of its [`Kind`](super::provider_kinds::Kind).
    pub kind: String,
    /// Cloud region, if the kind has regions.
    pub region: Option<String>,
    /// Path of the value in a JSON answer.
    pub json_path: Option<String>,
    /// Headers sent along, each with its values.
    pub headers: BTreeMap<String, Vec<String>>,
    /// Accept any TLS certificate.
    pub any_certificate: bool,
    /// The Secret with its credentials.
    pub secret: Option<SecretAt>,
    /// Placeholders in the query, each for a value from a Secret.
    pub args: BTreeMap<String, SecretKeyAt>,
}

impl Default for Access {
    /// A Prometheus without credentials.
    fn default() -> Self {
        Self {
            namespace: String::new(),
            lent: false,
            kind: PROMETHEUS.into(),
            region: None,
            json_path: None,
            headers: BTreeMap::new(),
            any_certificate: false,
            secret: None,
            args: BTreeMap::new(),
        }
    }
}

impl Access {
    /// As in the MetricTemplate of this `namespace/name`. `versions`: of Secrets, by `namespace/name`.
    pub fn of(name: &str, template: &MetricTemplateSpec, versions: &BTreeMap<String, String>) -> Self {
        let provider = &template.provider;
        let namespace = name.split_once('/').map_or("", |(namespace, _)| namespace);
        let secret = provider.secret_ref.as_ref().map(|secret| SecretAt {
            named_by: format!("MetricTemplate {name} (spec.provider.secretRef)"),
            namespace: namespace.to_owned(),
            name: secret.name.clone(),
            version: versions.get(&format!("{namespace}/{}", secret.name)).cloned(),
        });
        Self {
            namespace: namespace.to_owned(),
            kind: provider.type_.clone(),
            region: provider.region.clone().filter(|r| !r.is_empty()),
            json_path: provider.json_path.clone(),
            headers: provider.headers.clone(),
            any_certificate: provider.insecure_skip_verify == Some(true),
            secret,
            ..Self::default()
        }
    }

    /// What is asked at this address: a provider, which may have regions.
    pub fn place(&self, server: &str) -> String {
        format!("{} {server} {}", self.kind, self.region.as_deref().unwrap_or_default())
    }

    /// Access to a Prometheus that an object of this namespace names.
    pub fn in_namespace(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..Self::default() }
    }
}
