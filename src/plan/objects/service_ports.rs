//! Ports of the generated Services that the Canary no longer names: they stay while a route leads to them, and for the
//! settle time after that.

use crate::{
    manifest::{Manifest, service},
    plan::{builder::PlanBuilder, context::Context},
    router,
    snapshot::SERVICE,
};

/// The Service with the live ports that users may still be led to.
pub(crate) fn keeping(cx: &Context<'_>, d: &mut PlanBuilder, wanted: Manifest) -> Manifest {
    let objects = &cx.snap.objects;
    let live = objects.get(SERVICE, &wanted.name).filter(|_| !cx.c.target.is_copied());
    let former = live.map(|live| service::former(live, &wanted)).unwrap_or_default();
    if former.is_empty() {
        return wanted;
    }
    let leads = |port: &serde_json::Value| {
        router::leads_to_port(cx.router, &cx.c, objects, &wanted.name, &port["port"])
    };
    let ports = &wanted.body["spec"]["ports"];
    // a route that names no ports does not lead to a former one
    let left = ports.as_array().into_iter().flatten().any(leads);
    let left = left && d.reached(cx.route_settled_at()).is_break();
    let kept: Vec<_> = former.into_iter().filter(|port| left || leads(port)).collect();
    service::keeping(wanted, &kept)
}
