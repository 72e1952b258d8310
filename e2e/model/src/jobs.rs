//! Metrics that are Jobs, in a model: tests write the status that the controllers of Jobs and pods would set.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use serin::{
    api::{MetricOutcome, MetricStatus},
    names::{self, conditions},
    plan::{self, Action, Plan},
    snapshot::{CANARY_RUN, JOB, ObjectRef, POD, RefusedJob, Snapshot},
};

use crate::{
    fixture,
    sim::{Sim, Trouble},
};

const NAME: &str = "podinfo-2-warm-up-1";

/// An idle Canary with a Job metric.
fn resting() -> Sim {
    let metric = json!({"name": "warm-up", "templateRef": {"name": "warm-up"}, "count": 1});
    let mut world = fixture::world(&json!({"analysis": {"metrics": [metric]}}));
    let pod = json!({"spec": {"containers": [{"name": "load", "image": "load:1"}]}});
    let template = json!({"provider": {"type": "job"}, "job": {"spec": {"template": pod}}});
    world.templates.insert("test/warm-up".into(), serde_json::from_value(template).unwrap());
    let mut sim = Sim::new(world, "podinfo");
    sim.advance(Duration::from_secs(30));
    sim
}

/// A run with a Job that has been created and seen.
fn warming() -> Sim {
    let mut sim = resting();
    fixture::set_image(&mut sim, "podinfo:2");
    sim.advance(Duration::from_secs(8));
    assert!(sim.world.objects.get(JOB, NAME).is_some(), "{}", sim.log.join("\n"));
    sim
}

fn decide(sim: &Sim, edit: impl FnOnce(&mut Snapshot)) -> Plan {
    let mut snap = sim.snapshot().unwrap();
    edit(&mut snap);
    let answers = sim.answer(&plan::questions(&snap, sim.now));
    plan::decide(&snap, &answers, sim.now)
}

fn metric(plan: &Plan) -> MetricStatus {
    plan.status.as_ref().expect("nothing is written").metrics[0].clone()
}

fn says(plan: &Plan, type_: &str) -> (String, String) {
    let all = &plan.status.as_ref().expect("nothing is written").conditions;
    let found = all.iter().find(|c| c.type_ == type_).unwrap_or_else(|| panic!("no {type_}: {all:?}"));
    (found.reason.clone(), found.message.clone())
}

fn job(sim: &mut Sim, status: &Value) {
    assert!(sim.world.edit(&ObjectRef::new(JOB, NAME), &json!({"status": status})));
}

fn late() -> Value {
    json!({"conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "late"}]})
}

/// The Job's pod, with one container in this state.
fn pod(sim: &mut Sim, state: &Value) {
    let uid = sim.world.objects.get(JOB, NAME).unwrap()["metadata"]["uid"].clone();
    let owner = json!([{"kind": "Job", "name": NAME, "uid": uid, "controller": true}]);
    let containers = json!([{"name": "load", "image": "load:1", "state": state}]);
    let pod = json!({
        "metadata": {"name": "p", "ownerReferences": owner}, "status": {"containerStatuses": containers},
    });
    sim.world.objects.insert(POD, pod);
}

#[test]
fn none_is_made_twice_for_a_measurement_whenever_the_operator_dies() {
    for plan in 0..12 {
        for writes in 0..3 {
            let mut sim = resting();
            sim.trouble_at = Some((sim.plans + plan, Trouble::CrashAfter(writes)));
            fixture::set_image(&mut sim, "podinfo:2");
            sim.advance(Duration::from_secs(15));
            let made = sim.log.iter().filter(|line| line.starts_with("create Job")).count();
            assert_eq!((made, sim.world.objects.of(JOB).count()), (1, 1), "{}", sim.log.join("\n"));
            job(&mut sim, &json!({"conditions": [{"type": "Complete", "status": "True"}]}));
            sim.advance(Duration::from_secs(120));
            let made = sim.log.iter().filter(|line| line.starts_with("create Job")).count();
            let status = sim.world.status();
            assert_eq!(
                (made, status.last_applied_spec == status.last_promoted_spec),
                (1, true),
                "{status:?}"
            );
            sim.verdict().unwrap();
        }
    }
}

#[test]
fn one_that_is_refused_is_an_error_and_not_held_against_the_revision() {
    let mut sim = resting();
    fixture::set_image(&mut sim, "podinfo:2");
    sim.advance(Duration::from_secs(8));
    sim.world.objects.remove(&ObjectRef::new(JOB, NAME));
    sim.world.edit_canary(&json!({"status": {"metrics": null}}));
    let why = format!("create Job {NAME}: exceeded quota: none");
    let refused = RefusedJob { name: NAME.into(), why: why.clone() };
    let plan = decide(&sim, |snap| snap.refused_job = Some(refused));
    let metric = metric(&plan);
    assert_eq!((metric.outcome, metric.errors_in_row, metric.jobs), (Some(MetricOutcome::Error), 1, Some(1)));
    let (reason, message) = says(&plan, conditions::FROZEN);
    assert!(reason == "MetricErrors" && message.contains(&why), "{message}");
    assert!(message.contains("spec.job of MetricTemplate test/warm-up"), "{message}");
    assert_eq!(plan.status.unwrap().failed_checks, 0);
}

#[test]
fn what_keeps_one_from_starting_is_told_once_and_kept_until_its_deadline() {
    let mut sim = warming();
    let waiting = |reason: &str| json!({"waiting": {"reason": reason, "message": format!("{reason}!")}});
    pod(&mut sim, &waiting("ErrImagePull"));
    let plan = decide(&sim, |_| {});
    let (reason, message) = says(&plan, conditions::JOB_ENDED);
    assert_eq!(reason, "JobNotStarting");
    assert!(plan.notes.iter().any(|note| note.message == message && note.alert.is_some()), "{plan:?}");
    sim.settle();
    for reason in ["ImagePullBackOff", "ErrImagePull", "ContainerCreating"] {
        pod(&mut sim, &waiting(reason));
        let plan = decide(&sim, |_| {});
        assert!(plan.is_empty(), "{reason}: {plan:?}");
    }
    sim.world.objects.remove(&ObjectRef::new(POD, "p"));
    job(&mut sim, &late());
    let plan = decide(&sim, |_| {});
    let metric = metric(&plan);
    assert_eq!(metric.outcome, Some(MetricOutcome::Error));
    assert!(
        metric.message.contains("within its deadline of 600 s: container load cannot get its image load:1"),
        "{metric:?}"
    );
}

#[test]
fn one_that_ran_too_long_has_failed() {
    let mut sim = warming();
    pod(&mut sim, &json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}));
    assert_eq!(says(&decide(&sim, |_| {}), conditions::JOB_ENDED).0, "JobRunning");
    sim.settle();
    sim.world.objects.remove(&ObjectRef::new(POD, "p"));
    job(&mut sim, &late());
    let plan = decide(&sim, |_| {});
    assert_eq!((metric(&plan).outcome, metric(&plan).value.as_str()), (Some(MetricOutcome::Fail), "0"));
    assert_eq!(plan.status.unwrap().failed_checks, 1);
}

