use serde_json::json;

use crate::{
    manifest::fixture,
    router::{
        split::Split,
        traefik::{TRAEFIK_SERVICE, Traefik},
        traits::{Cookies, Router, RouterError},
    },
    snapshot::Objects,
};

#[test]
fn the_canary_is_listed_while_it_gets_requests() {
    let c = fixture::canary(&json!({}));
    let services = |weight| {
        let made = Traefik.render(&c, &Objects::default(), Split::to_canary(weight), &Cookies::default());
        made.unwrap()[0].body["spec"].clone()
    };
    let side =
        |name: &str, weight: i32| json!({"name": name, "namespace": "test", "port": 80, "weight": weight});
    assert_eq!(services(0), json!({"weighted": {"services": [side("podinfo-primary", 100)]}}));
    let both = json!([side("podinfo-primary", 75), side("podinfo-canary", 25)]);
    assert_eq!(services(25), json!({"weighted": {"services": both}}));
}

#[test]
fn weights_that_are_not_written_are_one() {
    let c = fixture::canary(&json!({}));
    let mut live = Objects::default();
    let services = json!([{"name": "podinfo-primary"}, {"name": "podinfo-canary", "weight": 3}]);
    live.insert(
        TRAEFIK_SERVICE,
        json!({"metadata": {"name": "podinfo"}, "spec": {"weighted": {"services": services}}}),
    );
    assert_eq!(Traefik.read_back(&c, &live), Ok(Split::to_canary(75)));
    live.insert(TRAEFIK_SERVICE, json!({"metadata": {"name": "podinfo"}, "spec": {"mirroring": {}}}));
    assert!(matches!(Traefik.read_back(&c, &live), Err(RouterError::Unreadable { .. })));
}

/// Without endpoints behind one of them, Traefik would drop the whole TraefikService.
#[test]
fn a_side_without_requests_is_not_listed() {
    let c = fixture::canary(&json!({}));
    for split in [Split::to_canary(100), Split::to_canary(0)] {
        let made = Traefik.render(&c, &Objects::default(), split, &Cookies::default()).unwrap().remove(0);
        let name = if split.canary() == 100 { "podinfo-canary" } else { "podinfo-primary" };
        let only = json!({"name": name, "namespace": "test", "port": 80, "weight": 100});
        assert_eq!(made.body["spec"]["weighted"]["services"], json!([only]));
        let mut live = Objects::default();
        live.insert(TRAEFIK_SERVICE, made.to_create());
        assert_eq!(Traefik.read_back(&c, &live), Ok(split));
    }
}
