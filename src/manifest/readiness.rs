//! Whether the pods of a Deployment or DaemonSet are ready, by Flagger's rules and in its words.

use serde_json::Value;

use super::json::{self, generation};

/// The progress of a Deployment.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Rollout {
    /// Enough pods of the current template are available, and no others are left.
    Ready,
    /// Not yet.
    Waiting {
        /// What it waits for.
        why: String,
    },
    /// Not within the deadline: waiting longer is unlikely to help.
    Stuck {
        /// What is missing.
        why: String,
    },
}

impl Rollout {
    /// Why it is not ready.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Ready => None,
            Self::Waiting { why } | Self::Stuck { why } => Some(why),
        }
    }

    /// Why no requests may be sent to these pods yet, and whether they are stuck. None: they are ready, and some of them are
    /// `behind` their Service.
    pub fn unserving(self, behind: bool) -> Option<(String, bool)> {
        match self {
            Self::Ready if behind => None,
            Self::Ready => Some(("its pods are not yet behind the Service".to_owned(), false)),
            Self::Waiting { why } => Some((why, false)),
            Self::Stuck { why } => Some((why, true)),
        }
    }
}

/// Judges a Deployment. `threshold` is the percentage of updated replicas that must be available (0 to 100, but at least
/// one pod). Scaled to zero is not ready. It is stuck if the Deployment's
/// controller says so, by its own clock; the planner notes its own waiting time in the Canary's status.
pub fn rollout(deployment: &Value, threshold: i32) -> Rollout {
    let status = &deployment["status"];
    let observed = status["observedGeneration"].as_i64().unwrap_or(0);
    let waiting = |what: String| format!("waiting for rollout to finish: {what}");
    if generation(deployment).unwrap_or(0) > observed {
        let why = waiting("observed deployment generation less than desired generation".into());
        return Rollout::Waiting { why };
    }
    if condition(status, "Progressing").is_some_and(|c| c["reason"] == "ProgressDeadlineExceeded") {
        let name = deployment["metadata"]["name"].as_str().unwrap_or_default();
        return Rollout::Stuck { why: format!("deployment {name:?} exceeded its progress deadline") };
    }
    let desired = json::replicas(deployment);
    if deployment["spec"]["paused"] == true && status["updatedReplicas"].as_i64().unwrap_or(0) < desired {
        return Rollout::Waiting { why: "it is paused: resume it with kubectl rollout resume".into() };
    }
    if desired == 0 {
        return Rollout::Waiting { why: "scaled to zero".into() };
    }
    let count = |field: &str| status[field].as_i64().unwrap_or(0);
    let (all, updated, available) = (count("replicas"), count("updatedReplicas"), count("availableReplicas"));
    let threshold = i64::from(threshold.clamp(0, 100));
    let why = if updated < desired {
        waiting(format!("{updated} out of {desired} new replicas have been updated"))
    } else if all > updated {
        waiting(format!("{} old replicas are pending termination", all - updated))
    } else if available < (updated.saturating_mul(threshold) / 100).max(1) {
        waiting(format!(
            "{available} of {updated} (readyThreshold {threshold}%) updated replicas are available"
        ))
    } else {
        return Rollout::Ready;
    };
    Rollout::Waiting { why }
}

/// Ready pods in the status of a Deployment or DaemonSet.
pub fn ready_pods(workload: &Value) -> i64 {
    // the API server leaves a count of 0 out of a Deployment's status
    let count = |field: &str| workload["status"][field].as_i64().unwrap_or(0);
    count("readyReplicas").max(count("numberReady"))
}

/// No earlier pod is left: the Deployment's controller has seen that none is wanted.
pub fn empty(deployment: &Value) -> bool {
    let count = |field: &str| deployment["status"][field].as_i64().unwrap_or(0);
    count("observedGeneration") >= generation(deployment).unwrap_or(0) && count("replicas") == 0
}

/// Judges a DaemonSet: `threshold` as for [`rollout`]. A DaemonSet that wants no pods, or that no node matches, is not
/// ready. It has no clock of its own.
pub fn on_nodes(daemon_set: &Value, threshold: i32) -> Rollout {
    let status = &daemon_set["status"];
    let count = |field: &str| status[field].as_i64().unwrap_or(0);
    let waiting = |what: String| Rollout::Waiting { why: format!("waiting for rollout to finish: {what}") };
    if generation(daemon_set).unwrap_or(0) > count("observedGeneration") {
        return waiting("observed daemonset generation less than desired generation".into());
    }
    let (wanted, updated) = (count("desiredNumberScheduled"), count("updatedNumberScheduled"));
    if wanted == 0 {
        return Rollout::Waiting { why: "no node is to run a pod of it".into() };
    }
    if updated < wanted {
        return waiting(format!("{updated} out of {wanted} new pods have been updated"));
    }
    let (threshold, available) = (i64::from(threshold.clamp(0, 100)), count("numberAvailable"));
    if available < (wanted.saturating_mul(threshold) / 100).max(1) {
        return waiting(format!(
            "{available} of {wanted} (readyThreshold {threshold}%) updated pods are available"
        ));
    }
    Rollout::Ready
}

