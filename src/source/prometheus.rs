//! Instant queries against Prometheus, bounded in time and size.
//!
//! Owns what is asked and how an answer is read. No retries: `plan` freezes and asks again.

use std::{error::Error, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use prometheus_http_query::response::Data;
use serde::Deserialize;
use serde_json::Value;

use super::{MetricSource, SourceError};
use crate::net::{self, Outbound, Request, shown};

/// Time for one question, from connecting to the last byte; Flagger's.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes of an answer that are read: thousands of series, where a check needs one.
const LARGEST: usize = 1024 * 1024;
/// Most characters of an unusable address that are shown.
const SHOWN: usize = 256;
/// A client for any number of Prometheus servers.
#[derive(Clone)]
pub struct Prometheus {
    http: Outbound,
    timeout: Duration,
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
    /// Gives up on a question after `timeout`.
    pub fn new(http: Outbound, timeout: Duration) -> Self {
        Self { http, timeout }
    }

    /// The present values of a query, one per series; a scalar is one value.
    pub async fn query(&self, server: &str, promql: &str) -> Result<Vec<f64>, SourceError> {
        let mut url = address(server)?;
        let shown = shown(&url);
        let path = format!("{}/api/v1/query", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let text = promql.split_whitespace().collect::<Vec<_>>().join(" ");
        url.query_pairs_mut().append_pair("query", &text);
        let request = Request::get(url, self.timeout, LARGEST).header("accept", "application/json");
        let sent = self.http.send(request).await;
        let answer = sent.map_err(|error| SourceError::of(error, shown.clone()))?;
        if answer.cut {
            return Err(SourceError::TooLarge { server: shown, limit: LARGEST });
        }
        let (status, body) = (answer.status, &answer.body);
        match status {
            200..=299 => self.decode(body, shown),
            400 | 422 => Err(SourceError::Rejected { server: shown, status, message: self.complaint(body) }),
            _ => Err(SourceError::Unavailable { server: shown, status, message: self.complaint(body) }),
        }
    }

    /// Asks the one question every Prometheus can answer.
    pub async fn ping(&self, server: &str) -> Result<(), SourceError> {
        match self.query(server, "vector(1)").await?.as_slice() {
            [1.0] => Ok(()),
            other => Err(SourceError::Undecodable {
                server: shown(&address(server)?),
                message: format!("vector(1) yields {} values, not the value 1", other.len()),
            }),
        }
    }

    fn decode(&self, body: &[u8], server: String) -> Result<Vec<f64>, SourceError> {
        let nonsense = |error: &dyn Error| {
            let message = format!("{error} in {}", self.http.quote(body));
            SourceError::Undecodable { server: server.clone(), message }
        };
        let answer: Answer = serde_json::from_slice(body).map_err(|e| nonsense(&e))?;
        if answer.status != "success" {
            let message = self.http.quote(answer.error.unwrap_or(answer.status).as_bytes());
            return Err(SourceError::Unavailable { server, status: 200, message });
        }
        match Data::deserialize(answer.data).map_err(|e| nonsense(&e))? {
            Data::Vector(series) => Ok(series.iter().map(|s| s.sample().value()).collect()),
            Data::Scalar(sample) => Ok(vec![sample.value()]),
            Data::Matrix(_) => Err(SourceError::NotInstant),
        }
    }

    /// What an answer that is no success complains of: Prometheus' own error, or the text.
    fn complaint(&self, body: &[u8]) -> String {
        let own = serde_json::from_slice::<Answer>(body).ok().and_then(|answer| answer.error);
        self.http.quote(own.as_deref().map_or(body, str::as_bytes))
    }
}

impl MetricSource for Prometheus {
    fn query<'a>(&'a self, server: &'a str, query: &'a str) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        Self::query(self, server, query).boxed()
    }

    fn ping<'a>(&'a self, server: &'a str) -> BoxFuture<'a, Result<(), SourceError>> {
        Self::ping(self, server).boxed()
    }
}

fn address(server: &str) -> Result<reqwest::Url, SourceError> {
    net::address(server).map_err(|_| {
        // What cannot be parsed may still hold a password before its last `@`.
        let server = server.rsplit_once('@').map_or(server, |(_, host)| host);
        SourceError::Address { server: server.chars().take(SHOWN).collect() }
    })
}

#[cfg(test)]
#[path = "tests/prometheus.rs"]
mod tests;
