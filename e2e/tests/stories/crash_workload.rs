//! The activities during which the operator is killed: the objects of each workload, its trigger, its end, and the
//! clients that must not notice.
//!
//! `restart` decides when to strike, and what must be the same afterwards.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::bail;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Traffic,
    kubelet::{Behaviour, Selector},
    load::{LoadHandle, Target},
    story::{self, PATIENCE, Story, canary, deployment},
    wait,
};

use crate::{crash_hooks, crash_trouble, scalers};

/// The operator's activity when it is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    Initialised,
    Promoted,
    RolledBack,
    Deleted,
    /// A release after a change of a ConfigMap.
    Configured,
    /// As `Promoted`, with an autoscaler.
    Scaled,
    /// As `Deleted`, with an autoscaler.
    ScaledDeleted,
    /// Checked without users, then with all users, then promoted.
    BlueGreen,
    /// Found to be bad with all users on it.
    BlueGreenRolledBack,
    /// Matching requests get the new version until its promotion.
    Ab,
    /// First mirroring, then weights.
    Mirrored,
    /// Webhooks of every type, and a manual gate.
    Hooked,
    /// Its steps are edited during the run.
    Edited,
    /// Its canary loses its pods during the promotion.
    Vanished,
    /// A takeover that is refused until the user's route is repaired.
    TakeoverRefused,
    /// Target and Canary are deleted together.
    BothDeleted,
}

impl Workload {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Initialised => "initialised",
            Self::Promoted => "promoted",
            Self::RolledBack => "rolled-back",
            Self::Deleted => "deleted",
            Self::Configured => "configured",
            Self::Scaled => "scaled",
            Self::ScaledDeleted => "scaled-deleted",
            Self::BlueGreen => "blue-green",
            Self::BlueGreenRolledBack => "blue-green-rolled-back",
            Self::Ab => "a-b",
            Self::Mirrored => "mirrored",
            Self::Hooked => "hooked",
            Self::Edited => "edited",
            Self::Vanished => "vanished",
            Self::TakeoverRefused => "takeover-refused",
            Self::BothDeleted => "both-deleted",
        }
    }

    /// The Canary is deleted.
    pub(crate) fn deletes(self) -> bool {
        matches!(self, Self::Deleted | Self::ScaledDeleted | Self::BothDeleted)
    }

    /// There is no Canary before the interrupted activity starts.
    pub(crate) fn makes_canary(self) -> bool {
        matches!(self, Self::Initialised | Self::TakeoverRefused)
    }

    fn has_autoscaler(self) -> bool {
        matches!(self, Self::Scaled | Self::ScaledDeleted)
    }

    /// Its steps do not come from `stepWeight`.
    fn has_steps_of_its_own(self) -> bool {
        matches!(self, Self::BlueGreen | Self::BlueGreenRolledBack | Self::Ab | Self::Hooked | Self::Edited)
    }

    /// Fields of `spec.analysis` that differ from the default.
    fn analysis(self) -> Value {
        match self {
            Self::BlueGreen => json!({"iterations": 2, "mirror": true}),
            // one window without users, and one that is long enough to scrape the users' errors twice, as a rate needs,
            // with proxies and a Prometheus on a busy machine
            Self::BlueGreenRolledBack => json!({
                "iterations": 1, "threshold": 1, "interval": "8s",
                "metrics": [{"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "8s"}],
            }),
            Self::Ab => {
                let insiders = json!([{"headers": {INSIDER.0: {"exact": INSIDER.1}}}]);
                json!({"iterations": 2, "match": insiders})
            }
            Self::Mirrored => json!({"mirror": true, "mirrorWeight": 50}),
            Self::Edited => crash_trouble::gated_steps(),
            _ => json!({}),
        }
    }

    /// The phase in which it ends. None if there is no Canary in the end.
    fn ends(self) -> Option<Phase> {
        match self {
            Self::Initialised | Self::TakeoverRefused => Some(Phase::Initialized),
            Self::RolledBack | Self::BlueGreenRolledBack => Some(Phase::Failed),
            Self::Deleted | Self::ScaledDeleted | Self::BothDeleted => None,
            Self::Promoted
            | Self::Configured
            | Self::Scaled
            | Self::BlueGreen
            | Self::Ab
            | Self::Mirrored
            | Self::Hooked
            | Self::Edited
            | Self::Vanished => Some(Phase::Succeeded),
        }
    }

    /// The version that all users get in the end.
    fn serves(self) -> &'static str {
        match self {
            Self::Configured => "1",
            _ if self.ends() == Some(Phase::Succeeded) => "2",
            _ => "1",
        }
    }
}

