//! The requests that fit a Canary now, by the operator's rules. The operator decides: it refuses a request if the state
//! has changed meanwhile.

use serin::{
    api::{CanaryStatus, Phase},
    names::conditions,
};

use super::facts::when;
use super::model::{ActionView, State, WaitingKind, WaitingView};

/// Every verb that the operator supports, and whether it fits now.
pub(super) fn actions(status: &CanaryStatus, state: State, waiting: Option<&WaitingView>) -> Vec<ActionView> {
    let kind = waiting.map(|w| w.kind);
    let ending = status.run.as_ref().is_some_and(|run| run.ending.is_some());
    let blocked = |verb| match state {
        State::Ending => Some("the run is being ended"),
        // the only request that the operator answers then: users stay on the canary otherwise
        State::Refused if verb == "abort" => ending.then_some("the run is being ended"),
        State::Deleting => Some("the Canary is being deleted"),
        State::Suspended => Some("the Canary is suspended: requests are answered when spec.suspend is false"),
        State::Unattended => Some("no operator has acted on it"),
        State::Refused => {
            Some("the Canary is not accepted: requests are answered when what Accepted names is mended")
        }
        _ => None,
    };
    let phase = status.begun();
    let action = |verb, fits: bool, otherwise: &str| {
        let why = blocked(verb)
            .map(str::to_owned)
            .or_else(|| (!fits).then(|| format!("{otherwise}: the phase is {phase}")));
        ActionView { verb, allowed: why.is_none(), why }
    };
    let running =
        matches!(phase, Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion | Phase::Promoting);
    vec![
        action(
            "approve",
            matches!(kind, Some(WaitingKind::Gate | WaitingKind::Promotion)),
            "no gate waits for an approval",
        ),
        action(
            "promote",
            matches!(kind, Some(WaitingKind::Promotion | WaitingKind::Person)),
            "nothing waits for a promotion",
        ),
        action("abort", running, "there is no run to abort"),
        action("advance", advances(status, state), "no step can be ended now"),
        action(
            "finish",
            analysed(status) && !stands(status, conditions::HALTED),
            "no run can be promoted without the rest of its analysis",
        ),
        action("pause", analysed(status) && state != State::Paused, "there is no run that could be held"),
        action("resume", state == State::Paused, "no run is paused"),
        action("retry", failed(status), "there is nothing to try again"),
    ]
}

fn stands(status: &CanaryStatus, type_: &str) -> bool {
    when(status, type_, "True").is_some()
}

/// The run has not started its promotion.
fn analysed(status: &CanaryStatus) -> bool {
    status.run.is_some()
        && matches!(status.begun(), Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion)
}

fn advances(status: &CanaryStatus, state: State) -> bool {
    let step = status.step.as_ref().filter(|step| step.index > 0 && step.confirmed.is_some());
    let unsure = [conditions::HALTED, conditions::INCONCLUSIVE, conditions::FROZEN];
    state != State::Paused
        && status.begun() == Phase::Progressing
        && step.is_some_and(|step| step.shortened.is_none())
        && !unsure.iter().any(|type_| stands(status, type_))
}

/// The most recently analysed revision was not promoted.
fn failed(status: &CanaryStatus) -> bool {
    matches!(status.begun(), Phase::Initialized | Phase::Succeeded | Phase::Failed)
        && status.last_applied_spec.is_some()
        && status.last_applied_spec != status.last_promoted_spec
}
