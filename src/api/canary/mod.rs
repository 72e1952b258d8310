//! Canary: what users write in it, and what the operator writes into its status.

pub(super) mod analysis;
pub(super) mod gate;
pub(super) mod promotion;
pub(super) mod references;
pub(super) mod service;
pub(super) mod spec;
pub(super) mod status;
