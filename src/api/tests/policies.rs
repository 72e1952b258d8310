//! The shipped admission policies, with their own expressions: what they allow and what they refuse. Only an API server
//! can check rights, so policies that check some are not evaluated here.

use kube::core::cel::{AdmissionRequest, GroupVersionResource, VapEvaluator, VapExpression};
use serde_json::{Value, json};

use crate::api::request::Request;

const OPERATOR: &str = "system:serviceaccount:serin-system:serin";

/// The policies of a file, with their variables replaced.
fn policies(file: &str) -> Vec<Value> {
    let path = format!("{}/deploy/kustomize/components/policies/{file}.yaml", env!("CARGO_MANIFEST_DIR"));
    let all: Vec<Value> = serde_saphyr::from_multiple(&std::fs::read_to_string(path).unwrap()).unwrap();
    let kinds = ["ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"];
    all.into_iter().filter(|o| kinds.contains(&o["kind"].as_str().unwrap())).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn inlined(policy: &Value, expression: &str) -> String {
    let variables = list(&policy["spec"]["variables"]);
    let whole = variables.iter().rev().fold(expression.to_owned(), |whole, v| {
        let place = format!("variables.{}", text(&v["name"]));
        whole.replace(&place, &format!("({})", text(&v["expression"])))
    });
    // this evaluator treats every key as a field name, and escapes it
    ["canary", "checksum", "metric", "request"].into_iter().fold(whole, |whole, key| {
        let key = format!("serin.dev/{key}");
        whole.replace(&key, &key.replace('.', "__dot__").replace('/', "__slash__"))
    })
}

/// A write of a resource: its new and its old state.
struct Write<'a> {
    user: &'a str,
    resource: (&'a str, &'a str),
    old: Value,
    new: Value,
}

impl Write<'_> {
    fn operation(&self) -> &'static str {
        match (self.old.is_null(), self.new.is_null()) {
            (true, _) => "CREATE",
            (_, true) => "DELETE",
            _ => "UPDATE",
        }
    }

    fn evaluator(&self) -> VapEvaluator {
        let (group, resource) = (self.resource.0.to_owned(), self.resource.1.to_owned());
        let request = AdmissionRequest {
            operation: self.operation().into(),
            username: self.user.into(),
            resource: GroupVersionResource { group, resource, version: "v1".into() },
            ..AdmissionRequest::default()
        };
        let of = VapEvaluator::builder().request(request).object(self.new.clone());
        if self.old.is_null() { of.build() } else { of.old_object(self.old.clone()).build() }
    }

    fn holds(&self, policy: &Value, expression: &Value) -> bool {
        let expression = inlined(policy, text(expression));
        let one = VapExpression { expression, message: None, message_expression: None };
        let result = self.evaluator().evaluate(&[one]).remove(0);
        let said = result.message.unwrap_or_default();
        let failed = ["evaluation error", "failed to compile"].iter().any(|why| said.starts_with(why));
        assert!(!failed, "{}: {said}", result.expression);
        result.passed
    }

    /// Whether a policy applies to it.
    fn concerns(&self, policy: &Value) -> bool {
        let spec = &policy["spec"];
        let matches = list(&spec["matchConstraints"]["resourceRules"]).iter().any(|rule| {
            list(&rule["apiGroups"]).contains(&json!(self.resource.0))
                && list(&rule["resources"]).contains(&json!(self.resource.1))
                && list(&rule["operations"]).contains(&json!(self.operation()))
        });
        matches && list(&spec["matchConditions"]).iter().all(|c| self.holds(policy, &c["expression"]))
    }

    /// Why the policies of the operator's account refuse it.
    fn refused(&self) -> Vec<String> {
        let all = policies("operator");
        let concerned = all.iter().filter(|policy| self.concerns(policy));
        let broken = concerned.flat_map(|policy| {
            let validations = list(&policy["spec"]["validations"]).iter();
            validations.filter(|one| !self.holds(policy, &one["expression"])).collect::<Vec<_>>()
        });
        broken.map(|one| text(&one["message"]).to_owned()).collect()
    }
}

fn by<'a>(resource: (&'a str, &'a str), old: &Value, new: &Value) -> Write<'a> {
    Write { user: OPERATOR, resource, old: old.clone(), new: new.clone() }
}

const DEPLOYMENTS: (&str, &str) = ("apps", "deployments");
const DAEMONSETS: (&str, &str) = ("apps", "daemonsets");
const SERVICES: (&str, &str) = ("", "services");
const SECRETS: (&str, &str) = ("", "secrets");
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

#[test]
fn f14_what_the_operator_does_passes_its_policies() {
    let flaggers = json!({"metadata": {"name": "app-primary",
        "ownerReferences": [{"kind": "Canary", "apiVersion": "flagger.app/v1beta1", "name": "app"}]}, "spec": {}});
    let zero = json!({"flagger.app/scale-to-zero": "true"});
    let paused = json!({"metadata": {"name": "app", "annotations": {"autoscaling.keda.sh/paused-replicas": "0"}}, "spec": {}});
    let none = Value::Null;
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
    elsewhere["spec"]["type"] = json!("ExternalName");
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
        (SECRETS, &copy(true), &copy(true), "changes no ConfigMaps and Secrets"),
        (SERVICES, &plain("kubernetes"), &none, "removes only"),
        (SERVICES, &none, &outside, "out of the cluster"),
        (SERVICES, &none, &elsewhere, "out of the cluster"),
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
