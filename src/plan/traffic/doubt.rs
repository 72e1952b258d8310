//! A side whose pods are in doubt: its EndpointSlices and the status of its workload disagree, or the proxies may not know
//! its endpoints yet.

use std::ops::ControlFlow;

use serde_json::Value;

use crate::{
    clock,
    plan::{
        builder::PlanBuilder, context::Context, model::flow::Stop, objects::write::WriteReason, sides,
        waiting,
    },
    router::Split,
    snapshot::{ObjectRef, SERVICE},
};

/// The next look if a side waits for its Service or the EndpointSlices: if there are none by then, its pods are gone. Also
/// when the proxies know pods that became ready a moment ago.
pub(crate) fn look_again(cx: &Context<'_>, d: &mut PlanBuilder) {
    let names = &cx.c.names;
    let sides = [
        (sides::primary_comes_back(cx), &names.primary_service),
        (sides::canary_comes_back(cx), &names.canary_service),
    ];
    for (_, name) in sides.into_iter().filter(|(waits, _)| *waits) {
        let settled = cx.written_settled_at(&[ObjectRef::new(SERVICE, name.clone())]);
        d.wake_at(if cx.now < settled { settled } else { clock::after(cx.now, cx.settle()) });
    }
    let known = [&names.primary_service, &names.canary_service].map(|name| cx.pods_settled_at(name));
    for time in known.into_iter().filter(|time| cx.now < *time) {
        d.wake_at(time);
    }
}

/// The primary has no pods, or may have none.
pub(crate) fn primary_may_lack_pods(cx: &Context<'_>) -> bool {
    cx.primary_pods() == 0 || cx.none_ready(cx.primary())
}

/// The split that may be written. If the EndpointSlices of one side show ready pods and the status of its workload shows
/// none, one of the two is out of date; also the other way round, if the Service was missing a moment ago. Or proxies may
/// learn of endpoints later than of the route, and none was ready a moment ago. If the other side serves, no users move
/// to the doubtful side until then, and nothing is corrected. A route that is missing leads to the primary meanwhile, if
/// that serves.
pub(crate) fn counted(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    want: Split,
    why: WriteReason,
) -> ControlFlow<Stop, Split> {
    let (primary, canary) = (cx.primary_pods() > 0, cx.canary_pods() > 0);
    let coming = (sides::primary_comes_back(cx), sides::canary_comes_back(cx));
    let names = &cx.c.names;
    let known = (cx.pods_settled_at(&names.primary_service), cx.pods_settled_at(&names.canary_service));
    let doubtful = (
        coming.0 || primary && (cx.none_ready(cx.primary()) || cx.now < known.0),
        coming.1 || canary && (cx.none_ready(Some(cx.target)) || cx.now < known.1),
    );
    // EndpointSlices that are late hide pods of the other side as well
    let counted = |workload: Option<&Value>| workload.is_some_and(|live| cx.c.target.some_ready(live));
    let canary_in_doubt = match doubtful {
        (true, false) if canary || counted(Some(cx.target)) => false,
        (false, true) if primary || counted(cx.primary()) => true,
        _ => return ControlFlow::Continue(want),
    };
    let Some(live) = cx.live_split() else {
        if !canary_in_doubt || want.canary() == 0 && !want.is_pinned() {
            return ControlFlow::Continue(want);
        }
        if let Some(step) = &mut d.status.step {
            step.confirmed = None;
        }
        return ControlFlow::Continue(Split::to_canary(0));
    };
    let moves = if canary_in_doubt { want.exceeds(live) } else { live.exceeds(want) };
    if !moves && (why != WriteReason::Drift || live == want) {
        return ControlFlow::Continue(want);
    }
    d.reached(if canary_in_doubt { known.1 } else { known.0 })?;
    let late = if coming.0 || coming.1 { waiting::SERVICE_LATE } else { waiting::SLICES_LATE };
    waiting::for_pods(cx, d, cx.standing_since(), late, |why| {
        if canary_in_doubt {
            cx.messages.canary_not_ready(cx.c.target.noun(), why)
        } else {
            cx.messages.primary_not_ready(why)
        }
    });
    ControlFlow::Break(Stop::Wait)
}
