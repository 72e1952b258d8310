//! Commands that Canaries request: loads that run in the background, each once at a time, and checks whose end is
//! awaited.
//!
//! Owns how many run at once, and their log lines and metrics.
#![allow(clippy::disallowed_methods, reason = "loads are tasks; shutting down waits for them")]

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    command::Work,
    exec::{self, Ended},
};
use crate::text::first_chars;

/// Loads that may wait; more are refused.
const QUEUE: usize = 1024;
/// Most characters of output on a log line.
const LOGGED: usize = 4096;

/// A command of a Canary.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Command {
    /// `<name>.<namespace>`.
    pub(super) canary: String,
    /// Its text.
    pub(super) text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    kind: &'static str,
    outcome: &'static str,
}

struct Counts {
    registry: Registry,
    ended: Family<Labels, Counter>,
    running: Gauge,
}

impl Counts {
    fn new() -> Self {
        let (mut registry, ended, running) =
            (Registry::with_prefix("serin_loadtester"), Family::default(), Gauge::default());
        registry.register("commands", "Commands that ended, by kind and outcome", ended.clone());
        registry.register("commands_running", "Commands running now", running.clone());
        Self { registry, ended, running }
    }
}

/// What runs, and what waits.
pub(super) struct Tasks {
    limit: Duration,
    loads: Semaphore,
    checks: Semaphore,
    /// One place for each running check, and as many for waiting ones.
    room: Semaphore,
    known: Mutex<BTreeSet<Command>>,
    counts: Counts,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// At most `at_once` loads and as many checks run at a time, each for at most `limit`.
    pub(super) fn new(limit: Duration, at_once: usize, stop: CancellationToken) -> Self {
        Self {
            limit,
            loads: Semaphore::new(at_once),
            checks: Semaphore::new(at_once),
            room: Semaphore::new(2 * at_once),
            known: Mutex::default(),
            counts: Counts::new(),
            tracker: TaskTracker::new(),
            stop,
        }
    }

    /// Starts a load in the background, unless the same one of the same Canary already runs or waits.
    ///
    /// # Errors
    /// Too many wait.
    pub(super) fn load(
        self: &Arc<Self>,
        command: Command,
        work: Work,
        show_output: bool,
    ) -> Result<(), String> {
        let mut known = self.known();
        if known.contains(&command) {
            tracing::debug!(canary = command.canary, "command skipped, it is running: {}", command.text);
            return Ok(());
        }
        if known.len() >= QUEUE {
            return Err(format!("{QUEUE} commands run or wait already: try again later"));
        }
        known.insert(command.clone());
        drop(known);
        let tasks = self.clone();
        self.tracker.spawn(async move {
            let done = tasks.run("cmd", &tasks.loads, &command, &work, show_output).await;
            if done.is_none() {
                tracing::info!(canary = command.canary, "command ended by shutdown: {}", command.text);
            }
            tasks.known().remove(&command);
        });
        Ok(())
    }

    /// Runs a check to its end, counted under its kind. Dropping the future ends it.
    ///
    /// # Errors
    /// Too many wait, or the load tester shuts down first.
    pub(super) async fn check(
        &self,
        kind: &'static str,
        command: &Command,
        work: &Work,
    ) -> Result<Ended, &'static str> {
        let Ok(_room) = self.room.try_acquire() else {
            return Err("too many checks run and wait already: try again later, or raise --max-commands");
        };
        let ended = self.run(kind, &self.checks, command, work, true).await;
        ended.ok_or("the load tester is shutting down")
    }

    /// Waits until all loads have ended after a shutdown began.
    pub(super) async fn ended(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// The metrics, as text.
    pub(super) fn exposition(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.counts.registry) {
            Ok(()) => text,
            Err(_) => String::new(),
        }
    }

    async fn run(
        &self,
        kind: &'static str,
        places: &Semaphore,
        command: &Command,
        work: &Work,
        show_output: bool,
    ) -> Option<Ended> {
        let running = async {
            let _place = places.acquire().await.ok()?;
            let _counted = Running::new(&self.counts.running);
            Some(exec::run(work, self.limit).await)
        };
        let ended = tokio::select! {
            ended = running => ended?,
            () = self.stop.cancelled() => return None,
        };
        let (canary, text) = (&command.canary, &command.text);
        let output = first_chars(ended.output.trim_end(), LOGGED);
        let outcome = if let Some(why) = &ended.failure {
            tracing::error!(canary, output, "command failed {text}: {why}");
            "failed"
        } else {
            if show_output {
                tracing::info!(canary, "{output}");
            }
            tracing::info!(canary, "command finished {text}");
            "succeeded"
        };
        self.counts.ended.get_or_create(&Labels { kind, outcome }).inc();
        Some(ended)
    }

    fn known(&self) -> MutexGuard<'_, BTreeSet<Command>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts one running command until this is dropped.
struct Running<'a>(&'a Gauge);

impl<'a> Running<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}
