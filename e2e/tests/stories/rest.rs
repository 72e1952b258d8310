//! The operator's requests to the API server, from its audit log: none between runs, also with tracked ConfigMaps and
//! Secrets, and few during a run.

use std::time::Duration;

use anyhow::ensure;
use jiff::Timestamp;
use serde_json::json;
use serin::api::Phase;
use serin_bed::{
    Traffic, User,
    audit::{Audit, Request},
    story::Story,
};

use crate::{
    Family, Shared,
    scalers::{hpa, named},
};

pub(crate) const STORIES: Family =
    &[crate::story!(nothing_is_asked_at_rest), crate::story!(a_rollout_takes_few_calls)];

/// How long to observe the idle operator.
const REST: Duration = Duration::from_secs(20);
/// Maximum number of accepted API calls of a whole rollout, including Events: those in docs/benchmarks.md, and one more.
const MOST: usize = 44;
/// Maximum number of refused ones: each of the two changes of the target's replicas may collide with both writes by which the
/// Deployment's controller answers a change.
const COLLISIONS: usize = 4;

async fn nothing_is_asked_at_rest(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "rest").await?;
    for (app, percent) in [("good", 100.0), ("bad", 0.0)] {
        let hpa = hpa(app, app, (1, 4));
        story.apply(vec![hpa]).await?;
        story.configured(app, |c| c["spec"]["autoscalerRef"] = named(app)).await?;
        shared.bed.scripted().traffic("rest", app, Traffic::success(percent, 50.0));
        story.set_image(app, &format!("{app}:2")).await?;
    }
    story.phase("good", Phase::Succeeded).await?;
    story.phase("bad", Phase::Failed).await?;
    // the last Event in each case
    story.event("good", "Promotion completed!").await?;
    story.event("bad", "Canary failed!").await?;

    let rests = Timestamp::now();
    tokio::time::sleep(REST).await;
    let all = Audit::of(&shared.bed, User::Operator)?.beyond_watches();
    let worked = all.within("rest").between(Timestamp::MIN, rests).count();
    ensure!(worked > 20, "two runs by {worked} requests: that is not the whole log");
    let asked = all.within("rest").between(rests, Timestamp::MAX);
    ensure!(asked.count() == 0, "asked at rest: {:?}", asked.requests());
    // other stories have cluster-wide routes of a mesh, and a metric of that API
    let beside = ["kuma.io", "external.metrics.k8s.io"];
    let about_cluster = |r: &Request| r.namespace.is_empty() && !beside.contains(&r.group.as_str());
    let polled = all.between(rests, Timestamp::MAX).only(|r| about_cluster(r) && r.verb != "list");
    ensure!(polled.count() == 0, "asked about the cluster: {:?}", polled.requests());
    Ok(())
}

async fn a_rollout_takes_few_calls(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "calls").await?;
    story
        .initialised("app", |canary| {
            canary["spec"]["analysis"]["interval"] = json!("3s");
            canary["spec"]["analysis"]["stepWeight"] = json!(10);
        })
        .await?;
    story.event("app", "Initialization done!").await?;
    shared.bed.scripted().traffic("calls", "app", Traffic::success(100.0, 50.0));
    let path = story.follow("app");
    let began = Timestamp::now();
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Succeeded).await?;
    story.event("app", "Promotion completed!").await?;
    let steps: Vec<i32> = path.taken().iter().map(|point| point.1).filter(|weight| *weight > 0).collect();
    ensure!([10, 20, 30, 40, 50].iter().all(|weight| steps.contains(weight)), "weights taken: {steps:?}");

    let calls = Audit::of(&shared.bed, User::Operator)?
        .beyond_watches()
        .within("calls")
        .between(began, Timestamp::MAX);
    let (accepted, refused) = (calls.only(|r| r.code < 400), calls.only(|r| r.code >= 400));
    let targets = Audit::of(&shared.bed, User::ControllerManager)?
        .within("calls")
        .between(began, Timestamp::MAX)
        .only(|r| r.resource.starts_with("deployments") && r.name == "app");
    let log = || format!("Serin's requests:\n{calls}\nwrites of the Deployment's controller:\n{targets}");
    ensure!(accepted.count() > 20, "that is not the whole log\n{}", log());
    ensure!(accepted.count() <= MOST, "{} accepted calls\n{}", accepted.count(), log());
    let scaled = |r: &Request| r.kind() == "patch deployments/scale";
    ensure!(accepted.only(scaled).count() == 2, "the target's replicas were not changed twice\n{}", log());
    let other = refused.only(|r| !(r.code == 409 && scaled(r)));
    ensure!(other.count() == 0 && refused.count() <= COLLISIONS, "refused calls\n{}", log());

    // the operator's own metrics also show the number of calls
    let metrics = shared.operator.lock().await.metrics().await?;
    for series in [
        "serin_step_lateness_seconds_count",
        r#"flagger_canary_duration_seconds_count{name="app",namespace="calls"}"#,
    ] {
        let value = metrics.lines().find_map(|line| line.strip_prefix(series)?.trim().parse::<u64>().ok());
        ensure!(value > Some(0), "{series} is {value:?} after a rollout");
    }
    Ok(())
}
