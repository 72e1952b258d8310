//! Exchanging the destinations of a route without a moment in which proxies know none.

use crate::{
    manifest::Manifest,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::flow::{Flow, GO_ON, all},
        objects::write::{self, WriteReason},
    },
    router,
};

/// Waits until the proxies know all destinations that the routes in place and `next` lead to, so that `next` may replace
/// them. At once where that does not matter.
pub(crate) fn exchangeable(cx: &Context<'_>, d: &mut PlanBuilder, next: &[Manifest]) -> Flow {
    if cx.router.needs_handover().is_none() {
        return GO_ON;
    }
    let live = &cx.snap.objects;
    let announced = next.iter().filter_map(|route| router::announcing(cx.router, &cx.c, live, route));
    write_all(cx, d, announced)?;
    d.reached(cx.route_settled_at())?;
    let remembered = next.iter().filter_map(|route| router::remembering(cx.router, &cx.c, live, route));
    write_all(cx, d, remembered)
}

fn write_all(cx: &Context<'_>, d: &mut PlanBuilder, routes: impl Iterator<Item = Manifest>) -> Flow {
    let mut flow = GO_ON;
    for route in routes {
        flow = all([flow, write::object(cx, d, route, WriteReason::Wanted)]);
    }
    flow
}
