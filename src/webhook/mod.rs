#![allow(clippy::disallowed_methods, reason = "this module waits a little before it tries a webhook again")]
//! I/O leaf. Calls of users' webhooks, bounded in time and size.
//!
//! Owns what counts as a yes, and trying again. Which hook is called when, and what an answer means for a run, is decided
//! in `plan`.

use std::time::Duration;

use reqwest::Url;
use serde_json::Value;
use tokio::time::sleep;

use crate::net::{self, Outbound, Tls, address, shown};

/// Most bytes of an answer that are read.
const LARGEST: usize = 64 * 1024;

/// A Canary whose webhook is tried again and again would hear of nothing else meanwhile.
const MOST_RETRIES: u32 = 3;

/// Calls any number of hooks.
#[derive(Clone)]
pub struct Webhooks(Outbound);

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
    /// Through this way out.
    pub fn new(http: Outbound) -> Self {
        Self(http)
    }

    /// Posts; a status of at most 202 is a yes. Err: why not, in the words of the hook where it has some.
    pub async fn call(&self, request: Request<'_>) -> Result<(), String> {
        let url = address(request.url).map_err(|error| error.to_string())?;
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
        let tls = Tls { any_certificate: request.any_certificate, ca: None };
        let post = net::Request::post(url.clone(), request.body, request.timeout, LARGEST);
        let answer = match self.0.send(net::Request { tls, ..post }).await {
            Ok(answer) => answer,
            Err(error @ (net::NetError::Refused(_) | net::NetError::Setup(_))) => {
                return Try::No(error.to_string());
            }
            Err(error) => return Try::Later(error.to_string()),
        };
        let (status, body) = (answer.status, self.0.quote(&answer.body));
        match status {
            0..=202 => Try::Yes,
            429 | 500 | 502..=599 => Try::Later(format!("status {status}: {body}")),
            _ if body.is_empty() => Try::No(format!("status {status}")),
            _ => Try::No(body),
        }
    }
}
