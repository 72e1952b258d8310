//! Routing objects that are given back after the Canary was edited.

use serde_json::{Value, json};

use crate::{
    manifest::{Manifest, Undo, fixture, fixture::merge, patch},
    router::{by_name, destination_handover::announcing, split::Split, traits::Cookies},
    snapshot::Objects,
};

fn write(live: &mut Objects, wanted: &Manifest) {
    let mut object = live.at(&wanted.at()).unwrap().clone();
    if let Some(change) = patch(&object, wanted) {
        merge(&mut object, &change);
    }
    live.insert(wanted.kind, object);
}

#[test]
fn hosts_that_the_canary_names_since_the_takeover_stay_when_a_route_is_given_back() {
    for (provider, field, lead) in [
        ("istio", "hosts", json!({"http": [{"route": [{"destination": {"host": "podinfo"}}]}]})),
        (
            "gatewayapi:v1",
            "hostnames",
            json!({"rules": [{"backendRefs": [{"name": "podinfo", "port": 80, "weight": 1}]}]}),
        ),
    ] {
        let router = by_name(provider).unwrap();
        let kind = router.kinds()[0];
        let canary = |hosts: &[&str]| fixture::canary(&json!({"hosts": hosts, "gateways": ["public"]}));
        let mut spec = lead;
        spec[field] = json!(["a.example.com"]);
        let mut live = Objects::default();
        live.insert(kind, json!({"metadata": {"name": "podinfo"}, "spec": spec}));
        let render = |live: &mut Objects, hosts: &[&str]| {
            let c = canary(hosts);
            let next = router.render(&c, live, Split::to_canary(0), &Cookies::default()).unwrap();
            let next = next.into_iter().find(|one| one.kind == kind).unwrap();
            if let Some(first) = announcing(router, &c, live, &next) {
                write(live, &first);
            }
            write(live, &next);
        };
        render(&mut live, &["a.example.com", "added.example.com"]);
        let back = |live: &Objects, hosts: &[&str]| -> Value {
            let mut live = live.clone();
            for undo in router.restore(&canary(hosts), &live) {
                if let Undo::Restore(back) = undo {
                    write(&mut live, &back);
                }
            }
            live.of(kind).next().unwrap()["spec"].clone()
        };
        assert_eq!(back(&live, &["a.example.com", "added.example.com"]), spec, "{provider}: as it was");
        let later = ["a.example.com", "b.example.com", "added.example.com"];
        render(&mut live, &later);
        assert_eq!(back(&live, &later)[field], json!(["a.example.com", "b.example.com"]), "{provider}");
        render(&mut live, &["b.example.com"]);
        let both = back(&live, &["b.example.com"]);
        assert_eq!(both[field], json!(["a.example.com", "b.example.com"]), "{provider}");
    }
}
