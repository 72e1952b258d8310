//! A change of an object from the perspective of one Canary.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use serin::api::duration;

use crate::{
    facts::Facts,
    view::{Kind, Names},
};

/// The place where changes are observed.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The default settle time of a Canary.
    pub settle: Duration,
    /// A change this short a time before a write may be too late for the decision of that write.
    pub reaction: Duration,
    /// Every change is seen immediately, complete, and with its author. Time may stand still.
    pub model: bool,
}

/// The author of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The operator.
    Us,
    /// Another party.
    Others,
    /// Unknown, because a deletion has no author.
    Unknown,
}

/// One change from the perspective of one Canary.
pub struct Seen<'a> {
    /// The kind of the object.
    pub kind: Kind,
    /// Its name.
    pub name: &'a str,
    /// When it was seen.
    pub at: Timestamp,
    /// The object before.
    pub old: Option<&'a Value>,
    /// The object now. None: deleted.
    pub new: Option<&'a Value>,
    /// The author.
    pub by: By,
    /// What clients experienced before.
    pub before: Facts,
    /// What they experience now.
    pub after: Facts,
    /// The Canary's names.
    pub names: &'a Names,
    /// The Canary as it is now.
    pub canary: &'a Value,
    /// The place.
    pub place: Place,
}

/// The time between two timestamps. Zero if the second is earlier.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

impl Seen<'_> {
    /// The current object, if it has this kind and name.
    pub(crate) fn is(&self, kind: Kind, name: &str) -> Option<&Value> {
        (self.kind == kind && self.name == name).then_some(self.new).flatten()
    }

    pub(crate) fn status(&self) -> &Value {
        &self.canary["status"]
    }

    pub(crate) fn phase(&self) -> &str {
        self.status()["phase"].as_str().unwrap_or_default()
    }

    pub(crate) fn deleting(&self) -> bool {
        self.canary["metadata"]["deletionTimestamp"].is_string()
    }

    /// The weight of the canary before and after.
    pub(crate) fn weights(&self) -> (i64, i64) {
        (self.before.weight(&self.names.canary_service), self.after.weight(&self.names.canary_service))
    }

    pub(crate) fn settle(&self) -> Duration {
        self.canary["spec"]["settleTime"].as_str().and_then(duration::parse).unwrap_or(self.place.settle)
    }

    /// Only the canary can serve, or this was the case a moment ago, when the write was decided: all traffic belongs
    /// there, independently of the schedule. It is enough if EndpointSlices show pods of the canary and the primary has none:
    /// users lose nothing by that. `found`: when the primary's Service got its first ready pod again.
    pub(crate) fn rescue(&self, found: Option<&Timestamp>) -> bool {
        let back = found.is_some_and(|at| between(*at, self.at) < self.place.reaction);
        let primary = self.after.ready(&self.names.primary_service);
        let canary = &self.names.canary_service;
        let shown = self.after.shown.get(canary).is_some_and(|pods| *pods > 0);
        primary == 0 && shown || (primary == 0 || back) && self.after.ready(canary) > 0
    }
}
