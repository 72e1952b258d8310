//! What a user wants from a Canary, and the resulting decision.

use std::time::Duration;

use serin::api::request::Request;

use crate::{command::asking::Asking, failure::Failure};

/// The subject of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
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
    /// The verb of this name; `abort` is no failure where nothing runs only if that is said.
    pub(crate) fn named(word: &str) -> Option<Self> {
        let all = [
            Self::Approve,
            Self::Promote,
            Self::Abort { if_running: false },
            Self::Retry,
            Self::Pause,
            Self::Resume,
            Self::Advance,
            Self::Finish,
        ];
        all.into_iter().find(|verb| verb.word() == word)
    }

    pub(crate) fn word(self) -> &'static str {
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
pub(crate) struct Wish<'a> {
    pub(crate) verb: Verb,
    pub(crate) gate: Option<&'a str>,
    pub(crate) lasts: Option<Duration>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) by: &'a str,
}

impl<'a> Wish<'a> {
    pub(crate) fn of(verb: Verb, asking: &'a Asking) -> Self {
        let by = asking.by.as_deref().unwrap_or_default();
        Self { verb, gate: None, lasts: None, reason: asking.reason.as_deref(), by }
    }
}

/// What to do, given the current state of the Canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// This is asked for.
    Ask(Box<Request>),
    /// There is nothing to do, and that is fine.
    Nothing(String),
    /// The request does not fit the current state.
    Refuse(Failure),
}
