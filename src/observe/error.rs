//! Why there is no snapshot.

use crate::snapshot::ObjectRef;

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatherError {
    /// It is gone, or in a namespace that the operator does not work in: nothing to do.
    #[error("the Canary does not exist")]
    Gone,
    /// A watch has not caught up with one of our own writes, or has not begun: it will trigger again when it has.
    #[error("the watch of {0} has not caught up")]
    Behind(&'static str),
    /// The stored object does not match the schema.
    #[error("the stored object does not decode: {0}")]
    Undecodable(String),
    /// An object that it needs exists but does not decode.
    #[error("{object} does not decode: {why}")]
    NeedsUndecodable {
        /// The object, of the Canary's namespace.
        object: ObjectRef,
        /// The reason.
        why: String,
    },
}
