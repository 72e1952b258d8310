//! Bringing generated objects to what the Canary asks for: made when missing, patched when different, left alone
//! otherwise. Each function is true when nothing was left to do.

pub(crate) mod autoscaler;
pub(crate) mod config_snapshots;
pub(crate) mod services;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::plan::{
    builder::{PlanBuilder, after},
    context::Context,
    model::Action,
    model::Messages,
    objects::services::Revised,
    phases::initialise::past,
    traffic::pod_weighting,
};
use crate::{
    manifest::{
        self, Manifest, json,
        revision::{self, StoredConfig},
        target::{Ask, Sides},
    },
    names,
    router::{self, Cookies, Split},
    snapshot::{HPA, Kind, ObjectRef, REVISION, SCALED_OBJECT},
    spec::Apex,
};

/// How a difference from the wanted state came about, as far as can be told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteReason {
    /// This pass wants something new.
    Wanted,
    /// It was in place before: somebody changed it.
    Drift,
}

/// Serin's finalizer is on the Canary before anything is made for it.
pub(crate) fn finalizer(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let mut list = cx.snap.canary.metadata.finalizers.clone().unwrap_or_default();
    if list.iter().any(|f| f == names::FINALIZER) {
        return true;
    }
    list.push(names::FINALIZER.into());
    d.act(Action::Finalizers { list });
    false
}

/// The Services in front of the primary and of the target.
pub(crate) fn side_services(cx: &Context<'_>, d: &mut PlanBuilder, why: WriteReason) -> bool {
    let Some(services) = services(cx) else { return false };
    let primary = |d: &mut PlanBuilder| services.primary.is_none_or(|primary| object(cx, d, primary, why));
    let Some(canary) = services.canary else { return primary(d) };
    match services::revised(cx, d, &canary) {
        Revised::No => object(cx, d, canary, why) & primary(d),
        Revised::Now => object(cx, d, canary, WriteReason::Wanted) & primary(d),
        Revised::Later(done) => primary(d) && done,
    }
}

