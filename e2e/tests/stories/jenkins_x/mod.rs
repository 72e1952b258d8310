//! A Jenkins X chart from 2019: its old manifest is applied unchanged, initialised, released, rolled back, reverted in
//! Git and deleted. Only times are shorter than the chart's, and each story has its own address.
#![allow(non_snake_case, reason = "stories bear the ids of their scenarios")]

mod chart;

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use k8s_openapi::api::{apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler, core::v1::Service};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    load::LoadHandle,
    story::{PATIENCE, Story},
    wait,
};

use crate::{Family, Shared};
use chart::{
    APP, Chart, GATEWAY, PRIMARY, failed_checks, generated, only_answers_of, route, set, weight, weights,
};

pub(crate) const STORIES: Family = &[
    crate::story!(S3_1_initialise),
    crate::story!(S3_2_good_release),
    crate::story!(S3_3_late_first_sample),
    crate::story!(S3_4_no_traffic),
    crate::story!(S3_5_ten_percent_errors),
    crate::story!(S3_8_revert_in_git),
    crate::story!(S3_9_legacy_manifest),
    crate::story!(S3_9_legacy_manifest_with_an_autoscaler),
    crate::story!(S3_11_delete_mid_run_unset),
    crate::story!(S3_11_delete_mid_run_true),
    crate::story!(S3_11_delete_mid_run_false),
];

async fn S3_1_initialise(shared: &Shared) -> anyhow::Result<()> {
    let chart = Chart::new(shared, "jx-initialise", 10).await?;
    let target = chart.target();
    let client = async {
        target.serving("1.0.0", PATIENCE).await?;
        anyhow::Ok(LoadHandle::start(&target, 100.0, 4))
    };
    let cluster = async {
        chart.install().await?;
        chart.story.phase(APP, Phase::Initialized).await
    };
    let (load, canary) = tokio::try_join!(client, cluster)?;
    let so_far = load.snapshot().requests;
    load.requests(so_far + 100, PATIENCE).await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0 && window.version_errors == 0, "lost: {:?}", window.failures);

    let story = &chart.story;
    let [deployments, services, routes, rules] = generated(story).await?;
    ensure!(deployments == set(&[APP, PRIMARY]), "{deployments:?}");
    ensure!(services == set(&["go-demo-6", APP, PRIMARY, "jx-go-demo-6-canary"]), "{services:?}");
    ensure!(routes == set(&[APP]), "{routes:?}");
    ensure!(rules == set(&[PRIMARY, "jx-go-demo-6-canary"]), "{rules:?}");
    let primary = story.api::<Deployment>().get(PRIMARY).await?;
    let ready = primary.status.and_then(|s| s.ready_replicas);
    ensure!(primary.spec.replicas == Some(3) && ready == Some(3), "{ready:?} of 3");
    ensure!(story.replicas(APP).await? == Some(0));
    for (service, pods) in
        [(APP, PRIMARY), (PRIMARY, PRIMARY), ("jx-go-demo-6-canary", APP), ("go-demo-6", APP)]
    {
        let selector = story.selector(service).await?;
        ensure!(selector == json!({"app": pods}), "{service} selects {selector}");
    }
    let route = route(story).await?;
    ensure!(route["hosts"] == json!([chart.host, APP]), "{route}");
    ensure!(route["gateways"] == json!([GATEWAY, "mesh"]), "{route}");
    let split = json!([
        {"destination": {"host": PRIMARY}, "weight": 100},
        {"destination": {"host": "jx-go-demo-6-canary"}, "weight": 0},
    ]);
    ensure!(route["http"] == json!([{"route": split}]), "{route}");
    ensure!(weight(&canary) == 0);

    story.event(APP, "Initialization done!").await?;
    let mut events = story.events(APP).await?;
    events.retain(|note| !note.contains(" is the old name of "));
    events.dedup_by_key(|note| note.contains(" not ready: "));
    let waiting = format!("W {} not ready: waiting for rollout to finish: ", chart.dotted(PRIMARY));
    ensure!(events.len() == 3 && events[1].starts_with(&waiting), "{events:#?}");
    ensure!(events[2] == format!("N Initialization done! {}", chart.dotted(APP)), "{events:#?}");
    Ok(())
}

