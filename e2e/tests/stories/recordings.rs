//! What Flagger was seen to do with some objects (`e2e/recordings/`), against what Serin does with the same.
//!
//! Compared are the generated objects, the Event texts in their order, the specs that the route went through and the
//! path of status. Where Serin is meant to differ, a [`Difference`] bends the recording to what is expected, and
//! `docs/migrating-from-flagger.md` tells users of it under the same title.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, ensure};
use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams},
    core::GroupVersionKind,
    runtime::{WatchStreamExt, watcher},
};
use serde_json::{Map, Value, json};
use serin::{
    api::Phase,
    manifest::config,
    snapshot::{CONFIG_MAP, ObjectRef, SECRET},
};
use serin_e2e::{
    bed::Traffic,
    story::{PATIENCE, Point, Story},
    wait,
};

use crate::{Family, Shared};

pub(crate) const STORIES: Family = &[
    crate::story!(i_bad),
    crate::story!(i_silent),
    crate::story!(i_configs),
    crate::story!(i_ab),
    crate::story!(k_bg),
];

const GUIDE: &str = include_str!("../../../docs/migrating-from-flagger.md");
const APP: &str = "podinfo";
/// What Events bear when their writer sends too many.
const COMBINED: &str = "(combined from similar events): ";

/// What was changed for the run.
#[derive(Clone, Copy)]
enum Release {
    /// The image, to `podinfo:2`.
    Image,
    /// The ConfigMap `cm-vol`.
    Config,
}

/// A way in which Serin is meant to differ.
struct Difference {
    /// As in the guide.
    title: &'static str,
    /// The recordings it shows in.
    of: &'static [&'static str],
    /// From what Flagger did to what Serin is to do.
    bend: fn(&mut Recording),
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        title: "The metrics server is announced once",
        of: &["i-bad", "i-silent", "i-configs", "i-ab", "k-bg"],
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
        title: "Where nobody is switched, a run ends with its last iteration",
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

/// One recording, or the same of Serin.
#[derive(Clone, Debug, PartialEq)]
struct Recording {
    /// `N` or `W` and the text.
    events: Vec<String>,
    status: Vec<Point>,
    /// Specs of the routing object.
    route: Vec<Value>,
    /// By `plural/name`.
    objects: BTreeMap<String, Value>,
}

/// The lines of a section.
fn section<'t>(text: &'t str, name: &str) -> anyhow::Result<&'t str> {
    let (_, rest) = text.split_once(&format!("\n# {name}")).with_context(|| format!("no section {name}"))?;
    // an empty section ends where its title does
    let body = rest.split("\n# ").next().unwrap_or_default();
    Ok(body.split_once('\n').map_or("", |(_, lines)| lines))
}

impl Recording {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let lines = |name| anyhow::Ok(section(text, name)?.lines().filter(|line| !line.is_empty()));
        let mut route = Vec::new();
        for line in lines("route")? {
            let (_, specs) = line.split_once(": ").context("a route without a spec")?;
            let spec = serde_json::Deserializer::from_str(specs)
                .into_iter()
                .next()
                .context("a route without a spec")?;
            route.push(spec?);
        }
        let mut objects = BTreeMap::new();
        for object in section(text, "objects at the end")?.split("\n  }").filter(|o| !o.trim().is_empty()) {
            let (name, body) = object.trim_start().split_once('\n').context("an object without a body")?;
            objects.insert(name.to_owned(), plain(&serde_json::from_str(&format!("{body}}}"))?));
        }
        Ok(Self {
            events: lines("events")?.map(|note| note.replace(COMBINED, "")).collect(),
            status: lines("status")?.map(point).collect::<anyhow::Result<_>>()?,
            route,
            objects,
        })
    }
}

/// `('Progressing', 25, 0, 0)`.
fn point(line: &str) -> anyhow::Result<Point> {
    let inner = line.trim_matches(['(', ')']).replace("None", "0").replace('\'', "");
    let fields: Vec<&str> = inner.split(", ").collect();
    let [phase, weight, failed, iterations] = fields[..] else { anyhow::bail!("not a status: {line}") };
    let phase = if phase == "0" { "" } else { phase };
    Ok((phase.to_owned(), weight.parse()?, failed.parse()?, iterations.parse()?))
}

/// An object without what the API server fills in, without marks of operators, and without what is empty.
fn plain(object: &Value) -> Value {
    const FILLED: [&str; 6] = [
        "clusterIP",
        "clusterIPs",
        "internalTrafficPolicy",
        "ipFamilies",
        "ipFamilyPolicy",
        "sessionAffinity",
    ];
    let marks = |key: &str| {
        ["serin.dev/", "deployment.kubernetes.io/", "kubectl.kubernetes.io/"]
            .iter()
            .any(|p| key.starts_with(p))
            || key.contains("toolkit.fluxcd.io")
            || key == "flagger-id"
    };
    let kept = |metadata: &Value| {
        let mut out = Map::new();
        for field in ["labels", "annotations"] {
            let mut map = metadata[field].as_object().cloned().unwrap_or_default();
            map.retain(|key, _| !marks(key));
            if !map.is_empty() {
                out.insert(field.into(), Value::Object(map));
            }
        }
        out
    };
    let mut metadata = kept(&object["metadata"]);
    for field in ["name", "namespace"] {
        metadata.insert(field.into(), object["metadata"][field].clone());
    }
    let mut out = Map::from_iter([("metadata".to_owned(), Value::Object(metadata))]);
    for field in ["apiVersion", "kind", "data", "type", "spec"] {
        if let Some(value) = object.get(field) {
            out.insert(field.into(), value.clone());
        }
    }
    if let Some(spec) = out.get_mut("spec").and_then(Value::as_object_mut) {
        if object["kind"] == "Service" {
            spec.retain(|field, _| !FILLED.contains(&field.as_str()));
            // Flagger writes ports in any order
            if let Some(ports) = spec.get_mut("ports").and_then(Value::as_array_mut) {
                ports.sort_by_key(|port| port["port"].as_i64());
            }
        }
        if let Some(template) = spec.get_mut("template") {
            template["metadata"] = Value::Object(kept(&template["metadata"]));
            for container in template["spec"]["containers"].as_array_mut().into_iter().flatten() {
                if let Some(container) = container.as_object_mut() {
                    container.retain(|field, _| !field.starts_with("terminationMessage"));
                }
            }
        }
    }
    Value::Object(out)
}

