//! What people see of a pass: Events and log lines from the plan's notes, gauges from the status.

use jiff::Timestamp;
use kube::ResourceExt;
use tokio::task::JoinError;

use k8s_openapi::api::core::v1::ObjectReference;

use super::{
    queue::Again,
    worker::{Asked, Worker},
};
use crate::{
    analysis::{Metric, Reading},
    api::{Canary, CanaryStatus, Phase},
    clock,
    config::Rules,
    events, names,
    plan::{self, Note, Plan, Question, Severity},
    snapshot::{CANARY, Key, Snapshot},
    spec::{Strategy, metric_names::canonical, validate},
    telemetry::{Ended, Shown},
};

impl Worker {
    /// Publishes Events, and writes one log line per note.
    pub(super) fn announce(&self, snap: &Snapshot, plan: &Plan) {
        let status = plan.status.as_ref().or(snap.canary.status.as_ref());
        let key = (snap.canary.namespace().unwrap_or_default(), snap.canary.name_any());
        let canary = format!("{}.{}", key.1, key.0);
        let (phase, weight) =
            status.map_or((Phase::Unset, 0), |s| (s.phase.unwrap_or_default(), s.canary_weight));
        let from = snap.canary.status.as_ref().and_then(|s| s.phase).unwrap_or_default();
        let unset = CanaryStatus::default();
        let ends = snap.canary.status.as_ref().is_some_and(|before| plan.ends(before));
        // the record of a run says why it ended; the message that people wait for comes last
        let record = ends.then(|| events::record(snap)).flatten();
        for note in &plan.notes {
            if let Some(record) = &record {
                self.events.publish_about(record.clone(), note);
            }
            self.events.publish(&snap.canary, note);
            self.alerts.send(&snap.canary, status.unwrap_or(&unset), note);
            let everyone = self.config.event_webhook.as_deref();
            self.event_sink.send(&key, plan::event_calls(snap, status, note, clock::now(), everyone));
            match note.severity {
                Severity::Normal => {
                    tracing::info!(canary, %from, %phase, weight, reason = note.reason, "{}", note.message);
                }
                Severity::Warning => {
                    tracing::warn!(canary, %from, %phase, weight, reason = note.reason, "{}", note.message);
                }
            }
        }
        if let Some((guard, stop)) = &plan.stopped {
            tracing::debug!(canary, guard, stop = stop.word(), "pass stopped");
        }
        if !plan.is_empty() {
            tracing::trace!(canary, ?plan, "plan");
        }
    }

    /// Gauges and counters under Flagger's names, from the written status.
    pub(super) fn update_metrics(&self, snap: &Snapshot, plan: &Plan) {
        let weight = self.show(snap, plan);
        if plan::older_rival(snap).is_some() {
            // the series of the target belong to the other Canary
            return;
        }
        let target = &snap.canary.spec.target_ref.name;
        let namespace = snap.canary.namespace().unwrap_or_default();
        let key = (namespace.clone(), snap.canary.name_any());
        let before = self.states.of(&key, |state| state.target.replace(target.clone()));
        if let Some(former) = before.filter(|former| former != target) {
            self.metrics.forget(&former, &namespace);
        }
        let metrics = snap.canary.analysis().map(|a| a.metrics.as_slice()).unwrap_or_default();
        self.metrics.keep_analysis(target, &namespace, |shown| {
            metrics.iter().any(|metric| of_metric(shown, &metric.name))
        });
        let before = snap.canary.status.clone().unwrap_or_default();
        let after = plan.status.as_ref().unwrap_or(&before);
        let number = match after.phase.unwrap_or_default() {
            Phase::Progressing => 0,
            Phase::Failed => 2,
            _ => 1,
        };
        self.metrics.set_status(target, &namespace, number);
        self.metrics.set_weight(target, &namespace, 100 - weight, weight);
        let skipped = before.run.as_ref().is_some_and(|run| run.finish.is_some());
        let analysis = if skipped { "skipped" } else { "completed" };
        let Some(well) = ended(&before, after) else { return };
        let strategy = strategy(&snap.canary, &snap.rules);
        if well {
            self.metrics.success(target, &namespace, strategy, analysis);
        } else {
            self.metrics.failure(target, &namespace, strategy, "completed");
        }
    }

