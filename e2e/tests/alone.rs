//! Stories that must run alone: they remove kinds from the whole cluster, relax the schema of Canaries, or run a
//! Flagger. One bed and one operator, one story after the other.

#[path = "stories/bad_common.rs"]
#[allow(dead_code, reason = "shared with the stories that run side by side")]
mod bad_common;
#[path = "stories/schemas.rs"]
mod schemas;

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, ensure};
use k8s_openapi::{
    api::{
        authorization::v1::SubjectAccessReview,
        coordination::v1::Lease,
        rbac::v1::{ClusterRole, PolicyRule},
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::{CustomResourceDefinition, JSONSchemaProps},
};
use kube::{
    Api,
    api::{ApiResource, DeleteParams, DynamicObject, ObjectMeta, Patch, PatchParams, PostParams},
    core::GroupVersionKind,
};
use serde_json::{Map, Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Bed, Options, User,
    lacking::Lacking,
    operator::Operator,
    stage::{self, Stage},
    story,
    story::{PATIENCE, Story, canary, deployment},
    wait,
};

use bad_common::{accepted, left_alone, pace, refused, story, untouched_at_25, weight, well_goes_on};

/// The shared state of the stories.
pub struct Shared {
    /// The bed, without Envoy, because no story sends requests.
    pub bed: Bed,
    /// The operator, watching all namespaces.
    pub operator: Operator,
}

impl stage::Shared for Shared {
    fn bed(&self) -> &Bed {
        &self.bed
    }
}

const ROUTES: &str = "virtualservices.networking.istio.io";
const CANARIES: &str = "canaries.flagger.app";

fn definitions(shared: &Shared) -> Api<CustomResourceDefinition> {
    Api::all(shared.bed.admin())
}

/// Removes a definition. Returns the means to restore it.
async fn take_away(shared: &Shared, name: &str) -> anyhow::Result<CustomResourceDefinition> {
    let api = definitions(shared);
    let mut crd = api.get(name).await?;
    api.delete(name, &DeleteParams::default()).await?;
    wait::gone(api, name, PATIENCE).await?;
    crd.metadata = ObjectMeta {
        name: Some(name.into()),
        annotations: crd.metadata.annotations,
        ..ObjectMeta::default()
    };
    crd.status = None;
    Ok(crd)
}

async fn a_missing_mesh_is_waited_for(shared: &Shared) -> anyhow::Result<()> {
    let crd = take_away(shared, ROUTES).await?;
    let story = story(shared, "mesh-missing").await?;
    story.apply(vec![deployment("app", "app:1", 2), canary("app")]).await?;
    refused(&story, "app", "MeshMissing", &["the cluster has no VirtualService", ROUTES, "spec.provider"])
        .await?;
    left_alone(&story, "app").await?;
    ensure!(story.replicas("app").await? == Some(2), "the target was scaled");
    definitions(shared).create(&PostParams::default(), &crd).await?;
    story.phase("app", Phase::Initialized).await?;
    accepted(&story, "app").await?;

    story.edit_canary("app", json!({"spec": {"analysis": {"interval": "60m"}}})).await?;
    story.set_image("app", "app:2").await?;
    story.canary_that("app", |c| weight(c) == 25).await?;
    let crd = take_away(shared, ROUTES).await?;
    let refused = refused(&story, "app", "MeshMissing", &["the cluster has no VirtualService"]).await?;
    ensure!(weight(&refused) == 25, "the step was forgotten: {:?}", refused.status);
    definitions(shared).create(&PostParams::default(), &crd).await?;
    accepted(&story, "app").await?;
    let at_25 = async || (story.weight("app").await.ok()? == Some(25)).then_some(());
    wait::until("the route at its step", PATIENCE, at_25).await?;
    untouched_at_25(&story).await?;
    pace(&story).await?;
    story.phase("app", Phase::Succeeded).await.map(drop)
}

const KEDA: &str = include_str!("../manifests/keda.yaml");

fn scaled_objects(story: &Story<'_>) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("keda.sh", "v1alpha1", "ScaledObject");
    Api::namespaced_with(story.client.clone(), &story.namespace, &ApiResource::from_gvk(&kind))
}

/// Waits until a ScaledObject is in the wanted state.
async fn scaled_object(
    story: &Story<'_>,
    name: &str,
    what: &str,
    accept: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    wait::until(&format!("{name} to be {what}"), PATIENCE, async || {
        let found = serde_json::to_value(scaled_objects(story).get_opt(name).await.ok()??).ok()?;
        Some(found).filter(&accept)
    })
    .await
}

fn paused(object: &Value) -> bool {
    object["metadata"]["annotations"]["autoscaling.keda.sh/paused-replicas"] == "0"
}

/// KEDA itself does not run here: the test checks its settings.
async fn keda_is_waited_for_and_told_when_to_rest(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "keda").await?;
    let mut app = canary("app");
    app["spec"]["autoscalerRef"] =
        json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "by-queue"});
    story.apply(vec![deployment("app", "app:1", 2), app]).await?;
    let words = ["the cluster has no ScaledObject", "scaledobjects.keda.sh", "spec.autoscalerRef"];
    refused(&story, "app", "AutoscalerKindMissing", &words).await?;
    left_alone(&story, "app").await?;

    story.bed.apply_yaml("keda", KEDA).await?;
    refused(&story, "app", "AutoscalerMissing", &["ScaledObject by-queue does not exist"]).await?;
    left_alone(&story, "app").await?;
    let query = |app: &str| json!({"query": format!("queue{{app=\"{app}\"}}"), "threshold": "5"});
    let by_queue = json!({
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "by-queue"},
        "spec": {
            "scaleTargetRef": {"name": "app"}, "minReplicaCount": 1, "maxReplicaCount": 6, "cooldownPeriod": 30,
            "triggers": [{"type": "prometheus", "metadata": query("app")}], "unheardOf": {"a": 1},
        },
    });
    story.apply(vec![by_queue.clone()]).await?;
    accepted(&story, "app").await?;
    story.phase("app", Phase::Initialized).await?;
    let user = scaled_object(&story, "by-queue", "paused", paused).await?;
    ensure!(user["spec"] == by_queue["spec"], "the user's ScaledObject: {user}");
    let primary =
        scaled_object(&story, "by-queue-primary", "at rest", |o| o["spec"]["minReplicaCount"] == 1).await?;
    ensure!(!paused(&primary), "the primary is paused: {primary}");
    let spec = &primary["spec"];
    ensure!(spec["scaleTargetRef"]["name"] == "app-primary" && spec["unheardOf"]["a"] == 1, "{spec}");
    ensure!(spec["triggers"][0]["metadata"] == query("app-primary"), "{spec}");

    story.edit_canary("app", json!({"spec": {"analysis": {"interval": "60m"}}})).await?;
    story.set_image("app", "app:2").await?;
    story.canary_that("app", |c| weight(c) == 25).await?;
    scaled_object(&story, "by-queue", "at work", |o| !paused(o)).await?;
    scaled_object(&story, "by-queue-primary", "kept up", |o| o["spec"]["minReplicaCount"] == 2).await?;
    pace(&story).await?;
    story.phase("app", Phase::Succeeded).await?;
    scaled_object(&story, "by-queue", "paused", paused).await?;
    scaled_object(&story, "by-queue-primary", "let go", |o| o["spec"]["minReplicaCount"] == 1).await?;

    story.delete_canary("app").await?;
    let left = scaled_object(&story, "by-queue", "as it was", |_| true).await?;
    ensure!(left["metadata"]["annotations"].as_object().is_none_or(Map::is_empty), "{left}");
    ensure!(scaled_objects(&story).get_opt("by-queue-primary").await?.is_none(), "the primary's is left");
    ensure!(story.replicas("app").await? == Some(2), "the target was not given back");
    Ok(())
}

