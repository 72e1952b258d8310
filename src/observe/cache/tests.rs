use serde_json::json;

use super::*;
use crate::{names, snapshot::SECRET};

#[test]
fn nothing_is_kept_of_strangers_that_are_gone() {
    let cache = ObjectCache::default();
    let object = |name: &str| json!({"metadata": {"name": name, "namespace": "n", "resourceVersion": "2"}});
    cache.insert(
        CANARY,
        json!({
            "metadata": {"name": "app", "namespace": "n", "resourceVersion": "1"},
            "spec": {"targetRef": {"name": "app"}},
        }),
    );
    for name in ["app", "stranger"] {
        cache.insert(DEPLOYMENT, object(name));
        cache.remove(DEPLOYMENT, &object(name));
    }
    let inner = cache.lock();
    let kept: Vec<_> = inner.objects[&DEPLOYMENT].beginning("n", "").map(|(name, _)| name).collect();
    assert_eq!(kept, ["app"]);
}

#[test]
fn what_belongs_to_no_namespace_matters_to_canaries_of_all() {
    let kuma = Kind { group: "kuma.io", version: "v1alpha1", kind: "TrafficRoute", plural: "trafficroutes" };
    let cache = ObjectCache::default();
    for namespace in ["a", "b"] {
        cache.insert(
            CANARY,
            json!({
                "metadata": {"name": "app", "namespace": namespace, "resourceVersion": "1"},
                "spec": {"targetRef": {"name": "app"}},
            }),
        );
    }
    let route = json!({"metadata": {"name": "app", "resourceVersion": "2"}});
    let both: Vec<Key> = ["a", "b"].map(|namespace| (namespace.to_owned(), "app".to_owned())).to_vec();
    assert_eq!(cache.insert(kuma, route.clone()), both);
    assert_eq!(cache.get(kuma, "b", "app"), Some(route.clone()));
    assert_eq!(cache.remove(kuma, &route), both);
    assert_eq!(cache.get(kuma, "a", "app"), None);

    assert_eq!((cache.forbid(kuma), cache.forbid(kuma)), (both.clone(), vec![]));
    assert!(cache.forbidden(kuma));
    assert_eq!(cache.listed(kuma, &BTreeSet::new()), both);
    assert!(!cache.forbidden(kuma));
}

#[test]
fn what_repeats_an_object_is_not_kept() {
    let cache = ObjectCache::default();
    cache.insert(
        DEPLOYMENT,
        json!({"metadata": {
            "name": "app", "namespace": "n", "resourceVersion": "1",
            "managedFields": [
                {"manager": "helm", "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:spec": {}}},
                {"manager": "argocd-controller", "time": "2026-01-03T00:00:00Z", "fieldsV1": {"f:spec": {}}},
                {"manager": "kube-controller-manager", "time": "2026-01-04T00:00:00Z", "subresource": "status"},
                {"manager": names::managers::ROUTE, "time": "2026-01-02T00:00:00Z", "fieldsV1": {"f:spec": {}}},
            ],
            "annotations": {names::ANNOTATION_KUBECTL: "{}", "other": "1"},
        }}),
    );
    let kept = cache.get(DEPLOYMENT, "n", "app").unwrap();
    assert_eq!(kept["metadata"]["annotations"], json!({"other": "1"}));
    let last = json!([
        {"manager": "argocd-controller", "time": "2026-01-03T00:00:00Z"},
        {"manager": names::managers::ROUTE, "time": "2026-01-02T00:00:00Z"},
    ]);
    assert_eq!(kept["metadata"]["managedFields"], last);
}

#[test]
fn a_secret_triggers_those_who_use_it_and_its_content_is_not_kept() {
    let cache = ObjectCache::default();
    for (name, uses) in [("one", "secret/token"), ("two", "secret/other")] {
        cache.insert(
            CANARY,
            json!({
                "metadata": {"name": name, "namespace": "n", "resourceVersion": "1"},
                "spec": {"targetRef": {"name": name}}, "status": {"observedConfigs": {uses: {"version": ""}}},
            }),
        );
    }
    let one: Vec<Key> = vec![("n".into(), "one".into())];
    let token = json!({
        "kind": "Secret", "metadata": {"name": "token", "namespace": "n", "resourceVersion": "2"},
        "data": {"t": "aHVzaA=="},
    });
    assert_eq!(cache.insert(SECRET, token.clone()), one);
    let kept = cache.get(SECRET, "n", "token").unwrap();
    assert_eq!((&kept["data"], version_of(&kept)), (&Value::Null, 2));
    assert_eq!(cache.remove(SECRET, &token), one);

    // a copy is told by its label
    let mut copy = token;
    copy["metadata"]["name"] = json!("token-primary-1");
    copy["metadata"]["labels"] = json!({names::LABEL_CANARY: "one"});
    assert_eq!(cache.insert(SECRET, copy), one);
    assert_eq!(cache.beginning(SECRET, "n", "token-primary-").len(), 1);
}

