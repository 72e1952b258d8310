//! New Relic's Insights query API, queried in NRQL.
//!
//! Credentials: `newrelic_account_id` and `newrelic_query_key`. The query covers the last window.

use futures::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    ask::{Ask, MetricSource},
    error::SourceError,
    http::{Call, Http, Reply, address},
};
use crate::analysis::as_written;

/// The data centre of the United States, for templates without an address.
const PUBLIC: &str = "https://insights-api.newrelic.com";

/// New Relic, at any data centre.
#[derive(Clone)]
pub(super) struct NewRelic {
    http: Http,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Complaint {
    error: String,
}

impl NewRelic {
    /// Asks this way.
    pub(super) fn new(http: Http) -> Self {
        Self { http }
    }

    async fn nrql(&self, ask: &Ask<'_>, query: &str) -> Result<Reply, SourceError> {
        let login = ask.credentials;
        let account = login.get("newrelic_account_id")?;
        if !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(login.lacks("key newrelic_account_id that is a number"));
        }
        let mut url = address(ask.address_or(PUBLIC), &format!("/v1/accounts/{account}/query"))?;
        let seconds = ask.window.as_secs().max(1);
        // on its own line: the query may end with a comment
        let nrql = format!("{}\nSINCE {seconds} seconds ago", as_written(query));
        url.query_pairs_mut().append_pair("nrql", &nrql);
        let unusable = |_| login.lacks("key newrelic_query_key that can stand in a header");
        let key = login.get("newrelic_query_key")?;
        let call = Call::get(url).given(ask)?.header("x-query-key", key).map_err(unusable)?;
        self.http.ok(ask, call, complaint).await
    }
}

impl MetricSource for NewRelic {
    fn kind(&self) -> &'static str {
        "newrelic"
    }

    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        async move { decode(&self.nrql(ask, ask.query).await?) }.boxed()
    }

    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>> {
        async move { self.nrql(ask, "SELECT * FROM Metric").await.map(drop) }.boxed()
    }
}

const NOT_ONE: &str = "a result is not one number: end the SELECT with one function AS result";

/// A result has one value, under `result` or the name of its function.
pub(super) fn decode(reply: &Reply) -> Result<Vec<f64>, SourceError> {
    let answer: Answer = reply.json()?;
    let value = |result: &Map<String, Value>| {
        let only = if result.len() == 1 { result.values().next() } else { None };
        match result.get("result").or(only) {
            Some(Value::Null) => Ok(f64::NAN),
            Some(Value::Number(number)) => Ok(number.as_f64().unwrap_or(f64::NAN)),
            _ => Err(reply.odd(NOT_ONE, b"")),
        }
    };
    answer.results.iter().map(value).collect()
}

fn complaint(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Complaint>(body).ok().map(|said| said.error)
}
