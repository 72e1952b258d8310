//! Payloads as they are posted, and who gets which alert. Review snapshots like code.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde_json::json;

use super::*;
use crate::{
    api::{AlertProviderSpec, StepStatus, Waiting},
    net,
    plan::Alert,
};

fn canary(alerts: &serde_json::Value) -> Canary {
    serde_json::from_value(json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
        "metadata": {"name": "podinfo", "namespace": "test", "uid": "u1"},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
            "progressDeadlineSeconds": 60,
            "service": {"port": 80},
            "analysis": {"interval": "1m", "threshold": 5, "maxWeight": 50, "stepWeight": 10, "alerts": alerts},
        },
    }))
    .unwrap()
}

fn message(urgency: Urgency, details: bool) -> Message {
    let text = match urgency {
        Urgency::Error => "Progress deadline exceeded <none> of 2 & more",
        _ => "New revision detected, progressing canary analysis.",
    };
    let mut note = Note::normal("NewRevision", "New revision detected!").alerting(urgency, text);
    if let Some(alert) = &mut note.alert {
        alert.details = details;
    }
    let status = CanaryStatus { epoch: 3, canary_weight: 10, ..CanaryStatus::default() };
    let alert = note.alert.clone().unwrap();
    Message::of(&canary(&json!([])), &status, &note, &alert, "prod")
}

fn destination(type_: &str, spec: &serde_json::Value) -> Destination {
    let mut spec = spec.clone();
    spec["type"] = json!(type_);
    let spec: AlertProviderSpec = serde_json::from_value(spec).unwrap();
    Destination::of_spec(&spec, "https://hooks.example.com/services/t0?a=b", None).unwrap()
}

#[test]
fn payloads_are_those_of_flagger_and_a_cloud_event() {
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let mut all = serde_json::Map::new();
    for type_ in ["slack", "msteams", "discord", "rocket", "gchat", "webhook"] {
        for urgency in [Urgency::Info, Urgency::Error] {
            let spec = json!({"channel": "on-call", "username": "serin"});
            let spec = if urgency == Urgency::Info { spec } else { json!({}) };
            let to = destination(type_, &spec);
            let details = urgency == Urgency::Info;
            let body = payload::payload(&to, &message(urgency, details), now);
            let posted = json!({"to": to.url.as_str(), "body": body});
            all.insert(format!("{type_} {urgency:?}"), posted);
        }
    }
    insta::assert_yaml_snapshot!("payloads", all);
}

#[test]
fn facts_tell_how_users_are_given_the_new_version() {
    let routing = |analysis: serde_json::Value| {
        let mut of = serde_json::to_value(canary(&json!([]))).unwrap();
        of["spec"]["analysis"] = analysis;
        let of: Canary = serde_json::from_value(of).unwrap();
        let note = Note::normal("NewRevision", "").aloud(Urgency::Info);
        let alert = Alert { details: true, ..note.alert.clone().unwrap() };
        let fields = Message::of(&of, &CanaryStatus::default(), &note, &alert, "").fields;
        fields.into_iter().find(|(title, _)| title == "Traffic routing").map(|(_, text)| text)
    };
    let said = |text: &str| Some(text.to_owned());
    assert_eq!(routing(json!({"stepWeight": 5, "maxWeight": 50})), said("Weight step: 5 max: 50"));
    assert_eq!(
        routing(json!({"stepWeights": [1, 2, 10], "maxWeight": 80})),
        said("Weight steps: 1,2,10 max: 80")
    );
    let steps = json!({"steps": [{"weight": 3}, {"weight": 30, "hold": "1m"}]});
    assert_eq!(routing(steps), said("Weight steps: 3,30 max: 100"));
    let matches = json!({"iterations": 3, "match": [{"headers": {"a": {"exact": "b"}}}]});
    assert_eq!(routing(matches), said("A/B Testing"));
    assert_eq!(routing(json!({"iterations": 3})), said("Blue/Green"));
}

