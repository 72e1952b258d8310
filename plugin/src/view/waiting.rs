//! The reason why a Canary waits, and the commands that end the wait.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serin::{
    api::{CanaryStatus, JobState, Phase},
    names::conditions,
    spec::{GateRule, Validated, Wait},
};

use super::{
    facts::{Facts, condition, when},
    model::{CommandView, State, WaitingKind, WaitingView},
};

/// The gate that waits for people, as the operator determines it.
pub(super) fn gate<'c>(status: &CanaryStatus, c: &'c Validated) -> Option<&'c GateRule> {
    let index = status.step.as_ref().and_then(|s| usize::try_from(s.index).ok()).unwrap_or_default();
    match status.begun() {
        Phase::Waiting if status.run.is_none() => c.gates.start.as_ref(),
        Phase::Waiting => c.gates.steps.get(&index),
        Phase::WaitingPromotion => c.pause.is_some().then_some(&c.gates.promotion),
        _ => None,
    }
}

/// The Canary waits for a webhook, not for a person.
fn by_webhook(status: &CanaryStatus) -> bool {
    when(status, conditions::PAUSED, "True").is_some_and(|c| c.reason == "WaitingForWebhook")
}

/// The wait in this state.
pub(super) fn waiting(
    facts: &Facts,
    status: &CanaryStatus,
    c: Option<&Validated>,
    state: State,
) -> Option<WaitingView> {
    match state {
        State::Inconclusive => Some(person(facts, status)),
        State::Waiting if when(status, conditions::HELD, "True").is_some() => Some(by_rule(facts, status)),
        State::Waiting if when(status, conditions::QUEUED, "True").is_some() => Some(turn(facts, status)),
        State::Waiting if by_webhook(status) => Some(webhook(facts, status)),
        State::Waiting => Some(people(facts, status, c)),
        State::Paused => Some(hold(facts, status, c)),
        State::Frozen => Some(of(WaitingKind::Metrics, status, conditions::FROZEN, "a metrics server")),
        State::Initializing | State::Progressing | State::Promoting => moving(status),
        _ => None,
    }
}

fn since(status: &CanaryStatus) -> Option<Timestamp> {
    status.waiting.as_ref().map(|w| w.since.0)
}

fn of(kind: WaitingKind, status: &CanaryStatus, type_: &str, otherwise: &str) -> WaitingView {
    let found = condition(status, type_);
    let text = found.map(|c| c.message.clone()).filter(|t| !t.is_empty());
    WaitingView {
        kind,
        name: None,
        since: found.and_then(|c| c.last_transition_time.as_ref()).map(|t| t.0),
        deadline: None,
        on_deadline: None,
        text: text.unwrap_or_else(|| format!("waits for {otherwise}")),
        commands: vec![],
    }
}

/// A command for this Canary.
pub(super) fn command(facts: &Facts, verb: &str) -> String {
    format!("kubectl canary {verb} {} -n {}", facts.name(), facts.namespace())
}

fn does(facts: &Facts, does: &'static str, verb: &str) -> CommandView {
    CommandView { does, command: command(facts, verb) }
}

fn person(facts: &Facts, status: &CanaryStatus) -> WaitingView {
    let mut waits = of(WaitingKind::Person, status, conditions::INCONCLUSIVE, "a person");
    waits.since = since(status).or(waits.since);
    waits.commands = vec![does(facts, "promote", "promote"), does(facts, "stop", "abort")];
    waits
}

fn webhook(facts: &Facts, status: &CanaryStatus) -> WaitingView {
    let mut waits = of(WaitingKind::Webhook, status, conditions::PAUSED, "a webhook");
    waits.since = since(status).or(waits.since);
    if status.run.is_some() {
        waits.commands = vec![does(facts, "stop", "abort")];
    }
    waits
}

fn turn(facts: &Facts, status: &CanaryStatus) -> WaitingView {
    let mut waits = of(WaitingKind::Turn, status, conditions::QUEUED, "other runs to end");
    waits.commands = vec![does(facts, "stop", "abort")];
    waits
}

