//! Plays the controllers of Deployments and DaemonSets, the kubelet and the EndpointSlice controller, as told: pods become
//! ready, never do, or vanish.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use serin::snapshot::{DAEMONSET, ObjectRef, SERVICE};

use crate::{configs, time::at_second, world::World};

/// What becomes of a Deployment's pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// New pods become ready.
    #[default]
    Ready,
    /// New pods do not become ready; those that were go on serving while the rollout waits for the new.
    Never,
    /// No pod is ready, also none that was.
    Vanish,
    /// All but one pod are ready.
    OneUnready,
    /// All pods are deleted by somebody, and others are not there yet.
    Leave,
    /// The controller has not looked yet.
    Unseen,
}

#[derive(Clone, Debug, Default)]
struct Played {
    uid: String,
    /// Template of the ready pods.
    template: String,
    /// What they read when they started.
    contents: Value,
    /// Ready pods.
    ready: i64,
    /// The template that is being rolled out, since when, and whether that has been achieved.
    rollout: (String, Option<Timestamp>, bool),
}

/// What is told of each Deployment, and what has become of it.
#[derive(Clone, Debug, Default)]
pub struct Pods {
    /// By name of the Deployment.
    pub modes: BTreeMap<String, Mode>,
    /// Replicas that the load asks for, by name of the Deployment: what autoscalers go by.
    pub loads: BTreeMap<String, i64>,
    /// EndpointSlices stay as they are until this is lifted.
    pub slices_late: bool,
    played: BTreeMap<String, Played>,
}

struct Counts {
    all: i64,
    updated: i64,
    available: i64,
}

impl Pods {
    /// Lets the controllers of workloads act once. True when they changed anything.
    pub(crate) fn workloads(&mut self, world: &mut World, now: Timestamp) -> bool {
        self.played.retain(|name, _| world.workload(name).is_some());
        let mut changes = Vec::new();
        for (kind, deployment) in world.workloads() {
            let name = deployment["metadata"]["name"].as_str().unwrap_or_default();
            let mode = self.modes.get(name).copied().unwrap_or_default();
            if mode == Mode::Unseen {
                continue;
            }
            let contents = configs::content_of(world, &deployment["spec"]["template"]);
            let mut status = self.deployment(name, mode, &deployment, contents, now);
            if kind == DAEMONSET {
                status = on_nodes(&deployment, &status);
            }
            if deployment["status"] != status {
                changes.push((ObjectRef::new(kind, name), status));
            }
        }
        let any = !changes.is_empty();
        for (at, status) in changes {
            world.write_workload_status(&at, status);
        }
        any
    }

    /// Lets the EndpointSlices show what is behind each Service. True when they did not.
    pub(crate) fn slices(&self, world: &mut World) -> bool {
        if self.slices_late {
            return false;
        }
        let services: Vec<String> = world
            .objects
            .of(SERVICE)
            .filter_map(|s| Some(s["metadata"]["name"].as_str()?.to_owned()))
            .collect();
        let ready: BTreeMap<String, u32> =
            services.into_iter().map(|s| (s.clone(), self.behind(world, &s))).collect();
        let leaving: BTreeMap<String, u32> =
            ready.keys().filter(|s| self.leaves(world, s)).map(|s| (s.clone(), 1)).collect();
        let changed = world.ready != ready || world.leaving != leaving;
        (world.ready, world.leaving) = (ready, leaving);
        changed
    }

    /// A pod that the Service selects is being deleted.
    fn leaves(&self, world: &World, service: &str) -> bool {
        let Some(service) = world.objects.get(SERVICE, service) else { return false };
        let selector = service["spec"]["selector"].as_object();
        world.workloads().any(|(_, d)| {
            let (name, labels) =
                (d["metadata"]["name"].as_str(), &d["spec"]["template"]["metadata"]["labels"]);
            name.is_some_and(|name| self.modes.get(name) == Some(&Mode::Leave))
                && selector.is_some_and(|s| s.iter().all(|(k, v)| labels[k] == *v))
        })
    }

