//! Many small Canaries with scripted metrics: creates them, waits for them, and releases to all of them.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};
use serin::api::{CanaryStatus, Phase};
use tokio::time::Instant;

use super::{
    common::{Bench, LIMIT},
    figure::Figure,
    record::{Key, Record},
};
use serin_bed::{Traffic, story, wait};

/// Number of namespaces for the Canaries.
const NAMESPACES: usize = 4;
/// Number of parallel requests from the benchmark.
const AT_ONCE: usize = 8;

/// The Canaries of the scale part.
pub(super) struct Fleet {
    pub(super) keys: Vec<Key>,
}

/// A Canary with five steps and two metrics for a Deployment with one pod.
pub(super) fn objects(name: &str, interval: &str, threshold: i32) -> Vec<Value> {
    let mut canary = story::canary(name);
    canary["spec"]["progressDeadlineSeconds"] = json!(600);
    canary["spec"]["service"]["gateways"] = json!(["mesh"]);
    let analysis = &mut canary["spec"]["analysis"];
    analysis["interval"] = json!(interval);
    analysis["threshold"] = json!(threshold);
    analysis["stepWeight"] = json!(10);
    for metric in analysis["metrics"].as_array_mut().into_iter().flatten() {
        metric["interval"] = json!("10s");
    }
    vec![story::deployment(name, &format!("{name}:1"), 1), canary]
}

/// The same with an autoscaler, two ConfigMaps and two Secrets.
pub(super) fn laden(name: &str, interval: &str, threshold: i32) -> Vec<Value> {
    let mut all = objects(name, interval, threshold);
    scaled(name, &mut all);
    tracking(name, &mut all);
    all
}

/// Adds an autoscaler for the Deployment (the first object), and a reference to it in the Canary (the second object).
pub(super) fn scaled(name: &str, all: &mut Vec<Value>) {
    let (api_version, kind) = ("autoscaling/v2", "HorizontalPodAutoscaler");
    all[1]["spec"]["autoscalerRef"] = json!({"apiVersion": api_version, "kind": kind, "name": name});
    let cpu = json!({"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}});
    all.push(json!({
        "apiVersion": api_version, "kind": kind, "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": 1, "maxReplicas": 4, "metrics": [{"type": "Resource", "resource": cpu}],
        },
    }));
}

/// Lets the Deployment (the first object) use two ConfigMaps and two Secrets.
pub(super) fn tracking(name: &str, all: &mut Vec<Value>) {
    story::configured(&mut all[0], name);
    all.extend(story::configs(name));
}

/// Creates `size` Canaries with autoscalers, ConfigMaps and Secrets, and waits until all are initialised.
pub(super) async fn add_laden(
    bench: &Bench,
    size: usize,
    progress: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<()> {
    let namespace = "laden";
    bench.bed.namespace(namespace).await?;
    let keys: Vec<Key> = (0..size).map(|i| (namespace.to_owned(), format!("app-{i:03}"))).collect();
    let all = keys.iter().flat_map(|key| laden(&key.1, "10s", 2)).collect();
    bench.bed.apply(namespace, all).await?;
    all_in(bench, &keys, "initialised", progress, |state| state.phase == Some(Phase::Initialized)).await
}

impl Fleet {
    /// Creates `size` Canaries and waits until all are initialised.
    pub(super) async fn create(
        bench: &Bench,
        size: usize,
        progress: &(dyn Fn(&str) + Sync),
        figures: &mut Vec<Figure>,
    ) -> anyhow::Result<Self> {
        progress(&format!("making {size} Canaries"));
        let namespaces: Vec<String> = (0..NAMESPACES).map(|i| format!("fleet-{i}")).collect();
        for namespace in &namespaces {
            bench.bed.namespace(namespace).await?;
        }
        let keys: Vec<Key> =
            (0..size).map(|i| (namespaces[i % NAMESPACES].clone(), format!("app-{i:03}"))).collect();
        let (began, from) = (Instant::now(), Timestamp::now());
        for namespace in &namespaces {
            let here = keys.iter().filter(|key| key.0 == *namespace);
            let all = here.flat_map(|key| objects(&key.1, "10s", 2)).collect();
            bench.bed.apply(namespace, all).await?;
        }
        all_in(bench, &keys, "initialised", progress, |state| state.phase == Some(Phase::Initialized))
            .await?;
        let took = began.elapsed().as_secs_f64();
        let calls = bench.requests(from)?.beyond_watches().count() as f64 / size as f64;
        let what = format!("{size} Canaries at once: from the first one made to the last one initialised");
        figures.push(Figure::new(what, "clock of the bench; making them included", took, "s"));
        figures.push(Figure::new("API calls per initialisation", "audit log, Events included", calls, ""));
        Ok(Self { keys })
    }

    /// Sets good metrics and a new image for every Canary.
    pub(super) async fn release(&self, bench: &Bench) -> anyhow::Result<()> {
        for (namespace, name) in &self.keys {
            bench.bed.scripted().traffic(namespace, name, Traffic::success(100.0, 50.0));
        }
        release(bench.bed.admin(), &self.keys).await
    }
}

/// Changes the image of every target.
pub(super) async fn release(client: Client, keys: &[Key]) -> anyhow::Result<()> {
    stream::iter(keys.to_vec())
        .map(|(namespace, name)| {
            let api: Api<Deployment> = Api::namespaced(client.clone(), &namespace);
            async move {
                let container = json!({"name": "app", "image": format!("{name}:2")});
                let patch =
                    Patch::Strategic(json!({"spec": {"template": {"spec": {"containers": [container]}}}}));
                api.patch(&name, &PatchParams::default(), &patch).await.map(drop)
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    Ok(())
}

/// Waits until each of these Canaries has been seen in a wanted state. Reports progress.
pub(super) async fn all_in(
    bench: &Bench,
    keys: &[Key],
    what: &str,
    progress: &(dyn Fn(&str) + Sync),
    wanted: impl Fn(&CanaryStatus) -> bool,
) -> anyhow::Result<()> {
    let record: &Record = &bench.record;
    let (all, quarter) = (keys.len(), (keys.len() / 4).max(1));
    let told = std::cell::RefCell::new(BTreeSet::new());
    wait::until(&format!("{all} Canaries {what}"), LIMIT, async || {
        let count = keys.iter().filter(|key| wanted(&record.last(key))).count();
        if count > 0 && all > 1 && told.borrow_mut().insert(count / quarter) {
            progress(&format!("  {count} of {all} {what}"));
        }
        (count == all).then_some(())
    })
    .await
}
