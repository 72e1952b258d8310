//! What to read around a Canary: each slot is one list, which can also be watched.

use kube::{
    Api, Client,
    api::{DynamicObject, ListParams},
    core::ApiResource,
};
use serde_json::Value;
use serin::{
    api::Canary,
    names, router,
    snapshot::{CANARY_RUN, DAEMONSET, DEPLOYMENT, KNATIVE_SERVICE, Kind, ObjectRef, POD, SERVICE},
    spec::{Target, validate},
};

use crate::{failure::Asked, view::rules};

const REPLICA_SET: Kind = Kind { group: "apps", version: "v1", kind: "ReplicaSet", plural: "replicasets" };
pub(super) const EVENT: Kind = Kind { group: "", version: "v1", kind: "Event", plural: "events" };

/// One list.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) kind: Kind,
    /// None: the whole cluster.
    pub(super) namespace: Option<String>,
    pub(super) labels: Option<String>,
    pub(super) fields: Option<String>,
}

impl Slot {
    fn named(kind: Kind, namespace: &str, name: &str) -> Self {
        let namespace = (!kind.cluster_wide()).then(|| namespace.to_owned());
        Self { kind, namespace, labels: None, fields: Some(format!("metadata.name={name}")) }
    }

    fn labelled(kind: Kind, namespace: &str, labels: String) -> Self {
        Self { kind, namespace: Some(namespace.to_owned()), labels: Some(labels), fields: None }
    }

    pub(super) fn api(&self, client: &Client) -> Api<DynamicObject> {
        let resource: ApiResource = self.kind.resource();
        match &self.namespace {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
            None => Api::all_with(client.clone(), &resource),
        }
    }

    pub(super) fn params(&self) -> ListParams {
        ListParams {
            label_selector: self.labels.clone(),
            field_selector: self.fields.clone(),
            ..ListParams::default()
        }
    }

    pub(super) fn right(&self, verb: &'static str) -> String {
        let resource = resource(self.kind);
        Asked { verb, resource: &resource, namespace: self.namespace.as_deref(), name: None }.right()
    }

    /// The object as shown. Items of lists do not contain their kind, so this adds it.
    pub(super) fn value(&self, object: &DynamicObject) -> Value {
        let mut value = serde_json::to_value(object).unwrap_or_default();
        value["kind"] = self.kind.kind.into();
        value["apiVersion"] = self.kind.api_version().into();
        value
    }
}

/// Plural and group, as in RBAC rules.
pub(super) fn resource(kind: Kind) -> String {
    if kind.group.is_empty() { kind.plural.to_owned() } else { format!("{}.{}", kind.plural, kind.group) }
}

/// The target's kind, if it is a supported one.
pub(super) fn target_kind(canary: &Canary) -> Option<Kind> {
    Target::named(&canary.spec.target_ref).map(|target| match target {
        Target::Deployment => DEPLOYMENT,
        Target::DaemonSet => DAEMONSET,
        Target::Service => SERVICE,
        Target::Knative => KNATIVE_SERVICE,
    })
}

/// Records and Events.
pub(super) fn told(canary: &Canary) -> Vec<Slot> {
    let (namespace, name) = place(canary);
    let label = format!("{}={}", names::LABEL_CANARY, names::label_value(name));
    let events = format!("involvedObject.kind=Canary,involvedObject.name={name}");
    vec![
        Slot::labelled(CANARY_RUN, namespace, label),
        Slot { kind: EVENT, namespace: Some(namespace.to_owned()), labels: None, fields: Some(events) },
    ]
}

/// Target, primary and routing objects.
pub(super) fn objects(canary: &Canary) -> Vec<Slot> {
    let (namespace, _) = place(canary);
    let target = &canary.spec.target_ref.name;
    let mut slots = Vec::new();
    if let Some(kind) = target_kind(canary) {
        slots.push(Slot::named(kind, namespace, target));
        if kind != KNATIVE_SERVICE {
            slots.push(Slot::named(kind, namespace, &names::primary(target)));
        }
    }
    slots.extend(routes(canary).iter().map(|at| Slot::named(at.kind, namespace, &at.name)));
    slots
}

/// The routing objects that the provider creates or takes over.
fn routes(canary: &Canary) -> Vec<ObjectRef> {
    let Ok(c) = validate(canary, &rules(canary)) else { return vec![] };
    let Some(router) = router::by_name(&c.provider) else { return vec![] };
    let mut all = router.reads(&c);
    all.retain(|at| at.kind != DEPLOYMENT && at.kind != DAEMONSET && at.kind != KNATIVE_SERVICE);
    all
}

/// ReplicaSets and pods of the target and the primary, selected by their labels.
pub(super) fn pods(canary: &Canary, workloads: &[Value]) -> Vec<Slot> {
    let (namespace, _) = place(canary);
    let mut slots = Vec::new();
    for workload in workloads {
        let kind = workload["kind"].as_str().unwrap_or_default();
        let Some(labels) = selector(workload) else { continue };
        if kind == DEPLOYMENT.kind {
            slots.push(Slot::labelled(REPLICA_SET, namespace, labels.clone()));
        }
        if [DEPLOYMENT.kind, DAEMONSET.kind].contains(&kind) {
            slots.push(Slot::labelled(POD, namespace, labels));
        }
    }
    slots
}

fn selector(workload: &Value) -> Option<String> {
    let labels = workload["spec"]["selector"]["matchLabels"].as_object().filter(|all| !all.is_empty())?;
    let pairs = labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    Some(pairs.collect::<Vec<_>>().join(","))
}

fn place(canary: &Canary) -> (&str, &str) {
    let meta = &canary.metadata;
    (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}
