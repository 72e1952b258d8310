use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::plan::{Wake, builder::PlanBuilder};

fn verdict(status: &serde_json::Value) -> (String, bool, bool) {
    let status: CanaryStatus = serde_json::from_value(status.clone()).unwrap();
    let [ready, reconciling, stalled] = wanted(&status).map(|(_, wanted)| wanted);
    let ready = ready.map(|(status, reason, _)| format!("{status} {reason}")).unwrap_or_default();
    (ready, reconciling.is_some(), stalled.is_some())
}

fn condition(type_: &str, status: &str, reason: &str) -> serde_json::Value {
    json!({"type": type_, "status": status, "reason": reason, "message": "why"})
}

#[test]
fn k6_tools_wait_during_a_run_and_fail_after_a_rollback() {
    let frozen = condition("Frozen", "True", "MetricsUnavailable");
    let suspended = condition("Suspended", "True", "Suspended");
    let queued = condition("Queued", "True", "Queued");
    let refused = condition("Accepted", "False", "TargetMissing");
    let declined = condition("Promoted", "False", "Declined");
    let ending = json!({"started": "2026-01-01T00:00:00Z", "ending": {
        "kind": "RollingBack", "reason": "ThresholdReached", "message": "m", "at": "2026-01-01T00:00:00Z",
    }});
    for (status, ready) in [
        (json!({"phase": "Initializing"}), "Unknown Initializing"),
        (json!({"phase": "Initialized"}), "True Promoted"),
        (json!({"phase": "Progressing"}), "Unknown Progressing"),
        (json!({"phase": "Progressing", "conditions": [frozen]}), "Unknown Frozen"),
        (json!({"phase": "Progressing", "conditions": [suspended]}), "Unknown Suspended"),
        (json!({"phase": "Progressing", "run": ending}), "Unknown Ending"),
        (json!({"phase": "Waiting"}), "Unknown WaitingForApproval"),
        (json!({"phase": "Waiting", "conditions": [queued]}), "Unknown Queued"),
        (json!({"phase": "WaitingPromotion", "conditions": [frozen]}), "Unknown WaitingForApproval"),
        (json!({"phase": "Promoting"}), "Unknown Promoting"),
        (json!({"phase": "Finalising"}), "Unknown Promoting"),
        (json!({"phase": "Succeeded"}), "True Promoted"),
        (json!({"phase": "Succeeded", "conditions": [suspended]}), "True Suspended"),
        (json!({"phase": "Failed"}), "False NotPromoted"),
        (json!({"phase": "Failed", "conditions": [suspended]}), "False NotPromoted"),
        (json!({"phase": "Progressing", "conditions": [refused]}), "False TargetMissing"),
        (json!({"phase": "Terminating", "conditions": [refused]}), "Unknown Terminating"),
        (
            json!({"phase": "Succeeded", "lastAppliedSpec": "b", "lastPromotedSpec": "a", "conditions": [declined]}),
            "False Declined",
        ),
        (json!({"phase": "Succeeded", "lastAppliedSpec": "b", "lastPromotedSpec": "a"}), "False NotPromoted"),
        (json!({"canaryWeight": 0}), ""),
    ] {
        let unknown = ready.starts_with("Unknown");
        let failed = ready.starts_with("False");
        assert_eq!(verdict(&status), (ready.to_owned(), unknown, failed), "{status}");
    }
}

#[test]
fn k6_the_reason_of_a_rollback_is_that_of_its_run() {
    let last = |revision: &str| {
        json!({"phase": "Failed", "lastAppliedSpec": revision, "lastRun": {
            "name": "app-2", "number": 2, "revision": "b", "outcome": "RolledBack", "reason": "LimitReached",
            "message": "why", "failedChecks": 1, "started": "2026-01-01T00:00:00Z", "ended": "2026-01-01T00:01:00Z",
        }})
    };
    assert_eq!(verdict(&last("b")).0, "False LimitReached");
    assert_eq!(verdict(&last("c")).0, "False NotPromoted", "another revision");
}

/// The recorded generation and the next wake-up, one pass after generation 2 was seen at `at`.
fn follows(phase: Phase, now: i64, at: i64) -> (Option<i64>, Wake) {
    let time = |second| Timestamp::from_second(second).unwrap();
    let old = CanaryStatus { phase: Some(phase), observed_generation: Some(1), ..CanaryStatus::default() };
    let mut draft = PlanBuilder::new(old, time(now));
    draft.follow_generation(Some(2), time(at));
    let plan = draft.finish();
    (plan.status.and_then(|status| status.observed_generation), plan.wake)
}

#[test]
fn k6_an_edit_at_rest_is_followed_once_the_target_has_been_seen_as_well() {
    let at = Wake::At(Timestamp::from_second(11).unwrap());
    assert_eq!(follows(Phase::Succeeded, 10, 11), (None, at), "tools go on waiting");
    assert_eq!(follows(Phase::Succeeded, 11, 11), (Some(2), Wake::Now));
    assert_eq!(follows(Phase::Progressing, 10, 11), (Some(2), Wake::Now), "the run says so by itself");
}
