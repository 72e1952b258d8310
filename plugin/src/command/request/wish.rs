//! What a user wants from a Canary, and the resulting decision.

use std::time::Duration;

use serin::api::request::Request;

use crate::{command::asking::Asking, failure::Failure};

/// The subject of the command.
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

/// What a user wants.
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

/// What to do, given the current state of the Canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Send this request.
    Ask(Box<Request>),
    /// There is nothing to do, and that is fine.
    Nothing(String),
    /// The request does not fit the current state.
    Refuse(Failure),
}
