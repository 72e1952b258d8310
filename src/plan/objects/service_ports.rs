//! An edit of `service.port`. The generated Services get the new port first, then the route leads to it, and then the
//! former port goes. A port stays while a route leads to it, and until proxies know the one that replaces it. A route
//! that usually names no port (Istio's) names it from before the first of these steps until after the last.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    manifest::{self, ChangedBy, Manifest, json as get, service},
    plan::{builder::PlanBuilder, context::Context},
    router,
    snapshot::{ObjectRef, SERVICE},
    spec::Validated,
};

/// The Canary with the port that its route may lead to: a former one as long as a Service in front of a side does not have
/// the wanted one, or proxies may not know it. A route that takes requests off the canary does not change its port
/// at the same time, because the objects that it leads to are written after it.
pub(crate) fn in_force<'a>(cx: &'a Context<'_>, d: &mut PlanBuilder, lowers: bool) -> Cow<'a, Validated> {
    let sides = Sides::of(cx);
    let port = cx.c.service.port;
    let mut settled = || d.reached(cx.sides_settled_at()).is_continue();
    if sides.all_have(port) {
        let former = sides.ports().any(|other| other != port);
        let led = sides.are_led_to(port);
        if led && !former && settled() {
            return Cow::Borrowed(&cx.c);
        }
        let named = led || sides.ports().any(|other| sides.are_led_to(other));
        if led || !lowers && settled() {
            return if named { Cow::Owned(cx.c.with_port(port)) } else { Cow::Borrowed(&cx.c) };
        }
    }
    let led =
        sides.ports().find(|other| *other != port && sides.all_have(*other) && sides.are_led_to(*other));
    // the primary's, if one of them was made again with another port
    let of_primary = || sides.all.first().into_iter().flat_map(|(_, live)| service::port_numbers(live));
    let served = || {
        of_primary()
            .find(|other| *other != port && sides.are_led_to(*other) && !of_primary().any(|has| has == port))
    };
    match led.or_else(served).or_else(|| sides.replaced()) {
        Some(former) => Cow::Owned(cx.c.with_port(former)),
        None => Cow::Borrowed(&cx.c),
    }
}

/// These routes lead to another port than the live ones, which only Serin has written.
pub(crate) fn replaces(cx: &Context<'_>, routes: &[Manifest]) -> bool {
    let sides = Sides::of(cx);
    let live = |route: &Manifest| cx.snap.objects.at(&route.at());
    let by_others = |live: &Value| matches!(manifest::changed_by(live), ChangedBy::Manager(_));
    let led =
        |name: &str, port: i32| routes.iter().any(|route| router::names_port(&cx.c, &route.body, name, port));
    let differs = |(name, port): (&str, i32)| {
        led(name, port) != router::leads_to_port(cx.router, &cx.c, &cx.snap.objects, name, &port.into())
    };
    !routes.iter().filter_map(live).any(by_others) && sides.each().any(differs)
}

/// The live Services in front of the sides.
struct Sides<'a> {
    cx: &'a Context<'a>,
    all: Vec<(&'a str, &'a Value)>,
}

impl<'a> Sides<'a> {
    fn of(cx: &'a Context<'a>) -> Self {
        let names = [&cx.c.names.primary_service, &cx.c.names.canary_service];
        let live = |name: &'a String| Some((name.as_str(), cx.snap.objects.get(SERVICE, name)?));
        Self { cx, all: names.into_iter().filter_map(live).collect() }
    }

    /// Names with ports.
    fn each(&self) -> impl Iterator<Item = (&str, i32)> {
        self.all
            .iter()
            .flat_map(|(name, live)| service::port_numbers(live).into_iter().map(move |port| (*name, port)))
    }

    fn ports(&self) -> impl Iterator<Item = i32> {
        self.each().map(|(_, port)| port)
    }

    fn all_have(&self, port: i32) -> bool {
        self.all.iter().all(|(_, live)| service::port_numbers(live).contains(&port))
    }

    /// A live route leads to this port of one of them.
    fn are_led_to(&self, port: i32) -> bool {
        let cx = self.cx;
        let leads =
            |name: &str| router::leads_to_port(cx.router, &cx.c, &cx.snap.objects, name, &port.into());
        self.all.iter().any(|(name, _)| leads(name))
    }

    /// The former port of the primary, if no route names one: the only one, or the one with the name of the Canary's.
    fn replaced(&self) -> Option<i32> {
        let (_, live) = self.all.first()?;
        let ports = get::list(&live["spec"]["ports"]);
        let named = |port: &&Value| ports.len() == 1 || port["name"] == *self.cx.c.port_name();
        let number = i32::try_from(ports.iter().find(named)?["port"].as_i64()?).ok()?;
        (number != self.cx.c.service.port).then_some(number)
    }
}

/// The Service with the live ports that users may still be led to. A single port gets no other one beside it before the
/// route names it, if the router names ports of such a Service.
pub(crate) fn keeping(cx: &Context<'_>, d: &mut PlanBuilder, wanted: Manifest) -> Manifest {
    let objects = &cx.snap.objects;
    let Some(live) = objects.get(SERVICE, &wanted.name).filter(|_| !cx.c.target.is_copied()) else {
        return wanted;
    };
    let complete = service::has_ports(live, &wanted);
    if !complete && wanted.name != cx.c.names.apex {
        let sides = Sides::of(cx).all;
        // the route names the primary's port; a Service that was made again has the new one already
        let has = service::port_numbers(live);
        let alike = |(_, live): &&(&str, &Value)| service::port_numbers(live) == has;
        let waits = sides.first().is_some_and(|primary| alike(&primary));
        if waits && !sides.iter().filter(alike).all(|(name, live)| is_named(cx, d, name, live)) {
            return service::with_live_ports(wanted, live);
        }
    }
    let former = service::former(live, &wanted);
    if former.is_empty() {
        return wanted;
    }
    let leads = |port: &Value| router::leads_to_port(cx.router, &cx.c, objects, &wanted.name, &port["port"]);
    let new = || wanted.body["spec"]["ports"].as_array().into_iter().flatten();
    let settles = if new().any(leads) || former.iter().copied().any(leads) {
        // proxies may still use one that the route has just left, whichever it names now
        d.reached(cx.route_settled_at()).is_break()
    } else {
        // No route names a port: proxies follow the Service. A single one is replaced, as a second would leave it open which
        // one is meant.
        let settled = |d: &mut PlanBuilder| {
            d.reached(cx.written_settled_at(&[ObjectRef::new(SERVICE, wanted.name.clone())])).is_continue()
        };
        service::port_numbers(live).len() > 1 && !(complete && settled(d))
    };
    let kept: Vec<_> = former.into_iter().filter(|port| settles || leads(port)).collect();
    service::keeping(wanted, &kept)
}

/// Proxies have had time to learn that the route names the only port of this Service, or it never does.
fn is_named(cx: &Context<'_>, d: &mut PlanBuilder, service: &str, live: &Value) -> bool {
    let objects = &cx.snap.objects;
    let route = cx.router.route(&cx.c, objects).and_then(|route| objects.at(&route));
    let ports = service::port_numbers(live);
    let ([port], Some(_)) = (ports.as_slice(), route) else { return true };
    if router::leads_to_port(cx.router, &cx.c, objects, service, &(*port).into()) {
        return d.reached(cx.route_settled_at()).is_continue();
    }
    !router::may_name_port(cx.router, &cx.c, objects, service, *port)
}
