//! Charts on real parts, with the real Helm 3 and 4: applications with their Canary, `replicas` with each way of
//! applying them, waiting for them, the operator's own charts over Flagger's objects, its definitions and alert rules.
//! For `make nightly`: CI only renders charts.
//!
//! One bed and one operator serve all stories. `cargo test -p serin-e2e --test helm -- NAME` runs some.

mod app;
mod definitions;
mod lives;
mod operator;
mod replicas;
mod rules;
mod tester;
mod tool;
mod waits;

use std::{process::ExitCode, time::Duration};

use serin_bed::{
    Bed, Options,
    lacking::Lacking,
    observer::Observer,
    operator::Operator,
    stage::{self, Stage},
};
use tokio::sync::Mutex;

pub(crate) use serin_bed::story;

/// The shared state of all stories.
pub(crate) struct Shared {
    pub(crate) bed: Bed,
    pub(crate) operator: Mutex<Operator>,
    observer: Observer,
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

/// Families whose stories run in parallel.
const FAMILIES: &[(&str, Family)] = &[
    ("replicas", replicas::STORIES),
    ("lives", lives::STORIES),
    ("waits", waits::STORIES),
    ("tester", tester::STORIES),
];

/// Families that change cluster-wide objects, or stop the operator: one story after the other.
const ALONE: &[(&str, Family)] = &[
    ("lives_alone", lives::ALONE),
    ("waits_alone", waits::ALONE),
    ("operator", operator::STORIES),
    ("definitions", definitions::STORIES),
    ("rules", rules::STORIES),
];

async fn start() -> anyhow::Result<Shared> {
    let bed = Bed::start(Options::default()).await?;
    bed.install().await?;
    let observer = Observer::start(bed.admin());
    let mut operator = Operator::start(&bed, &[], &[])?;
    operator.ready(Duration::from_secs(30)).await?;
    Ok(Shared { bed, operator: Mutex::new(operator), observer })
}

fn main() -> anyhow::Result<ExitCode> {
    let lacking = Lacking::find("helm")?;
    lacking.enter()?;
    let mut stage = Stage::new(lacking, start)?;
    stage.play(6, FAMILIES);
    stage.play(1, ALONE);
    stage.end()
}
