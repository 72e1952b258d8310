use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{ObjectCache, gather};
use crate::{
    config::Rules,
    manifest::pod_policies,
    plan::{self, Answers, Plan},
    snapshot::{CANARY, CANARY_RUN, DEPLOYMENT, INGRESS, Key, Kind, METRIC_TEMPLATE, SERVICE},
};

/// Two Canaries, the older named `older`, with their snapshots and plans.
struct Two {
    cache: ObjectCache,
    rules: Rules,
}

impl Two {
    fn new(older: &Value, younger: &Value) -> Self {
        let cache = ObjectCache::default();
        cache.set_crds(BTreeSet::new());
        for kind in pod_policies::KINDS.into_iter().chain([INGRESS]) {
            cache.listed(kind, &BTreeSet::new());
        }
        let two = Self { cache, rules: Rules::default() };
        for (name, at, spec) in [("older", "00", older), ("younger", "01", younger)] {
            let mut canary = json!({
                "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
                "metadata": {
                    "name": name, "namespace": "n", "uid": name, "generation": 1, "resourceVersion": "1",
                    "creationTimestamp": format!("2026-01-01T00:{at}:00Z"),
                },
                "spec": {"provider": "nginx", "service": {"port": 80}, "analysis": {
                    "interval": "10s", "threshold": 2, "stepWeight": 10, "maxWeight": 50,
                }},
            });
            json_patch::merge(&mut canary["spec"], spec);
            two.cache.insert(CANARY, canary);
        }
        two
    }

    fn target(&self, name: &str) {
        self.put(
            DEPLOYMENT,
            name,
            &json!({"spec": {
                "replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{"name": "c", "image": "x:1", "ports": [{"containerPort": 80}]}]},
                },
            }}),
        );
    }

    fn put(&self, kind: Kind, name: &str, rest: &Value) {
        let mut object = json!({
            "apiVersion": kind.api_version(), "kind": kind.kind,
            "metadata": {"name": name, "namespace": "n", "uid": name, "generation": 1, "resourceVersion": "2"},
        });
        json_patch::merge(&mut object, rest);
        self.cache.insert(kind, object);
    }

    fn plan(&self, canary: &str) -> Plan {
        let key: Key = ("n".to_owned(), canary.to_owned());
        let now = "2026-01-01T01:00:00Z".parse::<Timestamp>().unwrap();
        let snap = gather(&self.cache, &self.rules, &key, now).unwrap();
        plan::decide(&snap, &Answers::default(), now)
    }

    /// Only the status is written, and the condition gives the reason.
    fn refused(&self, canary: &str, words: &[&str]) {
        let plan = self.plan(canary);
        assert!(plan.actions.is_empty(), "{:?}", plan.actions);
        let status = plan.status.unwrap();
        let accepted = status.conditions.iter().find(|c| c.type_ == "Accepted").unwrap();
        let text = format!("{} {}", accepted.reason, accepted.message);
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }

    fn goes_on(&self, canary: &str) {
        let plan = self.plan(canary);
        let refused = plan.status.iter().flat_map(|s| &s.conditions);
        let refused: Vec<_> = refused.filter(|c| c.type_ == "Accepted" && c.status == "False").collect();
        assert!(refused.is_empty(), "{refused:?}");
    }
}

fn ingress(name: &str) -> Value {
    json!({"kind": "Ingress", "apiVersion": "networking.k8s.io/v1", "name": name})
}

fn deployment(name: &str) -> Value {
    json!({"kind": "Deployment", "apiVersion": "apps/v1", "name": name})
}

fn rules(services: &[&str]) -> Value {
    let path = |name: &&str| json!({"path": format!("/{name}"), "pathType": "Prefix", "backend": {"service": {"name": name, "port": {"number": 80}}}});
    let paths: Vec<Value> = services.iter().map(path).collect();
    json!({"spec": {"rules": [{"host": "h", "http": {"paths": paths}}]}})
}

