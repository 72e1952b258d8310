//! The processor time of a pass and an event with few and with many Canaries in a namespace, each with objects of a
//! realistic size, independent of the machine's other load. Printed, not asserted: `cargo test --release -p serin --lib
//! cost_of_a_pass -- --ignored --nocapture`.

use std::time::Duration;

use serde_json::json;

use super::{tests::seen, *};
use crate::{
    manifest::{pod_policies, revision},
    plan,
    snapshot::INGRESS,
};

/// A pod template of 7 kB.
fn template(name: &str) -> Value {
    let env = |at: usize| {
        let from = json!({"secretKeyRef": {"name": format!("{name}-settings"), "key": format!("key-{at}")}});
        json!({"name": format!("SETTING_NUMBER_{at}"), "valueFrom": from})
    };
    let probe = json!({"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"}, "periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 3, "successThreshold": 1});
    let container = |at: usize| {
        json!({
            "name": format!("c{at}"), "image": format!("registry.example.com/team/{name}@sha256:{}", "0".repeat(64)),
            "env": (0..25).map(env).collect::<Vec<_>>(), "readinessProbe": probe, "livenessProbe": probe,
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "resources": {"limits": {"cpu": "1", "memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": true},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent",
        })
    };
    json!({
        "metadata": {"labels": {"app": name, "tier": "web"}, "annotations": {"prometheus.io/scrape": "true"}},
        "spec": {"containers": [container(0), container(1)], "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler"},
    })
}

fn object(kind: Kind, name: &str, labels: &Value, rest: &Value) -> (Kind, Value) {
    let managed = |manager: &str| json!({"manager": manager, "operation": "Update", "apiVersion": kind.api_version(), "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"c0\"}": {".": {}, "f:env": {}, "f:image": {}, "f:name": {}}}}}}}});
    let meta = json!({
        "name": name, "namespace": "n", "resourceVersion": "5", "uid": name, "generation": 3, "labels": labels,
        "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": [managed("helm"), managed("kube-controller-manager")],
    });
    let mut object = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": meta});
    object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    (kind, object)
}

fn workload(name: &str) -> Value {
    json!({
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template(name)},
        "status": {"replicas": 2, "readyReplicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "observedGeneration": 3},
    })
}

/// An idle application that has been released several times.
fn application(name: &str) -> Vec<(Kind, Value)> {
    let (primary, none) = (names::primary(name), json!({}));
    let own = json!({names::LABEL_CANARY: name, names::LABEL_TEMPLATE_OF: primary});
    let hash = revision::hash(&template(name));
    let target = json!({"kind": "Deployment", "apiVersion": "apps/v1", "name": name});
    let metrics = json!([
        {"name": "request-success-rate", "interval": "1m", "thresholdRange": {"min": 99}},
        {"name": "request-duration", "interval": "1m", "thresholdRange": {"max": 500}},
    ]);
    let spec = json!({
        "targetRef": target, "provider": "kubernetes", "service": {"port": 80, "targetPort": "http"},
        "analysis": {"interval": "15s", "threshold": 2, "iterations": 5, "metrics": metrics},
    });
    let condition = |of: &str| json!({"type": of, "status": "True", "reason": "Succeeded", "message": "Canary analysis completed successfully, promotion finished.", "lastTransitionTime": "2026-01-01T00:00:00Z", "lastUpdateTime": "2026-01-01T00:00:00Z"});
    let status = json!({
        "phase": "Succeeded", "epoch": 3, "failedChecks": 0, "canaryWeight": 0, "iterations": 0, "lastAppliedSpec": hash,
        "lastPromotedSpec": hash, "conditions": (["Promoted", "Accepted", "Ready", "Observed", "Recorded"].map(condition)),
    });
    let mut all = vec![
        object(CANARY, name, &none, &json!({"spec": spec, "status": status})),
        object(DEPLOYMENT, name, &none, &workload(name)),
        object(DEPLOYMENT, &primary, &own, &workload(&primary)),
    ];
    for service in [name.to_owned(), primary.clone(), names::canary(name)] {
        all.push(object(SERVICE, &service, &own, &json!({"spec": {"selector": {"app": service}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}})));
    }
    for kind in pod_policies::KINDS {
        let selector = json!({"matchLabels": {"app": name}});
        all.push(object(
            kind,
            name,
            &none,
            &json!({"spec": {"podSelector": selector, "selector": selector, "ingress": [{}]}}),
        ));
    }
    for number in 1..4 {
        let data = json!({"hash": if number == 3 { hash.clone() } else { format!("{number}") }, "template": template(name), "spec": {}, "replicas": 2});
        all.push(object(
            REVISION,
            &format!("{primary}-{number}"),
            &own,
            &json!({"data": data, "revision": number}),
        ));
        let record = json!({"spec": {"number": number, "canary": name}, "status": {"phase": "Promoted"}});
        all.push(object(CANARY_RUN, &format!("{name}-{number}"), &own, &record));
    }
    all
}

fn crowd(number: usize) -> ObjectCache {
    let (cache, _) = seen("kubernetes");
    for kind in [HPA, SCALED_OBJECT, CANARY_RUN, INGRESS] {
        cache.listed(kind, &BTreeSet::new());
    }
    for number in 0..number {
        for (kind, object) in application(&format!("web-{number}")) {
            cache.insert(kind, object);
        }
    }
    cache
}

/// Processor time of this thread: the first number of schedstat, in nanoseconds.
fn used() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

fn mean(times: u32, mut action: impl FnMut()) -> Duration {
    let before = used();
    (0..times).for_each(|_| action());
    used().saturating_sub(before) / times
}

#[test]
#[ignore = "prints how long a pass takes"]
fn cost_of_a_pass() {
    let (rules, key) = (Rules::default(), ("n".to_owned(), "web-7".to_owned()));
    let now = "2026-02-01T00:00:00Z".parse().unwrap();
    for number in [20, 300] {
        let cache = crowd(number);
        let look = || gather(&cache, &rules, &key, now).unwrap();
        let looked = mean(50, || drop(look()));
        let snap = look();
        let decided = mean(50, || drop(plan::begin(&snap, now)));
        let all: Vec<Key> = (0..number).map(|n| ("n".to_owned(), format!("web-{n}"))).collect();
        let round = mean(1, || all.iter().for_each(|key| drop(gather(&cache, &rules, key, now).unwrap())));
        println!(
            "{number} Canaries: gather {looked:?}, gather of each in turn {:?}, decide {decided:?}",
            round / number as u32
        );
        let all = application("web-7");
        for at in [0, 1, 3, 6, 8] {
            let (kind, object) = &all[at];
            let mut version = 100;
            let event = mean(50, || {
                let mut object = object.clone();
                version += 1;
                object["metadata"]["resourceVersion"] = json!(version.to_string());
                drop(cache.insert(*kind, object));
            });
            println!("  event of a {} ({} bytes): {event:?}", kind.kind, object.to_string().len());
        }
    }
}
