//! How often a good release is rolled back by a comparison with its primary, and how long a bad one takes to be found: worlds
//! made up of requests, played through the code that the operator judges with, beside the rules of others.
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
