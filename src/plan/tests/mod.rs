//! Tests of the planner.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::{
    phases::{rollback, terminate},
    *,
};
use crate::api::{CanaryStatus, Ending, EndingKind, RunStatus};

fn status(run: Option<(i64, bool)>) -> CanaryStatus {
    let at = MicroTime(Timestamp::UNIX_EPOCH);
    let ending =
        Ending { kind: EndingKind::RollingBack, reason: "X".into(), message: "y".into(), at: at.clone() };
    let run =
        run.map(|(number, ends)| RunStatus { started: at, number, ending: Some(ending).filter(|_| ends) });
    CanaryStatus { run, ..CanaryStatus::default() }
}

#[test]
fn a_run_ends_when_that_is_decided_and_when_it_is_over() {
    let (runs, ending) = (Some((4, false)), Some((4, true)));
    for (before, after, ends) in [
        (runs, Some(runs), false),
        (runs, None, false),
        (runs, Some(ending), true),
        (ending, Some(ending), false),
        (ending, Some(None), true),
        (runs, Some(None), true),
        (runs, Some(Some((5, false))), true),
        (None, Some(runs), false),
        (None, Some(None), false),
    ] {
        let mut plan = PlanBuilder::new(CanaryStatus::default(), Timestamp::UNIX_EPOCH).finish();
        plan.status = after.map(status);
        assert_eq!(plan.ends(&status(before)), ends, "{before:?} → {after:?}");
    }
}

/// The order of a chain is behaviour: what ends a run comes before what raises its weight.
#[test]
fn guards_are_in_this_order() {
    fn names(chain: Chain) -> Vec<&'static str> {
        chain.iter().map(|(name, _)| *name).collect()
    }
    assert_eq!(names(FIRST), ["finalizer", "requests", "abort_requested"]);
    assert_eq!(
        names(initialise::CHAIN),
        [
            "begin",
            "primary_made",
            "autoscaler",
            "primary_ready",
            "side_services",
            "primary_pods",
            "side_services_settled",
            "handover",
            "route",
            "route_settled",
            "route_programmed",
            "apex_service",
            "apex_settled",
            "target_scaled_to_zero",
            "finish",
        ]
    );
    assert_eq!(
        names(progress::CHAIN),
        [
            "rollback_under_way",
            "revision_changed",
            "rollback_webhook",
            "canary_pods_lost",
            "route_lowered",
            "generated_objects",
            "pods_renewed",
            "target_scaled_up",
            "capacity",
            "primary_pods",
            "canary_pods",
            "spec_usable",
            "capacity_to_begin",
            "route_programmed",
            "side_services_followed",
            "skip_analysis",
            "unused_jobs",
            "first_step",
            "step_confirmed",
            "jobs",
            "analysis",
        ]
    );
    assert_eq!(
        names(promote::CHAIN),
        [
            "rollback_under_way",
            "template_stored",
            "target_set_back",
            "target_moved_on",
            "generated_objects",
            "primary_pods_lost",
            "route",
            "primary_template",
            "primary_ready",
            "primary_whole",
            "route_programmed",
            "shift",
        ]
    );
    assert_eq!(
        names(promote::FINALISE),
        [
            "generated_objects",
            "route_settled",
            "route_programmed",
            "all_on_primary",
            "target_scaled_to_zero",
            "succeed",
        ]
    );
    assert_eq!(
        names(idle::CHAIN),
        [
            "adopt",
            "generated_objects",
            "unused_jobs",
            "failure_over",
            "new_revision",
            "nothing_to_start",
            "idle_target",
        ]
    );
    assert_eq!(
        names(rollback::CHAIN),
        [
            "primary_restored",
            "route_and_primary",
            "apex_service",
            "route_settled",
            "route_programmed",
            "target_scaled_to_zero",
            "finish",
        ]
    );
    assert_eq!(
        names(terminate::CHAIN),
        [
            "begin",
            "leave_running",
            "target_serves",
            "given_back",
            "proxies_followed",
            "generated_deleted",
            "release",
        ]
    );
}
