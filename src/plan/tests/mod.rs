//! Tests of the planner.

mod chains;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::*;
use crate::api::{CanaryStatus, Ending, EndingKind, RunStatus};

fn status(run: Option<(i64, bool)>) -> CanaryStatus {
    let at = MicroTime(Timestamp::UNIX_EPOCH);
    let ending =
        Ending { kind: EndingKind::RollingBack, reason: "X".into(), message: "y".into(), at: at.clone() };
    let run = run.map(|(number, ends)| RunStatus {
        started: at,
        number,
        replicas: None,
        taken: None,
        paused: None,
        finish: None,
        ending: Some(ending).filter(|_| ends),
    });
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
