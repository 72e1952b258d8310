//! Compares Flagger's recorded behaviour for some objects (`e2e/recordings/`) with Serin's behaviour for the same
//! objects.
//!
//! Compares the generated objects, the Event texts in their order, the specs of the route and the path of the status.
//! Where Serin differs on purpose, a [`Difference`] adjusts the recording to the expected result.
//! `docs/migrating-from-flagger.md` describes it for users under the same title.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};
use serin::{
    api::Phase,
    manifest::config,
    snapshot::{CONFIG_MAP, ObjectRef, SECRET},
};
use serin_bed::{
    Traffic,
    hooks::{Answer, Receiver},
    story::{PATIENCE, Story},
    wait,
};

use crate::{
    Family, Shared,
    recording::{Recording, Routes, objects, section, without_details},
};

pub(crate) const STORIES: Family = &[
    crate::story!(i_bad),
    crate::story!(i_silent),
    crate::story!(i_configs),
    crate::story!(i_ab),
    crate::story!(i_hooks),
    crate::story!(k_bg),
    crate::story!(g_weight),
    crate::story!(n_weight),
];

const GUIDE: &str = include_str!("../../../docs/migrating-from-flagger.md");
const APP: &str = "podinfo";

/// The change that starts the run.
#[derive(Clone, Copy)]
enum Release {
    /// The image, to `podinfo:2`.
    Image,
    /// The ConfigMap `cm-vol`.
    Config,
}

/// An intended difference of Serin.
struct Difference {
    /// The title in the guide.
    title: &'static str,
    /// The recordings in which it occurs.
    of: &'static [&'static str],
    /// Changes Flagger's result to Serin's expected one.
    bend: fn(&mut Recording),
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        title: "The metrics server is announced once",
        of: &["i-bad", "i-silent", "i-configs", "i-ab", "i-hooks", "k-bg", "g-weight", "n-weight"],
        bend: |recording| {
            let mut seen = false;
            let announced = |note: &String| note == "N all the metrics providers are available!";
            recording.events.retain(|note| !announced(note) || !std::mem::replace(&mut seen, true));
        },
    },
    Difference {
        title: "A failed Canary keeps its count of failed checks",
        of: &["i-bad", "i-silent"],
        bend: |recording| {
            for point in recording.status.iter_mut().filter(|point| point.0 == "Failed") {
                point.2 = 3;
            }
        },
    },
    Difference {
        title: "The end of a run is reported before its post-rollout webhooks are called",
        of: &["i-hooks"],
        bend: |recording| {
            let posted = recording.events.iter().position(|note| note.contains("Post-rollout check"));
            if let Some(posted) = posted {
                let note = recording.events.remove(posted);
                recording.events.push(note);
            }
        },
    },
    Difference {
        title: "At a promotion gate the status shows the weight that the route has",
        of: &["i-hooks"],
        bend: |recording| {
            for point in recording.status.iter_mut().filter(|point| point.3 == -1) {
                (point.1, point.3) = (50, 0);
            }
        },
    },
    Difference {
        title: "A rule with one destination gives it everything",
        of: &["i-ab"],
        bend: |recording| {
            for spec in &mut recording.route {
                for rule in spec["http"].as_array_mut().into_iter().flatten() {
                    if let [only] = rule["route"].as_array_mut().map_or(&mut [][..], Vec::as_mut_slice) {
                        only["weight"] = json!(100);
                    }
                }
            }
        },
    },
    Difference {
        title: "Where users are not switched, a run ends with its last iteration",
        of: &["k-bg"],
        bend: |recording| {
            recording.status.retain(|point| !(point.0 == "Progressing" && point.3 == 4));
            for point in recording.status.iter_mut().filter(|point| point.0 == "Promoting") {
                point.3 = 3;
            }
        },
    },
    Difference {
        title: "Copies of ConfigMaps and Secrets are named by their content",
        of: &["i-configs"],
        bend: |recording| {
            let mut primary = recording.objects.get("deployments/podinfo-primary").map(Value::to_string);
            let objects = std::mem::take(&mut recording.objects);
            for (key, mut object) in objects {
                let config = key.starts_with("configmaps/") || key.starts_with("secrets/");
                if let Some(source) = key.strip_suffix("-primary").filter(|_| config) {
                    let kind = if key.starts_with("secrets/") { SECRET } else { CONFIG_MAP };
                    let name = source.split('/').next_back().unwrap_or_default();
                    let sum = config::digest(&object).checksum.unwrap_or_default();
                    let copy = config::copy_name(APP, &ObjectRef::new(kind, name), &sum);
                    primary =
                        primary.map(|p| p.replace(&format!("\"{name}-primary\""), &format!("\"{copy}\"")));
                    object["metadata"]["name"] = json!(copy);
                    recording.objects.insert(format!("{}/{copy}", kind.plural), object);
                } else {
                    recording.objects.insert(key, object);
                }
            }
            if let Some(primary) = primary.and_then(|text| serde_json::from_str(&text).ok()) {
                recording.objects.insert("deployments/podinfo-primary".into(), primary);
            }
        },
    },
];

