use super::*;
use crate::manifest::{
    fixture::{self, merge},
    marks::{adopted, annotation, ours},
    patch,
};
use crate::snapshot::DEPLOYMENT;

fn label() -> (String, String) {
    ("app".into(), "podinfo".into())
}

fn rendered(service: &Value, live: &Objects) -> Services {
    render(&fixture::canary(service), &fixture::target(), &label(), live).unwrap()
}

fn apply(live: &mut Objects, m: &Manifest) {
    let mut object = live.get(SERVICE, &m.name).cloned().unwrap_or_else(|| m.to_create());
    if let Some(p) = patch(&object, m) {
        merge(&mut object, &p);
    }
    live.insert(SERVICE, object);
}

fn apply_apex(live: &mut Objects, service: &Value) {
    let apex = rendered(service, live).apex;
    apply(live, &apex);
}

fn users_apex() -> Value {
    json!({
        "metadata": {"name": "podinfo", "labels": {"app": "mine"}, "annotations": {"a": "b"}},
        "spec": {
            "type": "NodePort", "clusterIP": "10.0.0.9", "selector": {"app": "podinfo", "tier": "web"},
            "ports": [
                {"name": "http", "protocol": "TCP", "port": 80, "targetPort": "http", "nodePort": 30080},
                {"name": "old", "protocol": "TCP", "port": 81, "targetPort": 81, "nodePort": 30081},
            ],
        },
    })
}

#[test]
fn the_three_are_the_recorded_ones() {
    let s = rendered(&json!({"targetPort": 9898}), &Objects::default());
    for (m, pods) in [(&s.apex, "podinfo-primary"), (&s.primary, "podinfo-primary"), (&s.canary, "podinfo")] {
        assert_eq!(
            m.body["spec"],
            json!({
                "type": "ClusterIP", "selector": {"app": pods},
                "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 9898}],
            })
        );
        assert_eq!(m.body["metadata"]["labels"]["app"], m.name.as_str());
        assert_eq!(m.body["metadata"]["annotations"].as_object().unwrap().len(), 2);
        assert!(ours(&m.body, "podinfo"));
    }
    assert!(s.advice.is_empty());
    let names = [&s.apex, &s.primary, &s.canary].map(|m| m.name.as_str());
    assert_eq!(names, ["podinfo", "podinfo-primary", "podinfo-canary"]);
}

#[test]
fn ports_follow_the_spec() {
    let ports = |service: Value| rendered(&service, &Objects::default()).apex.body["spec"]["ports"].clone();
    assert_eq!(
        ports(json!({"portName": "grpc", "appProtocol": "grpc", "targetPort": "http"})),
        json!([{"name": "grpc", "port": 80, "protocol": "TCP", "targetPort": "http", "appProtocol": "grpc"}])
    );
    let discovered = ports(json!({"portDiscovery": true, "targetPort": 9898}));
    assert_eq!(
        discovered[1],
        json!({"name": "http-metrics", "port": 9797, "protocol": "TCP", "targetPort": 9797})
    );
    assert_eq!(
        discovered[2],
        json!({"name": "tcp-podinfod-2", "port": 9999, "protocol": "TCP", "targetPort": 9999})
    );
    let clash = ports(json!({"portDiscovery": true, "port": 9797, "targetPort": 9999}));
    assert_eq!(clash.as_array().unwrap().len(), 2, "9797 is taken");
    assert_eq!(clash[1]["name"], "tcp-podinfod-0", "http is taken");
}

#[test]
fn only_what_serves_beside_the_application_lends_its_ports() {
    let mut target = fixture::target();
    let pod = &mut target["spec"]["template"]["spec"];
    let ports = |name: &str, number: i64| json!([{"name": name, "containerPort": number, "protocol": "TCP"}]);
    pod["initContainers"] = json!([
        {"name": "setup", "image": "x", "ports": ports("setup", 1)},
        {"name": "agent", "image": "x", "restartPolicy": "Always", "ports": ports("agent", 2)},
    ]);
    if let Some(all) = pod["containers"].as_array_mut() {
        all.push(json!({"name": "istio-proxy", "image": "x", "ports": ports("envoy-prom", 3)}));
        all.push(json!({"name": "exporter", "image": "x", "ports": ports("exporter", 4)}));
    }
    let rendered = |service: Value| {
        let made = render(&fixture::canary(&service), &target, &label(), &Objects::default());
        made.map(|m| {
            m.apex.body["spec"]["ports"].as_array().unwrap().iter().map(|p| p["port"].clone()).collect()
        })
    };
    let discovered: Vec<Value> = rendered(json!({"portDiscovery": true, "targetPort": 9898})).unwrap();
    assert_eq!(discovered, [80, 9797, 9999, 4], "neither init containers nor proxies");
    for (named, known) in [("agent", true), ("exporter", true), ("envoy-prom", true), ("setup", false)] {
        assert_eq!(rendered(json!({"targetPort": named})).is_ok(), known, "{named}");
    }
}

/// A workload whose only container has these ports.
fn with_ports(name: &str, ports: &[(&str, i64)]) -> Value {
    let ports: Vec<Value> = ports.iter().map(|(name, n)| json!({"name": name, "containerPort": n})).collect();
    let mut workload = fixture::target();
    workload["metadata"]["name"] = json!(name);
    workload["spec"]["template"]["spec"]["containers"][0]["ports"] = json!(ports);
    workload
}

fn numbers(service: &Manifest) -> Vec<[i64; 2]> {
    let ports = get::list(&service.body["spec"]["ports"]).iter();
    ports.map(|p| [p["port"].as_i64().unwrap(), p["targetPort"].as_i64().unwrap_or_default()]).collect()
}

#[test]
fn ports_in_front_of_the_primary_are_those_of_its_own_pods() {
    let c = fixture::canary(&json!({"portDiscovery": true, "targetPort": "http"}));
    let target = with_ports("podinfo", &[("http", 9898), ("grpc", 9091)]);
    let mut live = Objects::default();
    let replaced = json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 1});
    for (of_primary, status, expected) in
        [(9090, Value::Null, 9090), (9091, replaced, 9090), (9091, json!({"observedGeneration": 1}), 9091)]
    {
        let mut primary = with_ports("podinfo-primary", &[("http", 9898), ("grpc", of_primary)]);
        primary["status"] = status;
        live.insert(DEPLOYMENT, primary);
        let made = render(&c, &target, &label(), &live).unwrap();
        for service in [&made.apex, &made.primary] {
            assert_eq!(numbers(service), [[80, 0], [expected, expected]]);
        }
        assert_eq!(numbers(&made.canary), [[80, 0], [9091, 9091]]);
        live.insert(SERVICE, made.primary.to_create());
    }
    assert_eq!(numbers(&render(&c, &target, &label(), &Objects::default()).unwrap().apex).len(), 2);
}

