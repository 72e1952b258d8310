use serde_json::{Value, json};

use crate::{
    manifest::{
        fixture::{self, merge},
        json as get, patch,
    },
    names,
    router::{
        nginx::Nginx,
        split::Split,
        traits::{Cookies, Router},
    },
    snapshot::{INGRESS, ObjectRef, Objects},
    spec::Validated,
};

fn canary(analysis: &Value) -> Validated {
    let mut c = fixture::canary(&json!({}));
    let reference = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "podinfo"});
    c.spec.ingress_ref = serde_json::from_value(reference).unwrap();
    c.analysis = serde_json::from_value(analysis.clone()).unwrap();
    c
}

/// As recorded.
fn ingress(annotations: &Value) -> Value {
    json!({
        "metadata": {"name": "podinfo", "labels": {"app": "podinfo"}, "annotations": annotations},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": "a.example.com", "http": {"paths": [{
            "path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": "podinfo", "port": {"number": 80}}},
        }]}}]},
    })
}

fn live(annotations: &Value) -> Objects {
    let mut live = Objects::default();
    live.insert(INGRESS, ingress(annotations));
    live
}

/// The Ingress after a write of `want`.
fn write(c: &Validated, live: &mut Objects, want: Split) -> Value {
    let made = Nginx.render(c, live, want, &Cookies::default()).unwrap().remove(0);
    let mut object = live.at(&made.at()).cloned().unwrap_or_else(|| made.to_create());
    if let Some(change) = patch(&object, &made) {
        merge(&mut object, &change);
    }
    live.insert(INGRESS, object.clone());
    object
}

fn body_size() -> Value {
    json!({"nginx.ingress.kubernetes.io/proxy-body-size": "1m"})
}

