//! Instant queries to Prometheus, or to other servers with its API.
//!
//! Credentials: `token`, or `username` and `password`; `ca.crt` for a server with an authority of its own. An odd
//! answer is described by its form, with a separate text for each oddity.

use std::{collections::BTreeMap, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use prometheus_http_query::response::{Data, InstantVector, Sample};
use serde::Deserialize;
use serde_json::Value;

use super::{
    ask::{Ask, MetricSource, Series, Stretch},
    error::SourceError,
    http::{Call, Http, Reply, address, complaint_of},
};
use crate::{
    analysis::{COUNT_LABEL, Doubt, Tally, as_written, provider_kinds::PROMETHEUS},
    clock,
};

/// Prefix of remarks that older servers put among the warnings.
const INFO: &str = "PromQL info:";
/// Prefix of warnings that are about the query, and not about the data.
const OF_THE_QUERY: &str = "PromQL warning:";

/// Where a query is evaluated once, and at many moments.
const ONCE: &str = "/api/v1/query";
const OFTEN: &str = "/api/v1/query_range";
/// A query for many moments may take so many times as long.
const PATIENCE: u32 = 2;

/// Longest URL that is sent: proxies take 8 kB. Longer questions are posted.
const LONGEST_URL: usize = 7000;
/// VictoriaMetrics' text for a path that it does not serve.
const UNKNOWN_PATH: &str = "unsupported path";
/// Texts of servers for a query that took too long, or that they ended for another reason of their own. None of them can
/// be a name in a query.
const OUT_OF_TIME: [&str; 8] = [
    "deadline exceeded",
    "timeout exceeded",
    "i/o timeout",
    "handshake timeout",
    "timeout awaiting",
    "timed out",
    "was canceled",
    "context canceled",
];

/// Any number of Prometheus servers.
#[derive(Clone)]
pub(super) struct Prometheus {
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
    #[serde(default)]
    warnings: Option<Vec<String>>,
    /// From a VictoriaMetrics cluster: a storage node did not answer.
    #[serde(default, rename = "isPartial")]
    partial: bool,
}

impl Prometheus {
    /// Asks through these clients.
    pub(super) fn new(http: Http) -> Self {
        Self { http }
    }

    async fn ask(&self, ask: &Ask<'_>, promql: &str) -> Result<Vec<f64>, SourceError> {
        decode(&self.reply(ask, call(ask, promql, ONCE, &[])?).await?, ask.window)
    }

    async fn tally(&self, ask: &Ask<'_>, at: Timestamp) -> Result<Tally, SourceError> {
        let call = call(ask, ask.query, ONCE, &[("time", seconds(at.as_millisecond()))])?;
        counted(&self.reply(ask, call).await?)
    }

    async fn series(&self, ask: &Ask<'_>, stretch: Stretch) -> Result<Vec<Series>, SourceError> {
        let Stretch { from, to, step } = stretch;
        let moments = [("start", seconds(from)), ("end", seconds(to)), ("step", seconds(step))];
        let call = Call { patience: PATIENCE, ..call(ask, ask.query, OFTEN, &moments)? };
        let reply = self.reply(ask, call).await?;
        let Data::Matrix(all) = data(&reply)? else {
            return Err(reply.odd("it is no range", &reply.body));
        };
        let point = |sample: &Sample| ((1000.0 * sample.timestamp()).round() as i64, sample.value());
        let series = all.iter().map(|one| Series {
            labels: one.metric().iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            points: one.samples().iter().map(point).collect(),
        });
        Ok(series.collect())
    }

    /// A successful reply to a query.
    async fn reply(&self, ask: &Ask<'_>, call: Call) -> Result<Reply, SourceError> {
        let call = call.given(ask)?.authorized(ask)?;
        let reply = self.http.send(ask, call).await?;
        if is_elsewhere(&reply) {
            let (server, status) = (reply.server.clone(), reply.status);
            return Err(SourceError::NoPrometheus { server, status, said: reply.quote(&reply.body) });
        }
        let out_of_time =
            reply.status == 422 && complaint(&reply.body).is_some_and(|said| is_out_of_time(&said));
        reply.successful(complaint).map_err(|error| match error {
            SourceError::Rejected { server, status, said } if out_of_time => {
                SourceError::Unavailable { server, status, said }
            }
            other => other,
        })
    }
}

impl MetricSource for Prometheus {
    fn kind(&self) -> &'static str {
        PROMETHEUS
    }

    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        self.ask(ask, ask.query).boxed()
    }

    fn count<'a>(&'a self, ask: &'a Ask<'a>, at: Timestamp) -> BoxFuture<'a, Result<Tally, SourceError>> {
        self.tally(ask, at).boxed()
    }

    fn past<'a>(
        &'a self,
        ask: &'a Ask<'a>,
        stretch: Stretch,
    ) -> BoxFuture<'a, Result<Vec<Series>, SourceError>> {
        self.series(ask, stretch).boxed()
    }

    /// Asks the one question every Prometheus can answer.
    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>> {
        async move {
            match self.ask(ask, "vector(1)").await?.as_slice() {
                [1.0] => Ok(()),
                other => Err(SourceError::Undecodable {
                    server: super::http::shown(&address(ask.address, "")?),
                    why: format!("vector(1) yields {} values, not the value 1", other.len()),
                    said: String::new(),
                }),
            }
        }
        .boxed()
    }
}

