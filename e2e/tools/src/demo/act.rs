//! One act: a release from the new image to the end of its run, shown live, and its results.

use std::{collections::BTreeMap, io, time::Duration};

use anyhow::{Context, bail};
use jiff::Timestamp;
use serin::api::{Canary, CanaryStatus, Phase};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{
    beside::{Beside, Finding},
    calls,
    measured::Measured,
    numbers::NAME,
    scenarios::Act,
    screen::Row,
    sight::{Route, Seen, What},
    stage::Stage,
    traffic::Totals,
};
use serin_bed::{
    Behaviour, Selector,
    load::{Version, Window},
};

/// How often the live row is updated.
const TICK: Duration = Duration::from_millis(250);
/// How often a permanent row is added.
const ROW: Duration = Duration::from_secs(2);
/// Timeout of an act: long, because machines may be busy.
const LIMIT: Duration = Duration::from_secs(120);
/// The longest time from the end of the run to the last Event.
const LAST_WORD: Duration = Duration::from_secs(5);
/// The number of answers to wait for after a run, to compare a share with a weight.
const ENOUGH: u64 = 1000;

/// The answers to a client while the canary had one weight.
pub(super) struct Step {
    pub(super) weight: i64,
    pub(super) answers: u64,
    /// The new version's share of them, 0 to 1.
    pub(super) share: f64,
    pub(super) measured: Measured,
    /// How long the weight lasted.
    pub(super) lasted: Duration,
    /// After the end of the run.
    pub(super) afterwards: bool,
}

/// The results of an act.
pub(super) struct Outcome {
    pub(super) phase: Phase,
    pub(super) steps: Vec<Step>,
    pub(super) took: Duration,
    pub(super) totals: Totals,
    pub(super) moments: Moments,
    pub(super) calls: calls::Count,
    /// The findings about additional clients.
    pub(super) findings: Vec<Finding>,
}

/// Important times of a rollback.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    pub(super) first_failed: Option<Timestamp>,
    /// The answer that reached the threshold was judged.
    pub(super) decided: Option<Timestamp>,
    /// The route was seen with no weight for the new version.
    pub(super) zero: Option<Timestamp>,
    /// The client got its last answer from the new version.
    pub(super) last_answer: Option<Timestamp>,
}

/// Runs an act on the stage.
pub(super) async fn play(stage: &mut Stage<'_>, act: &'static Act) -> anyhow::Result<Outcome> {
    stage.screen.header(&stage.serving, act.version, stage.limits)?;
    if act.called {
        stage.traffic.start();
    } else {
        stage.traffic.stop().await;
    }
    stage.traffic.cut();
    stage.sight.skip();
    let image = format!("{}:{}", stage.image, act.version);
    let behaviour = Behaviour { error_rate: Some(act.error_rate), ..Behaviour::default() };
    stage.story.bed.kubelet()?.set(Selector::image(&image).in_namespace(&stage.story.namespace), behaviour);
    let calls = calls::count(stage.story.bed)?;
    let beside = Beside::start(stage.scenario.beside, &stage.everyone, act.version);
    let mut flight = Flight::new(act, stage.traffic.totals(), beside);
    stage.release(&image).await?;
    Box::pin(flight.follow(stage)).await.with_context(|| format!("release {}", act.version))?;
    flight.afterwards(stage).await?;
    Ok(Outcome {
        phase: flight.phase(),
        took: flight.took,
        totals: stage.traffic.totals().since(flight.before),
        moments: flight.moments,
        calls: calls::count(stage.story.bed)?.since(calls),
        steps: flight.steps,
        findings: flight.findings,
    })
}

/// A running act.
struct Flight {
    act: &'static Act,
    /// The client's counts at the start.
    before: Totals,
    began: Instant,
    took: Duration,
    /// The run of this act has begun.
    running: bool,
    status: CanaryStatus,
    weight: i64,
    /// The start of the current state.
    since: Instant,
    mirrored: bool,
    beside: Beside,
    findings: Vec<Finding>,
    last: Measured,
    measured: BTreeMap<i64, Measured>,
    steps: Vec<Step>,
    moments: Moments,
    shown: Instant,
    said_all: bool,
}

