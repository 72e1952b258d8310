//! An edit of `service.port`. The generated Services get the new port first, then the route leads to it, and then the
//! former port goes. A port stays while a route leads to it, and until proxies know the one that replaces it.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    manifest::{Manifest, service},
    plan::{builder::PlanBuilder, context::Context},
    router,
    snapshot::{ObjectRef, SERVICE},
    spec::Validated,
};

/// The Canary with the port that its route may lead to: a former one as long as a Service in front of a side does not have
/// the wanted one, or proxies may not know it. A route that takes requests off the canary does not change its port
/// at the same time, because the objects that it leads to are written after it.
pub(crate) fn in_force<'a>(cx: &'a Context<'_>, d: &mut PlanBuilder, lowers: bool) -> Cow<'a, Validated> {
    let wanted = Cow::Borrowed(&cx.c);
    let sides = [&cx.c.names.primary_service, &cx.c.names.canary_service];
    let live = sides.map(|name| (name, cx.snap.objects.get(SERVICE, name)));
    let all: Vec<_> =
        live.into_iter().filter_map(|(name, live)| Some((name, service::port_numbers(live?)))).collect();
    let leads = |port: i32| {
        let to = |(name, _): &(&String, Vec<i32>)| {
            router::leads_to_port(cx.router, &cx.c, &cx.snap.objects, name, &port.into())
        };
        all.iter().any(to)
    };
    let everywhere = |port: &i32| all.iter().all(|(_, ports)| ports.contains(port));
    let port = cx.c.service.port;
    if everywhere(&port) && (leads(port) || !lowers && d.reached(cx.sides_settled_at()).is_continue()) {
        return wanted;
    }
    let former = all.iter().flat_map(|(_, ports)| ports).copied().filter(|other| *other != port);
    match former.filter(everywhere).find(|other| leads(*other)) {
        Some(former) => Cow::Owned(cx.c.with_port(former)),
        None => wanted,
    }
}

/// The Service with the live ports that users may still be led to.
pub(crate) fn keeping(cx: &Context<'_>, d: &mut PlanBuilder, wanted: Manifest) -> Manifest {
    let objects = &cx.snap.objects;
    let Some(live) = objects.get(SERVICE, &wanted.name).filter(|_| !cx.c.target.is_copied()) else {
        return wanted;
    };
    let former = service::former(live, &wanted);
    if former.is_empty() {
        return wanted;
    }
    let leads = |port: &Value| router::leads_to_port(cx.router, &cx.c, objects, &wanted.name, &port["port"]);
    let new = || wanted.body["spec"]["ports"].as_array().into_iter().flatten();
    let settles = if new().any(leads) || former.iter().copied().any(leads) {
        new().any(leads) && d.reached(cx.route_settled_at()).is_break()
    } else {
        // The route names no port: proxies follow the Service. Beside a single one there is no second, because such
        // a route would leave it open which of them is meant.
        let settled = |d: &mut PlanBuilder| {
            d.reached(cx.written_settled_at(&[ObjectRef::new(SERVICE, wanted.name.clone())])).is_continue()
        };
        service::port_numbers(live).len() > 1 && !(service::has_ports(live, &wanted) && settled(d))
    };
    let kept: Vec<_> = former.into_iter().filter(|port| settles || leads(port)).collect();
    service::keeping(wanted, &kept)
}
