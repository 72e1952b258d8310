//! All observations about one Canary, as plain data. Made by `observe`, read by the pure core, never changed.

use std::{collections::BTreeMap, fmt, sync::Arc};

use jiff::Timestamp;
use kube::core::ApiResource;
use serde::Serialize;
use serde_json::Value;

use crate::{
    api::{AlertProviderSpec, Canary, CanaryStatus, MetricTemplateSpec},
    config::Rules,
    expression::Known,
    write_budget::WriteBudget,
};

pub use remembered::{Evidence, Pauses, Records, RefusedJob, Unkept};

mod remembered;

/// A kind of object that Serin reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Kind {
    /// API group, empty for core.
    pub group: &'static str,
    /// Version that is read and written.
    pub version: &'static str,
    /// Kind, as in manifests.
    pub kind: &'static str,
    /// Plural, as in URLs and RBAC.
    pub plural: &'static str,
}

impl Kind {
    /// `apps/v1`-style group and version.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Every API server has it: it needs no CustomResourceDefinition.
    pub fn built_in(&self) -> bool {
        matches!(self.group, "" | "apps" | "batch" | "discovery.k8s.io" | "networking.k8s.io" | "policy")
    }

    /// Its objects are cluster-scoped.
    pub fn cluster_wide(&self) -> bool {
        matches!((self.group, self.kind), ("kuma.io", "TrafficRoute"))
    }

    /// kube's description of it.
    pub fn resource(&self) -> ApiResource {
        ApiResource {
            group: self.group.into(),
            version: self.version.into(),
            api_version: self.api_version(),
            kind: self.kind.into(),
            plural: self.plural.into(),
        }
    }

    /// Name of the CustomResourceDefinition that would define it, e.g. `virtualservices.networking.istio.io`.
    pub fn crd(&self) -> String {
        format!("{}.{}", self.plural, self.group)
    }
}

/// `apps/v1` Deployment.
pub const DEPLOYMENT: Kind = Kind { group: "apps", version: "v1", kind: "Deployment", plural: "deployments" };
/// `apps/v1` DaemonSet.
pub const DAEMONSET: Kind = Kind { group: "apps", version: "v1", kind: "DaemonSet", plural: "daemonsets" };
/// `apps/v1` ControllerRevision: the immutable copies of promoted templates.
pub const REVISION: Kind =
    Kind { group: "apps", version: "v1", kind: "ControllerRevision", plural: "controllerrevisions" };
