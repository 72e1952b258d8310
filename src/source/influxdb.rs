//! InfluxDB 2, queried in Flux.
//!
//! Credentials: `token` and `org`; `ca.crt` for a server with an authority of its own.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord};
use futures::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use serde_json::json;

use super::{
    ask::{Ask, MetricSource, Sample},
    error::SourceError,
    http::{Call, Http, Reply, address, complaint_of},
};

/// A query may read much: it gets as long as in Flagger, three times the usual.
const PATIENCE: u32 = 3;
const NO_TABLE: &str = "it is no table of comma-separated values";

/// Any number of InfluxDB servers.
#[derive(Clone)]
pub(super) struct InfluxDb {
    http: Http,
}

impl InfluxDb {
    /// Asks through these clients.
    pub(super) fn new(http: Http) -> Self {
        Self { http }
    }

    async fn flux(&self, ask: &Ask<'_>, query: &str) -> Result<Vec<f64>, SourceError> {
        let mut url = address(ask.address, "/api/v2/query")?;
        let login = ask.credentials;
        let mut token = None;
        if !login.none() {
            url.query_pairs_mut().append_pair("org", login.get("org")?);
            token = Some(format!("Token {}", login.get("token")?));
        }
        let dialect = json!({"header": true, "delimiter": ",", "annotations": []});
        let body = json!({"query": query, "type": "flux", "dialect": dialect}).to_string();
        let mut call = Call::post(url, body.into_bytes())
            .header("content-type", "application/json")?
            .header("accept", "application/csv")?
            .given(ask)?;
        if let Some(token) = token {
            let unusable = |_| login.lacks("key token that can stand in a header");
            call = call.header("authorization", &token).map_err(unusable)?;
        }
        let reply = self.http.ok(ask, Call { patience: PATIENCE, ..call }, complaint).await?;
        ask.of_the_step(&decode(&reply)?)
    }
}

impl MetricSource for InfluxDb {
    fn kind(&self) -> &'static str {
        "influxdb"
    }

    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        self.flux(ask, ask.query).boxed()
    }

    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>> {
        async move {
            match self.flux(ask, "buckets() |> limit(n: 1) |> map(fn: (r) => ({_value: 1.0}))").await {
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            }
        }
        .boxed()
    }
}

/// The rows of a table, as far as they decide which one counts.
struct Table {
    first: Sample,
    /// The last one with a value.
    last: Sample,
    /// Each row is later than the one before.
    ascending: bool,
    time: Option<Timestamp>,
}

impl Table {
    fn new(row: Sample) -> Self {
        Self { first: row, last: row, ascending: row.until.is_some(), time: row.until }
    }

    fn add(&mut self, row: Sample) {
        self.ascending &= row.until > self.time;
        self.time = row.until;
        if !row.value.is_nan() {
            self.last = row;
        }
    }

    /// Rows in the order of their times form a series whose newest counts; otherwise the query has chosen the first.
    fn value(self) -> Sample {
        if self.ascending { self.last } else { self.first }
    }
}

/// One value per table: tables with their own headers, separated by empty lines.
pub(super) fn decode(reply: &Reply) -> Result<Vec<Sample>, SourceError> {
    let text = std::str::from_utf8(&reply.body).map_err(|_| reply.odd("it is not in UTF-8", &reply.body))?;
    // each row ends with a line break
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(reply.odd("it breaks off before its end", &reply.body));
    }
    let mut all: BTreeMap<(String, String), Table> = BTreeMap::new();
    for part in tables(&text.replace("\r\n", "\n")) {
        let mut reader =
            ReaderBuilder::new().has_headers(true).comment(Some(b'#')).from_reader(part.as_bytes());
        let header = reader.headers().map_err(|_| reply.odd(NO_TABLE, part.as_bytes()))?.clone();
        let column = |name: &str| header.iter().position(|h| h == name);
        // beside values it is a tag of the user's
        if let (Some(error), None) = (column("error"), column("_value")) {
            let row = reader.records().next().and_then(Result::ok).unwrap_or_default();
            return Err(reply.odd("the query failed half-way", row.get(error).unwrap_or_default().as_bytes()));
        }
        let Some(at) = column("_value") else {
            let columns = header.iter().collect::<Vec<_>>().join(",");
            return Err(reply.odd("there is no column _value in it", columns.as_bytes()));
        };
        for row in reader.records() {
            let row = row.map_err(|_| reply.odd(NO_TABLE, part.as_bytes()))?;
            let field = |at: Option<usize>| at.and_then(|at| row.get(at)).unwrap_or_default().to_owned();
            let table = (field(column("result")), field(column("table")));
            let sample =
                Sample { value: number(reply, &row, at)?, until: field(column("_time")).parse().ok() };
            all.entry(table).and_modify(|table| table.add(sample)).or_insert_with(|| Table::new(sample));
        }
    }
    Ok(all.into_values().map(Table::value).collect())
}

/// Tables are separated by empty lines, which may also occur within quotes.
fn tables(text: &str) -> Vec<String> {
    let (mut all, mut quoted) = (vec![String::new()], false);
    for line in text.split_inclusive('\n') {
        if !quoted && line.trim().is_empty() {
            all.push(String::new());
        } else if let Some(last) = all.last_mut() {
            last.push_str(line);
        }
        quoted ^= line.bytes().filter(|b| *b == b'"').count() % 2 == 1;
    }
    all.retain(|table| !table.is_empty());
    all
}

fn number(reply: &Reply, row: &StringRecord, at: usize) -> Result<f64, SourceError> {
    match row.get(at).unwrap_or_default() {
        "" => Ok(f64::NAN),
        text => text.parse().map_err(|_| reply.odd("a value is no number", text.as_bytes())),
    }
}

/// InfluxDB's own words.
fn complaint(body: &[u8]) -> Option<String> {
    complaint_of(body, "message")
}
