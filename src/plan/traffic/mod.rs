//! Routing users: by the route, or by the pods behind the apex Service.

pub(crate) mod acceptance;
pub(crate) mod apex;
pub(crate) mod ending;
pub(crate) mod handover;
pub(crate) mod pod_weighting;
pub(crate) mod routes;

use std::ops::ControlFlow;

use crate::{
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::flow::{Flow, GO_ON, Stop, WRITE_FIRST},
        objects::write::WriteReason,
        waiting,
    },
    router::Split,
    spec::Apex,
};

/// Moves users to the split `want`.
pub(crate) fn routing(cx: &Context<'_>, d: &mut PlanBuilder, want: Split, why: WriteReason) -> Flow {
    if cx.c.apex == Apex::Stays {
        let want = counted(cx, d, want, why)?;
        routes::write_routes(cx, d, want, why)
    } else {
        pod_weighting::carry(cx, d, want, why)
    }
}

/// The split that may be written. If the EndpointSlices of one side show ready pods and the status of its workload shows
/// none, one of the two is out of date. If the other side serves, no users move to the doubtful side until they agree,
/// and nothing is corrected. A route that is missing leads to the primary meanwhile, if that serves.
pub(crate) fn counted(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    want: Split,
    why: WriteReason,
) -> ControlFlow<Stop, Split> {
    let (primary, canary) = (cx.primary_pods() > 0, cx.canary_pods() > 0);
    let doubtful = (primary && cx.none_ready(cx.primary()), canary && cx.none_ready(Some(cx.target)));
    let onto_canary = match doubtful {
        (true, false) if canary => false,
        (false, true) if primary => true,
        _ => return ControlFlow::Continue(want),
    };
    let Some(live) = cx.live_split() else {
        if !onto_canary || want.canary() == 0 && !want.is_pinned() {
            return ControlFlow::Continue(want);
        }
        if let Some(step) = &mut d.status.step {
            step.confirmed = None;
        }
        return ControlFlow::Continue(Split::to_canary(0));
    };
    let more = |to: Split, from: Split| {
        to.canary() > from.canary()
            || to.canary() > 0 && to.is_for_everyone() && !from.is_for_everyone()
            || to.is_pinned() && !from.is_pinned()
    };
    let moves = if onto_canary { more(want, live) } else { more(live, want) };
    if !moves && (why != WriteReason::Drift || live == want) {
        return ControlFlow::Continue(want);
    }
    let why = "its status shows no ready pod, but its EndpointSlices still do";
    waiting::for_pods(cx, d, cx.standing_since(), why, |why| {
        if onto_canary {
            cx.messages.canary_not_ready(cx.c.target.noun(), why)
        } else {
            cx.messages.primary_not_ready(why)
        }
    });
    ControlFlow::Break(Stop::Wait)
}

/// In a phase that changes no weight: no traffic goes to a side without pods while the other has some.
pub(crate) fn on_healthy_side(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some(live) = cx.live_split().filter(|_| cx.c.apex == Apex::Stays) else { return GO_ON };
    let zero = cx.zero();
    let led = live.canary() > 0 || live.is_pinned();
    let canary_lost = led && cx.canary_pods() == 0 && cx.primary_pods() > 0;
    let primary_lost = live.canary() < 100 && zero.canary() == 100;
    if !canary_lost && !primary_lost {
        return if zero.canary() == 100 { all_on_canary(cx, d, zero) } else { GO_ON };
    }
    d.urgent = zero.canary() == 0;
    routing(cx, d, zero, WriteReason::Wanted)
}

/// All users are on the canary, which alone has pods: so are those with a rule of their own that leads to the primary, such
/// as a session cookie. Nothing waits for that.
pub(crate) fn all_on_canary(cx: &Context<'_>, d: &mut PlanBuilder, zero: Split) -> Flow {
    match routing(cx, d, zero, WriteReason::Wanted) {
        WRITE_FIRST => WRITE_FIRST,
        _ => GO_ON,
    }
}

/// The current route has `want`, whatever else about the generated objects may have to be corrected first.
pub(crate) fn split_in_place(cx: &Context<'_>, want: Split) -> bool {
    cx.live_split() == Some(want)
}