#[test]
fn r2_of_two_canaries_on_one_ingress_the_younger_is_refused() {
    for (one, other) in [("nginx", "nginx"), ("skipper", "skipper"), ("nginx", "skipper")] {
        let spec = |target: &str, provider: &str| json!({"targetRef": deployment(target), "ingressRef": ingress("public"), "provider": provider});
        let two = Two::new(&spec("web", one), &spec("api", other));
        two.target("web");
        two.target("api");
        two.put(INGRESS, "public", &rules(&["web", "api"]));
        two.refused("younger", &["ForeignObject", "Ingress public-canary", "older", "spec.ingressRef"]);
        two.goes_on("older");
        // whatever mark it has by now
        for mark in ["older", "nobody-any-more"] {
            let mut copy = rules(&["web"]);
            copy["metadata"]["labels"] = json!({"serin.dev/canary": mark});
            two.put(INGRESS, "public-canary", &copy);
            two.refused("younger", &["ForeignObject", "Ingress public-canary", "older"]);
            two.goes_on("older");
        }
    }
}

#[test]
fn r2_who_has_the_copy_already_keeps_it() {
    let spec = |target: &str| json!({"targetRef": deployment(target), "ingressRef": ingress("public")});
    let two = Two::new(&spec("web"), &spec("api"));
    two.target("web");
    two.target("api");
    two.put(INGRESS, "public", &rules(&["web", "api"]));
    let mut copy = rules(&["api"]);
    copy["metadata"]["labels"] = json!({"serin.dev/canary": "younger"});
    two.put(INGRESS, "public-canary", &copy);
    two.refused("older", &["ForeignObject", "Ingress public-canary", "Canary younger"]);
    two.goes_on("younger");
}

#[test]
fn r2_the_operators_provider_decides_whose_copies_meet() {
    let spec = |target: &str| json!({"targetRef": deployment(target), "ingressRef": ingress("public"), "provider": null});
    let two = Two::new(&spec("web"), &spec("api"));
    two.target("web");
    two.target("api");
    // the default is istio, which uses no Ingress
    let at = |rules: &Rules| {
        let key = ("n".to_owned(), "younger".to_owned());
        gather(&two.cache, rules, &key, Timestamp::UNIX_EPOCH).unwrap().rivals.len()
    };
    let kubernetes = Rules { mesh_provider: "kubernetes".into(), ..Rules::default() };
    let nginx = Rules { mesh_provider: "nginx".into(), ..Rules::default() };
    assert_eq!((at(&kubernetes), at(&nginx)), (0, 1));
}

#[test]
fn c4_derived_names_of_two_canaries_do_not_meet() {
    let spec = |target: &str, service: &str| {
        json!({
            "targetRef": deployment(target), "provider": "kubernetes",
            "service": {"name": service}, "analysis": {"stepWeight": null, "iterations": 2},
        })
    };
    for (older, younger, contested) in [
        (["app", ""], ["app-canary", ""], "Service app-canary"),
        (["app-canary", ""], ["app", ""], "Service app-canary"),
        (["app", ""], ["other", "app-primary"], "Service app-primary"),
        (["app", ""], ["app-primary", "free"], "Deployment app-primary"),
        (["app-primary", "free"], ["app", ""], "Deployment app-primary"),
    ] {
        let two = Two::new(&spec(older[0], older[1]), &spec(younger[0], younger[1]));
        two.target(older[0]);
        two.target(younger[0]);
        if older[0] == "app" && younger[0] == "app-primary" {
            // somebody names an object that the older one has made
            let mine = json!({"metadata": {"labels": {"serin.dev/canary": "older"}}});
            two.put(DEPLOYMENT, "app-primary", &mine);
        }
        two.refused("younger", &["ForeignObject", contested, "the older Canary older"]);
        two.goes_on("older");
        two.put(
            SERVICE,
            "app-canary",
            &json!({"metadata": {"labels": {"serin.dev/canary": "older"}}, "spec": {"ports": [{"port": 80}]}}),
        );
        two.refused("younger", &["ForeignObject", contested, "the older Canary older"]);
        two.goes_on("older");
    }
    let two = Two::new(&spec("app", ""), &spec("app-canary", "elsewhere"));
    two.target("app");
    two.target("app-canary");
    two.goes_on("older");
    two.goes_on("younger");
}

