//! The context of a story: its own namespace on the shared bed, the usual objects, and helpers for actions and checks.
//!
//! Contains no assertions except for waits: stories assert on the state of the cluster and the results of the client.

use std::{cell::RefCell, time::Duration};

use anyhow::Context;
use futures::StreamExt;
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Service, events::v1::Event};
use kube::{
    Api, Client,
    api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams},
    core::GroupVersionKind,
    runtime::{WatchStreamExt, watcher},
};
use serde_json::{Value, json};
use serin::api::{Canary, Phase};

use crate::{Bed, load::Target, wait};

/// Maximum wait for one event in a story. It is long, because stories do not test timing.
pub const PATIENCE: Duration = Duration::from_secs(90);

tokio::task_local! {
    static NAMESPACES: RefCell<Vec<String>>;
}

/// Runs a story. Returns its result, and the namespaces that it created.
pub async fn noting_namespaces<T>(story: impl Future<Output = T>) -> (T, Vec<String>) {
    NAMESPACES.scope(RefCell::default(), async { (story.await, NAMESPACES.with(RefCell::take)) }).await
}

/// A story's access to the bed.
pub struct Story<'a> {
    /// The shared bed.
    pub bed: &'a Bed,
    /// Its own namespace.
    pub namespace: String,
    /// A client with all rights.
    pub client: Client,
}

/// The Deployment of most stories: `podinfo`, two pods with image `podinfo:1`.
pub fn deployment(name: &str, image: &str, replicas: i32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 5, "containers": [
                    {"name": "app", "image": image, "ports": [{"name": "http", "containerPort": 8080}]}
                ]},
            },
        },
    })
}

/// A weighted Canary for it: 25 percent more every second, up to 50, two checks of the last 5 s, a limit of three
/// failed checks, and also reachable through the bed's gateway. For scripted metrics, which exist before the release.
/// See [`by_traffic`].
pub fn canary(name: &str) -> Value {
    json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
        "metadata": {"name": name},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "progressDeadlineSeconds": 60,
            "settleTime": "1s",
            "service": {
                "port": 80, "targetPort": 8080,
                "gateways": ["gateway", "mesh"], "retries": {"attempts": 0},
            },
            "analysis": {
                "interval": "1s", "threshold": 3, "maxWeight": 50, "stepWeight": 25,
                "metrics": [
                    {"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "5s"},
                    {"name": "request-duration", "thresholdRange": {"max": 500}, "interval": "5s"},
                ],
            },
        },
    })
}

/// For Canaries that are judged by their own traffic: their series start with the release, so a window lasts as long as
/// the range of the queries. Envoy and Prometheus need a second each, and a rate needs two scrapes.
pub fn by_traffic(canary: &mut Value) {
    canary["spec"]["analysis"]["interval"] = json!("5s");
}

/// Two ConfigMaps and two Secrets: `<app>-env`, `-files`, `-token`, `-tls`.
pub fn configs(app: &str) -> Vec<Value> {
    let object = |kind: &str, name: &str, rest: Value| {
        let mut object =
            json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": format!("{app}-{name}")}});
        for (field, value) in rest.as_object().into_iter().flatten() {
            object[field] = value.clone();
        }
        object
    };
    vec![
        object("ConfigMap", "env", json!({"data": {"LEVEL": "1"}})),
        object("ConfigMap", "files", json!({"data": {"file": "1"}, "binaryData": {"b": "AA=="}})),
        object("Secret", "token", json!({"stringData": {"TOKEN": "1"}})),
        object(
            "Secret",
            "tls",
            json!({"type": "kubernetes.io/tls", "stringData": {"tls.crt": "1", "tls.key": "1"}}),
        ),
    ]
}

/// Makes the pods of a Deployment use the [`configs`] of `app`. The last one is optional.
pub fn configured(deployment: &mut Value, app: &str) {
    let pod = &mut deployment["spec"]["template"]["spec"];
    pod["containers"][0]["envFrom"] = json!([{"configMapRef": {"name": format!("{app}-env")}}]);
    let key = json!({"name": format!("{app}-token"), "key": "TOKEN"});
    pod["containers"][0]["env"] = json!([{"name": "TOKEN", "valueFrom": {"secretKeyRef": key}}]);
    pod["volumes"] = json!([
        {"name": "files", "configMap": {"name": format!("{app}-files")}},
        {"name": "tls", "projected": {"sources": [
            {"secret": {"name": format!("{app}-tls"), "optional": true}},
        ]}},
    ]);
}

