use super::*;

fn pod() -> Value {
    json!({
        "volumes": [
            {"name": "v", "configMap": {"name": "cm-vol", "optional": true}},
            {"name": "s", "secret": {"secretName": "sec-vol"}},
            {"name": "p", "projected": {"sources": [
                {"configMap": {"name": "cm-proj"}}, {"secret": {"name": "sec-proj", "optional": true}},
                {"downwardAPI": {}},
            ]}},
            {"name": "e", "emptyDir": {}},
        ],
        "initContainers": [{"name": "init", "envFrom": [{"secretRef": {"name": "sec-init"}}]}],
        "containers": [{
            "name": "app",
            "env": [
                {"name": "PLAIN", "value": "1"},
                {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "cm-env", "key": "a"}}},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "sec-env", "key": "b", "optional": true}}},
                {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "cm-vol", "key": "c"}}},
                {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            ],
            "envFrom": [{"configMapRef": {"name": "cm-all", "optional": true}}, {"configMapRef": {}}],
        }],
        "imagePullSecrets": [{"name": "pull"}],
    })
}

fn config_map(name: &str) -> ObjectRef {
    ObjectRef::new(CONFIG_MAP, name)
}

fn of(from: ObjectRef, source: &Value) -> CopyOf {
    let checksum = digest(source).checksum.unwrap();
    let name = copy_name("podinfo", &from, &checksum);
    CopyOf { from, name, checksum, canary: "podinfo".into(), prefixes: vec!["team".into()] }
}

#[test]
fn every_kind_of_reference_is_found() {
    let found: Vec<_> = references(&pod()).into_iter().map(|r| (key(&r.at), r.optional, r.field)).collect();
    let wanted = [
        // needed in one place and optional in another: needed
        ("configmap/cm-vol", false, "containers[app].env[C]"),
        ("secret/sec-vol", false, "volumes[s]"),
        ("configmap/cm-proj", false, "volumes[p]"),
        ("secret/sec-proj", true, "volumes[p]"),
        ("secret/sec-init", false, "initContainers[init].envFrom"),
        ("configmap/cm-env", false, "containers[app].env[A]"),
        ("secret/sec-env", true, "containers[app].env[B]"),
        ("configmap/cm-all", true, "containers[app].envFrom"),
    ];
    assert_eq!(found, wanted.map(|(k, o, f)| (k.to_owned(), o, f.to_owned())));
    for odd in [json!(null), json!({"volumes": {}, "containers": [7, {"env": "x"}]}), json!([])] {
        assert_eq!(references(&odd), []);
    }
}

#[test]
fn rewriting_changes_the_names_of_what_was_copied_and_nothing_else() {
    let mut rewritten = pod();
    let copies: BTreeMap<String, String> =
        references(&pod()).iter().map(|r| (key(&r.at), format!("{}-copy", r.at.name))).collect();
    rewrite(&mut rewritten, &copies);
    let names: Vec<_> = references(&rewritten).into_iter().map(|r| r.at.name).collect();
    assert!(names.len() == 8 && names.iter().all(|n| n.ends_with("-copy")), "{names:?}");
    let mut back = rewritten.to_string();
    back = back.replace("-copy\"", "\"");
    assert_eq!(serde_json::from_str::<Value>(&back).unwrap(), pod());

    let mut same_name = json!({"containers": [{"envFrom": [
        {"configMapRef": {"name": "x"}}, {"secretRef": {"name": "x"}},
    ]}]});
    rewrite(&mut same_name, &BTreeMap::from([("secret/x".into(), "y".into())]));
    assert_eq!(same_name["containers"][0]["envFrom"][0]["configMapRef"]["name"], "x");
    assert_eq!(same_name["containers"][0]["envFrom"][1]["secretRef"]["name"], "y");
}

#[test]
fn a_checksum_is_of_content_alone() {
    let one =
        json!({"kind": "ConfigMap", "data": {"a": "1", "b": "2"}, "metadata": {"resourceVersion": "5"}});
    let same = json!({
        "kind": "ConfigMap", "data": {"b": "2", "a": "1"}, "binaryData": {}, "immutable": true,
        "metadata": {"resourceVersion": "6", "labels": {"x": "y"}},
    });
    let binary = json!({"kind": "ConfigMap", "data": {"a": "1", "b": "2"}, "binaryData": {"c": "AA=="}});
    assert_eq!(digest(&one).checksum, digest(&same).checksum);
    assert_eq!((digest(&one).version, digest(&same).version), ("5".into(), "6".into()));
    assert_ne!(digest(&one).checksum, digest(&binary).checksum);
    assert!(digest(&one).checksum.is_some_and(|c| c.len() == 16));
}