async fn S3_2_good_release(shared: &Shared) -> anyhow::Result<()> {
    let chart = Chart::new(shared, "jx-good", 12).await?.timed(("2s", "5s"));
    let (chart, load) = chart.in_use().await?;
    let path = chart.followed().await?;
    chart.release("2.0.0").await?;
    let path = path.until("phase Succeeded", |p| p.0 == "Succeeded").await?;
    chart.target().serving("2.0.0", PATIENCE).await?;
    only_answers_of(&load, "2.0.0").await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0, "lost: {:?}", window.failures);
    ensure!(weights(&path) == [0, 20, 40, 60, 70, 0], "{path:?}");

    let mut events = chart.told("Promotion completed!").await?;
    // another story tests a late first sample
    events.retain(|note| *note != chart.no_values());
    let mut expected = chart.told_until_first_weight();
    expected.extend([40, 60, 70].map(|weight| chart.advanced(weight)));
    expected.push(format!("N Copying {} template spec to {}", chart.dotted(APP), chart.dotted(PRIMARY)));
    expected.push("N Routing all traffic to primary".into());
    expected.push(format!("N Promotion completed! Scaling down {}", chart.dotted(APP)));
    ensure!(events == expected, "{events:#?}");
    ensure!(chart.story.replicas(APP).await? == Some(0));
    ensure!(chart.story.replicas(PRIMARY).await? == Some(3));
    Ok(())
}

async fn S3_3_late_first_sample(shared: &Shared) -> anyhow::Result<()> {
    let chart = Chart::new(shared, "jx-late", 13).await?.timed(("4s", "3s")).initialised().await?;
    // the series exist, so the next request is measured at once
    chart.script(100.0);
    chart.measured("3s", true).await?;
    shared.bed.scripted().silence(&chart.story.namespace, APP);
    chart.measured("3s", false).await?;

    let path = chart.followed().await?;
    chart.release("2.0.0").await?;
    chart
        .story
        .condition(APP, "Halted", "True", "failed checks 1/5: Halt advancement no values found")
        .await?;
    chart.script(100.0);
    let canary = chart.story.canary_that(APP, |c| weight(c) == 40).await?;
    let failed = failed_checks(&canary);
    ensure!((1..5).contains(&failed), "{failed} failed checks");
    let path = path.until("phase Succeeded", |p| p.0 == "Succeeded").await?;
    ensure!(weights(&path) == [0, 20, 40, 60, 70, 0], "{path:?}");
    let counts: BTreeSet<i32> = path.iter().filter(|p| p.1 >= 40).map(|p| p.2).collect();
    ensure!(counts == BTreeSet::from([failed]), "the count is kept for the whole run: {path:?}");
    let events = chart.told("Promotion completed!").await?;
    let halts = events.iter().filter(|note| **note == chart.no_values()).count();
    ensure!(halts == failed as usize, "{events:#?}");
    Ok(())
}

async fn S3_4_no_traffic(shared: &Shared) -> anyhow::Result<()> {
    let chart = Chart::new(shared, "jx-silent", 14).await?.timed(("1s", "3s")).initialised().await?;
    chart.release("2.0.0").await?;
    chart.story.phase(APP, Phase::Failed).await?;
    let events = chart.told("Canary failed!").await?;
    let mut expected = chart.told_until_first_weight();
    expected.extend(vec![chart.no_values(); 5]);
    expected.extend(chart.told_of_failure());
    ensure!(events == expected, "{events:#?}");
    ensure!(chart.story.weight(APP).await? == Some(0));
    ensure!(chart.story.replicas(APP).await? == Some(0));
    chart.target().serving("1.0.0", PATIENCE).await
}

async fn S3_5_ten_percent_errors(shared: &Shared) -> anyhow::Result<()> {
    let measured = [90.09, 88.57, 91.49, 96.00, 87.72];
    // the window of a check must not contain the earlier value
    let chart = Chart::new(shared, "jx-errors", 15).await?.timed(("10s", "4s")).initialised().await?;
    chart.script(100.0);
    chart.measured("4s", true).await?;
    chart.release("2.0.0").await?;
    chart.story.canary_that(APP, |c| weight(c) == 40).await?;
    for (failed, percent) in measured.into_iter().enumerate() {
        chart.script(percent);
        chart.story.canary_that(APP, |c| failed_checks(c) as usize > failed).await?;
    }
    let canary = chart.story.phase(APP, Phase::Failed).await?;
    ensure!(weight(&canary) == 0);

    let events = chart.told("Canary failed!").await?;
    let mut expected = chart.told_until_first_weight();
    expected.push(chart.advanced(40));
    let halt = |percent| format!("W Halt {} advancement success rate {percent:.2}% < 99%", chart.dotted(APP));
    expected.extend(measured.map(halt));
    expected.extend(chart.told_of_failure());
    ensure!(events == expected, "{events:#?}");

    let text = shared.operator.lock().await.metrics().await?;
    let labels = format!("name=\"{APP}\",namespace=\"{}\"", chart.story.namespace);
    let gauge = |series: String| -> anyhow::Result<f64> {
        let line =
            text.lines().find_map(|line| line.strip_prefix(&series)).with_context(|| series.clone())?;
        Ok(line.trim().parse()?)
    };
    let rate = format!("flagger_canary_metric_analysis{{{labels},metric=\"request-success-rate\"}}");
    let value = gauge(rate)?;
    ensure!((value - 87.72).abs() < 1e-9, "{value}");
    ensure!((gauge(format!("flagger_canary_status{{{labels}}}"))? - 2.0).abs() < f64::EPSILON);
    Ok(())
}