/// No pod of the DaemonSet is left on any node: its controller has seen that none is wanted.
pub fn nowhere(daemon_set: &Value) -> bool {
    let count = |field: &str| daemon_set["status"][field].as_i64().unwrap_or(0);
    let left = ["desiredNumberScheduled", "currentNumberScheduled", "numberMisscheduled"];
    count("observedGeneration") >= generation(daemon_set).unwrap_or(0)
        && left.into_iter().all(|f| count(f) == 0)
}

/// The controller of the DaemonSet has counted the nodes that are to run a pod of it, and found none.
pub fn is_on_no_node(daemon_set: &Value) -> bool {
    let observed = daemon_set["status"]["observedGeneration"].as_i64().unwrap_or(0);
    observed >= generation(daemon_set).unwrap_or(0) && wanted_on_nodes(daemon_set) == 0
}

/// Number of nodes that are to run a pod of the DaemonSet.
pub fn wanted_on_nodes(daemon_set: &Value) -> i64 {
    daemon_set["status"]["desiredNumberScheduled"].as_i64().unwrap_or(0)
}

/// At least half of the `wanted` pods of a Deployment or DaemonSet are available, at least one, whatever their template
/// and however long its rollout has taken. Its controller has seen the last change.
pub fn half_available(workload: &Value, wanted: i64) -> bool {
    let count = |field: &str| workload["status"][field].as_i64().unwrap_or(0);
    let available = count("availableReplicas").max(count("numberAvailable"));
    count("observedGeneration") >= generation(workload).unwrap_or(0) && available >= (wanted / 2).max(1)
}

/// A rollout of the Deployment may leave it without pods: all of them are replaced at once.
pub fn replaced_at_once(deployment: &Value) -> bool {
    let (strategy, pods) = (&deployment["spec"]["strategy"], json::replicas(deployment).max(1));
    if strategy["type"] == "Recreate" {
        return true;
    }
    let rolling = &strategy["rollingUpdate"];
    let percent = |value: &Value| value.as_str().and_then(|text| text.strip_suffix('%')?.parse::<i64>().ok());
    // the Deployment's controller rounds this down, and the surge up
    let unavailable = &rolling["maxUnavailable"];
    let share = percent(unavailable).map(|percent| pods.saturating_mul(percent) / 100);
    let unavailable = unavailable.as_i64().or(share).unwrap_or(pods / 4);
    let none = |value: &Value| value.as_i64().or(percent(value)) == Some(0);
    // if both are zero, one pod is unavailable
    unavailable.max(i64::from(none(&rolling["maxSurge"]))) >= pods
}

/// A rolling update of the DaemonSet may leave it without pods, judging by the number of pods in its status.
pub fn all_at_once(daemon_set: &Value) -> bool {
    let pods = daemon_set["status"]["desiredNumberScheduled"].as_i64().unwrap_or(0);
    let rolling = &daemon_set["spec"]["updateStrategy"]["rollingUpdate"];
    let share = |value: &Value, or: i64| {
        let percent = value.as_str().and_then(|text| text.strip_suffix('%')?.parse::<i64>().ok());
        let of_pods = percent.map(|percent| pods.saturating_mul(percent).saturating_add(99) / 100);
        value.as_i64().or(of_pods).unwrap_or(or)
    };
    pods > 0 && share(&rolling["maxSurge"], 0) == 0 && share(&rolling["maxUnavailable"], 1) >= pods
}

