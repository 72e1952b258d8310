//! Irregular runs: other schedules, changes during the run, failing pods and metrics. Clients send requests through
//! Envoy throughout, and none may be lost.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{
    Traffic,
    kubelet::{Behaviour, Selector},
    load::{LoadHandle, Window},
    story::{Path, Story},
};

use crate::{Family, Shared, story};

pub(crate) const STORIES: Family = &[
    story!(skip_analysis_promotes_what_is_ready),
    story!(a_list_of_weights_is_followed_even_downwards),
    story!(promotion_moves_back_in_steps),
    story!(another_revision_on_the_way_starts_over_from_weight_0),
    story!(setting_the_target_back_ends_the_run_healthy),
    story!(a_canary_that_never_becomes_ready_is_rolled_back),
    story!(a_primary_that_will_not_take_the_template_gets_its_last_one_back),
    story!(a_silent_metrics_server_freezes_the_run_until_it_answers),
];

/// An initialised app with running clients and good metrics for both versions.
struct Running<'a> {
    story: Story<'a>,
    load: LoadHandle,
    path: Path,
}

async fn running<'a>(
    shared: &'a Shared,
    namespace: &str,
    edit: impl FnOnce(&mut Value),
) -> anyhow::Result<Running<'a>> {
    let story = Story::new(&shared.bed, namespace).await?;
    shared.bed.scripted().traffic(namespace, "app", Traffic::success(100.0, 20.0));
    story.initialised("app", edit).await?;
    story.target("app").serving("1", Duration::from_secs(30)).await?;
    let load = LoadHandle::start(&story.target("app"), 100.0, 2);
    let path = story.follow("app");
    Ok(Running { story, load, path })
}

impl Running<'_> {
    async fn ends(self) -> anyhow::Result<Window> {
        let window = self.load.stop().await;
        ensure!(window.lost() == 0, "requests lost: {:?}", window.failures);
        Ok(window)
    }

    /// Confirmed weights in order, without repetitions.
    fn weights(&self) -> Vec<i32> {
        let mut weights: Vec<i32> = self.path.taken().into_iter().map(|p| p.1).collect();
        weights.dedup();
        weights
    }
}

async fn skip_analysis_promotes_what_is_ready(shared: &Shared) -> anyhow::Result<()> {
    let run = running(shared, "runs-skip", |c| c["spec"]["skipAnalysis"] = json!(true)).await?;
    run.story.set_image("app", "app:2").await?;
    run.story.event("app", "Promotion completed! Canary analysis was skipped for app.runs-skip").await?;
    run.story.phase("app", Phase::Succeeded).await?;
    run.story.target("app").serving("2", Duration::from_secs(30)).await?;
    ensure!(run.weights() == [0], "weight moved: {:?}", run.weights());
    run.ends().await.map(drop)
}

async fn a_list_of_weights_is_followed_even_downwards(shared: &Shared) -> anyhow::Result<()> {
    let list = |c: &mut Value| {
        c["spec"]["analysis"].as_object_mut().map(|a| a.remove("stepWeight"));
        c["spec"]["analysis"]["stepWeights"] = json!([20, 60, 30, 30, 80]);
    };
    let run = running(shared, "runs-list", list).await?;
    run.story.condition("app", "Advisory", "True", "stepWeights passes maxWeight 50").await?;
    run.story.set_image("app", "app:2").await?;
    run.story.phase("app", Phase::Succeeded).await?;
    ensure!(run.weights() == [0, 20, 60, 30, 80, 0], "weights {:?}", run.weights());
    let advances = run.story.events("app").await?.into_iter().filter(|e| e.contains("Advance ")).count();
    ensure!(advances == 5, "{advances} steps for five weights");
    run.ends().await.map(drop)
}

async fn promotion_moves_back_in_steps(shared: &Shared) -> anyhow::Result<()> {
    let edit = |c: &mut Value| c["spec"]["analysis"]["stepWeightPromotion"] = json!(20);
    let run = running(shared, "runs-back", edit).await?;
    run.story.set_image("app", "app:2").await?;
    run.story.phase("app", Phase::Succeeded).await?;
    ensure!(run.weights() == [0, 25, 50, 30, 10, 0], "weights {:?}", run.weights());
    for primary in [70, 90, 100] {
        run.story.event("app", &format!("Advance app.runs-back primary weight {primary}")).await?;
    }
    run.ends().await.map(drop)
}