/// Applies the recording's input and change, and records Serin's behaviour.
async fn record(
    story: &Story<'_>,
    text: &str,
    traffic: Option<Traffic>,
    release: Release,
    end: Phase,
    expected: &Recording,
) -> anyhow::Result<Recording> {
    let (path, routes) = (story.follow(APP), Routes::follow(story, text)?);
    let mut input: Vec<Value> = serde_saphyr::from_multiple(section(text, "input")?)?;
    for canary in input.iter_mut().filter(|object| object["kind"] == "Canary") {
        canary["spec"]["analysis"]["interval"] = json!("1s");
    }
    if let Some(traffic) = traffic {
        story.bed.scripted().traffic(&story.namespace, APP, traffic);
    }
    // before the Canary: without any series an Event says that the built-in checks find nothing
    if traffic.is_some() {
        let query = format!(
            "rate(istio_requests_total{{destination_workload_namespace={:?}}}[30s]) > 0",
            story.namespace
        );
        let measured = async || story.bed.query(&query).await.ok().filter(|found| !found.is_empty());
        wait::until("the scripted series", PATIENCE, measured).await?;
    }
    // the Canary is last, so that it is followed by then
    let (canary, others) = input.into_iter().partition(|object| object["kind"] == "Canary");
    story.apply(others).await?;
    story.apply(canary).await?;
    story.phase(APP, Phase::Initialized).await?;
    match release {
        Release::Image => story.set_image_of(APP, "podinfod", "podinfo:2").await?,
        Release::Config => {
            let api: Api<ConfigMap> = story.api();
            let changed = Patch::Merge(json!({"data": {"f": "2"}}));
            api.patch("cm-vol", &PatchParams::default(), &changed).await?;
        }
    }
    story.phase(APP, end).await?;
    if let Some(last) = expected.events.last() {
        story.event(APP, last.trim_start_matches(['N', 'W', ' '])).await?;
    }
    Ok(Recording {
        events: without_details(story.events(APP).await?),
        status: path.until("the last phase", |p| p.0 == end.to_string()).await?,
        route: routes.taken(expected.route.len()).await,
        objects: objects(story).await?,
    })
}

/// Compares Serin with a recording of Flagger.
async fn compared(
    shared: &Shared,
    name: &str,
    text: &str,
    traffic: Option<Traffic>,
    release: Release,
    end: Phase,
) -> anyhow::Result<()> {
    let mut expected = Recording::parse(text)?;
    expected.events = without_details(expected.events);
    for difference in DIFFERENCES.iter().filter(|d| d.of.contains(&name)) {
        let before = expected.clone();
        (difference.bend)(&mut expected);
        ensure!(before != expected, "{} shows no difference of the kind {:?}", name, difference.title);
        ensure!(GUIDE.contains(difference.title), "the guide does not tell of {:?}", difference.title);
    }
    let story = Story::new(&shared.bed, name).await?;
    let mut seen = record(&story, text, traffic, release, end, &expected).await?;
    if name == "i-hooks" {
        // messages from several steps are counted in one Event here
        expected.events = once(expected.events);
        seen.events = once(seen.events);
    }
    ensure!(seen.events == expected.events, "Events\n{:#?}\ninstead of\n{:#?}", seen.events, expected.events);
    ensure!(seen.status == expected.status, "status\n{:#?}\ninstead of\n{:#?}", seen.status, expected.status);
    ensure!(seen.route == expected.route, "routes\n{:#?}\ninstead of\n{:#?}", seen.route, expected.route);
    let names = |objects: &BTreeMap<String, Value>| objects.keys().cloned().collect::<Vec<_>>();
    ensure!(
        names(&seen.objects) == names(&expected.objects),
        "objects\n{:#?}\ninstead of\n{:#?}",
        names(&seen.objects),
        names(&expected.objects)
    );
    for (name, object) in &seen.objects {
        let wanted = &expected.objects[name];
        ensure!(object == wanted, "{name}\n{object:#}\ninstead of\n{wanted:#}");
    }
    Ok(())
}

fn once<T: PartialEq>(all: Vec<T>) -> Vec<T> {
    let mut kept = Vec::new();
    for one in all {
        if !kept.contains(&one) {
            kept.push(one);
        }
    }
    kept
}

/// Path and body of each call.
type Sent = Vec<(String, Value)>;