#[test]
fn c4_a_service_that_one_canary_adopted_is_not_taken_by_another() {
    let spec = |target: &str, service: &str| {
        json!({
            "targetRef": deployment(target), "provider": "kubernetes",
            "service": {"name": service}, "analysis": {"stepWeight": null, "iterations": 2},
        })
    };
    let two = Two::new(&spec("app", "shop"), &spec("web", "shop"));
    two.target("app");
    two.target("web");
    let original =
        json!({"canary": "younger", "selector": {"app": "web"}, "ports": [{"port": 80}]}).to_string();
    two.put(
        SERVICE,
        "shop",
        &json!({"metadata": {"annotations": {"serin.dev/original": original}}, "spec": {"ports": [{"port": 80}]}}),
    );
    two.refused("older", &["ForeignObject", "Service shop", "Canary younger"]);
    two.goes_on("younger");
}

#[test]
fn c4_a_canary_of_another_operator_owns_what_it_owns() {
    let spec = json!({
        "targetRef": deployment("app"), "provider": "kubernetes", "analysis": {"stepWeight": null, "iterations": 2},
    });
    let two = Two::new(&spec, &json!({"targetRef": deployment("other"), "provider": "kubernetes"}));
    two.target("app");
    for (group, refused) in [("canaries.flanksource.com/v1", true), ("flagger.app/v1beta1", false)] {
        let owner =
            json!([{"apiVersion": group, "kind": "Canary", "name": "older", "uid": "1", "controller": true}]);
        two.put(
            SERVICE,
            "app",
            &json!({"metadata": {"ownerReferences": owner}, "spec": {"ports": [{"port": 80}]}}),
        );
        if refused {
            two.refused("older", &["ForeignObject", "Service app is controlled by Canary older"]);
        } else {
            two.goes_on("older");
        }
    }
}

#[test]
fn ch6_a_service_of_a_chart_is_advised_about_before_it_hurts() {
    let spec = json!({
        "targetRef": deployment("app"), "provider": "kubernetes", "analysis": {"stepWeight": null, "iterations": 2},
    });
    let two = Two::new(&spec, &json!({"targetRef": deployment("other"), "provider": "kubernetes"}));
    two.target("app");
    let said = |annotations: Value, labels: Value| {
        two.put(
            SERVICE,
            "app",
            &json!({"metadata": {"annotations": annotations, "labels": labels},
                "spec": {"selector": {"app": "app"}, "ports": [{"port": 80}]}}),
        );
        let plan = two.plan("older");
        let advice = plan.status.iter().flat_map(|s| &s.conditions).find(|c| c.type_ == "Advisory");
        let text = advice.map(|c| c.message.clone()).unwrap_or_default();
        let event = plan.notes.iter().any(|note| note.reason == "Advisory" && note.message == text);
        assert_eq!(event, !text.is_empty(), "with an Event");
        text
    };
    let chart = || json!({"meta.helm.sh/release-name": "shop"});
    let text = said(chart(), json!({}));
    for word in [
        "Service app",
        "Helm release shop",
        "kubectl -n n annotate services app helm.sh/resource-policy=keep",
    ] {
        assert!(text.contains(word), "{text}");
    }
    let text =
        said(json!({"meta.helm.sh/release-name": "shop", "helm.sh/resource-policy": "keep"}), json!({}));
    assert!(!text.contains("Helm"), "{text}");
    assert!(!said(chart(), json!({"serin.dev/canary": "older"})).contains("Helm"), "made by Serin");
}

