use super::*;
use crate::{
    manifest::{
        fixture::{self, merge},
        patch,
    },
    tests::policies::by,
};

fn daemon_set(nodes: i64, updated: i64, available: i64) -> Value {
    let mut live = fixture::target();
    merge(
        &mut live,
        &json!({
            "kind": "DaemonSet", "metadata": {"generation": 2},
            "spec": {"replicas": null, "strategy": null, "updateStrategy": {
                "type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0},
            }},
            "status": {
                "observedGeneration": 2, "desiredNumberScheduled": nodes, "currentNumberScheduled": nodes,
                "updatedNumberScheduled": updated, "numberAvailable": available,
            },
        }),
    );
    live
}

fn of_daemons(service: &Value) -> Validated {
    let mut c = fixture::canary(service);
    c.target = Target::DaemonSet;
    c
}

fn label() -> (String, String) {
    ("app".into(), "podinfo".into())
}

#[test]
fn asking_a_daemon_set_for_no_pods_makes_no_revision() {
    let kind = Target::DaemonSet;
    for selector in [Value::Null, json!({"disk": "ssd"})] {
        let mut live = daemon_set(2, 2, 2);
        live["spec"]["template"]["spec"]["nodeSelector"] = selector.clone();
        get::drop_nulls(&mut live);
        let before = kind.revision(&live).into_owned();
        assert_eq!((kind.asked(&live), before == live["spec"]["template"]), (1, true));
        for (pods, asked) in [(0, 0), (0, 0), (3, 1)] {
            let Some(Ask::Patch(change)) = kind.ask(pods) else { panic!("no patch for {pods}") };
            merge(&mut live, &change);
            assert_eq!(kind.asked(&live), asked);
            assert_eq!(*kind.revision(&live), before, "asked for {pods}");
        }
    }
}

#[test]
fn the_primary_of_an_empty_daemon_set_is_not_empty() {
    let (kind, c) = (Target::DaemonSet, of_daemons(&json!({})));
    let mut live = daemon_set(0, 0, 0);
    live["spec"]["template"]["spec"]["nodeSelector"] = json!({"flagger.app/scale-to-zero": "true"});
    live["spec"]["template"]["spec"]["affinity"] = json!({"podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": {"matchLabels": {"app": "podinfo"}}}]
    }});
    let made = kind.primary(&c, &live, &kind.source(&live), &label(), (3, "h"), &[]);
    let body = kind.created(made, &live, &label(), 5).body;
    assert_eq!((body["kind"].as_str(), body["apiVersion"].as_str()), (Some("DaemonSet"), Some("apps/v1")));
    assert_eq!(body["spec"]["template"]["spec"]["nodeSelector"], Value::Null);
    assert_eq!(body["spec"]["replicas"], Value::Null);
    assert_eq!(body["spec"]["updateStrategy"], live["spec"]["updateStrategy"]);
    assert_eq!(body["spec"]["template"]["metadata"]["labels"]["app"], "podinfo-primary");
    let affinity = &body["spec"]["template"]["spec"]["affinity"];
    assert_eq!(*affinity, live["spec"]["template"]["spec"]["affinity"], "no affinity is rewritten");
}

#[test]
fn a_daemon_set_is_ready_when_enough_nodes_have_the_new_pod() {
    let why = |live: &Value, threshold| {
        let rollout = Target::DaemonSet.rollout(live, 0, threshold);
        rollout.why().unwrap_or("ready").to_owned()
    };
    let texts = [
        (daemon_set(2, 2, 2), "ready"),
        (daemon_set(0, 0, 0), "no node is to run a pod of it"),
        (daemon_set(3, 1, 3), "waiting for rollout to finish: 1 out of 3 new pods have been updated"),
        (
            daemon_set(3, 3, 2),
            "waiting for rollout to finish: 2 of 3 (readyThreshold 100%) updated pods are available",
        ),
    ];
    for (live, text) in texts {
        assert_eq!(why(&live, 100), text);
    }
    assert_eq!(why(&daemon_set(4, 4, 2), 50), "ready");
    assert_ne!(why(&daemon_set(1, 1, 0), 0), "ready", "a threshold still wants one pod");
    let mut unseen = daemon_set(2, 2, 2);
    unseen["metadata"]["generation"] = json!(3);
    assert!(why(&unseen, 100).contains("observed daemonset generation less than desired"));
    assert_ne!(why(&Value::Null, 100), "ready");
}

