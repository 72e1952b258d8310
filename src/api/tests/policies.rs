//! What the shipped admission policies let pass and what they refuse.

use kube::core::cel::VapExpression;
use serde_json::{Value, json};

use crate::{
    api::request::Request,
    tests::policies::{Write, by, inlined, policies},
};

const DEPLOYMENTS: (&str, &str) = ("apps", "deployments");
const DAEMONSETS: (&str, &str) = ("apps", "daemonsets");
const SERVICES: (&str, &str) = ("", "services");
const SECRETS: (&str, &str) = ("", "secrets");
const CONFIG_MAPS: (&str, &str) = ("", "configmaps");
const JOBS: (&str, &str) = ("batch", "jobs");

fn object(name: &str, labels: &Value) -> Value {
    json!({"metadata": {"name": name, "labels": labels}, "spec": {}})
}

fn ours(name: &str) -> Value {
    object(name, &json!({"serin.dev/canary": "app"}))
}

fn daemons(image: &str, selector: &Value) -> Value {
    let pod = json!({"containers": [{"name": "app", "image": image}], "nodeSelector": selector});
    json!({"metadata": {"name": "app"}, "spec": {"template": {"spec": pod}}})
}

fn copy(immutable: bool) -> Value {
    let labels = json!({"serin.dev/canary": "app"});
    let metadata =
        json!({"name": "env-primary-1", "labels": labels, "annotations": {"serin.dev/checksum": "1"}});
    json!({"metadata": metadata, "immutable": immutable})
}

/// A copy that Flagger made, without data and owner if they are null.
fn flaggers_copy(data: &Value, owner: &Value) -> Value {
    let mut copy = json!({"metadata": {"name": "env-primary", "labels": {"team": "a"}}, "type": "Opaque"});
    for (field, value) in [("/data", data), ("/metadata/ownerReferences", owner)] {
        let (at, field) = field.rsplit_once('/').unwrap_or_default();
        if !value.is_null() {
            copy.pointer_mut(at).unwrap()[field] = value.clone();
        }
    }
    copy
}

#[test]
fn f14_what_the_operator_does_passes_its_policies() {
    let flaggers = json!({"metadata": {"name": "app-primary",
        "ownerReferences": [{"kind": "Canary", "apiVersion": "flagger.app/v1beta1", "name": "app"}]}, "spec": {}});
    let zero = json!({"flagger.app/scale-to-zero": "true"});
    let paused = json!({"metadata": {"name": "app", "annotations": {"autoscaling.keda.sh/paused-replicas": "0"}}, "spec": {}});
    let none = Value::Null;
    let owner = &flaggers["metadata"]["ownerReferences"];
    let data = json!({"a": "MQ=="});
    let metric = object("app-run-1", &json!({"serin.dev/canary": "app", "serin.dev/metric": "m"}));
    for (resource, old, new) in [
        (DEPLOYMENTS, &none, &ours("app-primary")),
        (DEPLOYMENTS, &ours("app-primary"), &ours("app-primary")),
        (DEPLOYMENTS, &ours("app-primary"), &none),
        (DEPLOYMENTS, &flaggers, &ours("app-primary")),
        (("apps", "controllerrevisions"), &none, &ours("app-primary-1")),
        (DAEMONSETS, &daemons("a", &none), &daemons("a", &zero)),
        (SECRETS, &none, &copy(true)),
        (SECRETS, &copy(true), &none),
        (SECRETS, &flaggers_copy(&data, owner), &flaggers_copy(&data, &none)),
        (CONFIG_MAPS, &flaggers_copy(&none, owner), &flaggers_copy(&none, &none)),
        (SERVICES, &none, &ours("app-canary")),
        (SERVICES, &object("app", &json!({})), &ours("app")),
        (("keda.sh", "scaledobjects"), &object("app", &json!({})), &paused),
        (JOBS, &none, &metric),
        (JOBS, &metric, &none),
    ] {
        let write = by(resource, old, new);
        assert_eq!(write.refused(), Vec::<String>::new(), "{} {resource:?}", write.operation());
    }
}

