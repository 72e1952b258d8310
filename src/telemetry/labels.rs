//! Labels of the metrics.

use prometheus_client::encoding::EncodeLabelSet;

use super::outcome::Outcome;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct TargetLabels {
    pub(super) name: String,
    pub(super) namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct WorkloadLabels {
    pub(super) workload: String,
    pub(super) namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct AnalysisLabels {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) metric: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ResultLabels {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) deployment_strategy: String,
    pub(super) analysis_status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct NamespaceLabels {
    pub(super) namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct InfoLabels {
    pub(super) version: String,
    pub(super) mesh_provider: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BuildLabels {
    pub(super) version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabels {
    pub(super) outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct QueryLabels {
    pub(super) source: String,
    pub(super) outcome: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct AlertLabels {
    pub(super) service: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct KindLabels {
    pub(super) kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RunLabels {
    pub(super) outcome: String,
    pub(super) reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RunOutcomeLabels {
    pub(super) outcome: String,
}

pub(super) fn target_labels(target: &str, namespace: &str) -> TargetLabels {
    TargetLabels { name: target.to_owned(), namespace: namespace.to_owned() }
}

pub(super) fn workloads(target: &str, namespace: &str) -> [WorkloadLabels; 2] {
    [crate::names::primary(target), target.to_owned()]
        .map(|workload| WorkloadLabels { workload, namespace: namespace.to_owned() })
}

pub(super) fn analysis_labels(target: &str, namespace: &str, metric: &str) -> AnalysisLabels {
    AnalysisLabels { name: target.to_owned(), namespace: namespace.to_owned(), metric: metric.to_owned() }
}

pub(super) fn result_labels(target: &str, namespace: &str, strategy: &str, analysis: &str) -> ResultLabels {
    ResultLabels {
        name: target.to_owned(),
        namespace: namespace.to_owned(),
        deployment_strategy: strategy.to_owned(),
        analysis_status: analysis.to_owned(),
    }
}
