//! PURE. What users write to be evaluated: conditions over what a query yields, templates of queries, and paths into JSON.
//!
//! Owns their languages, and their bounds in length, steps and bytes: the texts are users'. What was read of a spec is handed
//! on in [`Known`], so that it is read once. Does not decide what a condition that holds means: `analysis` does.

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
