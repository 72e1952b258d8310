//! The kinds of targets that are served. `manifest::target` knows their differences.

use serde::Serialize;

use crate::api::TargetRef;

/// The workload or Service that a Canary releases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Target {
    /// `apps/v1` Deployment.
    #[default]
    Deployment,
    /// `apps/v1` DaemonSet.
    DaemonSet,
    /// Core Service in front of pods that something else manages, or of something outside the cluster.
    Service,
    /// `serving.knative.dev/v1` Service, which routes itself.
    Knative,
}

impl Target {
    /// The kind in a reference; None if it is not served.
    pub fn named(of: &TargetRef) -> Option<Self> {
        let group = of.api_version.split_once('/').map_or("", |(group, _)| group);
        match (group, of.kind.as_str()) {
            (_, "Deployment") => Some(Self::Deployment),
            (_, "DaemonSet") => Some(Self::DaemonSet),
            ("", "Service") => Some(Self::Service),
            ("serving.knative.dev", "Service") => Some(Self::Knative),
            _ => None,
        }
    }
}
