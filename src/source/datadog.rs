//! Datadog, queried for time series.
//!
//! Credentials: `datadog_api_key` and `datadog_application_key`. Of each series the newest point counts whose time is
//! over: the last one usually belongs to a bucket that is still being filled. Flagger uses the oldest of ten windows,
//! which says nothing about the step.

use std::time::Duration;

use futures::{FutureExt, future::BoxFuture};
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::Deserialize;

use super::{
    ask::{Ask, MetricSource, Sample},
    error::SourceError,
    http::{Call, Http, Reply, address},
    period,
};
use crate::{analysis::as_written, clock};

/// The site of the United States, for templates without an address.
const PUBLIC: &str = "https://api.datadoghq.com";
/// Agents send their counts every 15 s: until then a finished bucket still grows.
const SENT: SignedDuration = SignedDuration::from_secs(15);

/// Datadog, at any site.
#[derive(Clone)]
pub(super) struct Datadog {
    http: Http,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    status: String,
    #[serde(default)]
    error: Option<String>,
    series: Vec<Series>,
}

/// Points of time and value; a value may be missing.
#[derive(Deserialize)]
struct Series {
    pointlist: Vec<(f64, Option<f64>)>,
    /// How long the time of a point is, in seconds.
    #[serde(default)]
    interval: Option<f64>,
}

impl Series {
    /// The newest value whose time had been over for a while at `now`. The time of a point is its beginning.
    fn newest(&self, now: Timestamp, window: Duration) -> Sample {
        let apart = self.pointlist.windows(2).map(|pair| (pair[1].0 - pair[0].0) / 1000.0).reduce(f64::min);
        let lasts = self.interval.or(apart).unwrap_or(window.as_secs_f64());
        let end = |at: f64| {
            let since_1970 = SignedDuration::try_from_secs_f64(at / 1000.0 + lasts).ok()?;
            Timestamp::UNIX_EPOCH.checked_add(since_1970).ok()
        };
        let over = self.pointlist.iter().rev().filter_map(|(at, value)| Some(((*value)?, end(*at)?)));
        let found = over.into_iter().find(|(_, end)| end.saturating_add(SENT).is_ok_and(|sent| sent <= now));
        found.map_or(Sample::undated(f64::NAN), |(value, end)| Sample { value, until: Some(end) })
    }
}

#[derive(Deserialize)]
struct Complaint {
    errors: Vec<String>,
}

impl Datadog {
    /// Asks this way.
    pub(super) fn new(http: Http) -> Self {
        Self { http }
    }

    async fn get(&self, ask: &Ask<'_>, url: Url) -> Result<Reply, SourceError> {
        let login = ask.credentials;
        let (key, application) = (login.get("datadog_api_key")?, login.get("datadog_application_key")?);
        let call = Call::get(url).given(ask)?.header("dd-api-key", key);
        let call = call.and_then(|call| call.header("dd-application-key", application));
        let call = call.map_err(|_| login.lacks("keys that can stand in a header"))?;
        self.http.ok(ask, call, complaint).await
    }

    async fn series(&self, ask: &Ask<'_>) -> Result<Vec<f64>, SourceError> {
        let (from, to) = period::last(ask.window);
        let mut url = address(ask.address_or(PUBLIC), "/api/v1/query")?;
        url.query_pairs_mut()
            .append_pair("query", as_written(ask.query))
            .append_pair("from", &(from / 1000).to_string())
            .append_pair("to", &(to / 1000).to_string());
        ask.of_the_step(&decode(&self.get(ask, url).await?, clock::now(), ask.window)?)
    }
}

impl MetricSource for Datadog {
    fn kind(&self) -> &'static str {
        "datadog"
    }

    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        self.series(ask).boxed()
    }

    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>> {
        async move {
            let url = address(ask.address_or(PUBLIC), "/api/v1/validate")?;
            self.get(ask, url).await.map(drop)
        }
        .boxed()
    }
}

pub(super) fn decode(reply: &Reply, now: Timestamp, window: Duration) -> Result<Vec<Sample>, SourceError> {
    let answer: Answer = reply.json()?;
    if !["", "ok"].contains(&answer.status.as_str()) {
        let said = reply.quote(answer.error.unwrap_or_default().as_bytes());
        return Err(SourceError::Rejected { server: reply.server.clone(), status: reply.status, said });
    }
    Ok(answer.series.iter().map(|series| series.newest(now, window)).collect())
}

fn complaint(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Complaint>(body).ok().map(|said| said.errors.join("; "))
}
