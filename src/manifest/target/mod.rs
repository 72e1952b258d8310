//! The kinds of targets: what makes a revision of each, how it is scaled, how its progress is read, and what its
//! primary is. The only place that distinguishes the kinds.
//!
//! ```text
//!              revision          asked for none by             primary            readiness
//! Deployment   pod template      replicas: 0                   a clone            its own status
//! DaemonSet    pod template      a node selector of no node   a clone            its own status
//! Service      spec, in part     never                         a copy             endpoints, where it has any
//! Knative      a revision's name never                         a note in itself   its own status
//! ```

mod at_once;
mod nodes;

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::{
    json as get, knative,
    object::Manifest,
    patch::patch,
    readiness::{self, Rollout},
    revision::Source,
    service, service_target, workload,
};
use crate::{
    names,
    snapshot::{DAEMONSET, DEPLOYMENT, KNATIVE_SERVICE, Kind, Objects, SERVICE, Snapshot},
    spec::{Names, Target, Validated},
};

/// How to scale a target.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// To this many replicas, through the scale subresource.
    Replicas(i64),
    /// With this merge patch.
    Patch(Value),
}

/// The Services in front of both sides, as far as they are created for the Canary.
#[derive(Clone, Debug, PartialEq)]
pub struct Sides {
    /// The Service that users call. None: it is the target itself, and the user's.
    pub apex: Option<Manifest>,
    /// In front of the primary. None: it is the primary.
    pub primary: Option<Manifest>,
    /// In front of the new version. None: the target distinguishes its versions itself.
    pub canary: Option<Manifest>,
    /// Works, but probably not as intended.
    pub advice: Vec<String>,
}

impl Target {
    /// Kind of the target, and of its primary.
    pub fn kind(self) -> Kind {
        match self {
            Self::Deployment => DEPLOYMENT,
            Self::DaemonSet => DAEMONSET,
            Self::Service => SERVICE,
            Self::Knative => KNATIVE_SERVICE,
        }
    }

    /// Old and new version are both in the target itself, which routes to them: nothing else is created.
    pub fn holds_both(self) -> bool {
        self == Self::Knative
    }

    /// Name of the object that defines what the primary runs.
    pub fn primary_name(self, names: &Names) -> &str {
        if self.holds_both() { &names.target } else { &names.primary }
    }

