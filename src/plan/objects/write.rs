//! Writing one generated object: made when missing, patched when different, left alone otherwise.

use serde_json::{Value, json};

use crate::{
    manifest::{self, Manifest, target::Ask},
    names,
    plan::{
        builder::{PlanBuilder, after},
        context::Context,
        model::{Action, Messages},
    },
    snapshot::{HPA, ObjectRef, SCALED_OBJECT},
};

/// How a difference from the wanted state came about, as far as can be told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteReason {
    /// This pass wants something new.
    Wanted,
    /// It was in place before: somebody changed it.
    Drift,
}

/// Asks for this many pods of the target, or for none.
pub(crate) fn ask(cx: &Context<'_>, d: &mut PlanBuilder, pods: i64) {
    match cx.c.target.ask(pods) {
        Some(Ask::Replicas(replicas)) => d.act(Action::scale(cx.target, replicas)),
        // pods that are on their way out would count as there
        Some(Ask::Patch(_)) if pods > 0 && !emptied(cx, d) => {}
        Some(Ask::Patch(patch)) => {
            let at = ObjectRef::new(cx.c.target.kind(), cx.c.names.target.clone());
            d.act(Action::patch(at, names::managers::SCALE, cx.target, patch));
        }
        None => {}
    }
}

/// The target, which was asked for no pods, has none any more; or it has been waited for long enough.
fn emptied(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    cx.c.target.is_empty(cx.target) || d.reached(after(cx.standing_since(), cx.c.deadline))
}

/// The object is there as wanted.
pub(crate) fn object(cx: &Context<'_>, d: &mut PlanBuilder, want: Manifest, why: WriteReason) -> bool {
    let at = ObjectRef::new(want.kind, want.name.clone());
    if let Some(live) = cx.snap.objects.at(&at) {
        return object_from(cx, d, live, &want, why);
    }
    if why == WriteReason::Drift {
        d.say(Messages::recreated(&at.to_string()));
    }
    let made = stamp(cx, d, want);
    d.act(Action::Create(Box::new(made)));
    false
}

/// Patches `live` to `want`, adding `more` to the patch when there is one to write.
pub(crate) fn patch_with(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    live: &Value,
    want: &Manifest,
    more: &Value,
) -> bool {
    let Some(mut patch) = manifest::patch(live, want) else { return true };
    merge(&mut patch, more);
    merge(&mut patch, &stamps(cx, d, want));
    let at = ObjectRef::new(want.kind, want.name.clone());
    d.act(Action::patch(at, want.manager, live, patch));
    false
}

/// `live` is as wanted.
pub(crate) fn object_from(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    live: &Value,
    want: &Manifest,
    why: WriteReason,
) -> bool {
    let at = ObjectRef::new(want.kind, want.name.clone());
    let mut patch = manifest::patch(live, want);
    if let Some(disown) = manifest::disown(live, &cx.c.name) {
        merge(patch.get_or_insert_with(|| json!({})), &disown);
    }
    let Some(mut patch) = patch else { return true };
    let known = manifest::ours(live, &cx.c.name) || manifest::adopted(live);
    if why == WriteReason::Drift && known && cx.spec_seen() {
        d.say(Messages::drift(&at.to_string()));
    }
    merge(&mut patch, &stamps(cx, d, want));
    d.act(Action::patch(at, want.manager, live, patch));
    false
}

/// What each write of these objects carries beside its content: by which run, and when.
fn stamps(cx: &Context<'_>, d: &PlanBuilder, want: &Manifest) -> Value {
    let epoch = d.status.epoch.to_string();
    let route = cx.router.reads(&cx.c).iter().any(|r| r.kind == want.kind && r.name == want.name);
    if want.kind == cx.c.target.kind() && !cx.c.target.is_copied() && !route {
        return json!({"metadata": {"annotations": {names::ANNOTATION_EPOCH: epoch}}});
    }
    if [HPA, SCALED_OBJECT].contains(&want.kind) {
        return json!({});
    }
    let names = &cx.c.names;
    if route || [&names.apex, &names.primary_service, &names.canary_service].contains(&&want.name) {
        let written = cx.now.to_string();
        return json!({"metadata": {"annotations": {
            names::ANNOTATION_EPOCH: epoch, names::ANNOTATION_WRITTEN: written
        }}});
    }
    json!({})
}

pub(crate) fn stamp(cx: &Context<'_>, d: &PlanBuilder, mut want: Manifest) -> Manifest {
    let stamps = stamps(cx, d, &want);
    merge(&mut want.body, &stamps);
    want
}

/// Adds `more` to `into`, object by object.
fn merge(into: &mut Value, more: &Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more.clone(),
    }
}
