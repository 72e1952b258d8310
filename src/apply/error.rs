//! Why a plan was not carried out completely.

use std::time::Duration;

use serde_json::Value;

use crate::{events::namespace_terminates, snapshot::ObjectRef};

/// The verb of calls that create an object.
pub(super) const CREATE: &str = "create";
/// Time limit of a call to the API server.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// Why a plan was not carried out completely.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// The object has changed, already exists or is gone: look again.
    #[error("{verb} {object}: it has changed meanwhile")]
    Conflict {
        /// The attempted verb.
        verb: &'static str,
        /// The object.
        object: ObjectRef,
    },
    /// The API server refused it for another reason.
    #[error("{verb} {object}")]
    Refused {
        /// The attempted verb.
        verb: &'static str,
        /// The object.
        object: ObjectRef,
        /// The error.
        source: Box<kube::Error>,
    },
    /// Another object has the name of the Job.
    #[error("create {object}: there is one of this name that was not made for this Canary: delete it")]
    NameTaken {
        /// The Job.
        object: ObjectRef,
    },
    /// Written, but not kept: an operator that cannot store its decisions must not act on them.
    #[error(
        "the installed CustomResourceDefinition of Canary drops {field}: apply the one that comes with Serin (crd/canaries.yaml)"
    )]
    Dropped {
        /// The missing field.
        field: String,
        /// The status as it was sent.
        sent: Value,
    },
    /// The operator no longer works in the namespace.
    #[error("the operator no longer writes in namespace {namespace}")]
    LetGo {
        /// The namespace.
        namespace: String,
    },
    /// No answer in time; it may still take effect.
    #[error("{verb} {object}: no answer within {}s", DEADLINE.as_secs())]
    TimedOut {
        /// The attempted verb.
        verb: &'static str,
        /// The object.
        object: ObjectRef,
    },
}

impl ApplyError {
    /// The cluster has changed: decide again at once.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::LetGo { .. })
    }

    /// It is unknown whether it was written.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::TimedOut { .. } => true,
            Self::Refused { source, .. } => match source.as_ref() {
                // e.g. a timeout of the API server's own, or of its storage
                kube::Error::Api(status) => status.code >= 500,
                _ => true,
            },
            Self::Conflict { .. } | Self::NameTaken { .. } | Self::Dropped { .. } | Self::LetGo { .. } => {
                false
            }
        }
    }

    /// With the words of the API server or the connection.
    pub(super) fn in_full(&self) -> String {
        match self {
            Self::Refused { source, .. } => format!("{self}: {source}"),
            _ => self.to_string(),
        }
    }

    /// The object that could not be created, if this is a creation.
    pub(crate) fn creating(&self) -> Option<&ObjectRef> {
        match self {
            Self::Refused { verb: CREATE, object, .. } | Self::NameTaken { object } => Some(object),
            _ => None,
        }
    }

    /// Nothing can be created any more, because the namespace is being deleted.
    pub(crate) fn namespace_terminates(&self) -> bool {
        matches!(self, Self::Refused { source, .. } if namespace_terminates(source))
    }

    /// A permanent refusal, e.g. missing rights or an admission webhook: for people to fix.
    pub(crate) fn permanent_refusal(&self) -> Option<String> {
        let (verb, object, source) = match self {
            Self::Dropped { .. } | Self::NameTaken { .. } => return Some(self.to_string()),
            Self::Refused { verb, object, source } => (verb, object, source),
            _ => return None,
        };
        let kube::Error::Api(status) = source.as_ref() else { return None };
        (status.is_forbidden() || status.code == 422 || status.code == 400)
            .then(|| format!("{verb} {object}: {}", status.message))
    }
}