#[test]
fn an_adopted_apex_keeps_leading_to_the_port_of_the_primary() {
    let c = fixture::canary(&json!({}));
    let mut apex = users_apex();
    apex["spec"]["ports"] = json!([{"name": "http", "port": 80, "targetPort": 9898}]);
    let mut live = Objects::default();
    live.insert(SERVICE, apex);
    live.insert(DEPLOYMENT, with_ports("podinfo-primary", &[("http", 9898)]));
    let made = render(&c, &with_ports("podinfo", &[("http", 9899)]), &label(), &live).unwrap();
    assert_eq!((numbers(&made.apex), numbers(&made.primary)), (vec![[80, 9898]], vec![[80, 9898]]));
    assert!(made.advice.is_empty(), "a container need not declare a port");
}

#[test]
fn headless_and_distribution_are_set_at_creation() {
    let spec = json!({"headless": true, "trafficDistribution": "PreferClose"});
    let s = rendered(&spec, &Objects::default());
    assert_eq!(s.canary.body["spec"]["clusterIP"], "None");
    assert_eq!(s.canary.body["spec"]["trafficDistribution"], "PreferClose");
    let mut live = Objects::default();
    live.insert(SERVICE, rendered(&json!({}), &live).canary.body);
    assert!(rendered(&spec, &live).canary.body["spec"].get("clusterIP").is_none(), "it is immutable");
}

#[test]
fn ports_that_lead_nowhere_are_named() {
    let c = |service: Value| fixture::canary(&service);
    let render = |c: &Validated| render(c, &fixture::target(), &label(), &Objects::default());
    let named = render(&c(json!({"targetPort": "web"}))).unwrap_err();
    assert_eq!(named, "spec.service.targetPort: no container of podinfo declares port \"web\"");
    assert!(render(&c(json!({"port": 0}))).unwrap_err().starts_with("spec.service.port"));
    assert_eq!(render(&c(json!({}))).unwrap().advice.len(), 1, "port 80 is undeclared but legal");
}

#[test]
fn unmanaged_keys_are_left_to_their_owner() {
    let spec = json!({
        "apex": {"labels": {"l": "1"}, "annotations": {"a": "1", "b": "2"}},
        "unmanagedMetadata": {"annotations": ["a"], "labels": ["l"]},
    });
    let mut live = Objects::default();
    live.insert(SERVICE, rendered(&spec, &live).apex.body);
    let metadata = rendered(&spec, &live).apex.body["metadata"].clone();
    assert!(metadata["annotations"].get("a").is_none() && metadata["labels"].get("l").is_none());
    assert_eq!(metadata["annotations"]["b"], "2");
}

#[test]
fn keys_that_are_taken_out_of_the_spec_go_and_those_of_others_stay() {
    let given =
        json!({"apex": {"labels": {"l": "1", "m": "1"}, "annotations": {"a": "1", "b": "2", "c": "3"}}});
    let mut live = Objects::default();
    apply(&mut live, &rendered(&given, &Objects::default()).apex);
    let theirs = json!({"metadata": {"labels": {"theirs": "1"}, "annotations": {"theirs": "1"}}});
    let mut object = live.get(SERVICE, "podinfo").unwrap().clone();
    merge(&mut object, &theirs);
    live.insert(SERVICE, object);
    assert_eq!(patch(live.get(SERVICE, "podinfo").unwrap(), &rendered(&given, &live).apex), None);
    // one moves to those that are left to others
    let fewer = json!({
        "apex": {"labels": {"m": "1"}, "annotations": {"b": "2"}}, "unmanagedMetadata": {"annotations": ["c"]},
    });
    apply_apex(&mut live, &fewer);
    let of = |live: &Objects, field: &str| {
        let all = get::strings(&live.get(SERVICE, "podinfo").unwrap()["metadata"][field]).into_keys();
        let own =
            |key: &String| !names::is_own(key) && !names::FLUX_MARKERS.iter().any(|(own, _)| key == own);
        all.filter(own).collect::<Vec<_>>()
    };
    assert_eq!(
        (of(&live, "labels"), of(&live, "annotations")),
        (["app", "m", "theirs"].map(String::from).to_vec(), ["b", "c", "theirs"].map(String::from).to_vec(),)
    );
    apply_apex(&mut live, &json!({}));
    assert_eq!(of(&live, "annotations"), ["c", "theirs"], "it was left to others before");
    assert_eq!(annotation(live.get(SERVICE, "podinfo").unwrap(), names::ANNOTATION_COPIED), None);
    // a note that somebody forges names a mark of ours
    let mut object = live.get(SERVICE, "podinfo").unwrap().clone();
    merge(
        &mut object,
        &json!({"metadata": {"annotations": {names::ANNOTATION_COPIED: "label:serin.dev/canary,label:app"}}}),
    );
    live.insert(SERVICE, object);
    apply_apex(&mut live, &json!({}));
    assert!(ours(live.get(SERVICE, "podinfo").unwrap(), "podinfo"));
    assert_eq!(of(&live, "labels"), ["app", "theirs"]);
}

#[test]
fn an_adopted_apex_is_given_back_as_it_was() {
    let mut live = Objects::default();
    live.insert(SERVICE, users_apex());
    for _ in 0..2 {
        let apex = rendered(&json!({"targetPort": "http"}), &live).apex;
        apply(&mut live, &apex);
        assert_eq!(patch(live.get(SERVICE, "podinfo").unwrap(), &apex), None);
    }
    let taken = live.get(SERVICE, "podinfo").unwrap().clone();
    assert_eq!(taken["spec"]["selector"], json!({"app": "podinfo-primary"}));
    assert_eq!(
        taken["spec"]["ports"],
        users_apex()["spec"]["ports"],
        "the other port and the node ports stay"
    );
    assert_eq!(
        (&taken["spec"]["type"], &taken["metadata"]["labels"]),
        (&json!("NodePort"), &json!({"app": "mine"}))
    );
    assert!(adopted(&taken) && !ours(&taken, "podinfo"));

    let undo = restore(&fixture::canary(&json!({})), &label(), &live);
    let [Undo::Restore(m)] = undo.as_slice() else { panic!("{undo:?}") };
    apply(&mut live, m);
    assert_eq!(live.get(SERVICE, "podinfo"), Some(&users_apex()));
}

