//! Google Cloud Monitoring, queried in its Monitoring Query Language over HTTP.
//!
//! Credentials: `project`, and `serviceAccountKey`, without which the operator's own identity is used; without a Secret
//! the project is the operator's, too. Of each series the newest point counts, and of a point its first value.

use futures::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{
    ask::{Ask, MetricSource, Sample},
    error::SourceError,
    google::{ACCOUNT, Google},
    http::{Call, Http, Reply, address},
};
use crate::{analysis::as_written, net::Outbound};

const PUBLIC: &str = "https://monitoring.googleapis.com";
/// The error for an answer with a `nextPageToken`.
const FURTHER: &str = "the answer has further pages: aggregate the query to fewer series";

/// Any project.
#[derive(Clone)]
pub(super) struct Stackdriver {
    http: Http,
    google: Google,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    /// Omitted if there are no series.
    #[serde(default)]
    time_series_data: Vec<Series>,
    /// Why some of the data may be missing.
    #[serde(default)]
    partial_errors: Vec<Words>,
    /// There are more pages.
    #[serde(default)]
    next_page_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Series {
    #[serde(default)]
    point_data: Vec<Point>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    #[serde(default)]
    values: Vec<Number>,
    #[serde(default)]
    time_interval: Interval,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Interval {
    #[serde(default)]
    end_time: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Number {
    #[serde(default)]
    double_value: Option<Double>,
    /// As text, because JSON has no such numbers.
    #[serde(default)]
    int64_value: Option<String>,
}

/// Values that are not numbers, or infinite, are written as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Double {
    Number(f64),
    Text(String),
}

impl Double {
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

#[derive(Deserialize)]
struct Complaint {
    error: Words,
}

#[derive(Deserialize)]
struct Words {
    #[serde(default)]
    message: String,
}

impl Stackdriver {
    /// Sends queries through `http`; for its own identity it uses `own`.
    pub(super) fn new(http: Http, own: Outbound) -> Self {
        Self { google: Google::new(http.clone(), own), http }
    }

    async fn mql(&self, ask: &Ask<'_>, query: &str) -> Result<Reply, SourceError> {
        let base = endpoint(ask)?;
        let as_operator = ask.credentials.find(ACCOUNT).is_none();
        if as_operator {
            ask.own_identity("Google Cloud")?;
        }
        let project = self.project(ask).await?;
        let url = address(base, &format!("/v3/projects/{project}/timeSeries:query"))?;
        let token = format!("Bearer {}", self.google.token(ask).await?);
        let body = json!({"query": query}).to_string().into_bytes();
        let call = Call { as_operator, ..Call::post(url, body) }
            .header("content-type", "application/json")?
            .given(ask)?;
        let unusable =
            |_| SourceError::Identity { cloud: "Google Cloud", message: "the token is none".into() };
        self.http.ok(ask, call.header("authorization", &token).map_err(unusable)?, complaint).await
    }

    /// It becomes part of a path: only characters of project names are allowed.
    async fn project(&self, ask: &Ask<'_>) -> Result<String, SourceError> {
        if ask.credentials.none() {
            return self.google.project().await;
        }
        let project = ask.credentials.get("project")?;
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b':') || b == b'.';
        if !project.bytes().all(fits) || project.contains("..") {
            return Err(ask.credentials.lacks("key project that is the id of one"));
        }
        Ok(project.to_owned())
    }
}

impl MetricSource for Stackdriver {
    fn kind(&self) -> &'static str {
        "stackdriver"
    }

    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        async move { ask.of_the_step(&decode(&self.mql(ask, as_written(ask.query)).await?)?) }.boxed()
    }

    /// Nothing is queried: callers with permission get an error about an empty query.
    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>> {
        async move {
            match self.mql(ask, "").await {
                Ok(_) | Err(SourceError::Rejected { .. }) => Ok(()),
                Err(other) => Err(other),
            }
        }
        .boxed()
    }
}

/// The operator's token goes only to Google's hosts.
fn endpoint<'a>(ask: &Ask<'a>) -> Result<&'a str, SourceError> {
    if !ask.address.trim().is_empty() && ask.credentials.find(ACCOUNT).is_none() {
        return Err(SourceError::Unusable {
            message: format!(
                "spec.provider.address is given without a Secret that holds {ACCOUNT}: leave it out, or name the account that asks there"
            ),
        });
    }
    Ok(ask.address_or(PUBLIC))
}

pub(super) fn decode(reply: &Reply) -> Result<Vec<Sample>, SourceError> {
    let answer: Answer = reply.json()?;
    if !answer.partial_errors.is_empty() || !answer.next_page_token.is_empty() {
        let theirs: Vec<&str> = answer.partial_errors.iter().map(|said| said.message.as_str()).collect();
        let theirs = Some(reply.quote(theirs.join("; ").as_bytes())).filter(|said| !said.is_empty());
        let further = (!answer.next_page_token.is_empty()).then(|| FURTHER.to_owned());
        let said = theirs.into_iter().chain(further).collect::<Vec<_>>().join("; ");
        return Err(SourceError::Warned { server: reply.server.clone(), said });
    }
    let value = |series: &Series| {
        let Some(point) = series.point_data.first() else { return Ok(Sample::undated(f64::NAN)) };
        let first = point.values.first();
        let whole = || first.and_then(|number| number.int64_value.as_deref()?.parse().ok());
        let value = first.and_then(|number| number.double_value.as_ref()?.number()).or_else(whole);
        let value = value.ok_or_else(|| reply.odd("the value of a point is no number", b""));
        value.map(|value| Sample { value, until: point.time_interval.end_time })
    };
    answer.time_series_data.iter().map(value).collect()
}

fn complaint(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Complaint>(body).ok().map(|said| said.error.message)
}
