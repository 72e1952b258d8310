//! Events about autoscalers, and about the replicas that they own.

use proptest::prelude::*;
use serde_json::{Value, json};
use serin::{
    manifest::scaler,
    snapshot::{DEPLOYMENT, HPA, ObjectRef, SCALED_OBJECT},
};
use serin_model::{Sim, scalers};

/// An event.
#[derive(Clone, Debug)]
pub(crate) enum Scaled {
    /// The load of a Deployment requires this many replicas.
    Load(&'static str, i64),
    /// The bounds of the target's autoscaler are edited.
    Bounds(i64, i64),
    /// An autoscaler is deleted: the target's, or the primary's.
    Drop(&'static str),
    /// Somebody edits the primary's autoscaler.
    EditTwin(i64),
    /// The primary's replicas are set.
    PrimaryReplicas(i64),
    /// Both sides are scaled to 0 at once, as by a tool that switches a namespace off.
    Off,
}

/// An `autoscalerRef`, or none.
pub(super) fn reference() -> impl Strategy<Value = Value> {
    let of = |api: &str, kind: &str| json!({"apiVersion": api, "kind": kind, "name": "podinfo"});
    let mut bounded = of("autoscaling/v2", "HorizontalPodAutoscaler");
    bounded["primaryScalerReplicas"] = json!({"minReplicas": 3, "maxReplicas": 9});
    prop_oneof![
        4 => Just(Value::Null),
        2 => Just(of("autoscaling/v2", "HorizontalPodAutoscaler")),
        1 => Just(bounded),
        1 => Just(of("keda.sh/v1alpha1", "ScaledObject")),
    ]
}

pub(super) fn load() -> impl Strategy<Value = Scaled> {
    (super::side(), 0i64..12).prop_map(|(side, n)| Scaled::Load(side, n))
}

pub(super) fn event() -> impl Strategy<Value = Scaled> {
    prop_oneof![
        6 => load(),
        2 => (1i64..6, 0i64..6).prop_map(|(min, more)| Scaled::Bounds(min, min + more)),
        1 => super::side().prop_map(Scaled::Drop),
        2 => (1i64..6).prop_map(Scaled::EditTwin),
        2 => (0i64..6).prop_map(Scaled::PrimaryReplicas),
        1 => Just(Scaled::Off),
    ]
}

/// Creates the autoscaler that an edited spec names.
pub(super) fn provide(sim: &mut Sim, spec: &Value) {
    let named = spec["autoscalerRef"]["kind"].as_str().and_then(scaler::kind);
    if let Some(kind) = named.filter(|kind| sim.world.objects.get(*kind, "podinfo").is_none()) {
        sim.world.put(kind, scalers::of_target(kind), sim.now);
    }
}

impl Scaled {
    pub(super) fn happen(&self, sim: &mut Sim) {
        match self {
            Self::Load(name, n) => {
                sim.pods.loads.insert((*name).into(), *n);
            }
            Self::Bounds(min, max) => {
                let hpa = json!({"spec": {"minReplicas": min, "maxReplicas": max}});
                sim.world.edit(&ObjectRef::new(HPA, "podinfo"), &hpa);
                let keda = json!({"spec": {"minReplicaCount": min - 1, "maxReplicaCount": max}});
                sim.world.edit(&ObjectRef::new(SCALED_OBJECT, "podinfo"), &keda);
            }
            Self::Drop(name) => {
                for kind in [HPA, SCALED_OBJECT] {
                    sim.world.objects.remove(&ObjectRef::new(kind, *name));
                }
            }
            Self::EditTwin(min) => {
                let edit = json!({"spec": {"minReplicas": min}});
                sim.world.edit(&ObjectRef::new(HPA, "podinfo-primary"), &edit);
            }
            Self::PrimaryReplicas(n) => {
                let primary = ObjectRef::new(DEPLOYMENT, "podinfo-primary");
                sim.world.edit(&primary, &json!({"spec": {"replicas": n}}));
            }
            Self::Off => {
                for name in super::SIDES {
                    sim.world.edit(&ObjectRef::new(DEPLOYMENT, name), &json!({"spec": {"replicas": 0}}));
                }
            }
        }
    }
}