#[test]
fn f14_what_the_operator_never_does_is_refused_to_its_account() {
    let (none, plain) = (Value::Null, |name| object(name, &json!({})));
    let mut outside = ours("app");
    outside["spec"]["externalIPs"] = json!(["192.0.2.1"]);
    let mut elsewhere = ours("app");
    elsewhere["spec"] = json!({"type": "ExternalName", "externalName": "example.com"});
    // as a copy of a Service, under a name that is none of a copy's; and of somebody else
    let mut named = elsewhere.clone();
    named["metadata"]["annotations"] = json!({"serin.dev/revision": "1"});
    let mut copied = named.clone();
    copied["metadata"]["name"] = json!("app-primary");
    let mut side = elsewhere.clone();
    side["metadata"]["name"] = json!("app-primary");
    let owner = json!([{"kind": "Canary", "apiVersion": "flagger.app/v1beta1", "name": "app"}]);
    let data = json!({"a": "MQ=="});
    let mut labelled = flaggers_copy(&data, &none);
    labelled["metadata"]["labels"]["team"] = json!("b");
    let mut noted = flaggers_copy(&data, &none);
    noted["metadata"]["annotations"] = json!({"kubernetes.io/service-account.name": "admin"});
    let mut typed = flaggers_copy(&data, &none);
    typed["type"] = json!("kubernetes.io/tls");
    let mut binary = flaggers_copy(&data, &none);
    binary["binaryData"] = json!({"b": "MQ=="});
    for (resource, old, new, said) in [
        (DEPLOYMENTS, &none, &plain("app-primary"), "label"),
        (DEPLOYMENTS, &none, &ours("app"), "-primary"),
        (DEPLOYMENTS, &plain("coredns"), &plain("coredns"), "changes only"),
        (DEPLOYMENTS, &plain("coredns"), &ours("coredns"), "changes only"),
        (DEPLOYMENTS, &plain("coredns"), &none, "removes only"),
        (DAEMONSETS, &daemons("a", &none), &daemons("b", &none), "node selector only"),
        (DAEMONSETS, &none, &ours("evil"), "-primary"),
        (("apps", "controllerrevisions"), &plain("web-1"), &none, "removes only"),
        (SECRETS, &none, &copy(false), "immutable"),
        (SECRETS, &none, &ours("token"), "immutable"),
        (SECRETS, &plain("token"), &none, "removes only"),
        (SECRETS, &copy(true), &copy(false), "owners only"),
        (SECRETS, &plain("token"), &plain("token"), "changes only"),
        (SECRETS, &flaggers_copy(&data, &owner), &flaggers_copy(&json!({"a": "Mg=="}), &none), "owners only"),
        (SECRETS, &flaggers_copy(&data, &owner), &flaggers_copy(&none, &none), "owners only"),
        (SECRETS, &flaggers_copy(&none, &owner), &flaggers_copy(&data, &none), "owners only"),
        (SECRETS, &flaggers_copy(&data, &owner), &labelled, "owners only"),
        (SECRETS, &flaggers_copy(&data, &owner), &noted, "owners only"),
        (SECRETS, &flaggers_copy(&data, &owner), &typed, "owners only"),
        (CONFIG_MAPS, &flaggers_copy(&data, &owner), &binary, "owners only"),
        (SERVICES, &plain("kubernetes"), &none, "removes only"),
        (SERVICES, &none, &outside, "out of the cluster"),
        (SERVICES, &none, &elsewhere, "out of the cluster"),
        (SERVICES, &none, &named, "out of the cluster"),
        (SERVICES, &none, &side, "out of the cluster"),
        (SERVICES, &ours("app"), &named, "out of the cluster"),
        (SERVICES, &ours("app-primary"), &side, "out of the cluster"),
        (SERVICES, &plain("app-primary"), &copied, "out of the cluster"),
        (SERVICES, &plain("app"), &outside, "out of the cluster"),
        (JOBS, &none, &ours("miner"), "Jobs of metrics"),
        (JOBS, &plain("backup"), &none, "removes only"),
    ] {
        let write = by(resource, old, new);
        let refused = write.refused().join("\n");
        assert!(refused.contains(said), "{} {resource:?}: {said:?} is not in {refused:?}", write.operation());
        let other = Write { user: "ann", ..write };
        assert_eq!(other.refused(), Vec::<String>::new(), "others are not concerned");
    }
}

/// A Canary with this request.
fn asking(request: Option<&str>) -> Value {
    let annotations = request.map_or(json!({}), |text| json!({"serin.dev/request": text}));
    json!({"metadata": {"name": "app", "annotations": annotations}, "spec": {}})
}

/// The request of this user after the policy.
fn signed(user: &str, request: &str) -> String {
    let policy = policies("requests").remove(0);
    let write = Write {
        user,
        resource: ("flagger.app", "canaries"),
        old: asking(Some("old/1")),
        new: asking(Some(request)),
    };
    assert!(write.concerns(&policy));
    let signed = inlined(&policy, "variables.signed");
    let one = VapExpression { expression: "false".into(), message: None, message_expression: Some(signed) };
    write.evaluator().evaluate(&[one]).remove(0).message.unwrap()
}

