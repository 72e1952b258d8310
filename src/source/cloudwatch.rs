//! Amazon CloudWatch, queried for metric data with the JSON form of its API.
//!
//! The query is a JSON list of MetricDataQuery. Of each returned result the newest complete value counts, or otherwise
//! the newest. Credentials: see `aws`. With the operator's own, only Amazon's hosts are contacted.

use futures::{FutureExt, future::BoxFuture};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    ask::{Ask, MetricSource, Sample},
    aws::Aws,
    error::SourceError,
    http::{Call, Http, Reply, address},
    period,
};
use crate::net::Outbound;

const TARGET: &str = "GraniteServiceVersion20100801.GetMetricData";
/// Most requested points: enough that an answer has no second page, unless it has too many series to be judged.
const POINTS: u32 = 5000;
/// The error for an answer with a `NextToken`.
const FURTHER: &str = "the answer has further pages: aggregate the query to fewer series";
/// Longest name of a region.
const LONGEST: usize = 32;
/// Types of errors with status 400 that are about the caller, not the query.
const NOT_THE_QUERY: [&str; 11] = [
    "AccessDenied",
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignature",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "Throttling",
    "UnrecognizedClient",
];

/// CloudWatch in any region.
#[derive(Clone)]
pub(super) struct CloudWatch {
    http: Http,
    aws: Aws,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    metric_data_results: Vec<Outcome>,
    /// There are more pages.
    #[serde(default)]
    next_token: Option<String>,
    /// Why some of the data may be missing.
    #[serde(default)]
    messages: Option<Vec<Message>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome {
    #[serde(default)]
    status_code: String,
    values: Vec<Value>,
    /// When the time of each value begins, in seconds since 1970.
    #[serde(default)]
    timestamps: Value,
}

#[derive(Deserialize)]
struct Complaint {
    #[serde(rename = "__type", default)]
    kind: String,
    #[serde(alias = "Message", default)]
    message: String,
}

impl CloudWatch {
    /// Sends queries through `http`, and fetches own credentials through `own`.
    pub(super) fn new(http: Http, own: Outbound) -> Self {
        Self { http, aws: Aws::new("monitoring", own) }
    }

    async fn post(&self, ask: &Ask<'_>, queries: &Value) -> Result<Reply, SourceError> {
        let region = region(ask)?;
        let url = address(&endpoint(ask, region)?, "/")?;
        let (from, to) = period::last(ask.window);
        let body = json!({
            "MetricDataQueries": queries, "MaxDatapoints": POINTS, "StartTime": from / 1000, "EndTime": to / 1000,
        });
        let body = body.to_string().into_bytes();
        let hash = format!("{:x}", Sha256::digest(&body));
        let head = http::Request::post(url.as_str())
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", TARGET)
            .header("x-amz-content-sha256", hash)
            .body(());
        let unusable = |_| SourceError::Address { server: region.to_owned() };
        let mut head = head.map_err(unusable)?.into_parts().0;
        let as_operator = ask.credentials.none();
        if as_operator {
            ask.own_identity("AWS")?;
        }
        self.aws.sign(ask, region, &mut head).await?;
        let mut call = Call { as_operator, ..Call::post(url, body) }.given(ask)?;
        call.headers.extend(head.headers);
        self.http.send(ask, call).await
    }

    async fn data(&self, ask: &Ask<'_>) -> Result<Vec<f64>, SourceError> {
        let queries = serde_json::from_str::<Value>(ask.query).ok().filter(Value::is_array);
        let queries = queries.ok_or_else(|| SourceError::Unusable {
            message: "query of the MetricTemplate: it is no JSON list of MetricDataQuery".into(),
        })?;
        let period = period_of(&queries).unwrap_or(ask.window.as_secs_f64());
        ask.of_the_step(&decode(&self.post(ask, &queries).await?, ask, period)?)
    }
}

impl MetricSource for CloudWatch {
    fn kind(&self) -> &'static str {
        "cloudwatch"
    }

    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        self.data(ask).boxed()
    }

    /// Nothing is queried: callers with permission get an error about an empty query.
    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>> {
        async move {
            let reply = self.post(ask, &json!([])).await?;
            match refusal(&reply) {
                None | Some(SourceError::Rejected { .. }) => Ok(()),
                Some(other) => Err(other),
            }
        }
        .boxed()
    }
}

