#!/usr/bin/env bash
# kube 5.0.0 (Rust), runtime::events::Recorder.
#
# Guess: events of one reason with the notes "weight is 10", "weight is 20" and "weight is 30" are three Events, or one
# that says 30 in the end.
#
# Really: events are told apart by type, reason, action and object, without the note. The second and third only raise the
# count of the first: `kubectl describe` shows "weight is 10", three times. A new Event is begun only after six minutes
# without one.
#
# Matters: an operator in Rust that uses it tells of the first step of a run and of the first reason for a failed check
# only. Put what differs into the action, or write the Events yourself, as Serin does.
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
http = "1"
http-body-util = "0.1"
k8s-openapi = { version = "=0.29.0", default-features = false, features = ["v1_37"] }
kube = { version = "=5.0.0", default-features = false, features = ["client", "runtime"] }
serde_json = "1"
tokio = { version = "1", features = ["macros", "rt"] }
tower = { version = "0.5", features = ["util"] }

[profile.dev]
debug = false
TOML
with_cargo tower@0.5 <<'RUST'
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::client::Body;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // An API server that gives back what it is sent.
    let server = tower::service_fn(|request: http::Request<Body>| async {
        let method = request.method().clone();
        let sent: serde_json::Value = serde_json::from_slice(&request.into_body().collect().await?.to_bytes()).unwrap();
        println!("{method}: note {}, count {}", sent["note"], sent["series"]["count"]);
        let answer = serde_json::json!({"metadata": {"name": "app.1"}, "eventTime": null}).to_string();
        Ok::<_, kube::Error>(http::Response::new(Body::from(answer.into_bytes())))
    });
    let recorder = Recorder::new(kube::Client::new(server, "test"), Reporter { controller: "operator".into(), instance: None });
    let canary = ObjectReference {
        api_version: Some("flagger.app/v1beta1".into()),
        kind: Some("Canary".into()),
        name: Some("app".into()),
        namespace: Some("test".into()),
        ..Default::default()
    };
    for weight in [10, 20, 30] {
        let event = Event {
            type_: EventType::Normal,
            reason: "Synced".into(),
            note: Some(format!("weight is {weight}")),
            action: "Advance".into(),
            secondary: None,
        };
        recorder.publish(&event, &canary).await.unwrap();
    }
}
RUST
expect <<'END'
POST: note "weight is 10", count null
PATCH: note "weight is 10", count 2
PATCH: note "weight is 10", count 3
END
