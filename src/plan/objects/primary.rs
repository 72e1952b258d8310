//! The primary workload: made from a stored template, kept as it should be, restored when it is damaged.

use serde_json::{Value, json};

use crate::{
    api::{Phase, validated::Problem},
    manifest::{self, Manifest, json, revision},
    names,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{Action, Messages},
        objects::{
            config_snapshots, revisions,
            write::{self, WriteReason},
        },
    },
    snapshot::ObjectRef,
};

/// The primary made from a stored template: made when missing, given the template when it has another.
/// `replicas` are for making it; they also replace the present ones when `resize` is set.
pub(crate) fn from_stored(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    stored: &Value,
    replicas: i64,
    resize: bool,
) -> bool {
    let Some(mut want) = manifest(cx, stored) else { return false };
    if !config_snapshots::mend(cx, d, stored) {
        return false;
    }
    let Some(live) = cx.primary() else {
        let made = cx.c.target.created(want, cx.target, &cx.label, replicas);
        let made = write::stamp(cx, d, made);
        d.act(Action::Create(Box::new(made)));
        return false;
    };
    if resize {
        json::set(&mut want.body, &["spec", "replicas"], json!(replicas));
    }
    write::object_from(cx, d, live, &want, WriteReason::Wanted)
}

/// The primary as a stored template wants it.
pub(crate) fn manifest(cx: &Context<'_>, stored: &Value) -> Option<Manifest> {
    let source = revision::source_of(stored)?;
    let hash = revision::hash_of(stored)?;
    let prefixes = &cx.snap.rules.include_label_prefix;
    let marks = (cx.status().epoch, hash);
    Some(cx.c.target.primary(&cx.c, cx.target, &source, &cx.label, marks, prefixes))
}

/// Marks a primary that is taken over, without touching its pods.
pub(crate) fn mark(cx: &Context<'_>, d: &mut PlanBuilder, live: &Value, hash: &str) -> bool {
    let marks = json!({"metadata": {
        "labels": {names::LABEL_CANARY: names::label_value(&cx.c.name)},
        "annotations": {names::ANNOTATION_REVISION: hash},
    }});
    let want = Manifest::new(cx.c.target.kind(), &cx.c.names.primary, names::managers::WORKLOAD, &[], marks);
    write::object_from(cx, d, live, &want, WriteReason::Wanted)
}

/// The primary is gone and there is nothing to make it from: said, for as long as it lasts.
pub(crate) fn lost(cx: &Context<'_>) -> Option<Problem> {
    let made_otherwise = matches!(
        cx.phase(),
        Phase::Unset | Phase::Initializing | Phase::Promoting | Phase::Finalising | Phase::Terminating
    );
    let known = cx.stored(cx.promoted()).is_some() || cx.promoted() == Some(cx.hash.as_str());
    if cx.primary().is_some() || known || made_otherwise || !cx.promoted().is_some_and(revision::is_ours) {
        return None;
    }
    Some(Problem::new(
        "PrimaryLost",
        format!(
            "{} {} is gone and no copy of its template is left: set {} to the template that is to be primary",
            cx.kind(),
            cx.c.names.primary,
            cx.c.names.target
        ),
    ))
}

/// The primary exists and runs the promoted template; otherwise it is restored from the stored copy (ruling 4).
pub(crate) fn intact(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let stored = cx.stored(cx.promoted());
    let Some(live) = cx.primary() else {
        let at = ObjectRef::new(cx.c.target.kind(), cx.c.names.primary.clone());
        if let Some(stored) = stored {
            d.say(Messages::recreated(&at.to_string()));
            from_stored(cx, d, stored, cx.primary_replicas(), false);
        } else if cx.promoted() == Some(cx.hash.as_str()) {
            revisions::store_template(cx, d);
        }
        return false;
    };
    let Some(stored) = stored else {
        if cx.promoted() == Some(cx.hash.as_str()) {
            return revisions::store_template(cx, d);
        }
        return true;
    };
    if !config_snapshots::mend(cx, d, stored) {
        return false;
    }
    let Some(want) = manifest(cx, stored) else { return true };
    if cx.c.target.intact(live, &want) || tried(live) {
        return true;
    }
    let want = cx.c.target.content(&want);
    d.say(Messages::drift(&want.at().to_string()));
    if cx.c.target.holds_both() {
        // its generation tells nothing: nobody but us writes what is mended here
        return write::patch_with(cx, d, live, &want, &json!({}));
    }
    let restored = json!({"metadata": {"annotations": {
        names::ANNOTATION_RESTORED: (manifest::generation(live).unwrap_or_default() + 1).to_string()
    }}});
    write::patch_with(cx, d, live, &want, &restored)
}

/// The damage is what was left of our last mending: somebody else's admission changes it each time.
fn tried(live: &serde_json::Value) -> bool {
    manifest::annotation(live, names::ANNOTATION_RESTORED)
        .and_then(|g| g.parse::<i64>().ok())
        .is_some_and(|g| Some(g) == manifest::generation(live))
}
