//! Any server that answers with JSON. The query is the rest of the URL, e.g. `/stats?service={{ target }}`;
//! `spec.provider.jsonPath` defines where the value is in the answer.
//!
//! Credentials: `token`, or `username` and `password`; `ca.crt` for a server with an authority of its own.

use futures::{FutureExt, future::BoxFuture};
use serde_json::Value;

use super::{
    ask::{Ask, MetricSource},
    error::SourceError,
    http::{Call, Http, Reply, add_query, address},
};
use crate::expression::Path;

/// Any number of servers.
#[derive(Clone)]
pub(super) struct Web {
    http: Http,
}

impl Web {
    /// Asks through these clients.
    pub(super) fn new(http: Http) -> Self {
        Self { http }
    }

    async fn get(&self, ask: &Ask<'_>, rest: &str) -> Result<Reply, SourceError> {
        let mut url = address(ask.address, "")?;
        // a line break within a URL only makes it readable, together with the indentation of the next line
        let rest: String = rest.lines().map(str::trim).collect();
        let (path, query) = rest.split_once('?').map_or((rest.as_str(), None), |(p, q)| (p, Some(q)));
        if !path.is_empty() {
            let path = format!("{}/{}", url.path().trim_end_matches('/'), path.trim_start_matches('/'));
            url.set_path(&path);
        }
        if let Some(query) = query {
            add_query(&mut url, query);
        }
        let call = Call::get(url).given(ask)?.authorized(ask)?;
        self.http.ok(ask, call, |_| None).await
    }
}

impl MetricSource for Web {
    fn kind(&self) -> &'static str {
        "web"
    }

    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        async move {
            let reply = self.get(ask, ask.query).await?;
            decode(&reply, ask.json_path.unwrap_or("$"))
        }
        .boxed()
    }

    /// Whether a server answers: the answer of the address itself is unknown, so any status is accepted except those of
    /// a server that is down.
    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>> {
        async move {
            let call = Call::get(address(ask.address, "")?).given(ask)?.authorized(ask)?;
            let reply = self.http.send(ask, call).await?;
            if reply.status < 500 {
                return Ok(());
            }
            Err(SourceError::Unavailable { server: reply.server, status: reply.status, said: String::new() })
        }
        .boxed()
    }
}

/// Every value that the path selects; none if it selects nothing.
pub(super) fn decode(reply: &Reply, path: &str) -> Result<Vec<f64>, SourceError> {
    let answer: Value = reply.json()?;
    let path = Path::parse(path)
        .map_err(|why| SourceError::Unusable { message: format!("spec.provider.jsonPath: {why}") })?;
    let found = path
        .find(&answer)
        .map_err(|why| reply.odd(&format!("jsonPath cannot be followed in it: {why}"), b""))?;
    found.into_iter().map(|value| number(reply, value)).collect()
}

/// Numbers, also as text; true and false as 1 and 0; null is not a number.
fn number(reply: &Reply, value: &Value) -> Result<f64, SourceError> {
    let read = match value {
        Value::Null => Some(f64::NAN),
        Value::Bool(yes) => Some(f64::from(u8::from(*yes))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Array(_) | Value::Object(_) => None,
    };
    let odd = "what jsonPath leads to is no number: let jsonPath lead to one";
    read.ok_or_else(|| reply.odd(odd, value.to_string().as_bytes()))
}
