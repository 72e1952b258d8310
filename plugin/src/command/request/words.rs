//! The messages about requests: what will happen, what happened, and why something did not.

use serin::api::{Phase, request::Request};

use super::wish::{Decision, Verb};
use crate::{
    failure::Failure,
    view::{CanaryView, End, Facts, Settled, State, settled},
};

/// The current state in a few words.
pub(super) fn stands(view: &CanaryView) -> String {
    let word = view.state.word(&view.phase);
    match &view.progress {
        Some(at) if at.at > 0 => format!("it is {word} at step {} of {}", at.at, at.of),
        _ => format!("it is {word}"),
    }
}

pub(super) fn refusal(facts: &Facts, view: &CanaryView, verb: Verb) -> Decision {
    let name = &view.name;
    let action = view.actions.iter().find(|action| action.verb == verb.word());
    let why = action.and_then(|action| action.why.clone()).unwrap_or_default();
    let stopped = matches!(view.state, State::Refused | State::Suspended)
        && view.run.is_none()
        && view.phase != Phase::Waiting.to_string();
    let rests = stopped || matches!(view.state, State::Healthy | State::Failed | State::Initializing);
    let word = view.state.word(&view.phase);
    let refuse = |text: String, hint: &str| Decision::Refuse(Failure::failed(text).hint(hint));
    match (verb, view.state) {
        (Verb::Abort { if_running: true }, _) if rests => {
            Decision::Nothing(format!("there is no run to abort: {name} is {word}"))
        }
        (Verb::Abort { .. }, _) if rests => refuse(
            format!("there is no run to abort: {name} is {word}"),
            "with --if-running that is no failure",
        ),
        (Verb::Promote | Verb::Finish, State::Healthy) => nothing_to(facts, "promote"),
        (Verb::Retry, State::Healthy) => nothing_to(facts, "retry"),
        (Verb::Pause, State::Paused) => Decision::Nothing(format!("{name} is paused already")),
        (Verb::Promote | Verb::Approve | Verb::Advance | Verb::Finish, State::Failed) => refuse(
            format!("{name} has failed and is rolled back: {}", view.headline),
            "\"retry\" analyses the revision again; another revision of the target begins a new run",
        ),
        (Verb::Promote | Verb::Approve | Verb::Advance, State::Paused) => {
            refuse(format!("{name} is paused: {}", view.headline), "\"resume\" lets it go on")
        }
        (Verb::Approve | Verb::Promote, State::Progressing | State::Frozen) => refuse(
            format!("{name} waits for nobody: {}", stands(view)),
            "it goes on by itself when its checks pass; \"advance\" ends its step now, \"finish\" promotes without the rest of the analysis",
        ),
        (Verb::Resume, State::Suspended) => refuse(
            format!("{name} is suspended by its spec"),
            "\"resume\" ends a pause only: set spec.suspend to false",
        ),
        _ if why.is_empty() => {
            Decision::Refuse(Failure::failed(format!("{name} cannot do that now: {}", stands(view))))
        }
        _ => Decision::Refuse(Failure::failed(format!("{name}: {why}"))),
    }
}

/// At rest there is nothing to do only if the primary has the revision that the target has now.
fn nothing_to(facts: &Facts, what: &str) -> Decision {
    let name = facts.name();
    match settled(facts, None, None) {
        Settled::Yes(End::Promoted(_)) => {
            Decision::Nothing(format!("nothing to {what}: the primary of {name} has the target's revision"))
        }
        Settled::Yes(End::Failed(why)) => {
            Decision::Refuse(Failure::failed(format!("nothing of {name} can be promoted: {why}")).hint(
                "\"retry\" analyses the revision again; another revision of the target begins a new run",
            ))
        }
        Settled::No(why) => Decision::Refuse(
            Failure::failed(format!("{name} has no run yet: {why}"))
                .hint("\"kubectl canary status\" waits for the run; repeat the command when it has begun"),
        ),
    }
}

/// What is about to be asked for.
pub(crate) fn will(view: &CanaryView, request: &Request) -> String {
    let at = view.progress.as_ref().filter(|p| p.at > 0).map(|p| format!(" at step {} of {}", p.at, p.of));
    let at = at.unwrap_or_default();
    let weight = view.weight.canary;
    let what = effect(view, &request.verb, request.gate.as_deref());
    format!(
        "asking {}/{}{at}, weight {weight}, to {}: {what} (request {})",
        view.namespace, view.name, request.verb, request.id
    )
}

/// What a verb leads to.
pub(crate) fn effect(view: &CanaryView, verb: &str, gate: Option<&str>) -> String {
    let weight = view.weight.canary;
    match verb {
        "abort" => "all traffic goes back to the primary".to_owned(),
        "promote" => "the revision goes on to its promotion".to_owned(),
        "retry" => "the revision is analysed again, from the first step".to_owned(),
        "pause" => format!("its weight stays {weight}, and what fails still ends the run"),
        "resume" => "the run goes on".to_owned(),
        "advance" => "the step ends now, if its checks pass".to_owned(),
        "finish" => "the revision is promoted without the rest of the analysis".to_owned(),
        _ => gate.map_or_else(|| "the gate is opened".into(), |gate| format!("gate {gate:?} is opened")),
    }
}

pub(super) fn accepted(before: &CanaryView, request: &Request) -> String {
    let (name, weight) = (&before.name, before.weight.canary);
    match request.verb.as_str() {
        "abort" if before.phase == Phase::Waiting.to_string() && before.run.is_none() => {
            format!("canary {name:?} aborted: this revision does not start a run\n")
        }
        "abort" => format!("canary {name:?} aborted: traffic goes back to the primary\n"),
        "promote" => format!("canary {name:?} promoted: it waited at weight {weight}\n"),
        "retry" => format!("canary {name:?} retried: the revision is analysed again\n"),
        "pause" => format!("canary {name:?} paused at weight {weight}; failed checks still roll it back\n"),
        "resume" => format!("canary {name:?} resumed at weight {weight}\n"),
        "advance" => {
            format!("canary {name:?} advanced: its step at weight {weight} ends once its checks pass\n")
        }
        "finish" => format!("canary {name:?} finished at weight {weight}: it is promoted as it is\n"),
        _ => {
            let gate = request
                .gate
                .as_ref()
                .map_or_else(|| "the gate is open".into(), |gate| format!("gate {gate:?} is open"));
            format!("canary {name:?} approved: {gate} (weight {weight})\n")
        }
    }
}
