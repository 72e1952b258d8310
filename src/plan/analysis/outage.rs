//! A metrics server that does not answer, or answers nonsense: the run pauses, and people are notified.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    clock,
    names::conditions,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{Broken, Messages},
    },
};

/// A frozen run is reported again after this long.
const FROZEN_LONG: Duration = Duration::from_secs(600);
const UNAVAILABLE: &str = "MetricsUnavailable";
const UNAVAILABLE_LONG: &str = "MetricsUnavailableForLong";

/// The Canary counts errors, or something else was measured in the same window.
const COUNTED: &str = "MetricErrors";

/// Weight and failed checks stay as they are for as long as it lasts.
pub(crate) fn freeze(cx: &Context<'_>, d: &mut PlanBuilder, broken: &Broken) {
    let text = broken.text.as_str();
    let frozen = d.find(conditions::FROZEN).cloned();
    let Some(frozen) = frozen else {
        d.condition(conditions::FROZEN, "True", UNAVAILABLE, text);
        return d.say(Messages::frozen(broken));
    };
    let since = frozen.last_transition_time.map_or(cx.now, |t| t.0);
    let long = clock::after(since, FROZEN_LONG);
    if cx.now >= long && frozen.reason == UNAVAILABLE {
        d.condition(conditions::FROZEN, "True", UNAVAILABLE_LONG, text);
        d.say(Messages::still_frozen(broken));
    } else {
        // another reason now: shown, but not reported again
        d.condition(conditions::FROZEN, "True", &frozen.reason, text);
        unanswered(cx, d);
    }
}

/// The window ended all the same: errors are counted, or something else was measured. It is not reported twice.
pub(crate) fn counted(d: &mut PlanBuilder, broken: &Broken) {
    let first = d.find(conditions::FROZEN).is_none();
    d.condition(conditions::FROZEN, "True", COUNTED, &broken.text);
    if first {
        d.say(Messages::frozen(broken));
    }
}

/// Until when nothing is queried again after an answer was missing. If windows continue all the same, they set the
/// pace.
pub(crate) fn until(cx: &Context<'_>) -> Timestamp {
    let frozen = cx.status().conditions.iter().find(|c| c.type_ == conditions::FROZEN);
    let waits = frozen.is_some_and(|c| c.reason != COUNTED);
    cx.snap.pauses.queries.filter(|_| waits).unwrap_or(Timestamp::MIN)
}

pub(crate) fn unanswered(cx: &Context<'_>, d: &mut PlanBuilder) {
    d.wake_at(cx.snap.pauses.queries.unwrap_or_else(|| clock::after(cx.now, cx.c.interval)));
}