/// Core Service.
pub const SERVICE: Kind = Kind { group: "", version: "v1", kind: "Service", plural: "services" };
/// Core ConfigMap; in a snapshot without its content.
pub const CONFIG_MAP: Kind = Kind { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps" };
/// Core Secret; in a snapshot without its content.
pub const SECRET: Kind = Kind { group: "", version: "v1", kind: "Secret", plural: "secrets" };
/// HorizontalPodAutoscaler.
pub const HPA: Kind = Kind {
    group: "autoscaling",
    version: "v2",
    kind: "HorizontalPodAutoscaler",
    plural: "horizontalpodautoscalers",
};
/// KEDA's ScaledObject.
pub const SCALED_OBJECT: Kind =
    Kind { group: "keda.sh", version: "v1alpha1", kind: "ScaledObject", plural: "scaledobjects" };
/// EndpointSlice: which pods behind a Service are ready.
pub const ENDPOINTS: Kind =
    Kind { group: "discovery.k8s.io", version: "v1", kind: "EndpointSlice", plural: "endpointslices" };
/// Ingress: part of every API server, whichever controller reads it.
pub const INGRESS: Kind =
    Kind { group: "networking.k8s.io", version: "v1", kind: "Ingress", plural: "ingresses" };
/// NetworkPolicy: who may talk to which pods.
pub const NETWORK_POLICY: Kind =
    Kind { group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy", plural: "networkpolicies" };
/// PodDisruptionBudget: how many pods may be evicted at a time.
pub const POD_DISRUPTION_BUDGET: Kind =
    Kind { group: "policy", version: "v1", kind: "PodDisruptionBudget", plural: "poddisruptionbudgets" };
/// Knative Service: a workload with its own revisions and routing.
pub const KNATIVE_SERVICE: Kind =
    Kind { group: "serving.knative.dev", version: "v1", kind: "Service", plural: "services" };
/// Canary, in the stored version.
pub const CANARY: Kind =
    Kind { group: "flagger.app", version: "v1beta1", kind: "Canary", plural: "canaries" };
/// MetricTemplate, in the stored version.
pub const METRIC_TEMPLATE: Kind =
    Kind { group: "flagger.app", version: "v1beta1", kind: "MetricTemplate", plural: "metrictemplates" };
/// AlertProvider, in the stored version.
pub const ALERT_PROVIDER: Kind =
    Kind { group: "flagger.app", version: "v1beta1", kind: "AlertProvider", plural: "alertproviders" };

/// `batch/v1` Job: a metric that is judged by its end. A snapshot has those of this Canary.
pub const JOB: Kind = Kind { group: "batch", version: "v1", kind: "Job", plural: "jobs" };
/// Core Pod. A snapshot has those of these Jobs, without their specs.
pub const POD: Kind = Kind { group: "", version: "v1", kind: "Pod", plural: "pods" };
/// CanaryRun: records of runs. A snapshot has those of this Canary, without the content of finished ones.
pub const CANARY_RUN: Kind =
    Kind { group: "serin.dev", version: "v1alpha1", kind: "CanaryRun", plural: "canaryruns" };

/// Namespace and name of an object.
pub type Key = (String, String);

/// The key of a write: an object, and the field manager.
pub type Write = (ObjectRef, &'static str);

/// A reference to an object in the Canary's namespace, or to a cluster-scoped one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

impl ObjectRef {
    /// A reference to `name` of `kind`.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.kind, self.name)
    }
}

/// Objects of one namespace and cluster-scoped ones, each as the API server's JSON (so that unknown fields survive).
/// A copy shares them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Objects(#[serde(serialize_with = "as_list")] BTreeMap<ObjectRef, Arc<Value>>);

fn as_list<S: serde::Serializer>(map: &BTreeMap<ObjectRef, Arc<Value>>, s: S) -> Result<S::Ok, S::Error> {
    s.collect_seq(map.values().map(Arc::as_ref))
}

impl Objects {
    /// The object, if it existed.
    pub fn get(&self, kind: Kind, name: &str) -> Option<&Value> {
        self.at(&ObjectRef::new(kind, name))
    }

    /// The object that `at` refers to, if it existed.
    pub fn at(&self, at: &ObjectRef) -> Option<&Value> {
        self.0.get(at).map(Arc::as_ref)
    }

    /// Adds or replaces an object under its name.
    pub fn insert(&mut self, kind: Kind, object: Value) {
        self.share(kind, Arc::new(object));
    }

    /// The same with a shared object.
    pub(crate) fn share(&mut self, kind: Kind, object: Arc<Value>) {
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        self.0.insert(ObjectRef { kind, name }, object);
    }

    /// Removes an object.
    pub fn remove(&mut self, at: &ObjectRef) -> Option<Value> {
        self.0.remove(at).map(Arc::unwrap_or_clone)
    }

    /// All objects of one kind, by name.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Value> {
        let of_kind = self.0.range(ObjectRef { kind, name: String::new() }..);
        of_kind.take_while(move |(at, _)| at.kind == kind).map(|(_, object)| object.as_ref())
    }

    /// All objects, by kind and name.
    pub fn iter(&self) -> impl Iterator<Item = (&ObjectRef, &Value)> {
        self.0.iter().map(|(at, object)| (at, object.as_ref()))
    }
}

/// Another Canary in the namespace that claims an object of this one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rival {
    /// Its name.
    pub name: String,
    /// Its uid, for two of the same age.
    pub uid: String,
    /// When it was created; the older one keeps the object.
    pub created: Option<Timestamp>,
    /// The claimed object, e.g. `Deployment podinfo`.
    pub wants: ObjectRef,
    /// It is not the target or the apex of both: one of them derives its name, as in `<apex>-canary`.
    pub derived: bool,
}

/// Another Canary, in any namespace, that serves a host of this one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Neighbour {
    /// Its namespace and name.
    pub at: Key,
    /// Its `spec.service`.
    pub service: Value,
}

