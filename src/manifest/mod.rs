//! PURE. The objects that we want to exist, and the smallest patch from the existing state to it.
//!
//! Owns the form of generated workloads, Services and stored templates, and how our marks are read back.
//! Does not write: `apply` sends the patches. `router` renders routing objects, with the types of this module.

mod adopted_service;
pub mod config;
mod digest;
pub(crate) mod given;
pub mod job;
pub mod json;
pub mod knative;
mod labels;
mod marks;
mod object;
mod patch;
pub mod pod_policies;
pub mod readiness;
mod replicas;
pub mod revision;
pub mod scaler;
pub mod selectors;
pub mod service;
mod service_target;
pub mod target;
pub mod triggers;
pub mod workload;

#[cfg(test)]
pub(crate) mod fixture;

pub(crate) use self::{
    digest::of as checksum,
    labels::{is_tracking, untracked},
    marks::{holder, marked, orphan},
};
pub use self::{
    json::{generation, replicas, resource_version, uid},
    marks::{
        ChangedBy, adopted, annotation, annotations, changed_by, controller_of, disown, epoch, labels,
        made_for, ours, written,
    },
    object::{Manifest, Undo},
    patch::{difference, patch},
    readiness::Rollout,
    replicas::{keep_authors_of_replicas, replicas_are_meant},
};
