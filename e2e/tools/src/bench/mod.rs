//! The operator's cost and speed, measured on the bed: [`run`] starts everything, runs the parts one after the other
//! and returns the values.
//!
//! - [`common`]: shared code.
//! - [`fleet`]: many small Canaries, and releases to all of them at the same time.
//! - [`record`]: all states of Canaries and routes, with times.
//! - [`rest`], [`rollout`], [`rollback`], [`lateness`]: one or a few values each.
//! - [`engines`]: the time to evaluate templates, conditions and paths.
//! - [`figure`]: the output of a value, with its target and Flagger's value.
//!
//! The benchmarks do not judge values: they print them for people.

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

/// Runs all measurements with `canaries` Canaries. Reports each one to `progress`.
///
/// # Errors
/// A measurement failed.
pub async fn run(canaries: usize, progress: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Vec<Figure>> {
    progress("starting a control plane and Prometheus");
    let options = Options { envoy: false, backends: false, ..Options::default() };
    let bed = Bed::start(options).await?;
    // only the kinds are needed: routes are written and read, but serve no requests
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
