//! The objects users write and read: Canary, MetricTemplate and AlertProvider of `flagger.app`, field for field
//! Flagger's, with a few optional additions, and CanaryRun of `serin.dev`. The docs of public fields become the
//! descriptions in the CRDs.
//!
//! Data only: [`validated`] is the one place that judges a spec, everything after it works with its result.

pub mod alert_provider;
pub mod analysis;
pub mod canary;
pub mod canary_run;
pub mod crd;
pub mod duration;
pub mod gate;
pub mod metric_arg;
pub mod metric_job;
pub mod metric_names;
pub mod metric_policy;
pub mod metric_template;
pub mod outbound_hosts;
pub mod promotion;
pub mod request;
mod routing;
pub mod schedule;
mod schema;
pub mod service;
pub mod status;
mod target;
pub mod validated;

#[cfg(test)]
mod tests;

pub use alert_provider::{AlertProvider, AlertProviderSpec};
pub use analysis::{
    CanaryAlert, CanaryAnalysis, CanaryMetric, CanaryWebhook, CrossNamespaceRef, SessionAffinity,
    ThresholdRange,
};
pub use canary::{AutoscalerRef, Canary, CanarySpec, LocalRef, ScalerReplicas, TargetRef, UpstreamRef};
pub use canary_run::{CanaryRun, CanaryRunSpec, CanaryRunStatus, LastRun, RunPhase};
pub use metric_arg::{ArgField, ArgSecret, ArgSource, MetricArg};
pub use metric_job::JobTemplate;
pub use metric_policy::{JobState, MetricOutcome, MetricPolicy, MetricStatus, NoData};
pub use metric_template::{MetricProvider, MetricTemplate, MetricTemplateSpec, SecretRef};
pub use service::{CanaryService, CustomMetadata, UnmanagedMetadata};
pub use status::{
    Answer, CanaryCondition, CanaryStatus, Ending, EndingKind, ObservedConfig, ObservedTarget, Phase,
    RequestStatus, RunStatus, StepStatus,
};
pub use target::Target;