#[test]
fn r27_a_canary_that_is_deleted_sees_what_it_had_under_a_former_name() {
    let spec = |target: &str| {
        json!({
            "targetRef": deployment(target), "provider": "kubernetes",
            "service": {"name": "shop"}, "analysis": {"stepWeight": null, "iterations": 2},
        })
    };
    let two = Two::new(&spec("app"), &spec("other"));
    for name in ["old", "old-primary", "old-canary", "stranger", "stranger-primary"] {
        two.put(SERVICE, name, &json!({"metadata": {"labels": {"serin.dev/canary": "older"}}}));
    }
    let key = ("n".to_owned(), "older".to_owned());
    let seen = || {
        let snap = gather(&two.cache, &Rules::default(), &key, Timestamp::UNIX_EPOCH).unwrap();
        let name = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
        snap.objects.of(SERVICE).map(name).collect::<Vec<_>>()
    };
    assert!(seen().is_empty());
    let mut canary = (*two.cache.get(CANARY, "n", "older").unwrap()).clone();
    canary["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    canary["metadata"]["resourceVersion"] = json!("3");
    two.cache.insert(CANARY, canary);
    assert_eq!(seen(), ["old", "old-canary", "old-primary"]);
}

#[test]
fn r30_a_prefix_that_holds_another_canarys_is_advised_about() {
    let spec = |target: &str, prefix: &str, hosts: Value| {
        json!({
            "targetRef": deployment(target), "provider": "istio",
            "service": {"hosts": hosts, "gateways": ["istio-system/public"], "match": [{"uri": {"prefix": prefix}}]},
        })
    };
    let advice = |older: Value, younger: Value| {
        let two = Two::new(&older, &younger);
        for kind in crate::router::by_name("istio").unwrap().kinds() {
            two.cache.set_crds([kind.crd()].into());
            two.cache.listed(*kind, &BTreeSet::new());
        }
        two.cache.set_crds(crate::router::by_name("istio").unwrap().kinds().iter().map(Kind::crd).collect());
        two.target("web");
        two.target("api");
        ["older", "younger"].map(|canary| {
            let plan = two.plan(canary);
            let advice = plan.status.iter().flat_map(|s| &s.conditions).find(|c| c.type_ == "Advisory");
            advice.map(|c| c.message.clone()).unwrap_or_default()
        })
    };
    let one = || json!(["shop.example.com"]);
    let [web, api] = advice(spec("web", "/", one()), spec("api", "/api", one()));
    assert!(
        web.contains("spec.service.match takes in /api of host shop.example.com of Canary younger in n"),
        "{web}"
    );
    assert!(!api.contains("takes in"), "{api}");
    let [web, api] = advice(spec("web", "/", one()), spec("api", "/api", json!(["api.example.com"])));
    assert!(!web.contains("takes in") && !api.contains("takes in"), "{web} {api}");
    let [web, api] = advice(spec("web", "/web", one()), spec("api", "/api", one()));
    assert!(!web.contains("takes in") && !api.contains("takes in"), "{web} {api}");
}

#[test]
fn c4_a_virtual_service_that_one_canary_refers_to_is_not_anothers() {
    let lent = |target: &str| {
        let shop = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "name": "shop"});
        json!({"targetRef": deployment(target), "provider": "istio", "routeRef": shop})
    };
    let own = json!({"targetRef": deployment("shop"), "provider": "istio"});
    for (older, younger, target) in [(lent("web"), lent("api"), "api"), (lent("web"), own, "shop")] {
        let two = Two::new(&older, &younger);
        let kinds = crate::router::by_name("istio").unwrap().kinds();
        two.cache.set_crds(kinds.iter().map(Kind::crd).collect());
        for kind in kinds {
            two.cache.listed(*kind, &BTreeSet::new());
        }
        two.target("web");
        two.target(target);
        two.refused("younger", &["ForeignObject", "VirtualService shop", "the older Canary older"]);
    }
}

