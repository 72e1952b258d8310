//! What is to be known about a conversion, with the field that it is about.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::lint::title;

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Level {
    /// It is converted, and behaves in another way.
    Differs,
    /// It has no counterpart and is left out.
    LeftOut,
    /// It cannot be left out: the Rollout is not converted.
    Refused,
}

impl Level {
    /// The word for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Differs => "differs",
            Self::LeftOut => "left out",
            Self::Refused => "refused",
        }
    }
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// How much it matters.
    pub level: Level,
    /// About which object, as in `Rollout app.shop`.
    pub object: String,
    /// About which field of it; empty: about the object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// What, and what to do.
    pub text: String,
}

/// Notes about one object.
#[derive(Debug, Default)]
pub(super) struct Notes {
    object: String,
    all: Vec<Note>,
}

impl Notes {
    pub(super) fn of(object: &Value) -> Self {
        Self { object: title(object), all: vec![] }
    }

    pub(super) fn say(&mut self, level: Level, field: impl Into<String>, text: impl Into<String>) {
        let note = Note { level, object: self.object.clone(), field: field.into(), text: text.into() };
        if !self.all.contains(&note) {
            self.all.push(note);
        }
    }

    pub(super) fn differs(&mut self, field: impl Into<String>, text: impl Into<String>) {
        self.say(Level::Differs, field, text);
    }

    pub(super) fn left_out(&mut self, field: impl Into<String>, text: impl Into<String>) {
        self.say(Level::LeftOut, field, text);
    }

    pub(super) fn refuse(&mut self, field: impl Into<String>, text: impl Into<String>) {
        self.say(Level::Refused, field, text);
    }

    /// Notes about another object that belongs to this one.
    pub(super) fn about(&mut self, object: &Value, work: impl FnOnce(&mut Self)) {
        let own = std::mem::replace(&mut self.object, title(object));
        work(self);
        self.object = own;
    }

    pub(super) fn refused(&self) -> bool {
        self.all.iter().any(|note| note.level == Level::Refused)
    }

    /// The notes by object, in the order of their first note.
    pub(super) fn take(self) -> Vec<Note> {
        let objects: Vec<String> = self.all.iter().map(|note| note.object.clone()).collect();
        let mut all = self.all;
        all.sort_by_key(|note| objects.iter().position(|object| *object == note.object));
        all
    }
}
