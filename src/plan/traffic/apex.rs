//! The Service that users call.

use serde_json::Value;

use crate::{
    manifest,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::flow::{Flow, GO_ON, wait_unless},
        objects::{
            service_ports, services,
            write::{self, WriteReason},
        },
        sides,
        traffic::{doubt, pod_weighting},
    },
    router::Selected,
    spec::Apex,
};

/// Keeps the Service that users call, selecting the primary; an existing one without an owner is taken over as it is.
pub(crate) fn service(cx: &Context<'_>, d: &mut PlanBuilder, why: WriteReason) -> Flow {
    // if a port no longer resolves, it stays as it is
    let Some(services) = sides::rendered(cx) else { return GO_ON };
    let Some(apex) = services.apex else { return GO_ON };
    let apex = service_ports::keeping(cx, d, apex);
    let known = |live: &Value| manifest::made_for(live, &cx.c.name) || manifest::adopted(live);
    if cx.c.apex != Apex::Stays && cx.apex().is_some_and(known) {
        return write::object(cx, d, manifest::service::but_selector(apex), why);
    }
    if cx.c.apex == Apex::Stays {
        pod_weighting::returned_to_primary(cx, d)?;
    }
    // shares that the spec no longer wants are not drift
    let why = if cx.step().since.is_some() { WriteReason::Wanted } else { services::reason(cx, &apex, why) };
    // changed by hand, or still selecting pods of the target, while the primary has no pods, or may have none: left until
    // it has some
    let away = match cx.selected() {
        Some(Selected::Both) => true,
        Some(Selected::Target) => cx.canary_pods() > 0,
        Some(Selected::Primary) | None => false,
    };
    let left = (why == WriteReason::Drift || away) && doubt::primary_may_lack_pods(cx);
    if let Some(live) = cx.apex().filter(|_| left) {
        return wait_unless(manifest::patch(live, &apex).is_none());
    }
    write::object(cx, d, apex, why)
}
