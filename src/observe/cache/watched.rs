//! The scope of one watch.

use std::fmt;

use crate::snapshot::{Key, Kind};

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
    /// It covers this key.
    pub(super) fn holds(&self, (namespace, _): &Key) -> bool {
        self.namespace.as_ref().is_none_or(|own| own == namespace)
    }
}
