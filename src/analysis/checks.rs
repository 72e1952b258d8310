//! The metrics of a Canary as they are asked and judged: with what they refer to, filled in by the caller, who has looked it up.

use std::collections::BTreeMap;

use crate::{
    api::{CanaryMetric, MetricTemplateSpec},
    expression::Known,
};

/// Everything that queries are made from and values are judged by, apart from the Canary itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Checks {
    /// Metrics that are served, in list order, under their present names; arguments from fields have their values.
    pub metrics: Vec<CanaryMetric>,
    /// The MetricTemplates that they refer to, as far as they exist, by `namespace/name`.
    pub templates: BTreeMap<String, MetricTemplateSpec>,
    /// The versions of the Secrets that those name, by `namespace/name`.
    pub secrets: BTreeMap<String, String>,
    /// Conditions of the metrics that were read before.
    pub conditions: Known,
    /// Name of the target's newest revision, where those have names.
    pub revision: Option<String>,
}