async fn S3_8_revert_in_git(shared: &Shared) -> anyhow::Result<()> {
    let chart = Chart::new(shared, "jx-revert", 18).await?.timed(("1s", "3s")).initialised().await?;
    chart.release("2.0.0").await?;
    let failed = chart.story.phase(APP, Phase::Failed).await?;
    let promoted = |c: &Canary| {
        c.status.iter().flat_map(|s| &s.conditions).any(|c| c.type_ == "Promoted" && c.status == "True")
    };
    ensure!(!promoted(&failed));
    let before = chart.told("Canary failed!").await?;

    let path = chart.followed().await?;
    chart.release("1.0.0").await?;
    let canary = chart.story.phase(APP, Phase::Succeeded).await?;
    ensure!(promoted(&canary));
    let path = path.until("phase Succeeded", |p| p.0 == "Succeeded").await?;
    ensure!(path.iter().all(|p| p.0 == "Failed" || p.0 == "Succeeded"), "{path:?}");
    let over = format!("{} was set back to the promoted template: the failure is over", chart.dotted(APP));
    let after = chart.told(&over).await?;
    ensure!(after[before.len()..] == [format!("N {over}")], "{after:#?}");
    ensure!(chart.story.replicas(APP).await? == Some(0));
    Ok(())
}

/// The same Canary in today's form.
fn rewritten(old: &Value) -> Value {
    let mut new = old.clone();
    new["apiVersion"] = json!("flagger.app/v1beta1");
    new["spec"]["service"]["gateways"] = json!([GATEWAY, "mesh"]);
    let mut analysis = new["spec"]["canaryAnalysis"].take();
    if let Some(spec) = new["spec"].as_object_mut() {
        spec.remove("canaryAnalysis");
    }
    let window = analysis["metrics"][0]["interval"].clone();
    analysis["metrics"] = json!([
        {"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": window},
        {"name": "request-duration", "thresholdRange": {"max": 500}, "interval": window},
    ]);
    new["spec"]["analysis"] = analysis;
    new
}

/// The result of a chart: objects, Events and weights, with a neutral namespace and address.
async fn outcome(chart: Chart<'_>) -> anyhow::Result<Value> {
    let chart = chart.initialised().await?;
    let story = &chart.story;
    chart.script(100.0);
    chart.measured("1m", true).await?;
    let path = chart.followed().await?;
    chart.release("2.0.0").await?;
    let path = path.until("phase Succeeded", |p| p.0 == "Succeeded").await?;
    let mut services = Vec::new();
    for name in [APP, PRIMARY, "jx-go-demo-6-canary"] {
        let service = story.api::<Service>().get(name).await?;
        services.push(json!([
            service.metadata.labels,
            service.spec.and_then(|s| s.ports),
            story.selector(name).await?
        ]));
    }
    let primary = story.api::<Deployment>().get(PRIMARY).await?;
    let all = json!({
        "names": json!(generated(story).await?),
        "services": services,
        "route": route(story).await?,
        "primary": json!([primary.metadata.labels, primary.spec]),
        "events": chart.told("Promotion completed!").await?,
        "path": path,
    });
    let text = all.to_string().replace(&story.namespace, "NAMESPACE").replace(&chart.host, "HOST");
    Ok(serde_json::from_str(&text)?)
}

async fn S3_9_legacy_manifest(shared: &Shared) -> anyhow::Result<()> {
    let times = ("1s", "1m");
    let old = Chart::new(shared, "jx-legacy", 19).await?.timed(times);
    let mut new = Chart::new(shared, "jx-today", 29).await?.timed(times);
    *new.canary() = rewritten(new.canary());
    let story =
        Story { bed: &shared.bed, namespace: old.story.namespace.clone(), client: old.story.client.clone() };
    let (old, new) = tokio::try_join!(outcome(old), outcome(new))?;
    for (part, was) in old.as_object().into_iter().flatten() {
        ensure!(*was == new[part], "{part} of the old form:\n{was:#}\nand of today's:\n{:#}", new[part]);
    }
    for (was, is) in [
        ("istio_requests_total", "request-success-rate"),
        ("istio_request_duration_seconds_bucket", "request-duration"),
    ] {
        let text = format!("metric {was} is the old name of {is}");
        story.condition(APP, "Advisory", "True", &text).await?;
        story.event(APP, &text).await?;
    }
    Ok(())
}

