//! The test kubelet: simulates the scheduler, two nodes and their pods.
//!
//! It binds each pod to the node `n1`, or to the node that the pod names, as the pods of DaemonSets do. It gives the
//! pod an address, starts a real HTTP backend there, and reports status like a kubelet. A pod that is being deleted
//! continues to serve for [`GRACE`], and is then gone. The behaviour of a pod is set in its container's environment,
//! and can be overridden at run time (see [`Behaviour`]).
//!
//! One task watches all pods. Each pod has its own task ([`pod`], [`player`]).

mod addresses;
mod backend;
mod behaviour;
mod metrics;
mod once;
mod player;
mod pod;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context;
use futures::StreamExt;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, Patch, PatchParams},
    runtime::{WatchStreamExt, watcher},
};
use serde_json::json;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};

pub(crate) use self::backend::VERSION_HEADER;
pub use self::behaviour::{Behaviour, Selector};
use self::{
    addresses::Addresses,
    behaviour::Facts,
    player::{Ending, Overrides, Player, Shared, delete_now},
};
use crate::addresses::{NODE_IP, NODES};

/// How long a pod continues to serve after its deletion started: longer than proxies need to notice the deletion.
pub const GRACE: Duration = Duration::from_secs(3);

/// The test kubelet. Dropping it stops every backend.
pub struct Kubelet {
    client: Client,
    overrides: watch::Sender<Overrides>,
    task: JoinHandle<()>,
}

impl Kubelet {
    pub(crate) async fn start(client: Client, backends: bool) -> anyhow::Result<Self> {
        for node in NODES {
            register_node(&client, node).await.with_context(|| format!("registering the node {node}"))?;
        }
        let (overrides, receiver) = watch::channel(Overrides::new());
        let shared = Shared {
            client: client.clone(),
            addresses: Mutex::new(Addresses::default()),
            overrides: receiver,
            backends,
        };
        let task = tokio::spawn(run(Arc::new(shared)));
        Ok(Self { client, overrides, task })
    }

    /// Overrides the behaviour of the selected pods, including future ones. A second call with an equal selector
    /// replaces the first.
    pub fn set(&self, selector: Selector, behaviour: Behaviour) {
        self.overrides.send_modify(|overrides| {
            overrides.retain(|(other, _)| *other != selector);
            overrides.push((selector, behaviour));
        });
    }

    /// Removes the override that was [`set`](Self::set) with an equal selector.
    pub fn clear(&self, selector: &Selector) {
        self.overrides.send_modify(|overrides| overrides.retain(|(other, _)| other != selector));
    }

    /// Removes all overrides.
    pub fn clear_all(&self) {
        self.overrides.send_modify(Overrides::clear);
    }

    /// The selected pods fail their readiness probe until [`clear`](Self::clear), but continue to serve.
    pub fn fail_ready(&self, selector: Selector) {
        self.set(selector, Behaviour { ready: Some(false), ..Behaviour::default() });
    }

    /// The processes of the selected pods are gone until [`clear`](Self::clear): connections are refused, and the pods
    /// become unready.
    pub fn crash(&self, selector: Selector) {
        self.set(selector, Behaviour { crashed: Some(true), ..Behaviour::default() });
    }

    /// The selected pods disappear at once, as after the loss of a node. Their controllers replace them. Returns the
    /// number of pods.
    pub async fn vanish(&self, selector: &Selector) -> anyhow::Result<usize> {
        let pods: Api<Pod> = Api::all(self.client.clone());
        let mut count = 0;
        for pod in pods.list(&ListParams::default()).await.context("listing pods")? {
            let facts = Facts::of(&pod);
            if selector.matches(&facts) {
                delete_now(&self.client, &facts).await?;
                count += 1;
            }
        }
        Ok(count)
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Without a Node object, pods bound to the node are deleted as orphans.
async fn register_node(client: &Client, name: &str) -> anyhow::Result<()> {
    let nodes: Api<Node> = Api::all(client.clone());
    let labels = json!({
        "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/region": "bed", "topology.kubernetes.io/zone": "bed-1",
    });
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels},
        "spec": {"podCIDR": "10.244.0.0/16", "taints": []}});
    let resources = json!({"cpu": "1000", "memory": "1Ti", "pods": "100000", "ephemeral-storage": "1Ti"});
    let status = json!({"status": {
        "capacity": resources, "allocatable": resources,
        "addresses": [{"type": "InternalIP", "address": NODE_IP}, {"type": "Hostname", "address": name}],
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "played by the bed"}],
    }});
    let params = PatchParams::apply("kubelet").force();
    nodes.patch(name, &params, &Patch::Apply(node)).await?;
    nodes.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await?;
    // Admission adds a taint to each new node, which the (absent) node controller would remove.
    let untainted = json!({"spec": {"taints": null}});
    nodes.patch(name, &PatchParams::default(), &Patch::Merge(untainted)).await?;
    Ok(())
}

/// Watches all pods and keeps one player per pod.
async fn run(shared: Arc<Shared>) {
    let pods: Api<Pod> = Api::all(shared.client.clone());
    let mut events = watcher(pods, watcher::Config::default()).default_backoff().boxed();
    let mut players: BTreeMap<String, watch::Sender<Ending>> = BTreeMap::new();
    let mut tasks = JoinSet::new();
    let mut listed = BTreeSet::new();
    while let Some(event) = events.next().await {
        while tasks.try_join_next().is_some() {}
        match event {
            // The stream recovers by itself, with a new list.
            Err(_) => {}
            Ok(watcher::Event::Init) => listed.clear(),
            Ok(watcher::Event::InitApply(pod)) => {
                listed.insert(pod.uid().unwrap_or_default());
                observe(&shared, &mut players, &mut tasks, &pod);
            }
            Ok(watcher::Event::Apply(pod)) => observe(&shared, &mut players, &mut tasks, &pod),
            Ok(watcher::Event::InitDone) => players.retain(|uid, _| listed.contains(uid)),
            // Dropping the sender signals to the player that its pod is gone.
            Ok(watcher::Event::Delete(pod)) => drop(players.remove(&pod.uid().unwrap_or_default())),
        }
    }
}

/// Starts a player for a new pod, and signals to the player of a known pod how the pod ends.
fn observe(
    shared: &Arc<Shared>,
    players: &mut BTreeMap<String, watch::Sender<Ending>>,
    tasks: &mut JoinSet<()>,
    pod: &Pod,
) {
    let ending = match (pod.metadata.deletion_timestamp.as_ref(), pod.metadata.deletion_grace_period_seconds)
    {
        (None, _) => Ending::NotYet,
        (Some(_), seconds) => {
            let asked =
                Duration::from_secs(seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(30));
            Ending::After(asked.min(GRACE))
        }
    };
    let sender = players.entry(pod.uid().unwrap_or_default()).or_insert_with(|| {
        let (sender, receiver) = watch::channel(Ending::NotYet);
        let bound = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
        tasks.spawn(Player::new(shared.clone(), Facts::of(pod), receiver).play(bound));
        sender
    });
    sender.send_if_modified(|current| {
        let changes = *current != ending;
        *current = ending;
        changes
    });
}