/// A moment, or a time, as it is sent.
fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000))
}

/// The request for a query. Without `nocache`, VictoriaMetrics answers for 30 s ago; others take no notice of it.
fn call(ask: &Ask<'_>, promql: &str, path: &str, moments: &[(&str, String)]) -> Result<Call, SourceError> {
    let promql = as_written(promql);
    let mut url = address(ask.address, path)?;
    if !url.query_pairs().any(|(name, _)| name == "nocache") {
        url.query_pairs_mut().append_pair("nocache", "1");
    }
    for (name, value) in moments {
        url.query_pairs_mut().append_pair(name, value);
    }
    let mut whole = url.clone();
    whole.query_pairs_mut().append_pair("query", promql);
    if whole.as_str().len() <= LONGEST_URL {
        return Ok(Call::get(whole));
    }
    let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("query", promql).finish();
    Call::post(url, form.into_bytes()).header("content-type", "application/x-www-form-urlencoded")
}

/// It is not the API of a Prometheus: there is no such path, or the refusal has a different
/// form.
fn is_elsewhere(reply: &Reply) -> bool {
    let in_form =
        || complaint(&reply.body).is_some() || serde_json::from_slice::<Answer>(&reply.body).is_ok();
    match reply.status {
        404 => !in_form(),
        400 => {
            !in_form() || complaint(&reply.body).is_some_and(|said| unquoted(&said).contains(UNKNOWN_PATH))
        }
        _ => false,
    }
}

/// A server that ran out of time during a query uses the status of a wrong query.
fn is_out_of_time(said: &str) -> bool {
    let said = unquoted(said).to_lowercase();
    OUT_OF_TIME.iter().any(|words| said.contains(words))
}

/// A server's own words: without what it quotes, which may be a user's query.
fn unquoted(said: &str) -> String {
    let (mut own, mut quote, mut escaped) = (String::new(), None, false);
    for c in said.chars() {
        match quote {
            None if ['"', '`'].contains(&c) => quote = Some(c),
            None => own.push(c),
            Some(open) => {
                if c == open && !escaped {
                    quote = None;
                }
                escaped = open == '"' && c == '\\' && !escaped;
            }
        }
    }
    own
}

pub(super) fn decode(reply: &Reply, window: Duration) -> Result<Vec<f64>, SourceError> {
    match data(reply)? {
        Data::Vector(series) => trusted(&series, window),
        Data::Scalar(sample) => Ok(vec![sample.value()]),
        Data::Matrix(_) => Err(SourceError::NotInstant),
    }
}

/// The counts in an answer, each at most once.
pub(super) fn counted(reply: &Reply) -> Result<Tally, SourceError> {
    let odd = |why| reply.odd(why, &reply.body);
    let Data::Vector(series) = data(reply)? else { return Err(SourceError::NotInstant) };
    let mut counts = BTreeMap::new();
    for one in series {
        let name = one.metric().get(COUNT_LABEL).ok_or_else(|| odd("a count does not say of what"))?;
        if counts.insert(name.clone(), one.sample().value()).is_some() {
            return Err(odd("a count is there twice"));
        }
    }
    Tally::of(&counts).map_err(odd)
}