/// Readiness in detail is a matter of moments: that the primary was waited for is said once, the rest not at all.
fn without_details(events: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for note in events {
        let note =
            note.split_once(" not ready: ").map_or(note.clone(), |(who, _)| format!("{who} not ready"));
        let repeated = note.ends_with(" not ready") && kept.contains(&note);
        if !repeated && !note.starts_with("W canary deployment ") {
            kept.push(note);
        }
    }
    kept
}

fn resource(plural: &str) -> anyhow::Result<ApiResource> {
    let (group, version, kind) = match plural {
        "deployments" => ("apps", "v1", "Deployment"),
        "services" => ("", "v1", "Service"),
        "configmaps" => ("", "v1", "ConfigMap"),
        "secrets" => ("", "v1", "Secret"),
        "virtualservices" => ("networking.istio.io", "v1", "VirtualService"),
        "destinationrules" => ("networking.istio.io", "v1", "DestinationRule"),
        other => anyhow::bail!("unknown kind {other}"),
    };
    Ok(ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural))
}

/// All objects of the recorded kinds in the namespace, but for those that the cluster makes.
async fn objects(story: &Story<'_>) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut all = BTreeMap::new();
    for plural in ["deployments", "services", "configmaps", "secrets", "virtualservices", "destinationrules"]
    {
        let resource = resource(plural)?;
        let api: Api<DynamicObject> = Api::namespaced_with(story.client.clone(), &story.namespace, &resource);
        for object in api.list(&ListParams::default()).await? {
            let mut object = serde_json::to_value(object)?;
            object["apiVersion"] = json!(resource.api_version);
            object["kind"] = json!(resource.kind);
            let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            if name != "kube-root-ca.crt" {
                all.insert(format!("{plural}/{name}"), plain(&object));
            }
        }
    }
    Ok(all)
}

/// The specs of the VirtualService from now on, without repeats.
struct Routes {
    seen: Arc<Mutex<Vec<Value>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Routes {
    fn follow(story: &Story<'_>) -> Self {
        let api = story.virtual_services();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = seen.clone();
        let task = tokio::spawn(async move {
            let states = watcher(api, watcher::Config::default()).default_backoff().applied_objects();
            let mut states = std::pin::pin!(states);
            while let Some(state) = states.next().await {
                let Ok(route) = state else { continue };
                let mut seen = sink.lock().unwrap_or_else(PoisonError::into_inner);
                if seen.last() != Some(&route.data["spec"]) {
                    seen.push(route.data["spec"].clone());
                }
            }
        });
        Self { seen, task }
    }

    /// Waits until the route has gone through `count` specs; returns them.
    async fn taken(&self, count: usize) -> Vec<Value> {
        let now = || self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let enough = async || (now().len() >= count).then_some(());
        // fewer are told apart by the comparison
        wait::until("the route to change", PATIENCE, enough).await.ok();
        now()
    }
}

impl Drop for Routes {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Does with the recording's input what was done then, and records what Serin does.
async fn record(
    story: &Story<'_>,
    text: &str,
    traffic: Option<Traffic>,
    release: Release,
    end: Phase,
    expected: &Recording,
) -> anyhow::Result<Recording> {
    let (path, routes) = (story.follow(APP), Routes::follow(story));
    let mut input: Vec<Value> = serde_saphyr::from_multiple(section(text, "input")?)?;
    for canary in input.iter_mut().filter(|object| object["kind"] == "Canary") {
        canary["spec"]["analysis"]["interval"] = json!("1s");
    }
    if let Some(traffic) = traffic {
        story.bed.scripted().traffic(&story.namespace, APP, traffic);
    }
    // the Canary last: by then it is followed
    let (canary, others) = input.into_iter().partition(|object| object["kind"] == "Canary");
    story.apply(others).await?;
    story.apply(canary).await?;
    story.phase(APP, Phase::Initialized).await?;
    if traffic.is_some() {
        let query = format!(
            "rate(istio_requests_total{{destination_workload_namespace={:?}}}[30s]) > 0",
            story.namespace
        );
        let measured = async || story.bed.query(&query).await.ok().filter(|found| !found.is_empty());
        wait::until("the scripted series", PATIENCE, measured).await?;
    }
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
    let seen = record(&story, text, traffic, release, end, &expected).await?;
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
