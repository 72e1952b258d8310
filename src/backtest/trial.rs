//! PURE. Many replays, and what they come to.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    asked::Played,
    past::{Past, playing},
    random::Random,
    replay::{End, Harm, Replay},
    stage::Stage,
};

/// Replays of one analysis.
pub(super) struct Trial<'a> {
    pub(super) past: &'a Past,
    pub(super) played: &'a Played,
    pub(super) seed: u64,
    /// Failures that come together, where requests are dealt out.
    pub(super) group: u64,
}

/// What replays came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    pub(super) replays: usize,
    pub(super) rolled_back: usize,
    pub(super) undecided: usize,
    /// After how many seconds the others were promoted.
    pub(super) promoted: Vec<f64>,
    /// After how many seconds they were rolled back.
    pub(super) found: Vec<f64>,
    /// By which metric.
    pub(super) by: BTreeMap<String, usize>,
    /// What metrics read, by question.
    pub(super) read: BTreeMap<usize, Vec<f64>>,
}

impl Trial<'_> {
    /// Plays so many runs of this analysis. The same seed plays the same times and pods.
    ///
    /// # Errors
    /// The operator would not begin such a run: why.
    pub(super) fn run(&self, analysis: &Value, harm: Harm, replays: usize) -> Result<Sum, String> {
        let stage = Stage::begun(analysis, &self.played.name, &self.played.rules)?;
        let longest = self.played.longest;
        let looks = self.length();
        let mut sum = Sum::default();
        for at in 0..replays as u64 {
            let Some(cast) = self.past.cast(looks, self.group, Random::new(self.seed, at)) else { continue };
            let mut replay = Replay::new(self.past, cast, harm, self.played.unweighted);
            let outcome = replay.play(stage.clone(), longest);
            sum.replays += 1;
            match outcome.end {
                End::RolledBack => {
                    sum.rolled_back += 1;
                    sum.found.push(outcome.after);
                    *sum.by.entry(outcome.by.unwrap_or_default()).or_default() += 1;
                }
                End::Promoted => sum.promoted.push(outcome.after),
                End::Undecided => sum.undecided += 1,
            }
            for (question, values) in replay.read {
                sum.read.entry(question).or_default().extend(values);
            }
        }
        Ok(sum)
    }

    /// Looks of a replay.
    fn length(&self) -> usize {
        (self.played.longest / self.past.every.max(1.0)).ceil() as usize + 1
    }

    /// So many of these replays tell something by themselves: others share their hours and pods.
    pub(super) fn independent(&self, replays: usize) -> usize {
        let hours = self.past.looks() / self.length().max(1);
        let pods = self.past.pods_at_once();
        let sides = if self.past.tells_pods() {
            pods / playing(pods, self.played.most).max(1)
        } else {
            (1.0 / self.played.most) as usize
        };
        replays.min(hours * sides.max(1))
    }
}
