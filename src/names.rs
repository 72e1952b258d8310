//! Every label, annotation, finalizer, field manager and derived object name. They are spelled only here.

use crate::text::first_chars;

/// Component name in Events, user agent and field managers.
pub const COMPONENT: &str = "serin";

/// The domain of Serin's own labels and annotations.
const DOMAIN: &str = "serin.dev";

/// All keys that created or adopted objects may have. Serin trusts them, so no one else may write
/// them there.
pub const OWN: [&str; 14] = [
    LABEL_CANARY,
    LABEL_TEMPLATE_OF,
    LABEL_METRIC,
    ANNOTATION_CANARY_UID,
    ANNOTATION_ORIGINAL,
    ANNOTATION_NAMESPACE,
    ANNOTATION_COPIED,
    ANNOTATION_EPOCH,
    ANNOTATION_WRITTEN,
    ANNOTATION_REVISION,
    ANNOTATION_RESTORED,
    ANNOTATION_CHECKSUM,
    ANNOTATION_SOURCE,
    ANNOTATION_FLOOR,
];

/// A label or annotation of Serin's own.
pub fn is_own(key: &str) -> bool {
    let domain = key.split_once('/').map_or("", |(domain, _)| domain);
    domain.strip_suffix(DOMAIN).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Finalizer on every Canary that Serin acts on; Flagger's own string, so that either can take over.
pub const FINALIZER: &str = "finalizer.flagger.app";

/// Label on every object Serin made: which Canary (by [`label_value`]) it was made for.
pub const LABEL_CANARY: &str = "serin.dev/canary";
/// Label on the immutable copies of promoted templates.
pub const LABEL_TEMPLATE_OF: &str = "serin.dev/template-of";

/// Label on the Job of a metric and on its pods: which metric (by [`metric_label`]).
pub const LABEL_METRIC: &str = "serin.dev/metric";

/// Annotation on the Job of a metric: the uid of its Canary, to distinguish it from Jobs of a former one of the same
/// name.
pub const ANNOTATION_CANARY_UID: &str = "serin.dev/canary-uid";
/// Annotation on an adopted object: JSON of the fields as they were before adoption.
pub const ANNOTATION_ORIGINAL: &str = "serin.dev/original";
/// Annotation on a cluster-scoped routing object: the namespace of its Canary.
pub const ANNOTATION_NAMESPACE: &str = "serin.dev/namespace";
/// Annotation on Services and routing objects of ours: the keys of labels and annotations that came from the spec, or from
/// the source of a copy.
pub const ANNOTATION_COPIED: &str = "serin.dev/copied";
/// Annotation on the route, the apex Service and the primary: the epoch of the run that wrote it.
pub const ANNOTATION_EPOCH: &str = "serin.dev/epoch";
/// Annotation on the route and the Services: RFC 3339 time of the write, from which settling is counted.
pub const ANNOTATION_WRITTEN: &str = "serin.dev/written";
/// Annotation on Services: the `trafficDistribution` that the Canary has set.
pub const ANNOTATION_DISTRIBUTION: &str = "serin.dev/traffic-distribution";
/// Annotation on an adopted Service and on the primary's: JSON of the `targetPort` that the Canary's port had, and the one
/// with which Serin has replaced it.
pub const ANNOTATION_TARGET_PORT: &str = "serin.dev/target-port";
/// Annotation on the primary: the revision hash of its template.
pub const ANNOTATION_REVISION: &str = "serin.dev/revision";
/// Annotation on the primary: the generation at which a damaged template was last restored.
pub const ANNOTATION_RESTORED: &str = "serin.dev/restored-at-generation";
/// Annotation that users set on an object that a Canary of this name may take over.
pub const ANNOTATION_ADOPT: &str = "serin.dev/adopt";
/// Annotation on a Canary with a request: `<verb>/<id>`, or JSON.
pub const ANNOTATION_REQUEST: &str = "serin.dev/request";
/// Annotation on a copy of a ConfigMap or Secret: checksum of its content.
pub const ANNOTATION_CHECKSUM: &str = "serin.dev/checksum";
/// Annotation on a ConfigMap or Secret, Flagger's: a value that begins with `disable` excludes it from tracking.
pub const ANNOTATION_CONFIG_TRACKING: &str = "flagger.app/config-tracking";
/// Annotation on the primary's autoscaler: hash of the spec it was made with, without any floor.
pub const ANNOTATION_SOURCE: &str = "serin.dev/source";
/// Annotation on the primary's autoscaler while a run raises its minimum: the number of pods that the primary keeps, and
/// the fields that are different for it.
pub const ANNOTATION_FLOOR: &str = "serin.dev/floor";
/// Part of all of KEDA's labels and annotations.
pub const KEDA: &str = "keda.sh/";
/// KEDA's annotation that keeps a workload at a number of pods.
pub const KEDA_PAUSED_REPLICAS: &str = "autoscaling.keda.sh/paused-replicas";
/// KEDA's annotation that keeps it from removing pods.
pub const KEDA_PAUSED_SCALE_IN: &str = "autoscaling.keda.sh/paused-scale-in";
/// Prefix of all annotations that pause KEDA.
pub const KEDA_PAUSED: &str = "autoscaling.keda.sh/paused";
/// Key in the node selector of a DaemonSet's pods that no node has: no pods. Flagger's, so that either can take over.
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
/// Helm's annotation on objects of a release: the name of the release.
pub const HELM_RELEASE: &str = "meta.helm.sh/release-name";
/// Annotation and value that make Helm keep an object that is removed from its chart.
pub const HELM_KEEP: (&str, &str) = ("helm.sh/resource-policy", "keep");
/// Annotation on a CustomResourceDefinition: its version of Serin.
pub const ANNOTATION_VERSION: &str = "serin.dev/version";
/// kubectl's record of the last `apply`.
pub const ANNOTATION_KUBECTL: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The Lease of the active operator, under Flagger's name, so that each stops while the other is active.
pub const LEASE: &str = "flagger-leader-election";
/// Prefix of holders that are Serin's. Flagger's begin with the name of their host.
pub const LEASE_HOLDER: &str = "serin_";

/// Prefix of our field managers.
pub const MANAGERS: &str = "serin/";

/// Field managers, one per concern, so that managedFields shows who wrote which field.
pub mod managers {
    /// Workloads, Services and stored templates.
    pub const WORKLOAD: &str = "serin/workload";
    /// Routing objects.
    pub const ROUTE: &str = "serin/route";
    /// The scale subresource.
    pub const SCALE: &str = "serin/scale";
    /// Jobs of metrics.
    pub const JOB: &str = "serin/job";
    /// Records of runs.
    pub const RECORD: &str = "serin/record";
    /// CustomResourceDefinitions.
    pub const DEFINITION: &str = "serin/definition";
    /// The Lease of the active operator.
    pub const LEASE: &str = "serin/lease";
    /// Status and finalizers of Canaries.
    pub const STATUS: &str = "serin/status";
}

/// Header of webhook calls: `uid/epoch/step/attempt`; the same if the call is repeated after a crash.
pub const HEADER_REQUEST_ID: &str = "serin-request-id";

/// Condition types on a Canary.
pub mod conditions {
    /// Flagger's own condition.
    pub const PROMOTED: &str = "Promoted";
    /// False: the spec or its environment keeps Serin from acting; the message says what to fix.
    pub const ACCEPTED: &str = "Accepted";
    /// True: the message lists fields that are accepted but have no effect.
    pub const NOT_YET_SERVED: &str = "NotYetServed";
    /// True: the metrics server cannot be read, so the run neither advances nor fails.
    pub const FROZEN: &str = "Frozen";
    /// True: the latest window had failed checks; the message lists all of them.
    pub const HALTED: &str = "Halted";
    /// True: the latest measurements say neither yes nor no, so the run keeps its weight.
    pub const INCONCLUSIVE: &str = "Inconclusive";
    /// True: the run waits for somebody, or for a webhook; the message says how to continue it.
    pub const PAUSED: &str = "Paused";
    /// True: people hold the run at its weight; the message says who, and how to continue it.
    pub const HELD: &str = "Held";
    /// False: the primary has fewer pods than when the run began, or the canary fewer than its share of the traffic needs.
    pub const CAPACITY: &str = "Capacity";
    /// False: the Job of a metric is running; the message says which, and why it does not start.
    pub const JOB_ENDED: &str = "JobEnded";
    /// True: the number of runs has reached its limit, so this revision waits for its turn.
    pub const QUEUED: &str = "Queued";
    /// True: the Canary is suspended, so nothing changes.
    pub const SUSPENDED: &str = "Suspended";
    /// False: the proxies are known not to follow the route; the message says why.
    pub const ROUTE_FOLLOWED: &str = "RouteFollowed";
    /// False: pods have been awaited for longer than an interval; the message says why they are not ready.
    pub const PODS_READY: &str = "PodsReady";
    /// False: what happens in the run is not recorded; the message says what to fix.
    pub const RECORDED: &str = "Recorded";
    /// False: the operator does not see kinds that the Canary depends on, so its data about them may be old.
    pub const OBSERVED: &str = "Observed";
    /// True: another party reverts what Serin writes; the message names it, and the object.
    pub const CONTESTED: &str = "Contested";
    /// True: the spec works but probably not as intended.
    pub const ADVISORY: &str = "Advisory";
    /// True: the target's revision is promoted. Unknown: a run or its preparation is in progress. False: see
    /// [`STALLED`].
    pub const READY: &str = "Ready";
    /// True: something is in progress whose end tools may wait for. Never together with [`STALLED`].
    pub const RECONCILING: &str = "Reconciling";
    /// True: without a change of the target or of the Canary its revision will not be promoted.
    pub const STALLED: &str = "Stalled";

    /// Reason of [`PROMOTED`]: the target's revision was declined before its run began.
    pub const DECLINED: &str = "Declined";
}

/// Value of [`LABEL_CANARY`] for a Canary name: the name, or its tail-hashed short form past 63 characters.
pub fn label_value(canary: &str) -> String {
    if canary.len() <= 63 {
        return canary.to_owned();
    }
    let cut = first_chars(canary, 54);
    format!("{}-{:08x}", cut.trim_end_matches(['-', '.', '_']), hash(canary))
}

/// FNV-1a, 64 bits. Names in clusters and ids in statuses depend on it, so it must not change.
pub(crate) fn checksum(text: &str) -> u64 {
    let step = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, step)
}

