//! The primary workload: created from a stored template, kept in its wanted state, restored when it is damaged.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    api::Phase,
    manifest::{self, Manifest, json, revision, scaler, workload},
    names,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{
            Action, Messages,
            flow::{Flow, GO_ON, WAIT, WRITE_FIRST, all},
        },
        objects::{
            config_snapshots, pod_limits, replicas, revisions,
            write::{self, WriteReason},
        },
    },
    snapshot::{ObjectRef, SCALED_OBJECT},
    spec::Problem,
};

/// Creates the primary from a stored template, or gives it that template if it has another.
/// `replicas` are for creating it; they also replace the current ones if `resize` is set, or if those are 0.
pub(crate) fn from_stored(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    stored: &Value,
    replicas: i64,
    resize: bool,
) -> Flow {
    let Some(mut want) = manifest(cx, stored) else { return WAIT };
    config_snapshots::restore(cx, d, stored)?;
    let Some(live) = cx.primary() else {
        let made = cx.c.target.created(want, cx.target, &cx.label, replicas);
        let made = write::stamp(cx, d, made);
        d.act(Action::Create(Box::new(made)));
        return WRITE_FIRST;
    };
    if resize || is_switched_off(cx, live) {
        json::set(&mut want.body, &["spec", "replicas"], json!(replicas));
    }
    write::object_from(cx, d, live, &want, WriteReason::Wanted)
}

/// The primary for a stored template.
pub(crate) fn manifest(cx: &Context<'_>, stored: &Value) -> Option<Manifest> {
    let mut source = revision::source_of(stored)?;
    config_snapshots::leave_shared(cx, stored, &mut source);
    // shares keep to the target's own limits, also where a promotion is undone
    let strategy = cx.target["spec"].get("strategy").filter(|_| pod_limits::shares_pods(cx));
    if let Some(own) = strategy.filter(|_| !pod_limits::replaces_all(cx.target, cx.whole())) {
        source.spec.insert("strategy".into(), own.clone());
    }
    let hash = revision::hash_of(stored)?;
    let prefixes = &cx.snap.rules.include_label_prefix;
    let marks = (cx.status().epoch, hash);
    let made = cx.c.target.primary(&cx.c, cx.target, &source, &cx.label, marks, prefixes);
    Some(match cx.primary() {
        Some(live) if cx.c.target.rests() => {
            workload::still_selected(made, live, cx.target, &source.template, &cx.label)
        }
        Some(live) => manifest::given::following(made, live),
        None => made,
    })
}

/// Marks a primary that is taken over, without touching its pods.
pub(crate) fn mark(cx: &Context<'_>, d: &mut PlanBuilder, live: &Value, hash: &str) -> Flow {
    let marks = json!({"metadata": {
        "labels": {names::LABEL_CANARY: names::label_value(&cx.c.name)},
        "annotations": {names::ANNOTATION_REVISION: hash},
    }});
    let want = Manifest::new(cx.c.target.kind(), &cx.c.names.primary, names::managers::WORKLOAD, &[], marks);
    write::object_from(cx, d, live, &want, WriteReason::Wanted)
}

/// The primary is gone and there is no template to create it from: reported for as long as it lasts.
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

/// Keeps the primary at the promoted template: creates it again if it is gone, and restores it if it is damaged.
pub(crate) fn intact(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let is_promoted = cx.promoted() == Some(cx.hash.as_str());
    if let Some(live) = cx.primary() {
        switched_on(cx, d, live);
    }
    match (cx.primary(), cx.stored(cx.promoted())) {
        (Some(live), Some(stored)) => restored(cx, d, live, stored),
        (Some(_), None) if is_promoted => revisions::store_template(cx, d),
        (Some(live), None) => stored_as_it_runs(cx, d, live),
        (None, Some(stored)) => {
            let at = ObjectRef::new(cx.c.target.kind(), cx.c.names.primary.clone());
            d.say(Messages::recreated(&at.to_string()));
            all([from_stored(cx, d, stored, cx.primary_replicas(), false), WAIT])
        }
        (None, None) if is_promoted => all([revisions::store_template(cx, d), WAIT]),
        (None, None) => WAIT,
    }
}

