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

/// Those that take most of a minute or longer. They are played where a filter names them, and with `SERIN_STORIES=all`
/// (`make stories`).
const SLOW: &[&str] = &[
    "bad_answers::f54_each_bad_answer_lets_nobody_through_and_is_told_from_the_others",
    "boards::s3_10_every_panel_of_the_boards_has_data",
    "examples::those_that_the_bed_serves_are_released_to",
    "hooks::s1_3_errors_abort_and_the_primary_is_untouched",
    "jenkins_x::S3_5_ten_percent_errors",
    "loadtester::the_objects_of_a_user_of_flagger_work_as_they_are",
    "sources::f57_an_outage_longer_than_a_run_fails_nothing",
    "targets::a_daemon_set_goes_through_its_whole_life",
    "targets::a_daemon_set_is_measured_by_its_own_pods",
    "targets::a_daemon_set_that_never_becomes_ready_goes_back",
    "targets::what_a_daemon_set_cannot_do_is_said",
    "verdicts::a_prometheus_down_for_a_whole_run_changes_nothing_and_fifty_others_finish",
    "verdicts::s0_2_no_data_as_an_error_ends_the_run_at_its_limit",
];

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

fn trials(stage: &Stage, lacking: &mut Lacking, families: &[(&str, Family)], slow: bool) -> Vec<Trial> {
    let all = families.iter().flat_map(|(family, stories)| stories.iter().map(move |story| (family, story)));
    let named = all.map(|(family, (name, need, run))| (format!("{family}::{name}"), *need, *run));
    let played = named.filter(|(name, ..)| slow || !SLOW.contains(&name.as_str()));
    let trials = played.map(|(name, need, run)| {
        let skipped = lacking.skips(&name, need);
        trial(stage, name, run).with_ignored_flag(skipped)
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
    let slow = arguments.filter.is_some() || std::env::var("SERIN_STORIES").is_ok_and(|which| which == "all");
    let mut play = |families| libtest_mimic::run(&arguments, trials(&stage, &mut lacking, families, slow));
    let together = play(FAMILIES);
    stage.times.tell();
    let (alone, last) = (play(ALONE), play(LAST));
    let conclusion =
        [together, alone].into_iter().find(libtest_mimic::Conclusion::has_failed).unwrap_or(last);
    lacking.conclude(conclusion.has_failed(), &stage.runtime, stage.shared, |shared| &shared.bed)?;
    Ok(conclusion.exit_code())
}