impl Flight {
    fn new(act: &'static Act, before: Totals, beside: Beside) -> Self {
        let now = Instant::now();
        Self {
            act,
            before,
            began: now,
            took: Duration::ZERO,
            running: false,
            status: CanaryStatus::default(),
            weight: 0,
            since: now,
            mirrored: false,
            beside,
            findings: Vec::new(),
            last: Measured::Nothing,
            measured: BTreeMap::new(),
            steps: Vec::new(),
            moments: Moments::default(),
            shown: now,
            said_all: false,
        }
    }

    fn phase(&self) -> Phase {
        self.status.phase.unwrap_or_default()
    }

    /// Until the run has ended and the operator has reported it.
    async fn follow(&mut self, stage: &mut Stage<'_>) -> anyhow::Result<()> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut ended = None;
        loop {
            tokio::select! {
                seen = stage.sight.next() => Box::pin(self.see(stage, seen.context("the watches ended")?)).await?,
                _ = ticks.tick() => self.show(stage, self.shown.elapsed() >= ROW)?,
            }
            let over = self.running && matches!(self.phase(), Phase::Succeeded | Phase::Failed);
            if over && ended.is_none() {
                ended = Some(Instant::now());
                self.took = self.began.elapsed();
            }
            if ended.is_some_and(|at| self.said_all || at.elapsed() > LAST_WORD) {
                return self.show(stage, true).map_err(Into::into);
            }
            if self.began.elapsed() > LIMIT {
                bail!("not over after {LIMIT:?}; status: {}", serde_json::to_string(&self.status)?);
            }
        }
    }

    async fn see(&mut self, stage: &mut Stage<'_>, seen: Seen) -> anyhow::Result<()> {
        match seen.what {
            What::Canary(canary) => Box::pin(self.moved(stage, *canary)).await,
            What::Route(route) => self.routed(stage, route, seen.at).await,
            What::Said { warning, text } => {
                self.said_all |=
                    text.starts_with("Promotion completed!") || text.starts_with("Canary failed!");
                Ok(stage.screen.said(self.began.elapsed().as_secs_f64(), warning, &text)?)
            }
        }
    }

    async fn moved(&mut self, stage: &mut Stage<'_>, canary: Canary) -> anyhow::Result<()> {
        let now = canary.status.unwrap_or_default();
        self.running |= now.phase == Some(Phase::Progressing);
        let before = std::mem::replace(&mut self.status, now);
        if !self.running {
            return Ok(());
        }
        let now = self.status.clone();
        let step = |status: &CanaryStatus| status.step.clone().unwrap_or_default();
        let failed = now.failed_checks > before.failed_checks;
        let promoting = now.phase == Some(Phase::Promoting) && before.phase == Some(Phase::Progressing);
        let passed = step(&before).index > 0 && step(&now).index > step(&before).index;
        if failed || passed || promoting {
            self.last = Measured::read(&stage.operator, &now, NAME).await?;
            self.measured.insert(step(&before).weight.into(), self.last);
        }
        if failed {
            self.moments.first_failed = self.moments.first_failed.or(step(&now).checked.map(|time| time.0));
        }
        match now.run.and_then(|run| run.ending) {
            // The following change of the weight adds a row.
            Some(ending) => self.moments.decided = self.moments.decided.or(Some(ending.at.0)),
            None if failed => self.show(stage, true)?,
            None => {}
        }
        // From here on the primary's pods also have the new version.
        if promoting {
            self.close(stage)?;
            self.leave(stage)?;
        }
        Ok(())
    }

