//! PURE. Conditions of users in CEL, over what a query yields.
//!
//! Owns their language: CEL with functions of its own, the words `and`, `or` and `not`, and whole numbers that
//! may stand beside fractions. Bounded in length and depth: the text is a user's. To read a condition is costly, so what
//! was read of a spec is handed on in [`Known`]. Does not decide what a condition that holds means: `analysis` does.

mod condition;
mod expr;
mod functions;
mod known;
pub mod template;

pub use self::{condition::Condition, known::Known};

#[cfg(test)]
mod tests;
