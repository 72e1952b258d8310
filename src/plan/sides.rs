//! Whether a side has lost its pods, or only its Service, which comes back.

use serde_json::Value;

use crate::{
    api::Phase,
    clock,
    manifest::{Manifest, target::Sides},
    plan::context::Context,
    router::Split,
    snapshot::{ObjectRef, SERVICE},
};

impl Context<'_> {
    /// No traffic to the canary, unless only the canary has pods.
    pub(crate) fn zero(&self) -> Split {
        // pods of a target that is scaled to none are terminating
        let canary = self.canary_pods() > 0 && self.target_replicas() > 0;
        if canary && self.moves() && !self.selects_both() && primary_is_gone(self) {
            Split::to_canary(100).for_everyone(self.names_requests())
        } else {
            Split::to_canary(0)
        }
    }
}

/// The primary has no pods that serve, and not only because its Service was deleted or changed a moment ago.
pub(crate) fn primary_is_gone(cx: &Context<'_>) -> bool {
    cx.primary_pods() == 0 && !primary_comes_back(cx)
}

/// The same of the canary.
pub(crate) fn canary_is_gone(cx: &Context<'_>) -> bool {
    cx.canary_pods() == 0 && !canary_comes_back(cx)
}

/// The primary has no pods behind its Service, only because that is on its way.
pub(crate) fn primary_comes_back(cx: &Context<'_>) -> bool {
    cx.primary_pods() == 0 && comes_back(cx, cx.primary(), &cx.c.names.primary_service)
}

/// The same of the canary.
pub(crate) fn canary_comes_back(cx: &Context<'_>) -> bool {
    cx.canary_pods() == 0 && comes_back(cx, Some(cx.target), &cx.c.names.canary_service)
}

/// Its pods are ready, and only its Service is on its way.
fn comes_back(cx: &Context<'_>, workload: Option<&Value>, service: &str) -> bool {
    workload.is_some_and(|live| cx.c.target.some_ready(live)) && is_coming_back(cx, service)
}

/// The Service `name` of a side is missing or selects other pods, and is written now; or it was written so recently that its
/// EndpointSlices may be behind. False if it cannot be written, in phases that write no Services of the sides, and while a
/// promotion is undone: users do not wait for it then.
fn is_coming_back(cx: &Context<'_>, name: &str) -> bool {
    let ending = cx.status().run.as_ref().and_then(|run| run.ending.as_ref());
    let undone = cx.phase() == Phase::Promoting && ending.is_some();
    let kept = !matches!(cx.phase(), Phase::Unset | Phase::Initializing | Phase::Terminating);
    if cx.rejected || undone || !kept {
        return false;
    }
    if cx.now < cx.written_settled_at(&[ObjectRef::new(SERVICE, name)]) {
        return true;
    }
    // the end of a run has other things to do first, which must not hold it up
    if ending.is_some_and(|ending| cx.now >= clock::after(ending.at.0, cx.settle())) {
        return false;
    }
    let Some(wanted) = wanted(cx, name) else { return false };
    let (key, writes) = ((wanted.at(), wanted.manager), &cx.snap.writes);
    leads_elsewhere(cx, name, Some(&wanted)) && !writes.is_refused(&key) && !writes.is_held(&key, cx.now)
}

/// The canary's pods are ready, and only its Service leads to none of them, whether it can be written now or not. That is no
/// verdict on the version.
pub(crate) fn canary_lacks_its_service(cx: &Context<'_>) -> bool {
    let name = &cx.c.names.canary_service;
    let ready = cx.canary_pods() == 0 && cx.c.target.some_ready(cx.target);
    ready && leads_elsewhere(cx, name, wanted(cx, name).as_ref())
}

/// The Service of a side as it should be.
fn wanted(cx: &Context<'_>, name: &str) -> Option<Manifest> {
    let sides = rendered(cx).into_iter().flat_map(|sides| [sides.primary, sides.canary]);
    sides.flatten().find(|side| side.name == name)
}

/// The Service is missing, or selects other pods than the wanted one.
fn leads_elsewhere(cx: &Context<'_>, name: &str, wanted: Option<&Manifest>) -> bool {
    let selector = |body: &Value| body["spec"]["selector"].clone();
    let live = cx.snap.objects.get(SERVICE, name);
    live.is_none_or(|live| wanted.is_some_and(|wanted| selector(live) != selector(&wanted.body)))
}

/// Admission has already rendered them once: a Canary whose Services cannot be rendered is refused there.
pub(crate) fn rendered(cx: &Context<'_>) -> Option<Sides> {
    let prefixes = &cx.snap.rules.include_label_prefix;
    cx.c.target.sides(&cx.c, cx.target, &cx.label, &cx.snap.objects, prefixes).ok()
}
