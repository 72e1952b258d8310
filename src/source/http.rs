#![allow(clippy::disallowed_types, reason = "this module asks metrics servers over HTTP")]
//! Questions over HTTP, bounded in time and size: what all sources that speak it share.
//!
//! Owns the HTTP clients and which status means what. No redirects, no proxy from the environment, no retries: `plan`
//! freezes and asks again.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{
    Certificate, Client, Method, Response, Url,
    header::{ACCEPT, HeaderMap, HeaderName, HeaderValue},
    redirect,
};
use serde::de::DeserializeOwned;

use super::{Ask, SourceError};

/// Time for one question, from connecting to the last byte; Flagger's.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes of an answer that are read: thousands of series, where a check needs one.
pub const LARGEST: usize = 1024 * 1024;
/// Most characters of an answer that are repeated to people.
pub const QUOTED: usize = 512;
/// The key of a Secret under which the certificates of a server's own authority lie, in PEM form.
pub const CA_KEY: &str = "ca.crt";
/// Most clients that are kept for servers with an authority of their own.
const CLIENTS: usize = 64;

/// Whom a client trusts: any certificate at all, or an authority beside the public ones.
type Trust = (bool, Option<Vec<u8>>);

/// Clients for any number of servers.
#[derive(Clone, Debug)]
pub struct Http {
    timeout: Duration,
    clients: Arc<Mutex<BTreeMap<Trust, Client>>>,
}

/// One request.
#[derive(Debug)]
pub struct Call {
    /// GET unless there is something to send.
    pub method: Method,
    /// The whole address, query included.
    pub url: Url,
    /// Headers sent along.
    pub headers: HeaderMap,
    /// User and password, for an `Authorization` of the kind `Basic`.
    pub login: Option<(String, String)>,
    /// What is sent.
    pub body: Option<Vec<u8>>,
    /// Time for the whole exchange, as a multiple of the usual.
    pub patience: u32,
}

impl Call {
    /// Gets this.
    pub fn get(url: Url) -> Self {
        let headers = [(ACCEPT, HeaderValue::from_static("application/json"))].into_iter().collect();
        Self { method: Method::GET, url, headers, login: None, body: None, patience: 1 }
    }

    /// Posts this.
    pub fn post(url: Url, body: Vec<u8>) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(url) }
    }

    /// With a header, in the place of another of that name. Its value is never logged.
    ///
    /// # Errors
    /// The value cannot stand in a header.
    pub fn header(mut self, name: &'static str, value: &str) -> Result<Self, SourceError> {
        self.headers.remove(name);
        self.add(name, value)?;
        Ok(self)
    }

    /// With the headers that the MetricTemplate gives.
    ///
    /// # Errors
    /// One of them cannot be sent.
    pub fn given(mut self, ask: &Ask<'_>) -> Result<Self, SourceError> {
        for (name, values) in ask.headers {
            self.headers.remove(name);
            for value in values {
                self.add(name, value)?;
            }
        }
        Ok(self)
    }

    /// With what the Secret says who asks: `token`, or else `username` and `password`. One that holds nothing but an
    /// authority's certificates says nothing.
    ///
    /// # Errors
    /// The Secret holds neither.
    pub fn authorized(self, ask: &Ask<'_>) -> Result<Self, SourceError> {
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

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// Who answered, without credentials.
    pub server: String,
    /// HTTP status.
    pub status: u16,
    /// At most [`LARGEST`] bytes.
    pub body: Vec<u8>,
}

impl Http {
    /// Clients that give up on a question after `timeout`. A crypto provider must have been installed.
    pub fn new(timeout: Duration) -> Self {
        Self { timeout, clients: Arc::default() }
    }

    /// The answer to a request, whatever its status.
    ///
    /// # Errors
    /// No whole answer.
    pub async fn send(&self, ask: &Ask<'_>, call: Call) -> Result<Reply, SourceError> {
        let server = address(ask.address, "").map_or_else(|_| shown(&call.url), |base| shown(&base));
        let client = self.client(ask)?;
        let limit = self.timeout * call.patience;
        let transport = |error| transport(&server, limit, error);
        let mut request = client.request(call.method, call.url).headers(call.headers).timeout(limit);
        if let Some((user, password)) = call.login {
            request = request.basic_auth(user, Some(password));
        }
        if let Some(body) = call.body {
            request = request.body(body);
        }
        let response = request.send().await.map_err(transport)?;
        let status = response.status().as_u16();
        let body = body(response, &server, transport).await?;
        Ok(Reply { server, status, body })
    }

    /// The body of an answer with a status of success.
    ///
    /// # Errors
    /// No whole answer, or another status; `complaint` finds the server's own words in it.
    pub async fn ok(
        &self,
        ask: &Ask<'_>,
        call: Call,
        complaint: fn(&[u8]) -> Option<String>,
    ) -> Result<Reply, SourceError> {
        self.send(ask, call).await?.successful(complaint)
    }

