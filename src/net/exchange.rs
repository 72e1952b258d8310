//! One request, its answer, and the texts for failures.

use std::{error::Error, fmt, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::Url;

use super::shares::Share;
use crate::{outbound::Refused, text};

/// Most bytes of an answer that are repeated to people.
const QUOTED: usize = 1024;

/// A URL to request.
///
/// # Errors
/// It is not an `http` or `https` URL.
pub(crate) fn address(text: &str) -> Result<Url, NetError> {
    let url = Url::parse(text.trim()).ok();
    url.filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host()).ok_or(NetError::Address)
}

/// A URL for people: without credentials and query, which may contain secrets.
pub(crate) fn shown(url: &Url) -> String {
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    let path = url.path().trim_end_matches('/');
    format!("{}://{}{port}{path}", url.scheme(), url.host_str().unwrap_or_default())
}

/// Which certificates are accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tls {
    /// Any.
    pub any_certificate: bool,
    /// In addition to the system's: PEM certificates.
    pub ca: Option<Vec<u8>>,
}

/// One request.
#[derive(Clone)]
pub(crate) struct Request {
    /// The namespace that it is made for; empty for the operator's own.
    pub tenant: String,
    /// Namespace of the object that names the server; empty for the operator's own.
    pub namespace: String,
    /// It contains a secret, besides those of URL and login: nothing of the answer is repeated, because it may contain
    /// it in any form.
    pub confidential: bool,
    /// The method.
    pub method: Method,
    /// The URL, from [`address`]. Credentials in it are sent as basic authentication.
    pub url: Url,
    /// In addition to the user agent.
    pub headers: HeaderMap,
    /// User and password, for an `Authorization` of the kind `Basic`.
    pub login: Option<(String, String)>,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// From looking up the name to the last byte.
    pub timeout: Duration,
    /// Most bytes of the answer that are read.
    pub limit: usize,
    /// Which certificates are accepted.
    pub tls: Tls,
    /// An HTTP proxy: it is subject to the same rules, and resolves the name of the URL.
    pub proxy: Option<Url>,
}

/// Without parts that may be secrets: credentials and query of the address, headers, login, body and certificates.
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
        Self {
            tenant: String::new(),
            namespace: String::new(),
            confidential: false,
            method,
            url,
            headers,
            login: None,
            body: None,
            timeout,
            limit,
            tls,
            proxy: None,
        }
    }

    /// A POST of JSON.
    pub(crate) fn post(url: Url, json: &serde_json::Value, timeout: Duration, limit: usize) -> Self {
        let body = Some(json.to_string().into_bytes());
        let posted = Self { method: Method::POST, body, ..Self::get(url, timeout, limit) };
        posted.header("content-type", "application/json")
    }

    /// Makes it for this namespace.
    #[must_use]
    pub(crate) fn of(self, tenant: &str) -> Self {
        Self { tenant: tenant.to_owned(), ..self }
    }

    /// A secret is sent with it.
    pub(super) fn is_confidential(&self) -> bool {
        let in_url = !self.url.username().is_empty() || self.url.password().is_some();
        self.confidential || self.login.is_some() || in_url
    }

    /// Adds a header; one that cannot be sent is omitted. The value is marked as a secret.
    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(mut value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            value.set_sensitive(true);
            self.headers.append(name, value);
        }
        self
    }
}

/// A server's answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body, or its beginning.
    pub body: Vec<u8>,
    /// It is longer than the limit allows.
    pub cut: bool,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// Parts of it may be repeated to people.
    pub quotable: bool,
    /// The share of the memory for answers that the body uses.
    pub held: Option<Share>,
}

impl Answer {
    /// A part of it for people: the beginning, on one line, without control characters, at most 1 KiB. Empty if nothing
    /// may be repeated.
    pub(crate) fn quote(&self, part: &[u8]) -> String {
        if self.quotable { quoted(part) } else { String::new() }
    }
}

/// Why there is no answer. No text contains credentials or a server's words.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetError {
    /// Not an `http` or `https` URL.
    #[error("it is no http or https URL")]
    Address,
    /// Not allowed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The CA is not PEM.
    #[error("the CA holds no PEM certificate")]
    Authority,
    /// No HTTP client could be created, e.g. because there is no crypto provider.
    #[error("setting up the HTTP client: {}", causes(.0))]
    Setup(#[source] reqwest::Error),
    /// No connection, or one that broke.
    #[error("{}", causes(.0))]
    Unreachable(#[source] reqwest::Error),
    /// The same, if people may not see more: the way it fails would show what exists there.
    #[error("no connection, or one that broke")]
    Unconnected,
    /// No complete answer in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
}

impl NetError {
    /// Another try may succeed.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Unconnected | Self::TimedOut(_))
    }
}

/// An error with all its causes.
pub(super) fn causes(error: &reqwest::Error) -> String {
    chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

pub(super) fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |&cause| cause.source())
}

/// On one line, without control characters, cut on a character boundary.
pub(crate) fn quoted(body: &[u8]) -> String {
    let said = String::from_utf8_lossy(body.get(..4 * QUOTED).unwrap_or(body));
    let words = said.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    text::first_bytes(&line, QUOTED).to_owned()
}
