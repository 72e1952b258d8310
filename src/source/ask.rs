//! One question to a metrics server, and what every kind of server has to answer.

use std::{collections::BTreeMap, time::Duration};

use futures::future::BoxFuture;

use super::{credentials::Credentials, error::SourceError};

/// Everything that one question to a metrics server needs.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    /// `spec.provider.address`, or the Canary's Prometheus; empty where the kind has a public one.
    pub address: &'a str,
    /// The rendered query. May hold secrets: nothing of it is to be repeated in an error.
    pub query: &'a str,
    /// How far the check looks back; above zero.
    pub window: Duration,
    /// `spec.provider.region`.
    pub region: Option<&'a str>,
    /// `spec.provider.jsonPath`.
    pub json_path: Option<&'a str>,
    /// `spec.provider.headers`.
    pub headers: &'a BTreeMap<String, Vec<String>>,
    /// Take any TLS certificate.
    pub any_certificate: bool,
    /// What the Secret holds; empty where none is named.
    pub credentials: &'a Credentials,
}

impl<'a> Ask<'a> {
    /// The address of the template, or the public one of its kind.
    pub(crate) fn address_or(&self, public: &'a str) -> &'a str {
        if self.address.trim().is_empty() { public } else { self.address }
    }
}

/// A kind of metrics server: an entry of `analysis::provider_kinds::KINDS`.
pub(crate) trait MetricSource: Send + Sync {
    /// Name of its kind, as in `spec.provider.type`.
    fn kind(&self) -> &'static str;

    /// Asks for the present values of a query, one per series. An empty list is an answer; values may be NaN or
    /// infinite.
    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>>;

    /// Whether the server answers questions at all. The query of `ask` is not looked at.
    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>>;
}