#[test]
fn what_a_run_waits_for_is_told_once_per_wait() {
    let of = |alert: &Alert, index, since| {
        let waiting = Waiting { since: MicroTime(Timestamp::from_second(since).unwrap()), revision: None };
        let step = StepStatus { index, ..StepStatus::default() };
        let status =
            CanaryStatus { epoch: 3, step: Some(step), waiting: Some(waiting), ..CanaryStatus::default() };
        let note = Note::warning("WaitingForApproval", "waiting");
        Message::of(&canary(&json!([])), &status, &note, alert, "").id
    };
    let once = Note::warning("", "").aloud(Urgency::Warn).alert.unwrap();
    let each = Alert { each_step: true, ..once.clone() };
    assert_eq!((of(&once, 1, 1), of(&once, 2, 2)), ("u1/3/WaitingForApproval".into(), of(&once, 1, 1)));
    let first = of(&each, 1, 1);
    assert!(first.starts_with("u1/3/WaitingForApproval/1-"), "{first}");
    let later_revision = Alert { message: "another command".into(), ..each.clone() };
    assert_eq!(of(&each, 1, 1), first);
    for other in [of(&each, 2, 1), of(&each, 1, 2), of(&later_revision, 1, 1)] {
        assert_ne!(other, first);
    }
}

#[test]
fn an_alert_without_a_severity_gets_everything() {
    let alert = |name: &str, severity: Option<&str>| json!({"name": name, "severity": severity, "providerRef": {"name": name}});
    let canary = canary(&json!([
        alert("all", None),
        alert("empty", Some("")),
        alert("info", Some("info")),
        alert("warn", Some("warn")),
        alert("error", Some("error")),
        {"name": "again", "providerRef": {"name": "all", "namespace": "test"}},
        {"name": "far", "severity": "error", "providerRef": {"name": "all", "namespace": "ops"}},
    ]));
    let names = |urgency| {
        let all = receivers(&canary, urgency, true).into_iter().map(|to| match to {
            Receiver::Own => "own".to_owned(),
            Receiver::Provider { namespace, name } => format!("{namespace}/{name}"),
        });
        all.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(Urgency::Info), "test/all test/empty test/info");
    assert_eq!(names(Urgency::Warn), "test/all test/empty test/info test/warn");
    assert_eq!(names(Urgency::Error), "ops/all test/all test/empty test/error test/info test/warn");
}

#[test]
fn the_operators_own_service_is_for_canaries_that_name_nobody() {
    let nobody = canary(&json!([]));
    assert_eq!(receivers(&nobody, Urgency::Info, true), [Receiver::Own]);
    assert_eq!(receivers(&nobody, Urgency::Error, false), []);
    let somebody = canary(&json!([{"name": "a", "severity": "error", "providerRef": {"name": "a"}}]));
    assert_eq!(receivers(&somebody, Urgency::Info, true), []);
}

#[test]
fn what_cannot_be_posted_to_is_named_without_its_secret() {
    let spec = |type_: &str, proxy: Option<&str>| AlertProviderSpec {
        type_: type_.into(),
        proxy: proxy.map(str::to_owned),
        ..AlertProviderSpec::default()
    };
    for (spec, address, named) in [
        (spec("pager", None), "https://x/s3cret", "spec.type pager"),
        (spec("slack", None), "s3cret", "address"),
        (spec("slack", None), "", "address"),
        (spec("slack", Some("s3cret")), "https://x/", "spec.proxy"),
    ] {
        let why = Destination::of_spec(&spec, address, None).err().unwrap();
        assert!(why.contains(named) && !why.contains("s3cret"), "{why}");
    }
}

