//! Dynatrace, queried for metrics with its API v2.
//!
//! Credentials: `dynatrace_token`. The whole period is requested as one value per series.

use futures::{FutureExt, future::BoxFuture};
use reqwest::Url;
use serde::Deserialize;

use super::{
    ask::{Ask, MetricSource},
    error::SourceError,
    http::{Call, Http, Reply, address},
    period,
};
use crate::analysis::as_written;

/// The error for an answer with a `nextPageKey`.
const FURTHER: &str = "the answer has further pages: aggregate the query to fewer series";

/// Any number of environments.
#[derive(Clone)]
pub(super) struct Dynatrace {
    http: Http,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    result: Vec<Selected>,
    /// There are more pages.
    #[serde(default)]
    next_page_key: Option<String>,
}

/// The result of one metric of the selector.
#[derive(Deserialize)]
struct Selected {
    data: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    values: Vec<Option<f64>>,
}

#[derive(Deserialize)]
struct Complaint {
    error: Words,
}

#[derive(Deserialize)]
struct Words {
    message: String,
}

impl Dynatrace {
    /// Asks this way.
    pub(super) fn new(http: Http) -> Self {
        Self { http }
    }

    async fn get(&self, ask: &Ask<'_>, url: Url) -> Result<Reply, SourceError> {
        let login = ask.credentials;
        let token = format!("Api-Token {}", login.get("dynatrace_token")?);
        let unusable = |_| login.lacks("key dynatrace_token that can stand in a header");
        let call = Call::get(url).given(ask)?.header("authorization", &token).map_err(unusable)?;
        self.http.ok(ask, call, complaint).await
    }

    async fn metrics(&self, ask: &Ask<'_>) -> Result<Vec<f64>, SourceError> {
        let (from, to) = period::last(ask.window);
        // one value for the whole time: what a former revision did is no part of it
        let from = ask.since.map_or(from, |since| from.max(since.run.as_millisecond()));
        let mut url = address(ask.address, "/api/v2/metrics/query")?;
        url.query_pairs_mut()
            .append_pair("metricSelector", as_written(ask.query))
            .append_pair("resolution", "Inf")
            .append_pair("from", &from.to_string())
            .append_pair("to", &to.to_string());
        decode(&self.get(ask, url).await?)
    }
}

impl MetricSource for Dynatrace {
    fn kind(&self) -> &'static str {
        "dynatrace"
    }

    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        self.metrics(ask).boxed()
    }

    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>> {
        async move {
            let mut url = address(ask.address, "/api/v2/metrics")?;
            url.query_pairs_mut().append_pair("pageSize", "1");
            self.get(ask, url).await.map(drop)
        }
        .boxed()
    }
}

pub(super) fn decode(reply: &Reply) -> Result<Vec<f64>, SourceError> {
    let answer: Answer = reply.json()?;
    if answer.next_page_key.is_some_and(|key| !key.is_empty()) {
        return Err(SourceError::Warned { server: reply.server.clone(), said: FURTHER.to_owned() });
    }
    let series = answer.result.iter().flat_map(|selected| &selected.data);
    Ok(series.map(|one| one.values.iter().find_map(|value| *value).unwrap_or(f64::NAN)).collect())
}

fn complaint(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Complaint>(body).ok().map(|said| said.error.message)
}
