//! Tests that are too slow for every change: many releases with disturbances, and the real KEDA. For `make nightly`.
//!
//! One bed and one operator serve all stories. `cargo test -p serin-e2e --test nightly -- NAME` runs some.

mod keda;
mod keda_scales;
mod trials;
mod trouble;

use std::{process::ExitCode, time::Duration};

use serin_bed::{
    Bed, Options,
    lacking::Lacking,
    observer::Observer,
    operator::Operator,
    stage::{self, Stage},
};
use tokio::sync::{Mutex, OnceCell};

pub(crate) use serin_bed::story;

/// The shared state of all stories.
pub(crate) struct Shared {
    pub(crate) bed: Bed,
    pub(crate) operator: Mutex<Operator>,
    pub(crate) observer: Observer,
    /// KEDA, after a story has asked for it.
    pub(crate) keda: OnceCell<serin_bed::Keda>,
}

impl stage::Shared for Shared {
    fn bed(&self) -> &Bed {
        &self.bed
    }

    fn observer(&self) -> Option<&Observer> {
        Some(&self.observer)
    }
}

/// The stories of one file.
pub(crate) type Family = stage::Family<Shared>;

/// istiod's own: a renamed port of a Service and its EndpointSlices, which Kubernetes writes some milliseconds later, reach
/// the proxies together.
const DEBOUNCE: Duration = Duration::from_millis(100);

const FAMILIES: &[(&str, Family)] =
    &[("keda", keda::STORIES), ("keda_scales", keda_scales::STORIES), ("trials", trials::STORIES)];

async fn start() -> anyhow::Result<Shared> {
    let bed = Bed::start(Options { istiod_debounce: DEBOUNCE, ..Options::default() }).await?;
    bed.install().await?;
    let observer = Observer::start(bed.admin());
    let mut operator = Operator::start(&bed, &[], &[])?;
    operator.ready(Duration::from_secs(30)).await?;
    Ok(Shared { bed, operator: Mutex::new(operator), observer, keda: OnceCell::new() })
}

fn main() -> anyhow::Result<ExitCode> {
    let lacking = Lacking::find("nightly")?;
    lacking.enter()?;
    let mut stage = Stage::new(lacking, start)?;
    stage.play(1, FAMILIES);
    stage.end()
}
