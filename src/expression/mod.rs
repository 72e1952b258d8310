//! PURE. Expressions of users: conditions over query results, templates of queries, and paths into JSON.
//!
//! Owns their languages, and their limits in length, steps and bytes, because users write them. Parsed expressions of a
//! spec are passed on in [`Known`], so that they are parsed once. Does not decide what a condition means for a run:
//! `analysis` does.

mod condition;
mod known;
mod path;
pub mod quantity;
pub mod template;

#[cfg(test)]
mod tests;

pub use self::{
    condition::{Answer, Condition},
    known::Known,
    path::Path,
};
