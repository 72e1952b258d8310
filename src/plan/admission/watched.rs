//! The known facts about a Canary that is not accepted: enough to watch a run in progress.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    analysis,
    plan::{
        admission::{
            claims, config_tracking, metric_templates, ownership,
            preconditions::{older_rival, routed_elsewhere},
        },
        analysis::jobs,
        context::Context,
        model::{Answers, Messages},
        objects::autoscaler,
    },
    router::{self, Router, Selected},
    snapshot::Snapshot,
    spec::{Apex, Findings, Problem, Validated, known},
};

/// Reasons for which the objects that serve users may belong to somebody else.
const NOT_OURS: [&str; 3] = ["TargetTaken", "ForeignObject", "TakeoverUnsafe"];

/// With the apex Service as what moves users, if it does so now, whatever is left of the spec says.
fn with_live_apex(c: Validated, snap: &Snapshot) -> Validated {
    let apex = match router::selected(&c, &snap.objects) {
        Some(Selected::Target) => Apex::Switches,
        Some(Selected::Both) => Apex::Shares,
        Some(Selected::Primary) if asks_to_move(snap) => Apex::Switches,
        _ => return c,
    };
    if c.provider == "kubernetes" && c.apex == Apex::Stays { c.with_moving_apex(apex) } else { c }
}

/// The spec, valid or not, lets the apex Service move users.
fn asks_to_move(snap: &Snapshot) -> bool {
    let Some(analysis) = snap.canary.analysis() else { return false };
    let switched = analysis.promotion.as_ref().is_some_and(|p| p.switch_users == Some(true));
    switched || !analysis.steps.is_empty()
}

/// What users meet was made for this Canary: another of its objects belongs to somebody else.
fn serves_users(snap: &Snapshot, c: &Validated, router: &'static dyn Router) -> bool {
    snap.status().in_use.is_some()
        && older_rival(snap).is_none()
        && ownership::serving(snap, c, router).is_ok()
}

/// The context of a Canary that was not accepted; none if this operator must not act on it.
pub(crate) fn watched<'a>(
    snap: &'a Snapshot,
    answers: &'a Answers,
    now: Timestamp,
    problem: &Problem,
) -> Option<Context<'a>> {
    let c = known(&snap.canary, &snap.rules)?;
    let router = router::by_name(&c.provider).filter(|router| !routed_elsewhere(snap, *router))?;
    if NOT_OURS.contains(&problem.reason) && !serves_users(snap, &c, router) {
        return None;
    }
    let (c, _) = claims::bound(&snap.rules, &snap.objects, c, router);
    let c = with_live_apex(c, snap);
    let target = snap.objects.get(c.target.kind(), &c.names.target).unwrap_or(&Value::Null);
    let label = c.target.label(target, &snap.rules.selector_labels).unwrap_or_default();
    let mut findings = Findings::default();
    let mut checks = metric_templates::look(snap, &c, target, &mut findings);
    jobs::look(snap, &c, &mut checks, &label, &mut findings);
    let asks = analysis::asks(&c, &checks, router.queries());
    let messages = Messages::new(&c.name, &c.names.target, &c.names.primary, &c.namespace);
    let scaler = autoscaler::find(snap, &c, &label, &mut findings).ok().flatten();
    let scaler = scaler.filter(|_| ownership::primary_scaler(snap, &c, router).is_ok());
    let configs = config_tracking::look(snap, answers, c.target, target);
    let hash = config_tracking::target_hash(snap, c.target, target, &configs);
    Some(Context {
        snap,
        answers,
        now,
        rejected: true,
        resumed: false,
        c,
        checks,
        findings: Findings::default(),
        router,
        messages,
        asks,
        target,
        label,
        configs,
        scaler,
        scaler_problem: None,
        hash,
    })
}
