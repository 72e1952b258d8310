//! The objects of a user of Flagger on Istio, applied unchanged: a gate, a test and a load with the load tester, a
//! custom metric and alerts. Only the load tester sends requests.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use anyhow::{Context, ensure};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::{Api, api::ListParams};
use serde_json::{Value, json};
use serin::api::{Canary, Phase, RunPhase, canary_run::HookCall};
use serin_bed::{
    GATEWAY,
    examples::{CONTAINER, NAME, hurried},
    hooks::Receiver,
    load::Target,
    loadtester::LoadTester,
    story::{PATIENCE, Story},
    wait,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{Shared, bad_common::accepted, history, loadtester};

const OBJECTS: &str = include_str!("../../manifests/flagger-istio.yaml");
const CHAT: &str = "/services/T00/B00/XX";
/// The address of the canary's Service: stories have no kube-proxy.
const CANARY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 244, 255, 7)), 9898);

/// Forwards connections to the canary's Service, as kube-proxy would.
async fn pass_on(listener: TcpListener, slices: Api<EndpointSlice>) {
    let of = ListParams::default().labels("kubernetes.io/service-name=podinfo-canary");
    while let Ok((mut from, _)) = listener.accept().await {
        let listed = slices.list(&of).await.map(|list| list.items).unwrap_or_default();
        let mut endpoints = listed.into_iter().filter_map(|slice| slice.endpoints).flatten();
        let ready = endpoints.find(|e| e.conditions.as_ref().and_then(|c| c.ready) == Some(true));
        let address = ready.and_then(|e| e.addresses.first()?.parse::<IpAddr>().ok());
        // there is no pod or no listener, so the connection breaks
        let Some(address) = address else { continue };
        let Ok(mut to) = TcpStream::connect((address, CANARY.port())).await else { continue };
        copy_bidirectional(&mut from, &mut to).await.ok();
    }
}

/// Everything that the objects refer to: namespaces, the gateway, names, and the Secret that a user creates.
async fn surroundings(story: &Story<'_>, chat: &Receiver) -> anyhow::Result<()> {
    let gateway = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
        "metadata": {"name": "public-gateway", "namespace": "istio-system"},
        "spec": {
            "selector": {"istio": "ingressgateway"},
            "servers": [{
                "port": {"number": GATEWAY.port(), "name": "http", "protocol": "HTTP"},
                "bind": GATEWAY.ip().to_string(), "hosts": ["app.example.com"],
            }],
        },
    });
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "on-call-url", "namespace": "flagger"},
        "stringData": {"address": chat.url(CHAT)},
    });
    story.bed.namespace("flagger").await?;
    story.apply(vec![gateway, secret]).await?;
    let prometheus = story.bed.prometheus_url();
    let prometheus = prometheus.trim_start_matches("http://").split(':').next().unwrap_or_default();
    story.bed.name("prometheus.istio-system", prometheus)?;
    story.bed.name("istio-ingressgateway.istio-system", &GATEWAY.ip().to_string())
}

/// The unchanged objects, with shorter times afterwards.
async fn applied(story: &Story<'_>) -> anyhow::Result<()> {
    story.bed.apply_yaml(&story.namespace, OBJECTS).await?;
    let canary = story.phase(NAME, Phase::Initialized).await?;
    accepted(story, NAME).await?;
    let conditions: BTreeSet<String> =
        canary.status.into_iter().flat_map(|s| s.conditions).map(|c| c.type_).collect();
    ensure!(
        conditions.iter().all(|c| ["Accepted", "Promoted", "Ready"].contains(&c.as_str())),
        "it has {conditions:?}"
    );
    let canary: Canary = story.api().get(NAME).await?;
    let fast = hurried(&serde_json::to_value(canary)?, "3s", "6s");
    story.edit_canary(NAME, json!({"spec": {"analysis": fast}})).await
}

