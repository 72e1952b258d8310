//! PURE. The meaning of a Canary: its spec checked, defaults filled in, its steps, gates and waits derived.
//!
//! [`validate`] is the one fallible gate from what users wrote to what the planner uses; errors are
//! [`Problem`]s for people. Uses only the spec and the operator's own settings, never other objects: that is the
//! planner's admission.

mod canary_replicas;
mod findings;
mod gates;
mod in_use;
pub mod metric_names;
pub mod outbound;
mod pause;
mod problem;
mod schedule;
mod sizes;
mod target;
mod validated;
pub mod windows;

pub use canary_replicas::CanaryReplicas;
pub use findings::Findings;
pub use gates::{GateRule, Gates};
pub use in_use::{in_use, keep_in_use};
pub use pause::{Apex, Pause, Wait};
pub use problem::Problem;
pub use schedule::{Step, Strategy};
pub use target::Target;
pub use validated::{CheckedSpec, Denial, Names, Validated, known, validate};
