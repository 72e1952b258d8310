//! Handing traffic over: exchanging the destinations of a route without a moment in which proxies know none, and giving
//! back what users call, also under names that the Canary had before.

use crate::{
    manifest::{Manifest, Undo, service},
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::flow::{Flow, GO_ON, all},
        objects::write::{self, WriteReason},
    },
    router,
    snapshot::SERVICE,
    spec::Validated,
};

/// What gives the Services back.
pub(crate) fn services_back(cx: &Context<'_>) -> Vec<Undo> {
    every_apex(cx).iter().flat_map(|c| service::restore(c, &cx.label, &cx.snap.objects)).collect()
}

/// What gives the routes back.
pub(crate) fn routes_back(cx: &Context<'_>) -> Vec<Undo> {
    every_apex(cx).iter().flat_map(|c| cx.router.restore(c, &cx.snap.objects)).collect()
}

/// The Canary as it is, and as it was under every former `spec.service.name` whose Services are still there.
fn every_apex(cx: &Context<'_>) -> Vec<Validated> {
    let mut all = vec![cx.c.clone()];
    if cx.c.target.is_copied() || cx.c.target.holds_both() {
        return all;
    }
    let apexes = service::apexes(cx.snap.objects.of(SERVICE), &cx.c.name);
    all.extend(apexes.iter().filter(|apex| **apex != cx.c.names.apex).map(|apex| cx.c.with_apex(apex)));
    all
}

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
