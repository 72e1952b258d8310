//! Access to the API server, with the rights of the caller: reads for views, watches for screens, and a few writes.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this module reads and writes the cluster"
)]

mod connect;
mod examine;
mod live;
mod read;
mod request;
mod slots;
mod workload;

pub(crate) use connect::{Cluster, Login};
pub(crate) use live::{Lists, Live, Seen};
pub(crate) use read::Depth;
pub(crate) use request::{Written, answer, asks_by, id, write};
pub(crate) use workload::{read_revisions, read_target, stored_templates, write_images, write_template};
