//! The objects users write and read: Canary, MetricTemplate and AlertProvider of `flagger.app`, field for field
//! Flagger's, with a few optional additions, and CanaryRun of `serin.dev`. The docs of public fields become the
//! descriptions in the CRDs.
//!
//! Data only, as it is stored in the cluster: only [`crate::spec`] judges a spec, and everything after it
//! uses its result.

mod alert_provider;
mod canary;
pub mod canary_run;
pub mod crd;
pub(crate) mod definitions;
pub mod duration;
mod metadata;
mod metric;
pub mod request;
mod schema;

#[cfg(test)]
mod tests;

pub use alert_provider::{AlertProvider, AlertProviderSpec};
pub use canary::{
    analysis::{
        CanaryAlert, CanaryAnalysis, CanaryMetric, CanaryWebhook, CrossNamespaceRef, ReleaseWindow, Reporter,
        RollbackWindow, SessionAffinity, ThresholdRange,
    },
    gate::Gate,
    references::{AutoscalerRef, LocalRef, ScalerReplicas, TargetRef, UpstreamRef},
    service::{CanaryService, UnmanagedMetadata},
    spec::{Canary, CanarySpec},
    status::{
        CanaryCondition, CanaryStatus, Ending, EndingKind, Finish, InUse, ObservedConfig, ObservedTarget,
        Phase, PodsTaken, RunPause, RunStatus, StepPods, StepStatus, Waiting,
    },
};
pub use canary_run::{CanaryRun, CanaryRunSpec, CanaryRunStatus, LastRun, RunPhase};
pub use metadata::CustomMetadata;
pub use metric::{
    arg::{ArgField, ArgSecret, ArgSource, MetricArg},
    compare::{
        Afterwards, Compare, CompareStatus, CompareVerdict, ComparedSide, ErrorRates, NoWorseMargins,
        Undecided, Warmup, WorseMargins,
    },
    job::JobTemplate,
    policy::{JobState, MetricOutcome, MetricPolicy, MetricRange, MetricStatus, NoData},
    template::{MetricProvider, MetricTemplate, MetricTemplateSpec, SecretRef},
};
pub use request::{Answer, RequestStatus};
