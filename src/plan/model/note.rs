//! What a plan says to people: Events, log lines and alerts are renderings of notes. The texts are in `messages`.

use serde::Serialize;

use crate::{analysis::Assessment, api::Phase};

/// How loud a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Severity {
    /// As it should be.
    Normal,
    /// Somebody may have to look.
    Warning,
}

/// How much an alert may disturb people, rising.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    /// It is good to know.
    Info,
    /// Somebody may have to do something.
    Warn,
    /// A release has failed.
    Error,
}

/// What people who are not looking are sent of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// How urgent it is.
    pub urgency: Urgency,
    /// The sentence.
    pub message: String,
    /// With facts about the Canary.
    pub details: bool,
    /// News at each step of a run, and not only once in it.
    pub each_step: bool,
}

impl Alert {
    /// What is sent once of a run that stands at step `index`.
    pub fn once(&self, reason: &str, index: i32) -> String {
        if self.each_step { format!("{reason}/{index}") } else { reason.to_owned() }
    }
}

impl Severity {
    /// The type of an Event.
    pub fn word(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// One thing to say about a Canary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// CamelCase, from a fixed set.
    pub reason: &'static str,
    /// How loud.
    pub severity: Severity,
    /// The sentence.
    pub message: String,
    /// Sent to people as well.
    #[serde(skip)]
    pub alert: Option<Alert>,
    /// The sentence as Flagger has it where that quotes an answer from outside: for Events, not for logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// The phase in which it is said.
    #[serde(skip)]
    pub phase: Phase,
}

impl Note {
    fn new(reason: &'static str, severity: Severity, message: String) -> Self {
        Self { reason, severity, message, alert: None, quote: None, phase: Phase::Unset }
    }

    /// What Events say.
    pub fn for_events(&self) -> &str {
        self.quote.as_deref().unwrap_or(&self.message)
    }

    /// A note for the record.
    pub fn normal(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(reason, Severity::Normal, message.into())
    }

    /// A note somebody should see.
    pub fn warning(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(reason, Severity::Warning, message.into())
    }

    /// Sent to people as well, in these words.
    #[must_use]
    pub fn alerting(self, urgency: Urgency, message: impl Into<String>) -> Self {
        Self {
            alert: Some(Alert { urgency, message: message.into(), details: false, each_step: false }),
            ..self
        }
    }

    /// Sent to people as well, in the same words.
    #[must_use]
    pub fn aloud(self, urgency: Urgency) -> Self {
        let message = self.message.clone();
        self.alerting(urgency, message)
    }

    /// The alert is news at each step: it is about what the run waits for there.
    #[must_use]
    pub(crate) fn at_each_step(mut self) -> Self {
        if let Some(alert) = &mut self.alert {
            alert.each_step = true;
        }
        self
    }

    /// The alert comes with facts about the Canary.
    #[must_use]
    pub(crate) fn detailed(mut self) -> Self {
        if let Some(alert) = &mut self.alert {
            alert.details = true;
        }
        self
    }
}

/// Why nothing is known.
pub(crate) struct Broken {
    /// In our words.
    pub(crate) text: String,
    /// With the server's in them, for Events only.
    quote: Option<String>,
}

impl From<&Assessment> for Broken {
    fn from(found: &Assessment) -> Self {
        Self { text: found.text.clone(), quote: found.quote.clone() }
    }
}

impl Broken {
    /// Said to people as well.
    pub(crate) fn note(&self, reason: &'static str, before: &str) -> Note {
        let quote = self.quote.as_ref().map(|quote| format!("{before}{quote}"));
        Note { quote, ..Note::warning(reason, format!("{before}{}", self.text)) }.aloud(Urgency::Warn)
    }
}
