//! Routing users: by the route, or by the pods behind the apex Service.

pub(crate) mod acceptance;
pub(crate) mod apex;
pub(crate) mod doubt;
pub(crate) mod ending;
pub(crate) mod handover;
pub(crate) mod pod_weighting;
pub(crate) mod routes;

use crate::{
    manifest::{self, ChangedBy},
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::flow::{Flow, GO_ON, WRITE_FIRST},
        objects::write::WriteReason,
        sides,
    },
    router::Split,
    spec::Apex,
};

/// Moves users to the split `want`.
pub(crate) fn routing(cx: &Context<'_>, d: &mut PlanBuilder, want: Split, why: WriteReason) -> Flow {
    doubt::look_again(cx, d);
    if cx.c.apex == Apex::Stays {
        let want = doubt::counted(cx, d, want, why)?;
        routes::write_routes(cx, d, want, why)
    } else {
        pod_weighting::carry(cx, d, want, why)
    }
}

/// All users on the primary, or on the target while only that has pods. Moving them there and back is not the correction
/// of another party's change.
pub(crate) fn without_a_run(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let zero = cx.zero();
    let live = cx.live_split().map_or(zero.canary(), Split::canary);
    let (away, back) = (zero.canary() == 100 && live < 100, zero.canary() == 0 && live == 100);
    let ours = away || back && !turned_by_others(cx);
    if !ours {
        return routing(cx, d, zero, WriteReason::Drift);
    }
    let flow = routing(cx, d, zero, WriteReason::Wanted);
    if away && flow == WRITE_FIRST {
        d.say(cx.messages.primary_vanished());
    }
    flow
}

/// Somebody else wrote the route last.
fn turned_by_others(cx: &Context<'_>) -> bool {
    let routes = cx.router.reads(&cx.c);
    let mut live = routes.iter().filter_map(|at| cx.snap.objects.at(at));
    live.any(|live| matches!(manifest::changed_by(live), ChangedBy::Manager(_)))
}

/// In a phase that changes no weight: no traffic goes to a side without pods while the other has some.
pub(crate) fn on_healthy_side(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some(live) = cx.live_split().filter(|_| !cx.selects_both()) else { return GO_ON };
    let zero = cx.zero();
    let led = live.canary() > 0 || live.is_pinned();
    let canary_lost = led && sides::canary_is_gone(cx) && cx.primary_pods() > 0;
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
