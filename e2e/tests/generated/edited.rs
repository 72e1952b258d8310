//! Interference by people, other parties and the environment at any time: edits of fields that determine objects,
//! refusals, reverted changes, downtime of the operator, and a Canary that is created again.

use std::time::Duration;

use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::{Value, json};
use serin::snapshot::{
    CANARY, CANARY_RUN, CONFIG_MAP, DEPLOYMENT, HPA, ObjectRef, REVISION, SCALED_OBJECT, SECRET, SERVICE,
};
use serin_model::{
    Sim, fixture,
    others::{Change, Refusal, all_of},
    pods::Mode,
    route::{DESTINATION_RULE, VIRTUAL_SERVICE},
};

/// An event.
#[derive(Clone, Debug)]
pub(crate) enum Edited {
    /// A merge patch of the spec.
    Spec(Value),
    /// The operator is not running for this many seconds.
    Away(u64),
    /// The operator's clock differs from all others by this many seconds.
    Skew(i64),
    /// Answers take this many seconds from now on, and pods change during the wait for the next ones.
    Meanwhile(u64, &'static str, Mode),
    /// The API server refuses writes of an object, or accepts all again.
    Refuse(Option<(ObjectRef, Option<&'static str>)>),
    /// Another party reverts an object after each write, or stops doing so.
    Contest(Option<ObjectRef>),
    /// The API server itself changes the object as it accepts each write.
    Mutate(ObjectRef),
    /// The target's number of replicas is removed from the applied manifest.
    NoReplicas,
    /// Somebody applies the target with this number of replicas, and perhaps another image.
    Applied(i64, Option<u8>),
    /// Helm 4 applies the target with this number of replicas, or without one, and perhaps with another image.
    Helm(Option<i64>, Option<u8>),
    /// The Canary is deleted without its finalizer and with its owned objects, and then created again.
    MadeAgain,
}

fn object() -> impl Strategy<Value = ObjectRef> {
    prop_oneof![
        2 => Just(ObjectRef::new(VIRTUAL_SERVICE, "podinfo")),
        1 => Just(ObjectRef::new(SERVICE, "podinfo")),
        1 => Just(ObjectRef::new(SERVICE, "podinfo-canary")),
        2 => Just(ObjectRef::new(DEPLOYMENT, "podinfo-primary")),
        1 => Just(ObjectRef::new(DEPLOYMENT, "podinfo")),
    ]
}

/// What the API server may refuse to write besides: one object, all of a kind, or the status of the Canary.
pub(super) fn refusable() -> impl Strategy<Value = ObjectRef> {
    let beside = vec![
        ObjectRef::new(DESTINATION_RULE, "podinfo-canary"),
        ObjectRef::new(DESTINATION_RULE, "podinfo-primary"),
        all_of(HPA),
        all_of(SCALED_OBJECT),
        all_of(CONFIG_MAP),
        all_of(SECRET),
        all_of(REVISION),
        all_of(CANARY_RUN),
        all_of(CANARY),
    ];
    prop_oneof![1 => object(), 1 => prop::sample::select(beside)]
}

fn patch() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!({"provider": "contour"}),
        json!({"provider": null}),
        json!({"service": {"name": "web"}}),
        json!({"service": {"name": null}}),
        json!({"service": {"port": 8080}}),
        json!({"targetRef": {"name": "web"}}),
        json!({"targetRef": {"name": "podinfo"}}),
        json!({"analysis": {"match": [{"headers": {"x": {"exact": "y"}}}]}}),
        json!({"analysis": {"match": [{"headers": {"x": {"exact": "z"}}}]}}),
        json!({"analysis": {"match": null}}),
        json!({"analysis": {"threshold": 1}}),
        json!({"analysis": {"threshold": 9}}),
        json!({"analysis": {"promotion": {"mode": "sometimes"}}}),
        json!({"analysis": {"promotion": null}}),
        json!({"analysis": {"metrics": [{"name": "own", "templateRef": {"name": "gone"}}]}}),
        json!({"analysis": {"canaryReplicas": "match"}}),
        json!({"analysis": {"canaryReplicas": null}}),
        json!({"analysis": {"windows": [{"from": "00:00", "to": "00:04"}]}}),
        json!({"analysis": {"windows": [{"days": ["Fri"], "from": "00:00", "to": "24:00"}]}}),
        json!({"analysis": {"windows": null}}),
        json!({"analysis": {"rollbackWindow": {"revisions": 2}}}),
        json!({"analysis": {"rollbackWindow": null}}),
        json!({"skipAnalysis": true}),
        json!({"skipAnalysis": null}),
    ])
}