#[test]
fn an_apex_of_ours_stays_as_a_plain_object() {
    let mut live = Objects::default();
    let s = rendered(&json!({}), &live);
    for m in [&s.apex, &s.primary, &s.canary] {
        live.insert(SERVICE, fixture::stamped(m.clone(), 3, jiff::Timestamp::UNIX_EPOCH).to_create());
    }
    let undo = restore(&fixture::canary(&json!({})), &label(), &live);
    assert_eq!(undo.len(), 3);
    let Undo::Restore(m) = &undo[0] else { panic!() };
    apply(&mut live, m);
    let apex = live.get(SERVICE, "podinfo").unwrap();
    assert_eq!(apex["spec"]["selector"], json!({"app": "podinfo"}));
    assert_eq!(apex["metadata"]["annotations"], json!({}));
    assert_eq!(apex["metadata"]["labels"], json!({"app": "podinfo"}));
    assert!(restore(&fixture::canary(&json!({})), &label(), &Objects::default()).is_empty());
}

#[test]
fn a_spoilt_note_of_the_original_selects_the_target() {
    let mut apex = users_apex();
    apex["metadata"]["annotations"][names::ANNOTATION_ORIGINAL] = json!("{");
    let mut live = Objects::default();
    live.insert(SERVICE, apex);
    let Undo::Restore(m) = restore(&fixture::canary(&json!({})), &label(), &live).remove(0) else { panic!() };
    assert_eq!(m.body["spec"]["selector"], json!({"app": "podinfo"}));
}

/// Whatever a Canary's author writes: only a Service that was taken over is restored from its record.
#[test]
fn f2_a_note_on_an_apex_that_was_made_is_not_believed() {
    let forged = json!({
        "canary": "podinfo", "selector": {"app": "neighbour"}, "ports": [{"port": 1}], "trafficDistribution": "x",
        "annotations": {"kustomize.toolkit.fluxcd.io/reconcile": {"odd": 1}},
    });
    let marks = json!({"metadata": {"annotations": {names::ANNOTATION_ORIGINAL: forged.to_string()}}});
    let mut live = Objects::default();
    let service = json!({"apex": {"annotations": {names::ANNOTATION_ORIGINAL: forged.to_string()}}});
    let made = rendered(&service, &live).apex;
    apply(&mut live, &made);
    let made = live.get(SERVICE, "podinfo").unwrap().clone();
    assert!(!made.to_string().contains("neighbour"), "{made}");
    // as an earlier version wrote it
    let mut spoilt = made.clone();
    merge(&mut spoilt, &marks);
    live.insert(SERVICE, spoilt);
    let Undo::Restore(m) = restore(&fixture::canary(&service), &label(), &live).remove(0) else { panic!() };
    apply(&mut live, &m);
    let back = live.get(SERVICE, "podinfo").unwrap();
    assert_eq!(back["spec"]["selector"], json!({"app": "podinfo"}));
    assert_eq!(back["spec"]["ports"], made["spec"]["ports"]);
    assert!(!back.to_string().contains("serin.dev"), "{back}");
}

proptest::proptest! {
    #[test]
    fn f2_giving_an_apex_back_changes_its_own_fields_alone(note in "\\PC{0,20}", key in "[a-z/]{0,12}", made in proptest::bool::ANY) {
        let noted = [note.clone(), json!({"canary": "podinfo", key: note.clone(), "selector": note, "annotations": [1]}).to_string()];
        for noted in noted {
            let mut apex = users_apex();
            merge(&mut apex, &json!({"metadata": {"finalizers": ["theirs"], "annotations": {names::ANNOTATION_ORIGINAL: noted}}}));
            if made {
                merge(&mut apex, &json!({"metadata": {"labels": {names::LABEL_CANARY: "podinfo"}}}));
            }
            let mut live = Objects::default();
            live.insert(SERVICE, apex.clone());
            let c = fixture::canary(&json!({"trafficDistribution": "PreferClose"}));
            let Undo::Restore(m) = restore(&c, &label(), &live).remove(0) else { panic!() };
            apply(&mut live, &m);
            let mut back = live.get(SERVICE, "podinfo").unwrap().clone();
            let mut before = apex;
            for object in [&mut back, &mut before] {
                for field in ["selector", "ports", "trafficDistribution"] {
                    get::set(object, &["spec", field], Value::Null);
                }
                for key in names::OWN {
                    get::set(object, &["metadata", "labels", key], Value::Null);
                    get::set(object, &["metadata", "annotations", key], Value::Null);
                }
                get::drop_nulls(object);
            }
            proptest::prop_assert_eq!(back, before);
        }
    }
}

#[test]
fn a_service_that_flagger_made_is_taken_as_ours() {
    let mut live = Objects::default();
    let mut apex = users_apex();
    apex["metadata"]["ownerReferences"] = json!([{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "podinfo", "controller": true}]);
    live.insert(SERVICE, apex);
    let m = rendered(&json!({}), &live).apex;
    assert!(ours(&m.body, "podinfo") && !adopted(&m.body));
}

/// The ports of the three Services after an apex with these ports was taken over: the apex, and those beside it.
fn taken_over(service: &Value, ports: &Value) -> [Value; 2] {
    let mut apex = users_apex();
    apex["spec"]["ports"] = ports.clone();
    let mut live = Objects::default();
    live.insert(SERVICE, apex);
    let made = rendered(service, &live);
    assert_eq!(made.primary.body["spec"]["ports"], made.canary.body["spec"]["ports"]);
    apply(&mut live, &made.apex);
    let again = rendered(service, &live);
    assert_eq!(patch(live.get(SERVICE, "podinfo").unwrap(), &again.apex), None, "once");
    let Undo::Restore(back) = restore(&fixture::canary(service), &label(), &live).remove(0) else { panic!() };
    let seen = live.get(SERVICE, "podinfo").unwrap()["spec"]["ports"].clone();
    apply(&mut live, &back);
    assert_eq!(live.get(SERVICE, "podinfo").unwrap()["spec"]["ports"], *ports, "given back");
    [seen, again.primary.body["spec"]["ports"].clone()]
}

