#![allow(clippy::disallowed_types, reason = "this module asks Prometheus over HTTP")]
//! Instant queries against Prometheus, bounded in time and size.
//!
//! Owns the HTTP client. No redirects, no proxy from the environment, no retries: `plan` freezes and asks again.

use std::{error::Error, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use prometheus_http_query::response::Data;
use reqwest::{Client, Response, Url, redirect};
use serde::Deserialize;
use serde_json::Value;

use super::{MetricSource, SourceError};

/// Time for one question, from connecting to the last byte; Flagger's.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes of an answer that are read: thousands of series, where a check needs one.
const LARGEST: usize = 1024 * 1024;
/// Most characters of an answer that are repeated to people.
const QUOTED: usize = 512;

/// A client for any number of Prometheus servers.
#[derive(Clone, Debug)]
pub struct Prometheus {
    http: Client,
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
    /// A client that gives up on a question after `timeout`. A crypto provider must have been installed. On a system
    /// without any CA certificates, only plain HTTP works.
    pub fn new(timeout: Duration) -> Result<Self, SourceError> {
        let builder = || {
            Client::builder()
                .timeout(timeout)
                .connect_timeout(timeout)
                .redirect(redirect::Policy::none())
                .no_proxy()
                .user_agent(concat!("serin/", env!("CARGO_PKG_VERSION")))
        };
        let http = builder().build().or_else(|_| builder().tls_certs_only([]).build());
        Ok(Self { http: http.map_err(|source| SourceError::Client { source })?, timeout })
    }

    /// The present values of a query, one per series; a scalar is one value.
    pub async fn query(&self, server: &str, promql: &str) -> Result<Vec<f64>, SourceError> {
        let mut url = address(server)?;
        let shown = shown(&url);
        let path = format!("{}/api/v1/query", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let text = promql.split_whitespace().collect::<Vec<_>>().join(" ");
        url.query_pairs_mut().append_pair("query", &text);
        let sent = self.http.get(url).header("accept", "application/json").send().await;
        let response = sent.map_err(|e| self.transport(&shown, e))?;
        let status = response.status().as_u16();
        let body = self.body(response, &shown).await?;
        match status {
            200..=299 => decode(&body, shown),
            400 | 422 => Err(SourceError::Rejected { server: shown, status, message: complaint(&body) }),
            _ => Err(SourceError::Unavailable { server: shown, status, message: complaint(&body) }),
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

    async fn body(&self, mut response: Response, server: &str) -> Result<Vec<u8>, SourceError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.transport(server, e))? {
            if body.len() + chunk.len() > LARGEST {
                return Err(SourceError::TooLarge { server: server.to_owned(), limit: LARGEST });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn transport(&self, server: &str, error: reqwest::Error) -> SourceError {
        let server = server.to_owned();
        if error.is_timeout() {
            SourceError::TimedOut { server, seconds: self.timeout.as_secs_f64() }
        } else {
            SourceError::Unreachable { server, source: error.without_url() }
        }
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

fn address(server: &str) -> Result<Url, SourceError> {
    let url =
        Url::parse(server.trim()).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
    url.ok_or_else(|| {
        // What cannot be parsed may still hold a password before its last `@`.
        let server = server.rsplit_once('@').map_or(server, |(_, host)| host);
        SourceError::Address { server: quoted(server) }
    })
}

/// An address for people: without credentials, which also may stand in the URL's query.
fn shown(url: &Url) -> String {
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    let path = url.path().trim_end_matches('/');
    format!("{}://{}{port}{path}", url.scheme(), url.host_str().unwrap_or_default())
}

fn decode(body: &[u8], server: String) -> Result<Vec<f64>, SourceError> {
    let nonsense = |error: &dyn Error| {
        let said = quoted(&String::from_utf8_lossy(body.get(..4 * QUOTED).unwrap_or(body)));
        SourceError::Undecodable { server: server.clone(), message: quoted(&format!("{error} in {said}")) }
    };
    let answer: Answer = serde_json::from_slice(body).map_err(|e| nonsense(&e))?;
    if answer.status != "success" {
        let message = quoted(&answer.error.unwrap_or(answer.status));
        return Err(SourceError::Unavailable { server, status: 200, message });
    }
    match Data::deserialize(answer.data).map_err(|e| nonsense(&e))? {
        Data::Vector(series) => Ok(series.iter().map(|s| s.sample().value()).collect()),
        Data::Scalar(sample) => Ok(vec![sample.value()]),
        Data::Matrix(_) => Err(SourceError::NotInstant),
    }
}

/// What an answer that is no success complains of: Prometheus' own error, or the text.
fn complaint(body: &[u8]) -> String {
    let own = serde_json::from_slice::<Answer>(body).ok().and_then(|answer| answer.error);
    quoted(&own.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()))
}

/// On one line, without control characters, cut to what people can be shown.
fn quoted(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.take(QUOTED).collect::<Vec<_>>().join(" ");
    line.chars().take(QUOTED).collect()
}

#[cfg(test)]
#[path = "tests/prometheus.rs"]
mod tests;
