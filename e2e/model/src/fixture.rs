//! The initial objects of models: a Deployment `podinfo` and a Canary for it.

use std::time::Duration;

use serde_json::{Value, json};
use serin::snapshot::{DAEMONSET, DEPLOYMENT, ObjectRef};

use crate::{scalers, sim::Sim, time::start, world::World};

/// A Deployment with two pods of this image.
pub fn target(image: &str) -> Value {
    json!({
        "metadata": {"name": "podinfo", "labels": {"app": "podinfo"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "podinfo"}},
            "template": {
                "metadata": {"labels": {"app": "podinfo"}},
                "spec": {"containers": [{
                    "name": "podinfod", "image": image, "ports": [{"name": "http", "containerPort": 9898}],
                }]},
            },
        },
    })
}

/// The same Deployment with another name and the same label value.
pub fn target_named(name: &str, image: &str) -> Value {
    let mut target = target(image);
    let labels = json!({"app": name});
    target["metadata"] = json!({"name": name, "labels": labels});
    target["spec"]["selector"]["matchLabels"] = labels.clone();
    target["spec"]["template"]["metadata"]["labels"] = labels;
    target
}

/// The usual Canary for a target with this name, merged with `spec`.
pub fn canary_named(name: &str, spec: &Value) -> Value {
    let mut canary = canary(spec);
    canary["metadata"]["name"] = json!(name);
    canary["spec"]["targetRef"]["name"] = json!(name);
    canary
}

/// A Canary with weights 20 and 40, a window of 10 s and a limit of three failed checks, merged with `spec`.
pub fn canary(spec: &Value) -> Value {
    let mut whole = json!({
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
        "service": {"port": 80, "targetPort": "http"},
        "progressDeadlineSeconds": 60,
        "analysis": {
            "interval": "10s", "threshold": 3, "stepWeight": 20, "maxWeight": 40,
            "metrics": [{"name": "request-success-rate", "thresholdRange": {"min": 99}}],
        },
    });
    json_patch::merge(&mut whole, spec);
    json!({"metadata": {"name": "podinfo"}, "spec": whole})
}

/// Target and Canary, and the autoscaler that the spec names. Nothing else.
pub fn world(spec: &Value) -> World {
    let mut world = World::default();
    world.put(DEPLOYMENT, target("podinfo:1"), start());
    if let Some(kind) = spec["autoscalerRef"]["kind"].as_str().and_then(serin::manifest::scaler::kind) {
        world.put(kind, scalers::of_target(kind), start());
    }
    world.put_canary(canary(spec), start());
    world
}

/// A model of them, initialised and idle.
pub fn initialised(spec: &Value) -> Sim {
    let mut sim = Sim::new(world(spec), "podinfo");
    sim.advance(Duration::from_secs(30));
    sim
}

/// Gives the target another image.
pub fn set_image(sim: &mut Sim, image: &str) {
    let containers = json!([{
        "name": "podinfod", "image": image, "ports": [{"name": "http", "containerPort": 9898}],
    }]);
    for kind in [DEPLOYMENT, DAEMONSET] {
        let at = ObjectRef::new(kind, sim.names().target.clone());
        sim.world.edit(&at, &json!({"spec": {"template": {"spec": {"containers": containers}}}}));
    }
    sim.look();
}
