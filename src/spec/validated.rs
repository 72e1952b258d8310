//! The one fallible gate from what users wrote to what the pure core uses: defaults filled, numbers in range,
//! names derived. Errors are [`Problem`]s for people, never errors of the program.

use std::{ops::Deref, time::Duration};

use super::{
    canary_replicas::CanaryReplicas,
    gates::{self, Gates},
    metric_names,
    pause::{self, Apex, Pause},
    problem::Problem,
    schedule::{Step, Strategy, schedule, strategy},
    target::Target,
    windows::{self, Window},
};
use crate::{
    api::{Canary, CanaryAnalysis, CanaryMetric, CanaryService, CanarySpec, duration},
    config::{Ingress, Rules},
    names,
};

/// Names derived from a Canary; all in its namespace.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Names {
    /// The user's workload.
    pub target: String,
    /// The generated workload, or the copy of a Service: `<target>-primary`.
    pub primary: String,
    /// The Service that users call; also the name of the routing object.
    pub apex: String,
    /// `<apex>-primary`.
    pub primary_service: String,
    /// `<apex>-canary`.
    pub canary_service: String,
}

/// A Canary with a valid spec. Only [`validate`] makes one, and nothing changes it afterwards.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Validated(CheckedSpec);

/// The content of a [`Validated`].
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct CheckedSpec {
    /// Name of the Canary.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Derived names.
    pub names: Names,
    /// The kind of the target.
    pub target: Target,
    /// Provider, e.g. `istio`: the spec's, or the operator's default.
    pub provider: String,
    /// Settings of generated routing objects of ingress controllers.
    pub ingress: Ingress,
    /// Kuma mesh of its Services.
    pub mesh: String,
    /// Prometheus for built-in checks and inline queries.
    pub metrics_server: String,
    /// The spec as written.
    pub spec: CanarySpec,
    /// `spec.service`; empty for a target that needs none.
    pub service: CanaryService,
    /// `spec.analysis`, or `spec.canaryAnalysis`.
    pub analysis: CanaryAnalysis,
    /// Its Services have a former port, or had one a moment ago: a route has to name the one that it leads to.
    pub names_port: bool,
    /// The old gateway rule: `mesh` is appended to the given gateways.
    pub mesh_appended: bool,
    /// How users get a new revision.
    pub strategy: Strategy,
    /// The steps of a run, in order; never empty.
    pub schedule: Vec<Step>,
    /// Percent moved back per promotion step; 0 moves all at once.
    pub promotion_step: i32,
    /// Time between checks, at least 1 s.
    pub interval: Duration,
    /// Failed checks that end a run, at least 1.
    pub threshold: i32,
    /// How long pods may take to become ready.
    pub deadline: Duration,
    /// Settle time set by the Canary itself.
    pub settle: Option<Duration>,
    /// How long the target keeps its pods after losing its traffic.
    pub linger: Duration,
    /// How the apex Service moves users, if nothing else does.
    pub apex: Apex,
    /// How a run waits before it is promoted, if it does.
    pub pause: Option<Pause>,
    /// Gates that people open.
    pub gates: Gates,
    /// When releases may continue; none: at any time.
    pub windows: Vec<Window>,
    /// Number of pods for the analysis of a new version. None: as many as the primary has.
    pub canary_replicas: Option<CanaryReplicas>,
    /// Promote without analysis.
    pub skip_analysis: bool,
    /// Checks that are served, in list order, under their current names.
    pub metrics: Vec<CanaryMetric>,
}

impl Validated {
    /// The same with the primary instead of the target, for queries about the primary.
    #[must_use]
    pub fn for_primary(&self) -> Self {
        let mut other = self.clone();
        other.0.names.target.clone_from(&self.names.primary);
        other
    }

    /// The same with this apex, for objects that it made under a former `spec.service.name`.
    #[must_use]
    pub fn with_apex(&self, apex: &str) -> Self {
        let mut other = self.clone();
        other.0.names.primary_service = names::primary(apex);
        other.0.names.canary_service = names::canary(apex);
        apex.clone_into(&mut other.0.names.apex);
        other
    }

    /// The name of the Canary's port.
    #[must_use]
    pub fn port_name(&self) -> &str {
        self.service.port_name.as_deref().filter(|name| !name.is_empty()).unwrap_or("http")
    }

    /// The same with this port, for routes to Services whose port is being replaced.
    #[must_use]
    pub fn with_port(&self, port: i32) -> Self {
        let mut other = self.clone();
        (other.0.service.port, other.0.names_port) = (port, true);
        other
    }

    /// The same with an apex that moves users this way.
    #[must_use]
    pub fn with_moving_apex(&self, apex: Apex) -> Self {
        let mut other = self.clone();
        other.0.apex = apex;
        other
    }

    /// The same with these values instead of its own, for claims that are not allowed.
    #[must_use]
    pub fn with_claims(&self, service: CanaryService, analysis: CanaryAnalysis) -> Self {
        let mut other = self.clone();
        (other.0.service, other.0.analysis) = (service, analysis);
        other
    }

