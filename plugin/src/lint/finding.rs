//! A finding.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    codes::{Level, level},
    documents::Document,
};

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// Its code.
    pub code: &'static str,
    /// How much it matters.
    pub level: Level,
    /// In which file.
    pub file: String,
    /// In which line, from 1.
    pub line: usize,
    /// In which object, as in `Canary app.shop`.
    pub object: String,
    /// What, and what to do about it.
    pub message: String,
}

impl Finding {
    /// A finding at the line of the field in the message, or at the first line of the object.
    pub(super) fn of(document: &Document, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            code,
            level: level(code),
            file: document.file.clone(),
            line: document.line_of(&message),
            object: document.title(),
            message,
        }
    }

    /// Whether the user ignores it, with `CODE` or `CODE=namespace/name`.
    pub(super) fn is_ignored(&self, ignored: &[String]) -> bool {
        ignored.iter().any(|text| match text.split_once('=') {
            None => text == self.code,
            Some((code, at)) => {
                let place = at.split_once('/').map(|(namespace, name)| format!("{name}.{namespace}"));
                let named = place.unwrap_or_else(|| at.to_owned());
                let own = self.object.split_once(' ').map_or("", |(_, name)| name);
                code == self.code && (own == named || own.split('.').next() == Some(&named))
            }
        })
    }
}

/// What came of all files.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In order of file and line.
    pub findings: Vec<Finding>,
    /// Files, with why they cannot be read.
    pub unreadable: Vec<String>,
    /// How many Canaries there are.
    pub canaries: usize,
}

impl Report {
    /// The number of findings of this level.
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// The summary in one line.
    pub fn summary(&self) -> String {
        let many = |count: usize, word: &str| {
            let s = if count == 1 { "" } else { "s" };
            format!("{count} {word}{s}")
        };
        let canaries =
            if self.canaries == 1 { "1 canary".into() } else { format!("{} canaries", self.canaries) };
        format!(
            "{}, {}, {} in {canaries}",
            many(self.count(Level::Error), "error"),
            many(self.count(Level::Warning), "warning"),
            many(self.count(Level::Note), "note"),
        )
    }
}
