//! The target's own limits of a rolling update, and what they allow with shares of pods.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde_json::{Value, json};

use crate::{
    manifest::readiness,
    plan::{context::Context, model::pod_shares},
    spec::Apex,
};

/// Number of pods at the start of the target: at most its first share, and at most the surge.
pub(crate) fn first(cx: &Context<'_>) -> i64 {
    let first = cx.c.schedule.first().map_or(1, |step| pod_shares::parts(cx.whole(), step.weight).1);
    first.min(Limits::of(cx).surge).max(1)
}

/// Since when the decided share is being made.
pub(crate) fn since(cx: &Context<'_>) -> Option<MicroTime> {
    (cx.c.apex == Apex::Shares).then_some(MicroTime(cx.now))
}

/// The run uses shares of pods, or did when it began: the target's replicas say nothing about the primary's.
pub(crate) fn shares_pods(cx: &Context<'_>) -> bool {
    cx.c.apex == Apex::Shares || cx.step().since.is_some()
}

/// A rolling update of this many pods may replace all of them at once.
pub(crate) fn replaces_all(target: &Value, pods: i64) -> bool {
    let strategy = &target["spec"]["strategy"];
    readiness::replaced_at_once(&json!({"spec": {"strategy": strategy, "replicas": pods}}))
}

/// The target's own limits of a rolling update, in pods.
pub(crate) struct Limits {
    /// At least 1: a share begins with one more pod.
    pub(crate) surge: i64,
    pub(crate) unavailable: i64,
}

impl Limits {
    pub(crate) fn of(cx: &Context<'_>) -> Self {
        let whole = cx.whole();
        let rolling = &cx.target["spec"]["strategy"]["rollingUpdate"];
        let surge = pods(&rolling["maxSurge"], whole, 99).max(1);
        let unavailable = pods(&rolling["maxUnavailable"], whole, 0).clamp(0, whole - 1);
        Self { surge, unavailable }
    }
}

/// A number of pods, or a percentage of the whole rounded as in `round` (99 up, 0 down); 25 % if it is neither.
fn pods(value: &Value, whole: i64, round: i64) -> i64 {
    let percent = |text: &str| text.strip_suffix('%')?.parse::<i64>().ok();
    value.as_i64().unwrap_or_else(|| {
        let percent = value.as_str().and_then(percent).unwrap_or(25).clamp(0, 100);
        (whole.saturating_mul(percent).saturating_add(round)) / 100
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_the_deployment_controller_does() {
        assert_eq!((pods(&json!("25%"), 10, 99), pods(&json!("25%"), 10, 0)), (3, 2));
        assert_eq!((pods(&json!(4), 10, 0), pods(&json!(null), 4, 0), pods(&json!("x"), 4, 0)), (4, 1, 1));
    }

    #[test]
    fn c8_pods_that_are_all_replaced_at_once_are_told() {
        let of = |strategy: Value| json!({"spec": {"strategy": strategy, "replicas": 1}});
        let three = of(json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 3}}));
        assert!(replaces_all(&of(json!({"type": "Recreate"})), 10));
        assert!(
            replaces_all(&three, 3) && !replaces_all(&three, 10),
            "of the pods, not of the target's present ones"
        );
        assert!(!replaces_all(&of(json!(null)), 1));
    }
}
