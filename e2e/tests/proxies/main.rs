//! Canaries behind every proxy that can be had, each at the pace it has by default: Contour, Traefik, kube-proxy, and
//! Envoy driven by an istiod that gathers changes for two seconds. Pods take three seconds to become ready.
//!
//! One bed and one operator serve all stories. `cargo test -p serin-e2e --test proxies -- NAME` runs some.

mod clients;
mod examples;
mod gateway_api;
mod lives;
mod named;
mod services;
mod way;

use std::{future::Future, pin::Pin, process::ExitCode, sync::Arc, time::Duration};

use libtest_mimic::{Arguments, Failed, Trial};
use serin_bed::{Bed, Options, enter, operator::Operator};
use tokio::{runtime::Runtime, sync::OnceCell};

/// What all stories share.
pub(crate) struct Shared {
    pub(crate) bed: Bed,
    _operator: Operator,
}

pub(crate) type Run = for<'a> fn(&'a Shared) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 'a>>;

/// A story: its name, and what happens.
macro_rules! story {
    ($name:path) => {
        (stringify!($name), |shared| Box::pin($name(shared)))
    };
}
pub(crate) use story;

/// Stories of one file.
pub(crate) type Family = &'static [(&'static str, Run)];

const FAMILIES: &[(&str, Family)] = &[
    ("lives", lives::STORIES),
    ("gateway_api", gateway_api::STORIES),
    ("named", named::STORIES),
    ("services", services::STORIES),
    ("examples", examples::STORIES),
];

/// How long istiod gathers changes.
const DEBOUNCE: Duration = Duration::from_secs(2);

async fn start() -> anyhow::Result<Shared> {
    let options = Options { proxies: true, istiod_debounce: DEBOUNCE, ..Options::default() };
    let bed = Bed::start(options).await?;
    bed.install().await?;
    let mut operator = Operator::start(&bed, &[], &[])?;
    operator.ready(Duration::from_secs(30)).await?;
    Ok(Shared { bed, _operator: operator })
}

fn trial(runtime: &Arc<Runtime>, shared: &Arc<OnceCell<Shared>>, name: String, run: Run) -> Trial {
    let (runtime, shared) = (runtime.clone(), shared.clone());
    Trial::test(name, move || {
        let told = async { run(shared.get_or_try_init(start).await?).await };
        runtime.block_on(told).map_err(|error: anyhow::Error| Failed::from(format!("{error:#}")))
    })
}

fn main() -> anyhow::Result<ExitCode> {
    enter()?;
    let mut arguments = Arguments::from_args();
    // they wait far more than they work
    arguments.test_threads.get_or_insert(30);
    let runtime = Arc::new(Runtime::new()?);
    let shared = Arc::new(OnceCell::new());
    let mut trials = Vec::new();
    for (family, stories) in FAMILIES {
        trials.extend(
            stories.iter().map(|(name, run)| trial(&runtime, &shared, format!("{family}::{name}"), *run)),
        );
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if conclusion.has_failed()
        && let Some(shared) = shared.get()
    {
        runtime.block_on(shared.bed.keep());
    }
    drop(shared);
    Ok(conclusion.exit_code())
}
