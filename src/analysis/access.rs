//! How a metrics server is asked, beside the text of the query.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::api::MetricTemplateSpec;

/// The kind of server that asks for none by name.
pub(crate) const PROMETHEUS: &str = "prometheus";

/// A Secret whose content a query needs, told without the content.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SecretAt {
    /// Who names it and where, for people: `MetricTemplate test/errors (spec.provider.secretRef)`.
    pub named_by: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its resourceVersion, where Secrets are watched: what was read at that version is not read again.
    pub version: Option<String>,
}

/// A key of a Secret, told without what is under it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SecretKeyAt {
    /// The Secret.
    pub of: SecretAt,
    /// The key.
    pub key: String,
}

/// How a server is to be asked, beside its address.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Access {
    /// Namespace of the object that names the server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// It is lent by another namespace, with what it is asked with: see [`is_lent`](super::provider_kinds::is_lent).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lent: bool,
    /// Name of its [`Kind`](super::provider_kinds::Kind).
    pub kind: String,
    /// Cloud region, where the kind has some.
    pub region: Option<String>,
    /// Where the value stands in an answer of JSON.
    pub json_path: Option<String>,
    /// Headers sent along, each with its values.
    pub headers: BTreeMap<String, Vec<String>>,
    /// Take any TLS certificate.
    pub any_certificate: bool,
    /// Where its credentials are.
    pub secret: Option<SecretAt>,
    /// Marks in the query, each for a value out of a Secret.
    pub args: BTreeMap<String, SecretKeyAt>,
}

impl Default for Access {
    /// A Prometheus that answers everybody.
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
    /// As the MetricTemplate of this `namespace/name` says. `versions`: of Secrets, by `namespace/name`.
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

    /// That of a Prometheus that an object of this namespace names.
    pub fn in_namespace(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..Self::default() }
    }
}
