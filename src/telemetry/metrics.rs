//! Every metric of the operator in one struct: names, help texts, labels.
//!
//! `flagger_*` have Flagger's names and labels, so that dashboards and alerts keep working; `name` is the *target*,
//! as in Flagger. `serin_*` are about the operator itself. Label values are object names and fixed words only: never
//! addresses, never answers of servers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64},
    },
    time::Duration,
};

use jiff::Timestamp;
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::{
    api_requests::ApiRequests,
    buckets::{DEFAULT, LATENESS, RECONCILE, RUN},
    canaries::{self, Canaries, Ended, Shown},
    catalog,
    hooks::HookMetrics,
    labels::{
        AlertLabels, AnalysisLabels, BuildLabels, InfoLabels, KindLabels, NamespaceLabels, OutcomeLabels,
        QueryLabels, ResultLabels, RunLabels, RunOutcomeLabels, TargetLabels, WorkloadLabels,
        analysis_labels, result_labels, target_labels, workloads,
    },
    outcome::Outcome,
    process::Process,
};

type IntGauge = Gauge<i64, AtomicI64>;
type FloatGauge = Gauge<f64, AtomicU64>;
type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Which optional label values one target has used, so that its series can be removed.
#[derive(Debug, Default)]
struct Used {
    metrics: BTreeSet<String>,
    results: BTreeSet<(String, String)>,
}

/// The operator's metrics. Shared by reference; every method may be called from anywhere at any time.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    total: Family<NamespaceLabels, IntGauge>,
    status: Family<TargetLabels, IntGauge>,
    weight: Family<WorkloadLabels, IntGauge>,
    duration: Histograms<TargetLabels>,
    analysis: Family<AnalysisLabels, FloatGauge>,
    successes: Family<ResultLabels, Counter>,
    failures: Family<ResultLabels, Counter>,
    reconciles: Family<OutcomeLabels, Counter>,
    reconcile_seconds: Histogram,
    query_seconds: Histograms<QueryLabels>,
    undecodable: Family<KindLabels, IntGauge>,
    stale: Family<KindLabels, IntGauge>,
    lateness: Histogram,
    events_dropped: Counter,
    alerts: Family<AlertLabels, Counter>,
    canaries: Canaries,
    run_seconds: Histograms<RunLabels>,
    exposure: Histograms<RunOutcomeLabels>,
    leading: IntGauge,
    queue_depth: IntGauge,
    queue_running: IntGauge,
    watch_seen: Family<KindLabels, FloatGauge>,
    interruptions: Family<KindLabels, Counter>,
    /// About requests to the API server.
    pub api: ApiRequests,
    /// About calls of webhooks.
    pub hooks: HookMetrics,
    used: Mutex<BTreeMap<(String, String), Used>>,
    emptied: Mutex<BTreeSet<String>>,
    shown_stale: Mutex<BTreeSet<String>>,
}

fn default_histogram() -> Histogram {
    Histogram::new(DEFAULT)
}

fn run_histogram() -> Histogram {
    Histogram::new(RUN)
}

