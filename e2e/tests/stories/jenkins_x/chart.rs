//! The chart, operations on it, and the texts of its Events.

use std::collections::BTreeSet;

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Service};
use kube::{ResourceExt, api::ListParams};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Traffic,
    load::{LoadHandle, Target, Window},
    story::{PATIENCE, Path, Point, Story},
    wait,
};

use crate::Shared;

const MANIFEST: &str = include_str!("../../../manifests/jenkins-x-v1alpha2.yaml");
pub(super) const APP: &str = "jx-go-demo-6";
pub(super) const PRIMARY: &str = "jx-go-demo-6-primary";
pub(super) const GATEWAY: &str = "jx-gateway.istio-system.svc.cluster.local";

/// Interval of the analysis, and window of its metrics.
pub(super) type Times = (&'static str, &'static str);

/// A namespace with the chart.
pub(super) struct Chart<'a> {
    pub(super) story: Story<'a>,
    pub(super) host: String,
    pub(super) objects: Vec<Value>,
}

impl<'a> Chart<'a> {
    /// The rendered chart, not yet applied. `address` is the last number of the IP address in its host name. The
    /// chart's is 10.
    pub(super) async fn new(shared: &'a Shared, namespace: &str, address: u8) -> anyhow::Result<Self> {
        let host = format!("go-demo-6.192.0.2.{address}.example.com");
        let text = MANIFEST.replace("go-demo-6.192.0.2.10.example.com", &host);
        let gateway = json!({
            "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
            "metadata": {"name": "jx-gateway", "namespace": "istio-system"},
            "spec": {
                "selector": {"istio": "ingressgateway"},
                "servers": [{
                    "port": {"number": 80, "name": "http", "protocol": "HTTP"},
                    "bind": serin_bed::GATEWAY.ip().to_string(), "hosts": ["*"],
                }],
            },
        });
        let story = Story::new(&shared.bed, namespace).await?;
        story.apply(vec![gateway]).await?;
        Ok(Self { story, host, objects: serde_saphyr::from_multiple(&text)? })
    }

    pub(super) fn timed(mut self, (interval, window): Times) -> Self {
        let analysis = &mut self.canary()["spec"]["canaryAnalysis"];
        analysis["interval"] = json!(interval);
        for metric in analysis["metrics"].as_array_mut().into_iter().flatten() {
            metric["interval"] = json!(window);
        }
        self
    }

    pub(super) fn canary(&mut self) -> &mut Value {
        &mut self.objects[2]
    }

    /// Applies the chart.
    pub(super) async fn install(&self) -> anyhow::Result<()> {
        self.story.apply(self.objects.clone()).await
    }

    pub(super) async fn initialised(self) -> anyhow::Result<Self> {
        self.install().await?;
        self.story.phase(APP, Phase::Initialized).await?;
        Ok(self)
    }

    /// Applies the chart and starts clients of the app.
    pub(super) async fn in_use(self) -> anyhow::Result<(Self, LoadHandle)> {
        let chart = self.initialised().await?;
        let target = chart.target();
        target.serving("1.0.0", PATIENCE).await?;
        Ok((chart, LoadHandle::start(&target, 100.0, 4)))
    }

    pub(super) fn target(&self) -> Target {
        Target::gateway(&self.host)
    }

    pub(super) async fn release(&self, version: &str) -> anyhow::Result<()> {
        self.story.set_image_of(APP, "go-demo-6", &format!("go-demo-6:{version}")).await
    }

    /// Follows the Canary, starting with its current status.
    pub(super) async fn followed(&self) -> anyhow::Result<Path> {
        let path = self.story.follow(APP);
        path.until("anything", |_| true).await?;
        Ok(path)
    }

    /// `name.namespace`, as in messages.
    pub(super) fn dotted(&self, name: &str) -> String {
        format!("{name}.{}", self.story.namespace)
    }

    /// The Halt message for a missing measurement.
    pub(super) fn no_values(&self) -> String {
        format!(
            "W Halt advancement no values found for istio metric request-success-rate probably {} is not receiving \
             traffic: running query failed: no values found",
            self.dotted(APP)
        )
    }

