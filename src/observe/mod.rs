//! Cluster → Snapshot. [`watch_all`] fills the [`ObjectCache`]; [`gather`] reads one Canary's part of it. The only
//! calls to the API server here are the watches themselves.

mod availability;
mod cache;
mod dependency_index;
mod endpoints;
mod error;
mod gather;
mod list;
mod optional;
mod references;
mod stream;
mod watch;

pub(crate) use cache::{GRACE, ObjectCache};
pub(crate) use error::GatherError;
pub(crate) use gather::gather;
pub(crate) use list::list_once;
pub use optional::optional;
pub use references::rivals;
pub(crate) use stream::Seen;
pub(crate) use watch::{CRDS, LEASES, NAMESPACES, mandatory, watch_all, watch_definitions, watch_lease};

#[cfg(test)]
mod tests;

#[cfg(test)]
mod fuzz_tests;
