//! What the operator costs and how fast it is, measured on the bed: [`run`] starts everything, takes the parts in
//! turn and returns the figures.
//!
//! - [`common`]: what the parts share.
//! - [`fleet`]: many small Canaries, and letting all of them roll out at once.
//! - [`record`]: what every Canary and route looked like, and when that was seen.
//! - [`rest`], [`rollout`], [`rollback`], [`lateness`]: one figure or a few each.
//! - [`engines`]: what it takes to evaluate templates, conditions and paths.
//! - [`figure`]: how a figure is printed, beside its target and what Flagger needed.
//!
//! Nothing here decides whether a figure is good: it is printed for people.

mod common;
mod engines;
mod figure;
mod fleet;
mod lateness;
mod process;
mod record;
mod rest;
mod rollback;
mod rollout;

use anyhow::Context;

pub use engines::measure as engines;
pub use figure::{Figure, print};

use common::{Bench, LIMIT};
use fleet::Fleet;
use record::Record;
use serin_bed::{Bed, Operator, Options};

/// Takes all measurements with `canaries` Canaries; says what it is doing by `progress`.
///
/// # Errors
/// Anything that keeps a measurement from being taken.
pub async fn run(canaries: usize, progress: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Vec<Figure>> {
    progress("starting a control plane and Prometheus");
    let options = Options { envoy: false, backends: false, ..Options::default() };
    let bed = Bed::start(options).await?;
    // only the kinds are needed: routes are written and read, and serve no requests
    bed.istiod()?.stop().await?;
    bed.install().await?;
    let mut operator = Operator::start(&bed, &[], &[])?;
    operator.ready(LIMIT).await?;
    let record = Record::start(bed.admin());
    let bench = Bench { bed, operator, record };

    let mut figures = engines::measure()?;
    let fleet = Fleet::create(&bench, canaries, progress, &mut figures).await?;
    progress("at rest for 60 s");
    figures.extend(rest::beside_flagger(&bench, canaries).await?);
    progress("a rollout by each strategy, and releases whose metrics turn bad");
    let (calls, seconds) = tokio::try_join!(rollout::measure(&bench), rollback::measure(&bench, progress))?;
    figures.extend(calls);
    figures.extend(seconds);
    progress("releases whose metrics turn bad while their webhooks hang");
    figures.push(rollback::hooked(&bench, progress).await?);
    progress(&format!("{canaries} releases at once"));
    lateness::measure(&bench, &fleet, progress, &mut figures).await?;
    let laden = (canaries / 4).max(1);
    progress(&format!("{laden} Canaries more, with autoscalers, ConfigMaps and Secrets; at rest for 60 s"));
    fleet::add_laden(&bench, laden, progress).await?;
    let what = format!(
        "{canaries} and {laden} Canaries, the {laden} with an autoscaler, 2 ConfigMaps and 2 Secrets each"
    );
    figures.extend(rest::measure(&bench, &what).await?);
    bench.bed.stop().await.context("stopping the bed")?;
    Ok(figures)
}
