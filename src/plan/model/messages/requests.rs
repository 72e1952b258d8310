//! Texts about requests, and about their effects on a run.

use jiff::Timestamp;

use super::Messages;
use crate::plan::model::note::{Note, Urgency};

impl Messages {
    pub(crate) fn request_accepted(id: &str, verb: &str, by: &str) -> Note {
        Note::normal("RequestAccepted", format!("Request {id} ({verb}) is carried out{}", after(by)))
    }
    pub(crate) fn request_refused(id: &str, why: &str) -> Note {
        Note::warning("RequestRefused", format!("Request {id} is refused: {why}"))
    }
    pub(crate) fn paused(&self, by: &str, until: Option<Timestamp>) -> Note {
        let (canary, until) = (self.canary(), Self::until(until));
        let text =
            format!("Holding {canary} at its weight {until}{}: what fails still ends the run", after(by));
        Note::normal("RunPaused", text).aloud(Urgency::Warn).at_each_step()
    }
    pub(crate) fn until(until: Option<Timestamp>) -> String {
        until.map_or_else(|| "until asked".to_owned(), |at| format!("until {at:.0} or asked"))
    }
    pub(crate) fn run_resumed(&self, by: &str) -> Note {
        Note::normal("RunResumed", format!("{} is no longer held{}", self.canary(), after(by)))
            .aloud(Urgency::Info)
            .at_each_step()
    }
    pub(crate) fn shortened(&self, step: i32, by: &str) -> Note {
        let text = format!("Step {step} of {} ends now if its checks pass{}", self.canary(), after(by));
        Note::normal("StepShortened", text)
    }
    pub(crate) fn finish_wanted(&self, how: &str) -> Note {
        Note::warning("FinishRequested", format!("{} is {how}", self.canary())).aloud(Urgency::Warn)
    }
    /// `begins`: a revision waits to begin.
    pub(crate) fn held_by_rule(&self, reason: &'static str, why: &str, begins: bool) -> Note {
        let what = if begins { "has a new revision, which waits" } else { "rises no further" };
        Note::normal(reason, format!("{} {what}: {why}", self.canary()))
    }
    pub(crate) fn goes_back_in(&self, how: &str) -> Note {
        Note::normal("RollbackWindow", format!("{} is {how}", self.canary())).aloud(Urgency::Info)
    }
}

fn after(by: &str) -> String {
    if by.is_empty() { String::new() } else { format!(", {by}") }
}
