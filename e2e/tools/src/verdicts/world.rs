//! What happens to the requests of a canary and its primary.

use serin::{
    backtest::Random,
    statistics::{Counts, Look},
};

use super::groups::Groups;

/// How long a rate that wanders remembers where it was, in seconds.
const REMEMBERS: f64 = 120.0;
/// Pods of a service.
const PODS: f64 = 10.0;
/// A canary is cold for so many seconds.
const COLD: f64 = 60.0;
/// A shared incident lasts from here to there, in seconds of the run.
const INCIDENT: std::ops::Range<f64> = 120.0..480.0;

/// What is unusual about a world.
#[derive(Clone, Copy, Debug)]
pub(super) enum Oddity {
    /// Nothing.
    None,
    /// A pod of either side answers half of its requests with errors: for so long, so often.
    HalfDead { lasts: f64, every: f64 },
    /// A client sends so many bad requests over a minute, all to one side, so often.
    StuckClient { requests: f64, every: f64 },
    /// The rate wanders, of both sides together or of each by itself: standard deviation of its logarithm.
    Wanders { spread: f64, together: bool },
    /// Both sides fail at this rate for six minutes, in groups.
    Incident { rate: f64, groups: Groups },
    /// The canary fails so many times as often in its first minute.
    Cold(f64),
    /// Pods differ for good: standard deviation of the logarithm of their rates.
    Uneven(f64),
    /// Each side's counters are not read in one look of ten.
    Missing,
    /// The primary fails at this part of the canary's rate.
    Dragged(f64),
}

/// A world.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    pub(super) name: &'static str,
    /// Requests a second, of both sides.
    pub(super) requests: f64,
    /// At which the primary fails.
    pub(super) rate: f64,
    pub(super) groups: Groups,
    pub(super) oddity: Oddity,
    /// What is promised does not hold here, and the documentation says so.
    pub(super) outside: bool,
}

/// A world in which time passes.
#[derive(Clone, Debug)]
pub(super) struct Course<'w> {
    world: &'w World,
    /// At which the canary fails; like the primary where none.
    canary: Option<f64>,
    pub(super) now: f64,
    /// Where the rates of both sides have wandered to.
    wandered: [f64; 2],
    /// Until when a side has an incident of its own, and whether it is the canary.
    alone: Option<(f64, bool)>,
    /// Factors of both sides.
    uneven: [f64; 2],
    /// What was not read of both sides.
    unread: [Counts; 2],
}

impl<'w> Course<'w> {
    /// The beginning, with a canary that fails at this rate, or as the primary does.
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
            // one pod of the canary beside those of the primary
            let mut pods = |count: u32| {
                (0..count).map(|_| (spread * random.normal()).exp()).sum::<f64>() / f64::from(count)
            };
            course.uneven = [pods(1), pods(PODS as u32)];
        }
        course
    }

    /// What is counted in the next `seconds`, with this share of the requests for the canary. A share of 0 is the time before the run.
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

    /// What begins in this look.
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

    /// Counters that are not read are read with the next.
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
