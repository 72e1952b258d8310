//! Waits for a release with Helm 4's own `--wait` and `--rollback-on-failure`, and with kubectl as the page on waiting
//! describes for Helm 3: the wait ends with the promotion, fails soon after a rollback, and never ends early.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::Value;
use serin::api::{Canary, CanaryStatus, Phase};
use serin_bed::{
    Traffic,
    kubelet::{Behaviour, Selector},
    story::{PATIENCE, Story},
    wait,
};

use crate::{
    Family, Shared,
    app::App,
    tool::{Program, Way, root},
};

pub(crate) const STORIES: Family = &[
    crate::story!(ch24_helm_4_waits_for_the_promotion_and_rolls_back_at_once),
    crate::story!(ch24_helm_4_of_a_chart_that_changes_the_target_only),
    crate::story!(ch24_a_first_release_that_never_starts_is_uninstalled_by_helm_4),
    crate::story!(k6_kubectl_waits_after_helm_3),
];

pub(crate) const ALONE: Family = &[crate::story!(k6_a_canary_that_was_not_looked_at_is_waited_for)];

/// Helm's timeout for a release: longer than any good release takes here.
const LIMIT: &str = "--timeout=90s";
const WAIT: [&str; 2] = ["--wait", LIMIT];
const BACK: [&str; 3] = ["--wait", "--rollback-on-failure", LIMIT];
/// Much less than [`LIMIT`], at which a tool that does not see the failure ends.
const SOON: Duration = Duration::from_secs(30);

async fn status(story: &Story<'_>) -> anyhow::Result<CanaryStatus> {
    let canary: Canary = story.api().get("app").await?;
    canary.status.context("the Canary has no status")
}

/// The Canary is in this phase now, and this image serves.
async fn is(app: &App<'_>, phase: Phase, image: &str) -> anyhow::Result<()> {
    let status = status(&app.story).await?;
    let serves = app.image("app-primary").await?;
    let promoted = status.last_applied_spec == status.last_promoted_spec;
    ensure!(
        status.phase == Some(phase) && status.canary_weight == 0 && serves == image && promoted,
        "early: {:?} at {} % with {serves}, promoted: {promoted}",
        status.phase,
        status.canary_weight
    );
    Ok(())
}

async fn turn(app: &App<'_>, traffic: Traffic) -> anyhow::Result<()> {
    let (namespace, bed) = (&app.story.namespace, &app.shared.bed);
    bed.scripted().reset(namespace, "app").await?;
    bed.scripted().traffic(namespace, "app", traffic);
    Ok(())
}

/// Status and description of the release's newest revision.
async fn newest(helm: &Program, namespace: &str) -> anyhow::Result<(String, String)> {
    let text = helm.run(&["history", "app", "--namespace", namespace, "--output", "json"]).await?;
    let all: Vec<Value> = serde_json::from_str(&text)?;
    let last = all.last().context("no revision")?;
    let word = |field: &str| last[field].as_str().unwrap_or_default().to_owned();
    Ok((word("status"), word("description")))
}

/// The time when the Canary is seen as failed.
async fn failed_at(story: &Story<'_>) -> anyhow::Result<Instant> {
    story.phase("app", Phase::Failed).await?;
    Ok(Instant::now())
}

/// Releases a bad version with Helm 4, which must roll it back. Returns the time since the rollback, and Helm's output.
async fn rolled_back(app: &App<'_>, values: &str) -> anyhow::Result<(Duration, String)> {
    turn(app, Traffic::success(0.0, 50.0)).await?;
    let (said, failed) = tokio::join!(app.release_with(values, &BACK), failed_at(&app.story));
    let took = failed?.elapsed();
    let said = said.err().context("Helm took a release that was rolled back for a good one")?;
    ensure!(took < SOON, "Helm gave up {took:?} after the rollback: {said}");
    Ok((took, said.to_string()))
}

#[allow(clippy::print_stdout, reason = "the times are for whoever reads the run")]
async fn ch24_helm_4_waits_for_the_promotion_and_rolls_back_at_once(shared: &Shared) -> anyhow::Result<()> {
    let app = App::new(shared, "wait-helm4", Way::Helm4).await?;
    app.names_its_release()?;
    let helm = Program::new(&shared.bed, "helm4").await?;
    app.release_with("tag=app:1", &WAIT).await?;
    is(&app, Phase::Initialized, "app:1").await?;
    app.rests().await?;

    let began = Instant::now();
    app.release_with("tag=app:2", &BACK).await?;
    let good = began.elapsed();
    is(&app, Phase::Succeeded, "app:2").await?;
    app.rests().await?;

    for tag in ["app:3", "app:4"] {
        let (took, said) = rolled_back(&app, &format!("tag={tag}")).await?;
        ensure!(said.contains("ThresholdReached") || said.contains("Failed"), "{said}");
        println!(
            "promoted and told after {good:?}; rolled back and set back {took:?} after the end of the run: {said}"
        );
        let (state, about) = newest(&helm, &app.story.namespace).await?;
        ensure!(state == "deployed" && about.starts_with("Rollback to"), "{state}: {about}; {said}");
        is(&app, Phase::Succeeded, "app:2").await?;
        ensure!(app.image("app").await? == "app:2");
    }
    turn(&app, Traffic::success(100.0, 50.0)).await?;
    app.release_with("tag=app:5", &BACK).await?;
    is(&app, Phase::Succeeded, "app:5").await
}

