//! Cluster → Snapshot. [`watch_all`] fills the [`ObjectCache`]; [`gather`] reads one Canary's part of it. No call to the API
//! server is made here besides the watches themselves.

mod cache;
mod dependency_index;
mod endpoints;
mod error;
mod gather;
mod optional;
mod references;
mod watch;

pub use cache::ObjectCache;
pub use error::GatherError;
pub use gather::gather;
pub use optional::optional;
pub use watch::{list_once, mandatory, watch_all};