/// Nothing is left from which the promoted template could be restored, and the target has another one: the primary's own
/// counts as promoted from now on, if it has not changed since it was promoted.
fn stored_as_it_runs(cx: &Context<'_>, d: &mut PlanBuilder, live: &Value) -> Flow {
    let hash = revision::hash(&cx.c.target.revision(live));
    let given = manifest::annotation(live, names::ANNOTATION_REVISION);
    let is_promoted =
        cx.promoted().is_some_and(|own| revision::is_ours(own) && [own, &hash].map(Some).contains(&given));
    let now = revision::hash(&live["spec"]["template"]);
    let unchanged = cx.status().primary_template.as_ref() == Some(&now);
    if cx.status().run.is_some() || !cx.c.target.rests() || !is_promoted || !unchanged {
        return GO_ON;
    }
    if cx.stored(Some(&hash)).is_none() {
        return revisions::store(cx, d, &hash, live, &BTreeMap::new());
    }
    mark(cx, d, live, &hash)?;
    if cx.applied() == cx.promoted() {
        d.status.last_applied_spec = Some(hash.clone());
        d.status.tracked_configs = cx.checksums_of(Some(&hash));
    }
    d.status.last_promoted_spec = Some(hash);
    GO_ON
}

/// Scaled to 0 although only people and charts set its replicas; in a run and during setup also with a
/// HorizontalPodAutoscaler, which is off at 0, while KEDA adds pods by itself.
fn is_switched_off(cx: &Context<'_>, live: &Value) -> bool {
    let keda = || {
        let mut all = cx.snap.objects.of(SCALED_OBJECT);
        all.any(|keda| scaler::scales(keda) == (cx.c.target.kind().kind, cx.c.names.primary.as_str()))
    };
    let acts = cx.status().run.is_some() || cx.phase() == Phase::Initializing;
    let alone = cx.c.spec.autoscaler_ref.is_none() || acts && !keda();
    cx.c.target.replicated() && alone && manifest::replicas(live) == 0
}

/// This plan already scales the workload.
pub(crate) fn is_scaled(d: &PlanBuilder, live: &Value) -> bool {
    let this = |name: &str| live["metadata"]["name"] == name;
    d.actions.iter().any(|action| matches!(action, Action::Scale { name, .. } if this(name)))
}

/// During a run a primary that was scaled to 0 gets its former replicas: without pods it can take no traffic back, and
/// neither a promotion nor a rollback would end. The same applies during its setup. Between runs it may be off on
/// purpose.
pub(crate) fn switched_on(cx: &Context<'_>, d: &mut PlanBuilder, live: &Value) {
    let made = cx.phase() == Phase::Initializing;
    if !made && cx.status().run.is_none() || is_scaled(d, live) {
        return;
    }
    if !is_switched_off(cx, live) {
        return back_on_nodes(cx, d, live);
    }
    let replicas = if made { replicas::promoted(cx) } else { replicas::needed(cx) };
    if d.try_act(Action::scale(live, replicas)) == WRITE_FIRST {
        d.say(cx.messages.primary_switched_off(replicas));
    }
}

/// The same for a primary without replicas: it loses the node selector by which somebody has switched it off.
fn back_on_nodes(cx: &Context<'_>, d: &mut PlanBuilder, live: &Value) {
    let stored = cx.stored(manifest::annotation(live, names::ANNOTATION_REVISION));
    let template = stored.and_then(revision::source_of).map_or(Value::Null, |source| source.template);
    let Some(patch) = cx.c.target.back_on_nodes(live, &template) else { return };
    let at = ObjectRef::new(cx.c.target.kind(), cx.c.names.primary.clone());
    if d.try_act(Action::patch(at, names::managers::SCALE, live, patch)) == WRITE_FIRST {
        d.say(cx.messages.primary_off_all_nodes());
    }
}

