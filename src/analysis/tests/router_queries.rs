//! The built-in queries of every router beside those of Flagger, from which they differ only on purpose.

use serde_json::json;

use crate::{
    analysis::{Checks, Metric, builtin},
    api::Reporter,
    manifest::fixture,
    router,
};

/// What a check has to contain of Flagger's query: in the success rate, and in the duration.
type Contained = (&'static str, &'static [&'static str], &'static [&'static str]);

const ENVOY: &str = r#"envoy_response_code!~"5.*""#;

/// Flagger's `canary!=""`, for our canary only.
const NGINX: &str = r#"ingress=~"podinfo",canary=~"test-podinfo-canary-[0-9a-zA-Z-]+""#;

const OF_FLAGGER: &[Contained] = &[
    (
        "istio",
        &[
            "istio_requests_total{",
            r#"reporter="destination",destination_workload_namespace="test",destination_workload=~"podinfo""#,
            r#"response_code!~"5.*""#,
        ],
        &["istio_request_duration_milliseconds_bucket{", r#"destination_workload=~"podinfo""#],
    ),
    (
        "linkerd",
        &[
            "response_total{",
            r#"namespace="test",deployment=~"podinfo",direction="inbound""#,
            r#"classification!="failure""#,
        ],
        &["response_latency_ms_bucket{", r#"deployment=~"podinfo",direction="inbound""#],
    ),
    (
        "contour",
        &["envoy_cluster_upstream_rq{", r#"envoy_cluster_name=~"test_podinfo-canary_[0-9a-zA-Z-]+""#, ENVOY],
        &["envoy_cluster_upstream_rq_time_bucket{", r#"=~"test_podinfo-canary_[0-9a-zA-Z-]+""#],
    ),
    (
        "gloo",
        &["envoy_cluster_upstream_rq{", r#"=~"test-podinfo-canaryupstream-[0-9a-zA-Z-]+_test""#, ENVOY],
        &["envoy_cluster_upstream_rq_time_bucket{", r#"=~"test-podinfo-canaryupstream-[0-9a-zA-Z-]+_test""#],
    ),
    (
        "kuma",
        &["envoy_cluster_upstream_rq{", r#"service=~"podinfo-canary_test_svc_[0-9a-zA-Z-]+""#, ENVOY],
        &["envoy_cluster_upstream_rq_time_bucket{", r#"=~"podinfo-canary_test_svc_[0-9a-zA-Z-]+""#],
    ),
    (
        "knative",
        &["envoy_cluster_upstream_rq{", r#"envoy_cluster_name=~"test/podinfo""#, ENVOY],
        &["envoy_cluster_upstream_rq_time_bucket{", r#"envoy_cluster_name=~"test/podinfo""#],
    ),
    (
        "nginx",
        &["nginx_ingress_controller_requests{", NGINX, r#"status!~"5.*""#],
        &["nginx_ingress_controller_response_duration_seconds_sum{", NGINX, "* 1000"],
    ),
    (
        "kubernetes",
        &["http_request_duration_seconds_count{", r#"kubernetes_namespace="test""#, r#"status!~"5.*""#],
        &["http_request_duration_seconds_bucket{", r#"kubernetes_pod_name=~"podinfo-"#, "* 1000"],
    ),
    (
        "gatewayapi:v1",
        &["http_request_duration_seconds_count{", r#"kubernetes_namespace="test""#, r#"status!~"5.*""#],
        &["http_request_duration_seconds_bucket{", r#"kubernetes_pod_name=~"podinfo-"#, "* 1000"],
    ),
    (
        "skipper",
        &[r#"route=~"kube(ew)?_test__podinfo_canary__.*__podinfo_canary(_[0-9]+)?""#, r#"code!~"5..""#],
        &[
            "skipper_serve_route_duration_seconds_sum{",
            "skipper_serve_route_duration_seconds_count{",
            "* 1000",
        ],
    ),
    (
        "traefik",
        &[r#"service=~"test-podinfo-canary-[0-9]+@kubernetescrd""#, r#"code!~"5..""#],
        &["traefik_service_request_duration_seconds_bucket{", "* 1000"],
    ),
    (
        "apisix",
        &["apisix_http_status{", r#"route=~"test_podinfo-podinfo-canary_.+""#, r#"code!~"5..""#],
        &["apisix_http_latency_bucket{", r#"route=~"test_podinfo-podinfo-canary_.+""#, r#"type=~"request""#],
    ),
];

#[test]
fn each_query_has_the_series_and_the_matchers_of_flaggers() {
    let c = fixture::canary(&json!({}));
    for (name, success, duration) in OF_FLAGGER {
        let of = router::by_name(name).unwrap().queries().reported_by(Reporter::Destination);
        for (kind, wanted) in [(Metric::SuccessRate, success), (Metric::Duration, duration)] {
            let text = builtin::render(&c, &Checks::default(), of, kind, "1m").unwrap();
            for part in *wanted {
                assert!(text.contains(part), "{name}: {part} in {text}");
            }
        }
    }
}

#[test]
fn the_counters_behind_a_duration_are_those_that_its_query_reads() {
    let c = fixture::canary(&json!({}));
    for (name, ..) in OF_FLAGGER {
        let of = router::by_name(name).unwrap().queries().reported_by(Reporter::Destination);
        let text = builtin::render(&c, &Checks::default(), of, Metric::Duration, "1m").unwrap();
        for series in of.duration_series {
            let series = builtin::selector(&c, &Checks::default(), of, series).unwrap();
            assert!(text.contains(&series), "{name}: {series} in {text}");
        }
    }
}

#[test]
fn apisix_names_routes_only_where_its_plugin_prefers_names() {
    assert!(router::by_name("apisix").unwrap().queries().needs.contains("prefer_name"));
}

/// `ingress` is the user's own Ingress, of which others may have canaries, too.
#[test]
fn t3_other_canaries_of_the_ingress_are_not_counted() {
    let mut c = fixture::canary(&json!({}));
    let reference = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "public"});
    c.spec.ingress_ref = serde_json::from_value(reference).unwrap();
    let of = router::by_name("nginx").unwrap().queries();
    let ours = |text: &str| text.matches("canary=~\"test-podinfo-canary-[0-9a-zA-Z-]+\"").count();
    for kind in [Metric::SuccessRate, Metric::Duration] {
        let text = builtin::render(&c, &Checks::default(), of, kind, "1m").unwrap();
        assert_eq!(ours(&text), 2, "{text}");
        let counters = builtin::counters(&c, &Checks::default(), of, kind, "1m").unwrap();
        assert!(counters.own.iter().all(|series| ours(series) == 1), "{counters:?}");
        assert!(counters.primary.iter().all(|series| series.contains("canary=\"\"")), "{counters:?}");
    }
    let requests = builtin::requests(&c, &Checks::default(), of, "1m").unwrap();
    assert_eq!(ours(&requests), 1, "{requests}");
}
