//! How often a comparison with the primary rolls back a good release, and how long it takes to find a bad one:
//! simulated worlds of requests, judged by the operator's own code and by the rules of other tools.
//!
//! - [`groups`]: failures that come together
//! - [`world`]: what happens to the requests of both sides
//! - [`worlds`]: the list of them
//! - [`play`]: one release in one world, by every rule
//! - [`report`]: what many of them come to

#[cfg(test)]
mod agrees;
mod groups;
mod play;
mod report;
mod world;
mod worlds;

pub use report::{Wanted, run};
