//! `spec.replicas` in a chart, with each way of applying it: no release fails, the primary keeps its pods, and pods of
//! a version that is not being analysed do not stay.

use std::time::Duration;

use anyhow::ensure;
use serin::api::Phase;
use serin_bed::Traffic;

use crate::{Family, Shared, app::App, tool::Way};

pub(crate) const STORIES: Family = &[
    crate::story!(k8_k9_replicas_by_helm_3),
    crate::story!(k8_k9_replicas_by_helm_4),
    crate::story!(k8_k9_replicas_by_helm_4_client_side),
    crate::story!(k8_k9_replicas_by_flux),
    crate::story!(k8_k9_replicas_by_kubectl_apply),
    crate::story!(k1_k2_replicas_that_nobody_writes_by_helm_3),
    crate::story!(k1_k2_replicas_that_nobody_writes_by_helm_4),
];

async fn k8_k9_replicas_by_helm_3(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Helm3).await
}

async fn k8_k9_replicas_by_helm_4(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Helm4).await
}

async fn k8_k9_replicas_by_helm_4_client_side(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Helm4Client).await
}

async fn k8_k9_replicas_by_flux(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Flux).await
}

async fn k8_k9_replicas_by_kubectl_apply(shared: &Shared) -> anyhow::Result<()> {
    all(shared, Way::Apply).await
}

async fn k1_k2_replicas_that_nobody_writes_by_helm_3(shared: &Shared) -> anyhow::Result<()> {
    taken_out(shared, Way::Helm3).await
}

async fn k1_k2_replicas_that_nobody_writes_by_helm_4(shared: &Shared) -> anyhow::Result<()> {
    taken_out(shared, Way::Helm4).await
}

/// `replicas` is removed from the chart between runs, together with a new image, and during a run: none of these takes
/// pods from the primary.
async fn taken_out(shared: &Shared, way: Way) -> anyhow::Result<()> {
    let app = App::new(shared, &format!("taken-out-{}", way.name()), way).await?;
    let whole = async |when: &str| {
        let has = app.story.replicas("app-primary").await?;
        ensure!(has == Some(4), "{}: the primary has {has:?} {when}", way.name());
        Ok(())
    };
    app.initialised("tag=app:1,replicas=4").await?;
    app.primary_has(4).await?;
    tokio::time::sleep(Duration::from_secs(31)).await;
    app.release("tag=app:1").await?;
    app.rests().await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    whole("at rest").await?;

    app.release("tag=app:1,replicas=4").await?;
    app.rests().await?;
    app.release("tag=app:2").await?;
    app.story.phase("app", Phase::Succeeded).await?;
    whole("after a release without replicas").await?;
    ensure!(app.image("app-primary").await? == "app:2");

    app.release("tag=app:3,replicas=4").await?;
    app.story.phase("app", Phase::Progressing).await?;
    app.release("tag=app:3").await?;
    app.story.phase("app", Phase::Succeeded).await?;
    whole("after a run in which replicas were taken out").await?;
    ensure!(app.image("app-primary").await? == "app:3");
    Ok(())
}

/// Longer than pods of an idle release may stay, allowing for a slow machine.
const MOMENT: Duration = Duration::from_secs(15);

#[allow(clippy::print_stdout, reason = "the times are for whoever reads the run")]
async fn all(shared: &Shared, way: Way) -> anyhow::Result<()> {
    let app = App::new(shared, &format!("replicas-{}", way.name()), way).await?;
    app.initialised("tag=app:1,replicas=2").await?;
    app.primary_has(2).await?;

    // right after the target became idle, without a change
    app.release("tag=app:1,replicas=2").await?;
    let nothing = app.rests().await?;
    ensure!(nothing < MOMENT, "pods that were not asked for stayed for {nothing:?}");
    app.primary_has(2).await?;
    ensure!(app.story.phase("app", Phase::Initialized).await.is_ok());
    tokio::time::sleep(Duration::from_secs(31)).await;

    // between runs, another number is meant for the primary
    app.release("tag=app:1,replicas=3").await?;
    app.primary_has(3).await?;
    let number = app.rests().await?;
    ensure!(number < MOMENT, "the target kept its pods for {number:?}");

    // a release, and an upgrade without a change during the run
    app.release("tag=app:2,replicas=3").await?;
    app.story.phase("app", Phase::Progressing).await?;
    app.release("tag=app:2,replicas=3").await?;
    app.story.phase("app", Phase::Succeeded).await?;
    app.rests().await?;
    app.primary_has(3).await?;
    ensure!(app.image("app-primary").await? == "app:2");
    tokio::time::sleep(Duration::from_secs(31)).await;

    // after a failed run
    let (namespace, bed) = (&app.story.namespace, &shared.bed);
    bed.scripted().reset(namespace, "app").await?;
    bed.scripted().traffic(namespace, "app", Traffic::success(0.0, 50.0));
    app.release("tag=app:3,replicas=3").await?;
    app.story.phase("app", Phase::Failed).await?;
    app.rests().await?;
    tokio::time::sleep(Duration::from_secs(31)).await;
    app.release("tag=app:3,replicas=3").await?;
    let failed = app.rests().await?;
    ensure!(failed < MOMENT, "pods of a version that failed stayed for {failed:?}");
    ensure!(app.story.weight("app").await?.unwrap_or(0) == 0);
    ensure!(app.image("app-primary").await? == "app:2");
    app.release("tag=app:2,replicas=3").await?;
    app.story.phase("app", Phase::Succeeded).await?;
    app.rests().await?;
    app.primary_has(3).await?;
    tokio::time::sleep(Duration::from_secs(31)).await;

    // `replicas` is removed from the chart between runs
    app.release("tag=app:2").await?;
    app.release("tag=app:2").await?;
    let taken_out = app.rests().await?;
    ensure!(taken_out < MOMENT, "the target kept its pods for {taken_out:?}");
    app.primary_has(3).await?;
    println!(
        "{}: pods stayed for {nothing:?} (nothing changed), {number:?} (another number), {failed:?} (after a failed \
         run), {taken_out:?} (taken out)",
        way.name()
    );
    Ok(())
}
