//! What can be asked of a Canary now, by the rules of the operator. It has the last word: what has changed meanwhile is
//! refused there.

use serin::api::{CanaryStatus, Phase};

use super::model::{ActionView, State, WaitingKind, WaitingView};

/// Every verb that the operator serves, and whether it fits the moment.
pub(super) fn actions(status: &CanaryStatus, state: State, waiting: Option<&WaitingView>) -> Vec<ActionView> {
    let kind = waiting.map(|w| w.kind);
    let blocked = match state {
        State::Ending => Some("the run is being ended"),
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
        let why = blocked
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
    ]
}