    /// Events up to one with `last`, without advice and without those about pods that are not ready.
    pub(super) async fn told(&self, last: &str) -> anyhow::Result<Vec<String>> {
        self.story.event(APP, last).await?;
        let mut all = self.story.events(APP).await?;
        let advice = [" is the old name of ", " is not a multiple of stepWeight "];
        all.retain(|note| !note.contains(" not ready: ") && !advice.iter().any(|text| note.contains(text)));
        Ok(all)
    }

    /// The result of [`told`](Self::told) from the first Event to the first weight.
    pub(super) fn told_until_first_weight(&self) -> Vec<String> {
        vec![
            "N all the metrics providers are available!".into(),
            format!("N Initialization done! {}", self.dotted(APP)),
            format!("N New revision detected! Scaling up {}", self.dotted(APP)),
            format!("N Starting canary analysis for {}", self.dotted(APP)),
            self.advanced(20),
        ]
    }

    pub(super) fn advanced(&self, weight: i32) -> String {
        format!("N Advance {} canary weight {weight}", self.dotted(APP))
    }

    pub(super) fn told_of_failure(&self) -> [String; 2] {
        let app = self.dotted(APP);
        [
            format!("W Rolling back {app} failed checks threshold reached 5"),
            format!("W Canary failed! Scaling down {app}"),
        ]
    }

    /// Exact traffic for the canary, scripted in Prometheus instead of sent.
    pub(super) fn script(&self, percent: f64) {
        let traffic = Traffic::success(percent, 100.0);
        self.story.bed.scripted().traffic(&self.story.namespace, APP, traffic);
    }

    /// Waits until the success rate of the canary over `window` is a number, or is missing.
    pub(super) async fn measured(&self, window: &str, number: bool) -> anyhow::Result<()> {
        let of = format!("destination_workload_namespace=\"{}\"", self.story.namespace);
        let query = format!("sum(rate(istio_requests_total{{{of}}}[{window}])) > 0");
        let looked =
            async || self.story.bed.query(&query).await.ok().filter(|found| found.is_empty() != number);
        wait::until(&format!("`{query}` to be there: {number}"), PATIENCE, looked).await.map(drop)
    }
}

/// The weights of a path without repetitions.
pub(super) fn weights(path: &[Point]) -> Vec<i32> {
    let mut all: Vec<i32> = path.iter().map(|point| point.1).collect();
    all.dedup();
    all
}

pub(super) fn failed_checks(canary: &Canary) -> i32 {
    canary.status.as_ref().map_or(0, |s| s.failed_checks)
}

pub(super) fn weight(canary: &Canary) -> i32 {
    canary.status.as_ref().map_or(0, |s| s.canary_weight)
}

/// Waits until a hundred consecutive answers come from one version.
pub(super) async fn only_answers_of(load: &LoadHandle, version: &str) -> anyhow::Result<()> {
    let others = |window: &Window| -> u64 {
        window.versions.iter().filter(|(name, _)| *name != version).map(|(_, answers)| answers.total()).sum()
    };
    wait::until(&format!("all answers to be of {version}"), PATIENCE, async || {
        let before = load.snapshot();
        let after = load.requests(before.requests + 100, PATIENCE).await.ok()?;
        (others(&before) == others(&after)).then_some(())
    })
    .await
}

/// Names of all objects that the operator creates, by kind.
pub(super) async fn generated(story: &Story<'_>) -> anyhow::Result<[BTreeSet<String>; 4]> {
    let all = ListParams::default();
    Ok([
        names(&story.api::<Deployment>().list(&all).await?.items),
        names(&story.api::<Service>().list(&all).await?.items),
        names(&story.virtual_services().list(&all).await?.items),
        names(&story.destination_rules().list(&all).await?.items),
    ])
}

fn names<K: ResourceExt>(list: &[K]) -> BTreeSet<String> {
    list.iter().map(ResourceExt::name_any).collect()
}

pub(super) fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(super) async fn route(story: &Story<'_>) -> anyhow::Result<Value> {
    Ok(story.virtual_services().get(APP).await?.data["spec"].clone())
}
