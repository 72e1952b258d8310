use serde_json::json;

use super::*;
use crate::{
    names,
    snapshot::{JOB, SECRET, SERVICE},
    spec::Target,
};

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
    assert_eq!(cache.get(kuma, "b", "app").as_deref(), Some(&route));
    assert_eq!(cache.remove(kuma, &route), both);
    assert_eq!(cache.get(kuma, "a", "app"), None);

    assert_eq!((cache.forbid(kuma), cache.forbid(kuma)), (both.clone(), vec![]));
    assert!(cache.forbidden(kuma, "n"));
    assert_eq!(cache.listed(kuma, &BTreeSet::new()), both);
    assert!(!cache.forbidden(kuma, "n"));
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

    // a copy is recognised by its label
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
    let template = json!({"metadata": {"labels": {"app": "app"}}});
    let meta = json!({"name": "app", "namespace": "n", "resourceVersion": "1"});
    cache.insert(DEPLOYMENT, json!({"metadata": meta, "spec": {"template": template}}));
    for kind in pod_policies::KINDS {
        let policy = |version: &str, healthy: u32, label: &str| {
            let selector = json!({"matchLabels": {"app": label}});
            json!({
                "metadata": {"name": "it", "namespace": "n", "resourceVersion": version},
                "spec": {"selector": selector, "podSelector": selector}, "status": {"currentHealthy": healthy},
            })
        };
        assert!(!cache.insert(kind, policy("2", 1, "app")).is_empty());
        assert!(cache.insert(kind, policy("3", 2, "app")).is_empty(), "{kind:?}");
        assert_eq!(cache.get(kind, "n", "it").unwrap()["status"], Value::Null);
        assert!(!cache.insert(kind, policy("4", 2, "other")).is_empty());
        assert!(
            !cache.insert(kind, policy("5", 2, "app-primary")).is_empty(),
            "{kind:?}: of what is yet to be made"
        );
        assert!(!cache.remove(kind, &policy("6", 2, "app")).is_empty());
        assert_eq!(cache.lock().objects[&kind].all().count(), 0, "{kind:?}");
    }
}

#[test]
fn c33_what_was_deleted_is_forgotten_when_no_write_can_bring_it_back() {
    let cache = ObjectCache::default();
    let object = |name: &str, version: &str| json!({"metadata": {"name": name, "namespace": "n", "resourceVersion": version}});
    for name in ["one", "two"] {
        let target = json!({"targetRef": {"name": name}});
        let mut canary = object(name, "1");
        canary["spec"] = target;
        cache.insert(CANARY, canary);
        cache.insert(DEPLOYMENT, object(name, "3"));
    }
    let at = |second: i64| jiff::Timestamp::from_second(1_000_000 + second).unwrap();
    let known = |cache: &ObjectCache| cache.lock().objects[&DEPLOYMENT].all().count();
    cache.remove_at(DEPLOYMENT, &object("one", "4"), at(0));
    cache.insert(DEPLOYMENT, object("one", "2"));
    assert_eq!(cache.get(DEPLOYMENT, "n", "one"), None, "a write that returns late");
    assert_eq!(known(&cache), 2);
    // created again in the meantime
    cache.remove_at(DEPLOYMENT, &object("two", "4"), at(10));
    cache.insert(DEPLOYMENT, object("two", "5"));
    cache.remove_at(DEPLOYMENT, &object("other", "4"), at(300));
    assert_eq!(known(&cache), 1);
    assert!(cache.get(DEPLOYMENT, "n", "two").is_some());
    assert!(cache.lock().buried.is_empty());
}

#[test]
fn of_a_change_of_a_canary_only_what_others_see_matters_to_them() {
    let cache = ObjectCache::default();
    let canary = |name: &str, version: &str, prefix: &str, phase: &str| {
        json!({
            "metadata": {"name": name, "namespace": name, "resourceVersion": version},
            "spec": {"targetRef": {"name": name}, "service": {"hosts": ["shop.example.com"], "match": [{"uri": {"prefix": prefix}}]}},
            "status": {"phase": phase},
        })
    };
    let changed = |name: &str, version: &str, prefix: &str, phase: &str| -> Vec<String> {
        cache.insert(CANARY, canary(name, version, prefix, phase)).into_iter().map(|key| key.1).collect()
    };
    assert_eq!(changed("web", "1", "/", ""), ["web"]);
    assert_eq!(changed("api", "1", "/api", ""), ["api", "web"]);
    assert_eq!(changed("api", "2", "/api", "Progressing"), ["api"]);
    assert_eq!(changed("api", "3", "/v2", "Progressing"), ["api", "web", "web"]);
}

