#!/usr/bin/env bash
# kube 5.0.0 (Rust), runtime::wait::conditions::is_deployment_completed.
#
# Guess: it asks what `kubectl rollout status` asks: observedGeneration, and as many updated and available pods as wanted.
#
# Really: it asks for the condition Progressing with the reason NewReplicaSetAvailable, and nothing else. That condition
# stays after a rollout: right after the image was changed it is still the one of the last rollout, and it holds when
# all pods have been lost since.
#
# Matters: `await_condition(api, "app-primary", is_deployment_completed())` after a patch comes back at once, and what was
# to come after the rollout is done before it: tests of the old version, traffic to pods that are not there. Compare
# observedGeneration with metadata.generation first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
mkdir -p "$work/cargo/src"
cat >"$work/cargo/Cargo.toml" <<'TOML'
[package]
name = "seen"
edition = "2024"

[dependencies]
k8s-openapi = { version = "=0.29.0", default-features = false, features = ["v1_37"] }
kube = { version = "=5.0.0", default-features = false, features = ["client", "runtime"] }

[profile.dev]
debug = false
TOML
with_cargo serde_json@1 <<'RUST'
use k8s_openapi::api::apps::v1::Deployment;
use kube::runtime::wait::{conditions::is_deployment_completed, Condition};
use serde_json::json;

fn main() {
    let progressing = |reason: &str| json!({"type": "Progressing", "status": "True", "reason": reason});
    for (what, status) in [
        ("not yet observed", json!({"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3,
                                    "conditions": [progressing("NewReplicaSetAvailable")]})),
        ("in the middle", json!({"observedGeneration": 2, "replicas": 4, "updatedReplicas": 1, "availableReplicas": 3,
                                 "conditions": [progressing("ReplicaSetUpdated")]})),
        ("all pods lost", json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "unavailableReplicas": 3,
                                 "conditions": [progressing("NewReplicaSetAvailable")]})),
    ] {
        let deployment: Deployment = serde_json::from_value(json!({
            "metadata": {"name": "app", "generation": 2},
            "spec": {"replicas": 3, "selector": {}, "template": {}},
            "status": status,
        }))
        .unwrap();
        println!("{what}: {}", is_deployment_completed().matches_object(Some(&deployment)));
    }
}
RUST
expect <<'END'
not yet observed: true
in the middle: false
all pods lost: true
END