#[test]
fn a_daemon_set_is_empty_once_no_node_has_a_pod() {
    let mut live = daemon_set(0, 0, 0);
    assert!(Target::DaemonSet.is_empty(&live));
    live["status"]["numberMisscheduled"] = json!(1);
    assert!(!Target::DaemonSet.is_empty(&live), "a pod is still on a node that is no longer meant");
    live["status"]["numberMisscheduled"] = json!(0);
    live["metadata"]["generation"] = json!(3);
    assert!(!Target::DaemonSet.is_empty(&live), "not looked at yet");
}

#[test]
fn a_daemon_set_that_loses_all_its_pods_at_once_is_advised_against() {
    let c = of_daemons(&json!({}));
    let advice = |nodes: i64, rolling: Value| {
        let mut live = daemon_set(nodes, nodes, nodes);
        live["spec"]["updateStrategy"]["rollingUpdate"] = rolling;
        Target::DaemonSet.advice(&c, &live, &Objects::default()).len()
    };
    assert_eq!(advice(1, json!({"maxUnavailable": 1, "maxSurge": 0})), 1);
    assert_eq!(advice(2, json!({"maxUnavailable": "100%", "maxSurge": 0})), 1);
    assert_eq!(advice(2, json!({"maxUnavailable": 1, "maxSurge": 0})), 0);
    assert_eq!(advice(1, json!({"maxUnavailable": 0, "maxSurge": 1})), 0);
    assert_eq!(advice(0, json!({"maxUnavailable": 1})), 0, "the number is not known yet");
    let mut live = daemon_set(2, 2, 2);
    assert_eq!(Target::DaemonSet.unfit(&live), None);
    live["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
    assert!(Target::DaemonSet.unfit(&live).unwrap().contains("OnDelete"));
}

fn service(spec: &Value) -> Value {
    let mut whole = json!({
        "type": "ClusterIP", "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster", "sessionAffinity": "None",
        "selector": {"app": "podinfo", "version": "1"},
        "ports": [{"name": "http", "port": 80, "targetPort": 9898, "protocol": "TCP"}],
    });
    merge(&mut whole, spec);
    let metadata = json!({
        "name": "podinfo", "namespace": "test", "uid": "u1", "resourceVersion": "1",
        "labels": {"team": "a", "app": "podinfo"}, "annotations": {"external-dns/hostname": "x"},
    });
    json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": whole})
}

fn of_service() -> Validated {
    let mut c = fixture::canary(&json!({}));
    c.target = Target::Service;
    c
}

fn made(c: &Validated, live: &Value, prefixes: &[String]) -> Manifest {
    let kind = Target::Service;
    let made = kind.primary(c, live, &kind.source(live), &Default::default(), (3, "h"), prefixes);
    kind.created(made, live, &Default::default(), 2)
}

#[test]
fn only_where_a_service_leads_makes_a_revision() {
    let kind = Target::Service;
    let plain = kind.revision(&service(&json!({}))).into_owned();
    let same = [
        json!({"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [
            {"name": "http", "port": 80, "targetPort": 9898, "protocol": "TCP", "nodePort": 30000}
        ]}),
        json!({"clusterIP": "10.0.0.9", "clusterIPs": ["10.0.0.9"], "externalIPs": ["1.2.3.4"]}),
    ];
    for spec in same {
        assert_eq!(*kind.revision(&service(&spec)), plain, "{spec}");
    }
    let other = [
        json!({"selector": {"version": "2"}}),
        json!({"type": "ExternalName", "externalName": "example.com", "selector": null}),
        json!({"ports": [{"name": "http", "port": 80, "targetPort": 1, "protocol": "TCP"}]}),
        json!({"sessionAffinity": "ClientIP"}),
    ];
    for spec in other {
        assert_ne!(*kind.revision(&service(&spec)), plain, "{spec}");
    }
}

#[test]
fn a_copy_of_a_service_stays_within_the_cluster() {
    let c = of_service();
    let live = service(&json!({"type": "LoadBalancer", "loadBalancerClass": "x", "ports": [
        {"name": "http", "port": 80, "targetPort": 9898, "protocol": "TCP", "nodePort": 30000}
    ]}));
    let body = made(&c, &live, &["te".to_owned()]).to_create();
    assert_eq!(
        body["spec"],
        json!({
            "type": "ClusterIP", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster", "sessionAffinity": "None",
            "selector": {"app": "podinfo", "version": "1"},
            "ports": [{"name": "http", "port": 80, "targetPort": 9898, "protocol": "TCP"}],
        })
    );
    assert_eq!(body["metadata"]["name"], "podinfo-primary");
    assert_eq!(body["metadata"]["labels"], json!({"team": "a", names::LABEL_CANARY: "podinfo"}));
    let annotations = get::strings(&body["metadata"]["annotations"]);
    assert!(!annotations.contains_key("external-dns/hostname"), "another object would claim the same name");
    let headless = made(&c, &service(&json!({"clusterIP": "None"})), &[]);
    assert_eq!(headless.body["spec"]["clusterIP"], "None");
}

