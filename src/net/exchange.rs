//! One request, what comes of it, and the words for what does not.

use std::{error::Error, fmt, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::Url;

use super::shares::Share;
use crate::{outbound::Refused, text};

/// Most bytes of an answer that are repeated to people.
const QUOTED: usize = 1024;

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

/// Whose certificates are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tls {
    /// Anybody's.
    pub any_certificate: bool,
    /// Beside the system's: PEM certificates.
    pub ca: Option<Vec<u8>>,
}

/// One request.
#[derive(Clone)]
pub(crate) struct Request {
    /// The namespace for which it is made; empty for the operator's own.
    pub tenant: String,
    /// Namespace of the object that names the server; empty for the operator's own.
    pub namespace: String,
    /// It holds a secret, besides those of URL and login: nothing of the answer is repeated, which may hold it in any form.
    pub confidential: bool,
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

    /// For this namespace.
    #[must_use]
    pub(crate) fn of(self, tenant: &str) -> Self {
        Self { tenant: tenant.to_owned(), ..self }
    }

    /// A secret is sent along.
    pub(super) fn is_confidential(&self) -> bool {
        let in_url = !self.url.username().is_empty() || self.url.password().is_some();
        self.confidential || self.login.is_some() || in_url
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
    /// Something of it may be repeated to people.
    pub quotable: bool,
    /// What the body takes of the memory for answers.
    pub held: Option<Share>,
}

impl Answer {
    /// A part of it for people: the beginning, on one line, without control characters, at most 1 KiB. Empty where nothing may
    /// be repeated.
    pub(crate) fn quote(&self, part: &[u8]) -> String {
        if self.quotable { quoted(part) } else { String::new() }
    }
}

/// Why there is no answer. No text holds credentials or what a server said.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetError {
    /// No `http` or `https` URL.
    #[error("it is no http or https URL")]
    Address,
    /// Not to be asked.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The CA is not PEM.
    #[error("the CA holds no PEM certificate")]
    Authority,
    /// No HTTP client could be made, e.g. for want of a crypto provider.
    #[error("setting up the HTTP client: {}", causes(.0))]
    Setup(#[source] reqwest::Error),
    /// No connection, or one that broke.
    #[error("{}", causes(.0))]
    Unreachable(#[source] reqwest::Error),
    /// The same, where people are not told more: how it fails would tell what is there.
    #[error("no connection, or one that broke")]
    Unconnected,
    /// No whole answer in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
}

impl NetError {
    /// Another try may have an answer.
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