    /// Phase, conditions, run and measurements of the status, and the run that ends with it. Returns the weight for
    /// Flagger's gauge.
    fn show(&self, snap: &Snapshot, plan: &Plan) -> i32 {
        let (namespace, canary) = (snap.canary.namespace().unwrap_or_default(), snap.canary.name_any());
        let before = snap.canary.status.clone().unwrap_or_default();
        let status = plan.status.as_ref().unwrap_or(&before);
        let known = validate(&snap.canary, &snap.rules).ok();
        let shown = Shown {
            namespace: &namespace,
            canary: &canary,
            target: &snap.canary.spec.target_ref.name,
            status,
            plan: known.as_ref().map(|c| (c.schedule.len(), c.threshold)),
            live: plan::live_weight(snap),
        };
        self.metrics.show(shown);
        self.count_run(snap, &before, shown);
        // with A/B Flagger's status has no weight, but its gauge has that of the requests in the test
        let tests = known.is_some_and(|c| c.strategy == Strategy::AbTest);
        shown.live.filter(|_| tests).unwrap_or(status.canary_weight)
    }

    /// The run that ended since `before`, if one did.
    fn count_run(&self, snap: &Snapshot, before: &CanaryStatus, shown: Shown<'_>) {
        let numbered = |status: &CanaryStatus| status.last_run.as_ref().map(|last| last.number);
        let ended = numbered(shown.status) != numbered(before);
        let Some(last) = shown.status.last_run.as_ref().filter(|_| ended) else { return };
        let outcome = format!("{:?}", last.outcome);
        let strategy = strategy(&snap.canary, &snap.rules);
        let ended = Ended { strategy, outcome: &outcome, reason: &last.reason };
        let lasted = clock::until(last.ended.0, last.started.0);
        let exposed = plan::exposed_since(snap, last).map(|since| clock::until(last.ended.0, since));
        self.metrics.run_ended(shown, ended, lasted, exposed);
    }

    /// The readings of metrics, as gauges.
    pub(super) fn show_readings(&self, snap: &Snapshot, asked: &Asked) {
        if plan::older_rival(snap).is_some() {
            return;
        }
        let target = &snap.canary.spec.target_ref.name;
        let namespace = snap.canary.namespace().unwrap_or_default();
        for question in &asked.questions {
            let Question::Measure { index, query } = question else { continue };
            let Some(Reading::Values(values)) = asked.answers.readings.get(index) else { continue };
            let Some(value) = values.last().filter(|v| v.is_finite()) else { continue };
            // Flagger's gauge shows durations in seconds
            let value = if query.kind == Metric::Duration { value / 1000.0 } else { *value };
            self.metrics.set_analysis(target, &namespace, &query.metric, value);
        }
    }

    /// How late a window was judged, and how long its checks took from `asked` to `decided`.
    pub(super) fn observe_check(&self, snap: &Snapshot, plan: &Plan, asked: Timestamp, decided: Timestamp) {
        let Some(due) = plan.judged else { return };
        let namespace = snap.canary.namespace().unwrap_or_default();
        let took = clock::until(decided, asked);
        self.metrics.observe_check(&snap.canary.spec.target_ref.name, &namespace, took.as_secs_f64());
        self.metrics.stepped_late_by(clock::until(decided, due));
    }

    /// Of this many tasks, how many wait for their turn and how many are active.
    pub(super) fn report_queue(&self, tasks: usize) {
        let waiting = self.lanes.waiting().min(tasks);
        self.metrics.set_queue(waiting, tasks - waiting);
    }

