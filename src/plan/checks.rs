//! What must hold before a Canary is acted on, in order. The first thing that does not hold is said once, as a
//! condition and an Event that name object, field and remedy; nothing is written to any other object. Mending it is
//! enough to go on.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Answers,
    context::Context,
    delete,
    draft::{Draft, after},
    ensure::{self, Because},
    note::{Note, Words},
    ownership,
};
use crate::{
    api::{
        Phase,
        validated::{Problem, Refusal, Validated, validate},
    },
    manifest::{self, revision, service, workload},
    names::conditions,
    router::{self, Cookies, Router, Split},
    snapshot::{DEPLOYMENT, Snapshot},
};

/// Condition type: False while pods take longer than an interval to become ready.
pub(super) const PODS_READY: &str = "PodsReady";
const SUSPENDED: &str = "Suspended";

/// A Canary that can be acted on, or none: then the draft says why.
pub(super) fn admit<'a>(
    snap: &'a Snapshot,
    answers: &'a Answers,
    d: &mut Draft,
    now: Timestamp,
) -> Option<Context<'a>> {
    let deleting = snap.canary.metadata.deletion_timestamp.is_some();
    if deleting && (!delete::held(snap) || nothing_to_revert(snap)) {
        if delete::held(snap) {
            delete::let_go(snap, d, None);
        }
        return None;
    }
    if let Some((holder, until)) = &snap.flagger {
        // a lease that is no longer renewed runs out without an event
        d.wake_at(*until);
        refuse(
            d,
            "FlaggerActive",
            &format!(
                "Flagger ({holder}) is renewing its lease and acts on the same objects: scale it down first"
            ),
        );
        return None;
    }
    if !deleting && suspended(snap, d) {
        return None;
    }
    match surroundings(snap, answers, now) {
        Ok(cx) if deleting => {
            delete::step(&cx, d);
            None
        }
        Ok(cx) => {
            accept(&cx, d);
            Some(cx)
        }
        Err(Stop { problem, unserved }) => {
            if deleting {
                delete::let_go(snap, d, Some(&problem.message));
            } else {
                stopped(snap, d, &problem, unserved.as_deref(), now);
            }
            None
        }
    }
}

struct Stop {
    problem: Problem,
    /// For the condition `NotYetServed`.
    unserved: Option<String>,
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self { problem, unserved: None }
    }
}

fn stop(reason: &'static str, message: impl Into<String>) -> Stop {
    Problem::new(reason, message).into()
}

fn nothing_to_revert(snap: &Snapshot) -> bool {
    snap.namespace_terminating || snap.status().phase.unwrap_or_default() == Phase::Unset
}

/// Suspended: nothing but a rollback already begun. Losing the canary's pods then is said, not mended (ruling 16).
fn suspended(snap: &Snapshot, d: &mut Draft) -> bool {
    if snap.canary.spec.suspend != Some(true) {
        if d.clear(SUSPENDED) {
            d.say(Words::resumed());
        }
        return false;
    }
    if snap.status().run.is_some_and(|r| r.ending.is_some()) {
        return false;
    }
    let weight = snap.status().canary_weight;
    let empty = weight > 0
        && validate(&snap.canary, &snap.rules).is_ok_and(|c| snap.ready(&c.names.canary_service) == 0);
    let (reason, message) = if empty {
        (
            "NoPods",
            format!(
                "suspended with {weight} % of the traffic on pods that are not ready: resume it, or route by hand"
            ),
        )
    } else {
        ("Suspended", "spec.suspend is true: nothing is changed until it is not".to_owned())
    };
    if d.condition(SUSPENDED, "True", reason, &message) {
        d.say(if empty { Note::warning(reason, message) } else { Words::suspended() });
    }
    true
}

