//! How often a comparison with the primary rolls back a good release, and how long it takes to find a bad one:
//! simulated worlds of requests, judged by the operator's own code and by the rules of other tools.
//!
//! - [`random`]: random numbers that can be repeated with their seed
//! - [`groups`]: failures that occur in groups
//! - [`world`]: the requests of both sides
//! - [`worlds`]: the list of worlds
//! - [`play`]: one release in one world, judged by every rule
//! - [`report`]: the results of many releases

mod groups;
mod play;
mod random;
mod report;
mod world;
mod worlds;

pub use report::{Wanted, run};
