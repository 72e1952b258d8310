//! PURE. What a service did before: requests of its primary in looks of one length, and what its metrics read.

use std::{collections::BTreeMap, ops::Range};

use super::random::Random;
use crate::statistics::{Counts, History};

/// Of a pod in one look; none where it was not there.
pub type Cell = Option<(u32, u32)>;
/// Beginnings that are tried before it is given up.
const TRIES: u32 = 200;

/// Some hours of a service.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Seconds between two looks.
    pub every: f64,
    /// All and failed requests of each pod of the primary, look by look. One for all of them where counters do not tell pods.
    pub pods: Vec<Vec<Cell>>,
    /// What each question of the metrics reads for the primary, by its position: a value of each series.
    pub values: BTreeMap<usize, Vec<Vec<f64>>>,
    /// Seconds between two of those.
    pub step: f64,
    /// Looks in which a run of the Canary was under way.
    pub left_out: Vec<Range<usize>>,
}

/// Which pods play the canary and which the primary, for some time.
#[derive(Clone, Debug)]
pub(super) struct Cast {
    pub(super) begin: usize,
    /// In a random order: the first of them play the canary.
    pods: Vec<usize>,
    /// Failures that come together where requests are dealt out one by one.
    group: u64,
    random: Random,
}

impl Past {
    /// How many looks it has.
    pub fn looks(&self) -> usize {
        let counted = self.pods.iter().map(Vec::len).max();
        let read = self.values.values().map(Vec::len).max().unwrap_or_default() as f64 * self.step;
        counted.unwrap_or((read / self.every.max(1.0)) as usize)
    }

    /// Counters tell pods from each other.
    pub fn tells_pods(&self) -> bool {
        self.pods.len() > 1
    }

    /// Requests of all pods in a look.
    fn whole(&self, look: usize) -> Counts {
        sum(self.pods.iter(), look)
    }

    /// Requests of all of it.
    pub fn total(&self) -> Counts {
        (0..self.looks()).map(|look| self.whole(look)).fold(Counts::default(), Counts::plus)
    }

    /// How many failures come together, by windows of a minute, and the most of one window.
    pub(super) fn bursts(&self) -> (f64, u64) {
        let window = (60.0 / self.every.max(1.0)).ceil().max(1.0) as usize;
        let windows: Vec<Counts> = (0..self.looks() / window)
            .map(|at| {
                let looks = (at * window)..((at + 1) * window);
                looks.map(|look| self.whole(look)).fold(Counts::default(), Counts::plus)
            })
            .collect();
        let most = windows.iter().map(|window| window.bad).max().unwrap_or_default();
        (History::Windows(&windows).measure().burst, most)
    }

    /// The typical number of pods at once.
    pub fn pods_at_once(&self) -> usize {
        let mut counts: Vec<usize> = (0..self.looks())
            .map(|look| self.pods.iter().filter(|pod| pod.get(look).is_some_and(Option::is_some)).count())
            .filter(|count| *count > 0)
            .collect();
        counts.sort_unstable();
        counts.get(counts.len() / 2).copied().unwrap_or_default()
    }

    /// A random time of so many looks, with pods that live through it in a random order.
    pub(super) fn cast(&self, length: usize, group: u64, mut random: Random) -> Option<Cast> {
        let begins = self.looks().checked_sub(length)? + 1;
        (0..TRIES).find_map(|_| {
            let begin = ((random.unit() * begins as f64) as usize).min(begins - 1);
            let end = begin + length;
            if self.left_out.iter().any(|out| out.start < end && begin < out.end) {
                return None;
            }
            let lives = |pod: &&usize| {
                let pod = &self.pods[**pod];
                let there = |look: usize| pod.get(look).is_some_and(Option::is_some);
                there(begin) && there(end - 1)
            };
            let all: Vec<usize> = (0..self.pods.len()).collect();
            let mut pods: Vec<usize> = all.iter().filter(lives).copied().collect();
            let enough = if self.tells_pods() { pods.len() > 1 } else { pods.len() == self.pods.len() };
            if !enough {
                return None;
            }
            for at in (1..pods.len()).rev() {
                pods.swap(at, ((random.unit() * (at + 1) as f64) as usize).min(at));
            }
            Some(Cast { begin, pods, group: group.max(1), random: random.clone() })
        })
    }

    /// What both sides had in a look, where the canary has this share of the requests.
    pub(super) fn sides(&self, cast: &mut Cast, look: usize, share: f64) -> (Counts, Counts) {
        if share <= 0.0 {
            return (Counts::default(), sum(cast.pods.iter().map(|pod| &self.pods[*pod]), look));
        }
        if self.tells_pods() && share >= 1.0 {
            return (sum(cast.pods.iter().map(|pod| &self.pods[*pod]), look), Counts::default());
        }
        if self.tells_pods() {
            let playing = playing(cast.pods.len(), share);
            let of = |pods: &[usize]| sum(pods.iter().map(|pod| &self.pods[*pod]), look);
            let (canary, primary) = cast.pods.split_at(playing);
            return (of(canary), of(primary));
        }
        self.dealt(cast, look, share)
    }

    /// Requests are dealt out one by one, failures in groups.
    fn dealt(&self, cast: &mut Cast, look: usize, share: f64) -> (Counts, Counts) {
        let whole = self.whole(look);
        let canary = cast.random.binomial(whole.all, share);
        let primary = whole.all - canary;
        let (mut left, mut bad) = (whole.bad, 0);
        while left > 0 {
            let group = cast.group.min(left);
            if cast.random.chance(share) {
                bad += group;
            }
            left -= group;
        }
        let bad = bad.clamp(whole.bad.saturating_sub(primary), canary.min(whole.bad));
        (Counts { all: canary, bad }, Counts { all: primary, bad: whole.bad - bad })
    }

    /// What a question reads at a time, in seconds from the beginning of it all.
    pub(super) fn read(&self, question: usize, seconds: f64) -> &[f64] {
        let at = (seconds / self.step.max(1.0)).floor().max(0.0) as usize;
        let values = self.values.get(&question).and_then(|values| values.get(at));
        values.map(Vec::as_slice).unwrap_or_default()
    }
}

/// Requests of these pods in a look.
fn sum<'a>(pods: impl Iterator<Item = &'a Vec<Cell>>, look: usize) -> Counts {
    pods.filter_map(|pod| pod.get(look).copied().flatten())
        .map(|(all, bad)| Counts { all: all.into(), bad: bad.into() })
        .fold(Counts::default(), Counts::plus)
}

/// How many of these pods play the canary with this share.
pub(super) fn playing(pods: usize, share: f64) -> usize {
    ((share * pods as f64).round() as usize).clamp(1, pods.saturating_sub(1).max(1))
}

impl Cast {
    /// The stream of random numbers of this replay.
    pub(super) fn random(&mut self) -> &mut Random {
        &mut self.random
    }
}
