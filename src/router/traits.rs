//! The interface of every router.

use std::time::Duration;

use super::{bystanders, queries::Builtin, split::Split};
use crate::{
    manifest::{Manifest, Undo},
    snapshot::{Kind, ObjectRef, Objects},
    spec::Validated,
};

/// The wanted session affinity cookies as `name=value`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cookies {
    /// Issued to each client that the canary answers, to keep it there.
    pub canary: Option<String>,
    /// Issued to each client that the primary answers, to keep it there for an interval.
    pub primary: Option<String>,
    /// From the previous run: removed from each client that still has it.
    pub previous: Option<String>,
}

/// Where a routing object lists rules and, in each of them, destinations.
#[derive(Clone, Copy, Debug)]
pub struct Handover {
    /// The member of the spec with the rules.
    pub rules: &'static str,
    /// The member of a rule with its destinations.
    pub destinations: &'static str,
    /// The member of a rule with its requests, if proxies may have destinations for the number of a rule. Of two
    /// rules for the same requests the first one counts.
    pub numbered: Option<&'static str>,
}

/// Why no split could be read or rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouterError {
    /// The routing object does not exist.
    #[error("{0} not found")]
    NotFound(ObjectRef),
    /// It exists, but does not route to primary and canary.
    #[error("{object} {why}")]
    Unreadable {
        /// The routing object.
        object: ObjectRef,
        /// The problem.
        why: String,
    },
}

/// Why a destination of a route has not been accepted: for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unaccepted {
    /// Nothing is reported about it.
    Unseen(String),
    /// It is rejected.
    Rejected(String),
}

/// A traffic router. All pure: live objects in, wanted objects out.
pub trait Router: Send + Sync {
    /// Provider name, as in Events.
    fn name(&self) -> &'static str;
    /// Kinds that must exist in the cluster.
    fn kinds(&self) -> &'static [Kind];
    /// Kinds that it reads if they exist. Of a cluster-scoped kind all objects are read.
    fn optional_kinds(&self) -> &'static [Kind] {
        &[]
    }
    /// How long proxies may take to apply a change, unless the user sets it.
    fn settle(&self) -> Duration;
    /// How long proxies may know a change of the route, but not yet pods that became ready before it.
    fn late_endpoints(&self) -> Duration {
        Duration::ZERO
    }
    /// Parts of this Canary that it cannot do: field paths, each with a reason.
    fn unsupported(&self, c: &Validated) -> Vec<String>;
    /// Fields of `spec.service` that it supports, among those that not all routers support.
    fn supported_fields(&self) -> &'static [&'static str] {
        &[]
    }
    /// It can move requests, if the Canary asks for it; otherwise users are always on the primary, whatever split
    /// is wanted.
    fn shifts_traffic(&self, _c: &Validated) -> bool {
        true
    }
    /// Its lists, if its proxies learn of rules and destinations separately, so that they may answer 503 for a moment while
    /// destinations are exchanged.
    fn needs_handover(&self) -> Option<Handover> {
        None
    }
    /// Requests that it does not move go to the apex Service itself, so that has to select the primary.
    fn apex_is_primary(&self) -> bool {
        false
    }
    /// The user's own objects that it renders from: never written.
    fn sources(&self, _c: &Validated) -> Vec<ObjectRef> {
        vec![]
    }
    /// The user's own object of which it writes only the weights, if any: never created and never deleted.
    fn externally_owned_route(&self, _c: &Validated) -> Option<ObjectRef> {
        None
    }
    /// Why the proxies do not follow the live route, if they are known not to: for people.
    fn not_programmed(&self, _c: &Validated, _live: &Objects) -> Option<String> {
        None
    }
    /// Why a future destination of the route has not been accepted, if that is reported.
    fn not_accepted(&self, _c: &Validated, _live: &Objects) -> Option<Unaccepted> {
        None
    }
    /// Things that work, but probably not as intended, judging by the live objects: for people, with a remedy.
    fn advice(&self, _c: &Validated, _live: &Objects) -> Vec<String> {
        vec![]
    }
    /// Kinds of objects, of any owner and namespace, whose requests a Canary may affect. Read if they exist.
    fn bystanders(&self) -> &'static [Kind] {
        &[]
    }
    /// All kinds that it reads.
    fn all_kinds(&self) -> Vec<Kind> {
        [self.kinds(), self.optional_kinds(), self.bystanders()].concat()
    }
    /// Terms by which those that matter are found, as `bystander_terms` gives them. None: all of them.
    fn wanted_bystanders(&self, c: &Validated, live: &Objects) -> Option<Vec<String>> {
        let source = self.sources(c).into_iter().next();
        source.and_then(|at| live.at(&at)).map_or(Some(vec![]), bystanders::wanted_hosts)
    }
    /// What users of somebody else's object of that kind would notice of a run, or of the Canary: for people, with a remedy.
    fn touches(&self, _c: &Validated, _live: &Objects, _other: &serde_json::Value) -> Option<String> {
        None
    }
    /// Requests of a host for which the older of two Canaries wins: those that both serve, in the form of
    /// `c`. None if the more exact condition wins, whatever the age.
    fn shadows(&self, _c: &Validated, _other: &crate::api::CanaryService) -> Option<String> {
        None
    }
    /// Objects that it makes or takes over. One with the apex's name is taken over if it has no controller.
    fn reads(&self, c: &Validated) -> Vec<ObjectRef>;
    /// Kinds of which all objects with the Canary's mark are read, because their names change with an edit.
    fn read_by_mark(&self) -> &'static [Kind] {
        &[]
    }
    /// The first of these that users' requests reach; it points to the others.
    fn route(&self, c: &Validated, _live: &Objects) -> Option<ObjectRef> {
        self.reads(c).into_iter().next()
    }
    /// Those of its objects that no other Canary may have.
    fn claims(&self, c: &Validated, _live: &Objects) -> Vec<ObjectRef> {
        self.reads(c)
    }
    /// Routes of an earlier version, of Flagger or of a former port, to remove once the route is in effect.
    fn leftovers(&self, _c: &Validated, _live: &Objects) -> Vec<Undo> {
        vec![]
    }
    /// What users of somebody else's object would lose if it followed the Canary: a gateway or a host name that the
    /// Canary omits. In words, with the field to name it in.
    fn takeover_conflict(&self, _c: &Validated, _theirs: &serde_json::Value) -> Option<String> {
        None
    }
    /// `text`, somewhere in one of its objects, leads requests to this Service.
    fn leads_to(&self, _c: &Validated, service: &str, text: &str) -> bool {
        is_host_of(service, text)
    }
    /// The split of the live objects; for everyone only if the Canary matches requests and all go one way.
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
    /// Gives back what it made or took over: routes point to the apex, without our marks.
    fn restore(&self, c: &Validated, live: &Objects) -> Vec<Undo>;
    /// Query text of the built-in checks.
    fn queries(&self) -> &'static Builtin;
}

/// The name of a Service, or one of its hosts.
pub(super) fn is_host_of(service: &str, text: &str) -> bool {
    text.strip_prefix(service).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
