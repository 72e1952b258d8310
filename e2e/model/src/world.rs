//! Objects of one namespace as an API server stores them: versions, generations, uids, merge patches, finalizers.
//!
//! Decides how a write changes an object and when it is refused. Does not simulate controllers: `pods` does.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::Timestamp;
use serde_json::{Value, json};
use serin::{
    api::{Canary, CanaryStatus},
    config::Rules,
    expression::Known,
    manifest::config,
    names,
    plan::Action,
    snapshot::{
        CANARY, CANARY_RUN, DAEMONSET, DEPLOYMENT, JOB, Kind, ObjectRef, Objects, Pauses, REVISION, Records,
        Rival, SERVICE, Snapshot, StaleKind,
    },
    spec::{Target, keep_in_use},
    write_budget::WriteBudget,
};

use crate::time::at_second;

/// Namespace of all objects in a model.
pub const NAMESPACE: &str = "test";

/// Number of nodes. Each has a pod of every DaemonSet.
pub const NODES: i64 = 2;

/// Kinds for which a Canary sees only its own objects.
const OWN: [Kind; 3] = [REVISION, CANARY_RUN, JOB];

/// One Canary and the objects around it.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The operator's settings.
    pub rules: Rules,
    /// The Canary with its status. None after it is gone.
    pub canary: Option<Value>,
    /// Everything else.
    pub objects: Objects,
    /// Ready endpoints per Service, according to the EndpointSlices.
    pub ready: BTreeMap<String, u32>,
    /// Since when a Service has had ready endpoints.
    pub ready_since: BTreeMap<String, Timestamp>,
    /// Endpoints per Service with terminating pods.
    pub leaving: BTreeMap<String, u32>,
    /// Kinds that the cluster does not define, as `plural.group`.
    pub missing_kinds: Vec<String>,
    /// Kinds that cannot be listed, as `plural.group`, with the reason.
    pub unlisted: BTreeMap<String, String>,
    /// Kinds with a broken watch.
    pub stale: Vec<StaleKind>,
    /// Other Canaries with the same target or names.
    pub rivals: Vec<Rival>,
    /// MetricTemplates that exist, as `namespace/name`.
    pub templates: std::collections::BTreeMap<String, serin::api::MetricTemplateSpec>,
    /// Holder of a Flagger lease that is being renewed.
    pub flagger: Option<(String, Timestamp)>,
    /// The namespace is being deleted.
    pub terminating: bool,
    version: u64,
}

/// A write was refused because the object has changed since the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved(
    /// The write and its object.
    pub String,
);

