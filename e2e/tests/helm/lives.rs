//! An application with its Canary in one chart: installed, upgraded, rolled back and uninstalled.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use k8s_openapi::api::{
    apps::v1::{ControllerRevision, Deployment},
    core::v1::Service,
};
use kube::{Api, Resource, ResourceExt, api::ListParams};
use serde::de::DeserializeOwned;
use serin::api::{Canary, Phase};
use serin_bed::{story::PATIENCE, wait};

use crate::{
    Family, Shared,
    app::App,
    tool::{Program, Way},
};

pub(crate) const STORIES: Family = &[
    crate::story!(ch4_ch25_a_life_by_helm_3),
    crate::story!(ch4_ch25_a_life_by_helm_4),
    crate::story!(ch6_a_service_leaves_its_chart_by_helm_3),
    crate::story!(ch6_a_service_leaves_its_chart_by_helm_4),
];

pub(crate) const ALONE: Family = &[
    crate::story!(ch3_installed_again_over_a_dying_canary_by_helm_3),
    crate::story!(ch3_installed_again_over_a_dying_canary_by_helm_4),
];

async fn ch4_ch25_a_life_by_helm_3(shared: &Shared) -> anyhow::Result<()> {
    life(shared, Way::Helm3).await
}

async fn ch4_ch25_a_life_by_helm_4(shared: &Shared) -> anyhow::Result<()> {
    life(shared, Way::Helm4).await
}

async fn ch3_installed_again_over_a_dying_canary_by_helm_3(shared: &Shared) -> anyhow::Result<()> {
    installed_again(shared, Way::Helm3).await
}

async fn ch3_installed_again_over_a_dying_canary_by_helm_4(shared: &Shared) -> anyhow::Result<()> {
    installed_again(shared, Way::Helm4).await
}

async fn ch6_a_service_leaves_its_chart_by_helm_3(shared: &Shared) -> anyhow::Result<()> {
    service_leaves(shared, Way::Helm3).await
}

async fn ch6_a_service_leaves_its_chart_by_helm_4(shared: &Shared) -> anyhow::Result<()> {
    service_leaves(shared, Way::Helm4).await
}

/// The remedy on the page: the Service is kept, and there are no conflicts afterwards.
async fn service_leaves(shared: &Shared, way: Way) -> anyhow::Result<()> {
    let app = App::new(shared, &format!("service-{}", way.name()), way).await?;
    let (story, namespace) = (&app.story, app.story.namespace.as_str());
    let service = serde_json::json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "app"},
        "spec": {"selector": {"app": "app"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    });
    let template = format!("{{{{ if .Values.service }}}}\n{service}\n{{{{ end }}}}\n");
    std::fs::write(app.chart.join("templates/service.yaml"), template)?;
    app.initialised("tag=app:1,service=true").await?;
    story.condition("app", "Advisory", "True", "app").await?;
    let services: Api<Service> = story.api();
    let address = async || anyhow::Ok(services.get("app").await?.spec.and_then(|spec| spec.cluster_ip));
    let before = address().await?;

    let kubectl = Program::new(&shared.bed, "kubectl").await?;
    let keep = ["annotate", "service", "app", "helm.sh/resource-policy=keep", "--namespace", namespace];
    kubectl.run(&keep).await?;
    app.release("tag=app:1").await?;
    app.release("tag=app:2").await?;
    story.phase("app", Phase::Succeeded).await?;
    ensure!(address().await? == before && before.is_some(), "the Service was made again");
    Ok(())
}

async fn names<K>(api: Api<K>) -> anyhow::Result<Vec<String>>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug,
{
    Ok(api.list(&ListParams::default()).await?.items.iter().map(ResourceExt::name_any).collect())
}

