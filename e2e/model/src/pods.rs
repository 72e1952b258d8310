//! Simulates the controllers of Deployments and DaemonSets, the kubelet and the EndpointSlice controller: pods become
//! ready, never become ready, or disappear, as configured.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use serin::snapshot::{DAEMONSET, ObjectRef, SERVICE};

use crate::{configs, time::at_second, world::World};

/// The behaviour of a Deployment's pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// New pods become ready.
    #[default]
    Ready,
    /// New pods do not become ready. Ready pods continue to serve while the rollout waits for the new ones.
    Never,
    /// No pod is ready, including those that were.
    Vanish,
    /// All pods except one are ready.
    OneUnready,
    /// Somebody deletes all pods, and the new ones do not exist yet.
    Leave,
    /// The controller has not seen the change yet.
    Unseen,
}

#[derive(Clone, Debug, Default)]
struct Played {
    uid: String,
    /// Template of the ready pods.
    template: String,
    /// The contents that they read at their start.
    contents: Value,
    /// Something that they need did not exist by then.
    lacking: bool,
    /// Ready pods.
    ready: i64,
    /// The template of the current rollout, its start, and whether it is complete.
    rollout: (String, Option<Timestamp>, bool),
}

/// The configured behaviour of each Deployment, and the current state.
#[derive(Clone, Debug, Default)]
pub struct Pods {
    /// By name of the Deployment.
    pub modes: BTreeMap<String, Mode>,
    /// Replicas that the load requires, by name of the Deployment: the input of autoscalers.
    pub loads: BTreeMap<String, i64>,
    /// EndpointSlices do not change until this is reset.
    pub slices_late: bool,
    played: BTreeMap<String, Played>,
}

struct Counts {
    all: i64,
    updated: i64,
    available: i64,
}

impl Pods {
    /// Runs the controllers of workloads once. Returns true if they changed anything.
    pub(crate) fn workloads(&mut self, world: &mut World, now: Timestamp) -> bool {
        self.played.retain(|name, _| world.workload(name).is_some());
        let mut changes = Vec::new();
        for (kind, deployment) in world.workloads() {
            let name = deployment["metadata"]["name"].as_str().unwrap_or_default();
            let mode = self.modes.get(name).copied().unwrap_or_default();
            if mode == Mode::Unseen {
                continue;
            }
            let template = &deployment["spec"]["template"];
            let contents = (configs::content_of(world, template), configs::complete(world, template));
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

    /// Updates the EndpointSlices. Returns true if they changed.
    pub(crate) fn slices(&self, world: &mut World, now: Timestamp) -> bool {
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
        let serving = ready.iter().filter(|(_, pods)| **pods > 0);
        let since = serving.map(|(name, _)| {
            let known = world.ready_since.get(name).copied();
            (name.clone(), known.unwrap_or(now))
        });
        world.ready_since = since.collect();
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

    /// Ready pods that the Service selects now and that stay, even if the EndpointSlices do not show them yet.
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

    /// All pods of the target run its current template and, if `contents` is set, have the current contents of the used
    /// objects.
    pub fn all_updated(&self, world: &World, deployment: &str, contents: bool) -> bool {
        let Some(live) = world.workload(deployment) else { return false };
        let template = &live["spec"]["template"];
        let (now, text) = (configs::content_of(world, template), template.to_string());
        // pods that lack something read what is there once they start
        let read = |p: &Played| p.lacking || p.contents == now;
        let present = |p: &Played| p.template == text && (!contents || read(p));
        self.played.get(deployment).is_some_and(|p| present(p) && p.ready > 0)
    }

    fn deployment(
        &mut self,
        name: &str,
        mode: Mode,
        live: &Value,
        (contents, complete): (Value, bool),
        now: Timestamp,
    ) -> Value {
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
        // while it is paused, it keeps the pods of its last template, and starts no rollout
        let kept = played.template.clone();
        let held = live["spec"]["paused"] == true && kept != template;
        if held {
            played.rollout.1 = Some(now);
        }
        // pods that lack something start, and read it, only once it exists
        if played.template != template || played.ready == 0 || played.lacking {
            (played.contents, played.lacking) = (contents, !complete);
        }
        let recreate = live["spec"]["strategy"]["type"] == "Recreate";
        let counts = if held {
            let scaled = if kept.is_empty() { 0 } else { desired };
            Counts { updated: 0, ..pods(played, mode, kept, scaled, recreate) }
        } else {
            pods(played, mode, template, desired, recreate)
        };
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

/// The status that the DaemonSet controller sets where the Deployment controller sets `status`.
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
