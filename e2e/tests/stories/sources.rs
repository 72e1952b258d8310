//! Other sources of metrics: servers with authentication, the external metrics API, any JSON. Also mistakes with their
//! Secrets.

use anyhow::{Context, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use serde_json::{Value, json};
use serin::api::{Canary, Phase};
use serin_bed::{
    User,
    audit::Audit,
    badprom::{Badprom, Says},
    metrics_servers::MetricsServer,
    story::{PATIENCE, Story},
};

use crate::{
    Family, Shared,
    bad_common::{
        accepted, ends_well, failed_checks, held_at_25, pace, refused, stands, story, untouched_at_25,
    },
};

pub(crate) const STORIES: Family = &[
    crate::story!(x5_a_prometheus_that_wants_to_know_who_asks),
    crate::story!(a_secret_that_is_missing_or_lacks_a_key_holds_the_run),
    crate::story!(the_external_metrics_api_is_asked_through_the_api_server),
    crate::story!(any_json_over_http_is_a_metric),
    crate::story!(f57_an_outage_longer_than_a_run_fails_nothing),
    crate::story!(f62_a_name_that_leads_nowhere_freezes_the_run),
];

/// A marker that may only be in a Secret and in requests to its server.
const MARKER: &str = "s3cret-marker";

fn template(provider: &Value, query: &str) -> Value {
    json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate", "metadata": {"name": "mine"},
        "spec": {"provider": provider, "query": query},
    })
}

fn secret(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data})
}

/// One metric, from the template, with a maximum of 5.
fn measured(c: &mut Value) {
    c["spec"]["analysis"]["metrics"] = json!([{"name": "mine", "interval": "30s", "templateRef": {"name": "mine"}, "thresholdRange": {"max": 5}}]);
}

async fn x5_a_prometheus_that_wants_to_know_who_asks(shared: &Shared) -> anyhow::Result<()> {
    let (began, story) = (Timestamp::now(), story(shared, "source-login").await?);
    let token = format!("Bearer {MARKER}-token");
    let login = format!("Basic {}", STANDARD.encode(format!("me:{MARKER}-word")));
    let server = MetricsServer::guarded(&shared.bed, &[&token, &login]).await?;
    let provider = json!({"type": "prometheus", "address": server.url(), "secretRef": {"name": "login"}});
    // the number in the query is also secret
    let query = "vector({{ variables.value }}) * {{ args.factor }}";
    let data = json!({"token": format!("{MARKER}-token"), "factor": "1.0000001"});
    story.apply(vec![secret("login", &data), template(&provider, query)]).await?;
    let edit = |c: &mut Value| {
        measured(c);
        let metric = &mut c["spec"]["analysis"]["metrics"][0];
        metric["templateVariables"] = json!({"value": "3"});
        metric["args"] =
            json!([{"name": "factor", "valueFrom": {"secretKeyRef": {"name": "login", "key": "factor"}}}]);
    };
    story.initialised("app", edit).await?;
    story.event("app", "all the metrics providers are available!").await?;
    story.set_image("app", "app:2").await?;
    ends_well(&story).await?;
    let asked = server.asked();
    ensure!(asked.iter().filter(|a| a.target.contains("1.0000001")).count() >= 2, "asked {asked:?}");
    ensure!(asked.iter().all(|a| a.status == 200 && a.authorization == token), "asked {asked:?}");

    let audit = Audit::of(&shared.bed, User::Operator)?.between(began, Timestamp::MAX).within("source-login");
    let reads = audit.only(|r| r.verb == "get" && r.resource == "secrets");
    ensure!(reads.requests().iter().all(|r| r.name == "login"), "read {:?}", reads.requests());
    ensure!(reads.count() <= 2, "the Secret was read {} times", reads.count());

    // another authentication method takes effect by itself
    let data = json!({"username": "me", "password": format!("{MARKER}-word"), "factor": "1.0000001"});
    replace(&story, data).await?;
    story.set_image("app", "app:3").await?;
    story.phase("app", Phase::Progressing).await?;
    story.phase("app", Phase::Succeeded).await?;
    let last = server.asked().pop().context("it was not asked")?;
    ensure!((last.status, last.authorization) == (200, login), "asked otherwise");

    replace(&story, json!({"token": format!("{MARKER}-wrong"), "factor": "1.0000001"})).await?;
    story.set_image("app", "app:4").await?;
    stands(
        &story,
        "app",
        "Frozen",
        "True",
        "MetricsUnavailable",
        &["Metric query failed for mine", "status 401"],
    )
    .await?;
    shown_nowhere(shared, &story).await
}

