//! The identity of the target when its template was last read.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::ObservedTarget,
    manifest,
    plan::{builder::PlanBuilder, context::Context},
    snapshot::Snapshot,
    spec::{Apex, Target},
};

/// The target is the same object whose template was last read.
pub(crate) fn is_same(cx: &Context<'_>) -> bool {
    cx.status().target.as_ref().is_none_or(|t| Some(t.uid.as_str()) == manifest::uid(cx.target))
}

/// Replicas that the target was given on purpose while no run was in progress, for a run that begins. A run that starts
/// over keeps the number that it began with.
pub(crate) fn wished_replicas(cx: &Context<'_>) -> Option<i32> {
    if let Some(run) = &cx.status().run {
        return run.replicas;
    }
    let wished =
        cx.c.target.replicated() && cx.c.apex != Apex::Shares && manifest::replicas_are_meant(cx.target);
    i32::try_from(cx.target_replicas()).ok().filter(|n| wished && *n > 0)
}

/// Records since when there has been no target, even if the Canary cannot be acted on for another reason.
pub(crate) fn note_missing(snap: &Snapshot, d: &mut PlanBuilder, now: Timestamp) {
    let named = &snap.canary.spec.target_ref;
    let kind = Target::named(named).unwrap_or_default().kind();
    let Some(target) = d.status.target.as_mut().filter(|_| !snap.unlisted_kinds.contains_key(&kind.crd()))
    else {
        return;
    };
    if snap.objects.get(kind, &named.name).is_some() {
        target.missing = None;
    } else if target.missing.is_none() {
        target.missing = Some(MicroTime(now));
    }
}

/// Another object of the same name is the target from now on. Its template counts as unread. Knative gives the revisions of
/// a Service that is made again the names of former ones, of which nothing is known any more.
pub(crate) fn renew(cx: &Context<'_>, d: &mut PlanBuilder) {
    if !is_same(cx) {
        if cx.c.target.holds_both() {
            d.status.former_specs.clear();
        }
        let uid = manifest::uid(cx.target).unwrap_or_default().into();
        d.status.target = Some(ObservedTarget { uid, generation: 0, ..ObservedTarget::default() });
    }
}

/// Records uid and generation of the target while its template is the applied one, so that a later version of the
/// API server that stores the same template differently does not look like a new revision.
pub(crate) fn remember(cx: &Context<'_>, d: &mut PlanBuilder) {
    if d.status.last_applied_spec.as_deref() == Some(cx.hash.as_str()) {
        d.status.target = Some(ObservedTarget {
            uid: manifest::uid(cx.target).unwrap_or_default().into(),
            generation: manifest::generation(cx.target).unwrap_or_default(),
            ..d.status.target.take().unwrap_or_default()
        });
    }
}
