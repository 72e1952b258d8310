//! The complete definitions, and objects of users.

mod policies;

use kube::{core::cel::validate_cel, core::cel::validate_cel_schema};
use serde_json::{Value, json};

use super::{
    crd::{all_crds, to_yaml},
    *,
};

fn canary(spec: &Value) -> Canary {
    let object = json!({ "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": { "name": "shop" },
        "spec": { "targetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "shop" } } });
    let mut object = object;
    object["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    serde_json::from_value(object).unwrap()
}

/// Whether the rules in the definition admit a Canary whose spec has these fields besides `targetRef`.
fn admitted(spec: &Value) -> bool {
    validate_cel(&canary(spec)).is_ok()
}

fn each_schema(schema: &Value, path: &str, see: &mut dyn FnMut(&Value, &str)) {
    see(schema, path);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        each_schema(property, &format!("{path}.{name}"), see);
    }
    for inner in ["items", "additionalProperties"] {
        if schema[inner].is_object() {
            each_schema(&schema[inner], &format!("{path}[]"), see);
        }
    }
}

fn schemas() -> Vec<(String, bool, Value)> {
    let crds = all_crds().into_iter().flat_map(|crd| {
        let kind = crd.spec.names.kind;
        crd.spec.versions.into_iter().map(move |version| {
            let schema = version.schema.unwrap().open_api_v3_schema.unwrap();
            (format!("{kind} {}", version.name), version.storage, serde_json::to_value(schema).unwrap())
        })
    });
    crds.collect()
}

#[test]
fn shipped_files_are_what_the_types_say() {
    for crd in all_crds() {
        let path = format!("{}/crd/{}.yaml", env!("CARGO_MANIFEST_DIR"), crd.spec.names.plural);
        let shipped = std::fs::read_to_string(&path).unwrap();
        assert!(shipped == to_yaml(&crd), "{path} is out of date: run `make crd`");
    }
}

#[test]
fn canary_fits_the_annotation_of_kubectl_apply() {
    for crd in all_crds() {
        assert!(serde_json::to_vec(&crd).unwrap().len() < 256 * 1024, "{}", crd.spec.names.kind);
    }
}

#[test]
fn old_versions_are_served_and_the_newest_is_stored() {
    let crds = all_crds();
    let versions: Vec<Vec<_>> = crds
        .iter()
        .map(|crd| crd.spec.versions.iter().map(|v| (v.name.as_str(), v.served, v.storage)).collect())
        .collect();
    let stored = ("v1beta1", true, true);
    assert_eq!(versions[0], [stored, ("v1alpha3", true, false), ("v1alpha2", true, false)]);
    assert_eq!(versions[1], [stored, ("v1alpha1", true, false)]);
    assert_eq!(versions[2], [stored]);
    assert_eq!(versions[3], [("v1alpha1", true, true)]);
    assert!(crds[3].spec.versions[0].subresources.is_none(), "a record is made by one write");
    for version in crds[..3].iter().flat_map(|crd| &crd.spec.versions) {
        assert_eq!(
            serde_json::to_value(version.subresources.as_ref().unwrap()).unwrap(),
            json!({ "status": {} })
        );
    }
    let interval = |index: usize| {
        let columns = crds[0].spec.versions[index].additional_printer_columns.as_ref().unwrap();
        columns.iter().find(|column| column.name == "Interval").unwrap().json_path.clone()
    };
    assert_eq!(interval(0), ".spec.analysis.interval");
    assert_eq!(interval(2), ".spec.canaryAnalysis.interval");
}

#[test]
fn schemas_are_structural_and_described() {
    for (name, stored, schema) in schemas() {
        each_schema(&schema, &name, &mut |schema, path| {
            let typed = schema["type"].is_string() || schema["x-kubernetes-int-or-string"] == json!(true);
            assert!(typed, "{path} has no type");
            assert!(schema.get("nullable").is_none() && schema.get("$ref").is_none(), "{path}");
            for combined in ["oneOf", "anyOf", "allOf", "not"] {
                assert!(schema.get(combined).is_none(), "{path} has {combined}");
            }
            let format = schema["format"].as_str().unwrap_or("int32");
            assert!(
                ["int32", "int64", "double", "date-time"].contains(&format),
                "{path} has format {format}"
            );
            let leaf = !path.ends_with("[]");
            assert!(!leaf || stored == schema["description"].is_string(), "{path} and its description");
        });
    }
}

#[test]
fn only_what_flagger_requires_is_required() {
    let mut required = Vec::new();
    each_schema(&schemas()[0].2["properties"]["spec"], "spec", &mut |schema, path| {
        let fields = schema["required"].as_array().into_iter().flatten();
        required.extend(fields.map(|field| format!("{path}.{}", field.as_str().unwrap())));
    });
    required.retain(|path| !path.starts_with("spec.canaryAnalysis."));
    required.sort();
    let reference = |name: &str| ["apiVersion", "kind", "name"].map(|field| format!("spec.{name}.{field}"));
    let mut expected: Vec<String> = ["targetRef", "autoscalerRef", "ingressRef", "routeRef", "upstreamRef"]
        .iter()
        .flat_map(|name| reference(name))
        .collect();
    let analysis = [
        "alerts[].name",
        "alerts[].providerRef",
        "alerts[].providerRef.name",
        "metrics[].name",
        "metrics[].templateRef.name",
        "sessionAffinity.cookieName",
        // additive
        "metrics[].args[].name",
        "metrics[].args[].valueFrom.fieldRef.fieldPath",
        "metrics[].args[].valueFrom.secretKeyRef.key",
        "metrics[].args[].valueFrom.secretKeyRef.name",
        "rollbackWindow.revisions",
        "steps[].weight",
        "windows[].from",
        "windows[].to",
        "webhooks[].name",
        "webhooks[].url",
    ];
    expected.extend(analysis.map(|field| format!("spec.analysis.{field}")));
    let service = ["port", "gatewayRefs[].name", "mirror[].backendRef", "mirror[].backendRef.name"];
    expected.extend(service.map(|field| format!("spec.service.{field}")));
    expected.push("spec.targetRef".into());
    expected.sort();
    assert_eq!(required, expected);
}

#[test]
fn all_versions_have_one_schema() {
    let schemas = schemas();
    let v1alpha3 = &schemas[1].2;
    assert_eq!(v1alpha3, &schemas[2].2);
    let fields = |schema: &Value| {
        let mut paths = Vec::new();
        each_schema(schema, "", &mut |schema, path| paths.push((path.to_owned(), schema["type"].clone())));
        paths
    };
    assert_eq!(fields(&schemas[0].2), fields(v1alpha3));
}

#[test]
fn contradictions_are_refused() {
    let affinity = |primary| json!({ "analysis": { "stepWeight": 10, "sessionAffinity": { "cookieName": "a", "primaryCookieName": primary } } });
    for (spec, expected) in [
        (json!({}), false),
        (json!({ "analysis": {} }), true),
        (json!({ "canaryAnalysis": { "threshold": 5, "maxWeight": 50, "stepWeight": 10 } }), true),
        (json!({ "analysis": { "interval": "1m", "threshold": 5, "stepWeight": 10 } }), true),
        (json!({ "analysis": { "interval": "1m", "threshold": 5, "stepWeights": [50, 10] } }), true),
        (json!({ "analysis": { "interval": "1m", "threshold": 5, "iterations": 3 } }), true),
        (json!({ "analysis": { "iterations": 3, "stepWeight": 10 } }), false),
        (json!({ "analysis": { "iterations": 3, "stepWeights": [10] } }), false),
        (json!({ "analysis": { "stepWeight": 10, "stepWeights": [10] } }), false),
        (affinity("b"), true),
        (affinity("a"), false),
    ] {
        assert_eq!(admitted(&spec), expected, "{spec}");
    }
}

#[test]
fn routing_parts_that_contradict_themselves_are_refused() {
    let service = |policy: Value, mirror: Value| {
        let spec =
            json!({ "analysis": {}, "service": { "port": 80, "trafficPolicy": policy, "mirror": mirror } });
        admitted(&spec)
    };
    let balanced = |by: Value| service(json!({ "loadBalancer": by }), json!([]));
    assert!(balanced(json!({ "simple": "RANDOM" })));
    assert!(balanced(json!({ "consistentHash": { "useSourceIp": true, "minimumRingSize": 8 } })));
    assert!(!balanced(json!({ "simple": "RANDOM", "consistentHash": { "useSourceIp": true } })));
    assert!(!balanced(json!({ "consistentHash": { "useSourceIp": true, "httpHeaderName": "x" } })));
    let mirrored = |backend: Value| service(json!({}), json!([{ "backendRef": backend }]));
    assert!(mirrored(json!({ "group": "", "kind": "Service", "name": "copy", "port": 80 })));
    assert!(!mirrored(json!({ "group": "", "kind": "Service", "name": "copy" })));
}

#[test]
fn an_alert_provider_has_one_address() {
    let admitted = |spec: Value| validate_cel_schema::<AlertProviderSpec>(&spec, None).is_ok();
    assert!(admitted(json!({ "type": "slack", "address": "http://hook" })));
    assert!(admitted(json!({ "type": "slack", "secretRef": { "name": "hook" } })));
    assert!(!admitted(json!({ "type": "slack" })));
    assert!(!admitted(json!({ "type": "slack", "address": "http://hook", "secretRef": { "name": "hook" } })));
}

#[test]
fn objects_that_users_have_survive_a_round_trip() {
    let service = json!({
        "port": 9898, "targetPort": "http", "gateways": ["istio-system/public-gateway"], "hosts": ["shop.example.com"],
        "trafficPolicy": { "tls": { "mode": "DISABLE" } },
        "retries": { "attempts": 3, "perTryTimeout": "1s", "retryOn": "gateway-error,connect-failure" },
        "match": [{ "uri": { "prefix": "/" } }], "apex": { "labels": { "team": "shop" } },
    });
    let webhook = json!({ "name": "load-test", "url": "http://loadtester.test/", "timeout": "5s", "disableTLS": true,
        "metadata": { "cmd": "hey -z 1m http://shop-canary.test:9898/" } });
    for spec in [
        json!({
            "autoscalerRef": { "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "shop" },
            "progressDeadlineSeconds": 60, "service": service,
            "analysis": { "interval": "1m", "threshold": 5, "maxWeight": 50, "stepWeight": 10, "webhooks": [webhook],
                "metrics": [{ "name": "request-duration", "thresholdRange": { "max": 500.0 }, "interval": "30s" }] },
        }),
        json!({
            "service": { "port": 8080, "gateways": ["gateway.istio-system.svc.cluster.local"] },
            "canaryAnalysis": { "interval": "30s", "threshold": 5, "maxWeight": 70, "stepWeight": 20,
                "metrics": [{ "name": "istio_requests_total", "threshold": 99.0, "interval": "120s" }] },
        }),
        json!({ "canaryAnalysis": { "threshold": 5, "maxWeight": 50, "stepWeight": 10 }, "settleTime": "500ms" }),
    ] {
        let canary = canary(&spec);
        assert!(validate_cel(&canary).is_ok(), "{spec}");
        assert!(canary.analysis().is_some());
        let written = serde_json::to_value(&canary).unwrap();
        for (field, value) in spec.as_object().unwrap() {
            assert_eq!(&written["spec"][field], value, "{field}");
        }
    }
}

#[test]
fn a_fraction_is_no_weight() {
    let analysis = json!({ "interval": "1m", "threshold": 5, "stepWeight": 1.5 });
    assert!(serde_json::from_value::<CanaryAnalysis>(analysis).is_err());
}

#[test]
fn an_empty_status_has_its_counters() {
    let empty = json!({ "failedChecks": 0, "canaryWeight": 0, "iterations": 0, "epoch": 0 });
    assert_eq!(serde_json::to_value(CanaryStatus::default()).unwrap(), empty);
    assert_eq!(serde_json::from_value::<CanaryStatus>(json!({})).unwrap(), CanaryStatus::default());
}

#[test]
fn status_survives_a_round_trip() {
    let status = json!({
        "phase": "Progressing", "failedChecks": 1, "canaryWeight": 20, "iterations": -1, "lastAppliedSpec": "abc",
        "lastPromotedSpec": "def", "trackedConfigs": { "configmap/shop": "0123456789abcdef" },
        "lastTransitionTime": "2026-01-02T03:04:05Z", "observedGeneration": 3, "epoch": 7, "primaryReplicas": 2,
        "target": { "uid": "u", "generation": 4 }, "sessionAffinityCookie": "a=b",
        "step": { "index": 2, "promotion": 0, "weight": 20, "confirmed": "2026-01-02T03:04:05.123456Z" },
        "lastRun": { "name": "shop-4", "number": 4, "revision": "abc", "outcome": "RolledBack", "reason": "ThresholdReached",
            "message": "too many", "failedChecks": 3, "started": "2026-01-02T03:04:05.000000Z",
            "ended": "2026-01-02T03:05:05.000000Z" },
        "run": { "started": "2026-01-02T03:04:05.000000Z", "number": 7, "ending": { "kind": "RollingBack",
            "reason": "ThresholdReached", "message": "too many", "at": "2026-01-02T03:04:05.000000Z" } },
        "conditions": [{ "type": "Promoted", "status": "Unknown", "reason": "Progressing", "message": "New revision",
            "lastUpdateTime": "2026-01-02T03:04:05Z", "lastTransitionTime": "2026-01-02T03:04:05Z" }],
    });
    let read: CanaryStatus = serde_json::from_value(status.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), status);
}

#[test]
fn phases_are_called_as_flagger_calls_them() {
    let phases = schemas()[0].2["properties"]["status"]["properties"]["phase"]["enum"].clone();
    let expected = [
        "",
        "Initializing",
        "Initialized",
        "Waiting",
        "Progressing",
        "WaitingPromotion",
        "Promoting",
        "Finalising",
        "Succeeded",
        "Failed",
        "Terminating",
        "Terminated",
    ];
    assert_eq!(phases, json!(expected));
    for name in expected {
        let phase: Phase = serde_json::from_value(json!(name)).unwrap();
        assert_eq!(phase.to_string(), name);
    }
}

#[test]
fn f2_labels_and_annotations_of_serins_own_are_refused_where_users_add_some() {
    for key in crate::names::OWN {
        for map in ["labels", "annotations"] {
            let given = |key: &str| json!({map: {key: "x"}});
            let refused = |key: &str| validate_cel_schema::<CustomMetadata>(&given(key), None).is_err();
            assert!(refused(key), "{map} {key}");
            assert!(!refused("example.org/team"), "{map}");
        }
    }
    let rules = schemas()
        .into_iter()
        .map(|(_, _, schema)| schema.to_string().matches("written by Serin alone").count());
    assert!(rules.sum::<usize>() >= 4, "Services and Jobs");
}

/// Keys from other writers, or stored by an older definition, are dropped as well.
#[test]
fn f2_labels_and_annotations_of_serins_own_are_left_out_of_what_is_read() {
    let given = json!({"labels": {"serin.dev/canary": "x", "team": "a"}, "annotations": {"x.serin.dev/y": "1", "notserin.dev/z": "2", "serin.dev": "3"}});
    let read: CustomMetadata = serde_json::from_value(given).unwrap();
    assert_eq!(
        json!(read),
        json!({"labels": {"team": "a"}, "annotations": {"notserin.dev/z": "2", "serin.dev": "3"}})
    );
}
