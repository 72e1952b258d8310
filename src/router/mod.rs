//! PURE. Traffic routers behind one trait: which objects they need, how a split is rendered and read back.
//!
//! Owns the registry by provider name. Does not watch, write or decide: `observe`, `apply` and `plan` do. Adding one:
//! its file, a line in [`all`], a case for `conformance`, its snapshots.

mod always_never;
mod apisix;
mod contour;
mod cookie;
mod copy;
mod destination_handover;
mod gatewayapi;
mod gloo;
mod httproute;
mod istio;
mod knative;
mod kubernetes;
mod kuma;
mod linkerd;
mod nginx;
mod queries;
mod route;
mod skipper;
mod traefik;
mod user_virtual_service;

#[cfg(test)]
#[path = "tests/cases.rs"]
mod cases;
#[cfg(test)]
#[path = "tests/conformance.rs"]
mod conformance;

use std::time::Duration;

pub use cookie::fresh as fresh_cookie;
pub use destination_handover::{announcing, remembering};
pub use kubernetes::{Selected, percent, selected, shared};

use crate::{
    manifest::{Manifest, Undo},
    snapshot::{Kind, ObjectRef, Objects},
    spec::Validated,
};

/// Where requests go: percent to each side, the two add to 100. Where the Canary names requests (`analysis.match`),
/// the split is theirs and all others go to the primary, unless it is for everyone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Split {
    canary: u8,
    mirrored: bool,
    everyone: bool,
    pinned: bool,
}

impl Split {
    /// `canary` percent (more than 100 is 100) to the canary, the rest to the primary.
    pub fn to_canary(canary: i32) -> Self {
        Self { canary: canary.clamp(0, 100) as u8, ..Self::default() }
    }
    /// All requests to the canary, named by the Canary or not.
    pub fn everyone() -> Self {
        Self { canary: 100, everyone: true, ..Self::default() }
    }
    /// With copies of the primary's requests sent to the canary, or without.
    #[must_use]
    pub fn mirroring(self, mirrored: bool) -> Self {
        Self { mirrored, ..self }
    }
    /// For all requests, or for those that the Canary names.
    #[must_use]
    pub fn for_everyone(self, everyone: bool) -> Self {
        Self { everyone, ..self }
    }
    /// With the requests of `analysis.always` and `analysis.never` going their own way, or like all others.
    #[must_use]
    pub fn pinning(self, pinned: bool) -> Self {
        Self { pinned, ..self }
    }
    /// Percent to the canary.
    pub fn canary(self) -> i32 {
        i32::from(self.canary)
    }
    /// Percent to the primary.
    pub fn primary(self) -> i32 {
        100 - self.canary()
    }
    /// The canary gets copies of the primary's requests.
    pub fn mirrored(self) -> bool {
        self.mirrored
    }
    /// The requests of `analysis.always` and `analysis.never` go their own way.
    pub fn is_pinned(self) -> bool {
        self.pinned
    }
    /// For all requests, although the Canary may name some.
    pub fn is_for_everyone(self) -> bool {
        self.everyone
    }
}

/// Session affinity cookies as `name=value`, as they are to be in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cookies {
    /// Given to whoever the canary answers, and kept there by it.
    pub canary: Option<String>,
    /// Given to whoever the primary answers, and kept there by it for an interval.
    pub primary: Option<String>,
    /// Of the run before: taken back from whoever still has it.
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

/// Query text of the built-in checks, as Go templates over the functions of `analysis::template`, whose values are
/// escaped for a PromQL regular expression. Both measure the canary side only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// Percent of requests that did not fail, 0 to 100. Yields 0, not nothing, when all fail; nothing or NaN without
    /// traffic.
    pub success_rate: &'static str,
    /// Requests in the window, whatever became of them.
    pub requests: &'static str,
    /// The counters of those requests.
    pub series: &'static str,
    /// 99th percentile of request durations, in milliseconds.
    pub duration: &'static str,
    /// Names are put in with `_` for every character that is no letter, digit or `_`.
    pub words: bool,
}

