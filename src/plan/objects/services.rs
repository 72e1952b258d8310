//! The Services in front of the primary and of the target.
//!
//! If the side of the new version is a copy of the target, it has a revision and a time of its last change. It gets
//! another revision only while it has no traffic, and is used once everything in front of it has learned of that.
//! For workloads, whose Services always select the same pods, all of this holds by itself.

use serde_json::{Map, Value};

use crate::{
    api::Phase,
    manifest::{self, ChangedBy, Manifest, json},
    names,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::flow::{Flow, GO_ON, WAIT, all},
        objects::{
            service_ports,
            write::{self, WriteReason},
        },
        sides,
    },
    router::Split,
    snapshot::SERVICE,
};

/// Whether the canary's Service should get another revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Revised {
    /// No.
    No,
    /// Yes, now.
    Now,
    /// Not yet: the revision is not on trial.
    Later,
    /// Yes, once no traffic goes there any more and proxies have learned of that.
    Wait,
}

/// Compares the revision of the canary's Service with the `wanted` one.
pub(crate) fn revised(cx: &Context<'_>, d: &mut PlanBuilder, wanted: &Manifest) -> Revised {
    let Some(live) = cx.snap.objects.get(SERVICE, &wanted.name) else { return Revised::No };
    let of = |object| manifest::annotation(object, names::ANNOTATION_REVISION);
    // if only the note of it was edited, users meet the same as before
    if of(live) == of(&wanted.body) || cx.c.target.intact(live, wanted) {
        return Revised::No;
    }
    if cx.promoted().is_some() && cx.applied() != Some(cx.hash.as_str()) {
        // a trial begins with the status
        return Revised::Later;
    }
    let unused = cx.live_split().is_none_or(|live| live == Split::to_canary(0));
    if unused && d.reached(cx.route_settled_at()).is_continue() {
        return Revised::Now;
    }
    // users leave it as soon as the primary is promoted
    if is_left(cx) { Revised::Later } else { Revised::Wait }
}

/// The sides are copies, and a promotion takes users to the primary: it is not held up by the canary's side.
fn is_left(cx: &Context<'_>) -> bool {
    cx.c.target.is_copied() && matches!(cx.phase(), Phase::Promoting | Phase::Finalising)
}

/// A copy in front of the new version leads to another revision than the one on trial, which cannot be corrected while
/// users are there: not at all, or not now.
pub(crate) fn is_astray(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let canary = sides::rendered(cx).filter(|_| cx.c.target.is_copied()).and_then(|sides| sides.canary);
    let Some(canary) = canary else { return false };
    let held = || {
        let live = cx.snap.objects.get(SERVICE, &canary.name);
        let differs = live.is_some_and(|live| !cx.c.target.intact(live, &canary));
        differs && cx.snap.writes.is_held(&(canary.at(), canary.manager), cx.now)
    };
    match revised(cx, d, &canary) {
        Revised::Wait => true,
        Revised::No => held(),
        Revised::Now | Revised::Later => false,
    }
}

/// Waits until proxies have had time to learn of the last change of a side, if it may lead to other pods or another port
/// of them.
pub(crate) fn followed(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let replaced = cx.phase() == Phase::Promoting && cx.step().weight == 100;
    if cx.c.target.is_copied() || replaced { d.reached(cx.sides_settled_at()) } else { GO_ON }
}

/// The Services in front of the primary and of the target.
pub(crate) fn side_services(cx: &Context<'_>, d: &mut PlanBuilder, why: WriteReason) -> Flow {
    let Some(services) = sides::rendered(cx) else { return WAIT };
    let primary = |d: &mut PlanBuilder| {
        services.primary.map_or(GO_ON, |mut primary| {
            forget_port(cx, &mut primary);
            let why = reason(cx, &primary, why);
            let primary = service_ports::keeping(cx, d, primary);
            write::object(cx, d, primary, why)
        })
    };
    let Some(canary) = services.canary else { return primary(d) };
    match revised(cx, d, &canary) {
        Revised::No => {
            let why = reason(cx, &canary, why);
            let canary = service_ports::keeping(cx, d, canary);
            let canary = write::object(cx, d, canary, why);
            all([if canary == WAIT && is_left(cx) { GO_ON } else { canary }, primary(d)])
        }
        Revised::Now => all([write::object(cx, d, canary, WriteReason::Wanted), primary(d)]),
        Revised::Later => primary(d),
        Revised::Wait => all([primary(d), WAIT]),
    }
}

/// Why a Service is not as wanted, if it is not because somebody changed it.
pub(crate) fn reason(cx: &Context<'_>, wanted: &Manifest, why: WriteReason) -> WriteReason {
    let Some(live) = cx.snap.objects.get(SERVICE, &wanted.name) else { return why };
    if is_widely_selected(live, wanted) || has_other_ports(live, wanted) { WriteReason::Wanted } else { why }
}

/// Between runs the former port of the primary is no longer needed: another template may use it for something else.
fn forget_port(cx: &Context<'_>, primary: &mut Manifest) {
    let live = cx.snap.objects.get(SERVICE, &primary.name);
    let noted = live.and_then(|live| manifest::annotation(live, names::ANNOTATION_TARGET_PORT)).is_some();
    if noted && cx.status().run.is_none() && cx.phase() != Phase::Promoting && cx.phase() != Phase::Finalising
    {
        json::set(
            &mut primary.body,
            &["metadata", "annotations", names::ANNOTATION_TARGET_PORT],
            Value::Null,
        );
    }
}

/// Only its ports differ, or the note of a former one, and Serin wrote the live ones: that side has another template.
fn has_other_ports(live: &Value, wanted: &Manifest) -> bool {
    let mut patch = manifest::patch(live, wanted).unwrap_or_default();
    if let Some(annotations) = patch["metadata"]["annotations"].as_object_mut() {
        annotations.remove(names::ANNOTATION_TARGET_PORT);
    }
    let empty = |value: &Value| value.as_object().is_none_or(Map::is_empty);
    let noted = patch["metadata"].as_object_mut().is_none_or(|all| {
        all.retain(|_, value| !empty(value));
        all.is_empty()
    });
    let only = |value: &Value, key: &str| value.as_object().is_some_and(|all| all.keys().eq([key]));
    let by_others = matches!(manifest::changed_by(live), ChangedBy::Manager(_));
    noted && (patch["spec"].is_null() || only(&patch["spec"], "ports")) && !by_others
}

/// The live Service selects by some of the wanted labels, as an earlier version created it, and was not changed since.
fn is_widely_selected(live: &Value, wanted: &Manifest) -> bool {
    let (live, wanted) = (&live["spec"]["selector"], &wanted.body["spec"]["selector"]);
    let (Some(has), Some(wants)) = (live.as_object(), wanted.as_object()) else { return false };
    !has.is_empty() && has.len() < wants.len() && has.iter().all(|(key, value)| wants.get(key) == Some(value))
}
