//! The external metrics API of Kubernetes, which adapters such as KEDA's serve. The query is
//! `[<namespace>/]<metric>[?labelSelector=…]`; the default namespace is `default`.
//!
//! Without an address it queries the cluster's own API server, which forwards to the adapter. With an address, it
//! queries that server; credentials: `token`; `ca.crt`.
#![allow(clippy::disallowed_types, reason = "the API server is asked")]

use futures::{FutureExt, StreamExt, future::BoxFuture};
use http_body_util::BodyExt as _;
use kube::{Client, client::Body};
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;

use crate::{clock, expression::quantity};

use super::{
    ask::{Ask, MetricSource, Sample},
    error::SourceError,
    http::{Call, Http, LARGEST, Reply, TIMEOUT, add_query, address, complaint_of, quoted, retry_after},
};

const API: &str = "/apis/external.metrics.k8s.io/v1beta1";
const CLUSTER: &str = "the external metrics API";

/// The cluster's external metrics, and those of other servers.
#[derive(Clone)]
pub(super) struct ExternalMetrics {
    http: Http,
    cluster: Client,
}

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    value: Value,
    /// When it was measured.
    #[serde(default)]
    timestamp: Value,
}

impl ExternalMetrics {
    /// Queries other servers through `http`, the cluster through `cluster`.
    pub(super) fn new(http: Http, cluster: Client) -> Self {
        Self { http, cluster }
    }

    async fn get(&self, ask: &Ask<'_>, path: &Url) -> Result<Reply, SourceError> {
        let rest = path.query().map_or_else(|| path.path().to_owned(), |q| format!("{}?{q}", path.path()));
        if ask.address.trim().is_empty() {
            let limit = TIMEOUT;
            let answer = tokio::time::timeout(limit, self.through_the_cluster(&rest)).await;
            let late = |_| SourceError::TimedOut { server: CLUSTER.into(), seconds: limit.as_secs_f64() };
            return answer.map_err(late)??.successful(words);
        }
        let mut url = address(ask.address, path.path())?;
        if let Some(query) = path.query() {
            add_query(&mut url, query);
        }
        let call = Call::get(url).given(ask)?.authorized(ask)?;
        self.http.ok(ask, call, words).await
    }

    async fn through_the_cluster(&self, rest: &str) -> Result<Reply, SourceError> {
        let down = |error: &dyn std::fmt::Display| SourceError::Unasked {
            server: CLUSTER.into(),
            why: quoted(&error.to_string()),
        };
        let request = http::Request::get(rest).header("accept", "application/json").body(Body::empty());
        let request = request.map_err(|e| SourceError::Unusable { message: format!("{rest}: {e}") })?;
        let response = self.cluster.send(request).await.map_err(|e| down(&e))?;
        let status = response.status().as_u16();
        if status == 429 {
            let text = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
            let retry_after = text.and_then(|text| retry_after(text, clock::now()));
            let (server, said) = (CLUSTER.into(), String::new());
            return Err(SourceError::RateLimited { server, status, said, retry_after });
        }
        let mut pieces = response.into_body().into_data_stream();
        let mut body = Vec::new();
        while let Some(piece) = pieces.next().await {
            body.extend_from_slice(&piece.map_err(|e| down(&e))?);
            if body.len() > LARGEST {
                return Err(SourceError::TooLarge { server: CLUSTER.into(), limit: LARGEST });
            }
        }
        Ok(self.http.reply(CLUSTER, status, body))
    }
}

impl MetricSource for ExternalMetrics {
    fn kind(&self) -> &'static str {
        "externalmetrics"
    }

    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        async move {
            let reply = self.get(ask, &path(ask.query)?).await?;
            ask.of_the_step(&decode(&reply)?)
        }
        .boxed()
    }

    /// Whether the API is served at all.
    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>> {
        async move { self.get(ask, &root()?).await.map(drop) }.boxed()
    }
}

/// One value per item.
pub(super) fn decode(reply: &Reply) -> Result<Vec<Sample>, SourceError> {
    let list: List = reply.json()?;
    let value = |item: &Item| {
        let read = match &item.value {
            Value::String(text) => quantity::parse(text),
            // a quantity may be without quotes
            Value::Number(number) => number.as_f64(),
            _ => None,
        };
        let value =
            read.ok_or_else(|| reply.odd("a value is no quantity", item.value.to_string().as_bytes()));
        let until = item.timestamp.as_str().and_then(|text| text.parse().ok());
        value.map(|value| Sample { value, until })
    };
    list.items.iter().map(value).collect()
}

/// Any host: only path and query are used.
fn root() -> Result<Url, SourceError> {
    address("http://cluster", API)
}

pub(super) fn path(query: &str) -> Result<Url, SourceError> {
    let unusable = |why: &str| SourceError::Unusable {
        message: format!("query {why}: write [<namespace>/]<metric>[?labelSelector=…]"),
    };
    let (names, selector) = query.trim().split_once('?').map_or((query.trim(), None), |(n, s)| (n, Some(s)));
    let (namespace, metric) = names.trim_start_matches('/').split_once('/').unwrap_or(("default", names));
    if [namespace, metric].iter().any(|name| name.is_empty() || [".", ".."].contains(name)) {
        return Err(unusable("names no metric"));
    }
    if metric.contains('/') {
        return Err(unusable("has more than one /"));
    }
    let mut url = root()?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.extend(["namespaces", namespace, metric]);
    }
    url.set_query(selector);
    Ok(url)
}

/// The message of a `Status`.
fn words(body: &[u8]) -> Option<String> {
    complaint_of(body, "message")
}