async fn change_schema(shared: &Shared, change: impl Fn(&mut JSONSchemaProps)) -> anyhow::Result<()> {
    let api = definitions(shared);
    let mut crd = api.get(CANARIES).await?;
    for version in &mut crd.spec.versions {
        if let Some(schema) = version.schema.as_mut().and_then(|s| s.open_api_v3_schema.as_mut()) {
            change(schema);
        }
    }
    api.replace(CANARIES, &PostParams::default(), &crd).await.context("change the schema")?;
    Ok(())
}

/// A Canary that the current schema refuses.
fn odd(name: &str) -> anyhow::Result<DynamicObject> {
    let mut odd = canary(name);
    odd["spec"]["analysis"]["threshold"] = json!("many");
    serde_json::from_value(odd).context("an odd Canary")
}

fn untyped(story: &Story<'_>) -> Api<DynamicObject> {
    use kube::Resource;
    let resource = kube::api::ApiResource {
        group: Canary::group(&()).into(),
        version: Canary::version(&()).into(),
        api_version: Canary::api_version(&()).into(),
        kind: Canary::kind(&()).into(),
        plural: Canary::plural(&()).into(),
    };
    Api::namespaced_with(story.client.clone(), &story.namespace, &resource)
}

async fn counted(shared: &Shared, count: usize) -> anyhow::Result<()> {
    let line = format!("serin_undecodable_objects{{kind=\"Canary\"}} {count}");
    let seen = async || shared.operator.metrics().await.ok()?.lines().any(|l| l == line).then_some(());
    wait::until(&line, PATIENCE, seen).await
}