/// The low half of the [`checksum`].
fn hash(text: &str) -> u32 {
    checksum(text) as u32
}

/// Value of [`LABEL_METRIC`] for the name of a metric: the name, or if that is not a valid label value, a form that
/// ends with a hash.
pub fn metric_label(metric: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric();
    let within = metric.chars().all(|c| plain(c) || "-_.".contains(c));
    if within && metric.len() <= 63 && metric.starts_with(plain) && metric.ends_with(plain) {
        return metric.to_owned();
    }
    format!("{}-{:08x}", slug(metric, 50), hash(metric))
}

/// At most `most` characters of a text, as allowed in names of objects; never empty.
fn slug(text: &str, most: usize) -> String {
    let kept = text.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let kept = first_chars(kept.trim_matches('-'), most);
    let kept = kept.trim_end_matches('-');
    if kept.is_empty() { "x".into() } else { kept.to_owned() }
}

/// Suffix of the names of objects for the primary.
const PRIMARY: &str = "-primary";

/// `<name>-primary`: the generated workload, Service, label value.
pub fn primary(name: &str) -> String {
    format!("{name}{PRIMARY}")
}

/// The name whose [`primary`] this is, if it is one.
pub fn of_primary(name: &str) -> Option<&str> {
    name.strip_suffix(PRIMARY)
}