/// Replaces the contents of the Secret.
async fn replace(story: &Story<'_>, data: Value) -> anyhow::Result<()> {
    use k8s_openapi::api::core::v1::Secret;
    let api = story.api::<Secret>();
    let mut object = api.get("login").await?;
    object.data = None;
    object.string_data = serde_json::from_value(data)?;
    api.replace("login", &kube::api::PostParams::default(), &object).await.context("change the Secret")?;
    Ok(())
}

/// Neither Canary nor Events, log nor metrics contain the marker or the secret number.
async fn shown_nowhere(shared: &Shared, story: &Story<'_>) -> anyhow::Result<()> {
    let canary: Canary = story.api().get("app").await?;
    let events = story.api::<Event>().list(&ListParams::default()).await?;
    let operator = shared.operator.lock().await;
    let (log, metrics) = (operator.logs()?, operator.metrics().await?);
    for (what, text) in [
        ("the Canary", json!(canary).to_string()),
        ("an Event", json!(events.items).to_string()),
        ("the log", log),
        ("a metric", metrics),
    ] {
        ensure!(!text.contains(MARKER) && !text.contains("1.0000001"), "{what} shows a secret");
    }
    Ok(())
}

async fn a_secret_that_is_missing_or_lacks_a_key_holds_the_run(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "source-secret").await?;
    let token = format!("Bearer {MARKER}");
    let server = MetricsServer::guarded(&shared.bed, &[&token]).await?;
    let provider = json!({"type": "prometheus", "address": server.url(), "secretRef": {"name": "login"}});
    story.apply(vec![template(&provider, "vector(1)")]).await?;
    story.initialised("app", measured).await?;
    let words = [
        "Secret source-secret/login does not exist",
        "MetricTemplate source-secret/mine (spec.provider.secretRef)",
    ];
    refused(&story, "app", "SecretMissing", &words).await?;
    story.set_image("app", "app:2").await?;
    story.phase("app", Phase::Progressing).await?;
    story.apply(vec![secret("login", &json!({"other": "x"}))]).await?;
    accepted(&story, "app").await?;
    let words =
        ["Metric query failed for mine: Secret source-secret/login", "has no key token, nor username"];
    stands(&story, "app", "Frozen", "True", "MetricsUnavailable", &words).await?;
    untouched_at_25(&story).await?;
    story.apply(vec![secret("login", &json!({"token": MARKER}))]).await?;
    ends_well(&story).await?;
    let canary: Canary = story.api().get("app").await?;
    ensure!(failed_checks(&canary) == 0, "counted against the release: {:?}", canary.status);
    Ok(())
}

