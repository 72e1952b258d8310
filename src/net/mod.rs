#![allow(clippy::disallowed_types, reason = "HTTP clients are made here")]
//! I/O leaf. The one place where requests to servers out of users' objects are made: metrics servers, webhooks, alert
//! providers.
//!
//! A name is resolved once for each connection, and only an address that [`OutboundPolicy`] admits is connected to. No
//! redirects, no proxy from the environment; every answer is bounded in time and size.

mod clients;
mod error;
mod resolve;
mod shares;

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header::RETRY_AFTER};
use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::{Response, Url};
use tokio::time::timeout;

pub(crate) use crate::outbound::{OutboundPolicy, Refused};
use crate::text;
pub(crate) use clients::Tls;
pub(crate) use error::NetError;
pub(crate) use resolve::{Lookup, System};
pub(crate) use shares::{Share, Shares};

use clients::{Clients, Kind};
use error::chain;
use resolve::{Guard, host_of};

/// Most bytes of an answer that are repeated to people.
const QUOTED: usize = 1024;
/// Most bytes of an answer that counts as a small one.
const SMALL: usize = 64 * 1024;
/// Larger answers that are held at once: of all, and of one namespace. Each has at most 1 MiB.
const LARGE_ANSWERS: usize = 48;
const LARGE_OF_ONE: usize = 8;

/// Makes requests. Clones share their clients.
#[derive(Clone)]
pub(crate) struct Outbound(Arc<Inner>);

struct Inner {
    guard: Arc<Guard>,
    quotes: bool,
    clients: Clients,
    large: Shares,
}

/// One request.
#[derive(Clone)]
pub(crate) struct Request {
    /// The namespace for which it is made; empty for the operator's own.
    pub tenant: String,
    /// How.
    pub method: Method,
    /// Where; from [`address`]. Credentials in it are sent as basic authentication.
    pub url: Url,
    /// Beside the user agent.
    pub headers: HeaderMap,
    /// User and password, for an `Authorization` of the kind `Basic`.
    pub login: Option<(String, String)>,
    /// What is sent.
    pub body: Option<Vec<u8>>,
    /// From connecting to the last byte.
    pub timeout: Duration,
    /// Most bytes of the answer that are read.
    pub limit: usize,
    /// Whose certificates are taken.
    pub tls: Tls,
    /// An HTTP proxy on the way: it is held to the same rules, and resolves the name of the URL.
    pub proxy: Option<Url>,
}

/// Without what may be a secret: credentials and query of the address, headers, login, body and certificates.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = f.debug_struct("Request");
        all.field("tenant", &self.tenant).field("method", &self.method).field("url", &shown(&self.url));
        all.field("timeout", &self.timeout).field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Request {
    /// A GET.
    pub(crate) fn get(url: Url, timeout: Duration, limit: usize) -> Self {
        let (method, headers, tls) = (Method::GET, HeaderMap::new(), Tls::default());
        let tenant = String::new();
        Self { tenant, method, url, headers, login: None, body: None, timeout, limit, tls, proxy: None }
    }

    /// A POST of JSON.
    pub(crate) fn post(url: Url, json: &serde_json::Value, timeout: Duration, limit: usize) -> Self {
        let body = Some(json.to_string().into_bytes());
        let posted = Self { method: Method::POST, body, ..Self::get(url, timeout, limit) };
        posted.header("content-type", "application/json")
    }

    /// For this namespace.
    #[must_use]
    pub(crate) fn of(self, tenant: &str) -> Self {
        Self { tenant: tenant.to_owned(), ..self }
    }

    /// With a header; one that cannot be sent is left out. The value is marked as a secret.
    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(mut value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            value.set_sensitive(true);
            self.headers.append(name, value);
        }
        self
    }
}

/// What a server said.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body, or the beginning of it.
    pub body: Vec<u8>,
    /// There is more of it than the limit allows.
    pub cut: bool,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// What the body takes of the memory for answers.
    pub held: Option<Share>,
}

/// A URL to be asked.
///
/// # Errors
/// It is no `http` or `https` URL.
pub(crate) fn address(text: &str) -> Result<Url, NetError> {
    let url = Url::parse(text.trim()).ok();
    url.filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host()).ok_or(NetError::Address)
}

/// A URL for people: without credentials and query, in which there may be some.
pub(crate) fn shown(url: &Url) -> String {
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    let path = url.path().trim_end_matches('/');
    format!("{}://{}{port}{path}", url.scheme(), url.host_str().unwrap_or_default())
}

