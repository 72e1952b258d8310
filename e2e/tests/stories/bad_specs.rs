//! Specs that need something that does not exist or is not served yet, and specs that are only unusual.

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Selector,
    load::LoadHandle,
    story::{PATIENCE, Story, canary, deployment},
};

use crate::{
    Family, Shared,
    bad_common::{
        accepted, ends_well, held_at_25, left_alone, pace, refused, stands, story, untouched_at_25, weight,
        well_goes_on, without, writes,
    },
};

pub(crate) const STORIES: Family = &[
    crate::story!(an_unknown_metric_holds_the_run),
    crate::story!(a_template_that_is_missing_or_unusable_holds_the_run),
    crate::story!(an_unserved_provider_changes_nothing),
    crate::story!(an_unserved_kind_changes_nothing),
    crate::story!(a_strategy_beyond_the_router_changes_nothing),
    crate::story!(a_suspended_run_stands_still_and_is_resumed),
    crate::story!(pods_lost_under_suspension_are_said),
    crate::story!(intervals_of_any_length_are_taken),
    crate::story!(a_schedule_without_steps_is_refused),
    crate::story!(a_spec_broken_in_a_run_keeps_its_split),
];

/// A new revision gets its pods but no traffic, while a healthy Canary in the same namespace is promoted.
async fn held_at_zero(story: &Story<'_>) -> anyhow::Result<()> {
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Progressing).await?;
    well_goes_on(story).await?;
    let canary: Canary = story.api().get("app").await?;
    ensure!(canary.status.as_ref().and_then(|s| s.phase) == Some(Phase::Progressing), "{:?}", canary.status);
    ensure!(weight(&canary) == 0 && story.weight("app").await? == Some(0), "it got traffic");
    ensure!(story.replicas("app").await? == Some(2), "its pods are not there");
    story.target("app").serving("1", PATIENCE).await
}

async fn an_unknown_metric_holds_the_run(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "metric-unknown").await?;
    let metric = json!([{"name": "happiness", "thresholdRange": {"min": 99}}]);
    story.initialised("app", |c| c["spec"]["analysis"]["metrics"] = metric).await?;
    refused(&story, "app", "UnknownMetric", &["spec.analysis.metrics[happiness]", "query or templateRef"])
        .await?;
    held_at_zero(&story).await?;
    let known = canary("app")["spec"]["analysis"]["metrics"].clone();
    story.edit_canary("app", json!({"spec": {"analysis": {"metrics": known}}})).await?;
    accepted(&story, "app").await?;
    ends_well(&story).await
}

async fn a_template_that_is_missing_or_unusable_holds_the_run(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "template-missing").await?;
    let metric = json!([{"name": "mine", "templateRef": {"name": "absent"}, "thresholdRange": {"max": 5}}]);
    story.initialised("app", |c| c["spec"]["analysis"]["metrics"] = metric).await?;
    let words =
        ["there is no MetricTemplate template-missing/absent", "spec.analysis.metrics[mine].templateRef"];
    refused(&story, "app", "TemplateMissing", &words).await?;
    held_at_zero(&story).await?;
    let template = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate", "metadata": {"name": "absent"},
        "spec": {"provider": {"type": "prometheus", "address": shared.bed.prometheus_url()}, "query": "vector(1)"},
    });
    let with = |spec: Value| {
        let mut changed = template.clone();
        changed["spec"] = spec;
        vec![changed]
    };
    let provider = template["spec"]["provider"].clone();
    let elsewhere = json!({"type": "datadog", "address": "http://example.com"});
    story.apply(with(json!({"provider": elsewhere, "query": "vector(1)"}))).await?;
    refused(&story, "app", "TemplateInvalid", &["spec.provider.secretRef"]).await?;
    story.apply(with(json!({"provider": {"type": "prometheus"}, "query": "vector(1)"}))).await?;
    refused(&story, "app", "TemplateInvalid", &["no spec.provider.address"]).await?;
    story.apply(vec![template.clone()]).await?;
    accepted(&story, "app").await?;
    ends_well(&story).await?;
    let worse = "vector({{ variables.value }})";
    story.apply(with(json!({"provider": provider, "query": worse}))).await?;
    let metric = json!([{
        "name": "mine", "templateRef": {"name": "absent"}, "templateVariables": {"value": "9"},
        "thresholdRange": {"max": 5},
    }]);
    story.edit_canary("app", json!({"spec": {"analysis": {"metrics": metric}}})).await?;
    story.set_image("app", "app:3").await?;
    story.phase("app", Phase::Failed).await?;
    story.event("app", "Halt app.template-missing advancement mine 9.00 > 5").await
}

