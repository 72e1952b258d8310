//! The destination of observations: the cache, triggers and metrics.
#![allow(clippy::disallowed_methods, reason = "this module says when to look again")]

use std::sync::Arc;

use tokio::{
    sync::{Notify, mpsc::UnboundedSender},
    time::Instant,
};

use crate::{
    clock,
    manifest::pod_policies,
    observe::{
        cache::{GRACE, ObjectCache, Watched},
        stream::{Loss, Seen},
    },
    snapshot::{CANARY, Key, Kind},
    telemetry::Metrics,
};

/// Which kinds there are.
pub(crate) const CRDS: Kind = Kind {
    group: "apiextensions.k8s.io",
    version: "v1",
    kind: "CustomResourceDefinition",
    plural: "customresourcedefinitions",
};

/// Which namespaces there are, and their labels.
pub(crate) const NAMESPACES: Kind =
    Kind { group: "", version: "v1", kind: "Namespace", plural: "namespaces" };

/// Which operators with leader election there are.
pub(crate) const LEASES: Kind =
    Kind { group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases" };

/// The destination of observations.
#[derive(Clone)]
pub(super) struct Sink {
    pub(super) cache: Arc<ObjectCache>,
    pub(super) triggers: UnboundedSender<Key>,
    pub(super) metrics: Arc<Metrics>,
    /// Canaries or MetricTemplates were created or changed: other kinds may be needed.
    pub(super) canaries: Arc<Notify>,
}

impl Sink {
    /// The watch works, or does not. True if it does not, and did until now.
    pub(super) fn note<T>(&self, watched: &Watched, event: &Seen<T>) -> bool {
        let kind = watched.kind;
        match event {
            Seen::Lost(Loss::Forbidden(why)) if dispensable(kind) => {
                if !self.cache.refused(watched.clone()) {
                    tracing::info!(kind = kind.kind, why, "may not be listed, and is done without");
                }
                self.trigger(self.cache.regain(watched.clone(), clock::now()));
                self.report_lost();
            }
            // usually it is open again at once
            Seen::Ended => return self.cache.lose(watched.clone(), "its watch ended", clock::now()),
            Seen::Lost(loss) => {
                interrupted(kind.kind, loss);
                self.metrics.watch_interrupted(&kind.crd());
                return self.cache.lose(watched.clone(), &loss.to_string(), clock::now());
            }
            // in the middle of a list, earlier data is as old as it was
            event if event.in_list() => {}
            _ => {
                let now = clock::now();
                self.metrics.watch_seen(&kind.crd(), now);
                self.trigger(self.cache.regain(watched.clone(), now));
                self.report_lost();
            }
        }
        false
    }

    /// Takes note of an observation. Returns when a watch that sees nothing becomes old, `known` until now.
    pub(super) fn old_at<T>(
        &self,
        watched: &Watched,
        event: &Seen<T>,
        known: Option<Instant>,
    ) -> Option<Instant> {
        if self.note(watched, event) {
            return Some(Instant::now() + GRACE.unsigned_abs());
        }
        known.filter(|_| matches!(event, Seen::Lost(_) | Seen::Ended) || event.in_list())
    }

    /// What a watch has seen is old now: all Canaries are looked at again.
    pub(super) fn grows_old(&self) {
        self.report_lost();
        self.trigger(self.cache.concerned());
    }

    /// Reports which kinds are not visible, for the metric.
    pub(super) fn report_lost(&self) {
        let stale = self.cache.stale_kinds(clock::now());
        self.metrics.set_stale(&stale.iter().map(|stale| stale.kind.crd()).collect());
    }

    /// How many objects of a kind do not decode, for the metric. Canaries are counted where they are processed, because
    /// only there it shows whether one matches the schema.
    pub(super) fn report_undecodable(&self, kind: Kind) {
        if kind != CANARY
            && let Some(number) = self.cache.take_changed_undecodable(kind)
        {
            self.metrics.set_undecodable(kind.kind, number);
        }
    }

    /// How many Canaries there are, for the metric.
    pub(super) fn report_totals(&self) {
        for (namespace, number) in self.cache.take_changed_totals() {
            self.metrics.set_total(&namespace, number);
        }
    }

    pub(super) fn trigger(&self, keys: Vec<Key>) {
        for key in keys {
            // a closed receiver means that the process is shutting down
            self.triggers.send(key).ok();
        }
    }
}

/// Kinds that hold up nothing if the operator lacks the right to list them: policies are only used for advice, and a
/// Role cannot grant the right to cluster-scoped objects.
fn dispensable(kind: Kind) -> bool {
    pod_policies::KINDS.contains(&kind) || kind.cluster_wide()
}

/// A watch is reopened.
pub(super) fn interrupted(kind: &str, loss: &Loss) {
    tracing::warn!(kind, error = %loss, "watch interrupted, opening it again");
}
