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
use tokio::time::{sleep, timeout};

use crate::{names, plan::Call, snapshot::Refusal};

/// Most bytes of an answer that are read.
const LARGEST: usize = 64 * 1024;
/// Most characters of an answer that are repeated to people.
const QUOTED: usize = 256;

/// More retries than anybody waits for.
const MOST_RETRIES: u32 = 20;
/// One call, with all its tries, may take this long.
const LONGEST: Duration = Duration::from_secs(3600);
/// Longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Clients for any number of hooks.
#[derive(Clone, Debug)]
pub struct Webhooks {
    careful: Client,
    trusting: Client,
}

/// Why a call was no yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// In words.
    pub refusal: Refusal,
    /// The webhook has answered, and said no.
    pub answered: bool,
}

/// What one try came to.
enum Try {
    Yes,
    No(Refusal),
    /// No answer, or one that says to try again.
    Later(Refusal),
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

    /// Posts; a status of at most 202 is a yes.
    ///
    /// # Errors
    /// Why not, in our words and in those of the webhook.
    pub async fn call(&self, call: &Call) -> Result<(), Refused> {
        timeout(LONGEST, self.tries(call)).await.unwrap_or_else(|_| {
            let why = format!("no answer within {} s", LONGEST.as_secs());
            Err(Refused { refusal: Refusal::plain(why), answered: false })
        })
    }

    async fn tries(&self, call: &Call) -> Result<(), Refused> {
        let refused = |refusal, answered| Err(Refused { refusal, answered });
        let url = match address(&call.url) {
            Ok(url) => url,
            Err(why) => return refused(Refusal::plain(why), false),
        };
        let mut pause = Duration::from_secs(1);
        let mut tries = 1;
        loop {
            match self.once(&url, call).await {
                Try::Yes => return Ok(()),
                Try::No(refusal) => return refused(refusal, true),
                Try::Later(last) if tries > call.retries.min(MOST_RETRIES) => {
                    let over = format!("giving up after {tries} attempt(s)");
                    let why = format!("{over}: {}", last.why);
                    let quote = format!("POST {} {over}: {}", shown(&url), last.quote);
                    return refused(Refusal { why, quote }, false);
                }
                Try::Later(_) => {}
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            tries += 1;
        }
    }

    async fn once(&self, url: &Url, call: &Call) -> Try {
        let client = if call.any_certificate { &self.trusting } else { &self.careful };
        let exchange = async {
            let post = client.post(url.clone()).header(names::HEADER_REQUEST_ID, &call.id).json(&call.body);
            let response = post.send().await.map_err(|e| Try::Later(Refusal::plain(without_url(e))))?;
            let status = response.status().as_u16();
            let body = text(response).await;
            let why = format!("status {status}");
            Ok(match status {
                0..=202 => Try::Yes,
                429 | 500 | 502..=599 => Try::Later(Refusal { quote: format!("{why}: {body}"), why }),
                _ if body.is_empty() => Try::No(Refusal::plain(why)),
                _ => Try::No(Refusal { why, quote: body }),
            })
        };
        match timeout(call.timeout, exchange).await {
            Ok(Ok(done) | Err(done)) => done,
            Err(_) => {
                Try::Later(Refusal::plain(format!("no answer within {} s", call.timeout.as_secs_f64())))
            }
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