#[test]
fn secrets_of_the_cluster_are_not_followed() {
    for (type_, followed) in [
        (Value::Null, true),
        (json!("Opaque"), true),
        (json!("kubernetes.io/tls"), true),
        (json!("kubernetes.io/service-account-token"), false),
        (json!("helm.sh/release.v1"), false),
    ] {
        let secret = json!({"kind": "Secret", "type": type_, "data": {"a": "MQ=="}});
        assert_eq!(digest(&secret).checksum.is_some(), followed, "{type_}");
    }
    let (a, b) =
        (json!({"kind": "Secret", "type": "Opaque"}), json!({"kind": "Secret", "type": "kubernetes.io/tls"}));
    assert_ne!(digest(&a).checksum, digest(&b).checksum);
}

#[test]
fn a_copy_has_the_content_that_was_seen_or_is_none() {
    let source = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "data": {"tls.key": "a2V5"},
        "metadata": {"name": "tls", "labels": {"team": "a", "app": "x"}, "annotations": {"a": "b"}},
    });
    let of = of(ObjectRef::new(SECRET, "tls"), &source);
    let made = copy(&source, &of).unwrap();
    assert_eq!(made.kind, SECRET);
    assert_eq!(
        made.to_create(),
        json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "data": {"tls.key": "a2V5"},
            "immutable": true,
            "metadata": {
                "name": of.name, "labels": {"team": "a", "serin.dev/canary": "podinfo"},
                "annotations": {"serin.dev/checksum": of.checksum},
            },
        })
    );
    assert!(is_copy(&made.body, "podinfo") && !is_copy(&made.body, "other") && !is_copy(&source, "podinfo"));
    let mut rotated = source;
    rotated["data"]["tls.key"] = json!("bmV3");
    assert_eq!(copy(&rotated, &of), None);
}

#[test]
fn names_of_copies_tell_contents_and_canaries_apart_and_fit() {
    let name = |canary: &str, from: &str, sum: &str| copy_name(canary, &config_map(from), sum);
    assert!(name("a", "cm", "1").starts_with("cm-primary-"));
    assert_eq!(name("a", "cm", "1"), name("a", "cm", "1"));
    assert_ne!(name("a", "cm", "1"), name("a", "cm", "2"));
    assert_ne!(name("a", "cm", "1"), name("b", "cm", "1"));
    let (long, longer) = (name("a", &"x".repeat(252), "1"), name("a", &"x".repeat(253), "1"));
    assert!(long.len() <= 253 && longer.len() <= 253 && long != longer);
}

#[test]
fn nothing_of_a_content_is_remembered() {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "data": {"token": "aHVzaA=="}, "stringData": {"token": "hush"},
        "metadata": {
            "name": "s", "namespace": "n", "uid": "u", "resourceVersion": "3", "labels": {"hush": "x"},
            "annotations": {
                names::ANNOTATION_KUBECTL: "{\"stringData\":{\"token\":\"hush\"}}",
                names::ANNOTATION_CONFIG_TRACKING: "disabled",
            },
        },
    });
    let kept = without_content(&secret);
    assert!(!kept.to_string().contains("hush") && !kept.to_string().contains("aHVzaA"), "{kept}");
    assert_eq!((get::uid(&kept), get::resource_version(&kept)), (Some("u"), Some("3")));
    assert!(opted_out(&kept));
    assert!(!opted_out(
        &json!({"metadata": {"annotations": {names::ANNOTATION_CONFIG_TRACKING: "enabled"}}})
    ));
}

#[test]
fn keys_are_read_back() {
    for at in [config_map("a.b"), ObjectRef::new(SECRET, "c")] {
        assert_eq!(by_key(&key(&at)), Some(at));
    }
    assert_eq!((by_key("deployment/x"), by_key("x")), (None, None));
}
