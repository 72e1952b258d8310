//! Handing traffic over: a route points only to destinations that the proxies know, destinations are exchanged without
//! a moment in which they know none, and the objects that users call are given back, also under former names of the
//! Canary.

use crate::{
    manifest::{self, Manifest, Undo, service},
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{
            Action, Messages,
            flow::{Flow, GO_ON, WRITE_FIRST, all},
        },
        objects::write::{self, WriteReason},
        traffic::acceptance,
    },
    router,
    snapshot::{ObjectRef, SERVICE},
    spec::Validated,
};

/// Gives the Services back.
pub(crate) fn services_back(cx: &Context<'_>) -> Vec<Undo> {
    every_apex(cx).iter().flat_map(|c| service::restore(c, &cx.label, &cx.snap.objects)).collect()
}

/// Gives the routes back.
pub(crate) fn routes_back(cx: &Context<'_>) -> Vec<Undo> {
    every_apex(cx).iter().flat_map(|c| cx.router.restore(c, &cx.snap.objects)).collect()
}

/// An object that leads users to the primary's or the canary's Service, or the apex Service with the primary's selector,
/// although it stays when these are deleted.
pub(crate) fn led_back(cx: &Context<'_>) -> Option<ObjectRef> {
    let (names, objects) = (&cx.c.names, &cx.snap.objects);
    let goes: Vec<Undo> = routes_back(cx);
    let stays = |at: &ObjectRef| !goes.iter().any(|undo| matches!(undo, Undo::Delete(gone) if gone == at));
    let sides = [&names.primary_service, &names.canary_service];
    let there = sides.into_iter().filter(|side| objects.get(SERVICE, side).is_some());
    let there: Vec<&String> = there.collect();
    let leads = |at: &ObjectRef| {
        objects.at(at).is_some_and(|live| there.iter().any(|side| write::ways_to(cx, side, live) > 0))
    };
    let route = cx.router.reads(&cx.c).into_iter().find(|at| at.kind != SERVICE && stays(at) && leads(at));
    let selector = |name: &str| objects.get(SERVICE, name).map(|service| &service["spec"]["selector"]);
    let own_pods = !cx.c.target.is_copied() && !cx.c.target.holds_both();
    let primary = own_pods.then(|| selector(&names.primary_service)).flatten();
    let turned = primary.is_some() && selector(&names.apex) == primary;
    route.or_else(|| turned.then(|| ObjectRef::new(SERVICE, names.apex.clone())))
}

/// The Canary as it is, and with every former `spec.service.name` whose Services still exist.
fn every_apex(cx: &Context<'_>) -> Vec<Validated> {
    let mut all = vec![cx.c.clone()];
    if cx.c.target.is_copied() || cx.c.target.holds_both() {
        return all;
    }
    let apexes = service::apexes(cx.snap.objects.of(SERVICE), &cx.c.name);
    all.extend(apexes.iter().filter(|apex| **apex != cx.c.names.apex).map(|apex| cx.c.with_apex(apex)));
    all
}

/// Waits until the proxies know the future destinations of the route: the objects `led`, which have been written, and
/// the Services behind them. Does not wait if they have known them for long enough.
pub(crate) fn known(cx: &Context<'_>, d: &mut PlanBuilder, led: &[ObjectRef]) -> Flow {
    d.reached(cx.written_settled_at(led))?;
    if cx.live_split().is_some() {
        return GO_ON;
    }
    d.reached(cx.sides_settled_at())?;
    acceptance::accepted(cx, d, led)
}

/// Waits until the proxies know all destinations of the current routes and of `next`, so that `next` may replace
/// them. Does not wait if that is not necessary.
pub(crate) fn exchangeable(cx: &Context<'_>, d: &mut PlanBuilder, next: &[Manifest]) -> Flow {
    let live = &cx.snap.objects;
    let announced = next.iter().filter_map(|route| router::announcing(cx.router, &cx.c, live, route));
    let remembered = next.iter().filter_map(|route| router::remembering(cx.router, &cx.c, live, route));
    let (announced, remembered): (Vec<_>, Vec<_>) = (announced.collect(), remembered.collect());
    let renumbers = next.iter().any(|route| router::renumbers(cx.router, live, route));
    if announced.is_empty() && remembered.is_empty() && !renumbers {
        return GO_ON;
    }
    write_all(cx, d, announced)?;
    d.reached(cx.route_settled_at())?;
    write_all(cx, d, remembered)
}

/// Removes former routing objects once the proxies have had time to learn of the route that replaces them. Nothing
/// waits for that.
pub(crate) fn leftovers_gone(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let left = cx.router.leftovers(&cx.c, &cx.snap.objects);
    if left.is_empty() || d.urgent || d.reached(cx.route_settled_at()).is_break() {
        return GO_ON;
    }
    for undo in left {
        let (at, back) = match undo {
            Undo::Delete(at) => (at, None),
            Undo::Restore(back) => (back.at(), Some(back)),
        };
        let Some(live) = cx.snap.objects.at(&at) else { continue };
        let flow = match back {
            None if !live["metadata"]["deletionTimestamp"].is_null() => continue,
            None => d.try_act(Action::delete(at.kind, live)),
            Some(back) => {
                let Some(patch) = manifest::patch(live, &back) else { continue };
                write::given_back(cx, d, live, &back, patch)
            }
        };
        if flow == WRITE_FIRST {
            d.say(Messages::leftover(&at.to_string()));
        }
    }
    GO_ON
}

fn write_all(cx: &Context<'_>, d: &mut PlanBuilder, routes: Vec<Manifest>) -> Flow {
    let mut flow = GO_ON;
    for route in routes {
        flow = all([flow, write::object(cx, d, route, WriteReason::Wanted)]);
    }
    flow
}
