//! Stories: the operator binary on the bed of real parts. `cargo test -p serin-e2e --test stories -- NAME` runs some.
//!
//! One bed and one operator serve all stories, each in a namespace of its own. Stories that bring operators of their
//! own ([`ALONE`], [`LAST`]) come after the others, when that operator has been stopped. An observer sees every change of the
//! objects that canaries are about: a story in whose namespaces an invariant was broken has failed, whatever it says.
//! Those that took longest are named at the end.
#![allow(clippy::print_stdout, reason = "how long stories took is for the reader of the test's output")]

mod alerts;
mod bad_answers;
mod bad_common;
mod bad_objects;
mod bad_rivals;
mod bad_specs;
mod bad_targets;
mod boards;
mod clouds;
mod configs;
mod configs_alone;
mod crash_hooks;
mod crash_trouble;
mod crash_workload;
mod end_state;
mod event_webhook;
mod examples;
mod first_flight;
mod flagger_user;
mod gates;
mod history;
mod hooks;
mod jenkins_x;
mod jobs;
mod knative;
mod kuma;
mod loadtester;
mod named;
mod nginx_guide;
mod own_servers;
mod rbac;
mod recording;
mod recordings;
mod rest;
mod restart;
mod runs;
mod samples;
mod scalers;
mod service_targets;
mod services;
mod sources;
mod strategies;
mod switches;
mod targets;
mod tools;
mod verdicts;

use std::{
    future::Future,
    pin::Pin,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use libtest_mimic::{Arguments, Failed, Trial};
use serin_bed::{
    Bed, Options,
    lacking::{Lacking, Need},
    observer::Observer,
    operator::Operator,
    story,
};
use tokio::{runtime::Runtime, sync::OnceCell, time::Instant};

/// What all stories share.
pub struct Shared {
    /// The bed, with everything running.
    pub bed: Bed,
    /// The operator, watching all namespaces.
    pub operator: tokio::sync::Mutex<Operator>,
    /// Sees every change; stories that break something on purpose tell it which checks do not apply.
    pub observer: Observer,
}

/// How long stories took.
#[derive(Default)]
struct Times(Mutex<Vec<(Duration, String)>>);

impl Times {
    fn note(&self, took: Duration, story: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((took, story.to_owned()));
    }

    /// The longest ones, when there were many.
    fn tell(&self) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.sort_unstable_by(|a, b| b.cmp(a));
        let longest = all.iter().take(if all.len() > 50 { 15 } else { 0 });
        let told: Vec<_> =
            longest.map(|(took, story)| format!("  {:>5.1} s  {story}", took.as_secs_f64())).collect();
        if !told.is_empty() {
            println!("these took longest:\n{}\n", told.join("\n"));
        }
    }
}

type Run = for<'a> fn(&'a Shared) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 'a>>;

/// A story: its name, and what happens.
#[macro_export]
macro_rules! story {
    ($name:path) => {
        $crate::story!($name, $crate::Need::Bed)
    };
    ($name:path, $need:expr) => {
        (stringify!($name), $need, |shared| Box::pin($name(shared)))
    };
}

/// All stories of a family.
pub type Family = &'static [(&'static str, Need, Run)];

const FAMILIES: &[(&str, Family)] = &[
    // they take longest, so they start first
    ("verdicts", verdicts::STORIES),
    ("targets", targets::STORIES),
    ("targets", service_targets::STORIES),
    ("alerts", alerts::STORIES),
    ("bad_answers", bad_answers::STORIES),
    ("bad_objects", bad_objects::STORIES),
    ("bad_rivals", bad_rivals::STORIES),
    ("bad_specs", bad_specs::STORIES),
    ("bad_targets", bad_targets::STORIES),
    ("boards", boards::STORIES),
    ("clouds", clouds::STORIES),
    ("configs", configs::STORIES),
    ("examples", examples::STORIES),
    ("first_flight", first_flight::STORIES),
    ("gates", gates::STORIES),
    ("history", history::STORIES),
    ("hooks", hooks::STORIES),
    ("jenkins_x", jenkins_x::STORIES),
    ("jobs", jobs::STORIES),
    ("knative", knative::STORIES),
    ("kuma", kuma::STORIES),
    ("loadtester", loadtester::STORIES),
    ("nginx_guide", nginx_guide::STORIES),
    ("named", named::STORIES),
    ("rbac", rbac::STORIES),
    ("recordings", recordings::STORIES),
    ("rest", rest::STORIES),
    ("runs", runs::STORIES),
    ("scalers", scalers::STORIES),
    ("services", services::STORIES),
    ("sources", sources::STORIES),
    ("sources", own_servers::STORIES),
    ("sources", samples::STORIES),
    ("strategies", strategies::STORIES),
    ("switches", switches::STORIES),
    ("tools", tools::STORIES),
];