/// Refused as not served, without a write. `mend` makes it served.
async fn not_served(
    shared: &Shared,
    namespace: &str,
    edit: Value,
    field: &str,
    mend: Value,
) -> anyhow::Result<()> {
    let story = story(shared, namespace).await?;
    story.apply(vec![deployment("app", "app:1", 1)]).await?;
    let mut odd = canary("app");
    json_patch::merge(&mut odd, &edit);
    story.apply(vec![odd]).await?;
    refused(&story, "app", "NotYetServed", &["not served yet", field]).await?;
    story.condition("app", "NotYetServed", "True", field).await?;
    well_goes_on(&story).await?;
    left_alone(&story, "app").await?;
    story.edit_canary("app", mend).await?;
    let canary = story.phase("app", Phase::Initialized).await?;
    let status = canary.status.context("status")?;
    ensure!(!status.conditions.iter().any(|c| c.type_ == "NotYetServed"), "still called not served");
    accepted(&story, "app").await
}

async fn an_unserved_provider_changes_nothing(shared: &Shared) -> anyhow::Result<()> {
    let (edit, mend) = (json!({"spec": {"provider": "osm"}}), json!({"spec": {"provider": "istio"}}));
    Box::pin(not_served(shared, "provider", edit, "spec.provider: osm", mend)).await
}

async fn an_unserved_kind_changes_nothing(shared: &Shared) -> anyhow::Result<()> {
    let edit = json!({"spec": {"targetRef": {"kind": "Service"}}});
    let mend = json!({"spec": {"targetRef": {"kind": "Deployment"}}});
    Box::pin(not_served(shared, "kind", edit, "spec.targetRef: Service of apps/v1", mend)).await
}

async fn a_strategy_beyond_the_router_changes_nothing(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "strategy").await?;
    story.apply(vec![deployment("app", "app:1", 1)]).await?;
    let mut odd = canary("app");
    odd["spec"]["provider"] = json!("kubernetes");
    story.apply(vec![odd]).await?;
    let words = ["spec.analysis.stepWeight", "spec.analysis.iterations", "spec.provider"];
    refused(&story, "app", "InvalidSpec", &words).await?;
    well_goes_on(&story).await?;
    left_alone(&story, "app").await?;
    let iterations = json!({"stepWeight": null, "stepWeights": null, "maxWeight": null, "iterations": 2});
    story.edit_canary("app", json!({"spec": {"analysis": iterations}})).await?;
    story.phase("app", Phase::Initialized).await?;
    accepted(&story, "app").await
}

async fn a_suspended_run_stands_still_and_is_resumed(shared: &Shared) -> anyhow::Result<()> {
    let story = held_at_25(shared, "suspended", |_| {}).await?;
    let load = LoadHandle::start(&story.target("app"), 100.0, 2);
    story.edit_canary("app", json!({"spec": {"suspend": true}})).await?;
    story.condition("app", "Suspended", "True", "spec.suspend").await?;
    story.event("app", "skipping canary run as object is suspended").await?;
    pace(&story).await?;
    well_goes_on(&story).await?;
    untouched_at_25(&story).await?;
    story.edit_canary("app", json!({"spec": {"suspend": false}})).await?;
    ends_well(&story).await?;
    story.event("app", "no longer suspended").await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0, "lost: {:?}", window.failures);
    Ok(())
}

