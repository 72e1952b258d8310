//! What people ask of a run by an annotation on its Canary, and the answer in its status. A request carries an id, so
//! that it is answered once; it is never a part of the spec, and the operator does not write the annotation.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::time::Duration;

use serde_json::Value;

use super::duration;
use crate::{
    names,
    text::{first_chars, plain},
};

/// Maximum size of a request, in bytes.
const LONGEST: usize = 1024;
/// Maximum length of an id.
const LONGEST_ID: usize = 64;
/// Maximum size of a reason, in bytes.
const LONGEST_REASON: usize = 256;
/// Number of answered ids that are remembered.
pub const REMEMBERED: usize = 20;

/// The verb of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// End the wait before a promotion.
    Promote,
    /// Open the gate at which the run waits: before its start, after a step, or before the promotion.
    Approve,
    /// End the run and move the traffic back.
    Abort,
    /// Analyse a revision again that was not promoted.
    Retry,
    /// Hold the run at its weight.
    Pause,
    /// Continue a paused run.
    Resume,
    /// End the step now, if its checks pass.
    Advance,
    /// Promote now, without the rest of the analysis.
    Finish,
}

/// Every verb, with its word in requests.
pub const VERBS: [(&str, Verb); 8] = [
    ("promote", Verb::Promote),
    ("approve", Verb::Approve),
    ("abort", Verb::Abort),
    ("retry", Verb::Retry),
    ("pause", Verb::Pause),
    ("resume", Verb::Resume),
    ("advance", Verb::Advance),
    ("finish", Verb::Finish),
];

impl Verb {
    /// The word in requests.
    pub fn word(self) -> &'static str {
        VERBS.iter().find(|(_, verb)| *verb == self).map_or("", |(word, _)| word)
    }

    /// The request may expose users to the revision, or expose them sooner, so it must name the revision. The verbs
    /// that existed before the others are bound by the gate of the run.
    pub fn names_revision(self) -> bool {
        matches!(self, Self::Retry | Self::Resume | Self::Advance | Self::Finish)
    }
}

/// One request. Absent fields are not serialised, because an operator refuses fields that it does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Chosen by the client: 1 to 64 letters, digits, `-`, `_`, `.`, `:`. A request with an answered id does nothing.
    pub id: String,
    /// The verb as written.
    pub verb: String,
    /// Only if this revision is under analysis: `status.lastAppliedSpec`, or its first characters (at least 8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Only if the run is at this step: `status.step.index`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<i32>,
    /// Only if the run waits at the gate with this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// The user, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The reason, for the record, in at most 256 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For `pause`: how long, as a duration such as `30m`.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub for_: Option<String>,
}

impl Request {
    /// Parses `{"id": …, "verb": …}`, or `verb/id` for people who type it.
    ///
    /// # Errors
    /// It is neither. The text explains the error.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it has more than {LONGEST} bytes"));
        }
        let text = text.trim();
        let request = if text.starts_with('{') {
            serde_json::from_str(text)
                .map_err(|error| plain(&format!("it is no JSON of a request: {error}")))?
        } else {
            let (verb, id) = text.split_once('/').ok_or("it is neither JSON nor verb/id, e.g. promote/1")?;
            Self { id: id.into(), verb: verb.into(), ..Self::default() }
        };
        request.sound()
    }

    /// The id for the answer to a text, and the request or the reason why it is invalid. An invalid request is answered
    /// with the id that it names, so that its author finds the answer.
    pub fn read(text: &str) -> (String, Result<Self, String>) {
        let request = Self::parse(text);
        let id = match &request {
            Ok(request) => request.id.clone(),
            Err(_) => Self::id_in(text).unwrap_or_else(|| Self::id_of_unreadable(text)),
        };
        (id, request)
    }

    fn id_in(text: &str) -> Option<String> {
        // first how long it is: it takes many times the memory
        let text = Some(text).filter(|text| text.len() <= LONGEST)?;
        let whole: Value = serde_json::from_str(text).ok()?;
        whole["id"].as_str().filter(|id| is_id(id)).map(str::to_owned)
    }

    /// With texts that can be repeated to people, who read them in status, Events and the log.
    fn plain(self) -> Self {
        let plain = |text: Option<String>| text.map(|text| self::plain(&text));
        let verb = self::plain(&self.verb);
        Self { verb, gate: plain(self.gate), by: plain(self.by), reason: plain(self.reason), ..self }
    }

    fn sound(self) -> Result<Self, String> {
        if !is_id(&self.id) {
            return Err(format!("its id is not 1 to {LONGEST_ID} letters, digits, '-', '_', '.', ':'"));
        }
        if self.revision.as_ref().is_some_and(|r| r.len() < 8) {
            return Err("its revision has fewer than 8 characters".into());
        }
        if self.reason.as_ref().is_some_and(|reason| reason.len() > LONGEST_REASON) {
            return Err(format!("its reason has more than {LONGEST_REASON} bytes"));
        }
        if self.for_.is_some() && self.verb != Verb::Pause.word() {
            return Err("\"for\" is a field of pause only".into());
        }
        if self.for_.is_some() && self.lasts().is_none() {
            return Err("its \"for\" is no duration from 1s to 8760h, such as 30m".into());
        }
        Ok(self.plain())
    }

    /// How long.
    pub fn lasts(&self) -> Option<Duration> {
        let fits = |time: &Duration| (1..=YEAR).contains(&time.as_secs());
        self.for_.as_deref().and_then(duration::parse).filter(fits)
    }

    /// The verb, if it is known.
    ///
    /// # Errors
    /// It is unknown. The text lists the known ones.
    pub fn known(&self) -> Result<Verb, String> {
        let found = VERBS.iter().find(|(word, _)| *word == self.verb).map(|(_, verb)| *verb);
        let words: Vec<_> = VERBS.iter().map(|(word, _)| *word).collect();
        found
            .ok_or_else(|| format!("there is no verb {:?}: there is {}", self.short_verb(), words.join(", ")))
    }

    /// The verb as written, truncated.
    pub fn short_verb(&self) -> &str {
        first_chars(&self.verb, 40)
    }

    /// The id for the answer to a text without an id.
    pub fn id_of_unreadable(text: &str) -> String {
        format!("unreadable-{:016x}", names::checksum(text))
    }
}

