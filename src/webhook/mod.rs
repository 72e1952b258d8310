#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this module calls users' webhooks over HTTP, and waits a little before it tries again"
)]
//! I/O leaf. Calls of users' webhooks, bounded in time and size.
//!
//! Owns the HTTP clients and what counts as a yes. No redirects and no proxy from the environment. Which hook is called
//! when, and what an answer means for a run, is decided in `plan`.

use std::time::Duration;

use reqwest::{Client, Response, Url, redirect};
use serde_json::Value;
use tokio::time::{sleep, timeout};

/// Most bytes of an answer that are read.
const LARGEST: usize = 64 * 1024;
/// Most characters of an answer that are repeated to people.
const QUOTED: usize = 256;

/// A Canary whose webhook is tried again and again would hear of nothing else meanwhile.
const MOST_RETRIES: u32 = 3;

/// Clients for any number of hooks.
#[derive(Clone, Debug)]
pub struct Webhooks {
    careful: Client,
    trusting: Client,
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Where to; `http` or `https`.
    pub url: &'a str,
    /// What is posted, as JSON.
    pub body: &'a Value,
    /// Time for each try, from connecting to the last byte.
    pub timeout: Duration,
    /// How often a try that got no answer, or one of 5xx or 429, is made again: at most [`MOST_RETRIES`].
    pub retries: u32,
    /// Take any TLS certificate.
    pub any_certificate: bool,
}

/// What one try came to.
enum Try {
    Yes,
    No(String),
    /// No answer, or one that says to try again.
    Later(String),
}

impl Webhooks {
    /// # Errors
    /// No HTTP client could be made.
    pub fn new() -> Result<Self, reqwest::Error> {
        let builder = || {
            Client::builder()
                .redirect(redirect::Policy::none())
                .no_proxy()
                .user_agent(concat!("serin/", env!("CARGO_PKG_VERSION")))
        };
        // as for Prometheus: a system without any CA certificates can still speak plain HTTP
        let careful = builder().build().or_else(|_| builder().tls_certs_only([]).build())?;
        Ok(Self { careful, trusting: builder().tls_danger_accept_invalid_certs(true).build()? })
    }

    /// Posts; a status of at most 202 is a yes. Err: why not, in the words of the hook where it has some.
    pub async fn call(&self, request: Request<'_>) -> Result<(), String> {
        let url = address(request.url)?;
        let mut pause = Duration::from_secs(1);
        let mut tries = 1;
        loop {
            match self.once(&url, request).await {
                Try::Yes => return Ok(()),
                Try::No(why) => return Err(why),
                Try::Later(why) if tries > request.retries.min(MOST_RETRIES) => {
                    return Err(format!("POST {} giving up after {tries} attempt(s): {why}", shown(&url)));
                }
                Try::Later(_) => {}
            }
            sleep(pause).await;
            pause *= 2;
            tries += 1;
        }
    }

    async fn once(&self, url: &Url, request: Request<'_>) -> Try {
        let client = if request.any_certificate { &self.trusting } else { &self.careful };
        let exchange = async {
            let sent = client.post(url.clone()).json(request.body).send().await;
            let response = sent.map_err(|e| Try::Later(without_url(e)))?;
            let status = response.status().as_u16();
            let body = text(response).await;
            Ok(match status {
                0..=202 => Try::Yes,
                429 | 500 | 502..=599 => Try::Later(format!("status {status}: {body}")),
                _ if body.is_empty() => Try::No(format!("status {status}")),
                _ => Try::No(body),
            })
        };
        match timeout(request.timeout, exchange).await {
            Ok(Ok(done) | Err(done)) => done,
            Err(_) => Try::Later(format!("no answer within {} s", request.timeout.as_secs_f64())),
        }
    }
}

/// # Errors
/// It is no `http` or `https` URL: in words.
pub fn address(url: &str) -> Result<Url, String> {
    let parsed =
        Url::parse(url.trim()).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
    parsed.ok_or_else(|| "it is no http or https URL".to_owned())
}

/// A URL for people: without credentials and query, in which there may be some.
fn shown(url: &Url) -> String {
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

fn without_url(error: reqwest::Error) -> String {
    let error = error.without_url();
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// The beginning of an answer, on one line and without control characters.
async fn text(mut response: Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            break;
        }
    }
    let all = String::from_utf8_lossy(&body);
    let words = all.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.take(QUOTED).collect::<Vec<_>>().join(" ").chars().take(QUOTED).collect()
}