/// The content of a complete answer.
fn data(reply: &Reply) -> Result<Data, SourceError> {
    let answer: Answer = reply.json()?;
    if answer.status != "success" {
        return Err(reply.odd("it calls itself an error", answer.error.unwrap_or(answer.status).as_bytes()));
    }
    let warnings: Vec<_> = answer.warnings.into_iter().flatten().filter(|w| !w.starts_with(INFO)).collect();
    if !warnings.is_empty() {
        let (server, said) = (reply.server.clone(), reply.quote(warnings.join("; ").as_bytes()));
        return Err(if warnings.iter().all(|w| w.starts_with(OF_THE_QUERY)) {
            SourceError::QueryWarned { server, said }
        } else {
            SourceError::Warned { server, said }
        });
    }
    if answer.partial {
        return Err(SourceError::Warned { server: reply.server.clone(), said: reply.quote(b"isPartial") });
    }
    let odd = |why| reply.odd(why, &reply.body);
    if samples(&answer.data).any(|sample| sample[1].as_str().is_some_and(beyond)) {
        return Err(odd("a value is beyond what a number can be"));
    }
    Data::deserialize(&answer.data).map_err(|_| odd(oddity(&answer.data)))
}

/// The values, unless a series says that they are in doubt.
fn trusted(series: &[InstantVector], window: Duration) -> Result<Vec<f64>, SourceError> {
    let now = clock::now();
    let word = |one: &InstantVector| one.metric().get(Doubt::LABEL).cloned();
    let values: Vec<f64> =
        series.iter().filter(|one| word(one).is_none()).map(|one| one.sample().value()).collect();
    let said = |one: &InstantVector| Doubt::of(&word(one)?, one.sample().value(), now, window);
    let none = values.iter().all(|value| value.is_nan());
    let longest = Doubt::longest_behind(window).as_secs();
    let holds = |doubt: &Doubt| match doubt {
        // series with values are readable
        Doubt::Native => values.is_empty(),
        // a fresh sample of the canary shows that the server is not behind
        Doubt::Behind { seconds } => {
            !series.iter().any(|one| is_within(one, now, window / 2)) && (none || *seconds <= longest)
        }
        _ => true,
    };
    let doubt = series.iter().filter_map(said).filter(holds).min();
    match doubt {
        Some(doubt @ (Doubt::Native | Doubt::Behind { .. })) => Err(SourceError::Doubtful { values, doubt }),
        _ if values.is_empty() && series.iter().any(|one| is_within(one, now, window)) => {
            Err(SourceError::Sparse { seconds: window.as_secs_f64() })
        }
        Some(doubt) => Err(SourceError::Doubtful { values, doubt }),
        None => Ok(values),
    }
}

/// It reports a sample of the canary within the window.
fn is_within(one: &InstantVector, now: Timestamp, window: Duration) -> bool {
    let word = one.metric().get(Doubt::LABEL);
    word.is_some_and(|word| Doubt::is_age(word))
        && now.as_millisecond() as f64 / 1000.0 - one.sample().value() <= window.as_secs_f64()
}

/// The series of a vector.
fn list_of(data: &Value) -> impl Iterator<Item = &Value> {
    data["result"].as_array().filter(|_| data["resultType"] == "vector").into_iter().flatten()
}

/// The expected pairs of time and value.
fn samples(data: &Value) -> impl Iterator<Item = &Value> {
    let series = list_of(data);
    let scalar = Some(&data["result"]).filter(|_| data["resultType"] == "scalar");
    series.map(|one| &one["value"]).chain(scalar)
}

/// Digits of a number that is too large; infinity itself is written in letters.
fn beyond(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_infinite) && text.bytes().any(|b| b.is_ascii_digit())
}

/// What is wrong with data of another form.
fn oddity(data: &Value) -> &'static str {
    match data["resultType"].as_str() {
        None if data.is_null() => return "it has no data",
        None => return "its data have no resultType",
        Some("string") => return "it is a text, where numbers are wanted",
        Some("vector" | "scalar") => {}
        Some("matrix") => return "a range in it is not of the form",
        Some(_) => return "its resultType is not known",
    }
    if !data["result"].is_array() {
        return "its data have no result";
    }
    if list_of(data).any(|series| series.get("histogram").is_some()) {
        return "a series is a native histogram: take histogram_quantile, histogram_count or histogram_sum of it";
    }
    let wrong = samples(data).find_map(|sample| match sample.as_array().map(Vec::as_slice) {
        None => Some("a series has no value"),
        Some([]) => Some("a value is an empty list"),
        Some([_]) => Some("a value is a time without a number"),
        Some([_, Value::String(text)]) if text.is_empty() => Some("a value is an empty text"),
        Some([_, Value::String(text)]) => text.parse::<f64>().is_err().then_some("a value is no number"),
        Some(_) => Some("a value is not made of a time and a text"),
    });
    wrong.unwrap_or("a series is not of the form")
}

/// The error in an unsuccessful answer: Prometheus' own.
fn complaint(body: &[u8]) -> Option<String> {
    complaint_of(body, "error")
}
