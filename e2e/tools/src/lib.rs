//! Programs that people run on the bed.
//!
//! - [`bench`]: the operator's cost and speed.
//! - [`demo`]: releases in a terminal.
//! - [`verdicts`]: how often comparisons are wrong, from simulated worlds.

pub mod bench;
pub mod demo;
pub mod verdicts;
