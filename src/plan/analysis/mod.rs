//! A run's measurements: when they are due, their results, and what happens if there is no answer.

pub(crate) mod comparing;
pub(crate) mod comparisons;
pub(crate) mod due;
pub(crate) mod entries;
pub(crate) mod evaluate;
pub(crate) mod jobs;
pub(crate) mod measurable;
pub(crate) mod outage;
pub(crate) mod released;
pub(crate) mod schedule;
