//! The order of the guards is behaviour: these tests fix it.

use crate::plan::{
    FIRST,
    chain::Chain,
    phases::{idle, initialise, not_accepted, progress, promote, rollback, terminate},
};

fn names(chain: Chain) -> Vec<&'static str> {
    chain.iter().map(|(name, _)| *name).collect()
}

#[test]
fn every_phase_begins_with_these_guards() {
    assert_eq!(
        names(FIRST),
        ["finalizer", "requests", "abort_requested", "pause_requested", "step_requested", "finish_requested"]
    );
}

#[test]
fn a_canary_is_set_up_in_this_order() {
    assert_eq!(
        names(initialise::CHAIN),
        [
            "begin",
            "on_healthy_side",
            "primary_made",
            "autoscaler",
            "primary_sized",
            "primary_ready",
            "side_services",
            "led_objects",
            "primary_pods",
            "side_services_settled",
            "route",
            "route_settled",
            "route_programmed",
            "apex_service",
            "apex_settled",
            "target_scaled_to_zero",
            "finish",
        ]
    );
}

#[test]
fn what_ends_a_run_comes_before_what_raises_its_weight() {
    assert_eq!(
        names(progress::CHAIN),
        [
            "rollback_under_way",
            "revision_changed",
            "limit_lowered",
            "rollback_webhook",
            "canary_pods_taken",
            "canary_pods_lost",
            "audience_changed",
            "canary_astray",
            "schedule_edited",
            "route_lowered",
            "found_worse",
            "bad_checks",
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
            "held",
            "skip_analysis",
            "unused_jobs",
            "first_step",
            "step_confirmed",
            "jobs",
            "analysis",
        ]
    );
}

#[test]
fn a_run_that_is_not_accepted_is_watched_in_this_order() {
    let watched = [
        "abort_requested",
        "rollback_under_way",
        "route_to_nobody",
        "in_a_run",
        "target_changed",
        "canary_pods_taken",
        "canary_pods_lost",
        "pinned_to_nobody",
        "primary_pods_lost",
        "found_worse",
        "bad_checks",
    ];
    assert_eq!(names(not_accepted::CHAIN), watched);
}

#[test]
fn what_is_removed_with_its_target_goes_in_this_order() {
    assert_eq!(names(terminate::REMOVED), ["begin", "adopted_given_back", "generated_deleted", "release"]);
}

#[test]
fn a_promotion_goes_in_this_order() {
    assert_eq!(
        names(promote::CHAIN),
        [
            "rollback_under_way",
            "canary_pods_lost",
            "refused_too_long",
            "template_stored",
            "target_set_back",
            "target_moved_on",
            "generated_objects",
            "target_scaled_up",
            "primary_pods_lost",
            "route",
            "everyone_on_canary",
            "primary_template",
            "primary_ready",
            "primary_whole",
            "route_programmed",
            "shift",
        ]
    );
}

#[test]
fn a_promotion_is_finished_in_this_order() {
    assert_eq!(
        names(promote::FINALISE),
        [
            "generated_objects",
            "route_settled",
            "route_programmed",
            "all_on_primary",
            "target_scaled_to_zero",
            "fewer_pods",
            "succeed",
        ]
    );
}

#[test]
fn a_canary_at_rest_is_looked_at_in_this_order() {
    assert_eq!(
        names(idle::CHAIN),
        [
            "adopt",
            "configs_orphaned",
            "generated_objects",
            "unused_jobs",
            "failure_over",
            "new_revision",
            "nothing_to_start",
            "idle_target",
        ]
    );
}

#[test]
fn a_run_is_ended_in_this_order() {
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
}

#[test]
fn everything_is_given_back_in_these_guards() {
    assert_eq!(
        names(terminate::CHAIN),
        [
            "begin",
            "target_lost",
            "on_healthy_side",
            "leave_running",
            "target_serves",
            "given_back",
            "led_back",
            "proxies_followed",
            "generated_deleted",
            "autoscaler_released",
            "release",
        ]
    );
}
