//! What people start on the bed.
//!
//! - [`bench`]: what the operator costs and how fast it is.
//! - [`demo`]: releases to be watched in a terminal.
//! - [`verdicts`]: how often comparisons are wrong, by made-up worlds.

pub mod bench;
pub mod demo;
pub mod verdicts;
