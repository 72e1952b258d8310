//! I/O leaf. Where measurements and contents come from.
//!
//! Owns the trait of metrics servers, their registry, and what a source is given to ask with. What to ask comes from
//! `analysis`; what an answer means is decided there too.
#![allow(clippy::disallowed_types, reason = "some sources are asked through the API server")]

mod aws;
pub mod cloudwatch;
mod contents;
mod credentials;
pub mod datadog;
pub mod dynatrace;
mod error;
pub mod externalmetrics;
mod google;
pub mod graphite;
pub mod http;
pub mod influxdb;
pub mod keptn;
pub mod newrelic;
mod period;
pub mod prometheus;
mod quantity;
pub mod splunk;
pub mod stackdriver;
pub mod web;

use std::{collections::BTreeMap, time::Duration};

use futures::future::BoxFuture;
use kube::Client;

pub use contents::{ContentError, Contents};
pub use credentials::{Credentials, Secrets};
pub use error::SourceError;
pub use http::Http;

use crate::net::Outbound;

/// Everything that one question to a metrics server needs.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
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
    pub fn address_or(&self, public: &'a str) -> &'a str {
        if self.address.trim().is_empty() { public } else { self.address }
    }
}

/// A kind of metrics server: an entry of `analysis::provider_kinds::KINDS`.
pub trait MetricSource: Send + Sync {
    /// Name of its kind, as in `spec.provider.type`.
    fn kind(&self) -> &'static str;

    /// Asks for the present values of a query, one per series. An empty list is an answer; values may be NaN or
    /// infinite.
    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>>;

    /// Whether the server answers questions at all. The query of `ask` is not looked at.
    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>>;
}

/// The sources, by kind.
pub struct Sources(Vec<Box<dyn MetricSource>>);

impl Sources {
    /// One of each kind that is served. They ask over HTTP, or the API server through `client`.
    pub fn new(http: &Http, client: &Client) -> Self {
        let own = Outbound::own();
        Self(vec![
            Box::new(cloudwatch::CloudWatch::new(http.clone(), own.clone())),
            Box::new(datadog::Datadog::new(http.clone())),
            Box::new(dynatrace::Dynatrace::new(http.clone())),
            Box::new(externalmetrics::ExternalMetrics::new(http.clone(), client.clone())),
            Box::new(graphite::Graphite::new(http.clone())),
            Box::new(influxdb::InfluxDb::new(http.clone())),
            Box::new(keptn::Keptn::new(client.clone())),
            Box::new(newrelic::NewRelic::new(http.clone())),
            Box::new(prometheus::Prometheus::new(http.clone())),
            Box::new(splunk::Splunk::new(http.clone())),
            Box::new(stackdriver::Stackdriver::new(http.clone(), own)),
            Box::new(web::Web::new(http.clone())),
        ])
    }

    /// The source of this kind.
    ///
    /// # Errors
    /// It is not served.
    pub fn of(&self, kind: &str) -> Result<&dyn MetricSource, SourceError> {
        let found = self.0.iter().find(|source| source.kind() == kind);
        found.map(AsRef::as_ref).ok_or_else(|| SourceError::Unusable {
            message: format!("spec.provider.type {kind} is not served"),
        })
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod registry {
    use super::*;
    use crate::analysis::provider_kinds::KINDS;

    #[tokio::test]
    async fn every_kind_that_the_planner_serves_has_a_source() {
        let http = tests::http(http::TIMEOUT);
        let sources = Sources::new(&http, &tests::nobody());
        let mut served: Vec<&str> = sources.0.iter().map(|source| source.kind()).collect();
        let mut known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        served.sort_unstable();
        known.sort_unstable();
        assert_eq!(served, known);
        let error = sources.of("kayenta").err().unwrap();
        assert_eq!((error.reason(), error.is_transient()), ("TemplateUnusable", false));
    }
}