impl<'a> Story<'a> {
    /// Creates a story in a new namespace.
    ///
    /// # Errors
    /// The namespace cannot be created.
    pub async fn new(bed: &'a Bed, namespace: &str) -> anyhow::Result<Self> {
        // a story outside `noting_namespaces` is not observed
        NAMESPACES.try_with(|all| all.borrow_mut().push(namespace.to_owned())).ok();
        bed.namespace(namespace).await?;
        Ok(Self { bed, namespace: namespace.to_owned(), client: bed.admin() })
    }

    /// The Host header with which the gateway routes to this story's apex.
    pub fn host(&self, app: &str) -> String {
        format!("{app}.{}.example.com", self.namespace)
    }

    /// `GET /` through the gateway.
    pub fn target(&self, app: &str) -> Target {
        Target::gateway(&self.host(app))
    }

    /// Applies objects in the story's namespace like a user.
    pub async fn apply(&self, objects: Vec<Value>) -> anyhow::Result<()> {
        self.bed.apply(&self.namespace, objects).await
    }

    /// The usual Deployment and Canary with a gateway, initialised. `edit` can change the Canary first.
    pub async fn initialised(&self, app: &str, edit: impl FnOnce(&mut Value)) -> anyhow::Result<()> {
        self.initialised_as(deployment(app, &format!("{app}:1"), 2), app, edit).await
    }

    /// The same with a Deployment that uses ConfigMaps and Secrets.
    pub async fn configured(&self, app: &str, edit: impl FnOnce(&mut Value)) -> anyhow::Result<()> {
        let mut target = deployment(app, &format!("{app}:1"), 2);
        configured(&mut target, app);
        self.apply(configs(app)).await?;
        self.initialised_as(target, app, edit).await
    }

    async fn initialised_as(
        &self,
        target: Value,
        app: &str,
        edit: impl FnOnce(&mut Value),
    ) -> anyhow::Result<()> {
        self.bed.gateway(&self.namespace, &[&self.host(app)]).await?;
        let mut canary = canary(app);
        canary["spec"]["service"]["hosts"] = json!([self.host(app)]);
        edit(&mut canary);
        self.apply(vec![target, canary]).await?;
        self.phase(app, Phase::Initialized).await.map(drop)
    }

    /// Changes the image, like a release.
    pub async fn set_image(&self, app: &str, image: &str) -> anyhow::Result<()> {
        self.set_image_of(app, "app", image).await
    }

    /// Changes the image of the container with this name.
    pub async fn set_image_of(&self, app: &str, container: &str, image: &str) -> anyhow::Result<()> {
        let patch =
            json!({"spec": {"template": {"spec": {"containers": [{"name": container, "image": image}]}}}});
        let api: Api<Deployment> = self.api();
        api.patch(app, &PatchParams::default(), &Patch::Strategic(patch)).await.context("set the image")?;
        Ok(())
    }

    /// Merges a patch into the Canary.
    pub async fn edit_canary(&self, name: &str, patch: Value) -> anyhow::Result<()> {
        let api: Api<Canary> = self.api();
        api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.context("edit the Canary")?;
        Ok(())
    }

    /// Deletes the Canary and waits until it is gone.
    pub async fn delete_canary(&self, name: &str) -> anyhow::Result<()> {
        let api: Api<Canary> = self.api();
        api.delete(name, &DeleteParams::default()).await.context("delete the Canary")?;
        wait::gone(api, name, PATIENCE).await
    }

    /// Waits for a phase. Returns the Canary in that phase.
    pub async fn phase(&self, name: &str, phase: Phase) -> anyhow::Result<Canary> {
        self.canary_that(name, |c| c.status.as_ref().and_then(|s| s.phase) == Some(phase))
            .await
            .with_context(|| format!("waiting for phase {phase}"))
    }

    /// Waits until `accept` accepts the Canary.
    pub async fn canary_that(&self, name: &str, accept: impl Fn(&Canary) -> bool) -> anyhow::Result<Canary> {
        wait::object(self.api(), name, PATIENCE, accept).await
    }

    /// Waits until a condition has this status and its message contains `text`.
    pub async fn condition(
        &self,
        name: &str,
        type_: &str,
        status: &str,
        text: &str,
    ) -> anyhow::Result<Canary> {
        let wanted = |c: &Canary| {
            let all = c.status.iter().flat_map(|s| &s.conditions);
            all.into_iter().any(|k| k.type_ == type_ && k.status == status && k.message.contains(text))
        };
        self.canary_that(name, wanted)
            .await
            .with_context(|| format!("waiting for {type_}={status} with {text:?}"))
    }

