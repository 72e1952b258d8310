use serde_json::{Value, json};

use crate::{
    manifest::{Undo, fixture, patch},
    router::{
        apisix::Apisix,
        copy::APISIX_ROUTE,
        split::Split,
        tests::snapshot,
        traits::{Cookies, Router},
    },
    snapshot::{ObjectRef, Objects},
    spec::Validated,
};

fn canary() -> Validated {
    let mut c = fixture::canary(&json!({}));
    let reference = json!({"apiVersion": "apisix.apache.org/v2", "kind": "ApisixRoute", "name": "public"});
    c.spec.route_ref = serde_json::from_value(reference).unwrap();
    c
}

fn live(backends: &Value) -> Objects {
    let rule = |name: &str, backends: &Value| json!({"name": name, "match": {"paths": ["/*"]}, "plugins": [{"name": "cors"}], "backends": backends});
    let other = json!([{"serviceName": "other", "servicePort": 80}]);
    let mut live = Objects::default();
    live.insert(
        APISIX_ROUTE,
        json!({
            "metadata": {"name": "public", "annotations": {"team": "a"}},
            "spec": {"http": [rule("ours", backends), rule("theirs", &other)]},
        }),
    );
    live
}

#[test]
fn the_rule_to_the_apex_is_split_before_the_users() {
    let user = live(&json!([{"serviceName": "podinfo", "servicePort": 80, "subset": "v1"}]));
    let made = Apisix.render(&canary(), &user, Split::to_canary(25), &Cookies::default());
    snapshot("apisix", &made.unwrap()[0].body);
}

#[test]
fn a_rule_to_several_backends_is_not_ours() {
    let both =
        json!([{"serviceName": "podinfo", "servicePort": 80}, {"serviceName": "b", "servicePort": 80}]);
    let why = Apisix.render(&canary(), &live(&both), Split::to_canary(0), &Cookies::default()).unwrap_err();
    assert!(
        why.to_string().starts_with("ApisixRoute public has no rule that leads to podinfo alone: "),
        "{why}"
    );
}

/// A route with one rule to this backend and these upstreams.
fn sharing(backend: &Value, upstreams: &Value) -> Objects {
    let mut live = live(&json!([backend]));
    let mut user = live.get(APISIX_ROUTE, "public").unwrap().clone();
    user["spec"]["http"][0]["upstreams"] = upstreams.clone();
    live.insert(APISIX_ROUTE, user);
    live
}

/// The weights of its first rule: of its backends, then of its upstreams.
fn weights(copy: &Value) -> Vec<i64> {
    let rule = &copy["spec"]["http"][0];
    let all = ["backends", "upstreams"].into_iter().flat_map(|field| rule[field].as_array().unwrap());
    all.map(|to| to["weight"].as_i64().unwrap()).collect()
}

#[test]
fn t4_the_users_own_upstreams_keep_their_share() {
    let backend = |weight: Value| json!({"serviceName": "podinfo", "servicePort": 80, "weight": weight});
    let made = |live: &Objects, weight: i32| {
        let made = Apisix.render(&canary(), live, Split::to_canary(weight), &Cookies::default());
        made.unwrap()[0].to_create()
    };
    // without a weight of its own each of them has 100
    for (own, other, wanted) in [
        (json!(1), json!({"name": "ext", "weight": 1}), [75, 25, 100]),
        (json!(null), json!({"name": "ext", "weight": 50}), [7_500, 2_500, 5_000]),
        (json!(30), json!({"name": "ext"}), [2_250, 750, 10_000]),
        (json!(30), json!({"name": "ext", "weight": 0}), [2_250, 750, 0]),
    ] {
        let mut live = sharing(&backend(own), &json!([other]));
        let copy = made(&live, 25);
        assert_eq!(weights(&copy), wanted);
        // the same from the copy alone
        live.insert(APISIX_ROUTE, copy);
        live.remove(&ObjectRef::new(APISIX_ROUTE, "public"));
        assert_eq!(weights(&made(&live, 25)), wanted);
        let sum = wanted[0] + wanted[1];
        assert_eq!(weights(&made(&live, 0)), [sum, 0, wanted[2]]);
        // the apex gets its share back before the copy is deleted
        let Some(Undo::Restore(still)) = Apisix.restore(&canary(), &live).into_iter().next() else {
            panic!("nothing is restored");
        };
        assert_eq!(weights(&still.body), [sum, wanted[2]]);
    }
}

#[test]
fn t4_every_weight_is_read_back_beside_upstreams() {
    for own in [1, 3, 70_000, i64::MAX] {
        let backend = json!({"serviceName": "podinfo", "servicePort": 80, "weight": own});
        let mut live = sharing(&backend, &json!([{"name": "ext", "weight": 7}]));
        for weight in 0..=100 {
            let made = Apisix.render(&canary(), &live, Split::to_canary(weight), &Cookies::default());
            live.insert(APISIX_ROUTE, made.unwrap()[0].to_create());
            assert_eq!(Apisix.read_back(&canary(), &live), Ok(Split::to_canary(weight)), "{own}");
        }
    }
}