    /// Its kind, as used in texts.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::DaemonSet => "daemonset",
            Self::Service | Self::Knative => "service",
        }
    }

    /// Its pods are counted in replicas, which others may set.
    pub fn replicated(self) -> bool {
        self == Self::Deployment
    }

    /// Its own message right after it was created.
    pub fn first_look(self) -> Option<&'static str> {
        match self {
            Self::Deployment => Some(
                "waiting for rollout to finish: observed deployment generation less than desired generation",
            ),
            Self::DaemonSet => Some(
                "waiting for rollout to finish: observed daemonset generation less than desired generation",
            ),
            Self::Service | Self::Knative => None,
        }
    }

    /// What a party that scales it up between runs should do instead.
    pub fn rest_advice(self) -> &'static str {
        match self {
            Self::Deployment | Self::Service | Self::Knative => "Leave spec.replicas out of what sets it",
            Self::DaemonSet => "Leave the node selector flagger.app/scale-to-zero as it is found",
        }
    }

    /// It can be scaled to no pods.
    pub fn rests(self) -> bool {
        matches!(self, Self::Deployment | Self::DaemonSet)
    }

    /// Both sides are Services that copy it: whatever is in front of them needs a while to learn of a change.
    pub fn is_copied(self) -> bool {
        self == Self::Service
    }

    /// What makes a revision of it: for a workload the pod template, for a Service the part of its spec that defines
    /// its destination, for a Knative Service the name of its newest revision.
    pub fn revision(self, live: &Value) -> Cow<'_, Value> {
        let template = &live["spec"]["template"];
        match self {
            Self::Deployment => Cow::Borrowed(template),
            Self::DaemonSet => Cow::Owned(nodes::for_nodes(template)),
            Self::Service => Cow::Owned(service_target::relevant(live)),
            Self::Knative => Cow::Owned(knative::revision(live)),
        }
    }

    /// The name of its newest revision, if it has one.
    pub fn revision_name(self, live: &Value) -> Option<String> {
        if self == Self::Knative { knative::newest(live).map(str::to_owned) } else { None }
    }

    /// The name of its promoted revision, if it has one.
    pub fn promoted_name(self, live: &Value) -> Option<String> {
        if self == Self::Knative { knative::primary(live).map(str::to_owned) } else { None }
    }

    /// The source of a primary.
    pub fn source(self, live: &Value) -> Source {
        match self {
            Self::Deployment | Self::DaemonSet => {
                Source { template: self.revision(live).into_owned(), ..Source::of(live) }
            }
            Self::Service => Source {
                template: self.revision(live).into_owned(),
                spec: Map::new(),
                configs: std::collections::BTreeMap::new(),
            },
            Self::Knative => knative::source(live),
        }
    }

    /// A primary in the form of a target that runs the same.
    pub fn as_target(self, primary: &Value) -> Cow<'_, Value> {
        if self == Self::Knative { Cow::Owned(knative::held(primary)) } else { Cow::Borrowed(primary) }
    }

    /// The label by which it selects its pods, with its value; empty for kinds that need not select any. None: it
    /// has none of `prefs`.
    pub fn label(self, live: &Value, prefs: &[String]) -> Option<(String, String)> {
        match self {
            Self::Deployment | Self::DaemonSet => workload::selector_label(live, prefs),
            Self::Service | Self::Knative => Some((String::new(), String::new())),
        }
    }

    /// Number of wanted pods; for kinds without replicas 1 means some.
    pub fn asked(self, live: &Value) -> i64 {
        match self {
            Self::Deployment => get::replicas(live),
            Self::DaemonSet => {
                i64::from(live["spec"]["template"]["spec"]["nodeSelector"][names::SCALE_TO_ZERO] != "true")
            }
            Self::Service | Self::Knative => 1,
        }
    }

    /// How to scale it to this number of pods. None: it cannot be scaled.
    pub fn ask(self, pods: i64) -> Option<Ask> {
        match self {
            Self::Deployment => Some(Ask::Replicas(pods)),
            Self::DaemonSet => {
                let nowhere = if pods == 0 { json!("true") } else { Value::Null };
                let selector = json!({"nodeSelector": {names::SCALE_TO_ZERO: nowhere}});
                Some(Ask::Patch(json!({"spec": {"template": {"spec": selector}}})))
            }
            Self::Service | Self::Knative => None,
        }
    }

    /// No earlier pod is left.
    pub fn is_empty(self, live: &Value) -> bool {
        match self {
            Self::Deployment => readiness::empty(live),
            Self::DaemonSet => readiness::nowhere(live),
            Self::Service | Self::Knative => false,
        }
    }

    /// The progress of it, or of its primary. `threshold` is a percentage, `ready` the result of [`Target::behind`]
    /// for its side, for kinds without pods of their own.
    pub fn rollout(self, live: &Value, ready: u32, threshold: i32) -> Rollout {
        match self {
            Self::Deployment => readiness::rollout(live, threshold),
            Self::DaemonSet => readiness::on_nodes(live, threshold),
            Self::Service | Self::Knative if ready > 0 => Rollout::Ready,
            Self::Knative => Rollout::Waiting { why: knative::unready(live) },
            Self::Service => Rollout::Waiting { why: "no ready endpoint is behind it".into() },
        }
    }

    /// At least half of the pods that `live` asks for are available, whatever their template. `ready` as for
    /// [`Target::rollout`].
    pub fn half_available(self, live: &Value, ready: u32) -> bool {
        match self {
            Self::Deployment => readiness::half_available(live, get::replicas(live)),
            Self::DaemonSet => readiness::half_available(live, readiness::wanted_on_nodes(live)),
            Self::Service | Self::Knative => ready > 0,
        }
    }

    /// The controller of `live` has counted no ready pod, or has not counted its pods yet. Always false for kinds without
    /// pods of their own.
    pub fn none_ready(self, live: &Value) -> bool {
        match self {
            Self::Deployment | Self::DaemonSet => readiness::ready_pods(live) == 0,
            Self::Service | Self::Knative => false,
        }
    }

    /// The controller of `live` has counted a ready pod.
    pub fn some_ready(self, live: &Value) -> bool {
        match self {
            Self::Deployment | Self::DaemonSet => readiness::ready_pods(live) > 0,
            Self::Service | Self::Knative => false,
        }
    }

    /// Ready endpoints behind a Service of the Canary, or an equivalent if there is none.
    pub fn behind(self, snap: &Snapshot, service: &str) -> u32 {
        match self {
            Self::Deployment | Self::DaemonSet => snap.ready(service),
            Self::Service => service_target::behind(snap, service),
            Self::Knative => knative::behind(snap, service),
        }
    }

    /// A primary that is updated to `source` may have no pods for a while.
    pub fn replaced_at_once(self, primary: &Value, source: &Source) -> bool {
        let mut next = primary.clone();
        for (field, value) in &source.spec {
            get::set(&mut next, &["spec", field], value.clone());
        }
        match self {
            Self::Deployment => readiness::replaced_at_once(&next),
            Self::DaemonSet => readiness::all_at_once(&next),
            Self::Service | Self::Knative => false,
        }
    }

    /// Why a new revision could never run, for people.
    pub fn unfit(self, live: &Value) -> Option<String> {
        if self == Self::Knative && knative::newest(live).is_none() {
            return Some(
                "status.latestCreatedRevisionName is empty: Knative has made no revision of it yet".into(),
            );
        }
        let by_hand = self == Self::DaemonSet && live["spec"]["updateStrategy"]["type"] == "OnDelete";
        by_hand.then(|| {
            "spec.updateStrategy.type is OnDelete, with which its primary would keep its old pods for ever: set it to RollingUpdate"
                .to_owned()
        })
    }

    /// Why users would be moved if its current revision counted as promoted, with a remedy.
    pub fn held_back(self, live: &Value) -> Option<String> {
        if self == Self::Knative { knative::held_back(live) } else { None }
    }

    /// Works, but probably not as intended.
    pub fn advice(self, c: &Validated, live: &Value, objects: &Objects) -> Vec<String> {
        match self {
            Self::Knative => vec![],
            Self::Deployment => {
                let primary = objects.get(DEPLOYMENT, &c.names.primary).unwrap_or(live);
                let at_once = self.replaced_at_once(primary, &self.source(live));
                let advice = at_once::of_deployment(c).filter(|_| at_once);
                advice.into_iter().chain(workload::advice(c, live, primary)).collect()
            }
            Self::DaemonSet => {
                readiness::all_at_once(live).then(|| at_once::of_daemon_set(c)).into_iter().collect()
            }
            Self::Service => service_target::advice(c, live, objects),
        }
    }

    /// The Services in front of both sides. Err: they cannot be created; the text names the field.
    pub fn sides(
        self,
        c: &Validated,
        live: &Value,
        label: &(String, String),
        objects: &Objects,
        include_prefix: &[String],
    ) -> Result<Sides, String> {
        if self.holds_both() {
            return Ok(Sides { apex: None, primary: None, canary: None, advice: vec![] });
        }
        if self == Self::Service {
            service_target::ports(c, live)?;
            let canary = service_target::canary(c, live, objects, include_prefix);
            return Ok(Sides { apex: None, primary: None, canary: Some(canary), advice: vec![] });
        }
        let made = service::render(c, live, label, objects)?;
        Ok(Sides {
            apex: Some(made.apex),
            primary: Some(made.primary),
            canary: Some(made.canary),
            advice: made.advice,
        })
    }

    /// The primary after a promotion of `source`; `hash` is its revision.
    pub fn primary(
        self,
        c: &Validated,
        live: &Value,
        source: &Source,
        label: &(String, String),
        marks: (i64, &str),
        include_prefix: &[String],
    ) -> Manifest {
        let (epoch, hash) = marks;
        match self {
            Self::Deployment | Self::DaemonSet => {
                workload::primary(c, live, source, label, epoch, hash, include_prefix)
            }
            Self::Service => service_target::primary(c, live, source, marks, include_prefix),
            Self::Knative => knative::promoted(c, live, source, hash),
        }
    }

    /// The same primary if it does not exist yet; `replicas` if it has some.
    pub fn created(
        self,
        primary: Manifest,
        live: &Value,
        label: &(String, String),
        replicas: i64,
    ) -> Manifest {
        match self {
            Self::Deployment | Self::DaemonSet => workload::created(primary, live, label, replicas),
            Self::Service => service_target::created(primary, &live["spec"]),
            Self::Knative => primary,
        }
    }

    /// The live primary matches `want`.
    pub fn intact(self, live_primary: &Value, want: &Manifest) -> bool {
        match self {
            Self::Deployment | Self::DaemonSet => {
                let (live, wanted) = (&live_primary["spec"]["template"], &want.body["spec"]["template"]);
                !workload::differs(live_primary, want) || workload::same_template(live, wanted)
            }
            Self::Service => patch(live_primary, &self.content(want)).is_none(),
            Self::Knative => knative::primary(live_primary) == knative::annotated_revision(&want.body),
        }
    }

    /// Only the parts of a primary that define what it runs.
    pub fn content(self, want: &Manifest) -> Manifest {
        let spec = match self {
            Self::Deployment | Self::DaemonSet => json!({"template": want.body["spec"]["template"]}),
            Self::Service => want.body["spec"].clone(),
            Self::Knative => return want.clone(),
        };
        Manifest::new(want.kind, &want.name, want.manager, want.owned, json!({"spec": spec}))
    }

    /// A primary that Flagger made runs the same as the target.
    pub fn same(self, primary: &Value, live: &Value, label: &(String, String), name: &str) -> bool {
        match self {
            Self::Deployment | Self::DaemonSet => {
                let wanted = workload::template(self, &self.revision(live), label, name);
                workload::same_template(&primary["spec"]["template"], &wanted)
            }
            Self::Service => self.revision(primary) == self.revision(live),
            Self::Knative => {
                knative::annotated_revision(primary).is_none_or(|noted| knative::newest(live) == Some(noted))
            }
        }
    }
}

#[cfg(test)]
mod tests;
