//! Splunk Observability Cloud, queried in SignalFlow.
//!
//! Credentials: `sf_token_key`. A program is run with the HTTP form of the API, which answers with server-sent events,
//! over the past and at once, so that the answer ends. Flagger uses the WebSocket form of the same API. Of each series
//! the last value counts.

use std::{collections::BTreeMap, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use reqwest::Url;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    ask::{Ask, MetricSource, Sample},
    error::SourceError,
    http::{Call, Http, Reply, address},
    period,
};

/// Any number of realms.
#[derive(Clone)]
pub(super) struct Splunk {
    http: Http,
}

/// Values of all series at one time.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    data: Vec<Point>,
    /// When their time begins, in milliseconds since 1970.
    #[serde(default)]
    logical_timestamp_ms: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    ts_id: String,
    value: Option<f64>,
}

#[derive(Deserialize)]
struct Control {
    event: String,
}

/// A message about the program while it runs.
#[derive(Deserialize)]
struct Note {
    message: Message,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(default)]
    message_code: String,
    #[serde(default)]
    contents: Option<Contents>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Contents {
    /// How long the time of a value is, in milliseconds.
    #[serde(default)]
    resolution_ms: Option<i64>,
}

#[derive(Deserialize)]
struct Complaint {
    message: String,
}

/// The two hosts of a realm.
#[derive(Clone, Copy)]
enum Side {
    /// `api.<realm>`.
    Api,
    /// `stream.<realm>`.
    Stream,
}

impl Splunk {
    /// Asks this way.
    pub(super) fn new(http: Http) -> Self {
        Self { http }
    }

    async fn send(&self, ask: &Ask<'_>, call: Call) -> Result<Reply, SourceError> {
        let login = ask.credentials;
        let unusable = |_| login.lacks("key sf_token_key that can stand in a header");
        let call = call.given(ask)?.header("x-sf-token", login.get("sf_token_key")?).map_err(unusable)?;
        self.http.ok(ask, call, complaint).await
    }

    async fn flow(&self, ask: &Ask<'_>) -> Result<Vec<f64>, SourceError> {
        let (start, stop) = period::last(ask.window);
        let mut url = side(ask.address, Side::Stream, "/v2/signalflow/execute")?;
        url.query_pairs_mut()
            .append_pair("start", &start.to_string())
            .append_pair("stop", &stop.to_string())
            .append_pair("immediate", "true");
        let call = Call::post(url, ask.query.as_bytes().to_vec())
            .header("content-type", "text/plain")?
            .header("accept", "text/event-stream")?;
        ask.of_the_step(&decode(&self.send(ask, call).await?, ask.window)?)
    }
}

impl MetricSource for Splunk {
    fn kind(&self) -> &'static str {
        "splunk"
    }

    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        self.flow(ask).boxed()
    }

    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>> {
        async move {
            let mut url = side(ask.address, Side::Api, "/v2/metric")?;
            url.query_pairs_mut().append_pair("limit", "1");
            self.send(ask, Call::get(url)).await.map(drop)
        }
        .boxed()
    }
}

/// The address may be that of either host, and of a WebSocket, as in Flagger.
fn side(given: &str, wanted: Side, path: &str) -> Result<Url, SourceError> {
    let given = given.trim();
    let http = given.strip_prefix("ws").map_or_else(|| given.to_owned(), |rest| format!("http{rest}"));
    let mut url = address(&http, path)?;
    let (from, to) = match wanted {
        Side::Api => ("stream.", "api."),
        Side::Stream => ("api.", "stream."),
    };
    let host = url.host_str().and_then(|host| host.strip_prefix(from)).map(|realm| format!("{to}{realm}"));
    if let Some(host) = host
        && url.set_host(Some(&host)).is_err()
    {
        return Err(SourceError::Address { server: host });
    }
    Ok(url)
}

/// Some of the series that a program selects are missing.
const LIMITED: &str = "FIND_LIMITED_RESULT_SET";
const RESOLUTION: &str = "JOB_RUNNING_RESOLUTION";

pub(super) fn decode(reply: &Reply, window: Duration) -> Result<Vec<Sample>, SourceError> {
    let text = std::str::from_utf8(&reply.body).map_err(|_| reply.odd("it is not in UTF-8", &reply.body))?;
    let (mut values, mut ended) = (BTreeMap::new(), false);
    let mut lasts = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
    for (event, data) in events(text) {
        match event {
            "data" => {
                let Data { data, logical_timestamp_ms: at } = parsed(reply, &data)?;
                for point in data {
                    let last = values.entry(point.ts_id).or_insert((f64::NAN, None));
                    *last = point.value.map_or(*last, |value| (value, at));
                }
            }
            "message" => match serde_json::from_str(&data) {
                Ok(Note { message }) if message.message_code == LIMITED => {
                    let (server, said) = (reply.server.clone(), reply.quote(data.as_bytes()));
                    return Err(SourceError::Warned { server, said });
                }
                Ok(Note { message }) if message.message_code == RESOLUTION => {
                    lasts = message.contents.and_then(|of| of.resolution_ms).unwrap_or(lasts);
                }
                _ => {}
            },
            "control-message" => match parsed::<Control>(reply, &data)?.event.as_str() {
                "END_OF_CHANNEL" => ended = true,
                "CHANNEL_ABORT" => return Err(failed(reply, &data)),
                _ => {}
            },
            "error" => return Err(failed(reply, &data)),
            _ => {}
        }
    }
    // all but the last values may have arrived
    if ended {
        let until = |at: i64| Timestamp::from_millisecond(at.saturating_add(lasts)).ok();
        Ok(values.into_values().map(|(value, at)| Sample { value, until: at.and_then(until) }).collect())
    } else {
        Err(reply.odd("it breaks off before its end", &reply.body))
    }
}

fn parsed<T: DeserializeOwned>(reply: &Reply, data: &str) -> Result<T, SourceError> {
    serde_json::from_str(data).map_err(|_| reply.odd("an event in it is of another form", data.as_bytes()))
}

/// The program did not run to its end, and why, in the server's words.
fn failed(reply: &Reply, data: &str) -> SourceError {
    let said = reply.quote(data.as_bytes());
    SourceError::Unavailable { server: reply.server.clone(), status: reply.status, said }
}

/// Server-sent events: type and data of each; an event without an empty line at the end is incomplete and omitted.
fn events(text: &str) -> Vec<(&str, String)> {
    let (mut all, mut kind, mut data) = (Vec::new(), "message", Vec::new());
    for line in text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
        match line.split_once(':').map_or((line, ""), |(name, value)| (name, value.trim_start())) {
            ("", "") if line.is_empty() => {
                if !data.is_empty() {
                    all.push((kind, data.join("\n")));
                }
                (kind, data) = ("message", Vec::new());
            }
            ("event", value) => kind = value,
            ("data", value) => data.push(value),
            _ => {}
        }
    }
    all
}

fn complaint(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Complaint>(body).ok().map(|said| said.message)
}