fn people(facts: &Facts, status: &CanaryStatus, c: Option<&Validated>) -> WaitingView {
    let rule = c.and_then(|c| gate(status, c));
    let name = rule.and_then(|rule| rule.name.clone());
    let since = since(status);
    let deadline = rule.and_then(|rule| rule.deadline).zip(since).map(|(time, since)| after(since, time));
    let promotion = status.begun() == Phase::WaitingPromotion;
    let until = c.filter(|_| promotion).and_then(|c| c.pause).map(|pause| pause.until);
    let deadline = match until {
        Some(Wait::For(time)) => since.map(|since| after(since, time)),
        _ => deadline,
    };
    let proceeds = matches!(until, Some(Wait::For(_))) || rule.is_some_and(|rule| rule.proceeds);
    let on_deadline = deadline.map(|_| if proceeds { "proceed" } else { "rollback" });
    let verb = if promotion { "promote" } else { "approve" };
    let gate = name.as_ref().map_or_else(|| "a gate".to_owned(), |name| format!("gate \"{name}\""));
    let step = status.step.clone().unwrap_or_default();
    let text = match (promotion, status.run.is_some()) {
        (true, _) if name.is_some() => format!("waits at {gate} before the promotion"),
        (true, _) => "waits before the promotion".to_owned(),
        (false, false) => format!("waits at {gate} before the run begins"),
        (false, true) => {
            let of = c.map(|c| format!(" of {}", c.schedule.len())).unwrap_or_default();
            format!("waits at {gate} at weight {} (step {}{of})", step.weight, step.index)
        }
    };
    let mut commands = vec![does(facts, "continue", verb)];
    if status.run.is_some() {
        commands.push(does(facts, "stop", "abort"));
    }
    let kind = if promotion { WaitingKind::Promotion } else { WaitingKind::Gate };
    WaitingView { kind, name, since, deadline, on_deadline, text, commands }
}

/// A rule does not allow releases at this time, or in this namespace.
fn by_rule(facts: &Facts, status: &CanaryStatus) -> WaitingView {
    let mut waits = of(WaitingKind::Hold, status, conditions::HELD, "releases to go on");
    waits.commands = vec![does(facts, "stop", "abort")];
    waits
}

fn hold(facts: &Facts, status: &CanaryStatus, c: Option<&Validated>) -> WaitingView {
    let mut waits = of(WaitingKind::Hold, status, conditions::HELD, "somebody");
    let step = status.step.clone().unwrap_or_default();
    let steps = c.map(|c| format!(" of {}", c.schedule.len())).unwrap_or_default();
    if let Some(paused) = status.run.as_ref().and_then(|run| run.paused.as_ref()) {
        let who = if paused.message.is_empty() { String::new() } else { format!(", {}", paused.message) };
        waits.text = format!("paused at weight {} (step {}{steps}){who}", step.weight, step.index);
        waits.since = Some(paused.since.0);
        waits.deadline = paused.until.as_ref().map(|at| at.0);
        waits.on_deadline = waits.deadline.map(|_| "proceed");
    }
    waits.commands = vec![does(facts, "continue", "resume"), does(facts, "stop", "abort")];
    waits
}

fn after(since: Timestamp, time: Duration) -> Timestamp {
    let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    since.checked_add(time).unwrap_or(Timestamp::MAX)
}

/// The first condition that prevents an automatic run from continuing.
fn moving(status: &CanaryStatus) -> Option<WaitingView> {
    let at = |type_: &'static str, is: &str| when(status, type_, is).map(|_| type_);
    if let Some(type_) = at(conditions::ROUTE_FOLLOWED, "False") {
        return Some(of(WaitingKind::Route, status, type_, "the proxies to follow the route"));
    }
    if let Some(type_) = at(conditions::PODS_READY, "False") {
        return Some(of(WaitingKind::Pods, status, type_, "pods to become ready"));
    }
    if let Some(type_) = at(conditions::CAPACITY, "False") {
        return Some(of(WaitingKind::Pods, status, type_, "pods"));
    }
    if let Some(type_) = at(conditions::HELD, "True") {
        return Some(of(WaitingKind::Hold, status, type_, "releases to go on"));
    }
    if let Some(type_) = at(conditions::HALTED, "True") {
        return Some(of(WaitingKind::Checks, status, type_, "checks that pass"));
    }
    if let Some(type_) = at(conditions::INCONCLUSIVE, "True") {
        return Some(of(WaitingKind::Samples, status, type_, "more requests to measure"));
    }
    let job = status.metrics.iter().find(|m| m.job_state == Some(JobState::NotStarting));
    if job.is_some() && at(conditions::JOB_ENDED, "False").is_some() {
        return Some(of(WaitingKind::Job, status, conditions::JOB_ENDED, "a Job"));
    }
    None
}
