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

/// Labels of a series.
type Labels<'a> = Vec<(&'a str, String)>;

/// How many selectors of this series in the text find one with these labels.
fn found(text: &str, series: &str, labels: &[(&str, String)]) -> usize {
    let matcher = regex::Regex::new(r#"(\w+)(=~|!~|!=|=)"([^"]*)""#).unwrap();
    let holds = |all: &str| {
        matcher.captures_iter(all).all(|part| {
            let of = labels.iter().find(|(name, _)| *name == &part[1]).map_or("", |(_, value)| value);
            let wanted = part[3].replace(r"\\", r"\");
            let like = regex::Regex::new(&format!("^(?:{wanted})$")).is_ok_and(|wanted| wanted.is_match(of));
            match &part[2] {
                "=" => of == wanted,
                "!=" => of != wanted,
                "=~" => like,
                _ => !like,
            }
        })
    };
    let begin = format!("{series}{{");
    text.split(&begin).skip(1).filter(|rest| holds(rest.split('}').next().unwrap_or_default())).count()
}

/// Every query of a router, with whether it finds the series with these labels.
fn counts_in(router: &str, (requests, buckets): (&str, &str), labels: &[(&str, String)]) -> Vec<bool> {
    let c = fixture::canary(&json!({}));
    let of = router::by_name(router).unwrap().queries();
    let text = |kind| builtin::render(&c, &Checks::default(), of, kind, "1m").unwrap();
    let counters = |kind| builtin::counters(&c, &Checks::default(), of, kind, "1m").unwrap();
    let samples = builtin::requests(&c, &Checks::default(), of, "1m").unwrap();
    vec![
        found(&text(Metric::SuccessRate), requests, labels) > 0,
        found(&samples, requests, labels) > 0,
        found(&counters(Metric::SuccessRate).own.join(" "), requests, labels) > 0,
        found(&text(Metric::Duration), buckets, labels) > 0,
    ]
}

#[test]
fn what_the_proxies_of_linkerd_count_of_themselves_and_of_probes_is_no_request() {
    let series = |more: &[(&'static str, &str)]| -> Labels<'static> {
        let pod = [("namespace", "test"), ("deployment", "podinfo"), ("direction", "inbound")];
        pod.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned())).collect()
    };
    let all = ("response_total", "response_latency_ms_bucket");
    for user in [
        series(&[("target_addr", "10.0.0.7:9898"), ("route_name", "default")]),
        series(&[("target_addr", "[fd00::7]:9898")]),
        series(&[("target_addr", "10.0.0.7:14191")]),
        // proxies before 2.12 name no routes
        series(&[]),
    ] {
        assert_eq!(counts_in("linkerd", all, &user), [true; 4], "{user:?}");
    }
    for own in [
        series(&[("target_addr", "0.0.0.0:4191"), ("route_name", "default")]),
        series(&[("target_addr", "10.0.0.7:4191")]),
        series(&[("target_addr", "[fd00::7]:4191")]),
        series(&[("target_addr", "10.0.0.7:9898"), ("route_name", "probe")]),
    ] {
        assert_eq!(counts_in("linkerd", all, &own), [false; 4], "{own:?}");
    }
}

#[test]
fn what_the_proxies_of_kuma_ask_for_themselves_is_no_request() {
    let series = |cluster: &str| -> Labels<'static> {
        vec![("service", "podinfo-canary_test_svc_9898".into()), ("envoy_cluster_name", cluster.into())]
    };
    let all = ("envoy_cluster_upstream_rq", "envoy_cluster_upstream_rq_time_bucket");
    for user in ["localhost_9898", "self_inbound_dp_9898", "database_test_svc_5432", "kuma-shop_test_svc_80"]
    {
        assert_eq!(counts_in("kuma", all, &series(user)), [true; 4], "{user}");
    }
    for own in [
        "kuma_envoy_admin",
        "kuma_metrics_hijacker",
        "kuma_readiness",
        "_kuma_metrics_prometheus_main",
        "system_envoy_admin",
        "ads_cluster",
        "access_log_sink",
        "meshtrace_zipkin",
        "tracing_main",
    ] {
        assert_eq!(counts_in("kuma", all, &series(own)), [false; 4], "{own}");
    }
}

/// Whether a request with this code, status of gRPC and flags has failed.
fn has_failed(code: &str, grpc: &str, flags: &str) -> bool {
    code.starts_with('5') || ["2", "4", "13", "14", "15"].contains(&grpc) && !["DC", "DR"].contains(&flags)
}

#[test]
fn with_istio_a_call_fails_by_its_status_of_grpc_too() {
    let c = fixture::canary(&json!({}));
    let ends = [
        ("destination", "destination_workload_namespace", "destination_workload", "podinfo"),
        ("source", "destination_service_namespace", "destination_service_name", "podinfo-canary"),
    ];
    for (reporter, wanted) in
        [(Reporter::Destination, 0..1), (Reporter::Source, 1..2), (Reporter::Both, 0..2)]
    {
        let of = router::by_name("istio").unwrap().queries().reported_by(reporter);
        let text = builtin::render(&c, &Checks::default(), of, Metric::SuccessRate, "1m").unwrap();
        let (good, all) = text.split_once(" or vector(0)) / ").unwrap();
        let selected = |text: &str| builtin::selector(&c, &Checks::default(), of, text).unwrap();
        let counted = of.counts.unwrap();
        let (whole, bad) = (selected(counted.all), selected(&counted.bad.join(" ")));
        let reporting = selected(
            r#"istio_requests_total{reporter="source",destination_service_namespace="{{ namespace }}",destination_service_name=~"{{ side }}"}"#,
        );
        for (end, namespace, workload, name) in &ends[wanted] {
            for code in ["200", "404", "500", "503", "0"] {
                for grpc in ["", "0", "1", "2", "4", "5", "12", "13", "14", "15", "16"] {
                    for flags in ["-", "DC", "DR", "UC", "UC,DC"] {
                        let labels: Labels<'_> = [
                            ("reporter", *end),
                            (namespace, "test"),
                            (workload, name),
                            ("response_code", code),
                            ("grpc_response_status", grpc),
                            ("response_flags", flags),
                        ]
                        .map(|(name, value)| (name, value.to_owned()))
                        .into();
                        let in_text = |text: &str| found(text, "istio_requests_total", &labels);
                        let failed = has_failed(code, grpc, flags);
                        let what = format!("{reporter:?} {labels:?}");
                        // which callers report is asked for with all their requests
                        let reports = good.replace(&reporting, "");
                        assert!(in_text(all) > 0, "{what}");
                        assert_eq!(in_text(&reports), usize::from(!failed), "{what}");
                        if in_text(&whole) > 0 {
                            assert_eq!(in_text(&bad), usize::from(failed), "{what}");
                        }
                    }
                }
            }
        }
    }
}
