//! Canary: its spec at the top.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    analysis::CanaryAnalysis,
    references::{AutoscalerRef, LocalRef, RouteRef, TargetRef, UpstreamRef},
    service::CanaryService,
    status::CanaryStatus,
};
use crate::{api::schema, names};

/// How new versions of one workload are released.
#[derive(CustomResource, JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "flagger.app",
    version = "v1beta1",
    kind = "Canary",
    plural = "canaries",
    namespaced,
    category = "all",
    status = "CanaryStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Releases new versions of one workload step by step, and takes them back when they do badly."
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rule(
    "has(self.analysis) || has(self.canaryAnalysis)",
    "analysis is needed",
)))]
pub struct CanarySpec {
    /// What routes the traffic. Default: the operator's `--mesh-provider`. `appmesh`, `smi` and `osm` are accepted so
    /// that old objects stay valid, but are not served.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = [
        "apisix", "appmesh", "appmesh:v1beta2", "contour", "gatewayapi:v1", "gatewayapi:v1beta1", "gloo", "istio",
        "knative", "kubernetes", "kuma", "linkerd", "nginx", "osm", "skipper", "smi:v1alpha1", "smi:v1alpha2",
        "smi:v1alpha3", "traefik",
    ]))]
    pub provider: Option<String>,
    /// URL of the Prometheus that answers built-in checks and inline queries. Default: the operator's
    /// `--metrics-server`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_server: Option<String>,
    /// The workload whose new versions are released.
    pub target_ref: TargetRef,
    /// The autoscaler of the workload; the primary gets a copy of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoscaler_ref: Option<AutoscalerRef>,
    /// The Ingress of the workload (`nginx` and `skipper`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("properties" = LocalRef::properties_of("Ingress")))]
    pub ingress_ref: Option<LocalRef>,
    /// The user's route to the workload: an APISIX route (`apisix`), which is copied, or a VirtualService (`istio`), of
    /// which only the weights of one http route are written. Without one, `istio` makes a VirtualService.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route_ref: Option<RouteRef>,
    /// The Gloo Upstream whose settings generated Upstreams are given (`gloo`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_ref: Option<UpstreamRef>,
    /// How users reach the workload. Needed for every target but a Knative Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<CanaryService>,
    /// How a new version is judged, and how fast it gets traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = schema::rules([(
    "(has(self.iterations) ? 1 : 0) + (has(self.stepWeight) ? 1 : 0) + (has(self.stepWeights) ? 1 : 0) + \
     (has(self.steps) ? 1 : 0) <= 1",
    "only one of iterations, stepWeight, stepWeights and steps can be given",
), (
    "!has(self.match) || size(self.match) == 0 || !has(self.always) && !has(self.never)",
    "match cannot be given together with always or never",
)])))]
    pub analysis: Option<CanaryAnalysis>,
    /// The name of `analysis` before v1beta1; read when `analysis` is absent. With it, `mesh` is appended to the given
    /// `service.gateways`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_analysis: Option<CanaryAnalysis>,
    /// Seconds that pods of canary and primary may take to become ready before a run fails. Default: 600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress_deadline_seconds: Option<i32>,
    /// Promote new versions without analysis. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_analysis: Option<bool>,
    /// Give traffic and replicas back to the target when the Canary is deleted. Default: true. `false` leaves the
    /// generated objects running as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revert_on_deletion: Option<bool>,
    /// Leave everything as it is until this is unset. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// Any text that a chart changes with each release, such as its revision. Nothing depends on it: it makes the Canary change
    /// together with its target, so that tools that wait do not take the state of the former release for that of this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub release: Option<String>,
    /// How long the proxies get to learn of a change of traffic before pods are removed, as a duration such as `3s` or
    /// `500ms`. Default: the operator's `--settle-time`, or what the provider is known to need.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$"), length(max = 64))]
    pub settle_time: Option<String>,
    /// How long the target keeps its pods after its traffic has left it, at the end of every run, as a duration such as
    /// `30s`. Default: 0, they go once the proxies have learned of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$"), length(max = 64))]
    pub canary_scale_down_delay: Option<String>,
}

impl Canary {
    /// The analysis, under either field name.
    pub fn analysis(&self) -> Option<&CanaryAnalysis> {
        self.spec.analysis.as_ref().or(self.spec.canary_analysis.as_ref())
    }

    /// The texts of its metrics' conditions.
    pub fn conditions(&self) -> impl Iterator<Item = &str> {
        let metrics = self.analysis().map(|a| a.metrics.as_slice()).unwrap_or_default();
        metrics.iter().flat_map(|metric| metric.verdict.conditions())
    }

    /// The Kuma mesh of its Services.
    pub fn kuma_mesh(&self) -> String {
        let annotations = self.metadata.annotations.as_ref();
        let named = annotations.and_then(|all| all.get(names::KUMA_MESH)).filter(|name| !name.is_empty());
        named.cloned().unwrap_or_else(|| "default".to_owned())
    }
}