async fn the_external_metrics_api_is_asked_through_the_api_server(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "source-external").await?;
    let adapter = MetricsServer::adapter(&shared.bed, "4500m").await?;
    let address = adapter.address();
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "adapter"},
        "spec": {"type": "ExternalName", "externalName": address.ip().to_string()},
    });
    let registration = json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": "v1beta1.external.metrics.k8s.io"},
        "spec": {
            "group": "external.metrics.k8s.io", "version": "v1beta1",
            "groupPriorityMinimum": 100, "versionPriority": 100, "insecureSkipTLSVerify": true,
            "service": {"namespace": "source-external", "name": "adapter", "port": address.port()},
        },
    });
    story.apply(vec![service, registration]).await?;
    let query = "{{ namespace }}/queue-length?labelSelector=app%3D{{ target }}";
    story.apply(vec![template(&json!({"type": "externalmetrics"}), query)]).await?;
    let told = async {
        story.initialised("app", measured).await?;
        story.set_image("app", "app:2").await?;
        ends_well(&story).await?;
        let asked = adapter.asked();
        let wanted = "/namespaces/source-external/queue-length?labelSelector=app%3Dapp";
        ensure!(asked.iter().any(|a| a.status == 200 && a.target.ends_with(wanted)), "asked {asked:?}");
        story.edit_canary("app", json!({"spec": {"analysis": {"metrics": [
            {"name": "mine", "interval": "30s", "templateRef": {"name": "mine"}, "thresholdRange": {"max": 4}},
        ]}}})).await?;
        story.set_image("app", "app:3").await?;
        story.event("app", "Halt app.source-external advancement mine 4.50 > 4").await?;
        story.phase("app", Phase::Failed).await.map(drop)
    };
    let told = told.await;
    // in any case: an API without a server affects every namespace
    let kind = kube::core::GroupVersionKind::gvk("apiregistration.k8s.io", "v1", "APIService");
    let services: kube::Api<kube::api::DynamicObject> =
        kube::Api::all_with(story.client.clone(), &kube::api::ApiResource::from_gvk(&kind));
    services.delete("v1beta1.external.metrics.k8s.io", &kube::api::DeleteParams::default()).await?;
    told
}

async fn any_json_over_http_is_a_metric(shared: &Shared) -> anyhow::Result<()> {
    let story = story(shared, "source-web").await?;
    let url = shared.bed.prometheus_url();
    let web = |path: &str| {
        template(&json!({"type": "web", "address": url, "jsonPath": path}), "/api/v1/query?query=vector(4.5)")
    };
    story.apply(vec![web("{$.data.result[*].value[1]}")]).await?;
    story.initialised("app", measured).await?;
    story.set_image("app", "app:2").await?;
    ends_well(&story).await?;
    story.apply(vec![web("$.data[")]).await?;
    refused(
        &story,
        "app",
        "TemplateInvalid",
        &["MetricTemplate source-web/mine has a spec.provider.jsonPath"],
    )
    .await?;
    story.apply(vec![web("$.data")]).await?;
    accepted(&story, "app").await?;
    story.set_image("app", "app:3").await?;
    stands(
        &story,
        "app",
        "Frozen",
        "True",
        "MetricsUnavailable",
        &["is no number: let jsonPath lead to one"],
    )
    .await?;
    untouched_at_25(&story).await
}

async fn f57_an_outage_longer_than_a_run_fails_nothing(shared: &Shared) -> anyhow::Result<()> {
    let server = Badprom::start(Says::Silence).await?;
    let url = server.url();
    let edit = |c: &mut Value| c["spec"]["metricsServer"] = json!(url);
    let story = held_at_25(shared, "source-outage", edit).await?;
    pace(&story).await?;
    stands(&story, "app", "Frozen", "True", "MetricsUnavailable", &["did not answer within"]).await?;
    // with three checks of a second, it would have ended long ago
    server.asked_more(8, PATIENCE).await?;
    untouched_at_25(&story).await?;
    server.say(Says::Values(vec!["100"]));
    ends_well(&story).await?;
    let canary: Canary = story.api().get("app").await?;
    ensure!(failed_checks(&canary) == 0, "the outage was counted: {:?}", canary.status);
    Ok(())
}

async fn f62_a_name_that_leads_nowhere_freezes_the_run(shared: &Shared) -> anyhow::Result<()> {
    let edit = |c: &mut Value| c["spec"]["metricsServer"] = json!("http://nobody.invalid:9090");
    let story = held_at_25(shared, "source-dns", edit).await?;
    pace(&story).await?;
    stands(
        &story,
        "app",
        "Frozen",
        "True",
        "MetricsUnavailable",
        &["Prometheus query failed", "nobody.invalid"],
    )
    .await?;
    untouched_at_25(&story).await?;
    // the name starts to resolve
    let server = shared.bed.prometheus_url();
    let address: std::net::SocketAddr = server.trim_start_matches("http://").parse()?;
    shared.bed.name("nobody.invalid", &address.ip().to_string())?;
    let url = format!("http://nobody.invalid:{}", address.port());
    story.edit_canary("app", json!({"spec": {"metricsServer": url}})).await?;
    ends_well(&story).await
}