    /// The Canary is gone: removes its series and the memory about it.
    pub(super) fn forget(&self, key: &Key) {
        self.clear_undecodable(key);
        self.rounds.forget(key);
        self.forget_run(key);
        self.metrics.forget_canary(&key.0, &key.1);
        if let Some(target) = self.states.forget(key).target {
            self.metrics.forget(&target, &key.0);
        }
    }

    /// It decodes, or is gone: it no longer counts as undecodable.
    pub(super) fn clear_undecodable(&self, key: &Key) {
        if self.states.of(key, |state| state.undecodable.take()).is_some() {
            self.metrics.set_undecodable(CANARY.kind, self.states.undecodable());
        }
    }

    /// A stored object that the schema would refuse today: if it is deleted, its finalizer is removed, which needs no
    /// other field.
    pub(super) async fn leave_undecodable(&self, key: &Key, why: &str) -> Again {
        self.report_undecodable(key, why);
        let raw = self.cache.get(CANARY, &key.0, &key.1).unwrap_or_default();
        let Some(finalizers) = plan::freed(&raw) else { return Again::OnChange };
        let canary = format!("{}.{}", key.1, key.0);
        match self.applier.free(key, &raw, &finalizers).await {
            Ok(()) => {
                tracing::warn!(
                    canary,
                    "the finalizer was removed and nothing reverted, because the Canary does not decode"
                );
                self.states.of(key, |state| state.failures.reset());
                Again::OnChange
            }
            Err(error) => {
                tracing::warn!(canary, %error, "the finalizer was not removed, trying again");
                self.later(key)
            }
        }
    }

    /// Counted, and reported once for each reason.
    fn report_undecodable(&self, key: &Key, why: &str) {
        let said = self.states.of(key, |state| state.undecodable.replace(why.to_owned()));
        self.metrics.set_undecodable(CANARY.kind, self.states.undecodable());
        if said.as_deref() == Some(why) {
            return;
        }
        tracing::warn!(
            canary = format!("{}.{}", key.1, key.0),
            why,
            "this Canary does not decode and is left alone"
        );
        let message = format!("Canary {} does not decode and is left alone until it is fixed: {why}", key.1);
        self.warn_undecodable(key, message);
    }

    /// An object that the Canary needs does not decode: reported once for each reason.
    pub(super) fn report_needed(&self, key: &Key, why: &str) {
        let said = self.states.of(key, |state| state.needs_undecodable.replace(why.to_owned()));
        if said.as_deref() == Some(why) {
            return;
        }
        tracing::warn!(canary = format!("{}.{}", key.1, key.0), why, "this Canary is left alone");
        let message =
            format!("Canary {} is left alone, because an object that it needs cannot be read: {why}", key.1);
        self.warn_undecodable(key, message);
    }

    fn warn_undecodable(&self, key: &Key, message: String) {
        let object = self.cache.get(CANARY, &key.0, &key.1).unwrap_or_default();
        let reference = ObjectReference {
            api_version: Some(CANARY.api_version()),
            kind: Some(CANARY.kind.into()),
            name: Some(key.1.clone()),
            namespace: Some(key.0.clone()),
            uid: object["metadata"]["uid"].as_str().map(str::to_owned),
            ..ObjectReference::default()
        };
        self.events.publish_about(reference, &Note::warning("Undecodable", message));
    }

    /// The task of one Canary panicked: it is left alone for a while, and the others continue.
    pub(super) fn panicked(&self, key: &Key, error: &JoinError) -> Again {
        tracing::error!(canary = format!("{}.{}", key.1, key.0), %error, "internal error, this Canary is tried again later");
        let why = format!(
            "{} met an internal error with this Canary and tries again later: please report it",
            names::COMPONENT
        );
        self.states.of(key, |state| state.refused = Some(why));
        if !self.cache.standing(key).runs {
            // it may have been about to begin
            self.forget_run(key);
        }
        self.later(key)
    }
}