async fn another_revision_on_the_way_starts_over_from_weight_0(shared: &Shared) -> anyhow::Result<()> {
    let run = running(shared, "runs-newer", |_| {}).await?;
    run.story.set_image("app", "app:2").await?;
    let weight = |c: &serin::api::Canary| c.status.as_ref().is_some_and(|s| s.canary_weight == 25);
    run.story.canary_that("app", weight).await?;
    run.story.set_image("app", "app:3").await?;
    run.story.phase("app", Phase::Succeeded).await?;
    ensure!(run.weights() == [0, 25, 0, 25, 50, 0], "weights {:?}", run.weights());
    run.story.event("app", "New revision detected! Restarting analysis for app.runs-newer").await?;
    run.story.target("app").serving("3", Duration::from_secs(30)).await?;
    run.ends().await.map(drop)
}

async fn setting_the_target_back_ends_the_run_healthy(shared: &Shared) -> anyhow::Result<()> {
    let run = running(shared, "runs-reverted", |_| {}).await?;
    run.story.set_image("app", "app:2").await?;
    let weight = |c: &serin::api::Canary| c.status.as_ref().is_some_and(|s| s.canary_weight == 25);
    run.story.canary_that("app", weight).await?;
    run.story.set_image("app", "app:1").await?;
    let canary = run.story.phase("app", Phase::Succeeded).await?;
    let promoted = canary.status.iter().flat_map(|s| &s.conditions).find(|c| c.type_ == "Promoted");
    ensure!(promoted.is_some_and(|c| c.status == "True"), "Promoted is {promoted:?}");
    ensure!(run.story.weight("app").await? == Some(0));
    ensure!(run.story.replicas("app").await? == Some(0));
    ensure!(run.weights() == [0, 25, 0], "weights {:?}", run.weights());
    run.ends().await.map(drop)
}

async fn a_canary_that_never_becomes_ready_is_rolled_back(shared: &Shared) -> anyhow::Result<()> {
    let run = running(shared, "runs-stuck", |c| c["spec"]["progressDeadlineSeconds"] = json!(3)).await?;
    shared.bed.kubelet()?.fail_ready(Selector::image("app:2").in_namespace("runs-stuck"));
    run.story.set_image("app", "app:2").await?;
    run.story.phase("app", Phase::Failed).await?;
    ensure!(run.weights() == [0], "weights {:?}", run.weights());
    run.story
        .event("app", "canary deployment app.runs-stuck not ready: waiting for rollout to finish")
        .await?;
    run.story.event("app", "Canary failed! Scaling down app.runs-stuck").await?;
    let window = run.ends().await?;
    ensure!(window.share("1") > 0.999, "somebody got the version that is not ready");
    Ok(())
}

async fn a_primary_that_will_not_take_the_template_gets_its_last_one_back(
    shared: &Shared,
) -> anyhow::Result<()> {
    // the canary must become ready within this time, also on a busy bed
    let run = running(shared, "runs-undo", |c| c["spec"]["progressDeadlineSeconds"] = json!(20)).await?;
    let broken = Selector { image: Some("app:2".into()), ..Selector::workload("app-primary") };
    shared
        .bed
        .kubelet()?
        .set(broken.in_namespace("runs-undo"), Behaviour { ready: Some(false), ..Behaviour::default() });
    run.story.set_image("app", "app:2").await?;
    run.story.event("app", "Promotion of app.runs-undo failed, primary not ready").await?;
    run.story.phase("app", Phase::Failed).await?;
    ensure!(run.story.weight("app").await? == Some(0));
    run.story.target("app").serving("1", Duration::from_secs(30)).await?;
    // a repaired revision completes its run afterwards
    run.story.set_image("app", "app:3").await?;
    run.story.phase("app", Phase::Succeeded).await?;
    run.story.target("app").serving("3", Duration::from_secs(30)).await?;
    run.ends().await.map(drop)
}

async fn a_silent_metrics_server_freezes_the_run_until_it_answers(shared: &Shared) -> anyhow::Result<()> {
    // nothing listens there
    let edit = |c: &mut Value| c["spec"]["metricsServer"] = json!("http://10.244.255.99:9090");
    let run = running(shared, "runs-frozen", edit).await?;
    run.story.event("app", "Error checking metric providers").await?;
    run.story.set_image("app", "app:2").await?;
    run.story.condition("app", "Frozen", "True", "Prometheus query failed").await?;
    ensure!(run.story.weight("app").await? == Some(25));
    run.story.edit_canary("app", json!({"spec": {"metricsServer": shared.bed.prometheus_url()}})).await?;
    let canary = run.story.phase("app", Phase::Succeeded).await?;
    let frozen = canary.status.iter().flat_map(|s| &s.conditions).any(|c| c.type_ == "Frozen");
    ensure!(!frozen, "still frozen after the end");
    ensure!(
        run.path.taken().iter().all(|p| p.2 == 0),
        "an outage counted as a failed check: {:?}",
        run.path.taken()
    );
    run.ends().await.map(drop)
}