/// The header for A/B tests.
const INSIDER: (&str, &str) = ("x-canary", "insider");

/// Everything before the point from which writes are counted.
pub(crate) async fn prepare(story: &Story<'_>, workload: Workload) -> anyhow::Result<()> {
    let traffic = match workload {
        Workload::RolledBack => Traffic::success(50.0, 10.0),
        // few, so that the users' errors are a large share
        Workload::BlueGreenRolledBack => Traffic { ok: 10, bad: 0, duration_ms: 10.0 },
        _ => Traffic::success(100.0, 10.0),
    };
    story.bed.scripted().traffic(&story.namespace, "app", traffic);
    if workload == Workload::BlueGreenRolledBack {
        let bad = Behaviour { error_rate: Some(1.0), ..Behaviour::default() };
        story.bed.kubelet()?.set(Selector::image("app:2").in_namespace(&story.namespace), bad);
    }
    story.bed.gateway(&story.namespace, &[&story.host("app")]).await?;
    let mut target = deployment("app", "app:1", 1);
    if workload == Workload::Configured {
        story::configured(&mut target, "app");
        story.apply(story::configs("app")).await?;
    }
    story.apply(vec![target]).await?;
    if workload == Workload::TakeoverRefused {
        crash_trouble::routed(story).await?;
    }
    if workload.makes_canary() {
        return Ok(());
    }
    if workload == Workload::Vanished {
        crash_trouble::slow_primary(story)?;
    }
    if workload.has_autoscaler() {
        story.apply(vec![scalers::hpa("app", "app", (1, 4))]).await?;
    }
    make_canary(story, workload).await?;
    story.phase("app", Phase::Initialized).await?;
    if workload.has_autoscaler() {
        scalers::scale(story, "app-primary", 2).await?;
    }
    // rates exist from the second scrape on
    let rate = format!(
        "rate(istio_requests_total{{destination_workload_namespace=\"{}\"}}[5s]) > 0",
        story.namespace
    );
    let measured = async || story.bed.query(&rate).await.is_ok_and(|values| !values.is_empty()).then_some(());
    wait::until("the scripted series", PATIENCE, measured).await?;
    story.target("app").serving("1", PATIENCE).await
}

async fn make_canary(story: &Story<'_>, workload: Workload) -> anyhow::Result<()> {
    let mut canary = canary("app");
    if workload.has_autoscaler() {
        canary["spec"]["autoscalerRef"] = scalers::named("app");
    }
    canary["spec"]["service"]["hosts"] = json!([story.host("app")]);
    canary["spec"]["settleTime"] = json!("2s");
    let analysis = &mut canary["spec"]["analysis"];
    analysis["threshold"] = json!(2);
    if workload.has_steps_of_its_own() {
        analysis.as_object_mut().map(|fields| (fields.remove("stepWeight"), fields.remove("maxWeight")));
    }
    for (field, value) in workload.analysis().as_object().into_iter().flatten() {
        analysis[field] = value.clone();
    }
    if workload == Workload::Hooked {
        crash_hooks::hook(story, analysis).await?;
    }
    story.apply(vec![canary]).await
}

