//! One release in one world, judged by every rule.

use serin::{
    backtest::Random,
    statistics::{Counts, Evidence, History, Known, Look, Settings},
};

use super::world::{Course, World};

/// Between two looks.
const EVERY: f64 = 15.0;
/// Duration of a step, and of a window of the other rules.
const STEP: f64 = 60.0;
const STEPS: u32 = 10;
/// Number of windows in the history.
const WINDOWS: usize = 360;

/// The result of a release: the time in seconds after which each rule would have rolled it back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    pub(super) flagger: Option<f64>,
    pub(super) argo: Option<f64>,
    pub(super) compared: Option<f64>,
    /// Without a history of the primary.
    pub(super) unknown: Option<f64>,
    /// When it was found to be no worse.
    pub(super) no_worse: Option<f64>,
    /// The number of checks during which the primary had problems.
    pub(super) held: u32,
}

/// A rule about the success rate of windows in percent: rolls back after this many failed windows.
struct Windows {
    least: f64,
    failures: u32,
    failed: u32,
    rolled_back: Option<f64>,
}

impl Windows {
    const fn new(least: f64, failures: u32) -> Self {
        Self { least, failures, failed: 0, rolled_back: None }
    }

    /// Flagger uses windows with a limit of 99 %, and rolls back at the check after five failures.
    const fn flagger() -> Self {
        Self::new(99.0, 6)
    }

    /// Argo Rollouts with a limit of 95 % and failureLimit 3.
    const fn argo() -> Self {
        Self::new(95.0, 4)
    }

    fn window(&mut self, canary: Counts, now: f64) {
        let success = canary.rate().map(|bad| 100.0 * (1.0 - bad));
        if success.is_some_and(|rate| rate < self.least) {
            self.failed += 1;
        }
        if self.failed >= self.failures && self.rolled_back.is_none() {
            self.rolled_back = Some(now);
        }
    }
}

/// Evidence that accumulates until there is a verdict.
struct Compared {
    evidence: Evidence,
    worse: Option<f64>,
    no_worse: Option<f64>,
    held: u32,
}

impl Compared {
    fn new(known: Known) -> Self {
        Self { evidence: Evidence::new(known), worse: None, no_worse: None, held: 0 }
    }

    fn look(&mut self, settings: &Settings, look: &Look, now: f64) {
        if self.worse.is_some() {
            return;
        }
        self.evidence.look(settings, look);
        let found = self.evidence.finding(settings);
        self.held += u32::from(found.trouble);
        if found.worse {
            self.worse = Some(now);
        } else if found.no_worse && self.no_worse.is_none() {
            self.no_worse = Some(now);
        }
    }
}

/// The canary's share of the requests in this step: ten percent more in each step, up to 50 %.
fn share(step: u32) -> f64 {
    0.1 * f64::from((step + 1).min(5))
}

/// The knowledge from a service's history.
pub(super) fn known(world: &World, random: &mut Random) -> Known {
    let mut before = Course::new(world, None, random);
    let windows: Vec<Counts> = (0..WINDOWS).map(|_| before.look(0.0, 60.0, random).primary).collect();
    History::Windows(&windows).measure().known()
}

/// A release whose canary fails at this rate, or at the primary's rate.
pub(super) fn release(world: &World, canary: Option<f64>, random: &mut Random) -> Outcome {
    let settings = Settings::default();
    let known = known(world, random);
    let mut course = Course::new(world, canary, random);
    let (mut flagger, mut argo) = (Windows::flagger(), Windows::argo());
    let (mut compared, mut unknown) = (Compared::new(known), Compared::new(Known::NOTHING));
    for step in 0..STEPS {
        let mut window = Counts::default();
        for _ in 0..(STEP / EVERY) as u32 {
            let look = course.look(share(step), EVERY, random);
            window.all += look.canary.all;
            window.bad += look.canary.bad;
            compared.look(&settings, &look, course.now);
            unknown.look(&settings, &look, course.now);
        }
        flagger.window(window, course.now);
        argo.window(window, course.now);
    }
    Outcome {
        flagger: flagger.rolled_back,
        argo: argo.rolled_back,
        compared: compared.worse,
        unknown: unknown.worse,
        no_worse: compared.no_worse,
        held: compared.held,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::worlds::WORLDS, *};

    fn many(world: &World, canary: Option<f64>) -> Vec<Outcome> {
        (0..60).map(|run| release(world, canary, &mut Random::new(7, run))).collect()
    }

    #[test]
    fn a_release_that_always_fails_is_found_at_the_second_look() {
        for run in many(&WORLDS[0], Some(1.0)) {
            assert_eq!((run.compared, run.flagger, run.argo), (Some(30.0), Some(360.0), Some(240.0)));
        }
    }

    #[test]
    fn a_release_as_good_as_its_primary_is_found_no_worse() {
        for run in many(&WORLDS[0], None) {
            assert!(run.compared.is_none() && run.no_worse.is_some(), "{run:?}");
        }
    }

    #[test]
    fn incidents_of_both_sides_roll_back_by_thresholds_alone() {
        let incident = WORLDS.iter().find(|world| world.name.starts_with("shared incident, 5 %")).unwrap();
        for run in many(incident, None) {
            assert!(run.flagger.is_some() && run.compared.is_none() && run.held > 20, "{run:?}");
        }
    }
}
