//! PURE. Checks whether everything that releases need exists and works: checks on data from a cluster, each with a
//! remedy.

mod canaries;
mod checks;
mod model;
mod seen;

pub use model::{Check, Group, Outcome};
pub use seen::{Definition, Lease, Look, Operator, Seen, Served};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// All checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// In order.
    pub groups: Vec<Group>,
}

impl Diagnosis {
    /// The number of checks with this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.groups.iter().flat_map(|group| &group.checks).filter(|check| check.result == outcome).count()
    }

    /// The summary in one line.
    pub fn summary(&self) -> String {
        let many = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        format!(
            "{}, {}, {} skipped, {} ok",
            many(self.count(Outcome::Error), "error"),
            many(self.count(Outcome::Warning), "warning"),
            self.count(Outcome::Skipped),
            self.count(Outcome::Ok)
        )
    }
}

/// Runs the checks. `before`: nothing is installed yet.
pub fn diagnose(seen: &Seen, before: bool, now: Timestamp) -> Diagnosis {
    let mut groups = vec![
        Group { name: "kubernetes-api", checks: checks::api(seen, now) },
        Group { name: "definitions", checks: checks::definitions(seen, before) },
        Group { name: "operator", checks: checks::operator(seen, before, now) },
    ];
    if !before {
        groups.push(Group { name: "routers", checks: checks::routers(seen) });
        groups.push(Group { name: "canaries", checks: canaries::states(seen, now) });
        groups.push(Group { name: "integrations", checks: canaries::references(seen) });
    }
    groups.retain(|group| !group.checks.is_empty());
    Diagnosis { groups }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::{ill, well};