/// Families that run after the others, with operators of their own.
const ALONE: &[(&str, Family)] = &[
    ("clouds_alone", clouds::ALONE),
    ("crash", restart::STORIES),
    ("configs_alone", configs_alone::STORIES),
    ("event_webhook_alone", event_webhook::ALONE),
    ("gates_alone", gates::ALONE),
    ("history_alone", history::ALONE),
    ("jobs_alone", jobs::ALONE),
    ("kuma_alone", kuma::ALONE),
];

/// Families that run after these, because they take something away from the whole cluster.
const LAST: &[(&str, Family)] = &[("history_last", history::LAST)];

async fn start() -> anyhow::Result<Shared> {
    let bed = Bed::start(Options::default()).await?;
    bed.install().await?;
    let observer = Observer::start(bed.admin());
    let mut operator = Operator::start(&bed, &[], &[])?;
    operator.ready(std::time::Duration::from_secs(30)).await?;
    Ok(Shared { bed, operator: tokio::sync::Mutex::new(operator), observer })
}

/// What all trials have.
#[derive(Clone)]
struct Stage {
    runtime: Arc<Runtime>,
    shared: Arc<OnceCell<Shared>>,
    times: Arc<Times>,
}

fn trial(stage: &Stage, name: String, run: Run) -> Trial {
    let stage = stage.clone();
    let story = name.clone();
    Trial::test(name, move || {
        stage.runtime.block_on(async {
            let shared =
                stage.shared.get_or_try_init(start).await.map_err(|e| Failed::from(format!("{e:#}")))?;
            let began = Instant::now();
            let told = observed(shared, run).await.map_err(|e| Failed::from(format!("{e:#}")));
            stage.times.note(began.elapsed(), &story);
            told
        })
    })
}

/// The story, then what the observer saw in its namespaces.
async fn observed(shared: &Shared, run: Run) -> anyhow::Result<()> {
    let (outcome, namespaces) = story::noting_namespaces(run(shared)).await;
    let mut broken = Vec::new();
    for namespace in namespaces {
        broken.extend(shared.observer.violations(&namespace).await?);
        shared.bed.leave_mesh(&namespace).await?;
    }
    if broken.is_empty() {
        return outcome;
    }
    let broken = broken.join("\n");
    Err(match outcome {
        Ok(()) => anyhow::anyhow!("invariants were broken:\n{broken}"),
        Err(error) => {
            error.context(format!("invariants were broken:\n{broken}\nand the story itself failed"))
        }
    })
}

fn trials(stage: &Stage, lacking: &mut Lacking, families: &[(&str, Family)]) -> Vec<Trial> {
    let all = families.iter().flat_map(|(family, stories)| stories.iter().map(move |story| (family, story)));
    let trials = all.map(|(family, (name, need, run))| {
        let name = format!("{family}::{name}");
        let skipped = lacking.skips(&name, *need);
        trial(stage, name, *run).with_ignored_flag(skipped)
    });
    trials.collect()
}

fn main() -> anyhow::Result<ExitCode> {
    let mut lacking = Lacking::find("stories")?;
    lacking.enter()?;
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(9);
    let runtime = Arc::new(Runtime::new()?);
    let stage = Stage { runtime, shared: Arc::default(), times: Arc::default() };
    let together = libtest_mimic::run(&arguments, trials(&stage, &mut lacking, FAMILIES));
    stage.times.tell();
    let alone = libtest_mimic::run(&arguments, trials(&stage, &mut lacking, ALONE));
    let last = libtest_mimic::run(&arguments, trials(&stage, &mut lacking, LAST));
    let conclusion =
        [together, alone].into_iter().find(libtest_mimic::Conclusion::has_failed).unwrap_or(last);
    lacking.conclude(conclusion.has_failed(), &stage.runtime, stage.shared, |shared| &shared.bed)?;
    Ok(conclusion.exit_code())
}