    /// A Canary with these fields, valid or not.
    #[cfg(test)]
    pub(crate) fn unchecked(fields: CheckedSpec) -> Self {
        Self(fields)
    }
}

impl Deref for Validated {
    type Target = CheckedSpec;

    fn deref(&self) -> &CheckedSpec {
        &self.0
    }
}

/// Tests merge in the fields that they are about.
#[cfg(test)]
impl std::ops::DerefMut for Validated {
    fn deref_mut(&mut self) -> &mut CheckedSpec {
        &mut self.0
    }
}

/// Why a Canary is not acted on at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The spec is contradictory or incomplete.
    Invalid(Problem),
    /// Provider, kind of target or strategy that is not served: each a field path with a short reason.
    Unserved(Vec<String>),
}

/// Longest name of an apex Service: with `-primary` it must fit into the 63 characters of a Service name.
const MAX_APEX: usize = 63 - "-primary".len();

/// Checks and fills in a Canary.
///
/// # Errors
/// The first reason to refuse it.
pub fn validate(canary: &Canary, rules: &Rules) -> Result<Validated, Denial> {
    let spec = &canary.spec;
    let analysis = canary.analysis().cloned().ok_or_else(|| {
        invalid("spec.analysis is missing: say how a new revision is to be analysed (interval, threshold, stepWeight)")
    })?;
    let provider =
        spec.provider.clone().filter(|p| !p.is_empty()).unwrap_or_else(|| rules.mesh_provider.clone());
    let kind = served_target(spec)?;
    routed(kind, &provider)?;
    let service = service(spec, kind)?;
    let names = names(spec, &service, kind)?;
    let skip_analysis = spec.skip_analysis.unwrap_or(false);
    let strategy = strategy(&analysis);
    let apex_moves = pause::apex(&provider, &analysis, strategy);
    let moves = switches(&provider) || apex_moves != Apex::Stays;
    let schedule = schedule(&analysis, moves, skip_analysis).map_err(Denial::Invalid)?;
    let pause = pause::pause(&analysis, strategy, schedule.len()).map_err(Denial::Invalid)?;
    let gates = gates::gates(&analysis, &schedule, pause.as_ref()).map_err(Denial::Invalid)?;
    let windows = windows::windows(&analysis).map_err(Denial::Invalid)?;
    let metrics = served_metrics(&analysis);
    Ok(Validated(CheckedSpec {
        name: canary.metadata.name.clone().unwrap_or_default(),
        namespace: canary.metadata.namespace.clone().unwrap_or_default(),
        names,
        target: kind,
        provider,
        ingress: rules.ingress.clone(),
        mesh: canary.kuma_mesh(),
        metrics_server: spec
            .metrics_server
            .clone()
            .filter(|s| !s.is_empty())
            .unwrap_or_else(|| rules.metrics_server.clone()),
        names_port: false,
        mesh_appended: spec.canary_analysis.is_some(),
        promotion_step: analysis.step_weight_promotion.unwrap_or(0).clamp(0, 100),
        interval: interval(analysis.interval.as_deref()),
        threshold: analysis.threshold.unwrap_or(0).max(1),
        deadline: Duration::from_secs(spec.progress_deadline_seconds.filter(|s| *s > 0).unwrap_or(600) as u64),
        settle: spec.settle_time.as_deref().and_then(duration::parse),
        spec: spec.clone(),
        service,
        linger: linger(spec)?,
        apex: apex_moves,
        pause,
        gates,
        windows,
        canary_replicas: CanaryReplicas::of(&analysis),
        strategy,
        analysis,
        schedule,
        skip_analysis,
        metrics,
    }))
}

/// The known parts of a Canary whose spec may be invalid: where its objects send users, though not how it is analysed.
/// Enough to take traffic back. None if not even that is known.
pub fn known(canary: &Canary, rules: &Rules) -> Option<Validated> {
    if let Ok(valid) = validate(canary, rules) {
        return Some(valid);
    }
    let written = canary.analysis().cloned().unwrap_or_default();
    let analysis = CanaryAnalysis {
        interval: written.interval,
        threshold: written.threshold,
        match_: written.match_,
        iterations: written.iterations,
        step_weight: Some(100),
        session_affinity: written.session_affinity,
        ..CanaryAnalysis::default()
    };
    let pinned = CanaryAnalysis { always: written.always, never: written.never, ..analysis.clone() };
    let valid = |analysis: CanaryAnalysis| {
        let mut reduced = canary.clone();
        let old_name = reduced.spec.canary_analysis.is_some() && reduced.spec.analysis.is_none();
        let place = if old_name { &mut reduced.spec.canary_analysis } else { &mut reduced.spec.analysis };
        *place = Some(analysis);
        reduced.spec.canary_scale_down_delay = None;
        reduced.spec.autoscaler_ref = None;
        validate(&reduced, rules).ok()
    };
    valid(pinned).or_else(|| valid(analysis))
}

fn names(spec: &CanarySpec, service: &CanaryService, kind: Target) -> Result<Names, Denial> {
    let target = spec.target_ref.name.clone();
    let apex = apex(service, kind, &target)?;
    Ok(Names {
        primary: names::primary(&target),
        primary_service: names::primary(&apex),
        canary_service: names::canary(&apex),
        target,
        apex,
    })
}

