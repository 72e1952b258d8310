//! The codes of findings. A code is never reused.

use schemars::JsonSchema;
use serde::Serialize;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It cannot be known without a cluster.
    Note,
    /// It works, probably not as meant.
    Warning,
    /// The operator refuses it, or holds every run.
    Error,
}

impl Level {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A code with its level and description.
pub type Code = (&'static str, Level, &'static str);

/// All codes.
pub const CODES: &[Code] = &[
    ("SER0101", Level::Error, "unknown field, wrong type, or value outside the schema"),
    ("SER0102", Level::Warning, "a share where percent are meant"),
    ("SER0103", Level::Error, "a spec that is incomplete or contradicts itself (InvalidSpec)"),
    ("SER0104", Level::Error, "something that the provider, or Serin, does not serve (NotYetServed)"),
    ("SER0105", Level::Error, "a metric that is not built in and has no query (UnknownMetric)"),
    ("SER0106", Level::Error, "a metric whose condition cannot be read (MetricInvalid)"),
    ("SER0108", Level::Error, "two Canaries of one target (TargetTaken)"),
    (
        "SER0109",
        Level::Error,
        "a server or webhook that cannot, or may not, be asked (WebhookInvalid, HostNotAllowed)",
    ),
    ("SER0110", Level::Warning, "a time that is no duration, and is taken as something else"),
    ("SER0200", Level::Warning, "other advice of the operator (Advisory)"),
    ("SER0202", Level::Warning, "steps that do not fit maxWeight"),
    ("SER0204", Level::Warning, "nothing is measured: every revision is promoted"),
    ("SER0213", Level::Warning, "skipAnalysis or suspend is on"),
    ("SER0214", Level::Warning, "an old name"),
    ("SER0215", Level::Warning, "an image tag that does not change with the image"),
    ("SER0301", Level::Note, "a reference to something that is not in these files"),
];

/// The level of a code.
pub(super) fn level(code: &str) -> Level {
    CODES.iter().find(|(known, ..)| *known == code).map_or(Level::Error, |(_, level, _)| *level)
}
