//! The routing objects of the provider.

use crate::{
    manifest::{self, Manifest},
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::flow::{Flow, GO_ON, WAIT, WRITE_FIRST, all},
        objects::{
            service_ports,
            write::{self, WriteReason},
        },
        traffic::{doubt, handover},
        unserved,
    },
    router::{self, Cookies, Split},
    snapshot::ObjectRef,
    spec::Validated,
};

/// Writes the routing objects for `want`, if they differ. The destinations of a route come first, and the route only
/// once the proxies know them. If requests are moved off the canary, the route comes first, so that a refused write of
/// another object cannot keep them there.
pub(crate) fn write_routes(cx: &Context<'_>, d: &mut PlanBuilder, want: Split, why: WriteReason) -> Flow {
    let cookies = cookies(cx, d, want);
    let live = cx.live_split();
    let lowers = d.urgent || live.is_some_and(|live| live.canary() > want.canary());
    let rendered = rendered(cx, &service_ports::in_force(cx, d, lowers), &cookies, want);
    let complete = rendered.is_some();
    let (routes, led) = rendered.unwrap_or_default();
    // an edit of the port reaches the route after it was seen
    let replaces = routes.iter().any(|route| differs(cx, route)) && service_ports::replaces(cx, &routes);
    let why = if replaces { WriteReason::Wanted } else { why };
    let beside = cx.router.auxiliary_objects(&cx.c);
    let flow = if lowers {
        all([write_all(cx, d, routes, why), write_led(cx, d, beside, led, want, why)])
    } else {
        let known: Vec<ObjectRef> = beside.iter().chain(&led).map(Manifest::at).collect();
        let written = write_led(cx, d, beside, led, want, why);
        if live != Some(want) {
            // a missing route is restored even if an object beside it is contested, as long as that exists and was not
            // written just now
            let there = |at: &ObjectRef| cx.snap.objects.at(at).is_some();
            if live.is_some() || written == WRITE_FIRST || !known.iter().all(there) {
                written?;
            }
            // requests that meet no pod anyway lose nothing at proxies that do not know the other side yet
            if live.is_none() || !unserved::loses_users(cx) {
                handover::known(cx, d, &known)?;
            }
        }
        // the same split to other destinations, as after an edit of the port
        if live == Some(want) && routes.iter().any(|route| differs(cx, route)) {
            handover::known(cx, d, &known)?;
        }
        handover::exchangeable(cx, d, &routes)?;
        all([written, write_all(cx, d, routes, why)])
    };
    if !complete {
        return WAIT;
    }
    flow?;
    handover::leftovers_gone(cx, d)
}

/// Creates the future destinations of a new Canary's route, so that the proxies learn of them together with the
/// Services.
pub(crate) fn prepare(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let (_, led) = rendered(cx, &cx.c, &Cookies::default(), Split::to_canary(0)).unwrap_or_default();
    write_led(cx, d, cx.router.auxiliary_objects(&cx.c), led, Split::to_canary(0), WriteReason::Wanted)
}

/// The route for `want`, and the rendered objects that it points to. None: it cannot be rendered.
fn rendered(
    cx: &Context<'_>,
    c: &Validated,
    cookies: &Cookies,
    want: Split,
) -> Option<(Vec<Manifest>, Vec<Manifest>)> {
    let route = cx.router.route(c, &cx.snap.objects);
    let is_route = |object: &Manifest| route.as_ref().is_none_or(|route| *route == object.at());
    let rendered = cx.router.render(c, &cx.snap.objects, want, cookies).ok()?;
    Some(rendered.into_iter().partition(is_route))
}

fn differs(cx: &Context<'_>, route: &Manifest) -> bool {
    cx.snap.objects.at(&route.at()).is_some_and(|live| manifest::patch(live, route).is_some())
}

fn write_all(cx: &Context<'_>, d: &mut PlanBuilder, objects: Vec<Manifest>, why: WriteReason) -> Flow {
    let mut flow = GO_ON;
    for object in objects {
        flow = all([flow, write::object(cx, d, object, why)]);
    }
    flow
}

/// Writes the objects that the route points to, and those beside it. Failures to write the latter do not matter if all
/// users are on the primary.
fn write_led(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    beside: Vec<Manifest>,
    led: Vec<Manifest>,
    want: Split,
    why: WriteReason,
) -> Flow {
    let beside = match write_all(cx, d, beside, why) {
        WAIT if want.canary() == 0 => GO_ON,
        flow => flow,
    };
    all([beside, write_all(cx, d, led, why)])
}

/// The session cookies for `want`, kept in status: issued as soon as the canary gets requests, and withdrawn
/// when it gets none any more. The primary's is the same for all runs.
fn cookies(cx: &Context<'_>, d: &mut PlanBuilder, want: Split) -> Cookies {
    let Some(affinity) = &cx.c.analysis.session_affinity else { return Cookies::default() };
    let (uid, epoch) = (cx.snap.canary.metadata.uid.as_deref().unwrap_or_default(), d.status.epoch);
    let fresh = |name: &str| router::fresh_cookie(name, uid, epoch);
    let status = &mut d.status;
    if want.canary() > 0 {
        if status.session_affinity_cookie.is_none() {
            status.session_affinity_cookie = Some(fresh(&affinity.cookie_name));
        }
        let primary = affinity.primary_cookie_name.as_deref().filter(|name| !name.is_empty());
        if let (Some(name), None) = (primary, &status.primary_session_affinity_cookie) {
            status.primary_session_affinity_cookie = Some(fresh(name));
        }
    } else if let Some(given) = status.session_affinity_cookie.take() {
        status.previous_session_affinity_cookie = Some(given);
    }
    Cookies {
        canary: status.session_affinity_cookie.clone(),
        // users of the primary stay there while it has pods and keeps them; with none ready in its status, slices may be
        // late
        primary: affinity
            .primary_cookie_name
            .as_ref()
            .filter(|_| !cx.primary_is_replaced(want.canary()))
            .filter(|_| want.canary() < 100 || !doubt::primary_may_lack_pods(cx))
            .and(status.primary_session_affinity_cookie.clone()),
        previous: status.previous_session_affinity_cookie.clone(),
    }
}