fn surroundings<'a>(snap: &'a Snapshot, answers: &'a Answers, now: Timestamp) -> Result<Context<'a>, Stop> {
    let mut c = validate(&snap.canary, &snap.rules).map_err(|refusal| match refusal {
        Refusal::Invalid(problem) => problem.into(),
        Refusal::Unserved(list) => unserved(&list),
    })?;
    let router = router::by_name(&c.provider).ok_or_else(|| unserved(&[no_router(&c.provider)]))?;
    if let Some(rival) = older_rival(snap) {
        return Err(stop(
            "TargetTaken",
            format!(
                "{} belongs to the older Canary {}: delete one of the two or give this one another target and spec.service.name",
                rival.wants, rival.name
            ),
        ));
    }
    if let Some(kind) = router.kinds().iter().find(|k| snap.missing_kinds.contains(&k.crd())) {
        return Err(stop(
            "MeshMissing",
            format!(
                "the cluster has no {} ({}): install {} or set spec.provider to what it has",
                kind.kind,
                kind.crd(),
                c.provider
            ),
        ));
    }
    let target = snap.objects.get(DEPLOYMENT, &c.names.target).ok_or_else(|| {
        stop(
            "TargetMissing",
            format!(
                "deployment {}.{} get query error: not found: create it or correct spec.targetRef.name",
                c.names.target, c.namespace
            ),
        )
    })?;
    let label = workload::selector_label(target, &snap.rules.selector_labels).ok_or_else(|| {
        stop("NoSelectorLabel", format!(
            "deployment {}.{} spec.selector.matchLabels must contain one of [{}]: add one, or name yours with --selector-labels",
            c.names.target, c.namespace, snap.rules.selector_labels.join(" ")
        ))
    })?;
    c.advice.extend(ports(snap, &c, target, &label)?);
    ownership::check(snap, &c, router)?;
    templates(snap, &mut c);
    cross_namespace(snap, &c)?;
    if snap.canary.metadata.deletion_timestamp.is_none() {
        renders(snap, &c, router)?;
    }
    c.advice.extend(router::ignored(router, &c));
    let words = Words::new(&c.name, &c.names.target, &c.names.primary, &c.namespace);
    let hash = target_hash(snap, target);
    Ok(Context { snap, answers, now, c, router, words, target, label, hash })
}

/// The strategy is one that the router can do, and what it renders from is there: otherwise nothing may move.
fn renders(snap: &Snapshot, c: &Validated, router: &'static dyn Router) -> Result<(), Stop> {
    let refused = router.refuses(c);
    if !refused.is_empty() {
        return Err(stop("InvalidSpec", refused.join("; ")));
    }
    let made = router.render(c, &snap.objects, Split::to_canary(0), &Cookies::default());
    made.map(drop).map_err(|why| stop("RouteSourceMissing", why.to_string()))
}

fn no_router(provider: &str) -> String {
    if router::retired(provider) {
        return format!("spec.provider: {provider} (its maintainers have given it up)");
    }
    let served: Vec<&str> = router::all().iter().map(|r| r.name()).collect();
    format!("spec.provider: {provider} (served are {})", served.join(", "))
}

fn unserved(list: &[String]) -> Stop {
    let text = list.join(", ");
    Stop {
        problem: Problem::new(
            "NotYetServed",
            format!("not served yet: {text}. Nothing is changed until the spec asks only for what is"),
        ),
        unserved: Some(text),
    }
}

/// The hash of the template as it is now; generation first, so that the same object stored differently by a newer API
/// server is no new revision (design D7).
fn target_hash(snap: &Snapshot, target: &Value) -> String {
    let status = snap.status();
    let same = status.target.as_ref().is_some_and(|t| {
        Some(t.uid.as_str()) == manifest::uid(target) && Some(t.generation) == manifest::generation(target)
    });
    match status.last_applied_spec {
        Some(hash) if same && revision::is_ours(&hash) => hash,
        _ => revision::hash(&target["spec"]["template"]),
    }
}

/// The Canary that keeps what both it and this one want, if there is one.
pub fn older_rival(snap: &Snapshot) -> Option<&crate::snapshot::Rival> {
    let meta = &snap.canary.metadata;
    let ours = (meta.creation_timestamp.as_ref().map(|t| t.0), meta.uid.as_deref().unwrap_or_default());
    snap.rivals.iter().find(|r| (r.created, r.uid.as_str()) < ours)
}

fn ports(
    snap: &Snapshot,
    c: &Validated,
    target: &Value,
    label: &(String, String),
) -> Result<Vec<String>, Stop> {
    let services =
        service::render(c, target, label, &snap.objects).map_err(|why| stop("PortUnresolved", why))?;
    Ok(services.advice)
}

/// MetricTemplates that do not exist: no run is analysed until they do.
fn templates(snap: &Snapshot, c: &mut Validated) {
    for metric in &c.analysis.metrics {
        let Some(template) = &metric.template_ref else { continue };
        let namespace = template.namespace.as_deref().unwrap_or(&c.namespace);
        let name = format!("{namespace}/{}", template.name);
        if !snap.templates.contains(&name) {
            c.faults.push(Problem::new("TemplateMissing", format!(
                "spec.analysis.metrics[{}].templateRef: there is no MetricTemplate {name}: create it or correct the reference",
                metric.name
            )));
        }
    }
}

