//! Queries over HTTP, limited in time and size: common code of all sources that use it.
//!
//! Owns the meaning of statuses. No retries: `plan` freezes and queries again.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{
    Method, Url,
    header::{ACCEPT, HeaderMap, HeaderName, HeaderValue},
};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

pub(crate) use crate::net::shown;
use crate::{
    analysis::provider_kinds,
    clock,
    net::{self, NetError, Outbound, Request, Share, Tls},
    text::first_chars,
};

use super::{ask::Ask, credentials::CA_KEY, error::SourceError};

/// Time limit of one query, from connecting to the last byte; Flagger's.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);
/// A server that wants to be left alone for longer is queried all the same.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// Most bytes of an answer that are read: enough for thousands of series, where a check needs one.
pub(crate) const LARGEST: usize = 1024 * 1024;
/// Most characters of an answer that are repeated to people.
pub(crate) const QUOTED: usize = 512;

/// The way to any number of servers.
#[derive(Clone)]
pub(crate) struct Http {
    timeout: Duration,
    out: Outbound,
}

/// One request. It must not be printed: it contains credentials.
pub(crate) struct Call {
    /// GET unless there is a body.
    pub method: Method,
    /// The complete address, including the query.
    pub url: Url,
    /// Headers sent along.
    pub headers: HeaderMap,
    /// User and password, for an `Authorization` of the kind `Basic`.
    pub login: Option<(String, String)>,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// Time limit of the whole exchange, as a multiple of the usual.
    pub patience: u32,
    /// It uses the operator's own identity: certificates are checked by the system's rules, not the MetricTemplate's.
    pub as_operator: bool,
}

impl Call {
    /// Gets this.
    pub(crate) fn get(url: Url) -> Self {
        let headers = [(ACCEPT, HeaderValue::from_static("application/json"))].into_iter().collect();
        Self { method: Method::GET, url, headers, login: None, body: None, patience: 1, as_operator: false }
    }

    /// Posts this.
    pub(crate) fn post(url: Url, body: Vec<u8>) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(url) }
    }

    /// Adds a header, replacing another of that name. Its value is never logged.
    ///
    /// # Errors
    /// The value is not valid in a header.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Result<Self, SourceError> {
        self.headers.remove(name);
        self.add(name, value)?;
        Ok(self)
    }

    /// Adds the headers of the MetricTemplate.
    ///
    /// # Errors
    /// One of them cannot be sent.
    pub(crate) fn given(mut self, ask: &Ask<'_>) -> Result<Self, SourceError> {
        for (name, values) in ask.headers {
            if provider_kinds::is_reserved(name) {
                let why = provider_kinds::RESERVED_WHY;
                let message = format!("spec.provider.headers: {name:?}, {why}");
                return Err(SourceError::Unusable { message });
            }
            self.headers.remove(name);
            for value in values {
                self.add(name, value)?;
            }
        }
        Ok(self)
    }

    /// Adds the credentials of the Secret: `token`, or else `username` and `password`. A Secret with only an
    /// authority's certificates adds none.
    ///
    /// # Errors
    /// The Secret holds neither.
    pub(crate) fn authorized(self, ask: &Ask<'_>) -> Result<Self, SourceError> {
        let login = ask.credentials;
        if let Some(token) = login.find("token") {
            let unusable = |_| login.lacks("key token that can stand in a header");
            return self.header("authorization", &format!("Bearer {token}")).map_err(unusable);
        }
        if let Some(user) = login.find("username") {
            let password = login.get("password")?.to_owned();
            return Ok(Self { login: Some((user.to_owned(), password)), ..self });
        }
        if login.none() || login.find(CA_KEY).is_some() {
            return Ok(self);
        }
        Err(login.lacks("key token, nor username with password"))
    }

    fn add(&mut self, name: &str, value: &str) -> Result<(), SourceError> {
        let unusable = || SourceError::Unusable {
            message: format!("spec.provider.headers: {name:?} or its value cannot be sent as a header"),
        };
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| unusable())?;
        value.set_sensitive(true);
        self.headers.append(key, value);
        Ok(())
    }
}

/// An answer.
pub(crate) struct Reply {
    quotable: bool,
    /// The server, without credentials.
    pub server: String,
    /// HTTP status.
    pub status: u16,
    /// At most [`LARGEST`] bytes.
    pub body: Vec<u8>,
    /// The share of the memory for answers that the body uses.
    _held: Option<Share>,
}

impl Http {
    /// Gives up on a question after `timeout`.
    pub(crate) fn new(out: Outbound, timeout: Duration) -> Self {
        Self { timeout, out }
    }

    /// The answer to a request, with any status.
    ///
    /// # Errors
    /// No complete answer.
    pub(crate) async fn send(&self, ask: &Ask<'_>, call: Call) -> Result<Reply, SourceError> {
        let server = address(ask.address, "").map_or_else(|_| shown(&call.url), |base| shown(&base));
        let ca = || ask.credentials.find(CA_KEY).map(|pem| pem.as_bytes().to_vec());
        let theirs = || Tls { any_certificate: ask.any_certificate, ca: ca() };
        let request = Request {
            namespace: ask.namespace.to_owned(),
            confidential: ask.is_confidential(),
            tenant: ask.tenant.to_owned(),
            method: call.method,
            url: call.url,
            headers: call.headers,
            login: call.login,
            body: call.body,
            timeout: self.timeout * call.patience,
            limit: LARGEST,
            tls: if call.as_operator { Tls::default() } else { theirs() },
            proxy: None,
        };
        let answer = self.out.send(request).await.map_err(|error| match error {
            NetError::Authority => ask.credentials.lacks(&format!("usable PEM certificates under {CA_KEY}")),
            other => SourceError::of(other, server.clone()),
        })?;
        if answer.cut {
            return Err(SourceError::TooLarge { server, limit: LARGEST });
        }
        let retry_after = answer.retry_after.as_deref().and_then(|text| retry_after(text, clock::now()));
        let (status, quotable) = (answer.status, answer.quotable);
        let reply = Reply { server: server.clone(), status, quotable, body: answer.body, _held: answer.held };
        if answer.status == 429 || answer.status == 503 && retry_after.is_some() {
            let said = reply.quote(&reply.body);
            return Err(SourceError::RateLimited { server, status: answer.status, said, retry_after });
        }
        Ok(reply)
    }

