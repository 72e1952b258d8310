//! The queue of runs: a hundred releases at the same time, with a limit of ten runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, ensure};
use futures::StreamExt;
use jiff::Timestamp;
use kube::{
    Api,
    runtime::{WatchStreamExt, watcher},
};
use serde_json::json;
use serin::api::{Canary, Phase};
use serin_bed::{
    operator::Operator,
    stage, story,
    story::{Story, canary, deployment},
    wait,
};
use tokio::task::JoinHandle;

use crate::{READY, Shared, bad_common};

pub(super) const STORIES: stage::Family<Shared> = &[story!(a_hundred_releases_take_turns_ten_at_once)];

const RELEASES: usize = 100;
const MOST: usize = 10;
/// Timeout for the initialisation and release of all hundred: about ten times as long as they take.
const ALL: Duration = Duration::from_secs(900);
/// Its only window lasts an hour.
const HELD: &str = "app-000";
/// This one is aborted while it waits in the queue.
const GIVEN_UP: &str = "app-099";

async fn a_hundred_releases_take_turns_ten_at_once(shared: &Shared) -> anyhow::Result<()> {
    let story = bad_common::story(shared, "queue").await?;
    let limit = format!("--max-runs={MOST}");
    let mut operator = Operator::start(&shared.bed, &["--namespace=queue", &limit], &[])?;
    operator.ready(READY).await?;
    let names: Vec<String> = (0..RELEASES).map(|n| format!("app-{n:03}")).collect();
    applied(&story, &names).await?;
    let queue = Queue::follow(&story);
    queue.until("all to be initialised", |seen| seen.in_phase(Phase::Initialized) == RELEASES).await?;

    for name in &names {
        story.set_image(name, "app:2").await?;
    }
    queue.until("the last one to wait", |seen| seen.waiting.contains(GIVEN_UP)).await?;
    ask(&story, GIVEN_UP, "abort/1").await?;
    queue.until("30 to have begun", |seen| seen.begun.len() >= 30).await?;
    operator.restart().await?;
    operator.ready(READY).await?;
    queue.until("more to begin after the restart", |seen| seen.begun.len() >= 40).await?;

    ask(&story, HELD, "abort/1").await?;
    let ended = |seen: &Seen| seen.phases.get(HELD) == Some(&Phase::Failed);
    let waiting = queue.until("the run that was held to be given up", ended).await?.waiting.len();
    ensure!(waiting > 0, "it was given up only when all others had had their turn");
    let seen = queue
        .until("each to have had its turn", |seen| {
            // without a run, no run has failed
            let given_up = seen.phases.get(GIVEN_UP) == Some(&Phase::Initialized);
            seen.in_phase(Phase::Succeeded) == RELEASES - 2
                && given_up
                && seen.phases.get(HELD) == Some(&Phase::Failed)
        })
        .await?;
    seen.kept_to_the_limit()?;
    seen.in_order_of_arrival()
}

/// One application with a Canary for each name, without metrics: the test checks the order of starts.
async fn applied(story: &Story<'_>, names: &[String]) -> anyhow::Result<()> {
    for name in names {
        let mut canary = canary(name);
        canary["spec"]["analysis"]["metrics"] = json!([]);
        if name == HELD {
            canary["spec"]["analysis"]["interval"] = json!("60m");
        }
        story.apply(vec![deployment(name, "app:1", 1), canary]).await?;
    }
    Ok(())
}

async fn ask(story: &Story<'_>, name: &str, request: &str) -> anyhow::Result<()> {
    story.edit_canary(name, json!({"metadata": {"annotations": {"serin.dev/request": request}}})).await
}

/// What a watch has shown about the Canaries of the namespace.
#[derive(Clone, Debug, Default)]
struct Seen {
    phases: BTreeMap<String, Phase>,
    running: BTreeSet<String>,
    /// The highest number of parallel runs.
    most: usize,
    /// Canaries with a started run, in that order.
    begun: Vec<String>,
    waiting: BTreeSet<String>,
    /// Since when each Canary has waited for its turn.
    since: BTreeMap<String, Timestamp>,
}

impl Seen {
    fn note(&mut self, canary: Canary) {
        let name = canary.metadata.name.unwrap_or_default();
        let status = canary.status.unwrap_or_default();
        self.phases.insert(name.clone(), status.phase.unwrap_or_default());
        let queued = status.conditions.iter().find(|c| c.type_ == "Queued" && c.status == "True");
        if let Some(time) = queued.and_then(|c| c.last_transition_time.as_ref()) {
            self.since.insert(name.clone(), time.0);
            self.waiting.insert(name.clone());
        } else {
            self.waiting.remove(&name);
        }
        if status.run.is_none() {
            self.running.remove(&name);
        } else if self.running.insert(name.clone()) {
            self.begun.push(name);
        }
        self.most = self.most.max(self.running.len());
    }

    fn in_phase(&self, phase: Phase) -> usize {
        self.phases.values().filter(|seen| **seen == phase).count()
    }

    fn kept_to_the_limit(&self) -> anyhow::Result<()> {
        ensure!(self.most == MOST, "{} runs at once, where {MOST} may be", self.most);
        let each: BTreeSet<_> = self.begun.iter().collect();
        ensure!(each.len() == self.begun.len(), "one had two turns: {:?}", self.begun);
        ensure!(!each.contains(&GIVEN_UP.to_owned()), "a run began of what was given up before its turn");
        ensure!(each.len() == RELEASES - 1, "{} of them had a turn", each.len());
        Ok(())
    }

    /// As many Canaries as may run in parallel start at the same time, so their first writes may come in any order.
    fn in_order_of_arrival(&self) -> anyhow::Result<()> {
        let waited: Vec<_> =
            self.begun.iter().filter_map(|name| Some((self.since.get(name)?, name))).collect();
        ensure!(waited.len() >= RELEASES / 2, "only {} waited for their turn", waited.len());
        let mut by_arrival = waited.clone();
        by_arrival.sort_unstable();
        for (turn, one) in waited.iter().enumerate() {
            let arrival = by_arrival.iter().position(|other| other == one).unwrap_or_default();
            ensure!(
                turn.abs_diff(arrival) < MOST,
                "{} came as number {arrival} and had its turn as number {turn}",
                one.1,
            );
        }
        Ok(())
    }
}

/// Follows all Canaries of a namespace until it is dropped.
struct Queue {
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Queue {
    fn follow(story: &Story<'_>) -> Self {
        let api: Api<Canary> = story.api();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let sink = seen.clone();
        let task = tokio::spawn(async move {
            let mut stream =
                std::pin::pin!(watcher(api, watcher::Config::default()).default_backoff().applied_objects());
            while let Some(event) = stream.next().await {
                if let Ok(canary) = event {
                    sink.lock().unwrap_or_else(PoisonError::into_inner).note(canary);
                }
            }
        });
        Self { seen, task }
    }

    /// Waits until `accept` accepts the state. Returns what had been seen by then.
    async fn until(&self, what: &str, accept: impl Fn(&Seen) -> bool) -> anyhow::Result<Seen> {
        let seen = || self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let accepted = async || Some(seen()).filter(&accept);
        wait::until(what, ALL, accepted).await.with_context(|| {
            let seen = seen();
            format!(
                "{} run, {} wait, {} have begun",
                seen.running.len(),
                seen.waiting.len(),
                seen.begun.len()
            )
        })
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.task.abort();
    }
}