#[test]
fn as_recorded() {
    let c = canary(&json!({"stepWeight": 25}));
    let mut live = live(&body_size());
    for weight in [0, 25, 50, 0] {
        let object = write(&c, &mut live, Split::to_canary(weight));
        let mut annotations = object["metadata"]["annotations"].clone();
        let ours = ["serin.dev/copied", names::FLUX_MARKERS[0].0, names::FLUX_MARKERS[1].0];
        annotations.as_object_mut().unwrap().retain(|key, _| !ours.contains(&key.as_str()));
        let recorded = json!({
            "nginx.ingress.kubernetes.io/canary": "true",
            "nginx.ingress.kubernetes.io/canary-weight": weight.to_string(),
            "nginx.ingress.kubernetes.io/proxy-body-size": "1m",
        });
        assert_eq!((annotations, object["metadata"]["name"].as_str()), (recorded, Some("podinfo-canary")));
        assert_eq!(object["metadata"]["labels"]["app"], "podinfo");
        let mut spec = ingress(&json!({}))["spec"].clone();
        spec["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = json!("podinfo-canary");
        assert_eq!(object["spec"], spec);
    }
}

#[test]
fn what_changes_at_the_users_ingress_changes_at_ours() {
    let c = canary(&json!({"stepWeight": 25}));
    let mut live =
        live(&json!({"a": "1", "b": "2", "kubectl.kubernetes.io/last-applied-configuration": "{}"}));
    let made = write(&c, &mut live, Split::to_canary(25));
    assert_eq!(made["metadata"]["annotations"]["a"], "1");
    assert!(
        made["metadata"]["annotations"].get("kubectl.kubernetes.io/last-applied-configuration").is_none()
    );
    live.insert(INGRESS, ingress(&json!({"b": "3", "c": "4"})));
    let annotations = write(&c, &mut live, Split::to_canary(25))["metadata"]["annotations"].clone();
    assert_eq!(
        (annotations.get("a"), &annotations["b"], &annotations["c"]),
        (None, &json!("3"), &json!("4"))
    );
    assert_eq!(Nginx.read_back(&c, &live), Ok(Split::to_canary(25)));
}

#[test]
fn traffic_is_taken_back_though_the_users_ingress_is_gone() {
    let c = canary(&json!({"stepWeight": 25}));
    let missing = Nginx.render(&c, &Objects::default(), Split::to_canary(0), &Cookies::default());
    assert_eq!(missing.unwrap_err().to_string(), "Ingress podinfo not found");
    let mut gone = live(&body_size());
    let before = write(&c, &mut gone, Split::to_canary(25));
    gone.remove(&ObjectRef::new(INGRESS, "podinfo"));
    assert!(Nginx.not_programmed(&c, &gone).is_some_and(|why| why.contains("Ingress podinfo not found")));
    let after = write(&c, &mut gone, Split::to_canary(0));
    assert_eq!(Nginx.read_back(&c, &gone), Ok(Split::to_canary(0)));
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(after["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"], "1m");
}

#[test]
fn an_ingress_that_does_not_lead_to_the_apex_is_refused() {
    let mut c = canary(&json!({"stepWeight": 25}));
    c.names.apex = "web".into();
    let why = Nginx.render(&c, &live(&json!({})), Split::to_canary(0), &Cookies::default()).unwrap_err();
    assert_eq!(
        why.to_string(),
        "Ingress podinfo has no backend web: let one lead to the Service web, or correct the reference"
    );
    c.spec.ingress_ref = None;
    assert_eq!(Nginx.unsupported(&c), ["spec.ingressRef: name what leads users to web"]);
    let mut odd = Objects::default();
    odd.insert(
        INGRESS,
        json!({"metadata": {"name": "podinfo"}, "spec": {"rules": [{"host": "x"}, 3], "tls": 1}}),
    );
    let c = canary(&json!({"stepWeight": 25}));
    assert!(Nginx.render(&c, &odd, Split::to_canary(0), &Cookies::default()).is_err());
}

#[test]
fn named_requests_are_told_by_one_header_and_one_cookie() {
    let named =
        json!([{"headers": {"x-canary": {"regex": "in.*"}}}, {"headers": {"cookie": {"exact": "insider"}}}]);
    let c = canary(&json!({"iterations": 3, "match": named}));
    let mut live = live(&json!({}));
    let mut said = |want| {
        let object = write(&c, &mut live, want);
        let all = object["metadata"]["annotations"].as_object().unwrap().clone();
        let ours = all.into_iter().filter_map(|(key, value)| {
            Some((key.strip_prefix("nginx.ingress.kubernetes.io/")?.to_owned(), value))
        });
        Value::Object(ours.collect())
    };
    assert_eq!(said(Split::to_canary(0)), json!({"canary": "true", "canary-weight": "0"}));
    let named = json!({
        "canary": "true", "canary-by-header": "x-canary", "canary-by-header-pattern": "in.*",
        "canary-by-cookie": "insider",
    });
    assert_eq!(said(Split::to_canary(100)), named);
    assert_eq!(
        said(Split::to_canary(100).for_everyone(true)),
        json!({"canary": "true", "canary-weight": "100"})
    );
}

#[test]
fn requests_that_always_get_the_canary_are_named_beside_the_weight() {
    let header = |value: &str| json!([{"headers": {"x-canary": {"exact": value}}}]);
    let cookie = json!([{"headers": {"cookie": {"exact": "canary"}}}]);
    let said = |analysis: Value, want: Split| {
        let c = canary(&analysis);
        assert_eq!(Nginx.unsupported(&c), Vec::<String>::new());
        let mut live = live(&json!({}));
        let object = write(&c, &mut live, want);
        assert_eq!(Nginx.read_back(&c, &live), Ok(want));
        let all = object["metadata"]["annotations"].as_object().unwrap().clone();
        let ours = all.into_iter().filter_map(|(key, value)| {
            Some((key.strip_prefix("nginx.ingress.kubernetes.io/canary-")?.to_owned(), value))
        });
        Value::Object(ours.collect())
    };
    let quarter = Split::to_canary(25);
    let both = json!({"stepWeight": 25, "always": header("always"), "never": header("never")});
    let pair = json!({"weight": "25", "by-header": "x-canary"});
    assert_eq!(said(both.clone(), quarter.pinning(true)), pair, "the controller's own words");
    assert_eq!(said(both.clone(), quarter), json!({"weight": "25"}));
    assert_eq!(said(both, Split::to_canary(0).pinning(true))["weight"], "0");
    let own = json!({"stepWeight": 25, "always": header("tester")});
    let value = json!({"weight": "25", "by-header": "x-canary", "by-header-value": "tester"});
    assert_eq!(said(own, quarter.pinning(true)), value);
    let by_cookie = json!({"stepWeight": 25, "always": cookie, "never": cookie});
    let value = json!({"weight": "25", "by-cookie": "canary"});
    assert_eq!(said(by_cookie, quarter.pinning(true)), value);
}

/// An Ingress with these rules and, if given, a default backend.
fn with_rules(rules: &Value, default: &Value) -> Objects {
    let mut object = ingress(&json!({}));
    object["spec"]["rules"] = rules.clone();
    object["spec"]["defaultBackend"] = default.clone();
    object["spec"]["tls"] = json!([{"hosts": ["a.example.com"], "secretName": "a"}, {"hosts": ["b.example.com"], "secretName": "b"}]);
    get::drop_nulls(&mut object);
    let mut live = Objects::default();
    live.insert(INGRESS, object);
    live
}

fn path(path: &str, service: &str) -> Value {
    json!({"path": path, "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}})
}

#[test]
fn r20_the_copy_holds_no_paths_of_others() {
    let c = canary(&json!({"stepWeight": 25}));
    let rules = json!([
        {"host": "a.example.com", "http": {"paths": [path("/", "podinfo"), path("/api", "api")]}},
        {"host": "b.example.com", "http": {"paths": [path("/", "other")]}},
    ]);
    let mut live = with_rules(&rules, &path("/", "other")["backend"]);
    let copy = write(&c, &mut live, Split::to_canary(25));
    assert_eq!(
        copy["spec"]["rules"],
        json!([{"host": "a.example.com", "http": {"paths": [path("/", "podinfo-canary")]}}])
    );
    assert_eq!(copy["spec"]["tls"], json!([{"hosts": ["a.example.com"], "secretName": "a"}]));
    assert!(copy["spec"].get("defaultBackend").is_none(), "{copy}");
}

#[test]
fn r21_a_host_without_paths_is_no_part_of_the_copy() {
    let c = canary(&json!({"stepWeight": 25}));
    let rules = json!([
        {"host": "a.example.com", "http": {"paths": [path("/", "podinfo")]}}, {"host": "www.example.com"},
    ]);
    let first = json!([{"host": "a.example.com", "http": {"paths": [path("/", "podinfo-canary")]}}]);
    let mut live = with_rules(&rules, &Value::Null);
    assert_eq!(write(&c, &mut live, Split::to_canary(0))["spec"]["rules"], first);
    // added during a run: the weight can still be removed
    let mut live = with_rules(&json!([rules[0]]), &Value::Null);
    write(&c, &mut live, Split::to_canary(25));
    let mut user = live.get(INGRESS, "podinfo").unwrap().clone();
    user["spec"]["rules"] = rules.clone();
    live.insert(INGRESS, user);
    let copy = write(&c, &mut live, Split::to_canary(0));
    assert_eq!((&copy["spec"]["rules"], Nginx.read_back(&c, &live)), (&first, Ok(Split::to_canary(0))));
    // such a host belongs to the default backend
    let mut live = with_rules(&rules, &path("/", "podinfo")["backend"]);
    let copy = write(&c, &mut live, Split::to_canary(0));
    assert_eq!(copy["spec"]["rules"][1], json!({"host": "www.example.com"}));
    assert_eq!(copy["spec"]["defaultBackend"]["service"]["name"], "podinfo-canary");
}

#[test]
fn r25_what_the_users_ingress_says_of_canaries_is_advised_about() {
    let c = canary(&json!({"stepWeight": 25}));
    let header = json!({"nginx.ingress.kubernetes.io/canary-by-header": "x-canary"});
    let advice = Nginx.advice(&c, &live(&header));
    assert!(
        advice[0].contains("nginx.ingress.kubernetes.io/canary-by-header of Ingress podinfo"),
        "{advice:?}"
    );
    assert!(advice[0].contains("spec.analysis.always") && advice.len() == 1);
    assert!(Nginx.advice(&c, &live(&body_size())).is_empty());
}

/// ingress-nginx looks at these cookies before any weight.
#[test]
fn cookies_of_the_canary_keep_no_user_there() {
    let key = |key: &str| format!("nginx.ingress.kubernetes.io/{key}");
    let (affinity, behaviour) = (key("affinity"), key("affinity-canary-behavior"));
    let c = canary(&json!({"stepWeight": 25}));
    let mut objects = live(&json!({affinity.as_str(): "cookie", behaviour.as_str(): "sticky"}));
    let copy = write(&c, &mut objects, Split::to_canary(25));
    assert_eq!(copy["metadata"]["annotations"][&behaviour], "legacy");
    let advice = Nginx.advice(&c, &objects);
    assert!(advice.len() == 1 && advice[0].contains(&format!("{affinity} of Ingress podinfo")), "{advice:?}");
    // the user takes it off
    objects.insert(INGRESS, ingress(&body_size()));
    let copy = write(&c, &mut objects, Split::to_canary(25));
    assert!(copy["metadata"]["annotations"].get(&behaviour).is_none());
    assert!(Nginx.advice(&c, &objects).is_empty());
    objects.insert(INGRESS, ingress(&json!({affinity.as_str(): "cookie"})));
    write(&c, &mut objects, Split::to_canary(25));
    objects.remove(&ObjectRef::new(INGRESS, "podinfo"));
    let copy = write(&c, &mut objects, Split::to_canary(0));
    assert_eq!(copy["metadata"]["annotations"][&behaviour], "legacy", "the user's Ingress is gone");
}

#[test]
fn r39_at_rest_the_copy_is_a_canary_of_weight_0() {
    let c = canary(&json!({"stepWeight": 25}));
    let mut live = live(&body_size());
    for weight in [0, 25, 0] {
        let annotations = write(&c, &mut live, Split::to_canary(weight))["metadata"]["annotations"].clone();
        assert_eq!(annotations["nginx.ingress.kubernetes.io/canary"], "true");
        assert_eq!(annotations["nginx.ingress.kubernetes.io/canary-weight"], weight.to_string());
    }
}
