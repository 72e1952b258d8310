//! Metrics: MetricTemplate, and the parts of a Canary and of its status that are about metrics.

pub(super) mod arg;
pub(super) mod compare;
pub(super) mod job;
pub(super) mod policy;
pub(super) mod template;