    /// Ready pods that the Service selects now and that stay, whatever the EndpointSlices say as yet.
    pub fn behind(&self, world: &World, service: &str) -> u32 {
        let Some(service) = world.objects.get(SERVICE, service) else { return 0 };
        let Some(selector) = service["spec"]["selector"].as_object().filter(|s| !s.is_empty()) else {
            return 0;
        };
        let selected = world.workloads().map(|(_, d)| d).filter(|d| {
            let labels = &d["spec"]["template"]["metadata"]["labels"];
            selector.iter().all(|(k, v)| labels[k] == *v)
        });
        let ready = selected.map(|d| {
            let name = d["metadata"]["name"].as_str().unwrap_or_default();
            let played = self.played.get(name).filter(|p| d["metadata"]["uid"] == p.uid.as_str());
            played.map_or(0, |p| p.ready).min(serin::manifest::replicas(&d))
        });
        ready.sum::<i64>() as u32
    }

    /// The pods of the target all run its present template, and if `contents` with what it uses as it is now.
    pub fn all_updated(&self, world: &World, deployment: &str, contents: bool) -> bool {
        let Some(live) = world.workload(deployment) else { return false };
        let template = &live["spec"]["template"];
        let (now, text) = (configs::content_of(world, template), template.to_string());
        let present = |p: &Played| p.template == text && (!contents || p.contents == now);
        self.played.get(deployment).is_some_and(|p| present(p) && p.ready > 0)
    }

    fn deployment(&mut self, name: &str, mode: Mode, live: &Value, contents: Value, now: Timestamp) -> Value {
        let played = self.played.entry(name.to_owned()).or_default();
        let uid = live["metadata"]["uid"].as_str().unwrap_or_default();
        if played.uid != uid {
            *played = Played { uid: uid.to_owned(), ..Played::default() };
        }
        let template = live["spec"]["template"].to_string();
        if played.rollout.0 != template {
            played.rollout = (template.clone(), Some(now), false);
        }
        let desired = serin::manifest::replicas(live);
        if played.template != template || played.ready == 0 {
            played.contents = contents;
        }
        let counts = pods(played, mode, template, desired, live["spec"]["strategy"]["type"] == "Recreate");
        let complete = counts.updated == desired && counts.all == desired && counts.available == desired;
        played.rollout.2 |= complete;
        let limit = live["spec"]["progressDeadlineSeconds"].as_i64().unwrap_or(600);
        let since = played.rollout.1.unwrap_or(now);
        let late = !played.rollout.2 && now.duration_since(since).as_secs() >= limit;
        json!({
            "observedGeneration": live["metadata"]["generation"], "replicas": counts.all,
            "updatedReplicas": counts.updated, "availableReplicas": counts.available, "readyReplicas": counts.available,
            "conditions": [
                available(live, counts.available >= desired, now),
                match (late, complete || played.rollout.2) {
                    (true, _) => json!({"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}),
                    (_, true) => json!({"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}),
                    _ => json!({"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}),
                },
            ],
        })
    }
}

/// What the controller of DaemonSets says where that of Deployments has `status`.
fn on_nodes(live: &Value, status: &Value) -> Value {
    let wanted = serin::manifest::replicas(live);
    json!({
        "observedGeneration": status["observedGeneration"], "desiredNumberScheduled": wanted,
        "currentNumberScheduled": wanted, "numberMisscheduled": 0, "numberReady": status["readyReplicas"],
        "updatedNumberScheduled": status["updatedReplicas"], "numberAvailable": status["availableReplicas"],
    })
}

fn pods(played: &mut Played, mode: Mode, template: String, desired: i64, recreate: bool) -> Counts {
    let old = played.template != template;
    match mode {
        Mode::Never if old && played.ready > 0 && desired > 0 && !recreate => {
            played.ready = played.ready.min(desired);
            return Counts { all: played.ready + 1, updated: 1, available: played.ready };
        }
        Mode::Never if old => played.ready = 0,
        Mode::Never => played.ready = played.ready.min(desired),
        Mode::Vanish | Mode::Leave => played.ready = 0,
        Mode::OneUnready => played.ready = (desired - 1).max(0),
        Mode::Ready | Mode::Unseen => played.ready = desired,
    }
    played.template = template;
    Counts { all: desired, updated: desired, available: played.ready }
}

fn available(live: &Value, yes: bool, now: Timestamp) -> Value {
    let status = if yes { "True" } else { "False" };
    let old =
        live["status"]["conditions"].as_array().into_iter().flatten().find(|c| c["type"] == "Available");
    if let Some(old) = old.filter(|o| o["status"] == status) {
        return old.clone();
    }
    let reason = if yes { "MinimumReplicasAvailable" } else { "MinimumReplicasUnavailable" };
    json!({"type": "Available", "status": status, "reason": reason, "lastUpdateTime": at_second(now)})
}
