//! Exchanging the destinations of a route without a moment in which proxies know none.

use crate::{
    manifest::Manifest,
    plan::{
        builder::PlanBuilder,
        context::Context,
        objects::write::{self, WriteReason},
    },
    router,
};

/// The proxies know all destinations that the routes in place and `next` lead to: those may be put in place of these.
/// At once where that does not matter.
pub(crate) fn exchangeable(cx: &Context<'_>, d: &mut PlanBuilder, next: &[Manifest]) -> bool {
    if cx.router.needs_handover().is_none() {
        return true;
    }
    let live = &cx.snap.objects;
    let mut done = true;
    for route in next {
        if let Some(both) = router::announcing(cx.router, &cx.c, live, route) {
            done &= write::object(cx, d, both, WriteReason::Wanted);
        }
    }
    if !done || !d.reached(cx.route_settled_at()) {
        return false;
    }
    for route in next {
        if let Some(both) = router::remembering(cx.router, &cx.c, live, route) {
            done &= write::object(cx, d, both, WriteReason::Wanted);
        }
    }
    done
}