async fn life(shared: &Shared, way: Way) -> anyhow::Result<()> {
    let app = App::new(shared, &format!("life-{}", way.name()), way).await?;
    let (story, namespace) = (&app.story, app.story.namespace.as_str());
    let helm = Program::new(&shared.bed, if way == Way::Helm3 { "helm3" } else { "helm4" }).await?;
    app.initialised("tag=app:1").await?;
    let marked: Api<Deployment> = story.api();
    let marks = serde_json::to_string(&marked.get("app-primary").await?.metadata.annotations)?;
    ensure!(!marks.contains("meta.helm.sh"), "CH40: the primary looks like Helm's own: {marks}");

    app.release("tag=app:2").await?;
    story
        .canary_that("app", |c| c.status.as_ref().is_some_and(|s| s.phase == Some(Phase::Succeeded)))
        .await?;
    ensure!(app.image("app-primary").await? == "app:2");
    app.rests().await?;

    // rolled back by Helm: the former template is a revision like any other
    helm.run(&["rollback", "app", "--namespace", namespace]).await?;
    let promoted = async || (app.image("app-primary").await.ok()? == "app:1").then_some(());
    wait::until("the rollback to be promoted", PATIENCE, promoted).await?;
    story.phase("app", Phase::Succeeded).await?;
    app.rests().await?;

    // rolled back during a run: the run ends, and the new version gets no traffic
    app.release("tag=app:3").await?;
    story.canary_that("app", |c| c.status.as_ref().is_some_and(|s| s.canary_weight > 0)).await?;
    helm.run(&["rollback", "app", "--namespace", namespace]).await?;
    story.phase("app", Phase::Succeeded).await?;
    ensure!(story.weight("app").await?.unwrap_or(0) == 0);
    ensure!(app.image("app-primary").await? == "app:1");

    helm.run(&["uninstall", "app", "--namespace", namespace]).await?;
    wait::gone::<Canary>(story.api(), "app", PATIENCE).await.context("the Canary")?;
    let left = async || {
        let mut left = names::<Deployment>(story.api()).await.ok()?;
        left.extend(names::<Service>(story.api()).await.ok()?);
        left.extend(
            names::<ControllerRevision>(story.api()).await.ok()?.into_iter().filter(|n| n.contains("app")),
        );
        for api in [story.virtual_services(), story.destination_rules()] {
            let all = api.list(&ListParams::default()).await.ok()?;
            left.extend(all.items.iter().map(ResourceExt::name_any));
        }
        left.iter().all(|name| !name.starts_with("app")).then_some(())
    };
    wait::until("everything of the application to be gone", PATIENCE, left).await
}

async fn installed_again(shared: &Shared, way: Way) -> anyhow::Result<()> {
    let app = App::new(shared, &format!("again-{}", way.name()), way).await?;
    let (story, namespace) = (&app.story, app.story.namespace.as_str());
    let helm = Program::new(&shared.bed, if way == Way::Helm3 { "helm3" } else { "helm4" }).await?;
    app.initialised("tag=app:1").await?;

    let mut operator = shared.operator.lock().await;
    operator.kill9().await?;
    helm.run(&["uninstall", "app", "--namespace", namespace]).await?;
    let dying: Api<Canary> = story.api();
    ensure!(dying.get("app").await?.metadata.deletion_timestamp.is_some(), "the Canary is not held");
    // deletion times are in whole seconds
    tokio::time::sleep(Duration::from_secs(2)).await;
    app.release("tag=app:1").await.context("Helm says deployed over a dying object")?;
    operator.restart().await?;
    operator.ready(PATIENCE).await?;
    drop(operator);
    wait::gone::<Canary>(story.api(), "app", PATIENCE).await.context("the dying Canary")?;
    story.event("app", "of the Helm release app has been under deletion").await?;

    app.release("tag=app:1").await?;
    story.phase("app", Phase::Initialized).await?;
    helm.run(&["uninstall", "app", "--namespace", namespace]).await?;
    wait::gone::<Canary>(story.api(), "app", PATIENCE).await
}