#[test]
fn t4_a_rule_that_gives_the_apex_nothing_or_splits_by_a_plugin_is_not_ours() {
    let nothing = json!({"serviceName": "podinfo", "servicePort": 80, "weight": 0});
    let idle = sharing(&nothing, &json!([{"name": "ext", "weight": 1}]));
    let mut split = live(&json!([{"serviceName": "podinfo", "servicePort": 80}]));
    let mut user = split.get(APISIX_ROUTE, "public").unwrap().clone();
    let plugin = |enable: bool| json!([{"name": "traffic-split", "enable": enable, "config": {}}]);
    user["spec"]["http"][0]["plugins"] = plugin(true);
    split.insert(APISIX_ROUTE, user.clone());
    for live in [&idle, &split] {
        let why = Apisix.render(&canary(), live, Split::to_canary(0), &Cookies::default()).unwrap_err();
        assert!(why.to_string().contains("has no rule that leads to podinfo alone"), "{why}");
    }
    user["spec"]["http"][0]["plugins"] = plugin(false);
    split.insert(APISIX_ROUTE, user);
    assert!(Apisix.render(&canary(), &split, Split::to_canary(0), &Cookies::default()).is_ok());
}

#[test]
fn t5b_the_users_rules_keep_their_order_in_the_copy() {
    let apex = json!([{"serviceName": "podinfo", "servicePort": 80}]);
    let mut live = live(&apex);
    let at = ObjectRef::new(APISIX_ROUTE, "public");
    let mut user = live.at(&at).unwrap().clone();
    user["spec"]["http"][1]["backends"] = apex;
    user["spec"]["http"][1]["priority"] = json!(7);
    live.insert(APISIX_ROUTE, user);
    let made = |live: &Objects| {
        let made = Apisix.render(&canary(), live, Split::to_canary(25), &Cookies::default()).unwrap();
        made[0].to_create()
    };
    let order = |copy: &Value| [0, 1].map(|rule| copy["spec"]["http"][rule]["priority"].as_i64().unwrap());
    let copy = made(&live);
    assert_eq!(order(&copy), [10_000, 10_007]);
    live.insert(APISIX_ROUTE, copy);
    live.remove(&at);
    assert_eq!(order(&made(&live)), [10_000, 10_007]);
}

#[test]
fn what_was_copied_stands_in_for_a_route_that_is_gone() {
    let mut live = live(&json!([{"serviceName": "podinfo", "servicePort": 80}]));
    let made = Apisix.render(&canary(), &live, Split::to_canary(25), &Cookies::default()).unwrap();
    live.insert(APISIX_ROUTE, made[0].to_create());
    live.remove(&ObjectRef::new(APISIX_ROUTE, "public"));
    let back = Apisix.render(&canary(), &live, Split::to_canary(0), &Cookies::default()).unwrap();
    live.insert(APISIX_ROUTE, back[0].to_create());
    assert_eq!(Apisix.read_back(&canary(), &live), Ok(Split::to_canary(0)));
    assert_eq!(back[0].body["spec"]["http"][0]["plugins"], json!([{"name": "cors"}]));
}

#[test]
fn r4_the_copy_is_of_the_class_of_the_users_route() {
    let mut live = live(&json!([{"serviceName": "podinfo", "servicePort": 80}]));
    let mut user = live.get(APISIX_ROUTE, "public").unwrap().clone();
    user["spec"]["ingressClassName"] = json!("apisix");
    user["spec"]["stream"] = json!([{"name": "tcp"}]);
    live.insert(APISIX_ROUTE, user);
    let render = |live: &Objects| {
        Apisix.render(&canary(), live, Split::to_canary(25), &Cookies::default()).unwrap().remove(0)
    };
    let made = render(&live);
    assert_eq!(made.body["spec"]["ingressClassName"], "apisix");
    assert!(made.body["spec"].get("stream").is_none());
    live.insert(APISIX_ROUTE, made.to_create());
    live.remove(&ObjectRef::new(APISIX_ROUTE, "public"));
    assert_eq!(patch(live.at(&made.at()).unwrap(), &render(&live)), None, "it stands in for the user's");
}

#[test]
fn r29_a_copy_that_apisix_does_not_take_is_not_followed() {
    let mut live = live(&json!([{"serviceName": "podinfo", "servicePort": 80}]));
    let made = Apisix.render(&canary(), &live, Split::to_canary(25), &Cookies::default()).unwrap().remove(0);
    let mut copy = made.to_create();
    copy["status"] = json!({"conditions": [{"type": "ResourcesAvailable", "status": "False", "message": "service not found"}]});
    live.insert(APISIX_ROUTE, copy.clone());
    assert!(Apisix.not_programmed(&canary(), &live).unwrap().contains("service not found"));
    copy["status"]["conditions"][0]["status"] = json!("True");
    live.insert(APISIX_ROUTE, copy);
    assert_eq!(Apisix.not_programmed(&canary(), &live), None);
}
