use super::*;
use crate::{manifest::fixture, snapshot::SCALED_OBJECT};

fn label() -> (String, String) {
    ("app.kubernetes.io/name".into(), "web".into())
}

fn named(queries: &Value) -> AutoscalerRef {
    let named = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "so", "primaryScalerQueries": queries});
    serde_json::from_value(named).unwrap()
}

fn triggers() -> Value {
    json!([
        {"type": "kubernetes-workload", "metadata": {"podSelector": "app.kubernetes.io/name=web,app.kubernetes.io/instance=a", "value": "3"}},
        {"type": "metrics-api", "metadata": {"url": "http://podinfo.test.svc:9797/metrics", "valueLocation": "x"}},
        {"type": "new-relic", "name": "n", "metadata": {"nrql": "SELECT rate(count(*)) FROM T WHERE appName='podinfo'"}},
        {"type": "rabbitmq", "name": "q", "metadata": {"queueName": "podinfo", "host": "amqp://mq"}},
    ])
}

fn rendered(queries: &Value) -> Value {
    let mut spec = json!({"triggers": triggers()});
    of_primary(&mut spec, &fixture::canary(&json!({})), &label(), &named(queries));
    spec["triggers"].take()
}

#[test]
fn r17_triggers_without_query_go_by_the_primary() {
    let made = rendered(&json!({}));
    let of = |at: usize, key: &str| made[at]["metadata"][key].clone();
    assert_eq!(of(0, "podSelector"), "app.kubernetes.io/name=web-primary,app.kubernetes.io/instance=a");
    assert_eq!(of(1, "url"), "http://podinfo-primary.test.svc:9797/metrics");
    assert_eq!(of(2, "nrql"), "SELECT rate(count(*)) FROM T WHERE appName='podinfo-primary'");
    assert_eq!(of(3, "queueName"), "podinfo", "both take from one queue");
    assert_eq!(rendered(&json!({"n": "SELECT 1"}))[2]["metadata"]["nrql"], "SELECT 1");
}

#[test]
fn a_copy_that_goes_leaves_the_primary_its_pods() {
    let kept = json!({"behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}}});
    let restoring = json!({"restoreToOriginalReplicaCount": true, "horizontalPodAutoscalerConfig": kept});
    let mut spec = json!({"advanced": restoring, "triggers": []});
    of_primary(&mut spec, &fixture::canary(&json!({})), &label(), &named(&json!({})));
    assert_eq!(spec, json!({"advanced": {"horizontalPodAutoscalerConfig": kept}, "triggers": []}));
}

#[test]
fn a_trigger_may_bear_its_name_among_its_metadata() {
    let c = fixture::canary(&json!({}));
    let trigger = |name: Value| json!([{"type": "prometheus", "name": name, "metadata": {"name": "calls", "query": "rate(x[1m])"}}]);
    let own = named(&json!({"calls": "rate(y[1m])"}));
    for (name, query) in
        [(Value::Null, "rate(y[1m])"), (json!(""), "rate(y[1m])"), (json!("other"), "rate(x[1m])")]
    {
        let mut spec = json!({"triggers": trigger(name.clone())});
        let told = unturned(&c, SCALED_OBJECT, &own, &json!({"spec": spec.clone()}), &label());
        of_primary(&mut spec, &c, &label(), &own);
        assert_eq!(spec["triggers"][0]["metadata"]["query"], query, "the trigger's own name is {name}");
        assert_eq!(told.is_empty(), query == "rate(y[1m])", "{told:?}");
    }
}

#[test]
fn r17_what_stays_about_the_target_is_told() {
    let c = fixture::canary(&json!({}));
    let told = |triggers: Value, queries: Value| {
        unturned(&c, SCALED_OBJECT, &named(&queries), &json!({"spec": {"triggers": triggers}}), &label())
    };
    let all = told(triggers(), json!({"q": "x", "gone": "y", "n": "SELECT 1"}));
    assert_eq!(all.len(), 3, "{all:#?}");
    assert!(all[0].contains("spec.triggers[3] (rabbitmq) goes by queueName"), "{}", all[0]);
    assert!(all[1].contains("[gone] changes nothing") && all[2].contains("[q] changes nothing"));
    let both =
        told(json!([{"type": "kubernetes-workload", "metadata": {"podSelector": "tier=front"}}]), json!({}));
    assert!(both[0].contains("podSelector"), "{both:?}");
    assert_eq!(told(json!([{"type": "cron", "metadata": {"start": "0 8 * * *"}}, 3]), json!({})), [""; 0]);

    let labels = json!({"app": "podinfo"});
    let external = json!({"type": "External", "external": {"metric": {"name": "rps", "selector": {"matchLabels": labels}}}});
    let hpa = json!({"spec": {"metrics": [external, {"type": "Resource"}]}});
    assert_eq!(unturned(&c, HPA, &named(&json!({})), &hpa, &label()).len(), 1);
}

#[test]
fn only_hosts_of_the_cluster_are_turned() {
    let c = fixture::canary(&json!({"name": "shop"}));
    for (before, after) in [
        ("http://podinfo/metrics", "http://shop-primary/metrics"),
        ("shop.test.svc.cluster.local:80/x?app=shop", "shop-primary.test.svc.cluster.local:80/x?app=shop"),
        ("http://shop-canary:80", "http://shop-primary:80"),
        ("http://podinfo.other/metrics", "http://podinfo.other/metrics"),
        ("https://podinfo.example.com/", "https://podinfo.example.com/"),
        ("http://prometheus/podinfo", "http://prometheus/podinfo"),
        ("", ""),
    ] {
        assert_eq!(url_of_primary(before, &c), after);
    }
}

#[test]
fn a_query_is_rewritten_by_whole_names() {
    for (before, after) in [
        ("podinfo", "podinfo-primary"),
        ("a{pod=~\"podinfo-.*\",x=\"podinfo\"}", "a{pod=~\"podinfo-primary-.*\",x=\"podinfo-primary\"}"),
        ("podinfo-[0-9a-z]+", "podinfo-primary-[0-9a-z]+"),
        ("{svc=\"podinfo-canary\"}", "{svc=\"podinfo-primary\"}"),
        (
            "podinfo-primary podinfo-api my-podinfo podinfo_total",
            "podinfo-primary podinfo-api my-podinfo podinfo_total",
        ),
        ("podinfo-canary-x", "podinfo-canary-x"),
        ("sum by (podinfo) (x{podinfo=\"podinfo\"})", "sum by (podinfo) (x{podinfo=\"podinfo-primary\"})"),
        ("a{b=\"\\\"podinfo\",podinfo='podinfo'}", "a{b=\"\\\"podinfo-primary\",podinfo='podinfo-primary'}"),
        ("avg:hits{podinfo:podinfo}", "avg:hits{podinfo:podinfo-primary}"),
        ("stats.podinfo.hits", "stats.podinfo-primary.hits"),
        ("podinfopodinfo", "podinfopodinfo"),
        ("", ""),
    ] {
        assert_eq!(about_primary(before, "podinfo"), after);
    }
    assert_eq!(about_primary("x", ""), "x");
}
