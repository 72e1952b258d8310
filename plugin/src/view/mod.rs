//! PURE. The view of a Canary, derived once for screens of the command line, `-o json` and web pages.
//!
//! [`Facts`] contain the data from the cluster. [`canary`] and [`run`] make views of them. The time is an argument.

mod actions;
mod checks;
mod ended;
mod facts;
pub mod model;
mod objects;
mod owner;
mod progress;
mod runs;
mod state;
mod version;
mod waiting;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use serin::{api::CanaryStatus, names::conditions, spec::Validated};

pub use ended::{End, Settled, ended_run, outdated, settled, template};
pub use facts::{Facts, rules};
pub use model::{
    ActionView, CanaryView, CheckView, CommandView, ConditionView, EventView, FailedChecks, Health,
    ImageView, Look, ObjectView, OwnerView, ProgressView, Role, RunningView, State, StepState, StepView,
    TargetView, WaitingKind, WaitingView, WeightView,
};
pub(crate) use objects::short as short_image;
pub use owner::owner;
pub(crate) use progress::lasts;
pub use runs::{HookView, MeasurementView, MetricView, RunView, StepTakenView, run};
pub use version::API_VERSION;

/// Maximum number of Events to show.
const EVENTS: usize = 50;

/// The view of a Canary.
pub fn canary(facts: &Facts, now: Timestamp) -> CanaryView {
    let status = facts.status();
    let c = facts.validated();
    let state = state::state(facts, &status);
    let waiting = waiting::waiting(facts, &status, c.as_ref(), state);
    let spec = &facts.canary.spec;
    CanaryView {
        api_version: API_VERSION,
        kind: "CanaryView",
        namespace: facts.namespace().to_owned(),
        name: facts.name().to_owned(),
        uid: facts.canary.metadata.uid.clone().unwrap_or_default(),
        resource_version: facts.canary.metadata.resource_version.clone().unwrap_or_default(),
        target: TargetView { kind: spec.target_ref.kind.clone(), name: spec.target_ref.name.clone() },
        provider: provider(facts, &status),
        strategy: c.as_ref().map(|c| format!("{:?}", c.strategy)),
        state,
        phase: status.phase.unwrap_or_default().to_string(),
        headline: state::headline(facts, &status, state, waiting.as_ref()),
        since: status.last_transition_time.as_ref().map(|t| t.0),
        weight: weight(&status),
        steps: progress::steps(&status, c.as_ref()),
        promotion: progress::promotion(c.as_ref()),
        progress: progress::progress(&status, c.as_ref(), state, now),
        failed_checks: FailedChecks { count: status.failed_checks, limit: threshold(facts, c.as_ref()) },
        checks: checks::checks(facts, &status, c.as_ref()),
        images: objects::images(facts, &status),
        objects: objects::tree(facts),
        revision: revision(&status),
        run: status.run.as_ref().map(|run| RunningView {
            name: serin::names::run(facts.name(), run.number),
            number: run.number,
            revision: status.last_applied_spec.clone().unwrap_or_default(),
            started: run.started.0,
        }),
        last_run: runs::last(facts, &status),
        conditions: told(&status),
        events: events(&facts.events),
        actions: actions::actions(&status, state, waiting.as_ref()),
        request: status.request,
        owner: owner(&facts.canary.metadata),
        unread: [facts.unread.clone(), facts.failed.clone()].concat(),
        waiting_for: waiting,
    }
}

fn revision(status: &CanaryStatus) -> Option<String> {
    let waiting = status.waiting.as_ref().and_then(|waiting| waiting.revision.clone());
    waiting.filter(|_| status.run.is_none()).or_else(|| status.last_applied_spec.clone())
}

fn provider(facts: &Facts, status: &CanaryStatus) -> Option<String> {
    let in_use = status.in_use.as_ref().map(|made| made.provider.clone()).filter(|p| !p.is_empty());
    in_use.or_else(|| facts.canary.spec.provider.clone().filter(|p| !p.is_empty()))
}

fn threshold(facts: &Facts, c: Option<&Validated>) -> i32 {
    let written = facts.canary.analysis().and_then(|a| a.threshold);
    c.map_or_else(|| written.unwrap_or(0).max(1), |c| c.threshold)
}

fn weight(status: &CanaryStatus) -> WeightView {
    let step = status.step.clone().unwrap_or_default();
    WeightView {
        canary: status.canary_weight,
        primary: 100 - status.canary_weight,
        wanted: if status.run.is_some() { step.weight } else { 0 },
        mirrored: step.mirrored && status.run.is_some(),
        confirmed_at: status.run.as_ref().and(step.confirmed.map(|t| t.0)),
    }
}

/// The conditions worth showing. Leaves out those in their normal state.
fn told(status: &CanaryStatus) -> Vec<ConditionView> {
    let well = |type_: &str, is: &str| match type_ {
        conditions::ACCEPTED
        | conditions::CAPACITY
        | conditions::JOB_ENDED
        | conditions::ROUTE_FOLLOWED
        | conditions::PODS_READY
        | conditions::RECORDED
        | conditions::OBSERVED => is != "False",
        conditions::READY | conditions::RECONCILING | conditions::STALLED => true,
        conditions::PROMOTED => is == "True",
        _ => is != "True",
    };
    let all = status.conditions.iter().filter(|c| !well(&c.type_, &c.status));
    all.map(|c| ConditionView {
        type_: c.type_.clone(),
        status: c.status.clone(),
        reason: c.reason.clone(),
        message: c.message.clone(),
    })
    .collect()
}

/// When the Event last occurred.
fn seen(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|s| s.last_observed_time.as_ref()).map(|t| t.0);
    let last = event.last_timestamp.as_ref().map(|t| t.0);
    let made = event.metadata.creation_timestamp.as_ref().map(|t| t.0);
    series.or(last).or_else(|| event.event_time.as_ref().map(|t| t.0)).or(made)
}

/// Events, newest first.
pub fn events(all: &[Event]) -> Vec<EventView> {
    let mut views: Vec<_> = all
        .iter()
        .map(|event| {
            let about = &event.involved_object;
            let (kind, name) =
                (about.kind.clone().unwrap_or_default(), about.name.clone().unwrap_or_default());
            EventView {
                at: seen(event),
                warning: event.type_.as_deref() == Some("Warning"),
                reason: event.reason.clone().unwrap_or_default(),
                message: event.message.clone().unwrap_or_default(),
                object: format!("{kind}/{name}"),
                count: event.series.as_ref().and_then(|s| s.count).or(event.count).unwrap_or(1).max(1),
            }
        })
        .collect();
    views.sort_by_key(|view| std::cmp::Reverse(view.at));
    views.truncate(EVENTS);
    views
}

/// States for tests of screens and commands: `fixtures/*.yaml`, which contain Facts.
#[cfg(test)]
pub(crate) const FIXTURES: [&str; 20] = [
    "initializing",
    "initialized",
    "progressing",
    "halted",
    "paused",
    "frozen",
    "start-gate",
    "gate",
    "promotion",
    "inconclusive",
    "webhook",
    "promoting",
    "rolling-back",
    "succeeded",
    "failed",
    "declined",
    "refused",
    "suspended",
    "deleting",
    "unattended",
];

/// One of these states.
#[cfg(test)]
pub(crate) fn fixture(name: &str) -> Facts {
    let path = format!("{}/fixtures/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The time of the fixtures.
#[cfg(test)]
pub(crate) fn fixture_time() -> Timestamp {
    "2026-11-21T18:53:07Z".parse().unwrap()
}
