//! Plays the HorizontalPodAutoscaler controller and KEDA: replicas by a scripted load, within the bounds that the
//! autoscalers give; no pods are left alone, or are asked for, as the kind has it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use serin::{
    manifest::{self, scaler},
    snapshot::{DEPLOYMENT, HPA, Kind, ObjectRef, SCALED_OBJECT},
};

use super::world::World;

/// The usual autoscaler of the target, of either kind: two to six replicas.
pub fn of_target(kind: Kind) -> Value {
    let (min, max) =
        if kind == HPA { ("minReplicas", "maxReplicas") } else { ("minReplicaCount", "maxReplicaCount") };
    json!({
        "metadata": {"name": "podinfo"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
            min: 2, max: 6,
        },
    })
}

/// Lets all autoscalers act once. `loads`: replicas that the load of a Deployment asks for; what it has without. True
/// when they changed anything.
pub fn play(world: &mut World, loads: &BTreeMap<String, i64>) -> bool {
    let mut wanted = BTreeMap::new();
    for kind in [HPA, SCALED_OBJECT] {
        for live in world.objects.of(kind) {
            let name = scaler::scales(live).1.to_owned();
            let Some(deployment) = world.objects.get(DEPLOYMENT, &name) else { continue };
            let now = manifest::replicas(deployment);
            let (min, max) = scaler::bounds(kind, live);
            let paused = manifest::annotation(live, serin::names::KEDA_PAUSED_REPLICAS);
            let want = match (kind, paused.and_then(|p| p.parse::<i64>().ok())) {
                (HPA, _) if now == 0 => 0,
                (SCALED_OBJECT, Some(paused)) => paused,
                _ => loads.get(&name).copied().unwrap_or(now).max(min).min(max),
            };
            if want != now {
                // of two autoscalers the first has its way
                wanted.entry(name).or_insert(want);
            }
        }
    }
    let any = !wanted.is_empty();
    for (name, replicas) in wanted {
        world.edit(&ObjectRef::new(DEPLOYMENT, name), &json!({"spec": {"replicas": replicas}}));
    }
    any
}