/// The field that the API server refuses. None: it refuses all writes.
fn refused() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![
        2 => Just(None),
        1 => prop::sample::select(vec!["/metadata/annotations", "/metadata/labels", "/spec", "/spec/template"]).prop_map(Some),
    ]
}

pub(super) fn event() -> impl Strategy<Value = Edited> {
    let mode = prop_oneof![3 => Just(Mode::Vanish), 2 => Just(Mode::OneUnready), 1 => Just(Mode::Leave), 3 => Just(Mode::Ready)];
    prop_oneof![
        8 => patch().prop_map(Edited::Spec),
        2 => (1u64..900).prop_map(Edited::Away),
        1 => (-4000i64..4000).prop_map(Edited::Skew),
        4 => (0u64..6, super::side(), mode).prop_map(|(time, side, mode)| Edited::Meanwhile(time, side, mode)),
        3 => proptest::option::of((refusable(), refused())).prop_map(Edited::Refuse),
        2 => proptest::option::of(object()).prop_map(Edited::Contest),
        1 => object().prop_map(Edited::Mutate),
        1 => Just(Edited::NoReplicas),
        2 => (1i64..6, proptest::option::of(1u8..4)).prop_map(|(n, image)| Edited::Applied(n, image)),
        2 => (proptest::option::of(1i64..6), proptest::option::of(1u8..4)).prop_map(|(n, image)| Edited::Helm(n, image)),
        1 => Just(Edited::MadeAgain),
    ]
}

impl Edited {
    pub(super) fn happen(&self, sim: &mut Sim) {
        match self {
            // other names before anything is created are not an edit: the observer knows only one set of names
            Self::Spec(patch) if sim.world.status().in_use.is_none() && patch["analysis"].is_null() => {}
            Self::Spec(patch) => {
                sim.world.edit_canary(&json!({"spec": patch}));
                sim.observer.decisions.spec_edited = true;
            }
            Self::Away(seconds) => sim.away(Duration::from_secs(*seconds)),
            Self::Skew(seconds) => {
                sim.skew += SignedDuration::from_secs(*seconds);
                if *seconds > 0 {
                    sim.watching_since = sim.clock();
                }
                sim.observer.clock_was_set();
            }
            Self::Meanwhile(seconds, side, mode) => {
                sim.asking = Duration::from_secs(*seconds);
                sim.meanwhile = Some(((*side).into(), *mode));
            }
            Self::Refuse(None) => sim.others.refuses.clear(),
            Self::Refuse(Some((at, field))) => {
                let refusal = Refusal {
                    why: "denied by a policy".into(),
                    field: field.map(str::to_owned),
                    ..Refusal::default()
                };
                sim.others.refuses.insert(at.clone(), refusal);
            }
            Self::Contest(None) => sim.others.changes.clear(),
            Self::Contest(Some(at)) => {
                let patch = json!({"metadata": {"labels": {"app": "contested"}}});
                sim.others.changes.insert(at.clone(), Change { by: Some("policy".into()), patch });
            }
            Self::Mutate(at) => {
                let patch = json!({"metadata": {"labels": {"admitted": "yes"}}});
                sim.others.changes.insert(at.clone(), Change { by: None, patch });
            }
            Self::Helm(replicas, image) => helm(sim, *replicas, *image),
            Self::Applied(replicas, image) => applied(sim, *replicas, *image),
            Self::NoReplicas => {
                let target = ObjectRef::new(DEPLOYMENT, "podinfo");
                sim.world.edit(&target, &json!({"spec": {"replicas": 1}}));
            }
            Self::MadeAgain => made_again(sim),
        }
    }
}

