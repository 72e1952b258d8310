//! The phases of a Canary.

pub(crate) mod edits;
pub(crate) mod finalizer;
pub(crate) mod idle;
pub(crate) mod initialise;
pub(crate) mod not_accepted;
pub(crate) mod pods_taken;
pub(crate) mod progress;
pub(crate) mod promote;
pub(crate) mod replaced;
pub(crate) mod rollback;
pub(crate) mod start;
pub(crate) mod steps;
pub(crate) mod terminate;