/// A traffic router. All pure: live objects in, wanted objects out.
pub trait Router: Send + Sync {
    /// Provider name, as in Events.
    fn name(&self) -> &'static str;
    /// Kinds that must exist in the cluster.
    fn kinds(&self) -> &'static [Kind];
    /// How long proxies may take to obey, unless the user says otherwise.
    fn settle(&self) -> Duration;
    /// What it cannot do of this Canary: field paths, each with a reason.
    fn unsupported(&self, c: &Validated) -> Vec<String>;
    /// Fields of `spec.service` that it honours, of those that not all routers do.
    fn supported_fields(&self) -> &'static [&'static str];
    /// It can move requests, if the Canary wants it to; otherwise users are on the primary all the time, whatever split
    /// is asked for.
    fn shifts_traffic(&self, _c: &Validated) -> bool {
        true
    }
    /// Where its routing object lists rules and, in each of them, destinations, if its proxies are told of the two
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
    /// Objects that it makes or takes over. One of the name of the apex is taken over if nobody controls it.
    fn reads(&self, c: &Validated) -> Vec<ObjectRef>;
    /// What users of somebody's object would lose if it became what the Canary says: a gateway or a host name that the
    /// Canary leaves out. In words, with the field to name it in.
    fn takeover_conflict(&self, _c: &Validated, _theirs: &serde_json::Value) -> Option<String> {
        None
    }
    /// The split that the live objects make; for everyone only where the Canary names requests and all go one way.
    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError>;
    /// Objects beside the route that do not depend on the split.
    fn auxiliary_objects(&self, c: &Validated) -> Vec<Manifest>;
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

/// Every router that is served.
pub fn all() -> &'static [&'static dyn Router] {
    &[
        &istio::Istio,
        &gatewayapi::V1,
        &gatewayapi::V1BETA1,
        &contour::Contour,
        &traefik::Traefik,
        &kubernetes::Kubernetes,
        &nginx::Nginx,
        &skipper::Skipper,
        &apisix::Apisix,
        &gloo::Gloo,
        &kuma::Kuma,
        &linkerd::Linkerd,
        &knative::Knative,
    ]
}

/// The router of a provider; None if it is not served.
pub fn by_name(provider: &str) -> Option<&'static dyn Router> {
    all().iter().find(|router| router.name() == provider).copied()
}

/// Fields of `spec.service` that only some routers know.
const PARTICULAR: [&str; 13] = [
    "timeout",
    "backendTimeout",
    "gateways",
    "gatewayRefs",
    "hosts",
    "delegation",
    "trafficPolicy",
    "match",
    "rewrite",
    "retries",
    "headers",
    "mirror",
    "corsPolicy",
];

/// What the Canary asks of its route that the router takes no notice of: field paths, each with a word of why.
pub fn ignored(router: &dyn Router, c: &Validated) -> Vec<String> {
    let service = serde_json::json!(c.service);
    let asked = |field: &str| !service[field].is_null() && service[field] != false;
    let unknown = PARTICULAR.iter().filter(|f| asked(f) && !router.supported_fields().contains(f));
    unknown.map(|f| format!("spec.service.{f} is not looked at by the provider {}", router.name())).collect()
}

/// Whether a provider is one that its maintainers have given up: valid to store, never to be served.
pub fn retired(provider: &str) -> bool {
    let name = provider.split(':').next().unwrap_or_default();
    matches!(name, "appmesh" | "smi" | "osm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retired_providers_are_known_with_their_versions() {
        for provider in ["appmesh", "appmesh:v1beta2", "smi:v1alpha1", "smi:linkerd", "osm"] {
            assert!(retired(provider) && by_name(provider).is_none(), "{provider}");
        }
        assert!(!retired("istio") && !retired("linkerd") && !retired(""));
        assert_eq!(by_name("istio").map(Router::name), Some("istio"));
    }

    #[test]
    fn a_split_is_never_out_of_range() {
        for (given, canary) in [(-1, 0), (0, 0), (30, 30), (100, 100), (i32::MAX, 100)] {
            let split = Split::to_canary(given);
            assert_eq!((split.canary(), split.primary()), (canary, 100 - canary));
        }
    }
}