async fn pods_lost_under_suspension_are_said(shared: &Shared) -> anyhow::Result<()> {
    let story = held_at_25(shared, "suspended-bare", |_| {}).await?;
    story.edit_canary("app", json!({"spec": {"suspend": true}})).await?;
    story.condition("app", "Suspended", "True", "spec.suspend").await?;
    let new = Selector::image("app:2").in_namespace(&story.namespace);
    shared.bed.kubelet()?.fail_ready(new.clone());
    let words = ["suspended with 25 % of the traffic on pods that are not ready", "resume it"];
    stands(&story, "app", "Suspended", "True", "NoPods", &words).await?;
    untouched_at_25(&story).await?;
    story.edit_canary("app", json!({"spec": {"suspend": false}})).await?;
    story.canary_that("app", |c| weight(c) == 0).await.context("resumed without pods")?;
    shared.bed.kubelet()?.clear(&new);
    pace(&story).await?;
    ends_well(&story).await
}

async fn intervals_of_any_length_are_taken(shared: &Shared) -> anyhow::Result<()> {
    let story =
        held_at_25(shared, "intervals", |c| c["spec"]["analysis"]["interval"] = json!("1m30s")).await?;
    untouched_at_25(&story).await?;
    story.edit_canary("app", json!({"spec": {"analysis": {"interval": "10ms"}}})).await?;
    ends_well(&story).await
}

async fn a_schedule_without_steps_is_refused(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "steps").await?;
    let bare = without(canary("app"), "/spec/analysis", "stepWeight");
    story.apply(vec![deployment("app", "app:1", 1), bare]).await?;
    refused(&story, "app", "InvalidSpec", &["spec.analysis has no steps", "stepWeights"]).await?;
    well_goes_on(&story).await?;
    left_alone(&story, "app").await?;
    story.edit_canary("app", json!({"spec": {"analysis": {"stepWeight": 50}}})).await?;
    story.phase("app", Phase::Initialized).await.map(drop)
}

async fn a_spec_broken_in_a_run_keeps_its_split(shared: &Shared) -> anyhow::Result<()> {
    let story = held_at_25(shared, "broken-midway", |_| {}).await?;
    let good: Canary = story.api().get("app").await?;
    let good = json!({"spec": good.spec});
    let load = LoadHandle::start(&story.target("app"), 100.0, 2);
    let breaks = [
        ("FieldInUse", "spec.provider is osm", json!({"spec": {"provider": "osm"}})),
        ("PortUnresolved", "spec.service.targetPort", json!({"spec": {"service": {"targetPort": "web"}}})),
        ("InvalidSpec", "spec.analysis has no steps", json!({"spec": {"analysis": {"stepWeight": null}}})),
        ("UnknownMetric", "happiness", json!({"spec": {"analysis": {"metrics": [{"name": "happiness"}]}}})),
        (
            "FieldInUse",
            "spec.targetRef is Deployment elsewhere",
            json!({"spec": {"targetRef": {"name": "elsewhere"}}}),
        ),
    ];
    let before = writes(&story, "app")?;
    for (reason, word, edit) in breaks {
        story.edit_canary("app", edit).await?;
        refused(&story, "app", reason, &[word]).await.context(reason)?;
        ensure!(story.weight("app").await? == Some(25), "{reason}: the route was changed");
        story.edit_canary("app", good.clone()).await?;
        story.edit_canary("app", json!({"spec": {"provider": null}})).await?;
        accepted(&story, "app").await.context(reason)?;
    }
    untouched_at_25(&story).await?;
    let after = writes(&story, "app")?.split_off(before.len());
    ensure!(after.is_empty(), "written: {after:?}");
    pace(&story).await?;
    ends_well(&story).await?;
    let window = load.stop().await;
    ensure!(window.lost() == 0, "lost: {:?}", window.failures);
    Ok(())
}
