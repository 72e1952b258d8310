//! What the operator costs and how fast it is, measured on the bed: [`run`] starts everything, takes the parts in
//! turn and returns the figures.
//!
//! - [`fleet`]: many small Canaries, and letting all of them roll out at once.
//! - [`record`]: what every Canary and route looked like, and when that was seen.
//! - [`rest`], [`rollout`], [`rollback`], [`lateness`]: one figure or a few each.
//! - [`figure`]: how a figure is printed, beside its target and what Flagger needed.
//!
//! Nothing here decides whether a figure is good: it is printed for people.

mod figure;
mod fleet;
mod lateness;
mod process;
mod record;
mod rest;
mod rollback;
mod rollout;

use std::time::Duration;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};

pub use figure::{Figure, print};

use crate::{
    audit::{Audit, Request},
    bed::{Bed, Options, User},
    operator::Operator,
    wait,
};
use fleet::Fleet;
use record::Record;

/// Longest wait for anything, on a slow machine.
const LIMIT: Duration = Duration::from_secs(180);
/// At rest is who has asked nothing for this long.
const QUIET: SignedDuration = SignedDuration::from_secs(5);

/// What the parts share.
struct Bench {
    bed: Bed,
    operator: Operator,
    record: Record,
}

impl Bench {
    /// The operator's requests from `from` on.
    fn requests(&self, from: Timestamp) -> anyhow::Result<Audit> {
        Ok(Audit::of(&self.bed, User::Operator)?.between(from, Timestamp::MAX))
    }

    /// Waits until the operator has nothing left to write; Events come last.
    async fn quiet(&self) -> anyhow::Result<()> {
        self.quiet_about(|_| true).await
    }

    /// The same for requests of one kind.
    async fn quiet_about(&self, concerns: impl Fn(&Request) -> bool) -> anyhow::Result<()> {
        wait::until("the operator to have no more to do", LIMIT, async || {
            let asked = self.requests(Timestamp::now().checked_sub(QUIET).ok()?).ok()?;
            (asked.beyond_watches().only(&concerns).count() == 0).then_some(())
        })
        .await
    }
}

/// Takes all measurements with `canaries` Canaries; says what it is doing by `progress`.
///
/// # Errors
/// Anything that keeps a measurement from being taken.
pub async fn run(canaries: usize, progress: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Vec<Figure>> {
    progress("starting a control plane and Prometheus");
    let options = Options { envoy: false, backends: false, ..Options::default() };
    let bed = Bed::start(options).await?;
    // the kinds are what is needed: routes are written and read, nobody serves them
    bed.istiod()?.stop().await?;
    bed.install().await?;
    let mut operator = Operator::start(&bed, &[], &[])?;
    operator.ready(LIMIT).await?;
    let record = Record::start(bed.admin());
    let bench = Bench { bed, operator, record };

    let mut figures = Vec::new();
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