/// A status from an older version, or from an API server with an older Canary definition.
fn without_states(snap: &mut Snapshot) {
    for metric in &mut Arc::make_mut(&mut snap.canary).status.as_mut().unwrap().metrics {
        (metric.job_state, metric.job_message) = (None, String::new());
    }
}

#[test]
fn where_its_state_is_not_stored_the_condition_tells() {
    let mut sim = warming();
    pod(&mut sim, &json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}));
    sim.settle();
    let plan = decide(&sim, without_states);
    assert!(plan.is_empty(), "it is written again: {plan:?}");
    sim.world.objects.remove(&ObjectRef::new(POD, "p"));
    job(&mut sim, &late());
    let failed = metric(&decide(&sim, without_states));
    assert_eq!(failed.outcome, Some(MetricOutcome::Fail), "{}", failed.message);
}

#[test]
fn one_of_a_former_canary_is_left_alone() {
    let mut sim = warming();
    let former = json!({"metadata": {"annotations": {names::ANNOTATION_CANARY_UID: "another"}}});
    sim.world.edit(&ObjectRef::new(JOB, NAME), &former);
    let plan = decide(&sim, |_| {});
    assert!(metric(&plan).message.contains("not of this run"), "{plan:?}");
    let touched = |action: &Action| {
        matches!(action, Action::Delete { .. } | Action::Patch { .. }) && action.kind() == JOB
    };
    sim.advance(Duration::from_secs(30));
    assert!(!plan.actions.iter().any(touched) && sim.world.objects.get(JOB, NAME).is_some());
    assert!(sim.world.objects.get(JOB, "podinfo-2-warm-up-2").is_some(), "{}", sim.log.join("\n"));
}

#[test]
fn one_goes_on_while_the_records_of_runs_are_not_known() {
    let mut sim = warming();
    job(&mut sim, &json!({"conditions": [{"type": "Complete", "status": "True"}]}));
    let plan = decide(&sim, |snap| {
        snap.records.known = false;
        snap.objects.remove(&ObjectRef::new(CANARY_RUN, "podinfo-2"));
    });
    assert_eq!(metric(&plan).outcome, Some(MetricOutcome::Pass), "{plan:?}");
}

#[test]
fn without_the_right_to_see_jobs_runs_with_one_are_held() {
    let sim = resting();
    let plan = decide(&sim, |snap| snap.forbidden_kinds = vec![JOB.crd()]);
    let (reason, message) = says(&plan, conditions::ACCEPTED);
    assert!(reason == "ApiRefused" && message.contains("jobs.batch"), "{message}");
}
