//! One pod, simulated from its binding to its end.

use std::{net::Ipv4Addr, sync::Arc};

use anyhow::Context;
use jiff::Timestamp;
use kube::{Client, api::PostParams};
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    addresses::Addresses,
    backend::Backend,
    behaviour::{Facts, Resolved},
    once,
    player::{Ending, Player, delete_now, insist, pods},
};
use crate::addresses::NODE_IP;

/// The last reported state.
struct Reported {
    ready: bool,
    /// The time of the last change of `ready`.
    since: Timestamp,
    started: Timestamp,
}

impl Player {
    /// Simulates the pod until it is gone.
    pub(super) async fn play(mut self, bound: bool) {
        let Some(ip) = self.shared.with_addresses(Addresses::take) else { return };
        // An error here belongs to the pod: its status shows it, as with a kubelet.
        if let Err(error) = self.live(ip, bound).await {
            let message = json!({"status": {"message": format!("{error:#}"), "reason": "BedFailed"}});
            self.patch_status(&message).await.ok();
        }
        self.shared.with_addresses(|addresses| addresses.give_back(ip));
    }

    async fn live(&mut self, ip: Ipv4Addr, bound: bool) -> anyhow::Result<()> {
        if !bound {
            bind(&self.shared.client, &self.facts).await?;
        }
        if self.facts.once {
            return once::play(self, ip).await;
        }
        let mut overrides = self.shared.overrides.clone();
        let mut behaviour = self.facts.resolve(&overrides.borrow_and_update());
        let backend = Backend::new(&self.facts.name, &behaviour);
        let mut servers = self.serve(&backend, ip, &behaviour).await?;
        let began = Instant::now();
        let started = Timestamp::now();
        let mut reported = Reported { ready: false, since: started, started };
        let mut first = true;

        let grace = loop {
            let ready_at = began + behaviour.ready_after;
            let late_enough = Instant::now() >= ready_at;
            let ready = behaviour.ready && !behaviour.crashed && late_enough;
            if first || ready != reported.ready {
                if ready != reported.ready {
                    reported = Reported { ready, since: Timestamp::now(), ..reported };
                }
                self.patch_status(&self.status(ip, &reported)).await?;
                first = false;
            }
            tokio::select! {
                changed = self.ending.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    if let Ending::After(grace) = *self.ending.borrow_and_update() {
                        break grace;
                    }
                }
                changed = overrides.changed() => {
                    // The sender is the kubelet itself: without it, no pods are simulated.
                    changed.context("the kubelet is gone")?;
                    let new = self.facts.resolve(&overrides.borrow_and_update());
                    if (new.crashed, new.refuses) != (behaviour.crashed, behaviour.refuses) {
                        servers = self.serve(&backend, ip, &new).await?;
                    }
                    backend.set(&new);
                    behaviour = new;
                }
                () = sleep_until(ready_at), if !late_enough => {}
            }
        };
        // Continues to serve, so that proxies can catch up. A forced deletion ends this early.
        let ends = Instant::now() + grace;
        loop {
            tokio::select! {
                changed = self.ending.changed() => if changed.is_err() { return Ok(()) },
                () = sleep_until(ends) => break,
            }
        }
        drop(servers);
        delete_now(&self.shared.client, &self.facts).await
    }

    /// Listens, unless the pod should have no process.
    async fn serve(
        &self,
        backend: &Arc<Backend>,
        ip: Ipv4Addr,
        behaviour: &Resolved,
    ) -> anyhow::Result<JoinSet<()>> {
        if behaviour.crashed || behaviour.refuses || !self.shared.backends {
            return Ok(JoinSet::new());
        }
        backend.listen(ip, &self.facts.ports).await
    }

    fn status(&self, ip: Ipv4Addr, reported: &Reported) -> Value {
        let time = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (since, started) = (time(reported.since), time(reported.started));
        let condition = |kind: &str, is: bool, at: &str| json!({"type": kind, "status": if is { "True" } else { "False" }, "lastTransitionTime": at});
        let containers: Vec<Value> = self
            .facts
            .containers
            .iter()
            .map(|(name, image)| {
                json!({"name": name, "image": image, "imageID": image, "ready": reported.ready, "restartCount": 0,
                    "started": true, "containerID": format!("bed://{}/{name}", self.facts.uid),
                    "state": {"running": {"startedAt": started}}})
            })
            .collect();
        json!({"status": {
            "phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "hostIP": NODE_IP, "hostIPs": [{"ip": NODE_IP}],
            "startTime": started,
            "conditions": [
                condition("PodScheduled", true, &started),
                condition("Initialized", true, &started),
                condition("ContainersReady", reported.ready, &since),
                condition("Ready", reported.ready, &since),
            ],
            "containerStatuses": containers,
        }})
    }
}

async fn bind(client: &Client, facts: &Facts) -> anyhow::Result<()> {
    let pods = pods(client, facts);
    let binding = json!({"apiVersion": "v1", "kind": "Binding",
        "metadata": {"name": facts.name, "namespace": facts.namespace, "uid": facts.uid},
        "target": {"apiVersion": "v1", "kind": "Node", "name": facts.node}});
    let params = PostParams::default();
    insist(async || {
        let answer = pods.create_subresource::<Value, Value>("binding", &facts.name, &params, &binding).await;
        answer.map(drop)
    })
    .await
}
