//! The scope of one watch.

use std::fmt;

use crate::{
    manifest::config,
    snapshot::{
        ALERT_PROVIDER, CANARY, DEPLOYMENT, ENDPOINTS, HPA, Key, Kind, METRIC_TEMPLATE, REVISION, SERVICE,
    },
};

/// Kinds that every cluster has and that are watched completely.
pub(crate) const WHOLE: [Kind; 8] =
    [CANARY, DEPLOYMENT, SERVICE, ENDPOINTS, REVISION, METRIC_TEMPLATE, ALERT_PROVIDER, HPA];

/// The scope of one watch: a kind in all namespaces, or in one namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Watched {
    /// The kind.
    pub(crate) kind: Kind,
    /// The namespace; none: all.
    pub(crate) namespace: Option<String>,
}

impl From<Kind> for Watched {
    fn from(kind: Kind) -> Self {
        Self { kind, namespace: None }
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.plural)?;
        self.namespace.iter().try_for_each(|namespace| write!(f, " in namespace {namespace}"))
    }
}

impl Watched {
    /// Nothing is decided before it was listed. Other kinds are watched once a Canary needs them.
    pub(super) fn is_mandatory(&self) -> bool {
        WHOLE.contains(&self.kind) || config::KINDS.contains(&self.kind)
    }

    /// It covers this key.
    pub(super) fn holds(&self, (namespace, _): &Key) -> bool {
        self.namespace.as_ref().is_none_or(|own| own == namespace)
    }
}
