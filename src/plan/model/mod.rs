//! What goes into a decision and what comes out of it: questions and answers, actions, notes, webhook calls, the plan.

mod action;
mod hook;
mod messages;
mod note;
mod plan;
mod question;

pub use action::Action;
pub use hook::{Call, HookKind, Round};
pub(crate) use messages::Messages;
pub use note::{Alert, Note, Severity, Urgency};
pub use plan::{Plan, Wake};
pub use question::{Answers, Question};