/// `<canary>-<number>`: the record of a run; for a name that is too long, its tail-hashed short form.
pub fn run(canary: &str, number: i64) -> String {
    let name = format!("{canary}-{number}");
    if name.len() <= 253 { name } else { format!("{}-{number}", label_value(canary)) }
}

/// Longest name of a Job: its pods have it as a label.
const LONGEST_JOB: usize = 63;

/// `<canary>-<run>-<metric>-<number>`: the Job of a measurement. If that is not a valid name, or if numbers in the
/// names of Canary or metric could be confused with the run's, a form with a hash.
pub fn job(canary: &str, run: i64, metric: &str, number: i32) -> String {
    let name = format!("{canary}-{run}-{metric}-{number}");
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let number_in = |name: &str| name.split('-').any(|part| part.chars().all(|c| c.is_ascii_digit()));
    let told_apart = !number_in(canary) && !number_in(metric);
    if name.len() <= LONGEST_JOB && name.chars().all(plain) && told_apart {
        return name;
    }
    let tail = format!("-{:08x}-{run}-{number}", hash(&format!("{canary}/{metric}")));
    let head = slug(&format!("{canary}-{metric}"), LONGEST_JOB.saturating_sub(tail.len()));
    format!("{head}{tail}")
}

/// The API server accepts it as the name of a port of a Service.
pub fn is_dns_label(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&name.len())
        && name.chars().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
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

    #[test]
    fn jobs_of_two_canaries_have_names_of_their_own() {
        assert_eq!(job("app", 1, "load", 2), "app-1-load-2");
        assert_ne!(job("app", 1, "2-load", 3), job("app-1", 2, "load", 3));
        assert_ne!(job("app", 1, "x-2-y", 3), job("app-1-x", 2, "y", 3));
        assert!(job("app-1", 2, "load", 3).len() <= LONGEST_JOB);
    }

    #[test]
    fn the_checksum_stays_what_names_were_made_with() {
        assert_eq!((checksum(""), checksum("a")), (0xcbf2_9ce4_8422_2325, 0xaf63_dc4c_8601_ec8c));
        assert_eq!(hash("a"), 0x8601_ec8c);
    }

    #[test]
    fn jobs_are_named_after_what_they_measure() {
        assert_eq!(job("chip", 2, "warm-up", 1), "chip-2-warm-up-1");
        let odd = job("chip", 2, "Warm up #2", 3);
        assert!(odd.starts_with("chip-warm-up--2-") && odd.ends_with("-2-3"), "{odd}");
        assert_ne!(job("chip", 2, "Warm up #2", 3), job("chip", 2, "warm up #2", 3));
        let long = job(&"a".repeat(200), i64::MAX, &"é".repeat(200), i32::MAX);
        assert!(long.len() <= 63 && long.starts_with('a'), "{long}");
        assert_eq!(metric_label("warm_up.1"), "warm_up.1");
        for odd in ["a b", "-a", "é", "", &"a".repeat(64)] {
            let label = metric_label(odd);
            assert!(label.len() <= 63 && label.starts_with(|c: char| c.is_ascii_alphanumeric()), "{label}");
        }
    }
}
