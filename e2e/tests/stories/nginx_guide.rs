//! S1.7: an application behind ingress-nginx in the form of Flagger's users, with an autoscaler, a MetricTemplate and a
//! load test as a webhook. Also webhooks that do not accept.

use anyhow::{Context, ensure};
use kube::{
    Api,
    api::{ApiResource, DynamicObject},
    core::GroupVersionKind,
};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    Traffic,
    hooks::Receiver,
    story::{PATIENCE, Story, deployment},
    wait,
};

use crate::{
    Family, Shared,
    bad_common::{accepted, refused},
    story,
};

pub(crate) const STORIES: Family = &[
    story!(s1_7_the_flagger_variant_of_the_guide),
    story!(a_webhook_that_does_not_say_yes_is_a_failed_check),
    story!(a_webhook_without_an_address_holds_the_run),
];

const APP: &str = "sample-app";
const TASK: &str = "/tasks/";

/// The objects of the guide with shorter times: a tenth of the interval.
fn objects(namespace: &str, prometheus: &str, tester: &str) -> Vec<Value> {
    let backend = json!({"service": {"name": APP, "port": {"number": 80}}});
    let rule = json!({
        "host": "sample-app.example.com",
        "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
    });
    vec![
        deployment(APP, "sample-app:1.0.0", 1),
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": APP},
            "spec": {"ingressClassName": "nginx", "rules": [rule]},
        }),
        json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": APP},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": APP},
                "minReplicas": 1, "maxReplicas": 4,
                "metrics": [{"type": "Resource", "resource": {
                    "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80},
                }}],
            },
        }),
        json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate", "metadata": {"name": "success-share"},
            "spec": {
                "provider": {"type": "prometheus", "address": prometheus},
                "query": "sample_app_success_share{namespace=\"{{ namespace }}\",deployment=\"{{ target }}\"}",
            },
        }),
        json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": APP, "namespace": namespace},
            "spec": {
                "provider": "nginx",
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": APP},
                "ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": APP},
                "autoscalerRef": {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": APP},
                "progressDeadlineSeconds": 60, "settleTime": "500ms",
                "service": {"port": 80, "targetPort": 8080},
                "analysis": {
                    "interval": "1s", "threshold": 20, "maxWeight": 80, "stepWeight": 10,
                    "metrics": [{
                        "name": "success-share", "interval": "30s", "thresholdRange": {"min": 0.99},
                        "templateRef": {"name": "success-share", "namespace": namespace},
                    }],
                    "webhooks": [{
                        "name": "load-test", "url": tester, "timeout": "30s",
                        "metadata": {"script": "import http from 'k6/http';"},
                    }],
                },
            },
        }),
    ]
}

fn share(namespace: &str) -> String {
    format!("sample_app_success_share{{namespace=\"{namespace}\",deployment=\"{APP}\"}}")
}

/// The weight in ingress-nginx's annotation.
async fn weight(story: &Story<'_>) -> anyhow::Result<Option<String>> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("networking.k8s.io", "v1", "Ingress"));
    let api: Api<DynamicObject> = Api::namespaced_with(story.client.clone(), &story.namespace, &resource);
    let annotations = api.get(&format!("{APP}-canary")).await?.metadata.annotations.unwrap_or_default();
    Ok(annotations.get("nginx.ingress.kubernetes.io/canary-weight").cloned())
}

