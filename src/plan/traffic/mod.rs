//! Leading users: the route, or the pods behind the apex Service.

pub(crate) mod acceptance;
pub(crate) mod apex;
pub(crate) mod ending;
pub(crate) mod handover;
pub(crate) mod pod_weighting;
pub(crate) mod routes;

use crate::{
    api::promotion::Apex,
    plan::{builder::PlanBuilder, context::Context, objects::write::WriteReason},
    router::Split,
};

/// Users are led as `want` says.
pub(crate) fn routing(cx: &Context<'_>, d: &mut PlanBuilder, want: Split, why: WriteReason) -> bool {
    if cx.c.apex == Apex::Stays {
        routes::write_routes(cx, d, want, why)
    } else {
        pod_weighting::carry(cx, d, want, why)
    }
}

/// The route in place carries `want`, whatever else about the generated objects may have to be mended first.
pub(crate) fn split_in_place(cx: &Context<'_>, want: Split) -> bool {
    cx.live_split() == Some(want)
}