#[test]
fn slack_says_no_with_a_friendly_status() {
    assert!(accepted(200, b"ok").is_ok() && accepted(204, b"").is_ok());
    assert!(accepted(200, br#"{"ok":true}"#).is_ok());
    assert!(accepted(200, br#"{"ok":false,"error":"invalid_auth"}"#).is_err());
    assert!(accepted(302, b"").is_err() && accepted(404, b"").is_err() && accepted(500, b"").is_err());
    assert!(is_retryable(503) && is_retryable(429) && !is_retryable(404) && !is_retryable(501));
}

#[tokio::test]
async fn what_a_service_does_not_take_is_dropped_and_counted() {
    // a second provider is refused, harmlessly
    rustls::crypto::ring::default_provider().install_default().ok();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let (written, mut events) = tokio::sync::mpsc::unbounded_channel();
    let api = axum::Router::new().fallback(move |body: String| async move {
        written.send(body.clone()).ok();
        body
    });
    let client = Client::new(api, "test");
    let metrics = Arc::new(Metrics::new("istio"));
    let published = Events::new(client.clone(), metrics.clone(), TaskTracker::new());
    let mut outbound = net::OutboundPolicy::default();
    outbound.name(&url);
    let own = Notifier {
        service: "slack",
        url: crate::config::Private(url),
        token: crate::config::Private::default(),
        proxy: String::new(),
        username: String::new(),
        channel: String::new(),
    };
    let alerts = Alerts::new(Parts {
        cache: Arc::default(),
        client,
        out: Outbound::new(outbound, None, true),
        rules: crate::config::Rules::default(),
        events: published,
        metrics: metrics.clone(),
        own: Some(own),
        cluster: String::new(),
        tasks: TaskTracker::new(),
    });
    let (canary, note) = (canary(&json!([])), Note::warning("Frozen", "x").aloud(Urgency::Warn));
    let of_run = |epoch| CanaryStatus { epoch, ..CanaryStatus::default() };
    let runs = i64::try_from(QUEUE.items).unwrap() + 5;
    for epoch in 0..runs {
        alerts.send(&canary, &of_run(epoch), &note);
        // the same note of the same run is no alert, unless it was dropped
        alerts.send(&canary, &of_run(epoch), &note);
    }
    let dropped = "serin_alerts_total{service=\"\",outcome=\"dropped\"} 10";
    assert!(metrics.exposition().contains(dropped), "{}", metrics.exposition());
    // the answer is not awaited here: so far only the first alert has been posted
    silent.accept().await.unwrap();
    let event = events.recv().await.unwrap();
    assert!(event.contains("AlertNotSent") && event.contains("too many are waiting"), "{event}");
}

#[test]
fn a_service_is_left_alone_as_long_as_it_wants_up_to_a_minute() {
    let now = Timestamp::UNIX_EPOCH;
    for (said, seconds) in [(None, 0), (Some("30"), 30), (Some("3600"), 60), (Some("soon"), 0)] {
        assert_eq!(wanted(said, now), Duration::from_secs(seconds), "{said:?}");
    }
}

#[tokio::test]
async fn f5_an_alert_service_serves_those_whom_its_owner_names() {
    let cache = ObjectCache::default();
    let spec = |allowed: &[&str]| json!({"type": "slack", "address": "https://hooks.test/x", "allowedNamespaces": allowed});
    for (name, spec) in [
        ("all", json!({"type": "slack", "address": "https://hooks.test/x"})),
        ("some", spec(&["team-*"])),
        ("none", spec(&[])),
    ] {
        let metadata = json!({"name": name, "namespace": "monitoring", "resourceVersion": "1"});
        cache.insert(crate::snapshot::ALERT_PROVIDER, json!({"metadata": metadata, "spec": spec}));
    }
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = Client::try_from(kube::Config::new("http://127.0.0.1:1".parse().unwrap())).unwrap();
    for (strict, serves) in [(false, ["all", "some"].as_slice()), (true, &["some"])] {
        let rules = Rules { strict, ..Rules::default() };
        let providers = Providers::new(client.clone(), rules);
        for name in ["all", "some", "none"] {
            let found = providers.find(&cache, ("monitoring", name), "team-a").await;
            assert_eq!(found.is_ok(), serves.contains(&name), "strict {strict}, {name}");
            if let Err(why) = found {
                assert!(
                    why.contains("does not serve namespace team-a") && why.contains("spec.allowedNamespaces"),
                    "{why}"
                );
            }
            let own = providers.find(&cache, ("monitoring", name), "monitoring").await.unwrap();
            assert_eq!((own.namespace.as_str(), own.confidential), ("monitoring", false));
        }
    }
}

#[test]
fn f22_an_address_out_of_a_secret_is_one_itself() {
    let spec = |secret: bool| AlertProviderSpec {
        type_: "slack".into(),
        secret_ref: secret.then(crate::api::SecretRef::default),
        ..AlertProviderSpec::default()
    };
    let of = |secret, token: Option<&str>| {
        Destination::of_spec(&spec(secret), "https://x/", token.map(str::to_owned)).unwrap()
    };
    assert!(
        of(true, None).confidential && of(false, Some("t")).confidential && !of(false, None).confidential
    );
}
