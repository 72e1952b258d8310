//! What a backtest of a made-up world says agrees with what is found by playing releases in that world.

use std::time::Duration;

use serde_json::{Value, json};
use serin::{
    api::Canary,
    backtest::{Cell, Past, Random, Report, Wanted, over},
    statistics::{Counts, Evidence, Known, Settings, share_interval},
};

use super::{
    groups::Groups,
    world::{Course, Oddity, World},
    worlds::WORLDS,
};

/// Between two looks, and of a window.
const EVERY: f64 = 15.0;
const WINDOW: u32 = 4;
const PODS: u64 = 10;
/// Looks of two days.
const LOOKS: usize = 2 * 5760;
const REPLAYS: usize = 80;
/// Releases that are played in the world itself.
const RUNS: u64 = 2000;
/// Looks after which a run is not followed any more.
const LONGEST: u32 = 40;

fn named(name: &str) -> &'static World {
    WORLDS.iter().find(|world| world.name == name).unwrap()
}

/// Two days of a service of ten pods in this world.
fn past(world: &World) -> Past {
    let one = World { requests: world.requests / PODS as f64, ..*world };
    let pod = |pod: u64| -> Vec<Cell> {
        let mut random = Random::new(11, pod);
        let mut course = Course::new(&one, None, &mut random);
        let mut look = || course.look(0.0, EVERY, &mut random).primary;
        let counts = (0..LOOKS).map(|_| look());
        counts.map(|Counts { all, bad }| Some((all as u32, bad as u32))).collect()
    };
    Past { every: EVERY, step: 60.0, pods: (0..PODS).map(pod).collect(), ..Past::default() }
}

fn backtest(world: &World, threshold: u32, metric: &Value) -> Report {
    let canary = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": "shop", "namespace": "test"},
        "spec": {
            "provider": "istio", "service": {"port": 80},
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"},
            "analysis": {"interval": "1m", "threshold": threshold, "stepWeight": 10, "maxWeight": 50, "metrics": [metric]},
        },
    });
    let canary: Canary = serde_json::from_value(canary).unwrap();
    let wanted = Wanted { over: Duration::from_secs(172_800), replays: REPLAYS, seed: 5, prometheus: None };
    over(&canary, &past(world), &wanted).unwrap()
}

/// Percent of releases like their primary that are rolled back in this world: five windows have to pass, one at each weight, and at
/// the last of them the comparison, if there is one, has to say that the canary is no worse.
fn played(world: &World, threshold: u32, least: f64, known: Option<Known>) -> f64 {
    let settings = Settings::default();
    let rolled_back = |run: u64| {
        let random = &mut Random::new(77, run);
        let mut course = Course::new(world, None, random);
        let mut evidence = known.map(Evidence::new);
        let (mut passed, mut failed, mut window) = (0, 0, Counts::default());
        for look in 1..=LONGEST {
            let seen = course.look(0.1 * f64::from((passed + 1).min(5)), EVERY, random);
            window = window.plus(seen.canary);
            let found = evidence.as_mut().map(|evidence| {
                evidence.look(&settings, &seen);
                evidence.finding(&settings)
            });
            if found.is_some_and(|found| found.worse) {
                return true;
            }
            if look % WINDOW > 0 {
                continue;
            }
            let bad = window.rate().is_none_or(|rate| 100.0 * (1.0 - rate) < least);
            window = Counts::default();
            if bad {
                failed += 1;
            } else {
                passed += 1;
            }
            if failed >= threshold {
                return true;
            }
            if passed >= 5 && found.is_none_or(|found| found.no_worse) {
                return false;
            }
        }
        false
    };
    100.0 * (0..RUNS).filter(|run| rolled_back(*run)).count() as f64 / RUNS as f64
}

fn agree(report: &Report, found: f64) {
    let (low, high) = report.interval;
    assert!((low..=high).contains(&found), "{found} % of releases in the world itself\n{report}");
}

#[test]
#[ignore = "takes a minute: make backtests"]
fn a_backtest_of_thresholds_says_how_often_they_are_wrong_in_that_world() {
    let world = named("bursts of 20");
    let metric = json!({"name": "request-success-rate", "thresholdRange": {"min": 99}});
    let found = played(world, 1, 99.0, None);
    assert!((3.0..60.0).contains(&found), "{found}: a rate that says something");
    agree(&backtest(world, 1, &metric), found);
}

#[test]
#[ignore = "takes a minute: make backtests"]
fn a_backtest_of_a_comparison_says_how_often_it_is_wrong_in_that_world() {
    let metric = json!({"name": "request-success-rate", "compare": {"bursts": 1}});
    let known = Known { burst: Some(1.0), ..Known::NOTHING };
    let clumped = World { rate: 0.02, groups: Groups::Fixed(20.0), ..*named("bursts of 20") };
    let found = played(&clumped, 5, 0.0, Some(known));
    assert!((2.0..90.0).contains(&found), "{found}: bursts that are not known of do harm");
    agree(&backtest(&clumped, 5, &metric), found);
    let quiet = named("independent, 0.5 %");
    agree(&backtest(quiet, 5, &metric), played(quiet, 5, 0.0, Some(known)));
}

/// Ville's inequality at several heights, in worlds in which the promise holds: evidence that is asked for is one of them.
#[test]
#[ignore = "takes a minute: make backtests"]
fn evidence_is_seldom_ever_high_for_a_release_that_is_the_same() {
    const OF_A_WORLD: u64 = 150;
    let settings = Settings::default();
    let heights = [2.0_f64, 5.0, 20.0];
    for world in WORLDS.iter().filter(|world| !world.outside && !matches!(world.oddity, Oddity::Cold(_))) {
        let mut reached = [0_u64; 3];
        for run in 0..OF_A_WORLD {
            let random = &mut Random::new(13, run);
            let mut evidence = Evidence::new(super::play::known(world, random));
            let mut course = Course::new(world, None, random);
            let mut most = f64::NEG_INFINITY;
            for look in 0..LONGEST {
                let seen = course.look(0.1 * f64::from((look / WINDOW + 1).min(5)), EVERY, random);
                evidence.look(&settings, &seen);
                most = most.max(evidence.finding(&settings).evidence);
            }
            for (count, height) in reached.iter_mut().zip(heights) {
                *count += u64::from(most >= height.ln());
            }
        }
        for (count, height) in reached.into_iter().zip(heights) {
            let (low, _) = share_interval(count, OF_A_WORLD, 0.01);
            assert!(low <= 1.0 / height, "{}: {count} of {OF_A_WORLD} runs reached {height}", world.name);
        }
    }
}
