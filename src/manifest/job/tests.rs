use serde_json::{Value, json};

use super::*;
use crate::snapshot::CANARY;

fn template(spec: &Value) -> JobTemplate {
    serde_json::from_value(json!({"metadata": {"labels": {"team": "blue"}}, "spec": spec})).unwrap()
}

fn made_of(spec: &Value) -> Value {
    let marks = Marks {
        name: "chip-2-warm-up-1",
        canary: "chip",
        uid: "u-1",
        metric: "warm-up",
        owner: (CANARY, "chip", "u-1"),
    };
    manifest(&template(spec), &marks).to_create()
}

fn pod(of: &str, status: &Value) -> Value {
    let owner = json!([{"kind": "Job", "name": "j", "uid": of, "controller": true}]);
    json!({"metadata": {"name": "p", "ownerReferences": owner}, "status": status})
}

fn waiting(reason: &str, message: &str) -> Value {
    let state = json!({"waiting": {"reason": reason, "message": message}});
    json!({"phase": "Pending", "containerStatuses": [{"name": "load", "image": "load:1", "state": state}]})
}

fn job(status: &Value) -> Value {
    json!({"metadata": {"name": "j", "uid": "j-1"}, "status": status})
}

#[test]
fn a_job_has_defaults_marks_and_an_owner() {
    let made = made_of(&json!({"template": {"spec": {"containers": [{"name": "load"}]}}}));
    let spec = &made["spec"];
    assert_eq!(
        (&spec["activeDeadlineSeconds"], &spec["backoffLimit"], &spec["ttlSecondsAfterFinished"]),
        (&json!(600), &json!(0), &json!(3600))
    );
    assert_eq!(spec["template"]["spec"]["restartPolicy"], "Never");
    for labels in [&made["metadata"]["labels"], &spec["template"]["metadata"]["labels"]] {
        assert_eq!(
            (&labels["serin.dev/canary"], &labels["serin.dev/metric"]),
            (&json!("chip"), &json!("warm-up"))
        );
    }
    assert_eq!(made["metadata"]["labels"]["team"], "blue");
    assert_eq!(controller_of(&made), Some(("Canary", "chip", "u-1")));
    assert!(is_of(&made, "chip", "u-1") && !is_of(&made, "chip", "u-2") && !is_of(&made, "chop", "u-1"));
    let own = made_of(&json!({
        "activeDeadlineSeconds": 5, "backoffLimit": 1,
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"restartPolicy": "OnFailure"}},
    }));
    assert_eq!((deadline(&own), &own["spec"]["backoffLimit"]), (5, &json!(1)));
    assert_eq!(own["spec"]["template"]["metadata"]["labels"]["a"], "b");
    assert_eq!(own["spec"]["template"]["spec"]["restartPolicy"], "OnFailure");
}

#[test]
fn the_end_of_a_job_is_in_its_conditions() {
    let with = |type_: &str, status: &str, reason: &str| {
        let condition = json!({"type": type_, "status": status, "reason": reason, "message": "said"});
        job(&json!({"active": 1, "conditions": [{"type": "Suspended", "status": "True"}, condition]}))
    };
    let course = |job: &Value| course(job, std::iter::empty());
    assert_eq!(course(&with("Complete", "True", "")), Course::Succeeded);
    assert_eq!(course(&with("Complete", "False", "")), Course::Waiting(None));
    let why = "BackoffLimitExceeded: said".to_owned();
    assert_eq!(course(&with("Failed", "True", "BackoffLimitExceeded")), Course::Failed { late: false, why });
    let why = "DeadlineExceeded: said".to_owned();
    assert_eq!(course(&with("Failed", "True", "DeadlineExceeded")), Course::Failed { late: true, why });
    assert!(ended(&with("Failed", "True", "x")) && !ended(&with("FailureTarget", "True", "x")));
}

#[test]
fn what_keeps_a_job_from_starting_is_told_by_its_own_pods() {
    let waits = |pods: &[Value]| course(&job(&json!({"active": 1})), pods.iter());
    let image = Course::Waiting(Some("container load cannot get its image load:1 (ErrImagePull)".into()));
    assert_eq!(waits(&[pod("j-1", &waiting("ErrImagePull", "manifest unknown"))]), image);
    assert_eq!(waits(&[pod("j-1", &waiting("ImagePullBackOff", "Back-off pulling image"))]), image);
    let config = Course::Waiting(Some("container load waits: CreateContainerConfigError: no secret".into()));
    assert_eq!(waits(&[pod("j-1", &waiting("CreateContainerConfigError", "no secret"))]), config);
    assert_eq!(waits(&[pod("j-1", &waiting("ContainerCreating", ""))]), Course::Waiting(None));
    assert_eq!(waits(&[pod("other", &waiting("ErrImagePull", ""))]), Course::Waiting(None));
    let unplaced = json!({"conditions": [{"type": "PodScheduled", "status": "False"}]});
    assert_eq!(waits(&[pod("j-1", &unplaced)]), Course::Waiting(Some("no node takes its pod".into())));
    let runs = json!({"containerStatuses": [{"name": "load", "state": {"running": {"startedAt": "x"}}}]});
    assert_eq!(waits(&[pod("j-1", &runs)]), Course::Running);
    assert_eq!(course(&job(&json!({"active": 1, "ready": 1})), std::iter::empty()), Course::Running);
    let ended = |end: &Value| json!({"containerStatuses": [{"name": "load", "state": {"terminated": end}}]});
    let done = ended(&json!({"exitCode": 0, "startedAt": "2026-01-01T00:00:00Z"}));
    assert_eq!(waits(&[pod("j-1", &done)]), Course::Running);
    // as a kubelet leaves one whose image was never pulled
    let killed = ended(&json!({"exitCode": 137, "reason": "ContainerStatusUnknown", "startedAt": null}));
    assert_eq!(waits(&[pod("j-1", &killed)]), Course::Waiting(None));
    assert_eq!(course(&job(&json!({"failed": 1})), std::iter::empty()), Course::Waiting(None));
}

#[test]
fn a_failed_job_says_how_its_container_ended() {
    let failed =
        json!({"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]});
    let state = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
    let pods = [pod("j-1", &json!({"containerStatuses": [{"name": "load", "state": state}]}))];
    let why = "container load ended with exit code 137 (OOMKilled); BackoffLimitExceeded".to_owned();
    assert_eq!(course(&job(&failed), pods.iter()), Course::Failed { late: false, why });
}
