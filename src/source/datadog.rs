//! Datadog, asked for time series.
//!
//! Credentials: `datadog_api_key` and `datadog_application_key`. Of each series the oldest point counts, as with
//! Flagger: the newest one mostly belongs to a bucket that is still being filled.

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

/// The site of the United States, for templates without an address.
const PUBLIC: &str = "https://api.datadoghq.com";

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
        decode(&self.get(ask, url).await?)
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

fn decode(reply: &Reply) -> Result<Vec<f64>, SourceError> {
    let answer: Answer = reply.json()?;
    if answer.status == "error" {
        let said = reply.quote(answer.error.unwrap_or_default().as_bytes());
        return Err(SourceError::Rejected { server: reply.server.clone(), status: reply.status, said });
    }
    let oldest = |series: &Series| series.pointlist.iter().find_map(|(_, value)| *value);
    Ok(answer.series.iter().map(|series| oldest(series).unwrap_or(f64::NAN)).collect())
}

fn complaint(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Complaint>(body).ok().map(|said| said.errors.join("; "))
}
