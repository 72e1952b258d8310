//! PURE. One run of an analysis over past hours, decided by the operator's own planner.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::{
    past::{Cast, Past},
    stage::{Answering, Stage},
};
use crate::{
    analysis::{Metric, Reading, Tally, windows},
    api::{CanaryStatus, EndingKind, MetricOutcome, Phase},
    plan::{Answers, Question},
    statistics::Counts,
};

/// How a replay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    RolledBack,
    Promoted,
    /// Neither within the time that is followed.
    Undecided,
}

/// What came of a replay.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) end: End,
    /// Seconds since the canary got its first requests.
    pub(super) after: f64,
    /// The metric that failed, where one did.
    pub(super) by: Option<String>,
}

/// How the release that is played differs from what was there before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Harm {
    /// Of its good requests so many fail in addition, as a share.
    pub(super) share: f64,
    /// Success rates that are read, not counted, are so many times as far from 100 %.
    pub(super) times: f64,
}

impl Harm {
    /// None.
    pub(super) const NONE: Self = Self { share: 0.0, times: 1.0 };
}

/// Answers from the past.
pub(super) struct Replay<'a> {
    past: &'a Past,
    cast: Cast,
    harm: Harm,
    /// When the first look began, on the stage.
    origin: Timestamp,
    /// Share of the requests where the analysis has no weights.
    unweighted: Option<f64>,
    /// Looks that are over: they do not change any more.
    looks: Vec<Tally>,
    /// What metrics read, by question.
    pub(super) read: BTreeMap<usize, Vec<f64>>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(past: &'a Past, cast: Cast, harm: Harm, unweighted: Option<f64>) -> Self {
        let origin = Timestamp::UNIX_EPOCH;
        Self { past, cast, harm, origin, unweighted, looks: vec![], read: BTreeMap::new() }
    }

    /// Plays the run to its end, for so many seconds at most.
    pub(super) fn play(&mut self, mut stage: Stage, longest: f64) -> Outcome {
        self.origin = stage.now;
        loop {
            let goes_on = stage.pass(self);
            let status = stage.status();
            let after = self.seconds(stage.now);
            if let Some(end) = ended(&status) {
                let by = (end == End::RolledBack).then(|| failed(&status)).flatten();
                return Outcome { end, after, by };
            }
            if !goes_on || after >= longest {
                return Outcome { end: End::Undecided, after, by: None };
            }
        }
    }

    fn seconds(&self, at: Timestamp) -> f64 {
        at.duration_since(self.origin).as_secs_f64()
    }

    fn look_of(&self, at: Timestamp) -> usize {
        (self.seconds(at) / self.past.every).floor().max(0.0) as usize
    }

    /// What the looks up to a time have counted; their share is that of the time at which they are first asked for.
    fn fill(&mut self, until: usize, share: f64) {
        while self.looks.len() < until && !self.past.pods.is_empty() {
            let look = self.cast.begin + self.looks.len();
            let (mut canary, primary) = self.past.sides(&mut self.cast, look, share);
            if self.harm.share > 0.0 {
                canary.bad += self.cast.random().binomial(canary.all - canary.bad, self.harm.share);
            }
            self.looks.push(Tally { canary, primary });
        }
    }

    fn counted(&self, from: usize, to: usize) -> Tally {
        let looks = self.looks.iter().take(to).skip(from);
        looks.fold(Tally::default(), Tally::and)
    }

    fn reading(&mut self, index: usize, kind: Metric, window: Duration, now: Timestamp) -> Reading {
        let values: Vec<f64> = if kind == Metric::SuccessRate && !self.past.pods.is_empty() {
            let to = self.look_of(now);
            let looks = (window.as_secs_f64() / self.past.every).ceil().max(1.0) as usize;
            success(self.counted(to.saturating_sub(looks), to).canary).into_iter().collect()
        } else {
            let begin = self.cast.begin as f64 * self.past.every;
            let values = self.past.read(index, begin + self.seconds(now)).iter().copied();
            let worse = |value: f64| 100.0 - (self.harm.times * (100.0 - value)).clamp(0.0, 100.0);
            if kind == Metric::SuccessRate { values.map(worse).collect() } else { values.collect() }
        };
        self.read.entry(index).or_default().extend(&values);
        Reading::Values(values)
    }
}

fn success(counts: Counts) -> Option<f64> {
    counts.rate().map(|bad| 100.0 * (1.0 - bad))
}

impl Answering for Replay<'_> {
    fn answers(&mut self, questions: &[Question], status: &CanaryStatus, now: Timestamp) -> Answers {
        let share = self.unweighted.unwrap_or_else(|| f64::from(status.canary_weight) / 100.0);
        self.fill(self.look_of(now), share);
        let mut answers = Answers::default();
        for question in questions {
            match question {
                Question::Measure { index, query } => {
                    let window = windows::length(&query.window);
                    let reading = self.reading(*index, query.kind, window, now);
                    answers.readings.insert(*index, reading);
                }
                Question::Count { metric, from, to, .. } => {
                    let tally = self.counted(self.look_of(*from), self.look_of(*to));
                    answers.counts.insert((*metric, *to), Ok(tally));
                }
                Question::Ping { .. } => answers.ping = Some(Ok(())),
                Question::Exists { .. } => answers.exists = Some(true),
                // the past is read as a whole
                Question::Newest { .. } | Question::Config { .. } => {}
            }
        }
        answers
    }
}

/// How the run has ended, if it has.
fn ended(status: &CanaryStatus) -> Option<End> {
    let ending = status.run.as_ref().and_then(|run| run.ending.as_ref());
    if ending.is_some_and(|ending| ending.kind == EndingKind::RollingBack) {
        return Some(End::RolledBack);
    }
    match status.phase {
        Some(Phase::Failed) => Some(End::RolledBack),
        Some(Phase::Promoting | Phase::Finalising | Phase::Succeeded | Phase::WaitingPromotion) => {
            Some(End::Promoted)
        }
        // a person is asked
        Some(Phase::Waiting) => Some(End::Undecided),
        _ => None,
    }
}

/// The metric that a run was rolled back for.
fn failed(status: &CanaryStatus) -> Option<String> {
    let bad = status.metrics.iter().find(|entry| entry.outcome == Some(MetricOutcome::Fail));
    bad.or_else(|| status.metrics.iter().max_by_key(|entry| entry.failed)).map(|entry| entry.name.clone())
}
