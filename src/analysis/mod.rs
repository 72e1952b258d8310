//! PURE. What to measure, and how to read what was measured.
//!
//! Owns the queries made from a Canary's metrics, threshold semantics, conditions and the wording of failed checks. Does
//! not ask: `source` does. Does not count failures or decide what follows: `plan` does.

mod access;
pub mod args;
mod assess;
pub mod builtin;
#[cfg(test)]
mod examples;
mod go;
pub mod job;
pub mod limits;
mod metric;
mod metric_query;
pub mod provider_kinds;
mod query;
mod query_plan;
mod reading;
pub mod template;
pub mod verdict;

pub use self::{
    access::{Access, SecretAt},
    assess::{Assessment, assess, example},
    metric::template_of,
    query::{Ask, Metric, Query, Range, Role},
    query_plan::asks,
    reading::{Doubt, Failure, Reading, doubting, early, sent},
    verdict::{NO_VALUES, Verdict, judge},
};

#[cfg(test)]
mod tests;
