//! What tests of several modules have in common.

pub(crate) mod bounds;
pub(crate) mod fuzz;
pub(crate) mod policies;
