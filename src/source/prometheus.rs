//! Instant queries against Prometheus, or whatever speaks its API.
//!
//! Credentials: `token`, or `username` and `password`; `ca.crt` for a server with an authority of its own.

use futures::{FutureExt, future::BoxFuture};
use prometheus_http_query::response::Data;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Ask, MetricSource, SourceError,
    http::{Call, Http, Reply, address, complaint_of, on_one_line},
};
use crate::analysis::access::PROMETHEUS;

/// Any number of Prometheus servers.
#[derive(Clone)]
pub struct Prometheus {
    http: Http,
}

/// The frame of every answer.
#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    data: Value,
    #[serde(default)]
    error: Option<String>,
}

impl Prometheus {
    /// Asks through these clients.
    pub fn new(http: Http) -> Self {
        Self { http }
    }

    async fn ask(&self, ask: &Ask<'_>, promql: &str) -> Result<Vec<f64>, SourceError> {
        let mut url = address(ask.address, "/api/v1/query")?;
        url.query_pairs_mut().append_pair("query", &on_one_line(promql));
        let call = Call::get(url).given(ask)?.authorized(ask)?;
        decode(&self.http.ok(ask, call, complaint).await?)
    }
}

impl MetricSource for Prometheus {
    fn kind(&self) -> &'static str {
        PROMETHEUS
    }

    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        self.ask(ask, ask.query).boxed()
    }

    /// Asks the one question every Prometheus can answer.
    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>> {
        async move {
            match self.ask(ask, "vector(1)").await?.as_slice() {
                [1.0] => Ok(()),
                other => Err(SourceError::Undecodable {
                    server: super::http::shown(&address(ask.address, "")?),
                    message: format!("vector(1) yields {} values, not the value 1", other.len()),
                }),
            }
        }
        .boxed()
    }
}

fn decode(reply: &Reply) -> Result<Vec<f64>, SourceError> {
    let answer: Answer = reply.json()?;
    if answer.status != "success" {
        let message = reply.quote(answer.error.unwrap_or(answer.status).as_bytes());
        return Err(SourceError::Unavailable { server: reply.server.clone(), status: 200, message });
    }
    match Data::deserialize(answer.data).map_err(|e| reply.nonsense(&e))? {
        Data::Vector(series) => Ok(series.iter().map(|s| s.sample().value()).collect()),
        Data::Scalar(sample) => Ok(vec![sample.value()]),
        Data::Matrix(_) => Err(SourceError::NotInstant),
    }
}

/// What an answer that is no success complains of: Prometheus' own error.
fn complaint(body: &[u8]) -> Option<String> {
    complaint_of(body, "error")
}

#[cfg(test)]
#[path = "tests/prometheus.rs"]
mod tests;
