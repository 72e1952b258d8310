//! Leading users: the route, or the pods behind the apex Service.

pub(crate) mod acceptance;
pub(crate) mod apex;
pub(crate) mod ending;
pub(crate) mod handover;
pub(crate) mod pod_weighting;
pub(crate) mod routes;

use crate::{
    plan::{builder::PlanBuilder, context::Context, model::flow::Flow, objects::write::WriteReason},
    router::Split,
    spec::Apex,
};

/// Brings users to where `want` says.
pub(crate) fn routing(cx: &Context<'_>, d: &mut PlanBuilder, want: Split, why: WriteReason) -> Flow {
    if cx.c.apex == Apex::Stays {
        routes::write_routes(cx, d, want, why)
    } else {
        pod_weighting::carry(cx, d, want, why)
    }
}

/// The route in place carries `want`, whatever else about the generated objects may have to be corrected first.
pub(crate) fn split_in_place(cx: &Context<'_>, want: Split) -> bool {
    cx.live_split() == Some(want)
}
