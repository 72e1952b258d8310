//! The kinds of targets that are served. How they differ is known to `manifest::target`.

use serde::Serialize;

use crate::api::TargetRef;

/// What a Canary releases new versions of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Target {
    /// `apps/v1` Deployment.
    #[default]
    Deployment,
    /// `apps/v1` DaemonSet.
    DaemonSet,
    /// Core Service in front of pods that something else runs, or of something outside the cluster.
    Service,
    /// `serving.knative.dev/v1` Service, which routes itself.
    Knative,
}

impl Target {
    /// The kind that a reference names; None for one that is not served.
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
