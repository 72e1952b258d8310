//! Messages of a plan to people: Events, log lines and alerts are renderings of notes. The texts are in `messages`.

use serde::Serialize;

use crate::{
    analysis::Assessment,
    api::{CanaryStatus, Phase},
    names,
};

/// The severity of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Severity {
    /// As it should be.
    Normal,
    /// Somebody may have to look.
    Warning,
}

/// The urgency of an alert, rising.
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

/// The alert of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// How urgent it is.
    pub urgency: Urgency,
    /// The sentence.
    pub message: String,
    /// With facts about the Canary.
    pub details: bool,
    /// Sent at each step of a run, and not only once per run.
    pub each_step: bool,
}

impl Alert {
    /// The key under which the alert is sent once in a run. One about a wait is sent once per wait: a run may wait at one
    /// step repeatedly, and revisions may wait for their runs one after the other.
    pub fn once(&self, reason: &str, status: &CanaryStatus) -> String {
        if !self.each_step {
            return reason.to_owned();
        }
        let index = status.step.as_ref().map_or(0, |step| step.index);
        let since = status.waiting.as_ref().map_or(0, |waiting| waiting.since.0.as_microsecond());
        format!("{reason}/{index}-{:08x}", names::checksum(&format!("{since} {}", self.message)) as u32)
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

/// One message about a Canary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// CamelCase, from a fixed set.
    pub reason: &'static str,
    /// Its severity.
    pub severity: Severity,
    /// The sentence.
    pub message: String,
    /// Also sent as an alert.
    #[serde(skip)]
    pub alert: Option<Alert>,
    /// The sentence in Flagger's form if that quotes a server's answer: for Events, not for logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// The phase at the time of the message.
    #[serde(skip)]
    pub phase: Phase,
}

impl Note {
    fn new(reason: &'static str, severity: Severity, message: String) -> Self {
        Self { reason, severity, message, alert: None, quote: None, phase: Phase::Unset }
    }

    /// The text for Events.
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

    /// Also sent as an alert, with this text.
    #[must_use]
    pub fn alerting(self, urgency: Urgency, message: impl Into<String>) -> Self {
        Self {
            alert: Some(Alert { urgency, message: message.into(), details: false, each_step: false }),
            ..self
        }
    }

    /// Also sent as an alert, with the same text.
    #[must_use]
    pub fn aloud(self, urgency: Urgency) -> Self {
        let message = self.message.clone();
        self.alerting(urgency, message)
    }

    /// The alert is sent at each step, because it is about what the run waits for there.
    #[must_use]
    pub(crate) fn at_each_step(mut self) -> Self {
        if let Some(alert) = &mut self.alert {
            alert.each_step = true;
        }
        self
    }

    /// The alert contains facts about the Canary.
    #[must_use]
    pub(crate) fn detailed(mut self) -> Self {
        if let Some(alert) = &mut self.alert {
            alert.details = true;
        }
        self
    }
}

/// Why the result is unknown.
pub(crate) struct Broken {
    /// In our own words.
    pub(crate) text: String,
    /// With the server's words, for Events only.
    quote: Option<String>,
}

impl From<&Assessment> for Broken {
    fn from(found: &Assessment) -> Self {
        Self { text: found.text.clone(), quote: found.quote.clone() }
    }
}

impl Broken {
    /// Also sent as an alert.
    pub(crate) fn note(&self, reason: &'static str, before: &str) -> Note {
        let quote = self.quote.as_ref().map(|quote| format!("{before}{quote}"));
        Note { quote, ..Note::warning(reason, format!("{before}{}", self.text)) }.aloud(Urgency::Warn)
    }
}
