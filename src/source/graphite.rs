//! Graphite's render API. The query is that of the URL, e.g. `target=sumSeries(app.*.errors)&from=-2min`.
//!
//! Credentials: `username` and `password`, or `token`; `ca.crt` for a server with an authority of its own.

use futures::{FutureExt, future::BoxFuture};
use serde::Deserialize;

use super::{
    ask::{Ask, MetricSource},
    error::SourceError,
    http::{Call, Http, address, on_one_line},
};

/// Any number of Graphite servers.
#[derive(Clone)]
pub(super) struct Graphite {
    http: Http,
}

/// One series: values with their times, null where there was none.
#[derive(Deserialize)]
struct Series {
    datapoints: Vec<(Option<f64>, f64)>,
}

impl Graphite {
    /// Asks through these clients.
    pub(super) fn new(http: Http) -> Self {
        Self { http }
    }

    /// The newest value of each series: the last point is null while its time is not over. Graphite would give the same
    /// answer for a minute unless it is told not to.
    async fn render(&self, ask: &Ask<'_>, query: &str) -> Result<Vec<f64>, SourceError> {
        let mut url = address(ask.address, "/render")?;
        url.set_query(Some(&format!("{}&format=json&noCache=true", on_one_line(query))));
        let call = Call::get(url).given(ask)?.authorized(ask)?;
        let series: Vec<Series> = self.http.ok(ask, call, |_| None).await?.json()?;
        let newest = |s: &Series| s.datapoints.iter().rev().find_map(|point| point.0).unwrap_or(f64::NAN);
        Ok(series.iter().map(newest).collect())
    }
}

impl MetricSource for Graphite {
    fn kind(&self) -> &'static str {
        "graphite"
    }

    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        self.render(ask, ask.query).boxed()
    }

    /// A series that nobody has is no error.
    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>> {
        async move { self.render(ask, "target=test&from=-1min").await.map(drop) }.boxed()
    }
}