/// The older Canary with its target and this status, before its setup.
fn unmade(status: &Value) -> Two {
    let spec = |target: &str| {
        json!({
            "targetRef": deployment(target), "provider": "kubernetes", "service": {"name": target},
            "analysis": {"stepWeight": null, "iterations": 2},
        })
    };
    let two = Two::new(&spec("app"), &spec("other"));
    two.target("app");
    let mut canary = (*two.cache.get(CANARY, "n", "older").unwrap()).clone();
    canary["metadata"]["finalizers"] = json!(["finalizer.flagger.app"]);
    canary["status"] = json!({"epoch": 0, "failedChecks": 0, "canaryWeight": 0, "iterations": 0});
    json_patch::merge(&mut canary["status"], status);
    two.cache.insert(CANARY, canary);
    two
}

#[test]
fn advice_about_policies_that_are_not_listed_yet_stays_as_it_is_and_stops_nothing() {
    let lines = ["NetworkPolicy a holds for x", "PodDisruptionBudget b protects x"];
    let said = format!("something else; {}", lines.join("; "));
    let two = unmade(&json!({
        "conditions": [{"type": "Advisory", "status": "True", "reason": "Advisory", "message": said}],
    }));
    let advice = || {
        let status = two.plan("older").status.unwrap();
        assert_ne!(status.epoch, 0, "it goes on");
        let advice = status.conditions.into_iter().find(|c| c.type_ == "Advisory").unwrap().message;
        let about =
            |line: &&str| line.starts_with("NetworkPolicy ") || line.starts_with("PodDisruptionBudget ");
        advice.split("; ").filter(about).map(str::to_owned).collect::<Vec<_>>()
    };
    let [policies, budgets] = pod_policies::KINDS;
    assert!(advice().is_empty(), "listed, and there are none");
    two.cache.forget(policies);
    assert_eq!(advice(), [lines[0]]);
    two.cache.forget(budgets);
    assert_eq!(advice(), lines);
    two.cache.forbid(policies);
    assert_eq!(advice(), [lines[1]], "what may not be listed is not advised about");
}

#[test]
fn a_record_with_a_number_that_no_run_has_does_not_count() {
    for (numbers, epoch) in [(vec![7, i64::MAX, (1 << 53) + 1], 8), (vec![1 << 53], (1 << 53) + 1)] {
        let two = unmade(&json!({}));
        two.cache.set_crds([CANARY_RUN.crd()].into());
        for number in numbers {
            let mine =
                json!({"metadata": {"labels": {"serin.dev/canary": "older"}}, "spec": {"number": number}});
            two.put(CANARY_RUN, &format!("older-{number}"), &mine);
        }
        assert_eq!(two.plan("older").status.unwrap().epoch, epoch);
    }
}

/// Two Canaries with plain Services, whose apexes are named after their targets.
fn of_services(older: &Value) -> Two {
    let spec = |target: &str| json!({"targetRef": deployment(target), "provider": "kubernetes", "analysis": {"stepWeight": null, "iterations": 2}});
    let mut first = spec("app");
    json_patch::merge(&mut first, older);
    let two = Two::new(&first, &spec("other"));
    two.target("app");
    two.target("other");
    two
}