/// The longest pause, in seconds.
const YEAR: u64 = 8760 * 3600;

fn is_id(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    !text.is_empty() && text.len() <= LONGEST_ID && text.chars().all(fits)
}

/// What became of a request (annotation `serin.dev/request`).
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestStatus {
    /// Its id; of one in which none can be read, `unreadable-` and a checksum.
    pub id: String,
    /// What was asked for; empty if that cannot be read.
    pub verb: String,
    /// `Accepted` or `Refused`.
    pub answer: Answer,
    /// Who asked and why, or why it was refused, as a sentence.
    pub message: String,
    /// Who asked, as the request says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
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
            (r#"{"id":"1","verb":"resume","for":"30m"}"#, "pause only"),
            (r#"{"id":"1","verb":"pause","for":"soon"}"#, "duration"),
            (r#"{"id":"1","verb":"pause","for":"10ms"}"#, "duration"),
        ] {
            let error = Request::parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(Request::parse(&"a".repeat(2000)).unwrap_err().contains("bytes"));
        assert!(Request::parse(&format!("promote/{}", "a".repeat(65))).is_err());
        let long = format!(r#"{{"id":"1","verb":"pause","reason":"{}"}}"#, "a".repeat(257));
        assert!(Request::parse(&long).unwrap_err().contains("reason"));
        let pause = Request::parse(r#"{"id":"1","verb":"pause","for":"30m","reason":"lunch"}"#).unwrap();
        assert_eq!(
            (pause.lasts(), pause.reason.as_deref()),
            (Some(Duration::from_secs(1800)), Some("lunch"))
        );
        assert!(Request::parse("pray/1").unwrap().known().unwrap_err().contains("promote"));
        assert_ne!(Request::id_of_unreadable("a"), Request::id_of_unreadable("b"));
        assert!(Request::id_of_unreadable("a").len() <= 64);
    }

    #[test]
    fn f12_what_a_request_says_stays_on_its_line() {
        let text = r#"{"id":"1","verb":"pause","by":"ann\n[bob]\u001b[2K","reason":"a\r\nb\u202e"}"#;
        let request = Request::parse(text).unwrap();
        assert_eq!(request.by.as_deref(), Some("ann [bob] [2K"));
        assert_eq!(request.reason.as_deref(), Some("a  b "));
        let unread = Request::parse("{\"id\":\"1\",\"a\\nb\":1}").unwrap_err();
        assert!(unread.contains("unknown field `a b`"), "{unread}");
    }

    #[test]
    fn what_a_newer_client_asks_for_is_answered_under_its_own_id() {
        let of = |text: &str| Request::read(text).0;
        assert_eq!(of(r#"{"id":"n-1","verb":"undo","to":"c8082b03"}"#), "n-1");
        assert_eq!(of("pray/1"), "1");
        for text in [r#"{"id":"a b","verb":"x"}"#, r#"{"id":1,"verb":"x"}"#, r#"{"id":"1""#, "nonsense"] {
            assert_eq!(of(text), Request::id_of_unreadable(text), "{text}");
        }
    }
}
