//! Brings generated objects to the wanted state: created if missing, patched if different, left alone
//! otherwise. Each function continues if there was nothing left to do.

pub(crate) mod autoscaler;
pub(crate) mod config_snapshots;
pub(crate) mod contest;
pub(crate) mod pod_limits;
pub(crate) mod primary;
pub(crate) mod replicas;
pub(crate) mod revisions;
pub(crate) mod service_ports;
pub(crate) mod services;
pub(crate) mod strangers;
pub(crate) mod write;

use crate::{
    names,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{
            Action,
            flow::{Flow, GO_ON, WRITE_FIRST},
        },
    },
};

/// Puts Serin's finalizer on the Canary before anything is created for it.
pub(crate) fn finalizer(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let mut list = cx.snap.canary.metadata.finalizers.clone().unwrap_or_default();
    if list.iter().any(|f| f == names::FINALIZER) {
        return GO_ON;
    }
    list.push(names::FINALIZER.into());
    d.act(Action::Finalizers { list });
    WRITE_FIRST
}