/// The Service that users call, selecting the primary; an unowned one of that name is taken over as it is.
pub(crate) fn apex_service(cx: &Context<'_>, d: &mut PlanBuilder, why: WriteReason) -> bool {
    let Some(services) = services(cx) else { return false };
    let Some(apex) = services.apex else { return true };
    let known = |live: &Value| manifest::made_for(live, &cx.c.name) || manifest::adopted(live);
    if cx.c.apex != Apex::Stays && cx.apex().is_some_and(known) {
        return object(cx, d, manifest::service::but_selector(apex), why);
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
    object(cx, d, apex, why)
}

/// `admit` has rendered them once already: a Canary whose Services cannot be rendered never comes here.
fn services(cx: &Context<'_>) -> Option<Sides> {
    let prefixes = &cx.snap.rules.include_label_prefix;
    cx.c.target.sides(&cx.c, cx.target, &cx.label, &cx.snap.objects, prefixes).ok()
}

/// Users are led as `want` says.
pub(crate) fn routing(cx: &Context<'_>, d: &mut PlanBuilder, want: Split, why: WriteReason) -> bool {
    if cx.c.apex == Apex::Stays { routes(cx, d, want, why) } else { pod_weighting::carry(cx, d, want, why) }
}

/// The routing objects, carrying `want`.
pub(crate) fn routes(cx: &Context<'_>, d: &mut PlanBuilder, want: Split, why: WriteReason) -> bool {
    let mut done = true;
    for beside in cx.router.auxiliary_objects(&cx.c) {
        done &= object(cx, d, beside, why);
    }
    let cookies = cookies(cx, d, want);
    match cx.router.render(&cx.c, &cx.snap.objects, want, &cookies) {
        Ok(routes) => {
            for route in routes {
                done &= object(cx, d, route, why);
            }
            done
        }
        Err(_) => false,
    }
}

/// The proxies know all destinations that the routes in place and `next` lead to: those may be put in place of these.
/// At once where that does not matter.
pub(crate) fn exchangeable(cx: &Context<'_>, d: &mut PlanBuilder, next: &[Manifest]) -> bool {
    if cx.router.needs_handover().is_none() {
        return true;
    }
    let live = &cx.snap.objects;
    let mut done = true;
    for route in next {
        if let Some(both) = router::announcing(cx.router, &cx.c, live, route) {
            done &= object(cx, d, both, WriteReason::Wanted);
        }
    }
    if !done || !past(cx, d, cx.route_settled_at()) {
        return false;
    }
    for route in next {
        if let Some(both) = router::remembering(cx.router, &cx.c, live, route) {
            done &= object(cx, d, both, WriteReason::Wanted);
        }
    }
    done
}

/// The routing objects for `want`, as they would be written now.
pub(crate) fn rendered(cx: &Context<'_>, d: &mut PlanBuilder, want: Split) -> Vec<Manifest> {
    let cookies = cookies(cx, d, want);
    cx.router.render(&cx.c, &cx.snap.objects, want, &cookies).unwrap_or_default()
}

/// The session cookies that go with `want`, kept in status: given out as soon as the canary gets requests, taken back
/// when it gets none any more. The primary's is the same for all runs.
fn cookies(cx: &Context<'_>, d: &mut PlanBuilder, want: Split) -> Cookies {
    let Some(affinity) = &cx.c.analysis.session_affinity else { return Cookies::default() };
    let (uid, epoch) = (cx.snap.canary.metadata.uid.as_deref().unwrap_or_default(), d.status.epoch);
    let fresh = |name: &str| router::fresh_cookie(name, uid, epoch);
    let status = &mut d.status;
    if want.canary() > 0 {
        if status.session_affinity_cookie.is_none() {
            status.session_affinity_cookie = Some(fresh(&affinity.cookie_name));
        }
        let primary = affinity.primary_cookie_name.as_deref().filter(|name| !name.is_empty());
        if let (Some(name), None) = (primary, &status.primary_session_affinity_cookie) {
            status.primary_session_affinity_cookie = Some(fresh(name));
        }
    } else if let Some(given) = status.session_affinity_cookie.take() {
        status.previous_session_affinity_cookie = Some(given);
    }
    Cookies {
        canary: status.session_affinity_cookie.clone(),
        primary: affinity.primary_cookie_name.as_ref().and(status.primary_session_affinity_cookie.clone()),
        previous: status.previous_session_affinity_cookie.clone(),
    }
}

/// The route in place carries `want`, whatever else about the generated objects may have to be mended first.
pub(crate) fn split_in_place(cx: &Context<'_>, want: Split) -> bool {
    cx.live_split() == Some(want)
}

/// The primary made from a stored template: made when missing, given the template when it has another.
/// `replicas` are for making it; they also replace the present ones when `resize` is set.
pub(crate) fn primary_from(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    stored: &Value,
    replicas: i64,
    resize: bool,
) -> bool {
    let Some(mut want) = primary_manifest(cx, stored) else { return false };
    if !config_snapshots::mend(cx, d, stored) {
        return false;
    }
    let Some(live) = cx.primary() else {
        let made = cx.c.target.created(want, cx.target, &cx.label, replicas);
        let made = stamp(cx, d, made);
        d.act(Action::Create(Box::new(made)));
        return false;
    };
    if resize {
        json::set(&mut want.body, &["spec", "replicas"], json!(replicas));
    }
    object_from(cx, d, live, &want, WriteReason::Wanted)
}

/// The primary as a stored template wants it.
pub(crate) fn primary_manifest(cx: &Context<'_>, stored: &Value) -> Option<Manifest> {
    let source = revision::source_of(stored)?;
    let hash = revision::hash_of(stored)?;
    let prefixes = &cx.snap.rules.include_label_prefix;
    let marks = (cx.status().epoch, hash);
    Some(cx.c.target.primary(&cx.c, cx.target, &source, &cx.label, marks, prefixes))
}

/// The target's present template is stored under its hash, after copies of what it uses.
pub(crate) fn store_template(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    if cx.stored(Some(&cx.hash)).is_some() {
        return true;
    }
    if cx.configs.problem.is_some() {
        // what it uses cannot be copied now: mending that is enough to go on
        return false;
    }
    config_snapshots::make_all(cx, d);
    store(cx, d, &cx.hash, cx.target, &config_snapshots::to_store(cx));
    false
}

/// Stores the template of `source` (the target or a primary) under `hash`, with the contents that go with it.
pub(crate) fn store(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    hash: &str,
    source: &Value,
    configs: &BTreeMap<String, StoredConfig>,
) {
    let number = cx.snap.objects.of(REVISION).map(revision::number).max().unwrap_or(0) + 1;
    let uid = cx.snap.canary.metadata.uid.as_deref().unwrap_or_default();
    let stored = revision::with_configs(revision::stored(&cx.c, number, hash, source), configs);
    d.act(Action::Create(Box::new(stored.owned_by(&cx.c.name, uid))));
}

/// Promoted templates beyond the history limit go, oldest first; those that status names stay.
pub(crate) fn collect_templates(cx: &Context<'_>, d: &mut PlanBuilder) {
    let mut old: Vec<&Value> = cx
        .snap
        .objects
        .of(REVISION)
        .filter(|r| {
            let hash = revision::hash_of(r);
            hash != cx.promoted() && hash != cx.applied()
        })
        .collect();
    old.sort_by_key(|r| revision::number(r));
    let excess = old.len().saturating_sub(cx.snap.rules.revision_history);
    for revision in old.into_iter().take(excess) {
        d.act(delete(REVISION, revision));
    }
}

/// Deletes this very object.
pub(crate) fn delete(kind: Kind, live: &Value) -> Action {
    let at = ObjectRef::new(kind, live["metadata"]["name"].as_str().unwrap_or_default());
    Action::Delete { at, uid: manifest::uid(live).unwrap_or_default().into() }
}

/// Asks for this many pods of the target, or for none.
pub(crate) fn ask(cx: &Context<'_>, d: &mut PlanBuilder, pods: i64) {
    match cx.c.target.ask(pods) {
        Some(Ask::Replicas(replicas)) => d.act(scale(cx.target, replicas)),
        // pods that are on their way out would count as there
        Some(Ask::Patch(_)) if pods > 0 && !emptied(cx, d) => {}
        Some(Ask::Patch(patch)) => d.act(Action::Patch {
            at: ObjectRef::new(cx.c.target.kind(), cx.c.names.target.clone()),
            manager: names::managers::SCALE,
            version: version(cx.target),
            patch,
        }),
        None => {}
    }
}

/// The target, which was asked for no pods, has none any more; or it has been waited for long enough.
fn emptied(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    cx.c.target.is_empty(cx.target) || past(cx, d, after(cx.standing_since(), cx.c.deadline))
}

/// Sets the replicas of a Deployment that was seen as `live`.
pub(crate) fn scale(live: &Value, replicas: i64) -> Action {
    Action::Scale {
        name: live["metadata"]["name"].as_str().unwrap_or_default().into(),
        replicas,
        version: version(live),
    }
}

/// The version a decision was made on.
pub(crate) fn version(live: &Value) -> String {
    manifest::resource_version(live).unwrap_or_default().to_owned()
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
    d.act(Action::Patch { at, manager: want.manager, version: version(live), patch });
    false
}

/// Marks a primary that is taken over, without touching its pods.
pub(crate) fn mark_primary(cx: &Context<'_>, d: &mut PlanBuilder, live: &Value, hash: &str) -> bool {
    let marks = json!({"metadata": {
        "labels": {names::LABEL_CANARY: names::label_value(&cx.c.name)},
        "annotations": {names::ANNOTATION_REVISION: hash},
    }});
    let want = Manifest::new(cx.c.target.kind(), &cx.c.names.primary, names::managers::WORKLOAD, &[], marks);
    object_from(cx, d, live, &want, WriteReason::Wanted)
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
    d.act(Action::Patch { at, manager: want.manager, version: version(live), patch });
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

fn stamp(cx: &Context<'_>, d: &PlanBuilder, mut want: Manifest) -> Manifest {
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
