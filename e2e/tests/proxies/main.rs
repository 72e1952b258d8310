//! Canaries behind every proxy that can be had, each at the pace it has by default: Contour, Traefik, kube-proxy, and
//! Envoy driven by an istiod that gathers changes for two seconds. Pods take three seconds to become ready.
//!
//! One bed and one operator serve all stories. `cargo test -p serin-e2e --test proxies -- NAME` runs some; `--ignored` those
//! of `make nightly`, with Skipper beside the others.

mod bad_versions;
mod bystanders;
mod clients;
mod examples;
mod gateway_api;
mod lives;
mod named;
mod nightly;
mod refused;
mod services;
mod way;

use std::{future::Future, pin::Pin, process::ExitCode, sync::Arc, time::Duration};

use libtest_mimic::{Arguments, Failed, Trial};
use serin_bed::{
    Bed, Options,
    lacking::{Lacking, Need},
    operator::Operator,
    proxy::Proxy,
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

/// A story: its name, and what happens.
macro_rules! story {
    ($name:path) => {
        story!($name, serin_bed::lacking::Need::Bed)
    };
    ($name:path, $need:expr) => {
        (stringify!($name), $need, |shared| Box::pin($name(shared)))
    };
}
pub(crate) use story;

/// Stories of one file.
pub(crate) type Family = &'static [(&'static str, Need, Run)];

const FAMILIES: &[(&str, Family)] = &[
    ("lives", lives::STORIES),
    ("gateway_api", gateway_api::STORIES),
    ("named", named::STORIES),
    ("refused", refused::STORIES),
    ("services", services::STORIES),
    ("examples", examples::STORIES),
];

/// Those of `make nightly` alone.
const NIGHTLY: &[(&str, Family)] = &[("nightly", nightly::STORIES), ("bad_versions", bad_versions::STORIES)];

/// What all trials have.
#[derive(Clone)]
struct Stage {
    runtime: Arc<Runtime>,
    shared: Arc<OnceCell<Shared>>,
    /// Those that this machine can run.
    proxies: Vec<Proxy>,
}

/// How long istiod gathers changes.
const DEBOUNCE: Duration = Duration::from_secs(2);

async fn start(proxies: Vec<Proxy>) -> anyhow::Result<Shared> {
    let options = Options { proxies, istiod_debounce: DEBOUNCE, ..Options::default() };
    let bed = Bed::start(options).await?;
    bed.install().await?;
    let mut operator = Operator::start(&bed, &[], &[])?;
    operator.ready(Duration::from_secs(30)).await?;
    Ok(Shared { bed, operator: Mutex::new(operator) })
}

fn trial(stage: &Stage, name: String, run: Run) -> Trial {
    let Stage { runtime, shared, proxies } = stage.clone();
    Trial::test(name, move || {
        let told = async { run(shared.get_or_try_init(|| start(proxies)).await?).await };
        runtime.block_on(told).map_err(|error: anyhow::Error| Failed::from(format!("{error:#}")))
    })
}

fn main() -> anyhow::Result<ExitCode> {
    let mut lacking = Lacking::find("proxies")?;
    lacking.enter()?;
    let mut arguments = Arguments::from_args();
    let night = arguments.ignored || arguments.include_ignored;
    // they wait far more than they work; at night each has five applications
    arguments.test_threads.get_or_insert(if night { 3 } else { 30 });
    let has = |proxy: &Proxy| *proxy != Proxy::KubeProxy || lacking.has(Need::Nftables);
    let of_the_night = Proxy::NIGHTLY.into_iter().filter(|_| night);
    let proxies = Proxy::ALL.into_iter().filter(has).chain(of_the_night).collect();
    let stage = Stage { runtime: Arc::new(Runtime::new()?), shared: Arc::default(), proxies };
    let mut trials = Vec::new();
    let families = FAMILIES.iter().map(|family| (family, false)).chain(NIGHTLY.iter().map(|f| (f, true)));
    for ((family, stories), nightly) in families {
        for (name, need, run) in *stories {
            let name = format!("{family}::{name}");
            // whoever asks for those that are ignored is not given what cannot be run
            let skipped = nightly == night && lacking.skips(&name, *need);
            if !(skipped && night) {
                trials.push(trial(&stage, name, *run).with_ignored_flag(skipped || nightly));
            }
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    lacking.conclude(conclusion.has_failed(), &stage.runtime, stage.shared, |shared| &shared.bed)?;
    Ok(conclusion.exit_code())
}