/// The page warns that Helm may check too early here. The test measures this, and asserts only the end.
#[allow(clippy::print_stdout, reason = "the times are for whoever reads the run")]
async fn ch24_helm_4_of_a_chart_that_changes_the_target_only(shared: &Shared) -> anyhow::Result<()> {
    let app = App::new(shared, "wait-target", Way::Helm4).await?;
    app.release_with("tag=app:1", &WAIT).await?;
    is(&app, Phase::Initialized, "app:1").await?;
    app.rests().await?;

    let began = Instant::now();
    app.release_with("tag=app:2", &WAIT).await?;
    let (took, early) = (began.elapsed(), is(&app, Phase::Succeeded, "app:2").await.err());
    println!(
        "target only: told after {took:?}, {}",
        early.map_or("in time".into(), |early| early.to_string())
    );
    app.story
        .canary_that("app", |c| c.status.as_ref().is_some_and(|s| s.phase == Some(Phase::Succeeded)))
        .await?;
    is(&app, Phase::Succeeded, "app:2").await?;
    app.rests().await?;

    turn(&app, Traffic::success(0.0, 50.0)).await?;
    let said = app.release_with("tag=app:3", &BACK).await;
    let helm = Program::new(&shared.bed, "helm4").await?;
    let (state, about) = newest(&helm, &app.story.namespace).await?;
    let said = said.err().context("Helm took a release that was rolled back for a good one")?;
    println!("target only: a bad version ends as {state} ({about}): {said}");
    Ok(())
}

async fn ch24_a_first_release_that_never_starts_is_uninstalled_by_helm_4(
    shared: &Shared,
) -> anyhow::Result<()> {
    let app = App::new(shared, "wait-install", Way::Helm4).await?;
    app.names_its_release()?;
    let never = Behaviour { ready: Some(false), ..Behaviour::default() };
    shared.bed.kubelet()?.set(Selector::image("app:1").in_namespace("wait-install"), never);
    let back = ["--wait", "--rollback-on-failure", "--timeout=5s"];
    let said = app.release_with("tag=app:1", &back).await.err().context("Helm took it for good")?.to_string();
    ensure!(said.contains("uninstalled"), "{said}");
    wait::gone::<Canary>(app.story.api(), "app", PATIENCE).await?;
    for name in ["app", "app-primary"] {
        wait::gone::<Deployment>(app.story.api(), name, PATIENCE).await?;
    }
    Ok(())
}

/// The operator is down or slow: pods are ready, but nothing is known about the release.
async fn k6_a_canary_that_was_not_looked_at_is_waited_for(shared: &Shared) -> anyhow::Result<()> {
    let app = App::new(shared, "wait-away", Way::Helm4).await?;
    let mut operator = shared.operator.lock().await;
    operator.kill9().await?;
    let told = app.release_with("tag=app:1", &["--wait", "--timeout=8s"]).await;
    operator.restart().await?;
    operator.ready(PATIENCE).await?;
    drop(operator);
    ensure!(told.is_err(), "Helm took a Canary that nobody has looked at for a good one");
    app.release_with("tag=app:1", &WAIT).await?;
    is(&app, Phase::Initialized, "app:1").await
}

/// The script of docs/waiting.md for an application in a namespace.
fn script(namespace: &str) -> anyhow::Result<String> {
    let page = fs::read_to_string(root().join("docs/waiting.md"))?;
    let block = page.split("```bash\n").nth(1).and_then(|rest| rest.split("```").next());
    Ok(block
        .context("the page has no script")?
        .replace("canary/podinfo", &format!("canary/app -n {namespace}")))
}

async fn k6_kubectl_waits_after_helm_3(shared: &Shared) -> anyhow::Result<()> {
    let app = App::new(shared, "wait-helm3", Way::Helm3).await?;
    app.names_its_release()?;
    let kubectl = Program::new(&shared.bed, "kubectl").await?;
    let script = script(&app.story.namespace)?;
    let waited =
        async || tokio::time::timeout(PATIENCE, kubectl.script(&script)).await.context("the script hangs");

    app.release_with("tag=app:1", &WAIT).await?;
    waited().await??;
    is(&app, Phase::Initialized, "app:1").await?;
    app.rests().await?;
    app.release_with("tag=app:2", &WAIT).await?;
    waited().await??;
    is(&app, Phase::Succeeded, "app:2").await?;
    app.rests().await?;

    turn(&app, Traffic::success(0.0, 50.0)).await?;
    app.release_with("tag=app:3", &WAIT).await?;
    let (said, failed) = tokio::join!(waited(), failed_at(&app.story));
    let took = failed?.elapsed();
    if said?.is_ok() {
        bail!("kubectl took a release that was rolled back for a good one");
    }
    ensure!(took < SOON, "kubectl gave up {took:?} after the rollback");
    let helm = Program::new(&shared.bed, "helm3").await?;
    helm.run(&["rollback", "app", "--namespace", &app.story.namespace, "--wait"]).await?;
    waited().await??;
    is(&app, Phase::Succeeded, "app:2").await
}