/// Like `kubectl apply`, which records the applied manifest.
fn applied(sim: &mut Sim, replicas: i64, image: Option<u8>) {
    let note = json!({"spec": {"replicas": replicas}}).to_string();
    let patch = json!({
        "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": note}},
        "spec": {"replicas": replicas},
    });
    sim.world.edit(&ObjectRef::new(DEPLOYMENT, "podinfo"), &patch);
    if let Some(image) = image {
        fixture::set_image(sim, &format!("podinfo:{image}"));
    }
}

/// Like Helm 4, which applies on the server. A number that only Helm applied becomes 1 if Helm leaves it out.
fn helm(sim: &mut Sim, replicas: Option<i64>, image: Option<u8>) {
    let at = ObjectRef::new(DEPLOYMENT, "podinfo");
    let live = sim.world.objects.at(&at).cloned().unwrap_or_default();
    let owned = live["metadata"]["managedFields"].as_array().into_iter().flatten();
    let owned = owned.filter(|entry| entry["fieldsV1"]["f:spec"]["f:replicas"].is_object()).count() > 0;
    let mut fields = json!({"f:template": {}});
    if replicas.is_some() {
        fields["f:replicas"] = json!({});
    }
    let entry = json!({"manager": "helm", "operation": "Apply", "fieldsV1": {"f:spec": fields}});
    let mut patch = json!({"metadata": {"managedFields": [entry]}});
    if let Some(replicas) = replicas.or(owned.then_some(1)) {
        patch["spec"] = json!({"replicas": replicas});
    }
    sim.world.edit(&at, &patch);
    if let Some(image) = image {
        fixture::set_image(sim, &format!("podinfo:{image}"));
    }
}

fn made_again(sim: &mut Sim) {
    let Some(old) = sim.world.canary.take() else { return };
    for kind in [REVISION, CANARY_RUN] {
        let name = |object: &Value| object["metadata"]["name"].as_str().map(str::to_owned);
        let all: Vec<String> = sim.world.objects.of(kind).filter_map(name).collect();
        for name in all {
            sim.world.objects.remove(&ObjectRef::new(kind, name));
        }
    }
    let mut canary = json!({"metadata": {"name": old["metadata"]["name"]}, "spec": old["spec"]});
    // with the names that the observer knows
    for (field, value) in [
        ("provider", Value::Null),
        ("service", json!({"name": null})),
        ("targetRef", json!({"name": "podinfo"})),
    ] {
        json_patch::merge(&mut canary["spec"], &json!({field: value}));
    }
    let now = sim.now;
    sim.world.put_canary(canary, now);
    // the analysis results of the former one are no longer known
    sim.canary_was_made_again();
}

/// Ends all disturbances for good.
pub(crate) fn all_is_well(sim: &mut Sim) {
    sim.others.refuses.clear();
    sim.others.changes.clear();
    sim.pods.modes.clear();
    sim.pods.slices_late = false;
    sim.readings.clear();
    sim.trouble = None;
    (sim.asking, sim.meanwhile) = (Duration::ZERO, None);
    let metrics = json!([{"name": "request-success-rate", "thresholdRange": {"min": 99}}]);
    sim.world.edit_canary(
        &json!({"spec": {"suspend": null, "analysis": {"promotion": null, "windows": null, "metrics": metrics}}}),
    );
    sim.observer.decisions.spec_edited = true;
    super::ask(sim, "resume", "all-is-well");
    sim.look();
}
