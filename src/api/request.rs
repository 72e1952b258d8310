//! What people ask of a run by an annotation on its Canary, and the answer in its status. A request carries an id, so
//! that it is answered once; it is never a part of the spec, and the operator does not write the annotation.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{names, text::first_chars};

/// Longest request that is read, in bytes.
const LONGEST: usize = 1024;
/// Longest id.
const LONGEST_ID: usize = 64;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// End the wait before a promotion.
    Promote,
    /// Open the gate at which the run waits: before it begins, after a step, or before the promotion.
    Approve,
    /// End the run and go back.
    Abort,
}

/// Every verb, by the word people write.
const VERBS: [(&str, Verb); 3] =
    [("promote", Verb::Promote), ("approve", Verb::Approve), ("abort", Verb::Abort)];

/// One request. Written without the fields that it does not have: an operator refuses those that it does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Chosen by the client: 1 to 64 letters, digits, `-`, `_`, `.`, `:`. A request of an id that has been answered
    /// does nothing.
    pub id: String,
    /// What is asked for, as written.
    pub verb: String,
    /// Only if this revision is on trial: `status.lastAppliedSpec`, or how it begins (at least 8 characters).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Only if the run is at this step: `status.step.index`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<i32>,
    /// Only if the run waits at the gate of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// Who asks, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl Request {
    /// Reads `{"id": …, "verb": …}`, or `verb/id` for people who type it.
    ///
    /// # Errors
    /// It is neither; the text says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it has more than {LONGEST} bytes"));
        }
        let text = text.trim();
        let request = if text.starts_with('{') {
            serde_json::from_str(text).map_err(|error| format!("it is no JSON of a request: {error}"))?
        } else {
            let (verb, id) = text.split_once('/').ok_or("it is neither JSON nor verb/id, e.g. promote/1")?;
            Self { id: id.into(), verb: verb.into(), revision: None, step: None, gate: None, by: None }
        };
        request.sound()
    }

    fn sound(self) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if self.id.is_empty() || self.id.len() > LONGEST_ID || !self.id.chars().all(fits) {
            return Err(format!("its id is not 1 to {LONGEST_ID} letters, digits, '-', '_', '.', ':'"));
        }
        if self.revision.as_ref().is_some_and(|r| r.len() < 8) {
            return Err("its revision has fewer than 8 characters".into());
        }
        Ok(self)
    }

    /// The verb, if it is one that is known.
    ///
    /// # Errors
    /// It is not; the text lists those that are.
    pub fn known(&self) -> Result<Verb, String> {
        let found = VERBS.iter().find(|(word, _)| *word == self.verb).map(|(_, verb)| *verb);
        let words: Vec<_> = VERBS.iter().map(|(word, _)| *word).collect();
        found
            .ok_or_else(|| format!("there is no verb {:?}: there is {}", self.short_verb(), words.join(", ")))
    }

    /// The verb as written, cut short.
    pub fn short_verb(&self) -> &str {
        first_chars(&self.verb, 40)
    }

    /// The id under which a text that cannot be read is answered.
    pub fn id_of_unreadable(text: &str) -> String {
        format!("unreadable-{:016x}", names::checksum(text))
    }
}

/// What became of a request (annotation `serin.dev/request`).
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestStatus {
    /// Its id; of one that cannot be read, `unreadable-` and a checksum.
    pub id: String,
    /// What was asked for; empty if that cannot be read.
    pub verb: String,
    /// `Accepted` or `Refused`.
    pub answer: Answer,
    /// Who asked, and why it was refused, as a sentence.
    pub message: String,
    /// When it was answered.
    pub at: MicroTime,
}

/// The answer to a request.
#[derive(JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// It is done.
    Accepted,
    /// It is not, and will not be.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let short = Request::parse(" promote/7-a.b ").unwrap();
        assert_eq!((short.id.as_str(), short.known()), ("7-a.b", Ok(Verb::Promote)));
        let long =
            Request::parse(r#"{"id":"1","verb":"promote","revision":"0123456789","step":3,"by":"ann"}"#);
        let long = long.unwrap();
        assert_eq!(
            (long.step, long.by.as_deref(), long.revision.as_deref()),
            (Some(3), Some("ann"), Some("0123456789"))
        );
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (text, why) in [
            ("", "neither"),
            ("promote", "neither"),
            ("promote/", "id"),
            ("promote/a b", "id"),
            ("promote/ü", "id"),
            ("{", "JSON"),
            ("{}", "missing field"),
            (r#"{"id":1,"verb":"promote"}"#, "JSON"),
            (r#"{"id":"1","verb":"promote","steps":3}"#, "unknown field"),
            (r#"{"id":"1","verb":"promote","revision":"0"}"#, "revision"),
        ] {
            let error = Request::parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(Request::parse(&"a".repeat(2000)).unwrap_err().contains("bytes"));
        assert!(Request::parse(&format!("promote/{}", "a".repeat(65))).is_err());
        assert!(Request::parse("pray/1").unwrap().known().unwrap_err().contains("promote"));
        assert_ne!(Request::id_of_unreadable("a"), Request::id_of_unreadable("b"));
        assert!(Request::id_of_unreadable("a").len() <= 64);
    }
}
