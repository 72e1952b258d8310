//! Stories: the operator binary on the bed of real parts. `cargo test -p serin-e2e --test stories -- NAME` runs some.
//!
//! One bed and one operator serve all stories, each in its own namespace. Stories with their own operators ([`ALONE`],
//! [`LAST`]) run after the others, after that operator has been stopped. An observer sees every change of the objects
//! that canaries use: a story fails if an invariant was violated in one of its namespaces. The longest stories are
//! listed at the end.

mod alerts;
mod bad_answers;
mod bad_common;
mod bad_objects;
mod bad_rivals;
mod bad_specs;
mod bad_targets;
mod boards;
mod clouds;
mod compare;
mod configs;
mod configs_alone;
mod crash_hooks;
mod crash_trouble;
mod crash_workload;
mod deep_objects;
mod end_state;
mod event_webhook;
mod examples;
mod first_flight;
mod flagger_documents;
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
mod plugin;
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

use std::process::ExitCode;

use serin_bed::{
    Bed, Options,
    lacking::Lacking,
    observer::Observer,
    operator::Operator,
    stage::{self, Stage},
};

pub(crate) use serin_bed::story;

/// The shared state of all stories.
pub struct Shared {
    /// The bed, with everything running.
    pub bed: Bed,
    /// The operator, watching all namespaces.
    pub operator: tokio::sync::Mutex<Operator>,
    /// Sees every change. Stories that violate an invariant on purpose disable its check.
    pub observer: Observer,
}

impl serin_bed::stage::Shared for Shared {
    fn bed(&self) -> &Bed {
        &self.bed
    }

    fn observer(&self) -> Option<&Observer> {
        Some(&self.observer)
    }
}

/// The stories of one file.
pub type Family = stage::Family<Shared>;

const FAMILIES: &[(&str, Family)] = &[
    // the longest ones start first
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
    ("compare", compare::STORIES),
    ("configs", configs::STORIES),
    ("examples", examples::STORIES),
    ("first_flight", first_flight::STORIES),
    ("flagger_documents", flagger_documents::STORIES),
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
    ("plugin", plugin::STORIES),
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

/// Families that run after the others, with their own operators.
const ALONE: &[(&str, Family)] = &[
    ("clouds_alone", clouds::ALONE),
    ("crash", restart::STORIES),
    ("configs_alone", configs_alone::STORIES),
    ("deep_objects", deep_objects::ALONE),
    ("event_webhook_alone", event_webhook::ALONE),
    ("gates_alone", gates::ALONE),
    ("history_alone", history::ALONE),
    ("jobs_alone", jobs::ALONE),
    ("kuma_alone", kuma::ALONE),
];

/// Families that run last, because they remove something from the whole cluster.
const LAST: &[(&str, Family)] = &[("history_last", history::LAST)];

/// Stories that take nearly a minute or longer. They run if a filter names them, and with `SERIN_STORIES=all` (`make
/// stories`).
const SLOW: &[&str] = &[
    "bad_answers::f54_each_bad_answer_lets_nobody_through_and_is_told_from_the_others",
    "boards::s3_10_every_panel_of_the_boards_has_data",
    "examples::those_that_the_bed_serves_are_released_to",
    "hooks::s1_3_errors_abort_and_the_primary_is_untouched",
    "jenkins_x::S3_5_ten_percent_errors",
    "loadtester::the_objects_of_a_user_of_flagger_work_as_they_are",
    "plugin::a_release_is_steered_from_the_command_line",
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

fn main() -> anyhow::Result<ExitCode> {
    let lacking = Lacking::find("stories")?;
    lacking.enter()?;
    let mut stage = Stage::new(lacking, start)?.without(SLOW);
    stage.play(9, FAMILIES);
    stage.tell_times();
    stage.play(9, ALONE);
    stage.play(9, LAST);
    stage.end()
}