impl Metrics {
    /// All metrics, empty except for the two that describe the running version. `mesh_provider` is the operator's
    /// default.
    pub fn new(mesh_provider: &str) -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            total: Family::default(),
            status: Family::default(),
            weight: Family::default(),
            duration: Family::new_with_constructor(default_histogram),
            analysis: Family::default(),
            successes: Family::default(),
            failures: Family::default(),
            reconciles: Family::default(),
            reconcile_seconds: Histogram::new(RECONCILE),
            query_seconds: Family::new_with_constructor(default_histogram),
            undecodable: Family::default(),
            stale: Family::default(),
            lateness: Histogram::new(LATENESS),
            events_dropped: Counter::default(),
            alerts: Family::default(),
            canaries: Canaries::default(),
            run_seconds: Family::new_with_constructor(run_histogram),
            exposure: Family::new_with_constructor(run_histogram),
            leading: IntGauge::default(),
            queue_depth: IntGauge::default(),
            queue_running: IntGauge::default(),
            watch_seen: Family::default(),
            interruptions: Family::default(),
            api: ApiRequests::default(),
            hooks: HookMetrics::default(),
            used: Mutex::default(),
            emptied: Mutex::default(),
            shown_stale: Mutex::default(),
        };
        metrics.register_rollouts(mesh_provider);
        metrics.register_operator();
        metrics
    }

    /// Names and help texts are those of the catalogue. The encoder appends `_total` to the names of counters.
    fn register<M: prometheus_client::registry::Metric>(&mut self, name: &str, metric: M) {
        let (name, help) = catalog::named(name);
        self.registry.register(name, help, metric);
    }

    /// Flagger's metrics, and the metrics of each Canary.
    fn register_rollouts(&mut self, mesh_provider: &str) {
        let info = Family::<InfoLabels, IntGauge>::default();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        info.get_or_create(&InfoLabels { version, mesh_provider: mesh_provider.to_owned() }).set(1);
        self.register("flagger_info", info);
        self.register("flagger_canary_total", self.total.clone());
        self.register("flagger_canary_status", self.status.clone());
        self.register("flagger_canary_weight", self.weight.clone());
        self.register("flagger_canary_duration_seconds", self.duration.clone());
        self.register("flagger_canary_metric_analysis", self.analysis.clone());
        self.register("flagger_canary_successes_total", self.successes.clone());
        self.register("flagger_canary_failures_total", self.failures.clone());
        self.register("serin_run_duration_seconds", self.run_seconds.clone());
        self.register("serin_run_exposure_seconds", self.exposure.clone());
        self.registry.register_collector(Box::new(self.canaries.clone()));
    }

    fn register_operator(&mut self) {
        let build = Family::<BuildLabels, IntGauge>::default();
        build.get_or_create(&BuildLabels { version: env!("CARGO_PKG_VERSION").to_owned() }).set(1);
        self.hooks.register(&mut self.registry);
        self.api.register(&mut self.registry);
        self.register("serin_build_info", build);
        // `increase` does not see the first value of a series
        for outcome in Outcome::ALL {
            drop(self.reconciles.get_or_create(&OutcomeLabels { outcome }));
        }
        self.register("serin_reconcile_total", self.reconciles.clone());
        self.register("serin_reconcile_duration_seconds", self.reconcile_seconds.clone());
        self.register("serin_leader", self.leading.clone());
        self.register("serin_queue_depth", self.queue_depth.clone());
        self.register("serin_queue_running", self.queue_running.clone());
        self.register("serin_source_query_seconds", self.query_seconds.clone());
        self.register("serin_undecodable_objects", self.undecodable.clone());
        self.register("serin_stale_kinds", self.stale.clone());
        self.register("serin_watch_seen_timestamp_seconds", self.watch_seen.clone());
        self.register("serin_watch_interruptions_total", self.interruptions.clone());
        self.register("serin_step_lateness_seconds", self.lateness.clone());
        self.register("serin_events_dropped_total", self.events_dropped.clone());
        self.register("serin_alerts_total", self.alerts.clone());
        self.registry.register_collector(Box::new(Process));
    }

    /// All metrics in the OpenMetrics text format.
    pub fn exposition(&self) -> String {
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.registry) {
            tracing::error!(%error, "the metrics cannot be encoded");
        }
        let mut emptied = lock(&self.emptied);
        for namespace in std::mem::take(&mut *emptied) {
            self.total.remove(&NamespaceLabels { namespace });
        }
        text
    }

    /// Number of Canaries of a namespace, whenever it changes. A namespace without any is shown as 0 once, then
    /// removed.
    pub fn set_total(&self, namespace: &str, count: usize) {
        let mut emptied = lock(&self.emptied);
        emptied.remove(namespace);
        let labels = NamespaceLabels { namespace: namespace.to_owned() };
        self.total.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        if count == 0 {
            emptied.insert(namespace.to_owned());
        }
    }

    /// Status of a rollout: 0 running, 1 successful or between runs, 2 failed.
    pub fn set_status(&self, target: &str, namespace: &str, status: i64) {
        self.status.get_or_create(&target_labels(target, namespace)).set(status);
    }

    /// Percent of traffic to the primary and to the canary, each 0 to 100.
    pub fn set_weight(&self, target: &str, namespace: &str, primary: i32, canary: i32) {
        for (labels, weight) in workloads(target, namespace).iter().zip([primary, canary]) {
            self.weight.get_or_create(labels).set(i64::from(weight));
        }
    }

    /// Last value of an analysis metric; seconds for `request-duration`, percent for `request-success-rate`.
    pub fn set_analysis(&self, target: &str, namespace: &str, metric: &str, value: f64) {
        lock(&self.used).entry(key(target, namespace)).or_default().metrics.insert(metric.to_owned());
        self.analysis.get_or_create(&analysis_labels(target, namespace, metric)).set(value);
    }

    /// Time spent on the checks of one analysis window.
    pub fn observe_check(&self, target: &str, namespace: &str, seconds: f64) {
        self.duration.get_or_create(&target_labels(target, namespace)).observe(seconds);
    }

    /// Counts a promoted rollout. `strategy` is `canary`, `blue-green` or `ab-testing`, `analysis` is `completed` or
    /// `skipped`.
    pub fn success(&self, target: &str, namespace: &str, strategy: &str, analysis: &str) {
        self.count(&self.successes, target, namespace, strategy, analysis);
    }

    /// Counts a rolled back rollout; words as in [`Metrics::success`].
    pub fn failure(&self, target: &str, namespace: &str, strategy: &str, analysis: &str) {
        self.count(&self.failures, target, namespace, strategy, analysis);
    }

    fn count(
        &self,
        family: &Family<ResultLabels, Counter>,
        target: &str,
        namespace: &str,
        strategy: &str,
        analysis: &str,
    ) {
        let words = (strategy.to_owned(), analysis.to_owned());
        lock(&self.used).entry(key(target, namespace)).or_default().results.insert(words);
        family.get_or_create(&result_labels(target, namespace, strategy, analysis)).inc();
    }

    /// Removes the values of metrics that a Canary does not have any more.
    pub fn keep_analysis(&self, target: &str, namespace: &str, is_kept: impl Fn(&str) -> bool) {
        let mut used = lock(&self.used);
        let Some(used) = used.get_mut(&key(target, namespace)) else { return };
        let gone: Vec<_> = used.metrics.iter().filter(|metric| !is_kept(metric)).cloned().collect();
        for metric in gone {
            used.metrics.remove(&metric);
            self.analysis.remove(&analysis_labels(target, namespace, &metric));
        }
    }

    /// Removes all series of the target of a deleted Canary.
    pub fn forget(&self, target: &str, namespace: &str) {
        let used = lock(&self.used).remove(&key(target, namespace)).unwrap_or_default();
        for metric in &used.metrics {
            self.analysis.remove(&analysis_labels(target, namespace, metric));
        }
        for (strategy, analysis) in &used.results {
            let labels = result_labels(target, namespace, strategy, analysis);
            self.successes.remove(&labels);
            self.failures.remove(&labels);
        }
        for labels in &workloads(target, namespace) {
            self.weight.remove(labels);
        }
        let labels = target_labels(target, namespace);
        self.status.remove(&labels);
        self.duration.remove(&labels);
    }

    /// Shows a Canary according to its status.
    pub fn show(&self, shown: Shown<'_>) {
        self.canaries.show(shown);
    }

    /// Counts a run that has ended after `lasted`; `exposed`: time since the first request to the canary, if there was one.
    pub fn run_ended(&self, shown: Shown<'_>, ended: Ended<'_>, lasted: Duration, exposed: Option<Duration>) {
        self.canaries.count(shown, ended);
        let (outcome, reason) = (ended.outcome.to_owned(), ended.reason.to_owned());
        let labels = RunLabels { outcome: outcome.clone(), reason };
        self.run_seconds.get_or_create(&labels).observe(lasted.as_secs_f64());
        if let Some(exposed) = exposed {
            self.exposure.get_or_create(&RunOutcomeLabels { outcome }).observe(exposed.as_secs_f64());
        }
    }

    /// Removes the metrics of a Canary that is gone.
    pub fn forget_canary(&self, namespace: &str, canary: &str) {
        self.canaries.forget(namespace, canary);
    }

    /// Canaries that are due and not processed yet, and those that are being processed.
    pub fn set_queue(&self, depth: usize, running: usize) {
        self.queue_depth.set(i64::try_from(depth).unwrap_or(i64::MAX));
        self.queue_running.set(i64::try_from(running).unwrap_or(i64::MAX));
    }

    /// Whether this operator acts.
    pub fn set_leading(&self, leads: bool) {
        self.leading.set(i64::from(leads));
    }

    /// The kind, as plural.group, was up to date at this time.
    pub fn watch_seen(&self, kind: &str, at: Timestamp) {
        self.watch_seen.get_or_create(&KindLabels { kind: kind.to_owned() }).set(canaries::seconds(at));
    }

    /// A list or watch of the kind failed.
    pub fn watch_interrupted(&self, kind: &str) {
        self.interruptions.get_or_create(&KindLabels { kind: kind.to_owned() }).inc();
    }

    /// Counts and times one reconcile; called by [`super::Reconcile`].
    pub(super) fn reconciled(&self, outcome: Outcome, took: Duration) {
        self.reconciles.get_or_create(&OutcomeLabels { outcome }).inc();
        self.reconcile_seconds.observe(took.as_secs_f64());
    }

    /// Times one query. `source` is a kind of source, e.g. `prometheus`; `outcome` a fixed word, never an answer.
    pub fn queried(&self, source: &str, outcome: &str, took: Duration) {
        let labels = QueryLabels { source: source.to_owned(), outcome: outcome.to_owned() };
        self.query_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// How many objects of a kind are left alone because they cannot be decoded.
    pub fn set_undecodable(&self, kind: &str, count: usize) {
        let labels = KindLabels { kind: kind.to_owned() };
        self.undecodable.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// The kinds that are not visible, as plural.group.
    pub fn set_stale(&self, kinds: &BTreeSet<String>) {
        let mut shown = lock(&self.shown_stale);
        for kind in shown.difference(kinds) {
            self.stale.get_or_create(&KindLabels { kind: kind.clone() }).set(0);
        }
        for kind in kinds {
            self.stale.get_or_create(&KindLabels { kind: kind.clone() }).set(1);
        }
        shown.extend(kinds.iter().cloned());
    }

    /// Counts an alert: `sent`, `failed` or `dropped`; `service` is the type of its AlertProvider, as far as known.
    pub fn alerted(&self, service: &'static str, outcome: &'static str) {
        self.alerts.get_or_create(&AlertLabels { service, outcome }).inc();
    }

    /// How long after its due time a step was decided.
    pub fn stepped_late_by(&self, lateness: Duration) {
        self.lateness.observe(lateness.as_secs_f64());
    }

    /// Counts an Event that could not be written.
    pub fn event_dropped(&self) {
        self.events_dropped.inc();
    }
}

/// A panic elsewhere leaves these sets valid: every change to them is a single insertion or removal.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key(target: &str, namespace: &str) -> (String, String) {
    (namespace.to_owned(), target.to_owned())
}