#[test]
fn how_many_canaries_there_are_is_told_when_it_changes() {
    let cache = ObjectCache::default();
    let canary = |namespace: &str, name: &str, version: &str| {
        json!({
            "metadata": {"name": name, "namespace": namespace, "resourceVersion": version},
            "spec": {"targetRef": {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": name}, "provider": "istio"},
        })
    };
    let told = |pairs: &[(&str, usize)]| {
        let pairs: Vec<_> =
            pairs.iter().map(|(namespace, number)| ((*namespace).to_owned(), *number)).collect();
        assert_eq!(cache.take_changed_totals(), pairs);
    };
    cache.insert(CANARY, canary("a", "one", "1"));
    cache.insert(CANARY, canary("b", "one", "1"));
    cache.insert(CANARY, canary("b", "two", "1"));
    told(&[("a", 1), ("b", 2)]);
    cache.insert(CANARY, canary("b", "two", "2"));
    told(&[]);
    assert!(cache.targets(Target::DaemonSet) && !cache.targets(Target::Deployment));
    assert_eq!(cache.providers(), ["istio".to_owned()].into());
    cache.remove(CANARY, &canary("a", "one", "3"));
    cache.listed(CANARY, &[("b".to_owned(), "two".to_owned())].into());
    told(&[("a", 0), ("b", 1)]);
    cache.listed(CANARY, &BTreeSet::new());
    assert!(!cache.targets(Target::DaemonSet) && cache.providers().is_empty());
}

#[test]
fn f24_who_remembers_secrets_is_told_when_they_go() {
    let (cache, gone) = (ObjectCache::default(), std::sync::Arc::new(std::sync::Mutex::new(vec![])));
    let told = gone.clone();
    cache.when_secrets_go(move |is_gone| {
        let names = ["deleted", "unlisted", "there"];
        let of = names.into_iter().filter(|name| is_gone(&("n".to_owned(), (*name).to_owned())));
        told.lock().unwrap().push(of.collect::<Vec<_>>());
    });
    let secret = |name: &str| json!({"metadata": {"name": name, "namespace": "n", "resourceVersion": "1"}});
    for name in ["deleted", "unlisted", "there"] {
        cache.insert(SECRET, secret(name));
    }
    cache.remove(SECRET, &secret("deleted"));
    cache.listed(
        SECRET,
        &[("n".to_owned(), "there".to_owned()), ("n".to_owned(), "deleted".to_owned())].into(),
    );
    cache.remove(DEPLOYMENT, &secret("there"));
    assert_eq!(*gone.lock().unwrap(), [vec!["deleted"], vec!["unlisted"]]);
    cache.forget(SECRET);
    assert_eq!(gone.lock().unwrap().len(), 3, "and when they are not followed any more");
}

#[test]
fn a_namespace_that_is_made_again_is_not_terminating() {
    let cache = ObjectCache::default();
    let canary = |uid: &str, version: &str| json!({"metadata": {"name": "one", "namespace": "n", "uid": uid, "resourceVersion": version}});
    let there: BTreeSet<_> = [("n".to_owned(), "one".to_owned())].into();
    cache.insert(CANARY, canary("a", "1"));
    cache.set_terminating("n", true);
    cache.insert(CANARY, canary("a", "2"));
    cache.listed(CANARY, &there);
    assert!(cache.terminating("n"));
    // the deletion was not seen: its right to watch went with the namespace
    cache.insert(CANARY, canary("b", "3"));
    assert!(!cache.terminating("n"));

    cache.set_terminating("n", true);
    cache.listed(CANARY, &BTreeSet::new());
    assert!(!cache.terminating("n"));
}

#[test]
fn what_is_newer_than_a_list_is_not_gone_because_the_list_lacks_it() {
    let cache = ObjectCache::default();
    let object = |name: &str, version: &str| {
        json!({
            "metadata": {"name": name, "namespace": "n", "resourceVersion": version},
            "spec": {"targetRef": {"name": "app"}},
        })
    };
    for kind in [JOB, CANARY] {
        cache.begin_list(kind, 100);
        // the answers to our own writes while it is read
        for (name, version) in [("before", "99"), ("at", "100"), ("after", "105"), ("odd", "x7")] {
            cache.insert(kind, object(name, version));
        }
        cache.listed(kind, &BTreeSet::new());
        let left = ["before", "at", "after", "odd"].map(|name| cache.get(kind, "n", name).is_some());
        assert_eq!(left, [false, false, true, false], "{kind:?}");
    }
    assert_eq!(cache.concerned(), [("n".to_owned(), "after".to_owned())]);
    // a later list decides
    cache.begin_list(JOB, 106);
    cache.listed(JOB, &BTreeSet::new());
    assert!(cache.get(JOB, "n", "after").is_none());
    // the version of a list may be no number
    cache.begin_list(JOB, 0);
    cache.insert(JOB, object("after", "107"));
    cache.listed(JOB, &BTreeSet::new());
    assert!(cache.get(JOB, "n", "after").is_none());
}

#[test]
fn a_service_of_others_triggers_the_canary_to_whose_target_it_leads() {
    let cache = ObjectCache::default();
    let meta = |name: &str| json!({"name": name, "namespace": "n", "resourceVersion": "1"});
    cache.insert(CANARY, json!({"metadata": meta("app"), "spec": {"targetRef": {"name": "app"}}}));
    let template = json!({"metadata": {"labels": {"app": "app"}}});
    cache.insert(DEPLOYMENT, json!({"metadata": meta("app"), "spec": {"template": template}}));
    let service = |version: &str, selector: Value, labels: Value| {
        let mut metadata = meta("lb");
        metadata["resourceVersion"] = json!(version);
        metadata["labels"] = labels;
        json!({"metadata": metadata, "spec": {"selector": selector}})
    };
    let triggered = |selector: Value, labels: Value| {
        let cache = &cache;
        cache.remove(SERVICE, &service("2", json!({}), json!({})));
        cache.insert(SERVICE, service("3", selector, labels)).len()
    };
    assert_eq!(triggered(json!({"app": "app"}), json!({})), 1);
    for other in [json!({"app": "other"}), json!({"app": "app", "tier": "web"}), json!({}), Value::Null] {
        assert_eq!(triggered(other.clone(), json!({})), 0, "{other}");
    }
    let of_another = json!({names::LABEL_CANARY: "other"});
    assert_eq!(triggered(json!({"app": "app"}), of_another), 0, "Serin made it");
}
