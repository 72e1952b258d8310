//! A pod that ends by itself, like the pods of Jobs: it has no server, may call other pods, and exits.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use jiff::Timestamp;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::{Api, api::ListParams};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::player::{Ending, Player, delete_now};
use crate::{addresses::NODE_IP, http};

/// From the binding of the pod until its object is deleted, or should be.
pub(super) async fn play(player: &mut Player, ip: Ipv4Addr) -> anyhow::Result<()> {
    let started = now();
    if player.facts.without_image() {
        let waiting = json!({"waiting": {"reason": "ErrImagePull", "message": "no such host"}});
        player.patch_status(&status(player, ip, "Pending", &started, &waiting)).await?;
        return told_to_go(player, ip, Some(&started)).await;
    }
    let running = json!({"running": {"startedAt": started}});
    player.patch_status(&status(player, ip, "Running", &started, &running)).await?;
    let (runs, mut code, calls) = player.facts.task();
    let calls = calls.map(|(service, times)| (service.to_owned(), times));
    let (client, namespace) = (player.shared.client.clone(), player.facts.namespace.clone());
    let (facts, mut overrides) = (player.facts.clone(), player.shared.overrides.clone());
    let work = async move {
        if let Some((service, times)) = calls {
            call(&Api::namespaced(client, &namespace), &service, times).await?;
        }
        sleep(runs).await;
        while !facts.resolve(&overrides.borrow_and_update()).done {
            overrides.changed().await.context("the kubelet is gone")?;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        done = work => if done.is_err() { code = 1 },
        changed = player.ending.changed() => {
            if changed.is_err() {
                return Ok(());
            }
            let state = exited(137, &started);
            return killed(player, ip, &started, &state).await;
        }
    }
    let phase = if code == 0 { "Succeeded" } else { "Failed" };
    player.patch_status(&status(player, ip, phase, &started, &exited(code, &started))).await?;
    told_to_go(player, ip, None).await
}

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn exited(code: i32, started: &str) -> Value {
    let reason = if code == 0 { "Completed" } else { "Error" };
    json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": started, "finishedAt": now()}})
}

fn status(player: &Player, ip: Ipv4Addr, phase: &str, started: &str, state: &Value) -> Value {
    let ready = phase == "Running";
    let condition = |kind: &str, is: bool| json!({"type": kind, "status": if is { "True" } else { "False" }, "lastTransitionTime": now()});
    let containers: Vec<Value> = player
        .facts
        .containers
        .iter()
        .map(|(name, image)| {
            json!({"name": name, "image": image, "imageID": "", "ready": ready, "restartCount": 0, "started": ready, "state": state})
        })
        .collect();
    json!({"status": {
        "phase": phase, "podIP": ip, "podIPs": [{"ip": ip}], "hostIP": NODE_IP, "hostIPs": [{"ip": NODE_IP}],
        "startTime": started,
        "conditions": [
            condition("PodScheduled", true), condition("Initialized", true),
            condition("ContainersReady", ready), condition("Ready", ready),
        ],
        "containerStatuses": containers,
    }})
}

/// Waits until the pod should be deleted: a pod that has ended stays, for its log. `started`: the start time of a pod
/// that has not ended.
async fn told_to_go(player: &mut Player, ip: Ipv4Addr, started: Option<&str>) -> anyhow::Result<()> {
    loop {
        if player.ending.changed().await.is_err() {
            return Ok(());
        }
        if *player.ending.borrow_and_update() != Ending::NotYet {
            return match started {
                Some(started) => killed(player, ip, started, &never_began()).await,
                None => delete_now(&player.shared.client, &player.facts).await,
            };
        }
    }
}

/// Its process is killed. Controllers that count ends see one before the object is deleted.
async fn killed(player: &Player, ip: Ipv4Addr, started: &str, state: &Value) -> anyhow::Result<()> {
    player.patch_status(&status(player, ip, "Failed", started, state)).await?;
    delete_now(&player.shared.client, &player.facts).await
}

/// How kubelets report the end of a container that never started.
fn never_began() -> Value {
    json!({"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}})
}

/// Calls the ready pods behind a Service in turn, `times` in total.
async fn call(slices: &Api<EndpointSlice>, service: &str, times: u32) -> anyhow::Result<()> {
    let of = ListParams::default().labels(&format!("kubernetes.io/service-name={service}"));
    let mut pods: Vec<SocketAddr> = Vec::new();
    for slice in slices.list(&of).await.with_context(|| format!("listing what is behind {service}"))? {
        let port = slice.ports.iter().flatten().find_map(|port| port.port).unwrap_or(8080);
        let port = u16::try_from(port).context("a port out of range")?;
        let ready = slice
            .endpoints
            .iter()
            .flatten()
            .filter(|e| e.conditions.as_ref().is_some_and(|c| c.ready == Some(true)));
        pods.extend(
            ready.flat_map(|e| &e.addresses).filter_map(|ip| Some(SocketAddr::new(ip.parse().ok()?, port))),
        );
    }
    let mut next = pods.iter().cycle();
    for _ in 0..times {
        let pod = *next.next().with_context(|| format!("nothing is behind {service}"))?;
        let reply = http::get(pod, "/healthcheck").await?;
        anyhow::ensure!(reply.status < 500, "{pod} answers {}", reply.status);
    }
    Ok(())
}