impl Outbound {
    /// Requests within `reach`, never to the API server at the URL `api`. With `quotes`, answers may be repeated to
    /// people.
    pub(crate) fn new(outbound: OutboundPolicy, api: Option<&str>, quotes: bool) -> Self {
        Self::with_lookup(outbound, api, quotes, Arc::new(System))
    }

    /// Requests to servers that only the operator's own environment names, e.g. the metadata service of its cloud:
    /// wherever they are, and nothing they say is repeated.
    pub(crate) fn own() -> Self {
        let networks = vec![Ipv4Net::default().into(), Ipv6Net::default().into()];
        Self::new(OutboundPolicy { networks, ..OutboundPolicy::default() }, None, false)
    }

    /// As [`new`](Self::new), with another way from names to addresses.
    pub(crate) fn with_lookup(
        outbound: OutboundPolicy,
        api: Option<&str>,
        quotes: bool,
        lookup: Arc<dyn Lookup>,
    ) -> Self {
        let api = api.and_then(|url| Url::parse(url).ok()).and_then(|url| host_of(&url));
        let guard = Arc::new(Guard { outbound, api, lookup });
        let large = Shares::new(LARGE_ANSWERS, LARGE_OF_ONE);
        Self(Arc::new(Inner { guard, quotes, clients: Clients::default(), large }))
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// There is none. Every status is an answer.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, NetError> {
        let guard = &self.0.guard;
        for url in std::iter::once(&request.url).chain(&request.proxy) {
            guard.outbound.admits(url)?;
            // a URL with an address in it is connected to without asking the resolver
            let literal = url.host_str().and_then(|h| h.trim_matches(['[', ']']).parse::<IpAddr>().ok());
            if let (false, Some(ip)) = (guard.outbound.is_named(url), literal) {
                guard.admits(&ip.to_string(), &[ip]).await?;
            }
        }
        // whose name is resolved here
        let asked = request.proxy.as_ref().unwrap_or(&request.url);
        let guarded = !guard.outbound.is_named(asked);
        let kind = Kind { guarded, tls: request.tls, proxy: request.proxy };
        let client = self.0.clients.get(&request.tenant, kind, guard)?;
        let mut sending =
            client.request(request.method, request.url).headers(request.headers).timeout(request.timeout);
        if let Some((user, password)) = request.login {
            sending = sending.basic_auth(user, Some(password));
        }
        if let Some(body) = request.body {
            sending = sending.body(body);
        }
        let failed = |error| failure(error, request.timeout);
        let late = |_| NetError::TimedOut(request.timeout);
        let answered = async { self.read(sending.send().await?, &request.tenant, request.limit).await };
        // a server may have answered, and others' answers be in the way
        timeout(request.timeout, answered).await.map_err(late)?.map_err(failed)
    }

    async fn read(
        &self,
        mut response: Response,
        tenant: &str,
        limit: usize,
    ) -> Result<Answer, reqwest::Error> {
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map(str::to_owned);
        let (mut body, mut cut) = (Vec::new(), false);
        let mut held = None;
        while let Some(chunk) = response.chunk().await? {
            if held.is_none() && body.len() + chunk.len() > SMALL {
                held = self.0.large.take(tenant).await;
            }
            let room = limit - body.len();
            body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            cut = chunk.len() > room;
            if cut {
                break;
            }
        }
        Ok(Answer { status, body, cut, retry_after, held })
    }

    /// The beginning of what a server said, for people: on one line, without control characters, at most 1 KiB.
    /// Empty where the operator does not want answers to be repeated.
    pub(crate) fn quote(&self, body: &[u8]) -> String {
        if self.0.quotes { quoted(body) } else { String::new() }
    }
}

fn failure(error: reqwest::Error, timeout: Duration) -> NetError {
    let error = error.without_url();
    if let Some(refused) = chain(&error).find_map(|cause| cause.downcast_ref::<Refused>()) {
        return NetError::Refused(refused.clone());
    }
    if error.is_timeout() { NetError::TimedOut(timeout) } else { NetError::Unreachable(error) }
}

/// On one line, without control characters, cut on a character boundary.
fn quoted(body: &[u8]) -> String {
    let said = String::from_utf8_lossy(body.get(..4 * QUOTED).unwrap_or(body));
    let words = said.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    text::first_bytes(&line, QUOTED).to_owned()
}

#[cfg(test)]
mod tests;