async fn s1_7_the_flagger_variant_of_the_guide(shared: &Shared) -> anyhow::Result<()> {
    // the observer reads no weight from annotations
    shared.observer.except("s1-7", &["S4"]);
    let (story, tester) = (Story::new(&shared.bed, "s1-7").await?, Receiver::start().await?);
    shared.bed.scripted().set(&share("s1-7"), 1.0);
    story.apply(objects("s1-7", &shared.bed.prometheus_url(), &tester.url(TASK))).await?;
    accepted(&story, APP).await?;
    story.phase(APP, Phase::Initialized).await?;
    let path = story.follow(APP);
    story.set_image(APP, "sample-app:2.0.0").await?;
    story.phase(APP, Phase::Succeeded).await?;
    let weights: Vec<i32> =
        path.taken().iter().filter(|p| p.0 == "Progressing" && p.1 > 0).map(|p| p.1).collect();
    ensure!(weights == [10, 20, 30, 40, 50, 60, 70, 80], "weights {weights:?}");
    let calls = tester.received(TASK);
    ensure!(calls.len() >= 8, "{} calls in eight windows", calls.len());
    let sent = |field: &str| calls[0][field].as_str().unwrap_or_default().to_owned();
    ensure!(
        (sent("name"), sent("namespace"), sent("phase")) == (APP.into(), "s1-7".into(), "Progressing".into()),
        "sent {}",
        calls[0]
    );
    ensure!(calls[0]["metadata"]["script"] == "import http from 'k6/http';", "sent {}", calls[0]);

    let failing = Receiver::received(&tester, TASK).len();
    shared.bed.scripted().set(&share("s1-7"), 0.5);
    let seen = async || (shared.bed.query(&share("s1-7")).await.ok()? == [0.5]).then_some(());
    wait::until("the worse share to be scraped", PATIENCE, seen).await?;
    story.set_image(APP, "sample-app:3.0.0").await?;
    let failed = story.phase(APP, Phase::Failed).await?;
    ensure!(failed.status.map(|s| s.failed_checks) == Some(20), "failed checks");
    ensure!(weight(&story).await?.as_deref() == Some("0"), "the weight stands");
    story.event(APP, "Halt sample-app.s1-7 advancement success-share 0.50 < 0.99").await?;
    // an answer that arrives after its window of a second counts for the next window, which has no call then
    let called = tester.received(TASK).len() - failing;
    ensure!(called >= 10, "the webhook was called in {called} of 20 windows");
    Ok(())
}

/// A Canary of the mesh that only a webhook checks.
async fn hooked<'a>(shared: &'a Shared, namespace: &str, hook: Value) -> anyhow::Result<Story<'a>> {
    let story = Story::new(&shared.bed, namespace).await?;
    shared.bed.scripted().traffic(namespace, "app", Traffic::success(100.0, 50.0));
    let edit = |c: &mut Value| {
        c["spec"]["analysis"]["metrics"] = json!([]);
        c["spec"]["analysis"]["webhooks"] = json!([hook]);
        c["spec"]["analysis"]["threshold"] = json!(2);
    };
    story.initialised("app", edit).await?;
    Ok(story)
}

async fn a_webhook_that_does_not_say_yes_is_a_failed_check(shared: &Shared) -> anyhow::Result<()> {
    let tester = Receiver::start().await?;
    let hook = json!({"name": "gauge", "type": "rollout", "url": tester.url("/"), "timeout": "1s"});
    let story = hooked(shared, "hook-refuses", hook).await?;
    for (image, status, text, words) in [
        ("app:2", 400, "too slow\nby far", "external check gauge failed too slow by far"),
        ("app:3", 500, "oops", "giving up after 1 attempt(s): status 500: oops"),
        ("app:4", 302, "", "external check gauge failed status 302"),
    ] {
        tester.answer("/", status, text);
        story.set_image("app", image).await?;
        story.phase("app", Phase::Progressing).await?;
        let failed = story.phase("app", Phase::Failed).await.with_context(|| format!("status {status}"))?;
        ensure!(failed.status.map(|s| s.canary_weight) == Some(0), "weight");
        story.event("app", words).await?;
    }
    // nothing listens there
    let nowhere = json!([{"name": "gauge", "url": "http://10.244.255.9:9/", "timeout": "1s"}]);
    story.edit_canary("app", json!({"spec": {"analysis": {"webhooks": nowhere}}})).await?;
    story.set_image("app", "app:5").await?;
    story.phase("app", Phase::Progressing).await?;
    story.phase("app", Phase::Failed).await?;
    story.event("app", "POST http://10.244.255.9:9 giving up after 1 attempt(s)").await
}

async fn a_webhook_without_an_address_holds_the_run(shared: &Shared) -> anyhow::Result<()> {
    let story = hooked(shared, "hook-astray", json!({"name": "gauge", "url": "tester/gauge"})).await?;
    refused(&story, "app", "WebhookInvalid", &["spec.analysis.webhooks[gauge].url", "http or https URL"])
        .await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Progressing).await?;
    let tester = Receiver::start().await?;
    let mended = json!([{"name": "gauge", "url": tester.url("/")}]);
    story.edit_canary("app", json!({"spec": {"analysis": {"webhooks": mended}}})).await?;
    let done = story.phase("app", Phase::Succeeded).await?;
    ensure!(done.status.is_some_and(|s| s.failed_checks == 0), "failed checks");
    let canary: Canary = story.api().get("app").await?;
    ensure!(canary.status.is_some() && !tester.received("/").is_empty(), "it was never asked");
    Ok(())
}