fn invalid(message: impl Into<String>) -> Denial {
    Denial::Invalid(Problem::new("InvalidSpec", message))
}

/// Time between checks: at least 1 s; an invalid one is 60 s, as in Flagger.
fn interval(text: Option<&str>) -> Duration {
    text.and_then(duration::parse).map_or(Duration::from_secs(60), |d| d.max(Duration::from_secs(1)))
}

fn linger(spec: &CanarySpec) -> Result<Duration, Denial> {
    let Some(text) = spec.canary_scale_down_delay.as_deref() else { return Ok(Duration::ZERO) };
    duration::parse(text)
        .ok_or_else(|| invalid(format!("spec.canaryScaleDownDelay: {text:?} is not a duration such as 30s")))
}

/// A Knative Service can only route itself.
fn routed(kind: Target, provider: &str) -> Result<(), Denial> {
    match (kind.holds_both(), provider == "knative") {
        (true, false) => Err(invalid(format!(
            "spec.provider is {provider}, but a Knative Service routes itself: set it to knative"
        ))),
        (false, true) => Err(invalid(
            "spec.provider is knative, which routes Knative Services only: name one in spec.targetRef, with the apiVersion serving.knative.dev/v1, or choose another provider",
        )),
        _ => Ok(()),
    }
}

fn service(spec: &CanarySpec, kind: Target) -> Result<CanaryService, Denial> {
    if kind.holds_both() {
        return Ok(spec.service.clone().unwrap_or_default());
    }
    let service = spec.service.clone().ok_or_else(|| {
        invalid("spec.service.port is missing: name the port under which the Services are to be reached")
    })?;
    if !(1..=65_535).contains(&service.port) {
        return Err(invalid(format!(
            "spec.service.port is {}: it must be between 1 and 65535",
            service.port
        )));
    }
    let named = service.port_name.as_deref().filter(|name| !name.is_empty());
    if let Some(name) = named.filter(|name| !names::is_dns_label(name)) {
        return Err(invalid(format!(
            "spec.service.portName is {name}: use lower case letters, digits and -, at most 63 characters, the first and the last of them no -"
        )));
    }
    Ok(service)
}

fn apex(service: &CanaryService, kind: Target, target: &str) -> Result<String, Denial> {
    let apex = service.name.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| target.to_owned());
    if apex.len() > MAX_APEX && !kind.holds_both() {
        return Err(invalid(format!(
            "the apex name {apex} has {} characters: set spec.service.name to one of at most {MAX_APEX}, because -primary and -canary are appended",
            apex.len()
        )));
    }
    if matches!(kind, Target::Service | Target::Knative) && apex != target {
        return Err(invalid(format!(
            "spec.service.name is {apex}, but users of a Service as target call that itself: leave it out, or name {target}"
        )));
    }
    Ok(apex)
}

fn served_target(spec: &CanarySpec) -> Result<Target, Denial> {
    let mut list = Vec::new();
    let target = Target::named(&spec.target_ref);
    if target.is_none() {
        list.push(format!(
            "spec.targetRef: {} of {} (served are Deployment and DaemonSet of apps/v1, and Service of v1 or of serving.knative.dev/v1)",
            spec.target_ref.kind, spec.target_ref.api_version
        ));
    }
    if target.is_some_and(|kind| kind != Target::Deployment) && spec.autoscaler_ref.is_some() {
        return Err(invalid(format!(
            "spec.autoscalerRef: a {} has no replicas that could be scaled: leave it out",
            spec.target_ref.kind
        )));
    }
    if let Some(scaler) = spec.autoscaler_ref.as_ref().filter(|s| !SCALERS.contains(&s.kind.as_str())) {
        list.push(format!(
            "spec.autoscalerRef.kind: {} (only {} are served)",
            scaler.kind,
            SCALERS.join(" and ")
        ));
    }
    target.filter(|_| list.is_empty()).ok_or(Denial::Unserved(list))
}

/// Kinds of autoscalers that are served.
const SCALERS: [&str; 2] = ["HorizontalPodAutoscaler", "ScaledObject"];

/// The provider can send all users to the canary: plain Services cannot, unless configured to.
fn switches(provider: &str) -> bool {
    provider != "kubernetes"
}

/// Checks that have something to query, built-in ones under their current names.
fn served_metrics(analysis: &CanaryAnalysis) -> Vec<CanaryMetric> {
    let named = |metric: &CanaryMetric| match metric_names::canonical(&metric.name) {
        Some(name) => Some(CanaryMetric { name: name.into(), ..metric.clone() }),
        None => has_query(metric).then(|| metric.clone()),
    };
    analysis.metrics.iter().filter_map(named).collect()
}

/// It has its own query, or a MetricTemplate with one.
pub(super) fn has_query(metric: &CanaryMetric) -> bool {
    metric.template_ref.is_some() || metric.query.as_deref().is_some_and(|q| !q.trim().is_empty())
}
