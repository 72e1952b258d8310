//! Charts on real parts, by the real Helm 3 and 4: applications with their Canary, `replicas` in each way of applying them,
//! waiting for them, the operator's own charts over Flagger's objects, its definitions and alert rules. For `make nightly`: CI renders charts only.
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

use std::{future::Future, pin::Pin, process::ExitCode, sync::Arc, time::Duration};

use libtest_mimic::{Arguments, Failed, Trial};
use serin_bed::{
    Bed, Options,
    lacking::{Lacking, Need},
    operator::Operator,
};
use tokio::{
    runtime::Runtime,
    sync::{Mutex, OnceCell},
};

/// What all stories share.
pub(crate) struct Shared {
    pub(crate) bed: Bed,
    pub(crate) operator: Mutex<Operator>,
}

pub(crate) type Run = for<'a> fn(&'a Shared) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 'a>>;

/// Stories of one file.
pub(crate) type Family = &'static [(&'static str, Run)];

/// A story: its name, and what happens.
macro_rules! story {
    ($name:path) => {
        (stringify!($name), |shared| Box::pin($name(shared)))
    };
}
pub(crate) use story;

/// Families whose stories run side by side.
const FAMILIES: &[(&str, Family)] = &[
    ("replicas", replicas::STORIES),
    ("lives", lives::STORIES),
    ("waits", waits::STORIES),
    ("tester", tester::STORIES),
];

/// Families that change what belongs to the whole cluster, or stop the operator: one story after the other.
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
    let mut operator = Operator::start(&bed, &[], &[])?;
    operator.ready(Duration::from_secs(30)).await?;
    Ok(Shared { bed, operator: Mutex::new(operator) })
}

fn trials(
    runtime: &Arc<Runtime>,
    shared: &Arc<OnceCell<Shared>>,
    lacking: &mut Lacking,
    families: &[(&str, Family)],
) -> Vec<Trial> {
    let all = families.iter().flat_map(|(family, stories)| stories.iter().map(move |story| (family, story)));
    let trials = all.map(|(family, (name, run))| {
        let name = format!("{family}::{name}");
        let skipped = lacking.skips(&name, Need::Bed);
        let (runtime, shared, run) = (runtime.clone(), shared.clone(), *run);
        let trial = Trial::test(name, move || {
            let told = async { run(shared.get_or_try_init(start).await?).await };
            runtime.block_on(told).map_err(|error: anyhow::Error| Failed::from(format!("{error:#}")))
        });
        trial.with_ignored_flag(skipped)
    });
    trials.collect()
}

fn main() -> anyhow::Result<ExitCode> {
    let mut lacking = Lacking::find("helm")?;
    lacking.enter()?;
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(6);
    let (runtime, shared) = (Arc::new(Runtime::new()?), Arc::default());
    let together = libtest_mimic::run(&arguments, trials(&runtime, &shared, &mut lacking, FAMILIES));
    arguments.test_threads = Some(1);
    let alone = libtest_mimic::run(&arguments, trials(&runtime, &shared, &mut lacking, ALONE));
    let conclusion = if together.has_failed() { together } else { alone };
    lacking.conclude(conclusion.has_failed(), &runtime, shared, |shared| &shared.bed)?;
    Ok(conclusion.exit_code())
}
