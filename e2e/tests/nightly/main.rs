//! What is too slow for every change: many releases with trouble in each, and the real KEDA. For `make nightly`.
//!
//! One bed and one operator serve all stories. `cargo test -p serin-e2e --test nightly -- NAME` runs some.

mod keda;
mod trials;
mod trouble;

use std::{future::Future, pin::Pin, process::ExitCode, sync::Arc, time::Duration};

use libtest_mimic::{Arguments, Failed, Trial};
use serin_bed::{
    Bed, Options,
    lacking::{Lacking, Need},
    observer::Observer,
    operator::Operator,
    story::noting_namespaces,
};
use tokio::{
    runtime::Runtime,
    sync::{Mutex, OnceCell},
};

/// What all stories share.
pub(crate) struct Shared {
    pub(crate) bed: Bed,
    pub(crate) operator: Mutex<Operator>,
    pub(crate) observer: Observer,
    /// KEDA, once a story has asked for it.
    pub(crate) keda: OnceCell<serin_bed::Keda>,
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

const FAMILIES: &[(&str, Family)] = &[("keda", keda::STORIES), ("trials", trials::STORIES)];

async fn start() -> anyhow::Result<Shared> {
    let bed = Bed::start(Options::default()).await?;
    bed.install().await?;
    let observer = Observer::start(bed.admin());
    let mut operator = Operator::start(&bed, &[], &[])?;
    operator.ready(Duration::from_secs(30)).await?;
    Ok(Shared { bed, operator: Mutex::new(operator), observer, keda: OnceCell::new() })
}

/// The story, then what the observer saw in its namespaces.
async fn observed(shared: &Shared, run: Run) -> anyhow::Result<()> {
    let (outcome, namespaces) = noting_namespaces(run(shared)).await;
    let mut broken = Vec::new();
    for namespace in namespaces {
        broken.extend(shared.observer.violations(&namespace).await?);
    }
    if broken.is_empty() {
        return outcome;
    }
    let broken = format!("invariants were broken:\n{}", broken.join("\n"));
    Err(match outcome {
        Ok(()) => anyhow::anyhow!(broken),
        Err(error) => error.context(broken),
    })
}

fn main() -> anyhow::Result<ExitCode> {
    let mut lacking = Lacking::find("nightly")?;
    lacking.enter()?;
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(1);
    let (runtime, shared) = (Arc::new(Runtime::new()?), Arc::new(OnceCell::new()));
    let mut all = Vec::new();
    for (family, stories) in FAMILIES {
        for (name, run) in *stories {
            let name = format!("{family}::{name}");
            let skipped = lacking.skips(&name, Need::Bed);
            let (runtime, shared, run) = (runtime.clone(), shared.clone(), *run);
            let trial = Trial::test(name, move || {
                let told = async { observed(shared.get_or_try_init(start).await?, run).await };
                runtime.block_on(told).map_err(|error: anyhow::Error| Failed::from(format!("{error:#}")))
            });
            all.push(trial.with_ignored_flag(skipped));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, all);
    lacking.conclude(conclusion.has_failed(), &runtime, shared, |shared: &Shared| &shared.bed)?;
    Ok(conclusion.exit_code())
}
