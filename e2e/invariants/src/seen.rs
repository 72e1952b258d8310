//! A change of an object, as one Canary sees it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use serin::api::duration;

use crate::{
    facts::Facts,
    view::{Kind, Names},
};

/// Where changes are seen.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The settle time of a Canary that names none.
    pub settle: Duration,
    /// What changed this short a time before a write was not yet so when the write was decided.
    pub reaction: Duration,
    /// Every change is seen at once, whole, and with who made it; and time may stand still.
    pub model: bool,
}

/// Who made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The operator.
    Us,
    /// Somebody else.
    Others,
    /// A deletion carries no name.
    Unknown,
}

/// One change as one Canary sees it.
pub struct Seen<'a> {
    /// Of an object of this kind.
    pub kind: Kind,
    /// Its name.
    pub name: &'a str,
    /// When it was seen.
    pub at: Timestamp,
    /// The object before.
    pub old: Option<&'a Value>,
    /// The object now; none: deleted.
    pub new: Option<&'a Value>,
    /// Who made it.
    pub by: By,
    /// What clients met before.
    pub before: Facts,
    /// What they meet now.
    pub after: Facts,
    /// The Canary's names.
    pub names: &'a Names,
    /// The Canary as it is now.
    pub canary: &'a Value,
    /// Where this is.
    pub place: Place,
}

/// Whole seconds and milliseconds between two times, none if the second is first.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

impl Seen<'_> {
    /// The object as it is now, if it is the one of that kind and name.
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

    /// Weight of the canary before and after.
    pub(crate) fn weights(&self) -> (i64, i64) {
        (self.before.weight(&self.names.canary_service), self.after.weight(&self.names.canary_service))
    }

    pub(crate) fn settle(&self) -> Duration {
        self.canary["spec"]["settleTime"].as_str().and_then(duration::parse).unwrap_or(self.place.settle)
    }

    /// Only the canary can serve, or could a moment ago, when this was decided: all traffic belongs there, whatever the
    /// schedule says. `found`: when the primary's Service got its first ready pod again.
    pub(crate) fn rescue(&self, found: Option<&Timestamp>) -> bool {
        let back = found.is_some_and(|at| between(*at, self.at) < self.place.reaction);
        let down = self.after.primary_down || self.after.ready(&self.names.primary_service) == 0;
        (down || back) && self.after.ready(&self.names.canary_service) > 0
    }
}