/// Whether a rollout ended well or badly between these two; none if none ended.
fn ended(before: &CanaryStatus, after: &CanaryStatus) -> Option<bool> {
    if before.phase == after.phase {
        return None;
    }
    match after.phase {
        Some(Phase::Succeeded) if before.phase == Some(Phase::Finalising) => Some(true),
        // a revision that was declined before its run began is not a rollout
        Some(Phase::Failed) if before.run.is_some() => Some(false),
        _ => None,
    }
}

/// Whether a value belongs to the metric of this name: its own, or another that it is compared with. Values of built-in
/// metrics use one of their names, and old manifests have another.
fn of_metric(shown: &str, name: &str) -> bool {
    let of =
        |name: &str| shown.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("));
    of(name) || canonical(name).is_some_and(of)
}

/// The strategy, in Flagger's words.
fn strategy(canary: &Canary, rules: &Rules) -> &'static str {
    match validate(canary, rules).map(|c| c.strategy) {
        Ok(Strategy::BlueGreen) => "blue-green",
        Ok(Strategy::AbTest) => "ab-testing",
        _ => "canary",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(phase: Phase, run: bool) -> CanaryStatus {
        let run = run.then(|| serde_json::from_value(json!({"started": "2026-01-01T00:00:00Z"})).unwrap());
        CanaryStatus { phase: Some(phase), run, ..CanaryStatus::default() }
    }

    #[test]
    fn b3_b5_a_rollout_is_counted_once_when_it_ends() {
        let at = status;
        let finished = ended(&at(Phase::Finalising, true), &at(Phase::Succeeded, false));
        assert_eq!(finished, Some(true));
        assert_eq!(ended(&at(Phase::Progressing, true), &at(Phase::Failed, false)), Some(false));
        assert_eq!(ended(&at(Phase::Failed, false), &at(Phase::Failed, false)), None);
        assert_eq!(ended(&at(Phase::Failed, false), &at(Phase::Succeeded, false)), None, "it was set back");
        assert_eq!(ended(&at(Phase::Waiting, false), &at(Phase::Failed, false)), None, "it never began");
    }

    fn canary(analysis: &serde_json::Value) -> Canary {
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"});
        let spec =
            json!({"targetRef": target, "provider": "istio", "service": {"port": 80}, "analysis": analysis});
        serde_json::from_value(json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": "app", "namespace": "n"},
            "spec": spec,
        }))
        .unwrap()
    }

    #[test]
    fn f19_values_of_a_metric_go_when_it_is_renamed() {
        let metrics = crate::telemetry::Metrics::new("istio");
        for name in ["errors", "errors (primary)", "errors-of-old", "request-success-rate"] {
            metrics.set_analysis("app", "n", name, 1.0);
        }
        metrics.set_analysis("other", "n", "errors-of-old", 1.0);
        let kept = ["errors", "istio_requests_total"];
        metrics.keep_analysis("app", "n", |shown| kept.iter().any(|name| of_metric(shown, name)));
        let text = metrics.exposition();
        let shown = |target: &str, name: &str| {
            let is_it = |line: &str| {
                line.starts_with("flagger_canary_metric_analysis")
                    && line.contains(&format!("=\"{target}\""))
                    && line.contains(&format!("=\"{name}\""))
            };
            text.lines().any(is_it)
        };
        assert!(shown("app", "errors") && shown("app", "errors (primary)"), "{text}");
        assert!(shown("app", "request-success-rate"), "by its other name: {text}");
        assert!(!shown("app", "errors-of-old") && shown("other", "errors-of-old"), "{text}");
    }

    #[test]
    fn b4_the_strategy_is_that_of_the_canary() {
        for (analysis, word) in [
            (json!({"stepWeight": 10, "maxWeight": 50}), "canary"),
            (json!({"iterations": 5}), "blue-green"),
            (json!({"iterations": 5, "match": [{"headers": {"x": {"exact": "y"}}}]}), "ab-testing"),
        ] {
            assert_eq!(strategy(&canary(&analysis), &Rules::default()), word);
        }
    }
}