fn cross_namespace(snap: &Snapshot, c: &Validated) -> Result<(), Stop> {
    let foreign = |ns: &Option<String>| ns.as_deref().is_some_and(|n| !n.is_empty() && n != c.namespace);
    let metric =
        c.analysis.metrics.iter().find(|m| m.template_ref.as_ref().is_some_and(|t| foreign(&t.namespace)));
    match metric {
        Some(metric) if snap.rules.no_cross_namespace_refs => Err(stop(
            "CrossNamespace",
            format!(
                "spec.analysis.metrics[{}].templateRef.namespace names another namespace, which --no-cross-namespace-refs forbids",
                metric.name
            ),
        )),
        _ => Ok(()),
    }
}

/// Said once: the condition changes, and an Event goes with the change.
pub(super) fn refuse(d: &mut Draft, reason: &'static str, message: &str) {
    if d.condition(conditions::ACCEPTED, "False", reason, message) {
        d.say(Note::warning(reason, message));
    }
}

/// A chart's Canary may be seen before its Deployment: that is no mistake until it has lasted.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

fn stopped(snap: &Snapshot, d: &mut Draft, problem: &Problem, unserved: Option<&str>, now: Timestamp) {
    let created = snap.canary.metadata.creation_timestamp.as_ref().map_or(Timestamp::MIN, |t| t.0);
    let patience = after(created, PATIENCE);
    if problem.reason == "TargetMissing" && snap.status().phase.is_none() && now < patience {
        return d.wake_at(patience);
    }
    refuse(d, problem.reason, &problem.message);
    match unserved {
        Some(list) => {
            d.condition(conditions::NOT_YET_SERVED, "True", "NotYetServed", list);
        }
        None => {
            d.clear(conditions::NOT_YET_SERVED);
        }
    }
    d.status.observed_generation = snap.canary.metadata.generation;
    if problem.reason == "TargetMissing" {
        relieve(snap, d, now);
    }
}

/// The target is gone in the middle of a run: its share goes to the primary.
fn relieve(snap: &Snapshot, d: &mut Draft, now: Timestamp) {
    if !d.status.step.as_ref().is_some_and(|s| s.weight > 0 || s.mirrored) {
        return;
    }
    let Ok(c) = validate(&snap.canary, &snap.rules) else { return };
    let Some(router) = router::by_name(&c.provider) else { return };
    if snap.ready(&c.names.primary_service) == 0 {
        return;
    }
    let answers = Answers::default();
    let words = Words::new(&c.name, &c.names.target, &c.names.primary, &c.namespace);
    let cx = Context {
        snap,
        answers: &answers,
        now,
        c,
        router,
        words,
        target: &Value::Null,
        label: Default::default(),
        hash: String::new(),
    };
    d.status.step = Some(cx.step_at(Split::to_canary(0)));
    d.status.canary_weight = 0;
    d.urgent = true;
    ensure::routing(&cx, d, Split::to_canary(0), Because::Wanted);
}

fn accept(cx: &Context<'_>, d: &mut Draft) {
    let first_fault = cx.c.faults.first();
    if let Some(refused) = &cx.snap.refused {
        refuse(d, "ApiRefused", refused);
    } else if let Some(fault) = first_fault {
        refuse(d, fault.reason, &fault.message);
    } else {
        let was_refused = d.find(conditions::ACCEPTED).is_some_and(|c| c.status == "False");
        if d.condition(
            conditions::ACCEPTED,
            "True",
            "Accepted",
            "the spec and its surroundings can be acted on",
        ) && was_refused
        {
            d.say(Note::normal("Accepted", "what was wrong has been mended: going on"));
        }
    }
    listing(d, conditions::NOT_YET_SERVED, "NotYetServed", &cx.c.unserved, cx.c.held);
    listing(d, conditions::ADVISORY, "Advisory", &cx.c.advice, false);
    d.status.observed_generation = cx.snap.canary.metadata.generation;
}

/// A condition that lists things while there are any; a new list is also said.
fn listing(d: &mut Draft, type_: &str, reason: &'static str, list: &[String], held: bool) {
    if list.is_empty() {
        d.clear(type_);
        return;
    }
    let mut text = list.join("; ");
    if held {
        text.push_str(". Runs are held at weight 0 until the spec no longer asks for it");
    }
    if d.condition(type_, "True", reason, &text) {
        d.say(Note::warning(reason, text));
    }
}