async fn a_canary_that_does_not_decode_is_left_alone(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "undecodable").await?;
    let api = untyped(&story);
    let shipped = definitions(shared).get(CANARIES).await?;
    let loose = JSONSchemaProps {
        type_: Some("object".into()),
        x_kubernetes_preserve_unknown_fields: Some(true),
        ..JSONSchemaProps::default()
    };
    change_schema(shared, |schema| {
        let properties = schema.properties.get_or_insert_default();
        properties.insert("spec".into(), loose.clone());
    })
    .await?;
    story.apply(vec![deployment("app", "app:1", 1)]).await?;
    for name in ["app", "other"] {
        let odd = odd(name)?;
        let stored = async || api.create(&PostParams::default(), &odd).await.ok();
        wait::until("the looser schema to be in force", PATIENCE, stored).await?;
    }
    let strict = shipped.spec.versions.first().and_then(|v| v.schema.clone()?.open_api_v3_schema);
    let strict = strict.context("the shipped schema")?;
    change_schema(shared, |schema| schema.properties.clone_from(&strict.properties)).await?;
    let (third, dry) = (odd("third")?, PostParams { dry_run: true, ..PostParams::default() });
    let refused = async || api.create(&dry, &third).await.is_err().then_some(());
    wait::until("the shipped schema to be in force", PATIENCE, refused).await?;

    for name in ["app", "other"] {
        story
            .event(name, &format!("Canary {name} does not decode and is left alone until it is fixed"))
            .await?;
        story.event(name, "\"many\"").await?;
    }
    counted(shared, 2).await?;
    well_goes_on(&story).await?;
    for name in ["app", "other"] {
        let written = bad_common::writes(&story, name)?;
        ensure!(written.is_empty(), "written: {written:?}");
    }

    api.delete("other", &DeleteParams::default()).await?;
    counted(shared, 1).await?;
    let mend = json!({"spec": {"analysis": {"threshold": 3}}});
    api.patch("app", &PatchParams::default(), &Patch::Merge(mend)).await.context("mend the Canary")?;
    story.phase("app", Phase::Initialized).await?;
    counted(shared, 0).await
}

async fn a_definition_that_drops_the_status_is_noticed(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "dropping").await?;
    let shipped = definitions(shared).get(CANARIES).await?;
    let mut suspended = canary("app");
    suspended["spec"]["suspend"] = json!(true);
    story.apply(vec![deployment("app", "app:1", 1), suspended]).await?;
    story.condition("app", "Suspended", "True", "").await?;
    // the status fields of Flagger's own definition
    let flaggers = ["phase", "failedChecks", "canaryWeight", "iterations", "lastAppliedSpec", "conditions"];
    change_schema(shared, |schema| {
        let Some(status) = schema.properties.as_mut().and_then(|fields| fields.get_mut("status")) else {
            return;
        };
        status.default = None;
        if let Some(fields) = status.properties.as_mut() {
            fields.retain(|field, _| flaggers.contains(&field.as_str()));
        }
    })
    .await?;
    let (api, dry) = (untyped(&story), PatchParams { dry_run: true, ..PatchParams::default() });
    let probe = Patch::Merge(json!({"status": {"observedGeneration": 77}}));
    let dropped = async || {
        let written = api.patch_status("app", &dry, &probe).await.ok()?;
        written.data["status"]["observedGeneration"].is_null().then_some(())
    };
    wait::until("the smaller schema to be in force", PATIENCE, dropped).await?;
    story.edit_canary("app", json!({"spec": {"suspend": false}})).await?;
    story.condition("app", "Accepted", "False", "drops status.").await?;
    left_alone(&story, "app").await?;

    let whole = shipped.spec.versions.first().and_then(|v| v.schema.clone()?.open_api_v3_schema);
    let whole = whole.context("the shipped schema")?;
    change_schema(shared, |schema| schema.properties.clone_from(&whole.properties)).await?;
    story.phase("app", Phase::Initialized).await?;
    accepted(&story, "app").await
}