/// The requests to webhooks: those that ask and those that notify, each once and in order, without the parts that
/// differ each time.
fn payloads(sent: impl Iterator<Item = (String, Value)>) -> (Sent, Sent) {
    let plain = sent.filter_map(|(path, mut body)| {
        let taken = |body: &mut Value, field: &str| body.as_object_mut().and_then(|o| o.remove(field));
        // both have one, with ten characters and with a number of milliseconds
        let checksum = taken(&mut body, "checksum")?;
        body["checksum of"] = json!(checksum.as_str()?.len());
        if let Some(time) = body.get_mut("metadata").and_then(|metadata| taken(metadata, "timestamp")) {
            body["timestamp of"] = json!(time.as_str()?.parse::<i64>().ok()? > 1_700_000_000_000);
        }
        let detail =
            body["metadata"]["eventMessage"].as_str().is_some_and(|text| text.contains(" not ready"));
        (!detail).then_some((path, body))
    });
    let (told, asked): (Sent, Sent) = plain.partition(|(path, _)| path.ends_with("/ev"));
    (once(asked), once(told))
}

async fn i_hooks(shared: &Shared) -> anyhow::Result<()> {
    let recorded = include_str!("../../recordings/i-hooks.txt");
    let receiver = Receiver::start().await?;
    receiver.behave("/i-hooks/gate-promote", Answer::Opens(5));
    let text = recorded.replace("http://hooks.example", &receiver.url(""));
    let traffic = Some(Traffic::success(100.0, 100.0));
    compared(shared, "i-hooks", &text, traffic, Release::Image, Phase::Succeeded).await?;
    let mut expected = Vec::new();
    for line in section(recorded, "hooks")?.lines() {
        let (path, body) = line.split_once(' ').context("a call without a body")?;
        expected.push((path.to_owned(), serde_json::from_str(body)?));
    }
    let mut expected = payloads(expected.into_iter());
    // the end is reported before the webhooks are called
    let last = expected.1.len().saturating_sub(1);
    expected.1.swap(last, last.saturating_sub(1));
    let seen = || payloads(receiver.all().into_iter().map(|posted| (posted.path, posted.body)));
    let all = async || (seen().1.len() >= expected.1.len()).then_some(());
    wait::until("all events to be told", PATIENCE, all).await.ok();
    let (asked, told) = seen();
    ensure!(asked == expected.0, "asked\n{asked:#?}\ninstead of\n{:#?}", expected.0);
    ensure!(told == expected.1, "told\n{told:#?}\ninstead of\n{:#?}", expected.1);
    Ok(())
}

async fn i_bad(shared: &Shared) -> anyhow::Result<()> {
    let text = include_str!("../../recordings/i-bad.txt");
    let traffic = Some(Traffic::success(90.5, 100.0));
    compared(shared, "i-bad", text, traffic, Release::Image, Phase::Failed).await
}

async fn i_silent(shared: &Shared) -> anyhow::Result<()> {
    let text = include_str!("../../recordings/i-silent.txt");
    compared(shared, "i-silent", text, None, Release::Image, Phase::Failed).await
}

async fn i_ab(shared: &Shared) -> anyhow::Result<()> {
    let text = include_str!("../../recordings/i-ab.txt");
    let traffic = Some(Traffic::success(100.0, 100.0));
    compared(shared, "i-ab", text, traffic, Release::Image, Phase::Succeeded).await
}

async fn i_configs(shared: &Shared) -> anyhow::Result<()> {
    let text = include_str!("../../recordings/i-configs.txt");
    let traffic = Some(Traffic::success(100.0, 100.0));
    compared(shared, "i-configs", text, traffic, Release::Config, Phase::Succeeded).await
}

async fn k_bg(shared: &Shared) -> anyhow::Result<()> {
    let text = include_str!("../../recordings/k-bg.txt");
    let traffic = Some(Traffic::success(100.0, 100.0));
    compared(shared, "k-bg", text, traffic, Release::Image, Phase::Succeeded).await
}

/// The Gateway that the route refers to, served by istiod.
async fn g_weight(shared: &Shared) -> anyhow::Result<()> {
    let gateway = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "gw"},
        "spec": {"gatewayClassName": "istio", "listeners": [{
            "name": "http", "port": 8888, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}},
        }]},
    });
    shared.bed.namespace("infra").await?;
    shared.bed.apply("infra", vec![gateway]).await?;
    let text = include_str!("../../recordings/g-weight.txt");
    let traffic = Some(Traffic::success(100.0, 100.0));
    compared(shared, "g-weight", text, traffic, Release::Image, Phase::Succeeded).await
}

async fn n_weight(shared: &Shared) -> anyhow::Result<()> {
    // the observer reads no weight from annotations
    shared.observer.except("n-weight", &["S4"]);
    let text = include_str!("../../recordings/n-weight.txt");
    let traffic = Some(Traffic::success(100.0, 100.0));
    compared(shared, "n-weight", text, traffic, Release::Image, Phase::Succeeded).await
}
