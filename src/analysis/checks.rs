//! The metrics of a Canary as they are queried and judged, with the objects that they refer to, which the caller has
//! looked up.

use std::collections::BTreeMap;

use crate::{
    api::{CanaryMetric, MetricTemplateSpec},
    expression::Known,
};

/// All inputs of queries and verdicts, apart from the Canary itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Checks {
    /// Metrics that are served, in list order, under their current names; arguments from fields have their values.
    pub metrics: Vec<CanaryMetric>,
    /// The MetricTemplates that they refer to, if they exist, by `namespace/name`.
    pub templates: BTreeMap<String, MetricTemplateSpec>,
    /// The versions of the Secrets that those name, by `namespace/name`.
    pub secrets: BTreeMap<String, String>,
    /// Conditions of the metrics that were compiled before.
    pub conditions: Known,
    /// Name of the target's newest revision, if its revisions have names.
    pub revision: Option<String>,
    /// Name of the promoted revision, if the target has one.
    pub promoted: Option<String>,
}
