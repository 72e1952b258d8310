//! Routing users: by the route, or by the pods behind the apex Service.

pub(crate) mod acceptance;
pub(crate) mod apex;
pub(crate) mod ending;
pub(crate) mod handover;
pub(crate) mod pod_weighting;
pub(crate) mod routes;

use crate::{
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::flow::{Flow, GO_ON, WAIT},
        objects::write::WriteReason,
        waiting,
    },
    router::Split,
    spec::Apex,
};

/// Moves users to the split `want`.
pub(crate) fn routing(cx: &Context<'_>, d: &mut PlanBuilder, want: Split, why: WriteReason) -> Flow {
    if cx.c.apex == Apex::Stays {
        primary_counted(cx, d, want)?;
        routes::write_routes(cx, d, want, why)
    } else {
        pod_weighting::carry(cx, d, want, why)
    }
}

/// Continues unless more users would move to the primary while its EndpointSlices show ready pods and the status of its
/// workload shows none: one of the two is out of date. Until they agree, users stay where they are if the canary has pods.
pub(crate) fn primary_counted(cx: &Context<'_>, d: &mut PlanBuilder, want: Split) -> Flow {
    let Some(live) = cx.live_split() else { return GO_ON };
    let back = live.canary() > want.canary()
        || live.is_for_everyone() && live.canary() > 0 && !want.is_for_everyone();
    if !back || cx.primary_pods() == 0 || !cx.none_ready(cx.primary()) {
        return GO_ON;
    }
    if cx.canary_pods() == 0 || cx.none_ready(Some(cx.target)) {
        return GO_ON;
    }
    let why = "its status shows no ready pod, but its EndpointSlices still do";
    waiting::for_pods(cx, d, cx.standing_since(), why, |why| cx.messages.primary_not_ready(why));
    WAIT
}

/// In a phase that changes no weight: no traffic goes to a side without pods while the other has some.
pub(crate) fn on_healthy_side(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some(live) = cx.live_split().filter(|_| cx.c.apex == Apex::Stays) else { return GO_ON };
    let zero = cx.zero();
    let canary_lost = live.canary() > 0 && cx.canary_pods() == 0 && cx.primary_pods() > 0;
    let primary_lost = live.canary() < 100 && zero.canary() == 100;
    if !canary_lost && !primary_lost {
        return GO_ON;
    }
    d.urgent = zero.canary() == 0;
    routing(cx, d, zero, WriteReason::Wanted)
}

/// The current route has `want`, whatever else about the generated objects may have to be corrected first.
pub(crate) fn split_in_place(cx: &Context<'_>, want: Split) -> bool {
    cx.live_split() == Some(want)
}
