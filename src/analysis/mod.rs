//! PURE. What to measure, and how to read the answers.
//!
//! Owns the queries made from a Canary's metrics, threshold semantics, conditions and the wording of failed checks. Does
//! not send queries (`source` does). Does not count failures or decide what follows (`plan` does).

mod access;
pub(crate) mod args;
mod assess;
pub(crate) mod builtin;
mod checks;
mod comparing;
mod comparison;
mod counting;
mod counting_past;
mod doubt;
mod doubting;
#[cfg(test)]
mod examples;
mod go;
pub(crate) mod job;
mod lateness;
pub(crate) mod limits;
mod metric;
mod metric_query;
pub(crate) mod provider_kinds;
mod query;
mod query_plan;
mod reading;
pub(crate) mod template;
mod text;
pub(crate) mod verdict;
pub(crate) mod windows;

pub(crate) use self::{
    access::{Access, SecretAt},
    assess::{Assessment, Compared, assess, example, in_doubt},
    checks::Checks,
    comparing::{Comparing, comparing, incomparable},
    comparison::compared,
    counting::{LABEL as COUNT_LABEL, Span, counting},
    counting_past::{FAILED, WHOLE, of_pods},
    doubt::lasting,
    doubting::{doubting, sent, unsettled},
    lateness::{aged, newest, unknown},
    metric::template_of,
    query::{Ask, Metric, Query, Role, Since},
    query_plan::asks,
    verdict::NO_VALUES,
};
pub use self::{
    counting::Tally,
    doubt::Doubt,
    metric::window,
    reading::{Failure, Reading},
    text::{as_written, placed},
};

#[cfg(test)]
mod tests;