#[test]
fn who_sets_the_replicas_is_kept() {
    let cache = ObjectCache::default();
    cache.insert(
        DEPLOYMENT,
        json!({
            "metadata": {
                "name": "app", "namespace": "n", "resourceVersion": "1",
                "managedFields": [
                    {"manager": "x", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                    {"manager": "helm", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {}}}},
                ],
                "annotations": {names::ANNOTATION_KUBECTL: "{\"spec\":{\"replicas\":1,\"template\":{}}}"},
            },
            "spec": {"replicas": 1},
        }),
    );
    let kept = cache.get(DEPLOYMENT, "n", "app").unwrap();
    assert!(crate::manifest::replicas_are_meant(&kept));
    assert!(!kept.to_string().contains("template"), "{kept}");
}

#[test]
fn c35_two_canaries_with_targets_of_one_name_have_templates_of_their_own() {
    let (cache, rules) = (ObjectCache::default(), crate::config::Rules::default());
    for (name, kind, apex) in [("one", "Deployment", "app"), ("two", "DaemonSet", "daemons")] {
        let target = json!({"apiVersion": "apps/v1", "kind": kind, "name": "app"});
        let service = json!({"port": 80, "name": apex});
        cache.insert(
            CANARY,
            json!({
                "metadata": {"name": name, "namespace": "n", "resourceVersion": "1"},
                "spec": {"targetRef": target, "service": service, "provider": "kubernetes", "analysis": {}},
            }),
        );
        cache.insert(
            REVISION,
            json!({"metadata": {
                "name": format!("app-primary-{name}"), "namespace": "n", "resourceVersion": "1",
                "labels": {names::LABEL_CANARY: name, names::LABEL_TEMPLATE_OF: "app-primary"},
            }}),
        );
    }
    cache.lock().crds_synced = true;
    for kind in crate::manifest::pod_policies::KINDS.into_iter().chain([crate::snapshot::DAEMONSET]) {
        cache.listed(kind, &BTreeSet::new());
    }
    for name in ["one", "two"] {
        let key = ("n".to_owned(), name.to_owned());
        let snap = crate::observe::gather(&cache, &rules, &key, jiff::Timestamp::UNIX_EPOCH).unwrap();
        let all: Vec<&str> =
            snap.objects.of(REVISION).filter_map(|r| r["metadata"]["name"].as_str()).collect();
        assert_eq!(all, [format!("app-primary-{name}")]);
    }
}

#[test]
fn of_pod_policies_only_a_change_of_the_spec_triggers_and_nothing_is_kept_of_those_that_are_gone() {
    let cache = ObjectCache::default();
    cache.insert(
        CANARY,
        json!({
            "metadata": {"name": "app", "namespace": "n", "resourceVersion": "1"},
            "spec": {"targetRef": {"name": "app"}},
        }),
    );
    for kind in pod_policies::KINDS {
        let policy = |version: &str, healthy: u32, label: &str| {
            json!({
                "metadata": {"name": "it", "namespace": "n", "resourceVersion": version},
                "spec": {"selector": {"matchLabels": {"app": label}}}, "status": {"currentHealthy": healthy},
            })
        };
        assert!(!cache.insert(kind, policy("2", 1, "app")).is_empty());
        assert!(cache.insert(kind, policy("3", 2, "app")).is_empty(), "{kind:?}");
        assert_eq!(cache.get(kind, "n", "it").unwrap()["status"], Value::Null);
        assert!(!cache.insert(kind, policy("4", 2, "other")).is_empty());
        assert!(!cache.remove(kind, &policy("5", 2, "other")).is_empty());
        assert_eq!(cache.lock().objects[&kind].all().count(), 0, "{kind:?}");
    }
}