impl World {
    /// The planner's input. None if the Canary is gone or cannot be decoded.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let mut stored = self.canary.clone()?;
        let not_followed = keep_in_use(&mut stored, &self.rules.mesh_provider);
        let canary: Canary = serde_json::from_value(stored).ok()?;
        let mut objects = self.objects.clone();
        for (at, object) in self.objects.iter() {
            if OWN.contains(&at.kind) && !self.owns(object) {
                objects.remove(at);
            }
        }
        for kind in config::KINDS {
            for object in self.objects.of(kind) {
                objects.insert(kind, config::without_content(object));
            }
        }
        Some(Snapshot {
            rules: self.rules.clone(),
            canary: canary.into(),
            objects,
            ready: self.ready.clone(),
            ready_since: self.ready_since.clone(),
            leaving: self.leaving.clone(),
            missing_kinds: self.missing_kinds.clone(),
            forbidden_kinds: vec![],
            rivals: self.rivals.clone(),
            neighbours: vec![],
            bystanders: self.bystanders(),
            secrets: self.rules.config_tracking.then(|| self.secrets()),
            templates: self.templates.clone(),
            alert_providers: std::collections::BTreeMap::new(),
            undecodable: std::collections::BTreeMap::new(),
            flagger: self.flagger.clone(),
            namespace_terminating: self.terminating,
            refused: None,
            unkept: None,
            refused_job: None,
            unlisted_kinds: self.unlisted.clone(),
            stale: self.stale.clone(),
            writes: WriteBudget::default(),
            pauses: Pauses::default(),
            not_followed,
            edited: None,
            watching_since: Timestamp::MIN,
            records: Records::default(),
            conditions: Known::default(),
            heard: BTreeMap::new(),
            queued: None,
        })
    }

    /// The object has no marker of another Canary.
    pub(crate) fn owns(&self, object: &Value) -> bool {
        let name = self.canary.as_ref().and_then(|canary| canary["metadata"]["name"].as_str());
        let label = &object["metadata"]["labels"][names::LABEL_CANARY];
        !label.is_string() || name.is_some_and(|name| *label == names::label_value(name).as_str())
    }

    /// Takes over everything in the namespace from another Canary's world, except the Canary itself.
    pub(crate) fn follow(&mut self, other: &Self) {
        self.objects = other.objects.clone();
        (self.ready, self.leaving) = (other.ready.clone(), other.leaving.clone());
        self.ready_since = other.ready_since.clone();
        self.version = self.version.max(other.version);
    }

    /// All routes that may serve the same requests. The planner asks the router which ones do.
    fn bystanders(&self) -> Vec<Value> {
        let kinds = serin::router::all().iter().flat_map(|router| router.bystanders().iter().copied());
        let kinds: std::collections::BTreeSet<Kind> = kinds.collect();
        kinds.into_iter().flat_map(|kind| self.objects.of(kind).cloned()).collect()
    }

    /// Versions of the Secrets. All are in the one namespace.
    fn secrets(&self) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = self.objects.of(serin::snapshot::SECRET).map(|object| &object["metadata"]);
        all.map(|meta| (format!("{NAMESPACE}/{}", text(&meta["name"])), text(&meta["resourceVersion"])))
            .collect()
    }

    /// The Canary's status. Empty if it has none.
    pub fn status(&self) -> CanaryStatus {
        let status = self.canary.as_ref().map(|c| c["status"].clone()).unwrap_or_default();
        serde_json::from_value(status).unwrap_or_default()
    }

    /// Adds an object with its own uid and version, like a user's POST.
    pub fn put(&mut self, kind: Kind, object: Value, now: Timestamp) {
        let object = self.born(kind, object, now);
        self.objects.insert(kind, object);
    }

    /// Adds the Canary.
    pub fn put_canary(&mut self, object: Value, now: Timestamp) {
        let status = object.get("status").cloned();
        let mut object = self.born(serin::snapshot::CANARY, object, now);
        if let Some(status) = status {
            object["status"] = status;
        }
        self.canary = Some(object);
    }

    fn born(&mut self, kind: Kind, mut object: Value, now: Timestamp) -> Value {
        self.version += 1;
        let version = self.version;
        // scenarios name it in what Flagger made for the Canary
        let given = object["metadata"]["uid"].as_str().filter(|_| kind == CANARY).map(str::to_owned);
        let uid = given.unwrap_or_else(|| format!("uid-{version}"));
        set(&mut object, "apiVersion", json!(kind.api_version()));
        set(&mut object, "kind", json!(kind.kind));
        json_patch::merge(
            &mut object,
            &json!({"metadata": {
                "namespace": NAMESPACE, "uid": uid, "resourceVersion": version.to_string(),
                "creationTimestamp": at_second(now), "generation": 1,
            }}),
        );
        if [DEPLOYMENT, DAEMONSET, CANARY].contains(&kind) {
            json_patch::merge(&mut object, &json!({"status": null}));
        }
        object
    }

    /// An edit of an object by somebody: a merge patch. Returns false if the object does not exist.
    pub fn edit(&mut self, at: &ObjectRef, patch: &Value) -> bool {
        let Some(mut object) = self.objects.remove(at) else { return false };
        let former = object["spec"]["replicas"].clone();
        self.change(&mut object, patch, at.kind != SERVICE);
        if object["spec"]["replicas"] != former && patch["metadata"]["managedFields"].is_null() {
            disowned(&mut object);
        }
        self.objects.insert(at.kind, object);
        true
    }

    /// An edit of the Canary by somebody: a merge patch.
    pub fn edit_canary(&mut self, patch: &Value) {
        if let Some(mut canary) = self.canary.take() {
            self.change(&mut canary, patch, true);
            self.canary = Some(canary);
        }
    }

    /// A deletion of the Canary by somebody. It stays while it has finalizers.
    pub fn delete_canary(&mut self, now: Timestamp) {
        self.edit_canary(&json!({"metadata": {"deletionTimestamp": at_second(now)}}));
        self.reap();
    }

    /// The Deployment with this name, or the DaemonSet in the form of a Deployment: one pod on each of two nodes.
    pub fn workload(&self, name: &str) -> Option<Cow<'_, Value>> {
        let daemons = || {
            let mut live = self.objects.get(DAEMONSET, name)?.clone();
            let template = Target::DaemonSet.revision(&live).into_owned();
            let replicas = NODES * Target::DaemonSet.asked(&live);
            json_patch::merge(&mut live, &json!({"spec": {"replicas": replicas, "template": null}}));
            json_patch::merge(&mut live, &json!({"spec": {"template": template}}));
            Some(Cow::Owned(live))
        };
        self.objects.get(DEPLOYMENT, name).map(Cow::Borrowed).or_else(daemons)
    }

    /// All workloads.
    pub fn workloads(&self) -> impl Iterator<Item = (Kind, Cow<'_, Value>)> {
        [DEPLOYMENT, DAEMONSET].into_iter().flat_map(move |kind| {
            let names = self.objects.of(kind).filter_map(|o| o["metadata"]["name"].as_str());
            names.filter_map(move |name| Some((kind, self.workload(name)?)))
        })
    }

    /// Writes a workload's status, like its controller.
    pub fn write_workload_status(&mut self, at: &ObjectRef, status: Value) {
        let Some(mut object) = self.objects.remove(at) else { return };
        set(&mut object, "status", status);
        self.bump(&mut object);
        self.objects.insert(at.kind, object);
    }

    /// Our write of the Canary's status, conditional on the version that was read.
    ///
    /// # Errors
    /// The Canary has changed since.
    pub fn write_status(&mut self, version: Option<&str>, status: &CanaryStatus) -> Result<(), Moved> {
        let Some(mut canary) = self.canary.take() else {
            return Err(Moved("status of a Canary that is gone".into()));
        };
        let same = canary["metadata"]["resourceVersion"].as_str() == version;
        let status = serde_json::to_value(status).unwrap_or_default();
        if same && canary["status"] != status {
            set(&mut canary, "status", status);
            self.bump(&mut canary);
        }
        self.canary = Some(canary);
        if same { Ok(()) } else { Err(Moved("status".into())) }
    }

    /// One of our writes.
    ///
    /// # Errors
    /// The object has changed, already exists or is gone.
    pub fn write(&mut self, action: &Action, now: Timestamp) -> Result<(), Moved> {
        match action {
            Action::Create(manifest) => {
                if self.objects.at(&manifest.at()).is_some()
                    || self.missing_kinds.contains(&manifest.kind.crd())
                {
                    return Err(Moved(format!("create {}", manifest.at())));
                }
                self.put(manifest.kind, manifest.to_create(), now);
                Ok(())
            }
            Action::Copy(of) => {
                let copy = self.objects.at(&of.from).and_then(|source| config::copy(source, of));
                match copy {
                    Some(copy) => self.write(&Action::Create(Box::new(copy)), now),
                    None => Err(Moved(format!("copy {}", of.from))),
                }
            }
            Action::Patch { at, version, patch, .. } => self.patch(at, version, patch),
            Action::Scale { name, replicas, version } => self.patch(
                &ObjectRef::new(DEPLOYMENT, name.clone()),
                version,
                &json!({"spec": {"replicas": replicas}}),
            ),
            Action::Delete { at, uid } => {
                match self.objects.at(at) {
                    Some(live) if live["metadata"]["uid"].as_str() != Some(uid) => {
                        return Err(Moved(format!("delete {at}")));
                    }
                    _ => self.objects.remove(at),
                };
                Ok(())
            }
            Action::Finalizers { list } => {
                let list = if list.is_empty() { Value::Null } else { json!(list) };
                self.edit_canary(&json!({"metadata": {"finalizers": list}}));
                self.reap();
                Ok(())
            }
        }
    }

    fn patch(&mut self, at: &ObjectRef, version: &str, patch: &Value) -> Result<(), Moved> {
        let live = self.objects.at(at).and_then(|o| o["metadata"]["resourceVersion"].as_str());
        if live != Some(version) {
            return Err(Moved(format!("patch {at}")));
        }
        self.edit(at, patch);
        Ok(())
    }

    fn change(&mut self, object: &mut Value, patch: &Value, counted: bool) {
        let before = object.clone();
        json_patch::merge(object, patch);
        if *object == before {
            return;
        }
        if counted && object["spec"] != before["spec"] {
            let generation = before["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
            json_patch::merge(object, &json!({"metadata": {"generation": generation}}));
        }
        self.bump(object);
    }

    fn bump(&mut self, object: &mut Value) {
        self.version += 1;
        json_patch::merge(object, &json!({"metadata": {"resourceVersion": self.version.to_string()}}));
    }

    /// Removes a deleted Canary without finalizers, and the objects that it alone owns: garbage collection.
    fn reap(&mut self) {
        let meta = self.canary.as_ref().map(|c| c["metadata"].clone()).unwrap_or_default();
        let held = meta["finalizers"].as_array().is_some_and(|l| !l.is_empty());
        if meta["deletionTimestamp"].is_null() || held {
            return;
        }
        self.canary = None;
        let owned: Vec<ObjectRef> = self
            .objects
            .iter()
            .filter(|(_, o)| {
                let owners = o["metadata"]["ownerReferences"].as_array().map_or(&[][..], Vec::as_slice);
                !owners.is_empty() && owners.iter().all(|r| r["uid"] == meta["uid"])
            })
            .map(|(at, _)| at.clone())
            .collect();
        for at in owned {
            self.objects.remove(&at);
        }
    }
}

/// Another number of replicas belongs to who wrote it, and no longer to who applied the former one.
fn disowned(object: &mut Value) {
    for entry in object["metadata"]["managedFields"].as_array_mut().into_iter().flatten() {
        if let Some(spec) = entry["fieldsV1"]["f:spec"].as_object_mut() {
            spec.remove("f:replicas");
        }
    }
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = object {
        map.insert(key.to_owned(), value);
    }
}
