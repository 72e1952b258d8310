//! A revision that waits until other runs have ended, because no more may be under way at once.

use crate::{
    api::Phase,
    names::conditions,
    plan::{builder::PlanBuilder, context::Context},
    snapshot::Queued,
};

/// The revision waits for its turn. Its gates are looked at when that has come, so that what they grant is not used up.
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
