#![allow(clippy::disallowed_methods, reason = "this module waits a little before it tries a webhook again")]
//! I/O leaf. Calls of users' webhooks, limited in time and size.
//!
//! Owns what counts as a yes, and retries. `plan` decides which hook is called when, and what an answer means for
//! a run.

use std::time::Duration;

use reqwest::Url;
use tokio::time::{sleep, timeout};

use crate::{
    names,
    net::{self, NetError, Outbound, Tls, address, shown},
    plan::Call,
    snapshot::Denial,
};

/// Most bytes of an answer that are read.
const LARGEST: usize = 64 * 1024;

/// More retries than anyone would wait for.
const MOST_RETRIES: u32 = 20;
/// Time limit of one call with all its tries.
const LONGEST: Duration = Duration::from_secs(3600);
/// Longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Calls any number of hooks.
#[derive(Clone)]
pub(crate) struct Webhooks(Outbound);

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Called {
    /// Yes, or why not.
    pub answer: Result<(), Refused>,
    /// The number of attempts.
    pub tries: u32,
    /// HTTP status of the last try, if that was answered.
    pub status: Option<u16>,
}

/// Why a call was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// In words.
    pub refusal: Denial,
    /// The webhook has answered, and refused.
    pub answered: bool,
}

/// The result of one try.
enum Try {
    Yes,
    No(Denial),
    /// No answer, or one that asks to try again.
    Later(Denial),
}

impl Webhooks {
    /// Through this way out.
    pub(crate) fn new(http: Outbound) -> Self {
        Self(http)
    }

    /// Posts for a Canary of `namespace`; a status of at most 202 is a yes.
    pub(crate) async fn call(&self, namespace: &str, call: &Call) -> Called {
        let (mut tries, mut status) = (0, None);
        let made = timeout(LONGEST, self.tries(namespace, call, &mut tries, &mut status)).await;
        let answer = made.unwrap_or_else(|_| {
            let why = format!("no answer within {} s", LONGEST.as_secs());
            Err(Refused { refusal: Denial::plain(why), answered: false })
        });
        Called { answer, tries, status }
    }

    async fn tries(
        &self,
        namespace: &str,
        call: &Call,
        tries: &mut u32,
        status: &mut Option<u16>,
    ) -> Result<(), Refused> {
        let refused = |refusal, answered| Err(Refused { refusal, answered });
        let url = match address(&call.url) {
            Ok(url) => url,
            Err(error) => return refused(Denial::plain(error.to_string()), false),
        };
        let mut pause = Duration::from_secs(1);
        loop {
            *tries += 1;
            *status = None;
            match self.once(namespace, &url, call, status).await {
                Try::Yes => return Ok(()),
                Try::No(refusal) => return refused(refusal, true),
                Try::Later(last) if *tries > call.retries.min(MOST_RETRIES) => {
                    let over = format!("giving up after {tries} attempt(s)");
                    let why = format!("{over}: {}", last.why);
                    let quote = format!("POST {} {over}: {}", shown(&url), last.quote);
                    return refused(Denial { why, quote }, false);
                }
                Try::Later(_) => {}
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn once(&self, namespace: &str, url: &Url, call: &Call, status: &mut Option<u16>) -> Try {
        let tls = Tls { any_certificate: call.any_certificate, ca: None };
        let post = net::Request::post(url.clone(), &call.body, call.timeout, LARGEST);
        let namespace = namespace.to_owned();
        let post = post.of(&namespace).header(names::HEADER_REQUEST_ID, &call.id);
        let post = net::Request { namespace, tls, ..post };
        let answer = match self.0.send(post).await {
            Ok(answer) => answer,
            Err(error @ (NetError::Refused(_) | NetError::Setup(_))) => {
                return Try::No(Denial::plain(error.to_string()));
            }
            Err(error) => return Try::Later(Denial::plain(error.to_string())),
        };
        *status = Some(answer.status);
        let (why, body) = (format!("status {}", answer.status), answer.quote(&answer.body));
        match answer.status {
            0..=202 => Try::Yes,
            429 | 500 | 502..=599 => Try::Later(Denial { quote: format!("{why}: {body}"), why }),
            _ if body.is_empty() => Try::No(Denial::plain(why)),
            _ => Try::No(Denial { why, quote: body }),
        }
    }
}
