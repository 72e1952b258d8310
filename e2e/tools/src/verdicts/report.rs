//! The results of many releases as tables.

use serin::backtest::Random;

use super::{
    play::{Outcome, release},
    world::World,
    worlds::{DRAGS, WORLDS},
};

/// Failure rates of bad releases.
const BAD: [f64; 4] = [0.005, 0.01, 0.1, 1.0];
/// The failure rate of a canary that harms its primary.
const HARMFUL: f64 = 0.2;
/// Factor by which there are fewer runs of bad releases, because they vary less.
const FEWER: u64 = 20;
const LEAST: u64 = 50;
/// Checks in a run.
const LOOKS: f64 = 40.0;

/// The settings.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// A/A runs per world.
    pub runs: u64,
    /// The seed of the random numbers.
    pub seed: u64,
}

/// Simulates all worlds. Reports each one to `progress`.
pub fn run(wanted: Wanted, progress: &dyn Fn(&str)) -> String {
    let good: Vec<_> =
        WORLDS.iter().map(|world| (world, many(world, None, wanted, wanted.runs, progress))).collect();
    let fewer = (wanted.runs / FEWER).max(LEAST);
    let bad = WORLDS.iter().filter(|world| !world.outside);
    let bad: Vec<_> =
        bad.map(|world| (world, BAD.map(|rate| many(world, Some(rate), wanted, fewer, progress)))).collect();
    let drags: Vec<_> =
        DRAGS.iter().map(|world| (world, many(world, Some(HARMFUL), wanted, fewer, progress))).collect();
    [false_rollbacks(&good, wanted), delays(&bad, fewer), harm(&drags, fewer)].concat()
}

fn many(
    world: &World,
    canary: Option<f64>,
    wanted: Wanted,
    runs: u64,
    progress: &dyn Fn(&str),
) -> Vec<Outcome> {
    let how = canary.map_or_else(|| "the same release".to_owned(), |rate| format!("{} % fail", 100.0 * rate));
    progress(&format!("{}: {how}", world.name));
    (0..runs).map(|run| release(world, canary, &mut Random::new(wanted.seed, run))).collect()
}

fn percent(runs: &[Outcome], is: impl Fn(&Outcome) -> bool) -> f64 {
    100.0 * runs.iter().filter(|run| is(run)).count() as f64 / runs.len().max(1) as f64
}

/// The median, if at least half of the runs have a value.
fn median(runs: &[Outcome], of: impl Fn(&Outcome) -> Option<f64>) -> String {
    let mut all: Vec<f64> = runs.iter().map(|run| of(run).unwrap_or(f64::INFINITY)).collect();
    all.sort_by(f64::total_cmp);
    let middle = all.get(all.len() / 2).copied().filter(|at| at.is_finite());
    middle.map_or_else(|| "-".to_owned(), |at| format!("{at:.0}"))
}

/// The median, with the percentage of found ones if not all were found.
fn found(runs: &[Outcome], of: impl Fn(&Outcome) -> Option<f64>) -> String {
    let share = percent(runs, |run| of(run).is_some());
    let all = if share < 99.5 { format!(" ({share:.0} %)") } else { String::new() };
    format!("{}{all}", median(runs, of))
}

fn false_rollbacks(all: &[(&World, Vec<Outcome>)], wanted: Wanted) -> String {
    let mut text = format!(
        "Good releases rolled back, in percent of {} runs of ten minutes, 10 to 50 % in steps of a minute (seed {}).\n\
         Stated of `compare`: at most 1. Flagger: 99 %, threshold 5. Argo: 95 %, failureLimit 3.\n\n\
         | World | Flagger | Argo | compare | without history | no worse % | at s | held % |\n\
         |---|---|---|---|---|---|---|---|\n",
        wanted.runs, wanted.seed
    );
    for (world, runs) in all {
        let outside = if world.outside { " (outside)" } else { "" };
        let held = runs.iter().map(|run| f64::from(run.held)).sum::<f64>() / runs.len().max(1) as f64;
        text += &format!(
            "| {}{outside} | {:.2} | {:.2} | {:.2} | {:.2} | {:.1} | {} | {:.1} |\n",
            world.name,
            percent(runs, |run| run.flagger.is_some()),
            percent(runs, |run| run.argo.is_some()),
            percent(runs, |run| run.compared.is_some()),
            percent(runs, |run| run.unknown.is_some()),
            percent(runs, |run| run.no_worse.is_some()),
            median(runs, |run| run.no_worse),
            100.0 * held / LOOKS,
        );
    }
    text
}

fn delays(all: &[(&World, [Vec<Outcome>; 4])], runs: u64) -> String {
    let mut text = format!(
        "\nSeconds until a bad release is found, median of {runs} runs: Flagger / Argo / compare / compare without history. \
         In brackets how many percent were found in ten minutes, where not all were.\n\n\
         | World | 0.5 % fail | 1 % | 10 % | 100 % |\n|---|---|---|---|---|\n"
    );
    for (world, rates) in all {
        text += &format!("| {} |", world.name);
        for runs in rates {
            let rules = [
                found(runs, |run| run.flagger),
                found(runs, |run| run.argo),
                found(runs, |run| run.compared),
                found(runs, |run| run.unknown),
            ];
            text += &format!(" {} |", rules.join(" / "));
        }
        text.push('\n');
    }
    text
}

fn harm(all: &[(&World, Vec<Outcome>)], runs: u64) -> String {
    let mut text = format!(
        "\nA canary that fails at {} % of its requests and takes its primary with it; {runs} runs of ten minutes.\n\n\
         | World | found worse % | at s | held % | no worse % |\n|---|---|---|---|---|\n",
        100.0 * HARMFUL
    );
    for (world, runs) in all {
        text += &format!(
            "| {} | {:.1} | {} | {:.1} | {:.1} |\n",
            world.name,
            percent(runs, |run| run.compared.is_some()),
            median(runs, |run| run.compared),
            percent(runs, |run| run.held > 0),
            percent(runs, |run| run.no_worse.is_some()),
        );
    }
    text
}