    /// The body of a successful answer.
    ///
    /// # Errors
    /// No complete answer, or another status; `complaint` extracts the server's own words.
    pub(crate) async fn ok(
        &self,
        ask: &Ask<'_>,
        call: Call,
        complaint: fn(&[u8]) -> Option<String>,
    ) -> Result<Reply, SourceError> {
        self.send(ask, call).await?.successful(complaint)
    }

    /// An answer that came in another way.
    pub(crate) fn reply(&self, server: &str, status: u16, body: Vec<u8>) -> Reply {
        Reply { server: server.to_owned(), status, quotable: self.out.quotes(), body, _held: None }
    }
}

impl Reply {
    /// Itself, if its status is a success. `complaint` extracts the server's own words.
    ///
    /// # Errors
    /// Another status: 400 and 422 are errors of the query, all others of the server.
    pub(crate) fn successful(self, complaint: fn(&[u8]) -> Option<String>) -> Result<Self, SourceError> {
        let said = || self.quote(complaint(&self.body).as_deref().map_or(&self.body, str::as_bytes));
        match self.status {
            200..=299 => Ok(self),
            status @ (400 | 422) => Err(SourceError::Rejected { said: said(), server: self.server, status }),
            status => Err(SourceError::Unavailable { said: said(), server: self.server, status }),
        }
    }

    /// The body as JSON of this type.
    ///
    /// # Errors
    /// It is not.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, SourceError> {
        serde_json::from_slice(&self.body).map_err(|e| self.odd(&unlike(&self.body, &e), &self.body))
    }

    /// The error for an invalid answer: why, in words that contain nothing of it, and the odd
    /// part.
    pub(crate) fn odd(&self, why: &str, part: &[u8]) -> SourceError {
        let (server, why, said) = (self.server.clone(), why.to_owned(), self.quote(part));
        SourceError::Undecodable { server, why, said }
    }

    /// The server's words, as far as they may be repeated.
    pub(crate) fn quote(&self, said: &[u8]) -> String {
        if self.quotable { net::quoted(said) } else { String::new() }
    }
}

/// How long a server wants to be left alone according to its header `Retry-After`: seconds, or a date.
pub(crate) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => clock::until(jiff::fmt::rfc2822::parse(text).ok()?.timestamp(), now),
    };
    Some(wait.min(LONGEST_WAIT))
}

/// The address of a server with a path appended.
///
/// # Errors
/// It is not an `http` or `https` URL.
pub(crate) fn address(server: &str, path: &str) -> Result<Url, SourceError> {
    let mut url = net::address(server).map_err(|_| {
        // An unparsable text may still contain a password before its last `@`.
        let server = server.rsplit_once('@').map_or(server, |(_, host)| host);
        SourceError::Address { server: quoted(server) }
    })?;
    if !path.is_empty() {
        let path = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    Ok(url)
}

/// Appends the arguments of a query to those in the address of its server.
pub(crate) fn add_query(url: &mut Url, query: &str) {
    let own = url.query().filter(|own| !own.is_empty()).map(|own| format!("{own}&"));
    url.set_query(Some(&format!("{}{query}", own.unwrap_or_default())));
}

/// Why a body is not the expected JSON. The error itself may contain a piece of the body.
fn unlike(body: &[u8], error: &serde_json::Error) -> String {
    let at = format!("line {}, column {}", error.line(), error.column());
    match body.trim_ascii() {
        [] => "it is empty".into(),
        [0xef, 0xbb, 0xbf, ..] => "it begins with a byte order mark".into(),
        [0x1f, 0x8b, ..] => "it is compressed, which was not asked for".into(),
        text if std::str::from_utf8(text).is_err() => "it is not in UTF-8".into(),
        [b'<', ..] => "it is a web page".into(),
        _ if error.to_string().contains("recursion limit") => "it is nested too deeply".into(),
        _ => match error.classify() {
            Category::Eof => format!("it breaks off ({at})"),
            Category::Data => format!("it is JSON of another form ({at})"),
            Category::Syntax | Category::Io => format!("it is no JSON ({at})"),
        },
    }
}

/// The text under a key of a JSON object.
pub(crate) fn complaint_of(body: &[u8], key: &str) -> Option<String> {
    serde_json::from_slice::<serde_json::Value>(body).ok()?.get(key)?.as_str().map(str::to_owned)
}

/// On one line, without control characters, cut to what people can be shown.
pub(crate) fn quoted(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.take(QUOTED).collect::<Vec<_>>().join(" ");
    first_chars(&line, QUOTED).to_owned()
}

/// White space within a query as single spaces, as Flagger sends it.
pub(crate) fn on_one_line(query: &str) -> String {
    query.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c30_a_time_to_wait_is_seconds_or_a_date() {
        let now: Timestamp = "2026-11-28T14:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sat, 28 Nov 2026 14:05:00 GMT", Some(300)),
            ("Sat, 28 Nov 2026 13:05:00 GMT", Some(0)),
            ("99999999", Some(3600)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
