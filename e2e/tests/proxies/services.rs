//! Plain Services through the real kube-proxy, which selects a pod for each connection: shares of pods, and switched
//! users. Every client opens a new connection for each request.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::ensure;
use serde_json::{Value, json};
use serin::api::Phase;
use serin_bed::{endpoints::ready_are, lacking::Need, load::Target};
use tokio::{task::JoinHandle, time::sleep};

use crate::{
    Family, Shared,
    clients::Clients,
    lives::{Life, app, handed_back},
    story,
    way::{Way, through},
};

pub(crate) const STORIES: Family = &[
    story!(s2_1_shares_of_pods, Need::Nftables),
    story!(s2_1_deleted_while_pods_are_shared, Need::Nftables),
    story!(s2_6_a_switch_on_request, Need::Nftables),
    story!(s2_6_deleted_while_switched, Need::Nftables),
];

/// The number of pods behind the apex.
const PODS: i32 = 10;
/// Weights, with the number of pods of the old and the new version.
const STEPS: [(i32, (usize, usize)); 4] = [(20, (8, 2)), (40, (6, 4)), (60, (4, 6)), (80, (2, 8))];

/// The usual application with this many pods, and with a label that both versions share.
fn pods(count: i32) -> Value {
    let mut app = app();
    app["spec"]["replicas"] = json!(count);
    app["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] = json!("app");
    app
}

/// Steps: those up to `passing` pass at once, and all others are held.
fn steps(passing: usize) -> Value {
    let step = |(index, (weight, _)): (usize, &(i32, _))| {
        let hold = if index < passing { "0s" } else { "60m" };
        json!({"weight": weight, "hold": hold})
    };
    json!({"steps": STEPS.iter().enumerate().map(step).collect::<Vec<_>>()})
}

async fn analysis(life: &Life<'_>, analysis: Value) -> anyhow::Result<()> {
    life.story.edit_canary("app", json!({"spec": {"analysis": analysis}})).await
}

/// S2.1: eight, six, four, two of ten pods are old, and users get exactly these shares. Then all pods are new. A run
/// that is aborted at the last step ends in its initial state.
async fn s2_1_shares_of_pods(shared: &Shared) -> anyhow::Result<()> {
    let life = Life::begin_with(shared, "s2-1", Way::Services, pods(PODS)).await?;
    life.adopted(steps(0)).await?;
    life.users.whole("adoption")?;
    life.story.set_image("app", "app:2").await?;
    for (index, (weight, behind)) in (1..).zip(STEPS) {
        life.at_step(index).await?;
        ready_are(&life.story, "app", "app", behind).await?;
        life.users.share("2", f64::from(weight) / 100.0).await?;
        life.users.whole(&format!("the step to {weight} %"))?;
        analysis(&life, steps(usize::try_from(index)?)).await?;
    }
    life.story.phase("app", Phase::Succeeded).await?;
    ready_are(&life.story, "app", "app", (10, 0)).await?;
    ensure!(life.story.replicas("app").await? == Some(0), "the target keeps its pods");
    life.users.all("2").await?;
    life.users.whole("the promotion")?;

    analysis(&life, steps(STEPS.len() - 1)).await?;
    life.story.set_image("app", "app:3").await?;
    life.at_step(4).await?;
    ready_are(&life.story, "app", "app", (2, 8)).await?;
    life.users.share("3", 0.8).await?;
    life.story.set_image("app", "app:2").await?;
    life.story.phase("app", Phase::Succeeded).await?;
    ready_are(&life.story, "app", "app", (10, 0)).await?;
    life.users.all("2").await?;
    life.users.whole("the abort")?;
    handed_back(&life).await
}

/// S2.1, with a deletion during the run: the target, with its current version, gets all users.
async fn s2_1_deleted_while_pods_are_shared(shared: &Shared) -> anyhow::Result<()> {
    let life = Life::begin_with(shared, "s2-1-deleted", Way::Services, pods(5)).await?;
    life.adopted(steps(3)).await?;
    life.story.set_image("app", "app:2").await?;
    life.at_step(4).await?;
    ready_are(&life.story, "app", "app", (1, 4)).await?;
    handed_back(&life).await?;
    ready_are(&life.story, "app", "app", (0, 5)).await
}

/// Time between two requests of one user: ports of closed connections cannot be reused for a minute.
const PAUSE: Duration = Duration::from_millis(10);

/// One user who sends the next request after each answer, with a new connection each time.
struct User {
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl User {
    fn asks(target: Target) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = seen.clone();
        let task = tokio::spawn(async move {
            loop {
                let answer = match target.once().await {
                    Ok(answer) => answer.version.unwrap_or_else(|| answer.status.to_string()),
                    Err(error) => format!("{error:#}"),
                };
                note(&sink, answer);
                sleep(PAUSE).await;
            }
        });
        Self { seen, task }
    }

    /// The answers so far, without repetitions.
    fn saw(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn note(seen: &Mutex<Vec<String>>, answer: String) {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    if seen.last() != Some(&answer) {
        seen.push(answer);
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A run until it waits: the new version is only behind the preview, and users notice nothing.
async fn waits(life: &Life<'_>, (old, new): (&str, &str)) -> anyhow::Result<()> {
    analysis(life, json!({"interval": "60m"})).await?;
    life.story.set_image("app", &format!("app:{new}")).await?;
    life.at_step(1).await?;
    let preview = Clients::begin_at(&through(&life.story, "app-canary").await?, new).await?;
    analysis(life, json!({"interval": "2s"})).await?;
    life.story.phase("app", Phase::WaitingPromotion).await?;
    preview.still(new).await?;
    preview.whole("the preview")?;
    life.users.still(old).await?;
    ready_are(&life.story, "app", "app", (4, 0)).await?;
    ready_are(&life.story, "app", "app-canary", (0, 4)).await
}

fn on_request() -> Value {
    json!({"iterations": 1, "promotion": {"mode": "manual", "switch": true}})
}

/// S2.6: the new version waits behind the preview until somebody promotes it. Then all users are switched once, for
/// good. Or it is removed again.
async fn s2_6_a_switch_on_request(shared: &Shared) -> anyhow::Result<()> {
    let life = Life::begin_with(shared, "s2-6", Way::Services, pods(4)).await?;
    life.adopted(on_request()).await?;
    waits(&life, ("1", "2")).await?;
    let user = User::asks(life.way.target(&life.story).await?);
    let request = json!({"metadata": {"annotations": {"serin.dev/request": "promote/first"}}});
    life.story.edit_canary("app", request).await?;
    life.story.phase("app", Phase::Succeeded).await?;
    life.users.all("2").await?;
    ready_are(&life.story, "app", "app", (4, 0)).await?;
    ensure!(user.saw() == ["1", "2"], "a user saw {:?}", user.saw());
    life.users.whole("the promotion")?;

    waits(&life, ("2", "3")).await?;
    life.story.set_image("app", "app:2").await?;
    life.story.phase("app", Phase::Succeeded).await?;
    ready_are(&life.story, "app", "app-canary", (0, 0)).await?;
    ensure!(user.saw() == ["1", "2"], "a user saw {:?}", user.saw());
    life.users.whole("the abort")?;
    handed_back(&life).await
}

/// S2.6, with a deletion after the switch: users stay on their version.
async fn s2_6_deleted_while_switched(shared: &Shared) -> anyhow::Result<()> {
    let life = Life::begin_with(shared, "s2-6-deleted", Way::Services, pods(4)).await?;
    life.adopted(on_request()).await?;
    waits(&life, ("1", "2")).await?;
    let user = User::asks(life.way.target(&life.story).await?);
    analysis(&life, json!({"interval": "60m"})).await?;
    let request = json!({"metadata": {"annotations": {"serin.dev/request": "promote/now"}}});
    life.story.edit_canary("app", request).await?;
    life.users.all("2").await?;
    handed_back(&life).await?;
    ready_are(&life.story, "app", "app", (0, 4)).await?;
    ensure!(user.saw() == ["1", "2"], "a user saw {:?}", user.saw());
    Ok(())
}
