//! The behaviour of a pod: the settings in its container's environment, overridden by tests at run time.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::api::core::v1::Pod;

use crate::addresses::NODE;

/// The port of a backend whose container declares no port.
const DEFAULT_PORT: u16 = 8080;

/// The prefix of images that do not exist.
const NOWHERE: &str = "nowhere.invalid/";

/// Selects pods. Fields that are not set match anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// The namespace.
    pub namespace: Option<String>,
    /// The prefix of the name.
    pub prefix: Option<String>,
    /// The name of the Deployment (of the `ReplicaSet`, or of another owner of the pod).
    pub workload: Option<String>,
    /// The first container's image.
    pub image: Option<String>,
}

impl Selector {
    /// Pods with a name that begins with `prefix`. Note that `podinfo` is a prefix of `podinfo-primary`.
    pub fn prefix(prefix: &str) -> Self {
        Self { prefix: Some(prefix.to_owned()), ..Self::default() }
    }

    /// Pods of the Deployment (or other owner) `name` only.
    pub fn workload(name: &str) -> Self {
        Self { workload: Some(name.to_owned()), ..Self::default() }
    }

    /// Pods whose first container has this image.
    pub fn image(image: &str) -> Self {
        Self { image: Some(image.to_owned()), ..Self::default() }
    }

    /// Restricts the selection to `namespace`.
    #[must_use]
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    pub(super) fn matches(&self, pod: &Facts) -> bool {
        let same = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
        same(&self.namespace, &pod.namespace)
            && same(&self.workload, &pod.workload)
            && same(&self.image, &pod.image)
            && self.prefix.as_ref().is_none_or(|prefix| pod.name.starts_with(prefix))
    }
}

/// Overrides by tests. `None` keeps the value from the environment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Behaviour {
    /// The version in its answers (`VERSION`, else the image's tag).
    pub version: Option<String>,
    /// The share of requests that are answered with 500, 0 to 1, evenly spread (`ERROR_RATE`).
    pub error_rate: Option<f64>,
    /// The time until it answers (`DELAY_MS`).
    pub delay: Option<Duration>,
    /// The time from its start until it becomes ready (`READY_AFTER_MS`).
    pub ready_after: Option<Duration>,
    /// Whether it is ready after that time (`NEVER_READY`).
    pub ready: Option<bool>,
    /// Whether its process is gone: nothing listens, and it is not ready.
    pub crashed: Option<bool>,
    /// Whether it refuses connections while it is ready.
    pub refuses: Option<bool>,
    /// The share of requests at which it breaks the connection instead of answering, 0 to 1, evenly spread.
    pub breaks_off: Option<f64>,
    /// Whether a pod that ends by itself may end (`HOLD`).
    pub done: Option<bool>,
}

/// The properties of a pod that its simulation needs.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) workload: String,
    pub(super) image: String,
    /// The node that it is bound to.
    pub(super) node: String,
    pub(super) ports: Vec<u16>,
    /// Name and image of each container.
    pub(super) containers: Vec<(String, String)>,
    /// It ends by itself, like the pods of a Job.
    pub(super) once: bool,
    env: BTreeMap<String, String>,
}

impl Facts {
    pub(super) fn of(pod: &Pod) -> Self {
        let spec = pod.spec.as_ref();
        let containers = spec.map(|spec| spec.containers.as_slice()).unwrap_or_default();
        let first = containers.first();
        let env: BTreeMap<String, String> = first
            .and_then(|container| container.env.as_ref())
            .into_iter()
            .flatten()
            .filter_map(|variable| Some((variable.name.clone(), variable.value.clone()?)))
            .collect();
        let mut ports: Vec<u16> = first
            .and_then(|container| container.ports.as_ref())
            .into_iter()
            .flatten()
            .filter_map(|port| u16::try_from(port.container_port).ok())
            .collect();
        if ports.is_empty() {
            ports.push(env.get("PORT").and_then(|port| port.parse().ok()).unwrap_or(DEFAULT_PORT));
        }
        let image = |image: &Option<String>| image.clone().unwrap_or_default();
        Self {
            namespace: pod.metadata.namespace.clone().unwrap_or_default(),
            name: pod.metadata.name.clone().unwrap_or_default(),
            uid: pod.metadata.uid.clone().unwrap_or_default(),
            workload: workload(pod),
            image: first.map(|container| image(&container.image)).unwrap_or_default(),
            node: node(pod),
            ports,
            once: spec.is_some_and(|spec| spec.restart_policy.as_deref().is_some_and(|p| p != "Always")),
            containers: containers.iter().map(|one| (one.name.clone(), image(&one.image))).collect(),
            env,
        }
    }

    /// The settings of the environment with the matching overrides. The last override wins.
    pub(super) fn resolve(&self, overrides: &[(Selector, Behaviour)]) -> Resolved {
        let mut resolved = Resolved {
            version: self.env.get("VERSION").cloned().unwrap_or_else(|| tag(&self.image)),
            error_rate: self.number("ERROR_RATE").unwrap_or(0.0),
            delay: self.millis("DELAY_MS"),
            ready_after: self.millis("READY_AFTER_MS"),
            ready: !self.flag("NEVER_READY"),
            crashed: false,
            refuses: false,
            breaks_off: 0.0,
            done: !self.flag("HOLD"),
        };
        for (_, behaviour) in overrides.iter().filter(|(selector, _)| selector.matches(self)) {
            behaviour.clone().lay_over(&mut resolved);
        }
        resolved
    }

    /// The image does not exist.
    pub(super) fn without_image(&self) -> bool {
        self.image.starts_with(NOWHERE)
    }

