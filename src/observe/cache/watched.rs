//! What one watch sees.

use std::fmt;

use crate::snapshot::{Key, Kind};

/// What one watch sees: all that there is of a kind, or what one namespace has of it.
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
    /// It sees what has this key.
    pub(super) fn holds(&self, (namespace, _): &Key) -> bool {
        self.namespace.as_ref().is_none_or(|own| own == namespace)
    }
}