/// Triggers the activity.
pub(crate) async fn act(story: &Story<'_>, workload: Workload) -> anyhow::Result<()> {
    match workload {
        Workload::Initialised | Workload::TakeoverRefused => make_canary(story, workload).await,
        Workload::BothDeleted => crash_trouble::remove_both(story).await,
        Workload::Configured => {
            let api: kube::Api<ConfigMap> = story.api();
            let changed = Patch::Merge(json!({"data": {"LEVEL": "2"}}));
            api.patch("app-env", &PatchParams::default(), &changed).await?;
            Ok(())
        }
        Workload::Deleted | Workload::ScaledDeleted => {
            let api: kube::Api<Canary> = story.api();
            api.delete("app", &DeleteParams::default()).await?;
            Ok(())
        }
        _ => story.set_image("app", "app:2").await,
    }
}

/// Waits for the last phase.
pub(crate) async fn ended(story: &Story<'_>, workload: Workload) -> anyhow::Result<()> {
    match workload.ends() {
        Some(_) if workload == Workload::Hooked => crash_hooks::ended(story).await,
        Some(_) if workload == Workload::Edited => crash_trouble::edited(story).await,
        Some(_) if workload == Workload::Vanished => crash_trouble::vanished(story).await,
        Some(_) if workload == Workload::TakeoverRefused => crash_trouble::taken_over(story).await,
        None if workload == Workload::BothDeleted => crash_trouble::all_gone(story).await,
        Some(phase) => story.phase("app", phase).await.map(drop),
        None => wait::gone(story.api::<Canary>(), "app", PATIENCE).await,
    }
}

/// Like [`ended`], after a crash that may have left no record of the activity.
pub(crate) async fn ended_after(
    story: &Story<'_>,
    workload: Workload,
    unrecorded: bool,
) -> anyhow::Result<()> {
    if unrecorded { crash_trouble::left_running(story).await } else { ended(story, workload).await }
}

/// Clients that start with the first answer: before a Canary is initialised, nothing routes to its pods.
pub(crate) struct Load(tokio::task::JoinHandle<anyhow::Result<Vec<LoadHandle>>>, Workload);

impl Load {
    pub(crate) fn start(target: Target, workload: Workload) -> Self {
        let started = async move {
            if workload == Workload::BothDeleted {
                // all serving objects are deleted
                return Ok(vec![]);
            }
            if workload == Workload::Initialised {
                target.serving("1", PATIENCE).await?;
            }
            let mut all = vec![LoadHandle::start(&target, 30.0, 2)];
            if workload == Workload::Ab {
                let named = target.header(INSIDER.0, INSIDER.1);
                all.push(LoadHandle::start(&named, 30.0, 2));
            }
            Ok(all)
        };
        Self(tokio::spawn(started), workload)
    }

    /// No request was lost, all errors come from the bad version, and all clients get the expected version now.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let Self(started, workload) = self;
        for load in started.await?? {
            let (all, serves) = (load.reset(), workload.serves());
            let lost = AtomicU64::new(0);
            // the proxy may not have the last change yet
            let alone = async || {
                let these = load.requests(10, PATIENCE).await.ok()?;
                load.reset();
                lost.fetch_add(these.lost(), Ordering::Relaxed);
                (these.version_errors == 0 && these.versions.keys().eq([serves])).then_some(())
            };
            wait::until(&format!("version {serves} to answer everybody"), PATIENCE, alone).await?;
            load.requests(30, PATIENCE).await?;
            let after = load.stop().await;
            if after.lost() > 0 {
                bail!("of {} requests after the end, lost: {:?}", after.requests, after.failures);
            }
            let errors = if workload == Workload::BlueGreenRolledBack { 0 } else { all.version_errors };
            // until the run has ended, requests to deleted pods are lost
            let died = workload == Workload::Vanished;
            if all.lost() + lost.into_inner() + errors > 0 && !died {
                bail!("of {} requests, failed: {:?}", all.requests, all.failures);
            }
        }
        Ok(())
    }
}
