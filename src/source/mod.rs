//! I/O leaf. The origin of measurements and contents.
//!
//! Owns the trait of metrics servers, their registry, and the inputs of a query. `analysis`
//! decides what to query and what an answer means.
#![allow(clippy::disallowed_types, reason = "some sources are asked through the API server")]

mod ask;
mod aws;
mod cloudwatch;
mod contents;
mod credentials;
mod datadog;
mod dynatrace;
mod error;
mod externalmetrics;
mod google;
mod graphite;
pub(crate) mod http;
mod influxdb;
mod keptn;
mod newrelic;
mod period;
mod prometheus;
mod splunk;
mod stackdriver;
mod web;

use kube::Client;

pub(crate) use ask::{Ask, MetricSource, Series, Stretch};
pub(crate) use contents::{ContentError, Contents};
pub(crate) use credentials::{Credentials, Secrets};
pub(crate) use error::SourceError;
pub(crate) use http::Http;

use crate::net::Outbound;

/// The sources, by kind.
pub(crate) struct Sources(Vec<Box<dyn MetricSource>>);

impl Sources {
    /// One of each served kind. They query over HTTP, or the API server through `client`.
    pub(crate) fn new(http: &Http, client: &Client) -> Self {
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
    pub(crate) fn of(&self, kind: &str) -> Result<&dyn MetricSource, SourceError> {
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
        assert_eq!(error.reason(), "TemplateUnusable");
    }
}