#[test]
fn r8_c36_takeover_keeps_other_ports() {
    let http = json!({"name": "http", "protocol": "TCP", "port": 80, "targetPort": 9898, "nodePort": 30080});
    let metrics =
        json!({"name": "metrics", "protocol": "TCP", "port": 9102, "targetPort": 9102, "nodePort": 30102});
    let dns = json!({"name": "udp", "protocol": "UDP", "port": 80, "targetPort": 5353});
    let theirs = json!([metrics, http, dns]);
    let [apex, beside] = taken_over(&json!({"targetPort": 9898}), &theirs);
    assert_eq!(apex, theirs, "R43: order and node ports stay");
    let plain = |port: &Value| {
        let mut port = port.clone();
        port.as_object_mut().unwrap().remove("nodePort");
        port
    };
    let mut all = beside.as_array().unwrap().clone();
    all.sort_by_key(|port| (port["port"].as_i64(), port["name"].to_string()));
    assert_eq!(all, [plain(&http), plain(&dns), plain(&metrics)]);
}

#[test]
fn r8_what_the_canary_leaves_out_of_a_port_stays() {
    let web =
        json!([{"name": "web", "protocol": "TCP", "port": 80, "targetPort": "http", "appProtocol": "h2c"}]);
    assert_eq!(taken_over(&json!({}), &web), [web.clone(), web.clone()]);
    let said = taken_over(&json!({"portName": "grpc", "appProtocol": "grpc", "targetPort": 9797}), &web);
    let own =
        json!([{"name": "grpc", "protocol": "TCP", "port": 80, "targetPort": 9797, "appProtocol": "grpc"}]);
    assert_eq!(said, [own.clone(), own]);
    let unnamed = json!([{"protocol": "TCP", "port": 9102, "targetPort": 9102}]);
    let names =
        |ports: &Value| ports.as_array().unwrap().iter().map(|p| p["name"].clone()).collect::<Vec<_>>();
    let [apex, _] = taken_over_unlike(&json!({}), &unnamed);
    assert_eq!(names(&apex), ["tcp-9102", "http"]);
    let taken = json!([{"name": "http", "protocol": "TCP", "port": 9102, "targetPort": 9102}]);
    let [apex, _] = taken_over(&json!({}), &taken);
    assert_eq!(names(&apex), ["http", "http-80"]);
    let mut live = Objects::default();
    let mut apex = users_apex();
    apex["spec"]["ports"] = taken;
    live.insert(SERVICE, apex);
    let c = fixture::canary(&json!({"portName": "http"}));
    let refused = render(&c, &fixture::target(), &label(), &live).unwrap_err();
    assert!(refused.contains("spec.service.portName") && refused.contains("9102"), "{refused}");
}

/// As [`taken_over`], but a port gets a name that it needs.
fn taken_over_unlike(service: &Value, ports: &Value) -> [Value; 2] {
    let mut apex = users_apex();
    apex["spec"]["ports"] = ports.clone();
    let mut live = Objects::default();
    live.insert(SERVICE, apex);
    let made = rendered(service, &live);
    apply(&mut live, &made.apex);
    let again = rendered(service, &live);
    assert_eq!(patch(live.get(SERVICE, "podinfo").unwrap(), &again.apex), None, "once");
    [
        live.get(SERVICE, "podinfo").unwrap()["spec"]["ports"].clone(),
        again.primary.body["spec"]["ports"].clone(),
    ]
}

#[test]
fn r8_a_port_that_its_owner_adds_or_changes_later_stays() {
    let mut live = Objects::default();
    live.insert(SERVICE, users_apex());
    let c = json!({"targetPort": "http"});
    let made = rendered(&c, &live).apex;
    apply(&mut live, &made);
    let mut apex = live.get(SERVICE, "podinfo").unwrap().clone();
    apex["spec"]["ports"][1]["targetPort"] = json!(8181);
    let new = json!({"name": "new", "protocol": "TCP", "port": 82, "targetPort": 82});
    apex["spec"]["ports"].as_array_mut().unwrap().push(new);
    live.insert(SERVICE, apex.clone());
    assert_eq!(patch(&apex, &rendered(&c, &live).apex), None);
    let Undo::Restore(back) = restore(&fixture::canary(&c), &label(), &live).remove(0) else { panic!() };
    apply(&mut live, &back);
    assert_eq!(live.get(SERVICE, "podinfo").unwrap()["spec"]["ports"], apex["spec"]["ports"]);
}

#[test]
fn r8_ports_that_a_former_version_took_off_come_back() {
    let mut apex = users_apex();
    let noted =
        json!({"selector": apex["spec"]["selector"], "ports": apex["spec"]["ports"], "annotations": {}});
    apex["metadata"]["annotations"][names::ANNOTATION_ORIGINAL] = json!(noted.to_string());
    apex["spec"]["ports"].as_array_mut().unwrap().pop();
    let mut live = Objects::default();
    live.insert(SERVICE, apex);
    let made = rendered(&json!({"targetPort": "http"}), &live).apex;
    apply(&mut live, &made);
    assert_eq!(live.get(SERVICE, "podinfo").unwrap()["spec"]["ports"], users_apex()["spec"]["ports"]);
}

#[test]
fn r8_a_service_that_leads_elsewhere_is_not_taken_over() {
    let c = fixture::canary(&json!({}));
    let lost = |spec: Value| takeover_conflict(&c, &fixture::target(), &label(), &json!({"spec": spec}));
    for selector in [
        json!({"app": "podinfo"}),
        json!({"app": "podinfo-primary"}),
        json!({"version": "x", "app": "podinfo"}),
    ] {
        assert_eq!(lost(json!({"selector": selector})), None);
    }
    for (spec, word) in [
        (json!({"type": "ExternalName", "externalName": "db.example.com"}), "db.example.com"),
        (json!({"ports": []}), "selects no pods"),
        (json!({"selector": {"app": "podinfo", "tier": "web"}}), "tier: web"),
        (json!({"selector": {"app": "other"}}), "app: other"),
    ] {
        let lost = lost(spec).unwrap();
        assert!(lost.contains(word) && lost.contains("spec.service.name"), "{lost}");
    }
}

