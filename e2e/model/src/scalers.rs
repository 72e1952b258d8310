//! Simulates the HorizontalPodAutoscaler controller and KEDA: sets replicas from a scripted load, within the
//! autoscalers' bounds. Handles Deployments with zero pods as the kind does. Also checks the rules for our writes of
//! autoscalers and of the replicas that autoscalers own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use serin::{
    api::Phase,
    manifest::{self, scaler},
    snapshot::{DEPLOYMENT, HPA, Kind, ObjectRef, SCALED_OBJECT},
};

use serin_invariants::view::Names;

use crate::{route, world::World};

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

/// Runs all autoscalers once. `loads`: replicas that the load of a Deployment requires. The default is the current
/// number. Returns true if they changed anything.
pub fn play(world: &mut World, loads: &BTreeMap<String, i64>, now: Timestamp) -> bool {
    let made = keep_generated(world, now);
    let mut wanted = BTreeMap::new();
    for kind in [HPA, SCALED_OBJECT] {
        for live in world.objects.of(kind).filter(|live| !scaler::generated(live)) {
            let ("Deployment", name) = scaler::scales(live) else { continue };
            let name = name.to_owned();
            let Some(deployment) = world.objects.get(DEPLOYMENT, &name) else { continue };
            let now = manifest::replicas(deployment);
            let (min, max) = scaler::bounds(kind, live);
            let paused = manifest::annotation(live, serin::names::KEDA_PAUSED_REPLICAS);
            let want = match (kind, paused.and_then(|p| p.parse::<i64>().ok())) {
                (HPA, _) if now == 0 => 0,
                (SCALED_OBJECT, Some(paused)) => paused,
                _ => {
                    let stays =
                        manifest::annotation(live, serin::names::KEDA_PAUSED_SCALE_IN) == Some("true");
                    let wanted = loads.get(&name).copied().unwrap_or(now).max(min).min(max);
                    if stays { wanted.max(now) } else { wanted }
                }
            };
            // of two autoscalers only the first acts: two would fight for ever
            wanted.entry(name).or_insert((now, want));
        }
    }
    wanted.retain(|_, (now, want)| now != want);
    let any = made || !wanted.is_empty();
    for (name, (_, replicas)) in wanted {
        world.edit(&ObjectRef::new(DEPLOYMENT, name), &json!({"spec": {"replicas": replicas}}));
    }
    any
}

/// KEDA has an HPA for each ScaledObject that is not paused, with all its labels. Returns true if it created or removed
/// one.
fn keep_generated(world: &mut World, now: Timestamp) -> bool {
    let named = |live: &Value| format!("keda-hpa-{}", live["metadata"]["name"].as_str().unwrap_or_default());
    let working = |live: &&Value| manifest::annotation(live, serin::names::KEDA_PAUSED_REPLICAS).is_none();
    let wanted: BTreeMap<String, Value> = world
        .objects
        .of(SCALED_OBJECT)
        .filter(working)
        .map(|live| {
            let (min, max) = scaler::bounds(SCALED_OBJECT, live);
            let owner = json!({
                "apiVersion": "keda.sh/v1alpha1", "kind": SCALED_OBJECT.kind, "name": live["metadata"]["name"],
                "uid": live["metadata"]["uid"], "controller": true,
            });
            let meta = json!({
                "name": named(live), "labels": live["metadata"]["labels"], "ownerReferences": [owner],
            });
            let target = live["spec"]["scaleTargetRef"].clone();
            let spec = json!({"scaleTargetRef": target, "minReplicas": min.max(1), "maxReplicas": max});
            (named(live), json!({"metadata": meta, "spec": spec}))
        })
        .collect();
    let made = world.objects.of(HPA).filter(|live| scaler::generated(live));
    let there: Vec<String> =
        made.filter_map(|live| live["metadata"]["name"].as_str().map(str::to_owned)).collect();
    let mut any = false;
    for gone in there.iter().filter(|name| !wanted.contains_key(*name)) {
        world.objects.remove(&ObjectRef::new(HPA, gone.clone()));
        any = true;
    }
    for (_, new) in wanted.into_iter().filter(|(name, _)| !there.contains(name)) {
        world.put(HPA, new, now);
        any = true;
    }
    any
}

/// The desired replicas of the Deployments that autoscalers scale.
pub(crate) fn replicas(world: &World) -> BTreeMap<String, i64> {
    let scaled = [HPA, SCALED_OBJECT].into_iter().flat_map(|kind| world.objects.of(kind));
    let names = scaled.map(scaler::scales).filter(|(kind, _)| *kind == "Deployment").map(|(_, name)| name);
    let count =
        |name: &str| Some((name.to_owned(), manifest::replicas(world.objects.get(DEPLOYMENT, name)?)));
    names.filter_map(count).collect()
}

/// Problems caused by a write.
pub(crate) fn wrong(before: &World, after: &World, names: &Names, what: &str) -> Vec<String> {
    let mut wrong: Vec<String> = [HPA, SCALED_OBJECT]
        .into_iter()
        .filter(|kind| users(before, *kind, names) != users(after, *kind, names))
        .map(|kind| format!("S11: a user's {} is changed: {what}", kind.kind))
        .collect();
    let replicas = |w: &World| w.objects.get(DEPLOYMENT, &names.primary).map(manifest::replicas);
    let scaler = after.canary.as_ref().and_then(|c| c["spec"]["autoscalerRef"]["name"].as_str());
    let Some(twin) = scaler.map(|name| format!("{name}-primary")) else { return wrong };
    if let (Some(was), Some(is)) = (replicas(before), replicas(after))
        && was != is
        && was != 0
    {
        wrong.push(format!("S3: the primary's replicas are its autoscaler's: {was} → {is}: {what}"));
    }
    let status = after.status();
    let running = matches!(status.phase, Some(Phase::Progressing | Phase::Promoting | Phase::Finalising));
    let Some(floor) = status.primary_replicas.filter(|_| running).map(i64::from) else { return wrong };
    let of = |w: &World| {
        [HPA, SCALED_OBJECT].into_iter().find_map(|kind| Some((kind, w.objects.get(kind, &twin)?.clone())))
    };
    let Some((kind, is)) = of(after) else { return wrong };
    let (min, max) = scaler::bounds(kind, &is);
    let written = of(before).is_none_or(|(_, was)| was != is);
    let route = |w: &World| route::weight_of(w, names, &names.canary_service);
    let rescue = after.ready.get(&names.primary_service).is_none_or(|ready| *ready == 0);
    let raised = route(after) > route(before) && !rescue;
    if (written || raised) && min < floor.min(max) {
        wrong.push(format!("S3: the primary may fall to {min} in a run that began with {floor}: {what}"));
    }
    let below = replicas(after).is_some_and(|r| r > 0 && r < floor.min(max));
    if raised && below {
        wrong.push(format!("S3: a weight rises while the primary is below {floor}: {what}"));
    }
    wrong
}

/// Autoscalers other than the primary's, without the fields that the operator may set for KEDA.
fn users(world: &World, kind: Kind, names: &Names) -> Vec<Value> {
    let all = world.objects.of(kind).filter(|o| scaler::scales(o).1 != names.primary);
    all.map(|o| json!([o["metadata"]["name"], o["metadata"]["labels"], o["spec"]])).collect()
}
