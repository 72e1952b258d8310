//! Graphite's render API. The query is that of the URL, e.g. `target=sumSeries(app.*.errors)&from=-2min`.
//!
//! Credentials: `username` and `password`, or `token`; `ca.crt` for a server with an authority of its own.

use futures::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    ask::{Ask, MetricSource, Sample},
    error::SourceError,
    http::{Call, Http, Reply, add_query, address, on_one_line},
};

/// How infinity is written, which JSON cannot express.
const INFINITY: &str = "1e9999";

/// Any number of Graphite servers.
#[derive(Clone)]
pub(super) struct Graphite {
    http: Http,
}

/// One series: values with their times, null where there was none.
#[derive(Deserialize)]
struct Series {
    datapoints: Vec<(Point, f64)>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Point {
    Number(f64),
    /// A number that JSON cannot express, put in quotes.
    Quoted(String),
    None(()),
}

impl Point {
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Quoted(text) => text.parse().ok(),
            Self::None(()) => None,
        }
    }
}

impl Series {
    /// The newest complete value, or otherwise the newest. The time of a point is its beginning; it lasts until the
    /// next one.
    fn newest(&self, ask: &Ask<'_>) -> Sample {
        let step = match self.datapoints.as_slice() {
            [(_, first), (_, second), ..] => second - first,
            _ => ask.window.as_secs_f64(),
        };
        let until = |at: f64| Timestamp::from_second((at + step) as i64).ok();
        let dated = |(point, at): &(Point, f64)| Some(Sample { value: point.number()?, until: until(*at) });
        let found = || self.datapoints.iter().rev().filter_map(dated);
        let whole = |sample: &Sample| sample.until.is_some_and(|until| ask.is_whole(until));
        found().find(whole).or_else(|| found().next()).unwrap_or(Sample::undated(f64::NAN))
    }
}

impl Graphite {
    /// Asks through these clients.
    pub(super) fn new(http: Http) -> Self {
        Self { http }
    }

    /// Graphite would repeat the same answer for a minute unless told not to.
    async fn render(&self, ask: &Ask<'_>, query: &str) -> Result<Vec<f64>, SourceError> {
        let mut url = address(ask.address, "/render")?;
        add_query(&mut url, &format!("{}&format=json&noCache=true", on_one_line(query)));
        let call = Call::get(url).given(ask)?.authorized(ask)?;
        ask.of_the_step(&decode(self.http.ok(ask, call, |_| None).await?, ask)?)
    }
}

pub(super) fn decode(mut reply: Reply, ask: &Ask<'_>) -> Result<Vec<Sample>, SourceError> {
    if let Ok(text) = std::str::from_utf8(&reply.body)
        && text.contains(INFINITY)
    {
        reply.body = infinity_in_quotes(text).into();
    }
    let series: Vec<Series> = reply.json()?;
    Ok(series.iter().map(|series| series.newest(ask)).collect())
}

/// An answer with infinity as a text. The name of a series may contain the same characters and stays as it is.
fn infinity_in_quotes(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    let (mut quoted, mut escaped) = (false, false);
    while let Some(c) = rest.chars().next() {
        let number = ["-1e9999", INFINITY].into_iter().find(|number| !quoted && rest.starts_with(number));
        if let Some(number) = number {
            out.push_str(&format!("\"{number}\""));
            rest = &rest[number.len()..];
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

impl MetricSource for Graphite {
    fn kind(&self) -> &'static str {
        "graphite"
    }

    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        self.render(ask, ask.query).boxed()
    }

    /// A series that does not exist is not an error.
    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>> {
        async move { self.render(ask, "target=test&from=-1min").await.map(drop) }.boxed()
    }
}