#[test]
fn a_copy_follows_from_one_type_to_another() {
    let (kind, c) = (Target::Service, of_service());
    let mut copy = made(&c, &service(&json!({})), &[]).to_create();
    copy["spec"]["clusterIP"] = json!("10.0.0.7");
    let outside = service(&json!({
        "type": "ExternalName", "externalName": "example.com", "selector": null, "clusterIP": null,
        "clusterIPs": null, "ipFamilies": null, "ipFamilyPolicy": null, "internalTrafficPolicy": null,
    }));
    for (live, name) in [(&outside, Some("example.com")), (&service(&json!({})), None)] {
        let want = kind.primary(&c, live, &kind.source(live), &Default::default(), (4, "h2"), &[]);
        assert!(!kind.intact(&copy, &want));
        let change = patch(&copy, &want).unwrap();
        merge(&mut copy, &change);
        assert_eq!(copy["spec"]["externalName"].as_str(), name);
        assert_eq!(copy["spec"]["selector"].is_null(), name.is_some());
        assert!(kind.intact(&copy, &want));
    }
}

#[test]
fn f14_copies_of_a_service_pass_the_policies() {
    let (kind, c) = (Target::Service, of_service());
    let refused = |old: &Value, new: &Value| by(("", "services"), old, new).refused();
    let named = |name: &str| {
        service(&json!({"type": "ExternalName", "externalName": name, "selector": null, "clusterIP": null,
            "clusterIPs": null, "ipFamilies": null, "ipFamilyPolicy": null, "internalTrafficPolicy": null}))
    };
    let sides = |live: &Value| {
        let canary =
            kind.sides(&c, live, &Default::default(), &Objects::default(), &[]).unwrap().canary.unwrap();
        [made(&c, live, &[]), canary]
    };
    let (inside, outside) = (service(&json!({})), named("one.example.com"));
    for first in [&inside, &outside] {
        for (at, side) in sides(first).iter().enumerate() {
            let mut copy = side.to_create();
            assert_eq!(refused(&Value::Null, &copy), Vec::<String>::new());
            for next in [&outside, &named("two.example.com"), &inside] {
                let before = copy.clone();
                merge(&mut copy, &patch(&before, &sides(next)[at]).unwrap_or(json!({})));
                assert_eq!(refused(&before, &copy), Vec::<String>::new(), "{before} {copy}");
            }
            assert_eq!(refused(&copy, &Value::Null), Vec::<String>::new());
        }
    }
}

#[test]
fn a_port_that_the_target_does_not_have_is_named() {
    let mut c = of_service();
    c.service.port = 81;
    let sides = |live: &Value| Target::Service.sides(&c, live, &Default::default(), &Objects::default(), &[]);
    let why = sides(&service(&json!({}))).unwrap_err();
    assert!(why.contains("spec.service.port") && why.contains("[80]"), "{why}");
    let outside = service(&json!({"type": "ExternalName", "externalName": "x", "ports": null}));
    let sides = sides(&outside).unwrap();
    assert_eq!(
        (sides.apex, sides.primary, sides.canary.unwrap().name.as_str()),
        (None, None, "podinfo-canary")
    );
}

#[test]
fn a_deployment_that_loses_all_its_pods_at_once_is_advised_against_where_users_cannot_leave_it() {
    let advice = |provider: &str, kind: &str| {
        let mut c = fixture::canary(&json!({}));
        c.provider = provider.into();
        let mut live = fixture::target();
        live["spec"]["strategy"] = json!({"type": kind});
        Target::Deployment.advice(&c, &live, &Objects::default())
    };
    for provider in ["kubernetes", "nginx"] {
        let said = advice(provider, "Recreate");
        assert!(said.len() == 1 && said[0].contains(provider), "{said:?}");
        assert!(advice(provider, "RollingUpdate").is_empty());
    }
    assert!(advice("istio", "Recreate").is_empty());
    let mut c = of_daemons(&json!({}));
    c.provider = "nginx".into();
    let mut live = daemon_set(2, 2, 2);
    live["spec"]["updateStrategy"]["rollingUpdate"] = json!({"maxUnavailable": "100%", "maxSurge": 0});
    let said = Target::DaemonSet.advice(&c, &live, &Objects::default());
    assert!(said.len() == 1 && said[0].contains("nginx"), "{said:?}");
}
