//! The Service that users call.

use serde_json::Value;

use crate::{
    api::promotion::Apex,
    manifest,
    plan::{
        builder::PlanBuilder,
        context::Context,
        objects::{
            services,
            write::{self, WriteReason},
        },
        traffic::pod_weighting,
    },
};

/// The Service that users call, selecting the primary; an unowned one of that name is taken over as it is.
pub(crate) fn service(cx: &Context<'_>, d: &mut PlanBuilder, why: WriteReason) -> bool {
    let Some(services) = services::rendered(cx) else { return false };
    let Some(apex) = services.apex else { return true };
    let known = |live: &Value| manifest::made_for(live, &cx.c.name) || manifest::adopted(live);
    if cx.c.apex != Apex::Stays && cx.apex().is_some_and(known) {
        return write::object(cx, d, manifest::service::but_selector(apex), why);
    }
    if cx.c.apex == Apex::Stays && !pod_weighting::gathered(cx, d) {
        return false;
    }
    // shares that are no longer asked for are nobody's mistake
    let why = if cx.step().since.is_some() { WriteReason::Wanted } else { why };
    // pointed elsewhere by hand while the primary has no pods: left there until it has
    if let Some(live) = cx.apex().filter(|_| why == WriteReason::Drift && cx.primary_pods() == 0) {
        return manifest::patch(live, &apex).is_none();
    }
    write::object(cx, d, apex, why)
}