    async fn routed(&mut self, stage: &mut Stage<'_>, route: Route, at: Timestamp) -> anyhow::Result<()> {
        if route.mirrored != self.mirrored {
            self.mirrored = route.mirrored;
            let sent = stage.traffic.totals().requests;
            let found = self.beside.mirrored(&stage.story, route.mirrored, sent).await?;
            self.found(stage, found)?;
        }
        if route.weight == self.weight {
            return Ok(());
        }
        if route.weight == 0 && self.moments.zero.is_none() {
            self.moments.zero = Some(at);
        }
        self.close(stage)?;
        if self.weight > 0
            && let Some(now) = self.beside.now()
        {
            stage.screen.beside(&now)?;
        }
        (self.weight, self.since) = (route.weight, Instant::now());
        Ok(())
    }

    /// The run is over for the additional clients.
    fn leave(&mut self, stage: &mut Stage<'_>) -> io::Result<()> {
        let last = self.beside.end();
        self.found(stage, last)
    }

    fn found(&mut self, stage: &mut Stage<'_>, found: Option<Finding>) -> io::Result<()> {
        let Some(found) = found else { return Ok(()) };
        stage.screen.beside(&found)?;
        self.findings.push(found);
        Ok(())
    }

    /// Ends the client's window, because its expected answers change now.
    fn close(&mut self, stage: &mut Stage<'_>) -> io::Result<()> {
        self.show(stage, true)?;
        let window = stage.traffic.cut();
        if self.weight > 0 && self.open_step() {
            self.steps.push(self.step(window.as_ref(), self.weight));
        }
        self.note_last_answer(window);
        Ok(())
    }

    /// Whether the current weight has an open window: the last one is closed when the promotion starts.
    fn open_step(&self) -> bool {
        self.steps.last().is_none_or(|step| step.weight != self.weight)
    }

    fn step(&self, window: Option<&Window>, weight: i64) -> Step {
        Step {
            weight,
            answers: window.map_or(0, answers),
            share: window.map_or(0.0, |window| window.share(self.act.version)),
            measured: self.measured.get(&weight).copied().unwrap_or_default(),
            lasted: self.since.elapsed(),
            afterwards: false,
        }
    }

    fn note_last_answer(&mut self, window: Option<Window>) {
        if let Some(version) = window.and_then(|mut window| window.versions.remove(self.act.version)) {
            let ago = jiff::SignedDuration::try_from(version.last.elapsed()).unwrap_or_default();
            self.moments.last_answer = Some(Timestamp::now() - ago);
        }
    }

    /// Clients start again, and get the expected version.
    async fn afterwards(&mut self, stage: &mut Stage<'_>) -> anyhow::Result<()> {
        self.leave(stage)?;
        let window = stage.traffic.cut();
        self.note_last_answer(window);
        stage.traffic.start();
        stage.traffic.requests(ENOUGH, LIMIT).await?;
        self.show(stage, true)?;
        let window = stage.traffic.cut();
        let weight = if self.phase() == Phase::Succeeded { 100 } else { 0 };
        // the measurements may have been read after the next change of the route
        for step in self.steps.iter_mut().filter(|step| step.measured == Measured::Nothing) {
            step.measured = self.measured.get(&step.weight).copied().unwrap_or_default();
        }
        let step = self.step(window.as_ref(), weight);
        self.steps.push(Step {
            measured: Measured::Nothing,
            afterwards: true,
            lasted: Duration::ZERO,
            ..step
        });
        Ok(())
    }

    fn show(&mut self, stage: &mut Stage<'_>, stays: bool) -> io::Result<()> {
        let window = stage.traffic.window();
        let counts = stage.traffic.totals().since(self.before);
        let row = Row {
            seconds: self.began.elapsed().as_secs_f64(),
            phase: self.phase(),
            weight: self.weight,
            answers: window.as_ref().map_or(0, answers),
            shares: window
                .filter(|one| answers(one) > 0)
                .map(|one| (one.share(&stage.serving), one.share(self.act.version))),
            rate: stage.traffic.lately(),
            own: counts.own,
            lost: counts.lost,
            measured: self.last,
        };
        if stays {
            self.shown = Instant::now();
        }
        stage.screen.row(&row, stays)
    }
}

/// Answers that came from a version.
fn answers(window: &Window) -> u64 {
    window.versions.values().map(Version::total).sum()
}
