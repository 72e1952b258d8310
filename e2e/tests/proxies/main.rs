//! Canaries behind every proxy that can be had, each at the pace it has by default: Contour, Traefik, kube-proxy, Envoy
//! driven by an istiod that gathers changes for two seconds, and Skipper, once a story asks for it. Pods take three seconds
//! to become ready.
//!
//! One bed and one operator serve all stories. `cargo test -p serin-e2e --test proxies -- NAME` runs some.

mod bad_versions;
mod beside_others;
mod bystanders;
mod clients;
mod examples;
mod gateway_api;
mod lives;
mod named;
mod refused;
mod services;
mod way;

use std::{future::Future, pin::Pin, process::ExitCode, sync::Arc, time::Duration};

use libtest_mimic::{Arguments, Failed, Trial};
use serin_bed::{
    Bed, Options, Skipper,
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
    /// Skipper, once a story has asked for it.
    pub(crate) skipper: OnceCell<Skipper>,
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

/// Stories of several files, by their names.
type Families = &'static [(&'static str, Family)];

const FAMILIES: Families = &[
    ("lives", lives::STORIES),
    ("gateway_api", gateway_api::STORIES),
    ("named", named::STORIES),
    ("refused", refused::STORIES),
    ("services", services::STORIES),
    ("examples", examples::STORIES),
];

/// Those that take most of a minute or longer, and many requests: few of them at a time, after the others. They are played
/// where a filter names them, and with `SERIN_STORIES=all` (`make proxies-check`).
const SLOW: Families = &[("beside_others", beside_others::STORIES), ("bad_versions", bad_versions::STORIES)];

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
    Ok(Shared { bed, operator: Mutex::new(operator), skipper: OnceCell::new() })
}

fn trial(stage: &Stage, name: String, run: Run) -> Trial {
    let Stage { runtime, shared, proxies } = stage.clone();
    Trial::test(name, move || {
        let told = async { run(shared.get_or_try_init(|| start(proxies)).await?).await };
        runtime.block_on(told).map_err(|error: anyhow::Error| Failed::from(format!("{error:#}")))
    })
}

fn trials(stage: &Stage, lacking: &mut Lacking, families: Families) -> Vec<Trial> {
    let all = families.iter().flat_map(|(family, stories)| stories.iter().map(move |story| (family, story)));
    let trials = all.map(|(family, (name, need, run))| {
        let name = format!("{family}::{name}");
        let skipped = lacking.skips(&name, *need);
        trial(stage, name, *run).with_ignored_flag(skipped)
    });
    trials.collect()
}

fn main() -> anyhow::Result<ExitCode> {
    let mut lacking = Lacking::find("proxies")?;
    lacking.enter()?;
    let arguments = Arguments::from_args();
    let has = |proxy: &Proxy| *proxy != Proxy::KubeProxy || lacking.has(Need::Nftables);
    let proxies = Proxy::ALL.into_iter().filter(has).collect();
    let stage = Stage { runtime: Arc::new(Runtime::new()?), shared: Arc::default(), proxies };
    let mut play = |families, at_a_time: usize| {
        let mut arguments = arguments.clone();
        arguments.test_threads.get_or_insert(at_a_time);
        libtest_mimic::run(&arguments, trials(&stage, &mut lacking, families))
    };
    // they wait far more than they work
    let mut failed = play(FAMILIES, 30).has_failed();
    let slow = arguments.filter.is_some() || std::env::var("SERIN_STORIES").is_ok_and(|which| which == "all");
    failed |= slow && play(SLOW, 2).has_failed();
    lacking.conclude(failed, &stage.runtime, stage.shared, |shared| &shared.bed)?;
    Ok(if failed { ExitCode::from(101) } else { ExitCode::SUCCESS })
}