/// A region becomes part of a host: only characters of region names are allowed.
fn region<'a>(ask: &Ask<'a>) -> Result<&'a str, SourceError> {
    let region = ask.region.unwrap_or_default().trim();
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if region.is_empty() || region.len() > LONGEST || !region.bytes().all(fits) {
        return Err(SourceError::Unusable {
            message: format!("spec.provider.region is {region:.40?}: name one such as eu-west-1"),
        });
    }
    Ok(region)
}

/// Requests signed with the operator's identity go only to Amazon's hosts.
fn endpoint(ask: &Ask<'_>, region: &str) -> Result<String, SourceError> {
    let given = ask.address.trim();
    if given.is_empty() {
        let end = if region.starts_with("cn-") { ".cn" } else { "" };
        return Ok(format!("https://monitoring.{region}.amazonaws.com{end}"));
    }
    if ask.credentials.none() {
        return Err(SourceError::Unusable {
            message: "spec.provider.address is given without a spec.provider.secretRef: leave it out, or name the Secret whose keys sign requests to it".into(),
        });
    }
    Ok(given.to_owned())
}

const NO_NUMBER: &str = "a value is no number";

/// The longest `Period` in a query, in seconds.
fn period_of(queries: &Value) -> Option<f64> {
    let query = |query: &Value| [query["Period"].as_f64(), query["MetricStat"]["Period"].as_f64()];
    queries.as_array()?.iter().flat_map(query).flatten().reduce(f64::max)
}

pub(super) fn decode(reply: &Reply, ask: &Ask<'_>, period: f64) -> Result<Vec<Sample>, SourceError> {
    if let Some(error) = refusal(reply) {
        return Err(error);
    }
    let answer: Answer = reply.json()?;
    let further = answer.next_token.filter(|token| !token.is_empty()).map(|_| FURTHER.to_owned());
    let messages = answer.messages.unwrap_or_default();
    let words: Vec<&str> = messages.iter().map(|message| message.value.as_str()).collect();
    if !messages.is_empty() || further.is_some() {
        let said = Some(reply.quote(words.join("; ").as_bytes())).filter(|said| !said.is_empty());
        let said = said.into_iter().chain(further).collect::<Vec<_>>().join("; ");
        return Err(SourceError::Warned { server: reply.server.clone(), said });
    }
    let value = |outcome: &Outcome, at: usize| match (outcome.status_code.as_str(), outcome.values.get(at)) {
        (status @ ("InternalError" | "Forbidden"), _) => {
            Err(reply.odd(&format!("a result has the status {status}"), b""))
        }
        ("PartialData", None) => Err(reply.odd("a result has the status PartialData, and no value", b"")),
        (_, None) => Ok(f64::NAN),
        (_, Some(Value::String(text))) => text.parse().map_err(|_| reply.odd(NO_NUMBER, text.as_bytes())),
        (_, Some(value)) => value.as_f64().ok_or_else(|| reply.odd(NO_NUMBER, b"")),
    };
    let until = |outcome: &Outcome, at: usize| {
        let begins = outcome.timestamps[at].as_f64()?;
        Timestamp::UNIX_EPOCH.checked_add(SignedDuration::try_from_secs_f64(begins + period).ok()?).ok()
    };
    let sample = |outcome: &Outcome| {
        let whole = |at: &usize| until(outcome, *at).is_some_and(|until| ask.is_whole(until));
        let at = (0..outcome.values.len()).find(whole).unwrap_or(0);
        value(outcome, at).map(|value| Sample { value, until: until(outcome, at) })
    };
    answer.metric_data_results.iter().map(sample).collect()
}

/// The error for an unsuccessful answer.
fn refusal(reply: &Reply) -> Option<SourceError> {
    if (200..300).contains(&reply.status) {
        return None;
    }
    let complaint: Option<Complaint> = serde_json::from_slice(&reply.body).ok();
    let kind = complaint.as_ref().map_or("", |c| c.kind.rsplit('#').next().unwrap_or_default());
    let words = complaint.as_ref().map(|c| format!("{kind}: {}", c.message));
    let said = reply.quote(words.as_deref().map_or(&reply.body, str::as_bytes));
    let (server, status) = (reply.server.clone(), reply.status);
    let theirs = NOT_THE_QUERY.iter().any(|known| kind.starts_with(known));
    Some(match status {
        400 if kind.starts_with("Throttling") => {
            SourceError::RateLimited { server, status, said, retry_after: None }
        }
        400 | 422 if !theirs => SourceError::Rejected { server, status, said },
        _ => SourceError::Unavailable { server, status, said },
    })
}
