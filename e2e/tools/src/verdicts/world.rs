//! The requests of a canary and its primary.

use serin::{
    backtest::Random,
    statistics::{Counts, Look},
};

use super::groups::Groups;

/// The correlation time of a wandering rate, in seconds.
const REMEMBERS: f64 = 120.0;
/// Pods of a service.
const PODS: f64 = 10.0;
/// How long a canary is cold, in seconds.
const COLD: f64 = 60.0;
/// Start and end of a shared incident, in seconds of the run.
const INCIDENT: std::ops::Range<f64> = 120.0..480.0;

/// The special feature of a world.
#[derive(Clone, Copy, Debug)]
pub(super) enum Oddity {
    /// Nothing.
    None,
    /// A pod of either side answers half of its requests with errors, for this duration, at this interval.
    HalfDead { lasts: f64, every: f64 },
    /// A client sends this many bad requests over a minute, all to one side, at this interval.
    StuckClient { requests: f64, every: f64 },
    /// The rate wanders, of both sides together or of each separately. `spread`: the standard deviation of its
    /// logarithm.
    Wanders { spread: f64, together: bool },
    /// Both sides fail at this rate for six minutes, in groups.
    Incident { rate: f64, groups: Groups },
    /// The canary's failure rate has this factor in its first minute.
    Cold(f64),
    /// Pods differ permanently: the standard deviation of the logarithm of their rates.
    Uneven(f64),
    /// Each side's counters are missing in one check out of ten.
    Missing,
    /// The primary fails at this fraction of the canary's rate.
    Dragged(f64),
}

/// A world.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    pub(super) name: &'static str,
    /// Requests per second, of both sides.
    pub(super) requests: f64,
    /// The primary's failure rate.
    pub(super) rate: f64,
    pub(super) groups: Groups,
    pub(super) oddity: Oddity,
    /// The guarantee does not hold here, which the documentation states.
    pub(super) outside: bool,
}

/// The state of a world over time.
#[derive(Clone, Debug)]
pub(super) struct Course<'w> {
    world: &'w World,
    /// The canary's failure rate. None: the primary's rate.
    canary: Option<f64>,
    pub(super) now: f64,
    /// The current wandering of both sides' rates.
    wandered: [f64; 2],
    /// The end of one side's own incident, and whether that side is the canary.
    alone: Option<(f64, bool)>,
    /// Factors of both sides.
    uneven: [f64; 2],
    /// Counts that have not been read yet, of both sides.
    unread: [Counts; 2],
}

impl<'w> Course<'w> {
    /// The initial state, with a canary that fails at this rate, or at the primary's rate.
    pub(super) fn new(world: &'w World, canary: Option<f64>, random: &mut Random) -> Self {
        let mut course = Self {
            world,
            canary,
            now: 0.0,
            wandered: [random.normal(), random.normal()],
            alone: None,
            uneven: [1.0; 2],
            unread: [Counts::default(); 2],
        };
        if let Oddity::Uneven(spread) = world.oddity {
            // one pod of the canary next to those of the primary
            let mut pods = |count: u32| {
                (0..count).map(|_| (spread * random.normal()).exp()).sum::<f64>() / f64::from(count)
            };
            course.uneven = [pods(1), pods(PODS as u32)];
        }
        course
    }

    /// The counts of the next `seconds`, with this share of the requests for the canary. A share of 0 is the time
    /// before the run.
    pub(super) fn look(&mut self, share: f64, seconds: f64, random: &mut Random) -> Look {
        self.happens(share, seconds, random);
        let all = random.poisson(self.world.requests * seconds);
        let canary = random.binomial(all, share);
        let in_run = share > 0.0;
        let sides = [canary, all - canary];
        let mut counts = [Counts::default(); 2];
        for (at, all) in sides.into_iter().enumerate() {
            counts[at] = Counts { all, bad: self.bad(at, all, in_run, share, seconds, random) };
        }
        self.now += seconds;
        self.read(&mut counts, in_run, random);
        Look { canary: counts[0], primary: counts[1], seconds }
    }

    /// Events that start during this check.
    fn happens(&mut self, share: f64, seconds: f64, random: &mut Random) {
        let (lasts, every) = match self.world.oddity {
            Oddity::Wanders { spread: _, together } => {
                let keeps = (-seconds / REMEMBERS).exp();
                let fresh = (1.0 - keeps * keeps).sqrt();
                for at in &mut self.wandered {
                    *at = keeps * *at + fresh * random.normal();
                }
                if together {
                    self.wandered[1] = self.wandered[0];
                }
                return;
            }
            Oddity::HalfDead { lasts, every } => (lasts, every),
            Oddity::StuckClient { every, .. } => (60.0, every),
            _ => return,
        };
        self.alone = self.alone.filter(|(until, _)| *until > self.now);
        if self.alone.is_none() && random.chance(seconds / every) {
            self.alone = Some((self.now + lasts.max(seconds), random.chance(share)));
        }
    }

    fn bad(&self, side: usize, all: u64, in_run: bool, share: f64, seconds: f64, random: &mut Random) -> u64 {
        let is_canary = side == 0;
        let mut rate = if is_canary { self.canary.unwrap_or(self.world.rate) } else { self.world.rate };
        let mut groups = self.world.groups;
        let struck = self.alone.is_some_and(|(_, canary)| canary == is_canary);
        let mut more = 0;
        match self.world.oddity {
            Oddity::HalfDead { .. } if struck => {
                let pods = PODS * if is_canary { share } else { 1.0 - share };
                rate += 0.5 / pods.max(1.0);
            }
            Oddity::StuckClient { requests, .. } if struck => {
                more = random.poisson(requests * seconds / 60.0).min(all);
            }
            Oddity::Wanders { spread, .. } => {
                rate *= (spread * self.wandered[side] - spread * spread / 2.0).exp();
            }
            Oddity::Incident { rate: at, groups: of } if in_run && INCIDENT.contains(&self.now) => {
                (rate, groups) = (rate.max(at), of);
            }
            Oddity::Cold(times) if is_canary && in_run && self.now < COLD => rate *= times,
            Oddity::Uneven(_) if in_run => rate *= self.uneven[side],
            Oddity::Dragged(part) if in_run && !is_canary => {
                rate = rate.max(part * self.canary.unwrap_or_default());
            }
            _ => {}
        }
        (groups.failed(all, rate, random) + more).min(all)
    }

    /// Counters that could not be read are included in the next reading.
    fn read(&mut self, counts: &mut [Counts; 2], in_run: bool, random: &mut Random) {
        if !in_run || !matches!(self.world.oddity, Oddity::Missing) {
            return;
        }
        for (read, unread) in counts.iter_mut().zip(&mut self.unread) {
            let whole = Counts { all: read.all + unread.all, bad: read.bad + unread.bad };
            let missing = random.chance(0.1);
            (*read, *unread) = if missing { (Counts::default(), whole) } else { (whole, Counts::default()) };
        }
    }
}
