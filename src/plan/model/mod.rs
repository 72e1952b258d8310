//! Inputs and outputs of a decision: questions and answers, actions, notes, webhook calls, the plan.

pub(crate) mod action;
pub(crate) mod flow;
mod hook;
mod limited;
mod messages;
mod note;
mod plan;
pub(crate) mod pod_shares;
mod question;
pub(crate) mod waits;

pub use action::Action;
pub use flow::Stop;
pub use hook::{Call, HookKind, Round, run_of};
pub use limited::Limited;
pub(crate) use messages::Messages;
pub(crate) use note::Broken;
pub use note::{Alert, Note, Severity, Urgency};
pub use plan::{Plan, Wake};
pub use question::{Answers, Limit, Question};