pub(crate) async fn the_objects_of_a_user_of_flagger_work_as_they_are(shared: &Shared) -> anyhow::Result<()> {
    let _one = loadtester::ONE.lock().await;
    let (story, chat) = (Story::new(&shared.bed, "test").await?, Receiver::start().await?);
    surroundings(&story, &chat).await?;
    let mut service = JoinSet::new();
    let listener = TcpListener::bind(CANARY).await.context("listening as podinfo-canary")?;
    service.spawn(pass_on(listener, story.api()));
    story.bed.name("podinfo-canary.test", &CANARY.ip().to_string())?;
    let tester = LoadTester::start(&shared.bed, "test").await?;
    applied(&story).await?;

    let [container, image] = CONTAINER;
    story.set_image_of(NAME, container, &format!("{image}:6.0.1")).await?;
    story.phase(NAME, Phase::Waiting).await?;
    story.event(NAME, "Halt podinfo.test advancement waiting for approval start gate").await?;
    ensure!(story.replicas(NAME).await? == Some(0), "pods before the gate is open");
    let opened = tester.post("/gate/open", &json!({"name": "podinfo", "namespace": "test"})).await?;
    ensure!(opened.0 == 202, "the gate answers {opened:?}");
    story.phase(NAME, Phase::Succeeded).await?;
    Target::gateway("app.example.com").serving("6.0.1", PATIENCE).await?;

    recorded(&story).await?;
    told(&chat).await?;
    let counted = tester.post("/metrics", &json!({})).await?.1;
    let checks = "serin_loadtester_commands_total{kind=\"bash\",outcome=\"succeeded\"}";
    ensure!(counted.contains(checks), "no check was made:\n{counted}");
    tester.stop().await
}

/// All three metrics were measured with real traffic, and all webhooks were called in their places.
async fn recorded(story: &Story<'_>) -> anyhow::Result<()> {
    let run = history::newest(story, 1, "of the release", |s| s.phase == RunPhase::Promoted).await?;
    let record = run.status.context("a record without status")?;
    let weights: Vec<i32> = record.steps.iter().map(|step| step.weight).collect();
    ensure!(weights == [10, 20, 30, 40, 50], "{record:?}");
    for name in ["request-success-rate", "request-duration", "404s percentage"] {
        let metric = record.metrics.iter().find(|m| m.name == name).with_context(|| name.to_owned())?;
        ensure!(metric.verdicts.get("Pass").is_some_and(|n| *n >= 5), "{metric:?}");
        ensure!(metric.query.contains("istio_requests_total") || name == "request-duration", "{metric:?}");
    }
    let passed = |type_: &str, path: &str| -> anyhow::Result<()> {
        let wanted = |h: &&HookCall| h.type_ == type_ && h.outcome == "Passed";
        let found =
            record.hooks.iter().find(wanted).with_context(|| format!("{type_}: {:?}", record.hooks))?;
        let url = format!("http://flagger-loadtester.test{path}");
        ensure!(found.url == url && found.status.is_some_and(|s| s <= 202), "{found:?}");
        Ok(())
    };
    passed("confirm-rollout", "/gate/check")?;
    passed("pre-rollout", "")?;
    passed("rollout", "")
}

/// The chat got messages about the release from its start to its end.
async fn told(chat: &Receiver) -> anyhow::Result<()> {
    let last = "Canary analysis completed successfully, promotion finished.";
    let text = |body: &Value| body["attachments"][0]["text"].as_str().unwrap_or_default().to_owned();
    let texts = || chat.received(CHAT).iter().map(text).collect::<Vec<String>>();
    wait::until("the last alert", PATIENCE, async || texts().iter().any(|t| t == last).then_some(())).await?;
    let mut all = texts();
    all.retain(|text| !text.contains("not ready"));
    let expected = [
        "New Deployment detected, initialization completed.",
        "Canary is waiting for approval.",
        "New revision detected, progressing canary analysis.",
        last,
    ];
    ensure!(all == expected, "{all:?}");
    let first = &chat.received(CHAT)[0];
    ensure!(first["channel"] == "on-call-alerts" && first["username"] == "flagger", "{first}");
    Ok(())
}