#[test]
fn f12_a_request_bears_the_name_of_who_is_known_to_have_made_it() {
    for (request, id, step) in [
        ("approve/run-2", "run-2", None),
        (" approve/run-2\n", "run-2", None),
        (r#"{"id":"1","verb":"approve"}"#, "1", None),
        (r#"{"id":"1","verb":"approve","step":3,"by":"bob"}"#, "1", Some(3)),
        (r#"{"by" : "bob \"the boss\"" , "id":"1","verb":"approve"}"#, "1", None),
        (r#"{"id":"1", "by":"bob","verb":"approve"}"#, "1", None),
    ] {
        let text = signed("ann@example.com", request);
        let read = Request::parse(&text).unwrap_or_else(|why| panic!("{request}: {text}: {why}"));
        assert_eq!(read.by.as_deref(), Some("ann@example.com"), "{text}");
        assert_eq!((read.id.as_str(), read.verb.as_str(), read.step), (id, "approve", step), "{text}");
    }
    assert_eq!(Request::parse(&signed("a\"b\\c", "abort/1")).unwrap().by.as_deref(), Some("abc"));
}

#[test]
fn f12_a_request_that_names_somebody_else_is_not_read() {
    for request in [
        r#"{"id":"1","by":"bob","verb":"approve","by":"eve"}"#,
        r#"{"id":"1","verb":"approve","\u0062y":"bob"}"#,
        r#"approve/1","by":"bob"#,
    ] {
        let text = signed("ann", request);
        let read = Request::parse(&text);
        assert!(read.is_err(), "{text}: {read:?}");
    }
    let write = |old: Option<&str>, new: Option<&str>| Write {
        user: "ann",
        resource: ("flagger.app", "canaries"),
        old: asking(old),
        new: asking(new),
    };
    let policy = policies("requests").remove(0);
    assert!(!write(Some("a/1"), Some("a/1")).concerns(&policy), "what stands there is not signed again");
    assert!(!write(None, None).concerns(&policy));
    assert!(write(None, Some("a/1")).concerns(&policy));
}

/// A routing object with these marks, and a spec.
fn route(labels: &Value, annotations: &Value, spec: &Value) -> Value {
    json!({"metadata": {"name": "app", "labels": labels, "annotations": annotations}, "spec": spec})
}

#[test]
fn f14_of_routes_the_operators_account_writes_only_what_it_made_or_takes_over() {
    const SERVICES: (&str, &str) = ("networking.istio.io", "virtualservices");
    const PROXIES: (&str, &str) = ("projectcontour.io", "httpproxies");
    const INGRESSES: (&str, &str) = ("networking.k8s.io", "ingresses");
    const CLUSTER_WIDE: (&str, &str) = ("kuma.io", "trafficroutes");
    const KNATIVE: (&str, &str) = ("serving.knative.dev", "services");
    let (none, empty) = (Value::Null, json!({}));
    let theirs = route(&empty, &empty, &json!({"http": []}));
    let ours = route(&json!({"serin.dev/canary": "app"}), &empty, &empty);
    let noted = route(&empty, &json!({"serin.dev/original": "{}"}), &empty);
    let with = |object: &Value, field: &str, value: Value| {
        let mut object = object.clone();
        object["metadata"][field] = value;
        object
    };
    let pod = |image: &str| {
        route(&empty, &empty, &json!({"template": {"spec": {"containers": [{"image": image}]}}}))
    };
    let host = json!({"virtualhost": {"fqdn": "neighbour.example.org"}});
    let owner = json!([{"kind": "Pod", "apiVersion": "v1", "name": "x"}]);
    for (resource, old, new, said) in [
        (SERVICES, &none, &theirs, "label serin.dev/canary"),
        (SERVICES, &none, &with(&ours, "finalizers", json!(["x"])), "finalizers"),
        (SERVICES, &none, &with(&ours, "ownerReferences", owner.clone()), "owners"),
        (SERVICES, &theirs, &theirs, "takes them over"),
        (SERVICES, &theirs, &ours, "by a label"),
        (SERVICES, &theirs, &none, "removes only"),
        (SERVICES, &noted, &none, "removes only"),
        (SERVICES, &theirs, &with(&noted, "ownerReferences", owner), "owners"),
        (SERVICES, &with(&theirs, "finalizers", json!(["x"])), &noted, "finalizers"),
        (SERVICES, &ours, &with(&ours, "finalizers", json!(["x"])), "finalizers"),
        (PROXIES, &none, &route(&json!({"serin.dev/canary": "app"}), &empty, &host), "with a host"),
        (PROXIES, &noted, &route(&empty, &json!({"serin.dev/original": "{}"}), &host), "no hosts"),
        (INGRESSES, &none, &ours, "-canary"),
        (INGRESSES, &theirs, &noted, "own copies"),
        (INGRESSES, &theirs, &none, "removes only"),
        (("networking.istio.io", "destinationrules"), &theirs, &noted, "own copies"),
        (CLUSTER_WIDE, &none, &ours, "namespace of their Canary"),
        (CLUSTER_WIDE, &theirs, &none, "removes only"),
        (KNATIVE, &pod("a"), &pod("b"), "pods of Knative"),
        (KNATIVE, &pod("a"), &none, "removes only"),
    ] {
        let write = by(resource, old, new);
        let refused = write.refused().join("\n");
        assert!(refused.contains(said), "{} {resource:?}: {said:?} is not in {refused:?}", write.operation());
        let other = Write { user: "ann", ..write };
        assert_eq!(other.refused(), Vec::<String>::new(), "others are not concerned");
    }
}