fn condition<'a>(status: &'a Value, of: &str) -> Option<&'a Value> {
    status["conditions"].as_array()?.iter().find(|c| c["type"] == of)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(desired: i64, all: i64, updated: i64, available: i64) -> Value {
        json!({
            "metadata": {"name": "podinfo", "generation": 2}, "spec": {"replicas": desired},
            "status": {
                "observedGeneration": 2, "replicas": all, "updatedReplicas": updated, "availableReplicas": available,
                "conditions": [
                    {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"},
                    {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable",
                     "lastUpdateTime": "2026-01-01T00:09:30Z"},
                ],
            },
        })
    }

    fn why(deployment: &Value, threshold: i32) -> String {
        rollout(deployment, threshold).why().unwrap_or("ready").to_owned()
    }

    #[test]
    fn the_words_are_flaggers() {
        let texts = [
            (deployment(2, 2, 2, 2), "ready"),
            (deployment(0, 0, 0, 0), "scaled to zero"),
            (
                deployment(2, 1, 1, 1),
                "waiting for rollout to finish: 1 out of 2 new replicas have been updated",
            ),
            (deployment(2, 3, 2, 2), "waiting for rollout to finish: 1 old replicas are pending termination"),
            (
                deployment(2, 2, 2, 0),
                "waiting for rollout to finish: 0 of 2 (readyThreshold 100%) updated replicas are available",
            ),
        ];
        for (deployment, text) in texts {
            assert_eq!(why(&deployment, 100), text);
        }
        let mut unseen = deployment(2, 2, 2, 2);
        unseen["metadata"]["generation"] = json!(3);
        let text =
            "waiting for rollout to finish: observed deployment generation less than desired generation";
        assert_eq!(why(&unseen, 100), text);
    }

    #[test]
    fn a_threshold_still_wants_one_pod() {
        assert_eq!(why(&deployment(4, 4, 4, 2), 50), "ready");
        assert_ne!(why(&deployment(4, 4, 4, 1), 50), "ready");
        assert_ne!(why(&deployment(1, 1, 1, 0), 50), "ready", "half of one pod is still one pod");
        assert_ne!(why(&deployment(1, 1, 1, 0), 0), "ready");
    }

    #[test]
    fn past_the_deadline_it_is_stuck() {
        let mut late = deployment(2, 2, 2, 0);
        // c19: not by the controller's clock against ours
        late["status"]["conditions"][1]["lastUpdateTime"] = json!("2026-01-01T00:08:59Z");
        assert!(matches!(rollout(&late, 100), Rollout::Waiting { .. }));
        late["status"]["conditions"][0]["reason"] = json!("ProgressDeadlineExceeded");
        assert!(matches!(rollout(&late, 100), Rollout::Stuck { .. }));
        assert_eq!(why(&late, 100), "deployment \"podinfo\" exceeded its progress deadline");
    }

    #[test]
    fn half_of_the_pods_are_enough_however_long_the_rollout_takes() {
        let mut late = deployment(4, 5, 3, 2);
        late["status"]["conditions"][0]["reason"] = json!("ProgressDeadlineExceeded");
        assert!(half_available(&late, 4));
        assert!(!half_available(&deployment(4, 4, 4, 1), 4));
        assert!(!half_available(&deployment(1, 1, 1, 0), 1), "half of one pod is still one pod");
        late["metadata"]["generation"] = json!(3);
        assert!(!half_available(&late, 4), "counted before the last change");
        // with maxUnavailable 1, a pod on a dead node stops the update of all others
        let daemons = json!({
            "metadata": {"generation": 2},
            "status": {"observedGeneration": 2, "desiredNumberScheduled": 4, "updatedNumberScheduled": 1, "numberAvailable": 3},
        });
        assert!(half_available(&daemons, wanted_on_nodes(&daemons)) && !is_on_no_node(&daemons));
    }

    #[test]
    fn c8_a_rollout_that_may_leave_no_pod_is_known() {
        let of =
            |replicas: i64, strategy: Value| json!({"spec": {"replicas": replicas, "strategy": strategy}});
        let rolling = |unavailable: Value, surge: Value| json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": unavailable, "maxSurge": surge}});
        for (deployment, none) in [
            (of(3, json!({"type": "Recreate"})), true),
            (of(3, rolling(json!("100%"), json!("25%"))), true),
            (of(3, rolling(json!(3), json!(1))), true),
            (of(3, rolling(json!(5), json!(1))), true),
            (of(1, rolling(json!(1), json!(1))), true),
            (of(1, rolling(json!(0), json!(0))), true),
            (of(3, rolling(json!("99%"), json!(0))), false),
            (of(1, rolling(json!("25%"), json!("25%"))), false),
            (of(1, json!(null)), false),
            (of(3, json!("odd")), false),
        ] {
            assert_eq!(replaced_at_once(&deployment), none, "{deployment}");
        }
    }

    #[test]
    fn nonsense_is_not_ready() {
        for odd in [json!(null), json!({"status": []}), json!({"spec": {"replicas": "x"}})] {
            assert_ne!(rollout(&odd, 100), Rollout::Ready);
        }
    }
}