fn restored(cx: &Context<'_>, d: &mut PlanBuilder, live: &Value, stored: &Value) -> Flow {
    // a copy that is refused is no reason to stop either
    if config_snapshots::restore(cx, d, stored) == WRITE_FIRST {
        return WRITE_FIRST;
    }
    let Some(want) = manifest(cx, stored) else { return GO_ON };
    if let Some(patch) = workload::untrack(live, cx.target, &cx.label).filter(|_| cx.c.target.rests()) {
        d.act(Action::patch(want.at(), want.manager, live, patch));
        return WRITE_FIRST;
    }
    if is_intact(cx, d, live, &want) || tried(live) {
        return GO_ON;
    }
    let want = cx.c.target.content(&want);
    // a promotion that could not be undone has left its own revision there
    let restored = json!({"metadata": {"annotations": {
        names::ANNOTATION_RESTORED: (manifest::generation(live).unwrap_or_default() + 1).to_string(),
        names::ANNOTATION_REVISION: revision::hash_of(stored),
    }}});
    // its generation shows nothing if it contains both versions: only Serin writes the restored fields
    let more = if cx.c.target.holds_both() { json!({}) } else { restored };
    let flow = write::patch_with(cx, d, live, &want, &more);
    if flow == WRITE_FIRST {
        if cx.snap.writes.is_disputed(&(want.at(), want.manager)) {
            return flow;
        }
        d.say(Messages::drift(&want.at().to_string(), &manifest::changed_by(live)));
        return flow;
    }
    // reverted again and again, which is no reason to stop
    GO_ON
}

/// A promoted primary keeps its template until the promotion is finished: it gets it back if somebody has changed it.
pub(crate) fn kept(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    live: &Value,
    stored: &Value,
    replicas: i64,
) -> Flow {
    let damaged = manifest(cx, stored).is_some_and(|want| !is_intact(cx, d, live, &want));
    match damaged.then(|| from_stored(cx, d, stored, replicas, false)) {
        Some(WRITE_FIRST) => WRITE_FIRST,
        // reverted again and again, which is no reason to stop
        _ => GO_ON,
    }
}

/// The primary runs the wanted template. If it was found so and has not changed since, it is not compared again:
/// another version of Serin may render it differently, and that must not restart pods.
fn is_intact(cx: &Context<'_>, d: &mut PlanBuilder, live: &Value, want: &Manifest) -> bool {
    if !cx.c.target.rests() {
        return cx.c.target.intact(live, want);
    }
    let (known, now) = (&cx.status().primary_template, revision::hash(&live["spec"]["template"]));
    // earlier versions did not record it
    let unchanged = known.as_ref().is_none_or(|known| *known == now);
    let intact = unchanged || cx.c.target.intact(live, want);
    if intact {
        d.status.primary_template = Some(now);
    }
    intact
}

/// Records the template of a primary that has just been given it, if it has it.
pub(crate) fn remember(cx: &Context<'_>, d: &mut PlanBuilder, hash: Option<&str>) {
    let Some(live) = cx.primary().filter(|_| cx.c.target.rests()) else { return };
    let given = has(cx, hash);
    d.status.primary_template =
        Some(if given { revision::hash(&live["spec"]["template"]) } else { String::new() });
}

/// The primary runs the template of this revision.
pub(crate) fn has(cx: &Context<'_>, hash: Option<&str>) -> bool {
    let want = cx.stored(hash).and_then(|stored| manifest(cx, stored));
    cx.primary().zip(want).is_some_and(|(live, want)| cx.c.target.intact(live, &want))
}

/// The damage is the result of our last repair: somebody's admission changes it each time.
fn tried(live: &serde_json::Value) -> bool {
    manifest::annotation(live, names::ANNOTATION_RESTORED)
        .and_then(|g| g.parse::<i64>().ok())
        .is_some_and(|g| Some(g) == manifest::generation(live))
}