/// One Canary and everything that affects it, at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    /// The operator's settings that decisions depend on.
    pub rules: Rules,
    /// The Canary, status included.
    #[serde(serialize_with = "Canary::serialize")]
    pub canary: Arc<Canary>,
    /// Target, primary, Services, routing objects, stored templates; the metadata of ConfigMaps and Secrets that
    /// templates use, and of their copies.
    pub objects: Objects,
    /// Ready endpoints per Service name. Missing: no EndpointSlice.
    pub ready: BTreeMap<String, u32>,
    /// Since when a Service has had ready endpoints without a break, as far as the operator has seen. Missing: it has none.
    pub ready_since: BTreeMap<String, Timestamp>,
    /// Endpoints per Service name whose pods are terminating: deleted, not failed. Missing: none.
    pub leaving: BTreeMap<String, u32>,
    /// Plural.group of the optional kinds that the cluster does not define.
    pub missing_kinds: Vec<String>,
    /// Plural.group of the kinds of its router that the operator may not read.
    pub forbidden_kinds: Vec<String>,
    /// Kinds that were never listed, by plural.group, and why.
    pub unlisted_kinds: BTreeMap<String, String>,
    /// Kinds that affect it and have not been visible for too long: data about them may be old.
    pub stale: Vec<StaleKind>,
    /// Edits of fields in use, for which this Canary has the former value: see
    /// [`keep_in_use`](crate::spec::keep_in_use).
    pub not_followed: Vec<String>,
    /// Canaries that claim the same target, apex, or object with a derived name.
    pub rivals: Vec<Rival>,
    /// Canaries of the same provider that serve the same host.
    pub neighbours: Vec<Neighbour>,
    /// Objects of others, in any namespace, whose requests the Canary's route may take.
    pub bystanders: Vec<Value>,
    /// The existing MetricTemplates in this Canary's references, by `namespace/name`.
    pub templates: BTreeMap<String, MetricTemplateSpec>,
    /// The existing Secrets in the checks: resourceVersions by `namespace/name`. None if Secrets are
    /// not watched.
    pub secrets: Option<BTreeMap<String, String>>,
    /// The existing AlertProviders in this Canary's references, by `namespace/name`.
    pub alert_providers: BTreeMap<String, AlertProviderSpec>,
    /// The MetricTemplates and AlertProviders in this Canary's references that exist but do not decode, by kind,
    /// namespace and name as in `MetricTemplate n/name`, and the reasons.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub undecodable: BTreeMap<String, String>,
    /// Holder of a Flagger leader lease that has not expired, and when it will.
    pub flagger: Option<(String, Timestamp)>,
    /// The namespace is being deleted: nothing can be created in it.
    pub namespace_terminating: bool,
    /// What the API server refused of the last plan, for people to fix.
    pub refused: Option<String>,
    /// The installed CustomResourceDefinition does not keep what is written into the status.
    pub unkept: Option<Unkept>,
    /// The Job of a metric that could not be created.
    pub refused_job: Option<RefusedJob>,
    /// How often its objects were written recently.
    #[serde(skip)]
    pub writes: WriteBudget<Write>,
    /// What is not asked for now.
    pub pauses: Pauses,
    /// When the current generation of the Canary was first seen. None: unknown.
    pub edited: Option<Timestamp>,
    /// Since when the operator has been watching without a break, by its own clock: time in which a Canary was not
    /// processed does not count against deadlines.
    pub watching_since: Timestamp,
    /// State of the records of its runs.
    pub records: Records,
    /// Conditions of its metrics that were compiled before.
    #[serde(skip)]
    pub conditions: Known,
    /// The last answers of webhooks, by the place in the run where they were called.
    pub heard: BTreeMap<String, WebhookRound>,
    /// No run of this Canary may begin now, because there are too many others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queued: Option<Queued>,
}

/// The number of runs has reached a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Queued {
    /// The limit.
    pub most: usize,
    /// The limit is that of one namespace.
    pub in_namespace: bool,
}

/// A kind that is not visible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StaleKind {
    /// The kind.
    pub kind: Kind,
    /// The namespace in which it is not visible; none: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// The reason.
    pub why: String,
}

/// The answers of the webhooks of one type, as far as they were called.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WebhookRound {
    /// When the last of them answered.
    pub at: Timestamp,
    /// In the order in which they were called.
    pub said: Vec<WebhookReply>,
}

/// The answer of one webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WebhookReply {
    /// Its name.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// Yes, or why not.
    pub answer: Result<(), Denial>,
    /// The course of the call.
    pub course: Timing,
}

/// The course of a webhook call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Timing {
    /// The URL for people: without parts that may be secret.
    pub shown: String,
    /// When the first attempt was made.
    pub asked: Timestamp,
    /// When there was an answer, or it was given up.
    pub answered: Timestamp,
    /// The number of attempts.
    pub tries: u32,
    /// HTTP status of the last try, if that was answered.
    pub status: Option<u16>,
}

/// Why a webhook did not accept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Denial {
    /// In our own words: safe for status and logs.
    pub why: String,
    /// In Flagger's words, which may quote the answer: for Events only.
    pub quote: String,
}

impl Denial {
    /// A denial that quotes no server.
    pub fn plain(why: impl Into<String>) -> Self {
        let why = why.into();
        Self { quote: why.clone(), why }
    }
}

impl Snapshot {
    /// Ready endpoints behind the Service.
    pub fn ready(&self, service: &str) -> u32 {
        self.ready.get(service).copied().unwrap_or(0)
    }

    /// uid of the Canary.
    pub(crate) fn uid(&self) -> &str {
        self.canary.metadata.uid.as_deref().unwrap_or_default()
    }

    /// The Canary's status, empty if it has none.
    pub(crate) fn status(&self) -> CanaryStatus {
        self.canary.status.clone().unwrap_or_default()
    }
}
