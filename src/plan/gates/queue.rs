//! A revision that waits until other runs have ended, because their number has reached the limit.

use crate::{
    api::Phase,
    names::conditions,
    plan::{builder::PlanBuilder, context::Context},
    snapshot::Queued,
};

/// The revision waits for its turn. Its gates are asked after that, so that approvals are not used up.
pub(crate) fn wait(cx: &Context<'_>, d: &mut PlanBuilder, full: Queued) {
    d.wait_to_start(&cx.hash);
    d.clear(conditions::PAUSED);
    if cx.phase() != Phase::Waiting {
        d.phase(Phase::Waiting, cx.kind());
    }
    d.condition(conditions::PROMOTED, "Unknown", "Waiting", "Waiting until other runs have ended.");
    let note = cx.messages.queued(full);
    if d.condition(conditions::QUEUED, "True", note.reason, &note.message) {
        d.say(note);
    }
}
