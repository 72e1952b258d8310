use serde_json::{Value, json};

use crate::{
    manifest::fixture,
    router::{
        contour::Contour,
        split::Split,
        tests::snapshot,
        traits::{Cookies, Router},
    },
    snapshot::Objects,
    spec::Validated,
};

fn canary(service: &Value, analysis: &Value) -> Validated {
    let mut c = fixture::canary(service);
    c.analysis = serde_json::from_value(analysis.clone()).unwrap();
    c
}

fn rendered(c: &Validated, want: Split) -> Value {
    Contour.render(c, &Objects::default(), want, &Cookies::default()).unwrap().remove(0).body
}

#[test]
fn minimal() {
    let c = canary(&json!({}), &json!({"stepWeight": 10}));
    snapshot("contour_minimal", &rendered(&c, Split::to_canary(10)));
}

#[test]
fn full() {
    let service = json!({
        "match": [{"uri": {"prefix": "/api"}}], "timeout": "15s",
        "retries": {"attempts": 3, "perTryTimeout": "1s", "retryOn": "5xx, reset"},
        "apex": {"labels": {"team": "a"}, "annotations": {"note": "b"}},
    });
    let named = json!([
        {"headers": {"x-canary": {"exact": "always"}, "agent": {"prefix": "curl"}}},
        {"headers": {"cookie": {"regex": ".*insider.*"}}, "queryParams": {"q": {"prefix": "x"}, "r": {}}},
    ]);
    let mut c = canary(&service, &json!({"iterations": 3, "match": named}));
    c.ingress.class = Some("contour-public".into());
    snapshot("contour_full", &rendered(&c, Split::to_canary(100)));
    assert!(Contour.unsupported(&c).is_empty());
}

#[test]
fn no_list_of_what_to_retry_is_none() {
    for on in [json!(null), json!(""), json!(" , ")] {
        let service = json!({"retries": {"attempts": 2, "retryOn": on}});
        let c = canary(&service, &json!({"stepWeight": 10}));
        let policy = rendered(&c, Split::to_canary(0))["spec"]["routes"][0]["retryPolicy"].clone();
        assert_eq!(policy, json!({"count": 2}), "today's CRD refuses an empty entry");
    }
}

#[test]
fn pinned_requests_have_routes_of_their_own() {
    let exact = |value: &str| json!([{"headers": {"x-canary": {"exact": value}}}]);
    let asked = json!({"stepWeight": 10, "always": exact("always"), "never": exact("never")});
    let c = canary(&json!({"match": [{"uri": {"prefix": "/api"}}]}), &asked);
    snapshot("contour_pinned", &rendered(&c, Split::to_canary(10).pinning(true))["spec"]);
}

#[test]
fn what_never_wins_does_not_depend_on_its_place() {
    let refused = |never: Value, always: Value| {
        let pins = json!({"stepWeight": 10, "always": [always], "never": [never]});
        Contour.unsupported(&canary(&json!({}), &pins))
    };
    let exact = |name: &str| json!({"headers": {name: {"exact": "1"}}});
    let both = json!({"headers": {"a": {"exact": "1"}, "b": {"exact": "1"}}});
    assert!(refused(exact("b"), exact("a"))[0].starts_with("spec.analysis.never[0]: Contour prefers "));
    assert_eq!(refused(exact("a"), both.clone()).len(), 1);
    assert_eq!(refused(both, exact("c")), Vec::<String>::new());
}

#[test]
fn fields_of_a_match_that_the_routes_leave_out_are_named() {
    let fields = |entries: Value| -> Vec<String> {
        let c = canary(&json!({"match": entries}), &json!({"stepWeight": 10}));
        let advice = Contour.advice(&c, &Objects::default());
        advice.iter().map(|text| text.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(fields(json!([{"name": "all", "uri": {"prefix": "/api"}}])), Vec::<String>::new());
    assert_eq!(
        fields(
            json!([{"uri": {"exact": "/a"}, "headers": {"x": {"exact": "y"}}}, {"uri": {"prefix": "/b"}}])
        ),
        ["spec.service.match[0].headers", "spec.service.match[0].uri.exact", "spec.service.match[1]"]
    );
}

#[test]
fn r29_a_proxy_that_contour_does_not_take_is_not_followed() {
    let c = canary(&json!({}), &json!({"stepWeight": 10}));
    let said = |seen: i64, status: &str| {
        let mut live = Objects::default();
        let condition = json!({"type": "Valid", "status": "False", "observedGeneration": seen});
        live.insert(
            Contour.kinds()[0],
            json!({"metadata": {"name": "podinfo", "generation": 2}, "status": {
                "currentStatus": status, "description": "Spec.Routes unresolved", "conditions": [condition],
            }}),
        );
        Contour.not_programmed(&c, &live)
    };
    assert!(said(2, "invalid").unwrap().contains("Spec.Routes unresolved"));
    assert_eq!((said(1, "invalid"), said(2, "valid"), said(2, "orphaned")), (None, None, None));
}
