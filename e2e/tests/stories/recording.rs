//! The compared parts of a recording, from its file or from the bed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context;
use futures::StreamExt;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, ListParams},
    core::GroupVersionKind,
    runtime::{WatchStreamExt, watcher},
};
use serde_json::{Map, Value, json};
use serin_bed::{
    story::{PATIENCE, Point, Story},
    wait,
};

/// The prefix of Events whose writer sends too many.
const COMBINED: &str = "(combined from similar events): ";

/// Kinds of compared objects.
const PLURALS: [&str; 8] = [
    "deployments",
    "services",
    "configmaps",
    "secrets",
    "virtualservices",
    "destinationrules",
    "httproutes",
    "ingresses",
];

/// One recording of Flagger, or the same from Serin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recording {
    /// `N` or `W` and the text.
    pub(crate) events: Vec<String>,
    pub(crate) status: Vec<Point>,
    /// Specs of the routing object, each with the annotations that affect routing.
    pub(crate) route: Vec<Value>,
    /// By `plural/name`.
    pub(crate) objects: BTreeMap<String, Value>,
}

/// The lines of a section.
pub(crate) fn section<'t>(text: &'t str, name: &str) -> anyhow::Result<&'t str> {
    let (_, rest) = text.split_once(&format!("\n# {name}")).with_context(|| format!("no section {name}"))?;
    // an empty section ends with its title
    let body = rest.split("\n# ").next().unwrap_or_default();
    Ok(body.split_once('\n').map_or("", |(_, lines)| lines))
}

impl Recording {
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let lines = |name| anyhow::Ok(section(text, name)?.lines().filter(|line| !line.is_empty()));
        let at = route_of(text)?;
        let mut route = Vec::new();
        for line in lines("route")? {
            let (key, specs) = line.split_once(": ").context("a route without a spec")?;
            if at.as_deref() != Some(key) {
                continue;
            }
            let mut parts = serde_json::Deserializer::from_str(specs).into_iter::<Value>();
            let spec = parts.next().context("a route without a spec")??;
            route.push(routed(spec, &parts.next().transpose()?.unwrap_or_default()));
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

/// `plural/name` of the generated routing object: the last one mentioned.
fn route_of(text: &str) -> anyhow::Result<Option<String>> {
    let last = section(text, "route")?.lines().rfind(|line| !line.is_empty());
    Ok(last.and_then(|line| line.split_once(": ")).map(|(key, _)| key.to_owned()))
}

/// A spec, with the annotations that affect routing with ingress-nginx.
fn routed(mut spec: Value, annotations: &Value) -> Value {
    let mut routing = annotations.as_object().cloned().unwrap_or_default();
    routing.retain(|key, _| key.contains("/canary"));
    if !routing.is_empty() {
        spec["annotations"] = Value::Object(routing);
    }
    spec
}

/// `('Progressing', 25, 0, 0)`.
fn point(line: &str) -> anyhow::Result<Point> {
    let inner = line.trim_matches(['(', ')']).replace("None", "0").replace('\'', "");
    let fields: Vec<&str> = inner.split(", ").collect();
    let [phase, weight, failed, iterations] = fields[..] else { anyhow::bail!("not a status: {line}") };
    let phase = if phase == "0" { "" } else { phase };
    Ok((phase.to_owned(), weight.parse()?, failed.parse()?, iterations.parse()?))
}

/// An object without defaults from the API server, markers of operators, and empty fields.
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

/// Details of readiness depend on timing: keeps only one Event about the wait for the primary.
pub(crate) fn without_details(events: Vec<String>) -> Vec<String> {
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
        "httproutes" => ("gateway.networking.k8s.io", "v1", "HTTPRoute"),
        "ingresses" => ("networking.k8s.io", "v1", "Ingress"),
        other => anyhow::bail!("unknown kind {other}"),
    };
    Ok(ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural))
}

/// All objects of the recorded kinds in the namespace, except those that the cluster creates.
pub(crate) async fn objects(story: &Story<'_>) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut all = BTreeMap::new();
    for plural in PLURALS {
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

/// The specs of the routing object from now on, without repetitions.
pub(crate) struct Routes {
    seen: Arc<Mutex<Vec<Value>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Routes {
    pub(crate) fn follow(story: &Story<'_>, text: &str) -> anyhow::Result<Self> {
        let at = route_of(text)?.unwrap_or_else(|| "virtualservices/none".into());
        let (plural, name) = at.split_once('/').context("a route without a name")?;
        let api: Api<DynamicObject> =
            Api::namespaced_with(story.client.clone(), &story.namespace, &resource(plural)?);
        let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = seen.clone();
        let task = tokio::spawn(async move {
            let states = watcher(api, config).default_backoff().applied_objects();
            let mut states = std::pin::pin!(states);
            while let Some(state) = states.next().await {
                let Ok(route) = state else { continue };
                let mut seen = sink.lock().unwrap_or_else(PoisonError::into_inner);
                let spec = routed(route.data["spec"].clone(), &json!(route.metadata.annotations));
                if seen.last() != Some(&spec) {
                    seen.push(spec);
                }
            }
        });
        Ok(Self { seen, task })
    }

    /// Waits until the route has had `count` specs. Returns them.
    pub(crate) async fn taken(&self, count: usize) -> Vec<Value> {
        let now = || self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let enough = async || (now().len() >= count).then_some(());
        // the comparison reports missing ones
        wait::until("the route to change", PATIENCE, enough).await.ok();
        now()
    }
}

impl Drop for Routes {
    fn drop(&mut self) {
        self.task.abort();
    }
}