/// Charts of that time had an autoscaler, and Flagger required it.
async fn S3_9_legacy_manifest_with_an_autoscaler(shared: &Shared) -> anyhow::Result<()> {
    let mut chart = Chart::new(shared, "jx-scaled", 30).await?.timed(("2s", "5s"));
    chart.canary()["spec"]["autoscalerRef"] =
        json!({"apiVersion": "autoscaling/v2beta1", "kind": "HorizontalPodAutoscaler", "name": APP});
    chart.objects.push(crate::scalers::hpa(APP, APP, (2, 6)));
    let (chart, load) = chart.in_use().await?;
    let primary = |min: i32, what: &'static str| {
        let api = chart.story.api::<HorizontalPodAutoscaler>();
        async move {
            let kept = |h: &HorizontalPodAutoscaler| {
                let spec = &h.spec;
                spec.scale_target_ref.name == PRIMARY
                    && (spec.min_replicas, spec.max_replicas) == (Some(min), 6)
            };
            wait::object(api, PRIMARY, PATIENCE, kept).await.context(what)
        }
    };
    primary(2, "at rest").await?;
    chart.release("2.0.0").await?;
    chart.story.canary_that(APP, |c| weight(c) == 20).await?;
    primary(3, "in a run: three pods").await?;
    chart.story.phase(APP, Phase::Succeeded).await?;
    primary(2, "at rest again").await?;
    only_answers_of(&load, "2.0.0").await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0, "lost: {:?}", window.failures);
    ensure!(chart.story.replicas(PRIMARY).await? == Some(3), "nobody scaled the primary");
    ensure!(chart.story.replicas(APP).await? == Some(0));
    Ok(())
}

/// The Canary is deleted at weight 20, with the chart's own times: nobody notices, and the requested objects are left.
async fn deleted(shared: &Shared, namespace: &str, address: u8, revert: Option<bool>) -> anyhow::Result<()> {
    let mut chart = Chart::new(shared, namespace, address).await?;
    if let Some(revert) = revert {
        chart.canary()["spec"]["revertOnDeletion"] = json!(revert);
    }
    let (chart, load) = chart.in_use().await?;
    let story = &chart.story;
    chart.release("2.0.0").await?;
    story.canary_that(APP, |c| weight(c) == 20).await?;
    load.first_answer("2.0.0", PATIENCE).await?;
    story.delete_canary(APP).await?;
    let reverts = revert != Some(false);
    let stays = if reverts { "2.0.0" } else { "1.0.0" };
    only_answers_of(&load, stays).await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0 && window.version_errors == 0, "lost: {:?}", window.failures);

    let [deployments, services, routes, rules] = generated(story).await?;
    ensure!(routes == set(&[APP]), "{routes:?}");
    if reverts {
        ensure!(deployments == set(&[APP]), "{deployments:?}");
        ensure!(services == set(&[APP, "go-demo-6"]), "{services:?}");
        ensure!(rules.is_empty(), "{rules:?}");
        ensure!(story.selector(APP).await? == json!({"app": APP}));
        ensure!(story.replicas(APP).await? == Some(3));
        let to = route(story).await?["http"][0]["route"].clone();
        ensure!(to == json!([{"destination": {"host": APP}}]), "{to}");
    } else {
        ensure!(deployments == set(&[APP, PRIMARY]), "{deployments:?}");
        ensure!(services == set(&[APP, "go-demo-6", PRIMARY, "jx-go-demo-6-canary"]), "{services:?}");
        ensure!(rules == set(&[PRIMARY, "jx-go-demo-6-canary"]), "{rules:?}");
        ensure!(story.selector(APP).await? == json!({"app": PRIMARY}));
        ensure!(story.replicas(PRIMARY).await? == Some(3));
        ensure!(story.weight(APP).await? == Some(0));
    }
    Ok(())
}

async fn S3_11_delete_mid_run_unset(shared: &Shared) -> anyhow::Result<()> {
    deleted(shared, "jx-delete-unset", 111, None).await
}

async fn S3_11_delete_mid_run_true(shared: &Shared) -> anyhow::Result<()> {
    deleted(shared, "jx-delete-true", 112, Some(true)).await
}

async fn S3_11_delete_mid_run_false(shared: &Shared) -> anyhow::Result<()> {
    deleted(shared, "jx-delete-false", 113, Some(false)).await
}