    fn client(&self, ask: &Ask<'_>) -> Result<Client, SourceError> {
        let ca = ask.credentials.find(CA_KEY).map(|pem| pem.as_bytes().to_vec());
        let trust = (ask.any_certificate, ca);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&trust) {
            return Ok(client.clone());
        }
        let client = build(&trust, ask)?;
        // authorities that have been replaced
        if clients.len() >= CLIENTS {
            clients.clear();
        }
        clients.insert(trust, client.clone());
        Ok(client)
    }
}

/// On a system without any CA certificates, only plain HTTP works.
fn build((any, ca): &Trust, ask: &Ask<'_>) -> Result<Client, SourceError> {
    let mut own = vec![];
    if let Some(pem) = ca {
        own = Certificate::from_pem_bundle(pem).unwrap_or_default();
        if own.is_empty() {
            return Err(ask.credentials.lacks(&format!("usable PEM certificates under {CA_KEY}")));
        }
    }
    let builder = || {
        Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("serin/", env!("CARGO_PKG_VERSION")))
            .tls_danger_accept_invalid_certs(*any)
    };
    let with = builder().tls_certs_merge(own.clone()).build();
    with.or_else(|_| builder().tls_certs_only(own).build()).map_err(|source| SourceError::Client { source })
}

async fn body(
    mut response: Response,
    server: &str,
    transport: impl Fn(reqwest::Error) -> SourceError,
) -> Result<Vec<u8>, SourceError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(&transport)? {
        if body.len() + chunk.len() > LARGEST {
            return Err(SourceError::TooLarge { server: server.to_owned(), limit: LARGEST });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn transport(server: &str, limit: Duration, error: reqwest::Error) -> SourceError {
    let server = server.to_owned();
    if error.is_timeout() {
        SourceError::TimedOut { server, seconds: limit.as_secs_f64() }
    } else {
        SourceError::Unreachable { server, source: error.without_url() }
    }
}

impl Reply {
    /// Itself, if its status is one of success. `complaint` finds the server's own words in it.
    ///
    /// # Errors
    /// Another status: 400 and 422 are for the query, all others for the server.
    pub fn successful(self, complaint: fn(&[u8]) -> Option<String>) -> Result<Self, SourceError> {
        let message = || {
            let said = complaint(&self.body);
            quoted(&said.unwrap_or_else(|| String::from_utf8_lossy(&self.body).into_owned()))
        };
        match self.status {
            200..=299 => Ok(self),
            status @ (400 | 422) => {
                Err(SourceError::Rejected { message: message(), server: self.server, status })
            }
            status => Err(SourceError::Unavailable { message: message(), server: self.server, status }),
        }
    }

    /// The body as JSON of this form.
    ///
    /// # Errors
    /// It is none.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, SourceError> {
        serde_json::from_slice(&self.body).map_err(|e| self.nonsense(&e))
    }

    /// The error for a body that is not what such a server answers.
    pub fn nonsense(&self, error: &dyn Error) -> SourceError {
        let said = quoted(&String::from_utf8_lossy(self.body.get(..4 * QUOTED).unwrap_or(&self.body)));
        self.odd(&format!("{error} in {said}"))
    }

    /// The same, in words.
    pub fn odd(&self, message: &str) -> SourceError {
        SourceError::Undecodable { server: self.server.clone(), message: quoted(message) }
    }
}

/// The address of a server with a path behind it.
///
/// # Errors
/// It is no `http` or `https` URL.
pub fn address(server: &str, path: &str) -> Result<Url, SourceError> {
    let url =
        Url::parse(server.trim()).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
    let mut url = url.ok_or_else(|| {
        // What cannot be parsed may still hold a password before its last `@`.
        let server = server.rsplit_once('@').map_or(server, |(_, host)| host);
        SourceError::Address { server: quoted(server) }
    })?;
    if !path.is_empty() {
        let path = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    Ok(url)
}

/// An address for people: without credentials, which also may stand in the URL's query.
pub fn shown(url: &Url) -> String {
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    let path = url.path().trim_end_matches('/');
    format!("{}://{}{port}{path}", url.scheme(), url.host_str().unwrap_or_default())
}

/// The text under a key of a JSON object.
pub fn complaint_of(body: &[u8], key: &str) -> Option<String> {
    serde_json::from_slice::<serde_json::Value>(body).ok()?.get(key)?.as_str().map(str::to_owned)
}

/// On one line, without control characters, cut to what people can be shown.
pub fn quoted(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.take(QUOTED).collect::<Vec<_>>().join(" ");
    line.chars().take(QUOTED).collect()
}

/// White space within a query as single spaces, as Flagger sends it.
pub fn on_one_line(query: &str) -> String {
    query.split_whitespace().collect::<Vec<_>>().join(" ")
}