    /// Notes of Events about a Canary, in the order of their first occurrence, each repeated by its count.
    pub async fn events(&self, canary: &str) -> anyhow::Result<Vec<String>> {
        let api: Api<Event> = self.api();
        let mut all = api.list(&ListParams::default()).await.context("list Events")?.items;
        all.retain(|e| {
            let about = e.regarding.as_ref();
            about.is_some_and(|r| r.kind.as_deref() == Some("Canary") && r.name.as_deref() == Some(canary))
        });
        all.sort_by_key(|e| e.event_time.as_ref().map(|t| t.0));
        let times = |e: &Event| e.series.as_ref().map_or(1, |s| s.count) as usize;
        Ok(all
            .iter()
            .flat_map(|e| {
                let letter = if e.type_.as_deref() == Some("Warning") { "W" } else { "N" };
                std::iter::repeat_n(format!("{letter} {}", e.note.clone().unwrap_or_default()), times(e))
            })
            .collect())
    }

    /// Waits for an Event with a note that contains `text`.
    pub async fn event(&self, canary: &str, text: &str) -> anyhow::Result<()> {
        let seen =
            async || self.events(canary).await.ok()?.iter().any(|note| note.contains(text)).then_some(());
        wait::until(&format!("an Event with {text:?}"), PATIENCE, seen).await
    }

    /// The weight of the canary in the VirtualService, if there is one.
    pub async fn weight(&self, apex: &str) -> anyhow::Result<Option<i64>> {
        let Some(route) = self.virtual_services().get_opt(apex).await? else { return Ok(None) };
        let routes = route.data["spec"]["http"][0]["route"].as_array().cloned().unwrap_or_default();
        let host = format!("{apex}-canary");
        Ok(routes.iter().find(|r| r["destination"]["host"] == host).and_then(|r| r["weight"].as_i64()))
    }

    /// VirtualServices of the namespace.
    pub fn virtual_services(&self) -> Api<DynamicObject> {
        self.istio("VirtualService", "virtualservices")
    }

    /// DestinationRules of the namespace.
    pub fn destination_rules(&self) -> Api<DynamicObject> {
        self.istio("DestinationRule", "destinationrules")
    }

    /// HTTPRoutes of the namespace.
    pub fn http_routes(&self) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "HTTPRoute");
        Api::namespaced_with(self.client.clone(), &self.namespace, &ApiResource::from_gvk(&kind))
    }

    fn istio(&self, kind: &str, plural: &str) -> Api<DynamicObject> {
        let resource = ApiResource {
            group: "networking.istio.io".into(),
            version: "v1beta1".into(),
            api_version: "networking.istio.io/v1beta1".into(),
            kind: kind.into(),
            plural: plural.into(),
        };
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    /// Desired replicas of a Deployment. None if it does not exist.
    pub async fn replicas(&self, name: &str) -> anyhow::Result<Option<i32>> {
        let api: Api<Deployment> = self.api();
        Ok(api.get_opt(name).await?.map(|d| d.spec.replicas.unwrap_or(1)))
    }

    /// A Service's selector as JSON.
    pub async fn selector(&self, name: &str) -> anyhow::Result<Value> {
        let api: Api<Service> = self.api();
        Ok(json!(api.get(name).await?.spec.and_then(|s| s.selector)))
    }

    /// A typed API in the story's namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Follows the Canary from now on. [`Path::taken`] returns (phase, weight, failed checks, iterations) without
    /// repetitions.
    pub fn follow(&self, name: &str) -> Path {
        let api: Api<Canary> = self.api();
        let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let sink = seen.clone();
        let task = tokio::spawn(async move {
            let mut stream = std::pin::pin!(watcher(api, config).default_backoff().applied_objects());
            while let Some(event) = stream.next().await {
                let Ok(canary) = event else { continue };
                let status = canary.status.unwrap_or_default();
                let phase = status.phase.unwrap_or_default();
                let point =
                    (phase.to_string(), status.canary_weight, status.failed_checks, status.iterations);
                let mut seen = sink.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if seen.last() != Some(&point) {
                    seen.push(point);
                }
            }
        });
        Path { seen, task }
    }
}

/// One point of a path through the status: phase, weight, failed checks, iterations.
pub type Point = (String, i32, i32, i32);

/// The path of one Canary through its status. Dropping it stops it.
pub struct Path {
    seen: std::sync::Arc<std::sync::Mutex<Vec<Point>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Path {
    /// Waits for a point that `accept` accepts. Returns the points so far.
    pub async fn until(&self, what: &str, accept: impl Fn(&Point) -> bool) -> anyhow::Result<Vec<Point>> {
        let seen = async || Some(self.taken()).filter(|points| points.iter().any(&accept));
        wait::until(&format!("a status with {what}"), PATIENCE, seen).await
    }

    /// The points so far.
    pub fn taken(&self) -> Vec<Point> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        self.task.abort();
    }
}