    /// How long it runs (`RUN_MS`), its exit code (`EXIT_CODE`), and the Service that it calls before it ends, with the
    /// number of calls (`CALLS`, as in `app-canary=1000`).
    pub(super) fn task(&self) -> (Duration, i32, Option<(&str, u32)>) {
        let calls = self.env.get("CALLS").and_then(|calls| calls.split_once('='));
        let calls = calls.and_then(|(service, times)| Some((service, times.parse().ok()?)));
        let code = self.env.get("EXIT_CODE").and_then(|code| code.parse().ok()).unwrap_or(0);
        (self.millis("RUN_MS"), code, calls)
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.env.get(name).and_then(|value| value.parse().ok())
    }

    fn millis(&self, name: &str) -> Duration {
        Duration::from_millis(self.env.get(name).and_then(|value| value.parse().ok()).unwrap_or(0))
    }

    fn flag(&self, name: &str) -> bool {
        self.env.get(name).is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
    }
}

/// A behaviour with all values set.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resolved {
    pub(super) version: String,
    pub(super) error_rate: f64,
    pub(super) delay: Duration,
    pub(super) ready_after: Duration,
    pub(super) ready: bool,
    pub(super) crashed: bool,
    pub(super) refuses: bool,
    pub(super) breaks_off: f64,
    pub(super) done: bool,
}

impl Behaviour {
    fn lay_over(self, under: &mut Resolved) {
        fn set<T>(over: Option<T>, under: &mut T) {
            if let Some(value) = over {
                *under = value;
            }
        }
        set(self.version, &mut under.version);
        set(self.error_rate, &mut under.error_rate);
        set(self.delay, &mut under.delay);
        set(self.ready_after, &mut under.ready_after);
        set(self.ready, &mut under.ready);
        set(self.crashed, &mut under.crashed);
        set(self.refuses, &mut under.refuses);
        set(self.breaks_off, &mut under.breaks_off);
        set(self.done, &mut under.done);
    }
}

/// The Deployment's name if one of its `ReplicaSet`s owns the pod, else the owner's name, else the pod's own.
fn workload(pod: &Pod) -> String {
    let owner = pod
        .metadata
        .owner_references
        .iter()
        .flatten()
        .find(|owner| owner.controller == Some(true))
        .map_or_else(|| pod.metadata.name.clone().unwrap_or_default(), |owner| owner.name.clone());
    let hash = pod.metadata.labels.as_ref().and_then(|labels| labels.get("pod-template-hash"));
    hash.and_then(|hash| owner.strip_suffix(&format!("-{hash}"))).map_or_else(|| owner.clone(), str::to_owned)
}

/// The node that a required affinity names, as in a DaemonSet's pod.
fn node(pod: &Pod) -> String {
    let affinity = pod.spec.as_ref().and_then(|spec| spec.affinity.as_ref()?.node_affinity.as_ref());
    let required = affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    let fields = required
        .into_iter()
        .flat_map(|r| &r.node_selector_terms)
        .flat_map(|t| t.match_fields.iter().flatten());
    let named = fields.filter(|f| f.key == "metadata.name" && f.operator == "In");
    let name = named.flat_map(|f| f.values.iter().flatten()).next();
    name.cloned().unwrap_or_else(|| NODE.to_owned())
}

/// The tag of an image. `latest` if it has none.
fn tag(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let last = last.split('@').next().unwrap_or(last);
    last.split_once(':').map_or("latest", |(_, tag)| tag).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(env: &str) -> Facts {
        let pod = format!(
            r#"{{"metadata": {{"name": "podinfo-primary-5d4-x", "namespace": "test",
                "labels": {{"pod-template-hash": "5d4"}},
                "ownerReferences": [{{"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true,
                    "name": "podinfo-primary-5d4", "uid": "1"}}]}},
              "spec": {{"containers": [{{"name": "app", "image": "localhost:5000/app:6.1", "env": [{env}],
                "ports": [{{"containerPort": 9898}}, {{"containerPort": 9999}}]}}]}}}}"#
        );
        Facts::of(&serde_json::from_str(&pod).unwrap())
    }

    #[test]
    fn a_pod_belongs_to_its_deployment() {
        let pod = pod("");
        assert_eq!((pod.workload.as_str(), pod.ports.as_slice()), ("podinfo-primary", &[9898, 9999][..]));
        assert!(Selector::workload("podinfo-primary").in_namespace("test").matches(&pod));
        assert!(!Selector::workload("podinfo").matches(&pod));
        assert!(Selector::prefix("podinfo").matches(&pod));
    }

    #[test]
    fn a_pod_is_for_the_node_that_it_names() {
        assert_eq!(pod("").node, NODE);
        let named = r#"{"spec": {"containers": [], "affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n2"]}]}]}}}}}"#;
        assert_eq!(Facts::of(&serde_json::from_str(named).unwrap()).node, "n2");
    }

    #[test]
    fn the_version_is_the_tag_unless_the_environment_names_one() {
        assert_eq!(pod("").resolve(&[]).version, "6.1");
        assert_eq!(pod(r#"{"name": "VERSION", "value": "blue"}"#).resolve(&[]).version, "blue");
        assert_eq!(tag("app@sha256:abc"), "latest");
    }

    #[test]
    fn the_last_override_lies_on_top() {
        let pod = pod(r#"{"name": "ERROR_RATE", "value": "0.5"}, {"name": "NEVER_READY", "value": "1"}"#);
        let ready = |ready| Behaviour { ready: Some(ready), ..Behaviour::default() };
        let overrides =
            [(Selector::default(), ready(false)), (Selector::image("localhost:5000/app:6.1"), ready(true))];
        assert!(!pod.resolve(&[]).ready);
        let resolved = pod.resolve(&overrides);
        assert!(resolved.ready && (resolved.error_rate - 0.5).abs() < f64::EPSILON);
    }
}
