//! What somebody wants of a Canary, and what comes of it.

use std::time::Duration;

use serin::api::request::Request;

use crate::{command::asking::Asking, failure::Failure};

/// What the command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Approve,
    Promote,
    Abort { if_running: bool },
    Retry,
    Pause,
    Resume,
    Advance,
    Finish,
}

impl Verb {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Promote => "promote",
            Self::Abort { .. } => "abort",
            Self::Retry => "retry",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Advance => "advance",
            Self::Finish => "finish",
        }
    }
}

/// What somebody wants.
#[derive(Clone, Debug)]
pub(super) struct Wish<'a> {
    pub(super) verb: Verb,
    pub(super) gate: Option<&'a str>,
    pub(super) lasts: Option<Duration>,
    pub(super) reason: Option<&'a str>,
    pub(super) by: &'a str,
}

impl<'a> Wish<'a> {
    pub(super) fn of(verb: Verb, asking: &'a Asking) -> Self {
        let by = asking.by.as_deref().unwrap_or_default();
        Self { verb, gate: None, lasts: None, reason: asking.reason.as_deref(), by }
    }
}

/// What is to be done about a Canary as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// This is asked for.
    Ask(Box<Request>),
    /// Nothing is to be done, and that is well.
    Nothing(String),
    /// It does not fit the moment.
    Refuse(Failure),
}
