//! The demo's client: real requests through Envoy, counted per weight and in total.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use serin_bed::load::{LoadHandle, Target, Window};

const CONNECTIONS: usize = 8;
/// The period of the displayed rate.
const RECENT: Duration = Duration::from_secs(1);
/// The number of lost requests that the report describes.
const DESCRIBED: usize = 5;

/// Total counts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) requests: u64,
    /// Failures caused by moving traffic: broken connections, and errors that did not come from a backend.
    pub(super) lost: u64,
    /// A version's own 5xx.
    pub(super) own: u64,
}

impl Totals {
    fn add(&mut self, window: &Window) {
        self.requests += window.requests;
        self.lost += window.lost();
        self.own += window.version_errors;
    }

    /// The counts after `earlier`.
    pub(super) fn since(self, earlier: Self) -> Self {
        Self {
            requests: self.requests - earlier.requests,
            lost: self.lost - earlier.lost,
            own: self.own - earlier.own,
        }
    }
}

/// The client.
pub(super) struct Traffic {
    target: Target,
    rate: f64,
    load: Option<LoadHandle>,
    past: Totals,
    recent: VecDeque<(Instant, u64)>,
    failures: Vec<String>,
}

impl Traffic {
    /// A stopped client.
    pub(super) fn new(target: Target, rate: f64) -> Self {
        Self {
            target,
            rate,
            load: None,
            past: Totals::default(),
            recent: VecDeque::new(),
            failures: Vec::new(),
        }
    }

    pub(super) fn start(&mut self) {
        if self.load.is_none() {
            self.load = Some(LoadHandle::start(&self.target, self.rate, CONNECTIONS));
            self.recent.clear();
        }
    }

    pub(super) async fn stop(&mut self) {
        if let Some(load) = self.load.take() {
            self.close(&load.stop().await);
        }
        self.recent.clear();
    }

    /// Ends the window and starts another one.
    pub(super) fn cut(&mut self) -> Option<Window> {
        let window = self.load.as_ref().map(LoadHandle::reset)?;
        self.close(&window);
        Some(window)
    }

    /// The window so far.
    pub(super) fn window(&self) -> Option<Window> {
        self.load.as_ref().map(LoadHandle::snapshot)
    }

    /// Waits until the window contains `count` requests.
    pub(super) async fn requests(&self, count: u64, limit: Duration) -> anyhow::Result<()> {
        if let Some(load) = &self.load {
            load.requests(count, limit).await?;
        }
        Ok(())
    }

    pub(super) fn totals(&self) -> Totals {
        let mut totals = self.past;
        if let Some(window) = self.window() {
            totals.add(&window);
        }
        totals
    }

    /// The recent rate in requests per second. Uses the clock, so call it repeatedly.
    pub(super) fn lately(&mut self) -> f64 {
        let (now, requests) = (Instant::now(), self.totals().requests);
        self.recent.push_back((now, requests));
        while self.recent.len() > 2 && self.recent.get(1).is_some_and(|(at, _)| now - *at >= RECENT) {
            self.recent.pop_front();
        }
        let Some((at, then)) = self.recent.front() else { return 0.0 };
        let seconds = (now - *at).as_secs_f64();
        if seconds > 0.0 { (requests - then) as f64 / seconds } else { 0.0 }
    }

    /// Descriptions of the first lost requests.
    pub(super) fn failures(&self) -> &[String] {
        &self.failures
    }

    fn close(&mut self, window: &Window) {
        self.past.add(window);
        let room = DESCRIBED.saturating_sub(self.failures.len());
        self.failures.extend(window.failures.iter().take(room).map(|(_, what)| what.clone()));
    }
}
