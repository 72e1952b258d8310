//! What people start on the bed.
//!
//! - [`bench`]: what the operator costs and how fast it is.
//! - [`demo`]: releases to be watched in a terminal.

pub mod bench;
pub mod demo;
