//! `make demo`: releases on the bed with real traffic, shown in the terminal.
//!
//! [`scenarios`] defines the acts and their order. [`act`] runs one release, [`beside`] adds clients that show the
//! characteristics of a strategy, [`report`] prints the results, and [`keep`] leaves everything running for
//! exploration.

mod act;
mod beside;
mod calls;
mod keep;
mod measured;
mod numbers;
mod report;
mod scenarios;
mod screen;
mod sight;
mod stage;
mod traffic;

use std::time::Instant;

use serin::api::Phase;
use serin_bed::{Bed, Options, observer::Observer, proxies::Door};

pub use self::scenarios::{SCENARIOS, Scenario, find, list};
use self::{
    act::Outcome,
    numbers::{NAMESPACE, tenths},
    scenarios::Act,
    screen::Screen,
    stage::open,
};

/// Runs all acts of a scenario. Returns whether all ended as described without a violated invariant. Call
/// [`serin_bed::enter`] first.
///
/// # Errors
/// The bed or the operator does not start, or an act does not end.
pub async fn play(scenario: &'static Scenario) -> anyhow::Result<bool> {
    let began = Instant::now();
    let mut screen = Screen::new();
    screen.title("Serin at work on real parts, under real traffic")?;
    screen.line(scenario.about)?;
    screen.line("")?;
    let proxies = scenario.door.and_then(Door::proxy).into_iter().collect();
    let options = Options { proxies, ..Options::default() };
    let bed = Bed::start(options).await?;
    bed.install().await?;
    let observer = Observer::start(bed.admin());
    let parts: Vec<&str> = bed.timings().iter().map(|(name, _)| *name).filter(|name| is_part(name)).collect();
    screen.fact("bed", &format!("{} s: {}", tenths(began.elapsed()), parts.join(", ")))?;
    let mut stage = open(&bed, scenario, screen).await?;
    let mut played: Vec<(&Act, Outcome)> = Vec::new();
    for (index, act) in scenario.acts.iter().enumerate() {
        stage.screen.line("")?;
        stage.screen.title(&format!("Act {}: {}", index + 1, act.title))?;
        stage.screen.line(&format!("{}\n", act.about))?;
        let outcome = Box::pin(act::play(&mut stage, act)).await?;
        if outcome.phase == Phase::Succeeded {
            act.version.clone_into(&mut stage.serving);
        }
        played.push((act, outcome));
    }
    let broken = observer.violations(NAMESPACE).await?;
    let good = report::print(&mut stage, &played, &broken, began.elapsed())?;
    if keep::wanted() {
        keep::running(&mut stage).await?;
    } else {
        keep::hint(&mut stage.screen)?;
    }
    drop(stage);
    bed.stop().await?;
    Ok(good)
}

/// The timings of a bed name its parts, and some other things.
fn is_part(name: &str) -> bool {
    !matches!(name, "all" | "istio-crds")
}
