//! What every router can do.

use std::time::Duration;

use super::{queries::Builtin, split::Split};
use crate::{
    manifest::{Manifest, Undo},
    snapshot::{Kind, ObjectRef, Objects},
    spec::Validated,
};

/// Session affinity cookies as `name=value`, as they are to be in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cookies {
    /// Given to each client that the canary answers, and kept there by it.
    pub canary: Option<String>,
    /// Given to each client that the primary answers, and kept there by it for an interval.
    pub primary: Option<String>,
    /// Of the run before: taken back from each client that still has it.
    pub previous: Option<String>,
}

/// Why no split could be read or rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouterError {
    /// The routing object does not exist.
    #[error("{0} not found")]
    NotFound(ObjectRef),
    /// It is there, but does not route to primary and canary.
    #[error("{object} {why}")]
    Unreadable {
        /// The routing object.
        object: ObjectRef,
        /// What it lacks.
        why: String,
    },
}

/// Why what a route is to lead to has not been accepted: for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unaccepted {
    /// Nothing has been said of it.
    Unseen(String),
    /// It is refused.
    Rejected(String),
}

/// A traffic router. All pure: live objects in, wanted objects out.
pub trait Router: Send + Sync {
    /// Provider name, as in Events.
    fn name(&self) -> &'static str;
    /// Kinds that must exist in the cluster.
    fn kinds(&self) -> &'static [Kind];
    /// Kinds that it looks at where they exist. Of one whose objects belong to no namespace all are seen.
    fn optional_kinds(&self) -> &'static [Kind] {
        &[]
    }
    /// How long proxies may take to obey, unless the user says otherwise.
    fn settle(&self) -> Duration;
    /// What it cannot do of this Canary: field paths, each with a reason.
    fn unsupported(&self, c: &Validated) -> Vec<String>;
    /// Fields of `spec.service` that it honours, of those that not all routers do.
    fn supported_fields(&self) -> &'static [&'static str] {
        &[]
    }
    /// It can move requests, if the Canary wants it to; otherwise users are on the primary all the time, whatever split
    /// is asked for.
    fn shifts_traffic(&self, _c: &Validated) -> bool {
        true
    }
    /// Where its routing object lists rules and, in each of them, destinations, if its proxies learn of the two
    /// separately, so that they may answer 503 for a moment while destinations are exchanged.
    fn needs_handover(&self) -> Option<[&'static str; 2]> {
        None
    }
    /// Requests that it does not move go to the apex Service itself, so that this has to lead to the primary.
    fn apex_is_primary(&self) -> bool {
        false
    }
    /// The user's own objects that it renders from: never written.
    fn sources(&self, _c: &Validated) -> Vec<ObjectRef> {
        vec![]
    }
    /// The user's own object of which it writes the weights only, if it does: never made and never deleted.
    fn externally_owned_route(&self, _c: &Validated) -> Option<ObjectRef> {
        None
    }
    /// Why the proxies do not follow the live route, if they are known not to: for people.
    fn not_programmed(&self, _c: &Validated, _live: &Objects) -> Option<String> {
        None
    }
    /// Why what the route is to lead to has not been accepted, where that is reported.
    fn not_accepted(&self, _c: &Validated, _live: &Objects) -> Option<Unaccepted> {
        None
    }
    /// What works, but probably not as meant, as far as the live objects show it: for people, with a remedy.
    fn advice(&self, _c: &Validated, _live: &Objects) -> Vec<String> {
        vec![]
    }
    /// Kind of the objects, whosever and in any namespace, that may serve the same requests as what it copies.
    fn bystanders(&self) -> Option<Kind> {
        None
    }
    /// What users of somebody else's object of that kind would notice of a run, or of the Canary: for people, with a remedy.
    fn touches(&self, _c: &Validated, _live: &Objects, _other: &serde_json::Value) -> Option<String> {
        None
    }
    /// Requests of a host that go to whichever of two Canaries Kubernetes made first: those that both serve, as `c` writes
    /// them. Where the more exact condition counts, whatever the age, there are none.
    fn shadows(&self, _c: &Validated, _other: &crate::api::CanaryService) -> Option<String> {
        None
    }
    /// Objects that it makes or takes over. One of the name of the apex is taken over if it has no controller.
    fn reads(&self, c: &Validated) -> Vec<ObjectRef>;
    /// The one of these that users' requests meet first; it leads to the others.
    fn route(&self, c: &Validated, _live: &Objects) -> Option<ObjectRef> {
        self.reads(c).into_iter().next()
    }
    /// Those of the objects that it makes or takes over that no other may have.
    fn claims(&self, c: &Validated, _live: &Objects) -> Vec<ObjectRef> {
        self.reads(c)
    }
    /// What an earlier version, or Flagger, led users by, and that is to go once the route is in force.
    fn leftovers(&self, _c: &Validated, _live: &Objects) -> Vec<Undo> {
        vec![]
    }
    /// What users of somebody's object would lose if it became what the Canary says: a gateway or a host name that the
    /// Canary leaves out. In words, with the field to name it in.
    fn takeover_conflict(&self, _c: &Validated, _theirs: &serde_json::Value) -> Option<String> {
        None
    }
    /// The split that the live objects make; for everyone only where the Canary names requests and all go one way.
    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError>;
    /// Objects beside the route that do not depend on the split.
    fn auxiliary_objects(&self, _c: &Validated) -> Vec<Manifest> {
        vec![]
    }
    /// The route for a split; the caller stamps epoch and time.
    fn render(
        &self,
        c: &Validated,
        live: &Objects,
        want: Split,
        cookies: &Cookies,
    ) -> Result<Vec<Manifest>, RouterError>;
    /// Gives back what it made or took over: routes lead to the apex, without our marks.
    fn restore(&self, c: &Validated, live: &Objects) -> Vec<Undo>;
    /// Query text of the built-in checks.
    fn queries(&self) -> &'static Builtin;
}