#[test]
fn r43_addresses_and_node_ports_of_an_adopted_apex_stay() {
    let mut apex = users_apex();
    apex["spec"]["type"] = json!("LoadBalancer");
    apex["spec"]["healthCheckNodePort"] = json!(30099);
    apex["spec"]["externalTrafficPolicy"] = json!("Local");
    let mut live = Objects::default();
    live.insert(SERVICE, apex.clone());
    for _ in 0..10 {
        for service in [json!({"targetPort": "http"}), json!({"targetPort": "http", "portName": "web"})] {
            let made = rendered(&service, &live).apex;
            apply(&mut live, &made);
            assert_eq!(patch(live.get(SERVICE, "podinfo").unwrap(), &made), None);
            let now = live.get(SERVICE, "podinfo").unwrap();
            for field in ["type", "clusterIP", "healthCheckNodePort", "externalTrafficPolicy"] {
                assert_eq!(now["spec"][field], apex["spec"][field], "{field}");
            }
            let ports: Vec<Value> = now["spec"]["ports"]
                .as_array()
                .unwrap()
                .iter()
                .map(|port| port["nodePort"].clone())
                .collect();
            assert_eq!(ports, [30080, 30081], "{service}");
        }
    }
}

#[test]
fn r8_an_apex_that_led_to_the_primary_before_is_given_back_to_the_target() {
    let mut live = Objects::default();
    let mut apex = users_apex();
    // Flagger takes a Service over without becoming its owner
    apex["spec"]["selector"] = json!({"app": "podinfo-primary"});
    live.insert(SERVICE, apex);
    let made = rendered(&json!({"targetPort": "http"}), &live).apex;
    apply(&mut live, &made);
    let Undo::Restore(back) = restore(&fixture::canary(&json!({})), &label(), &live).remove(0) else {
        panic!()
    };
    apply(&mut live, &back);
    assert_eq!(live.get(SERVICE, "podinfo").unwrap()["spec"]["selector"], json!({"app": "podinfo"}));
}

#[test]
fn r8_the_traffic_distribution_of_an_adopted_apex_comes_back() {
    for theirs in [Value::Null, json!("PreferSameZone")] {
        let mut apex = users_apex();
        apex["spec"]["trafficDistribution"] = theirs.clone();
        get::drop_nulls(&mut apex);
        let mut live = Objects::default();
        live.insert(SERVICE, apex.clone());
        let service = json!({"targetPort": "http", "trafficDistribution": "PreferClose"});
        let made = rendered(&service, &live).apex;
        apply(&mut live, &made);
        assert_eq!(live.get(SERVICE, "podinfo").unwrap()["spec"]["trafficDistribution"], "PreferClose");
        let Undo::Restore(back) = restore(&fixture::canary(&service), &label(), &live).remove(0) else {
            panic!()
        };
        apply(&mut live, &back);
        assert_eq!(live.get(SERVICE, "podinfo"), Some(&apex));
    }
}