#[test]
fn f25_with_the_flag_an_apex_without_an_owner_is_taken_over_only_with_consent() {
    let apex = |annotations: Value| {
        json!({
            "metadata": {"annotations": annotations},
            "spec": {"selector": {"app": "app"}, "ports": [{"port": 80, "targetPort": 80}]},
        })
    };
    let mut two = of_services(&json!({}));
    two.put(SERVICE, "app", &apex(json!({})));
    two.goes_on("older");
    two.rules.adoption_needs_consent = true;
    two.refused("older", &["AdoptionNotAllowed", "Service app", "serin.dev/adopt=older"]);
    for other in [json!({"serin.dev/adopt": "younger"}), json!({"serin.dev/adopt": "*"})] {
        two.put(SERVICE, "app", &apex(other));
        two.refused("older", &["AdoptionNotAllowed"]);
    }
    two.put(SERVICE, "app", &apex(json!({"serin.dev/adopt": "older"})));
    two.goes_on("older");
    // taken over already, before consent was needed
    let noted = json!({"canary": "older", "selector": {"app": "app"}}).to_string();
    two.put(SERVICE, "app", &apex(json!({"serin.dev/adopt": null, "serin.dev/original": noted})));
    two.goes_on("older");
}

#[test]
fn f27_with_the_flag_a_canary_adds_labels_and_annotations_of_named_domains_only() {
    let key = "external-dns.alpha.kubernetes.io/hostname";
    let given = |key: &str| json!({"service": {"apex": {"annotations": {key: "x", "note": "y"}}}});
    let mut two = of_services(&given(key));
    two.goes_on("older");
    two.rules.metadata_domains = vec!["example.com".into(), "*.example.com".into()];
    two.refused(
        "older",
        &["MetadataNotAllowed", "spec.service.apex.annotations", key, "--allowed-metadata-domains"],
    );
    for (key, fits) in [
        ("example.com/team", true),
        ("a.Example.com/team", true),
        ("notexample.com/team", false),
        ("team", true),
    ] {
        let mut two = of_services(&given(key));
        two.rules.metadata_domains = vec!["example.com".into(), "*.example.com".into()];
        if fits {
            two.goes_on("older");
        } else {
            two.refused("older", &["MetadataNotAllowed", key]);
        }
    }
    for side in ["primary", "canary"] {
        let mut two = of_services(&json!({"service": {side: {"labels": {key: "x"}}}}));
        two.rules.metadata_domains = vec!["example.com".into()];
        two.refused("older", &["MetadataNotAllowed", &format!("spec.service.{side}.labels")]);
    }
}

#[test]
fn f1_a_metric_template_that_does_not_decode_holds_only_who_refers_to_it() {
    let metric = json!({"name": "mine", "templateRef": {"name": "deep"}, "thresholdRange": {"max": 1}});
    let two = of_services(&json!({"analysis": {"metrics": [metric]}}));
    let faults = |two: &Two| {
        let plan = two.plan("older");
        let status = plan.status.unwrap();
        let accepted = status.conditions.into_iter().find(|c| c.type_ == "Accepted").unwrap();
        format!("{} {}", accepted.reason, accepted.message)
    };
    let template = |spec: Value| json!({"metadata": {"name": "deep", "namespace": "n", "resourceVersion": "4"}, "spec": spec});
    assert!(faults(&two).contains("there is no MetricTemplate n/deep"));
    let key: Key = ("n".into(), "deep".into());
    let good = json!({"provider": {"type": "prometheus", "address": "http://p:9090"}, "query": "up"});
    two.cache.insert(METRIC_TEMPLATE, template(good));
    assert!(!faults(&two).contains("MetricTemplate"), "{}", faults(&two));
    two.cache.insert_undecodable(
        METRIC_TEMPLATE,
        key,
        5,
        template(json!({})),
        "spec.job.spec is too deep".into(),
    );
    let said = faults(&two);
    for words in ["TemplateInvalid", "MetricTemplate n/deep does not decode: spec.job.spec is too deep"] {
        assert!(said.contains(words), "{said}");
    }
    two.goes_on("younger");
    let mut odd = template(json!({"provider": 7}));
    odd["metadata"]["resourceVersion"] = json!("6");
    two.cache.insert(METRIC_TEMPLATE, odd);
    assert!(faults(&two).contains("MetricTemplate n/deep does not decode: "), "{}", faults(&two));
}
