//! Users of one application: they send requests continuously. Shares are measured over a window, and losses over all
//! windows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, ensure};
use jiff::Timestamp;
use serin_bed::{
    load::{LoadHandle, Target, Window},
    story::PATIENCE,
    wait,
};
use tokio::time::Instant;

/// The number of answers for measuring a share.
const ANSWERS: u64 = 1000;
/// The tolerance.
const WITHIN: f64 = 0.05;
/// Requests per second.
const RATE: f64 = 150.0;

/// Running users. Dropping it stops them.
pub(crate) struct Clients {
    load: LoadHandle,
    /// When, and what was answered.
    lost: Mutex<Vec<(Timestamp, String)>>,
    answers: u64,
    within: f64,
}

impl Clients {
    /// Waits until version 1 answers, and starts.
    pub(crate) async fn begin(target: &Target) -> anyhow::Result<Self> {
        Self::begin_at(target, "1").await
    }

    /// Waits until this version answers, and starts.
    pub(crate) async fn begin_at(target: &Target, version: &str) -> anyhow::Result<Self> {
        target.serving(version, PATIENCE).await?;
        Ok(Self::start(target))
    }

    /// Starts immediately.
    pub(crate) fn start(target: &Target) -> Self {
        let load = LoadHandle::start(target, RATE, 4);
        Self { load, lost: Mutex::default(), answers: ANSWERS, within: WITHIN }
    }

    /// Measures shares on this many answers, with this tolerance.
    #[must_use]
    pub(crate) fn counting(self, answers: u64, within: f64) -> Self {
        Self { answers, within, ..self }
    }

    /// Waits until `version` has this share of a window of answers, 0 to 1: a proxy needs a while to follow.
    pub(crate) async fn share(&self, version: &str, wanted: f64) -> anyhow::Result<Window> {
        let last = Mutex::new(None);
        let what = format!("version {version} to give {wanted} of {} answers", self.answers);
        let near = wait::until(&what, PATIENCE, async || {
            let window = self.window().await.ok()?;
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(window.share(version));
            ((window.share(version) - wanted).abs() <= self.within).then_some(window)
        });
        near.await.with_context(|| format!("its last share was {last:?}"))
    }

    /// Waits until a whole window of answers comes from `version`.
    pub(crate) async fn all(&self, version: &str) -> anyhow::Result<()> {
        let last = Mutex::new(None);
        let what = format!("{} answers of version {version} alone", self.answers);
        let all = wait::until(&what, PATIENCE, async || {
            let window = self.window().await.ok()?;
            let all = only(&window, version).then_some(());
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(window.versions);
            all
        });
        all.await.with_context(|| format!("the last answers were {last:?}"))
    }

    /// The whole next window of answers comes from `version`.
    pub(crate) async fn still(&self, version: &str) -> anyhow::Result<()> {
        let window = self.window().await?;
        ensure!(only(&window, version), "not only version {version} answered: {:?}", window.versions);
        Ok(())
    }

    /// The next answers, as many as for measuring a share.
    pub(crate) async fn window(&self) -> anyhow::Result<Window> {
        self.note();
        self.load.requests(self.answers, PATIENCE).await
    }

    /// When `version` answered first and last since the start of the current window.
    pub(crate) async fn answers_of(&self, version: &str) -> anyhow::Result<(Instant, Instant)> {
        let first = self.load.first_answer(version, PATIENCE).await?;
        let last = self.load.snapshot().versions.get(version).map_or(first, |answers| answers.last);
        Ok((first, last))
    }

    /// Descriptions of the requests lost so far.
    pub(crate) fn lost(&self) -> Vec<String> {
        self.note();
        self.noted().iter().map(|(_, what)| what.clone()).collect()
    }

    /// No request has been lost so far.
    pub(crate) fn whole(&self, what: &str) -> anyhow::Result<()> {
        self.note();
        let lost = self.noted();
        let told: Vec<String> = lost.iter().map(|(at, what)| format!("{at:.3} {what}")).collect();
        ensure!(lost.is_empty(), "{what}: {} requests lost: {told:?}", lost.len());
        Ok(())
    }

    fn noted(&self) -> MutexGuard<'_, Vec<(Timestamp, String)>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self) {
        let past = self.load.reset();
        let now = (Timestamp::now(), Instant::now());
        let times = past.failures.into_iter().map(|(at, what)| (now.0 - now.1.duration_since(at), what));
        self.noted().extend(times);
    }
}

fn only(window: &Window, version: &str) -> bool {
    window.versions.keys().all(|answered| answered == version)
}
