//! The routing objects of the provider.

use crate::{
    manifest::Manifest,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::flow::{Flow, GO_ON, WAIT, all},
        objects::write::{self, WriteReason},
    },
    router::{self, Cookies, Split},
};

/// Writes the routing objects for `want`, as far as they differ. What a route leads to comes first; where requests are
/// taken off the canary the route does, so that nothing that is refused beside it can keep them there.
pub(crate) fn write_routes(cx: &Context<'_>, d: &mut PlanBuilder, want: Split, why: WriteReason) -> Flow {
    let cookies = cookies(cx, d, want);
    let rendered = cx.router.render(&cx.c, &cx.snap.objects, want, &cookies);
    let beside = cx.router.auxiliary_objects(&cx.c).into_iter().map(|object| (true, object));
    let complete = rendered.is_ok();
    let routes = rendered.unwrap_or_default().into_iter().map(|object| (false, object));
    let mut objects: Vec<_> = beside.chain(routes).collect();
    if d.urgent || cx.live_split().is_some_and(|live| live.canary() > want.canary()) {
        let route = cx.router.reads(&cx.c).into_iter().next();
        objects.sort_by_key(|(_, object)| Some(object.at()) != route);
    }
    let mut flow = GO_ON;
    for (beside, object) in objects {
        let written = write::object(cx, d, object, why);
        // what cannot be written beside the route is not needed where all users are on the primary
        if !beside || want.canary() > 0 || written != WAIT {
            flow = all([flow, written]);
        }
    }
    if complete { flow } else { WAIT }
}

/// The routing objects for `want`, as they would be written now.
pub(crate) fn rendered(cx: &Context<'_>, d: &mut PlanBuilder, want: Split) -> Vec<Manifest> {
    let cookies = cookies(cx, d, want);
    cx.router.render(&cx.c, &cx.snap.objects, want, &cookies).unwrap_or_default()
}

/// The session cookies that go with `want`, kept in status: given out as soon as the canary gets requests, taken back
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
        // who has been with the primary stays there while it has pods
        primary: affinity
            .primary_cookie_name
            .as_ref()
            .filter(|_| cx.primary_pods() > 0 || want.canary() < 100)
            .and(status.primary_session_affinity_cookie.clone()),
        previous: status.previous_session_affinity_cookie.clone(),
    }
}