#[test]
fn r5_services_bear_no_label_by_which_a_tool_deletes_them() {
    let key = "app.kubernetes.io/instance";
    let label = (key.to_owned(), "podinfo".to_owned());
    let mut target = fixture::target();
    let labels = json!({key: "podinfo"});
    merge(
        &mut target,
        &json!({"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}}),
    );
    let of = |service: &Value| {
        let s = render(&fixture::canary(service), &target, &label, &Objects::default()).unwrap();
        [s.apex, s.primary, s.canary].map(|m| (m.to_create()["metadata"]["labels"][key].clone(), m))
    };
    for (borne, made) in of(&json!({})) {
        assert_eq!(borne, Value::Null, "{}", made.name);
        assert!(made.body["spec"]["selector"][key].is_string());
        // what an earlier version added is removed
        let mut live = made.to_create();
        merge(&mut live, &json!({"metadata": {"labels": labels}}));
        assert!(patch(&live, &made).unwrap()["metadata"]["labels"][key].is_null());
    }
    let asked = of(&json!({"apex": {"labels": labels}}));
    assert_eq!(asked[0].0, "podinfo", "asked for");
}

#[test]
fn c41_a_service_is_given_back_to_a_target_that_was_made_again_with_another_label() {
    let c = fixture::canary(&json!({}));
    let mut live = Objects::default();
    let mut apex = users_apex();
    apex["spec"]["selector"] = json!({"app": "podinfo"});
    live.insert(SERVICE, apex);
    let taken = rendered(&json!({}), &live).apex;
    apply(&mut live, &taken);
    let selected = |target: Value, label: (String, String)| {
        let mut live = live.clone();
        live.insert(crate::snapshot::DEPLOYMENT, target);
        let undo = restore(&c, &label, &live);
        let Some(Undo::Restore(back)) = undo.first() else { panic!("{undo:?}") };
        back.body["spec"]["selector"].clone()
    };
    assert_eq!(selected(fixture::target(), label()), json!({"app": "podinfo"}));
    let mut again = fixture::target();
    let labels = json!({"app": "web"});
    again["spec"]["selector"]["matchLabels"] = labels.clone();
    again["spec"]["template"]["metadata"]["labels"] = labels.clone();
    assert_eq!(selected(again, ("app".into(), "web".into())), labels);
}

/// The three Services beside an apex with this port, for a target whose containers declare these ports.
fn beside(theirs: &Value, declared: &Value, service: &Value) -> Result<[Value; 3], String> {
    let mut apex = users_apex();
    apex["spec"]["ports"] = json!([theirs]);
    let mut live = Objects::default();
    live.insert(SERVICE, apex);
    let mut target = fixture::target();
    for container in target["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap() {
        container["ports"] = declared.clone();
    }
    let made = render(&fixture::canary(service), &target, &label(), &live)?;
    Ok([&made.apex, &made.primary, &made.canary].map(|m| m.body["spec"]["ports"][0]["targetPort"].clone()))
}

#[test]
fn r8_an_adopted_apex_keeps_its_target_port_whatever_the_containers_declare() {
    let port = |to: Value| json!({"name": "http", "protocol": "TCP", "port": 80, "targetPort": to});
    let web = json!([{"name": "web", "containerPort": 9898}]);
    for declared in [json!([]), web.clone()] {
        let kept = beside(&port(json!(8080)), &declared, &json!({})).unwrap();
        assert_eq!(kept, [8080, 8080, 8080], "{declared}");
        let unresolved = beside(&port(json!("http")), &declared, &json!({})).unwrap_err();
        assert!(unresolved.contains("Service podinfo") && unresolved.contains("http"), "{unresolved}");
        assert_eq!(beside(&port(json!("http")), &declared, &json!({"targetPort": 9898})).unwrap()[0], 9898);
    }
    assert_eq!(beside(&port(json!("web")), &web, &json!({})).unwrap(), ["web", "web", "web"]);
    let other = json!({"name": "other", "protocol": "TCP", "port": 81, "targetPort": "gone"});
    assert_eq!(beside(&other, &web, &json!({})).unwrap()[0], "gone", "the Canary does not name it");
}

#[test]
fn what_proxies_read_on_an_adopted_apex_is_on_the_sides_too() {
    let h2c = "projectcontour.io/upstream-protocol.h2c";
    let kuma = "80.service.kuma.io/protocol";
    let (opaque, traefik) =
        ("config.linkerd.io/opaque-ports", "traefik.ingress.kubernetes.io/service.serversscheme");
    let mut live = Objects::default();
    let mut apex = users_apex();
    apex["metadata"]["annotations"] =
        json!({h2c: "80", kuma: "grpc", opaque: "80", traefik: "h2c", "note": "of its owner"});
    live.insert(SERVICE, apex.clone());
    let service = json!({"targetPort": "http", "primary": {"annotations": {h2c: "8080"}}});
    let made = rendered(&service, &live);
    for (side, first) in [(&made.primary, "8080"), (&made.canary, "80")] {
        let said = &side.body["metadata"]["annotations"];
        assert_eq!(said[h2c], first, "the Canary's own value counts");
        assert_eq!([&said[kuma], &said[opaque], &said[traefik]], ["grpc", "80", "h2c"]);
        assert!(said.get("note").is_none());
    }
    assert!(made.apex.body["metadata"]["annotations"].get(h2c).is_none(), "it has them");
    for side in [&made.apex, &made.primary, &made.canary] {
        apply(&mut live, side);
    }
    let mut apex = live.get(SERVICE, "podinfo").unwrap().clone();
    merge(&mut apex, &json!({"metadata": {"annotations": {kuma: null}}}));
    live.insert(SERVICE, apex);
    let canary = rendered(&service, &live).canary;
    apply(&mut live, &canary);
    let canary = live.get(SERVICE, "podinfo-canary").unwrap();
    assert_eq!(
        (annotation(canary, kuma), annotation(canary, opaque)),
        (None, Some("80")),
        "its owner took it off"
    );
}

#[test]
fn an_apex_that_serin_made_lends_no_annotations() {
    let h2c = "projectcontour.io/upstream-protocol.h2c";
    let mut live = Objects::default();
    let apex = rendered(&json!({"apex": {"annotations": {h2c: "80"}}}), &live).apex;
    apply(&mut live, &apex);
    let sides = rendered(&json!({"apex": {"annotations": {h2c: "80"}}}), &live);
    assert!(sides.primary.body["metadata"]["annotations"].get(h2c).is_none());
}

#[test]
fn a_traffic_distribution_that_is_taken_out_of_the_spec_goes() {
    let distribution = |live: &Objects, name: &str| {
        live.get(SERVICE, name).unwrap()["spec"].get("trafficDistribution").cloned().unwrap_or_default()
    };
    let write = |live: &mut Objects, service: &Value| {
        let made = rendered(service, live);
        for one in [&made.apex, &made.primary, &made.canary] {
            apply(live, one);
        }
    };
    let given = json!({"targetPort": "http", "trafficDistribution": "PreferClose"});
    let without = json!({"targetPort": "http"});
    for theirs in [None, Some(Value::Null), Some(json!("PreferSameZone"))] {
        let mut live = Objects::default();
        if let Some(theirs) = &theirs {
            let mut apex = users_apex();
            apex["spec"]["trafficDistribution"] = theirs.clone();
            get::drop_nulls(&mut apex);
            live.insert(SERVICE, apex);
        }
        write(&mut live, &given);
        assert_eq!(distribution(&live, "podinfo"), "PreferClose");
        let mut again = live.clone();
        write(&mut again, &given);
        assert_eq!(again, live);
        write(&mut live, &without);
        assert_eq!(distribution(&live, "podinfo"), theirs.clone().unwrap_or_default());
        assert_eq!(distribution(&live, "podinfo-primary"), Value::Null);
        // its owner's own choice since then stays
        let mut apex = live.get(SERVICE, "podinfo").unwrap().clone();
        apex["spec"]["trafficDistribution"] = json!("PreferSameNode");
        live.insert(SERVICE, apex);
        write(&mut live, &without);
        assert_eq!(distribution(&live, "podinfo"), "PreferSameNode");
    }
    let mut live = Objects::default();
    live.insert(SERVICE, users_apex());
    write(&mut live, &given);
    let Undo::Restore(back) = restore(&fixture::canary(&without), &label(), &live).remove(0) else {
        panic!()
    };
    apply(&mut live, &back);
    assert_eq!(live.get(SERVICE, "podinfo"), Some(&users_apex()), "deleted before the field was taken off");
}

#[test]
fn a_former_port_gets_a_name_that_the_api_server_accepts() {
    let long = "a".repeat(63);
    let wanted = json!({"spec": {"ports": [
        {"name": long, "protocol": "TCP", "port": 8080}, {"name": "http-80", "protocol": "TCP", "port": 9090},
        {"name": "http", "protocol": "TCP", "port": 9091},
    ]}});
    for (name, kept) in [(long.as_str(), format!("{}-80", "a".repeat(60))), ("http", "htt-80".to_owned())] {
        let wanted = Manifest::new(SERVICE, "podinfo", managers::WORKLOAD, OWNED, wanted.clone());
        let former = json!({"name": name, "protocol": "TCP", "port": 80});
        let all = super::keeping(wanted, &[&former]);
        assert_eq!(all.body["spec"]["ports"][3]["name"], kept);
    }
}

/// The only Service of this list of ports is given back to a target whose containers declare these.
fn given_back(service: &Value, live: &Objects, declared: &[(&str, i64)]) -> Value {
    let mut live = live.clone();
    live.insert(DEPLOYMENT, with_ports("podinfo", declared));
    let Undo::Restore(back) = restore(&fixture::canary(service), &label(), &live).remove(0) else { panic!() };
    apply(&mut live, &back);
    let apex = live.get(SERVICE, "podinfo").unwrap();
    assert!(!apex.to_string().contains("serin.dev"), "{apex}");
    apex["spec"]["ports"].clone()
}

/// An apex with these ports that a Canary with this `spec.service` has taken over.
fn adopted_with(service: &Value, ports: &Value) -> Objects {
    let mut apex = users_apex();
    apex["spec"]["ports"] = ports.clone();
    let mut live = Objects::default();
    live.insert(SERVICE, apex);
    apply_apex(&mut live, service);
    live
}

fn set_ports(live: &mut Objects, ports: &Value) {
    let mut apex = live.get(SERVICE, "podinfo").unwrap().clone();
    apex["spec"]["ports"] = ports.clone();
    live.insert(SERVICE, apex);
}

fn port(name: &str, number: i32, to: &Value) -> Value {
    json!({"name": name, "protocol": "TCP", "port": number, "targetPort": to})
}

#[test]
fn r8_a_port_that_is_given_back_leads_to_where_the_target_listens() {
    let before = json!([port("http", 80, &json!(8080))]);
    let mut live = adopted_with(&json!({"targetPort": 8080}), &before);
    let later = json!({"targetPort": 9090});
    apply_apex(&mut live, &later);
    let to = |declared: &[(&str, i64)]| given_back(&later, &live, declared)[0]["targetPort"].clone();
    assert_eq!(to(&[("http", 9090)]), 9090, "a release has changed the port since the takeover");
    assert_eq!(to(&[("http", 8080)]), 8080);
    assert_eq!(to(&[("http", 8080), ("admin", 9090)]), 8080, "as it was");
    assert_eq!(to(&[]), 8080, "nothing is known");
    // deleted while the release is on trial: the apex still leads to the former port
    let live = adopted_with(&json!({"targetPort": 8080}), &before);
    assert_eq!(given_back(&later, &live, &[("http", 9090)])[0]["targetPort"], 9090);
    let made = rendered(&json!({"targetPort": 9898}), &Objects::default()).apex;
    let mut live = Objects::default();
    live.insert(SERVICE, made.to_create());
    let ports = given_back(&later, &live, &[("http", 9090)]);
    assert_eq!(ports[0]["targetPort"], 9090, "the same holds for one that was created");
}

#[test]
fn r8_a_port_that_users_call_since_the_takeover_is_not_lost_when_the_apex_is_given_back() {
    let metrics = port("metrics", 9102, &json!(9102));
    let adopted =
        || adopted_with(&json!({"targetPort": "http"}), &json!([port("http", 80, &json!("http")), metrics]));
    let renumbered = json!({"port": 8080, "targetPort": "http"});
    let numbers =
        |ports: &Value| ports.as_array().unwrap().iter().map(|p| p["port"].clone()).collect::<Vec<_>>();
    for by_owner in [true, false] {
        let mut live = adopted();
        if by_owner {
            set_ports(&mut live, &json!([port("http", 8080, &json!("http")), metrics]));
        }
        apply_apex(&mut live, &renumbered);
        let back = given_back(&renumbered, &live, &[("http", 9898)]);
        let mut back = numbers(&back);
        back.sort_by_key(Value::as_i64);
        assert_eq!(back, if by_owner { vec![8080, 9102] } else { vec![80, 8080, 9102] });
    }
    // a record of an earlier version
    let mut live = adopted();
    set_ports(&mut live, &json!([port("http", 8080, &json!("http")), metrics]));
    let mut apex = live.get(SERVICE, "podinfo").unwrap().clone();
    let mut noted = super::adopted::recorded_original(&fixture::canary(&renumbered), &apex);
    noted.as_object_mut().unwrap().remove("port");
    apex["metadata"]["annotations"][names::ANNOTATION_ORIGINAL] = json!(noted.to_string());
    live.insert(SERVICE, apex);
    assert_eq!(numbers(&given_back(&renumbered, &live, &[("http", 9898)])), [9102, 8080]);
    // the Canary has added it
    let live = adopted_with(&renumbered, &json!([metrics]));
    assert_eq!(numbers(&given_back(&renumbered, &live, &[("http", 9898)])), [9102]);
}

/// One pass: the three Services are written.
fn pass(live: &mut Objects) {
    let target = live.get(DEPLOYMENT, "podinfo").unwrap().clone();
    let made = render(&fixture::canary(&json!({})), &target, &label(), live).unwrap();
    for service in [&made.apex, &made.primary, &made.canary] {
        apply(live, service);
    }
}

/// Where the apex, the primary's Service and the canary's lead after each of several passes.
fn led_in_passes(live: &mut Objects) -> [Value; 3] {
    let mut seen = Vec::new();
    for _ in 0..3 {
        pass(live);
        seen.push(
            ["podinfo", "podinfo-primary", "podinfo-canary"]
                .map(|name| live.get(SERVICE, name).unwrap()["spec"]["ports"][0]["targetPort"].clone()),
        );
    }
    assert!(seen.iter().all(|led| *led == seen[0]), "{seen:?}");
    seen.remove(0)
}

#[test]
fn r8_a_release_is_reached_at_the_port_to_which_the_owner_leads_the_apex_with_it() {
    for [former, new] in [[json!(8080), json!(9090)], [json!("http"), json!("web")]] {
        let declared = if former.is_number() {
            [[("port", 8080)], [("port", 9090)]]
        } else {
            [[("http", 8080)], [("web", 9090)]]
        };
        let of = |workload: &str, to: &Value| {
            let mut made = with_ports(workload, &declared[usize::from(*to == new)]);
            made["status"] = json!({"observedGeneration": 1});
            made
        };
        let mut live = adopted_with(&json!({}), &json!([port("http", 80, &former)]));
        live.insert(DEPLOYMENT, of("podinfo", &former));
        live.insert(DEPLOYMENT, of("podinfo-primary", &former));
        let all = |to: &Value| [to, to, to].map(Value::clone);
        assert_eq!(led_in_passes(&mut live), all(&former));
        // the Service may come before the template, if its new port has a number
        set_ports(&mut live, &json!([port("http", 80, &new)]));
        if new.is_number() {
            pass(&mut live);
        }
        live.insert(DEPLOYMENT, of("podinfo", &new));
        assert_eq!(led_in_passes(&mut live), [former.clone(), former.clone(), new.clone()]);
        let ports = given_back(&json!({}), &live, &declared[1]);
        assert_eq!(ports[0]["targetPort"], new, "deleted now, it leads to the target's port");
        // promoted
        live.insert(DEPLOYMENT, of("podinfo-primary", &new));
        assert_eq!(led_in_passes(&mut live), all(&new));
        // a promotion that is undone when the apex follows already
        live.insert(DEPLOYMENT, of("podinfo-primary", &former));
        assert_eq!(led_in_passes(&mut live), [former.clone(), former.clone(), new.clone()]);
        live.insert(DEPLOYMENT, of("podinfo", &former));
        assert_eq!(led_in_passes(&mut live), all(&former), "set back");
        // what its owner writes later counts, whatever containers declare
        set_ports(&mut live, &json!([port("http", 80, &json!(7070))]));
        for workload in ["podinfo", "podinfo-primary"] {
            let mut made = with_ports(workload, &[("other", 1)]);
            made["status"] = json!({"observedGeneration": 1});
            live.insert(DEPLOYMENT, made);
        }
        assert_eq!(led_in_passes(&mut live), all(&json!(7070)));
    }
}

#[test]
fn r8_a_primary_is_reached_at_its_own_port_while_its_service_is_missing() {
    let mut live = Objects::default();
    let declaring = |number: i32| json!([{"name": "http", "containerPort": number}]);
    let workload = |name: &str, number: i32| {
        let mut workload = fixture::target();
        workload["metadata"]["name"] = json!(name);
        for container in workload["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap() {
            container["ports"] = declaring(number);
        }
        workload
    };
    let ports = |to: i32, target: &Value, live: &Objects| {
        let made = render(&fixture::canary(&json!({"targetPort": to})), target, &label(), live).unwrap();
        let all = [&made.apex, &made.primary, &made.canary];
        (made.clone(), all.map(|made| made.body["spec"]["ports"][0]["targetPort"].clone()))
    };
    live.insert(DEPLOYMENT, workload("podinfo-primary", 9898));
    let (made, _) = ports(9898, &workload("podinfo", 9898), &live);
    for made in [&made.apex, &made.primary, &made.canary] {
        apply(&mut live, made);
    }
    // a version that failed left its port in the spec
    let failed = workload("podinfo", 8080);
    assert_eq!(ports(8080, &failed, &live).1, [9898, 9898, 8080]);
    live.remove(&ObjectRef::new(SERVICE, "podinfo-primary"));
    assert_eq!(ports(8080, &failed, &live).1, [9898, 9898, 8080]);
    // an apex of somebody else says nothing about it
    live.insert(SERVICE, users_apex());
    assert_eq!(ports(8080, &failed, &live).1, [8080, 8080, 8080]);
}

#[test]
fn r8_a_primary_that_gets_its_former_template_back_is_reached_at_its_former_port() {
    let mut live = Objects::default();
    let workload = |name: &str, number: i64| {
        let mut made = with_ports(name, &[("http", number)]);
        made["status"] = json!({"observedGeneration": 1});
        made
    };
    let pass = |live: &mut Objects, to: i32, primary: i64| {
        live.insert(DEPLOYMENT, workload("podinfo-primary", primary));
        let canary = fixture::canary(&json!({"targetPort": to}));
        for _ in 0..2 {
            let made = render(&canary, &workload("podinfo", i64::from(to)), &label(), live).unwrap();
            for made in [&made.apex, &made.primary, &made.canary] {
                apply(live, made);
            }
        }
        ["podinfo", "podinfo-primary", "podinfo-canary"]
            .map(|name| live.get(SERVICE, name).unwrap()["spec"]["ports"][0]["targetPort"].clone())
    };
    assert_eq!(pass(&mut live, 9898, 9898), [9898, 9898, 9898]);
    assert_eq!(pass(&mut live, 8080, 8080), [8080, 8080, 8080], "promoted");
    assert_eq!(pass(&mut live, 8080, 9898), [9898, 9898, 8080], "undone");
    assert_eq!(pass(&mut live, 8080, 8080), [8080, 8080, 8080], "promoted after all");
}

#[test]
fn r8_a_port_that_no_container_declares_is_left_only_if_another_one_is_wanted() {
    let mut live = Objects::default();
    let of = |declared: &[(&str, i64)]| {
        let mut made = with_ports("podinfo-primary", declared);
        made["status"] = json!({"observedGeneration": 1});
        made
    };
    let primary = of(&[("http", 8080)]);
    live.insert(DEPLOYMENT, primary.clone());
    let former = json!({"targetPort": 8080});
    let made = render(&fixture::canary(&former), &of(&[("http", 8080)]), &label(), &live).unwrap();
    for made in [&made.apex, &made.primary, &made.canary] {
        apply(&mut live, made);
    }
    let left = |service: &Value, declared: &[(&str, i64)]| {
        let template = &of(declared)["spec"]["template"];
        super::left_port(&fixture::canary(service), &primary, template, &live)
    };
    let new = json!({"targetPort": 9090});
    assert_eq!(left(&new, &[("http", 9090)]), Some(json!(8080)));
    assert_eq!(left(&new, &[]), Some(json!(8080)), "it need not declare the new one");
    assert_eq!(left(&former, &[]), None, "it need not declare this one either");
    assert_eq!(left(&former, &[("admin", 9090)]), None);
    assert_eq!(left(&new, &[("http", 8080), ("web", 9090)]), None, "it listens on both");
}

#[test]
fn r8_an_owner_may_lead_the_apex_to_a_port_that_is_not_declared() {
    let mut live = adopted_with(&json!({}), &json!([port("http", 80, &json!(8080))]));
    let mut primary = with_ports("podinfo-primary", &[("http", 8080)]);
    primary["status"] = json!({"observedGeneration": 1});
    live.insert(DEPLOYMENT, primary);
    live.insert(DEPLOYMENT, with_ports("podinfo", &[("http", 8080)]));
    assert_eq!(led_in_passes(&mut live), [json!(8080), json!(8080), json!(8080)]);
    live.insert(DEPLOYMENT, with_ports("podinfo", &[]));
    set_ports(&mut live, &json!([port("http", 80, &json!(9090))]));
    assert_eq!(led_in_passes(&mut live), [json!(8080), json!(8080), json!(9090)]);
}