async fn beside_a_flagger_nothing_is_done(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "flagger").await?;
    let leases: Api<Lease> = Api::namespaced(shared.bed.admin(), "kube-system");
    let now = jiff::Timestamp::now();
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "flagger-leader-election"},
        "spec": {"holderIdentity": "flagger-7d", "leaseDurationSeconds": 15, "renewTime": format!("{now:.6}")},
    });
    let force = PatchParams::apply("flagger").force();
    leases.patch("flagger-leader-election", &force, &Patch::Apply(lease)).await?;
    story.apply(vec![deployment("app", "app:1", 1), canary("app")]).await?;
    refused(&story, "app", "FlaggerActive", &["Flagger (flagger-7d) is renewing its lease", "scale it down"])
        .await?;
    left_alone(&story, "app").await?;
    // it was killed, so no watch event reports the end of its lease
    story.phase("app", Phase::Initialized).await?;
    leases.delete("flagger-leader-election", &DeleteParams::default()).await?;
    accepted(&story, "app").await
}

async fn start() -> anyhow::Result<Shared> {
    let bed = Bed::start(Options { envoy: false, ..Options::default() }).await?;
    bed.install().await?;
    let mut operator = Operator::start(&bed, &[], &[])?;
    operator.ready(Duration::from_secs(30)).await?;
    Ok(Shared { bed, operator })
}

/// With fewer rights than the shipped ClusterRole, as with only a Role.
async fn a_right_to_read_routes_is_missed_by_name(shared: &Shared) -> anyhow::Result<()> {
    let roles: Api<ClusterRole> = Api::all(shared.bed.admin());
    let shipped = roles.get("serin").await?;
    let mut fewer = shipped.rules.clone().context("the shipped rules")?;
    fewer.retain(|rule| rule.api_groups.iter().flatten().all(|group| group != "kuma.io"));
    let given = async |rules: &[PolicyRule]| {
        roles.patch("serin", &PatchParams::default(), &Patch::Merge(json!({"rules": rules}))).await
    };
    let story = story(shared, "kuma-rights").await?;
    story.bed.apply_yaml("kuma-rights", include_str!("../schemas/kuma.yaml")).await?;
    given(&fewer).await?;
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {},
        "spec": {
            "user": User::Operator.name(),
            "resourceAttributes": {"group": "kuma.io", "resource": "meshhttproutes", "verb": "list"},
        },
    });
    let review: SubjectAccessReview = serde_json::from_value(review)?;
    let reviews: Api<SubjectAccessReview> = Api::all(shared.bed.admin());
    let taken = async || {
        let answer = reviews.create(&PostParams::default(), &review).await.ok()?.status?;
        (!answer.allowed).then_some(())
    };
    wait::until("the right to be taken", PATIENCE, taken).await?;

    let mut app = canary("app");
    app["spec"]["provider"] = json!("kuma");
    app["spec"]["service"] = json!({"port": 80, "targetPort": 8080});
    story.apply(vec![deployment("app", "app:1", 1), app]).await?;
    let words = ["the operator may not list MeshHTTPRoute (meshhttproutes.kuma.io) here"];
    refused(&story, "app", "ApiRefused", &words).await?;
    left_alone(&story, "app").await?;
    well_goes_on(&story).await?;
    given(shipped.rules.as_deref().unwrap_or_default()).await?;
    story.phase("app", Phase::Initialized).await?;
    accepted(&story, "app").await
}

async fn schemas_take_all_that_routers_render(shared: &Shared) -> anyhow::Result<()> {
    schemas::all(&shared.bed).await
}

const STORIES: stage::Family<Shared> = &[
    story!(a_missing_mesh_is_waited_for),
    story!(a_canary_that_does_not_decode_is_left_alone),
    story!(a_definition_that_drops_the_status_is_noticed),
    story!(beside_a_flagger_nothing_is_done),
    story!(keda_is_waited_for_and_told_when_to_rest),
    story!(a_right_to_read_routes_is_missed_by_name),
    story!(schemas_take_all_that_routers_render),
];

fn main() -> anyhow::Result<ExitCode> {
    let lacking = Lacking::find("alone")?;
    lacking.enter()?;
    let mut stage = Stage::new(lacking, start)?;
    stage.play(1, &[("", STORIES)]);
    stage.end()
}
