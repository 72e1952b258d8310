//! Every label, annotation, finalizer, field manager and derived object name. Nothing else spells them.

/// Component name in Events, user agent and field managers.
pub const COMPONENT: &str = "serin";

/// Finalizer on every Canary that Serin acts on; Flagger's own string, so that either can take over.
pub const FINALIZER: &str = "finalizer.flagger.app";

/// Label on every object Serin made: which Canary (by [`label_value`]) it was made for.
pub const LABEL_CANARY: &str = "serin.dev/canary";
/// Label on the immutable copies of promoted templates.
pub const LABEL_TEMPLATE_OF: &str = "serin.dev/template-of";

/// Annotation on an adopted object: JSON of the fields as they were before adoption.
pub const ANNOTATION_ORIGINAL: &str = "serin.dev/original";
/// Annotation on a routing object that belongs to no namespace: the namespace of its Canary.
pub const ANNOTATION_NAMESPACE: &str = "serin.dev/namespace";
/// Annotation on a copied routing object: the keys of the annotations that came from its source, with commas.
pub const ANNOTATION_COPIED: &str = "serin.dev/copied";
/// Annotation on the route, the apex Service and the primary: the epoch of the run that wrote it.
pub const ANNOTATION_EPOCH: &str = "serin.dev/epoch";
/// Annotation on the route and the Services: RFC 3339 time of the write, from which settling is counted.
pub const ANNOTATION_WRITTEN: &str = "serin.dev/written";
/// Annotation on the primary: the revision hash of the template it was given.
pub const ANNOTATION_REVISION: &str = "serin.dev/revision";
/// Annotation on the primary: the generation at which a damaged template was last restored.
pub const ANNOTATION_RESTORED: &str = "serin.dev/restored-at-generation";
/// Annotation on a Canary, by which people ask for something: `<verb>/<id>`, or JSON.
pub const ANNOTATION_REQUEST: &str = "serin.dev/request";
/// Annotation on a copy of a ConfigMap or Secret: checksum of the content it was made with.
pub const ANNOTATION_CHECKSUM: &str = "serin.dev/checksum";
/// Annotation on a ConfigMap or Secret, Flagger's: a value that begins with `disable` keeps it from being followed.
pub const ANNOTATION_CONFIG_TRACKING: &str = "flagger.app/config-tracking";
/// Annotation on the primary's autoscaler: hash of the spec it was made with, any floor apart.
pub const ANNOTATION_SOURCE: &str = "serin.dev/source";
/// Annotation on the primary's autoscaler while a run raises its minimum: the pods that the primary keeps.
pub const ANNOTATION_FLOOR: &str = "serin.dev/floor";
/// KEDA's labels and annotations contain this.
pub const KEDA: &str = "keda.sh/";
/// KEDA's annotation that holds a workload at so many pods.
pub const KEDA_PAUSED_REPLICAS: &str = "autoscaling.keda.sh/paused-replicas";
/// How all annotations begin by which KEDA is paused.
pub const KEDA_PAUSED: &str = "autoscaling.keda.sh/paused";
/// Key in the node selector of a DaemonSet's pods that no node has: asked for none. Flagger's, so that either can take over.
pub const SCALE_TO_ZERO: &str = "flagger.app/scale-to-zero";
/// Annotation on a Knative Service: the revision that is the primary. Flagger's, so that either can take over.
pub const ANNOTATION_PRIMARY_REVISION: &str = "flagger.app/primary-revision";
/// Annotation on a Canary: the Kuma mesh that its Services are in. Flagger's, so that either can take over.
pub const KUMA_MESH: &str = "kuma.io/mesh";
/// Pod annotation by which Flagger forces a restart; ignored when templates are compared.
pub const ANNOTATION_FLAGGER_ID: &str = "flagger-id";
/// Keys of Flux that must never be copied from a target (any key that contains this).
pub const FLUX: &str = "toolkit.fluxcd.io";
/// Annotations that tell Flux to leave generated objects alone.
pub const FLUX_MARKERS: [(&str, &str); 2] = [
    ("helm.toolkit.fluxcd.io/driftDetection", "disabled"),
    ("kustomize.toolkit.fluxcd.io/reconcile", "disabled"),
];
/// What kubectl keeps of the last `apply`.
pub const ANNOTATION_KUBECTL: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Field managers, one per concern, so that managedFields tells who wrote what.
pub mod managers {
    /// Workloads, Services and stored templates.
    pub const WORKLOAD: &str = "serin/workload";
    /// Routing objects.
    pub const ROUTE: &str = "serin/route";
    /// The scale subresource.
    pub const SCALE: &str = "serin/scale";
    /// Records of runs.
    pub const RECORD: &str = "serin/record";
    /// Status and finalizers of Canaries.
    pub const STATUS: &str = "serin/status";
}

/// Header of webhook calls: `uid/epoch/step/attempt`, the same for what is asked again after a crash.
pub const HEADER_REQUEST_ID: &str = "serin-request-id";

/// Condition types on a Canary.
pub mod conditions {
    /// Flagger's own condition.
    pub const PROMOTED: &str = "Promoted";
    /// False: the spec or its surroundings keep Serin from acting; the message says what to mend.
    pub const ACCEPTED: &str = "Accepted";
    /// True: the message lists the fields that are accepted but not acted on.
    pub const NOT_YET_SERVED: &str = "NotYetServed";
    /// True: the metrics server cannot be read, so the run neither advances nor fails.
    pub const FROZEN: &str = "Frozen";
    /// True: the latest window had failed checks; the message lists all of them.
    pub const HALTED: &str = "Halted";
    /// True: the latest measurements say neither yes nor no, so the run holds its weight.
    pub const INCONCLUSIVE: &str = "Inconclusive";
    /// True: the run waits for somebody, or for a webhook, to say that it may go on; the message says how.
    pub const PAUSED: &str = "Paused";
    /// False: the primary has fewer pods than when the run began, or the canary fewer than its share of the traffic needs.
    pub const CAPACITY: &str = "Capacity";
    /// False: what happens in the run is not recorded; the message says what to mend.
    pub const RECORDED: &str = "Recorded";
    /// True: the spec works but probably not as meant.
    pub const ADVISORY: &str = "Advisory";
}

/// Value of [`LABEL_CANARY`] for a Canary name: the name, or its tail-hashed short form past 63 characters.
pub fn label_value(canary: &str) -> String {
    if canary.len() <= 63 {
        return canary.to_owned();
    }
    let cut: String = canary.chars().take(54).collect();
    let sum = canary
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    format!("{}-{:08x}", cut.trim_end_matches(['-', '.', '_']), sum as u32)
}

/// `<name>-primary`: the generated workload, Service, label value.
pub fn primary(name: &str) -> String {
    format!("{name}-primary")
}

/// `<canary>-<number>`: the record of a run; of a name that is too long, its tail-hashed short form.
pub fn run(canary: &str, number: i64) -> String {
    let name = format!("{canary}-{number}");
    if name.len() <= 253 { name } else { format!("{}-{number}", label_value(canary)) }
}

/// `<apex>-canary`: the Service in front of the target.
pub fn canary(apex: &str) -> String {
    format!("{apex}-canary")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_canary_names_become_valid_distinct_labels() {
        let (a, b) = ("a".repeat(100), format!("{}b", "a".repeat(99)));
        assert!(label_value(&a).len() <= 63);
        assert_ne!(label_value(&a), label_value(&b));
        assert_eq!(label_value("podinfo"), "podinfo");
    }
}
