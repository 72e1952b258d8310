//! Data may be old: while a kind is not visible, the new version gets no more traffic, and no serving pods are
//! removed. A failing run is still rolled back.

use crate::{
    names::conditions,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{
            Note, Urgency,
            flow::{Flow, wait_unless},
        },
    },
    snapshot::Snapshot,
};

/// Waits while something that it depends on is not visible.
pub(crate) fn wait_until_seen(cx: &Context<'_>) -> Flow {
    wait_unless(!is_stale(cx))
}

/// Something that it depends on is not visible.
pub(crate) fn is_stale(cx: &Context<'_>) -> bool {
    !cx.snap.stale.is_empty()
}

/// Reports what is not visible, for as long as it lasts.
pub(crate) fn report(snap: &Snapshot, d: &mut PlanBuilder) {
    let lost: Vec<String> = snap
        .stale
        .iter()
        .map(|stale| format!("{} since {:.0} ({})", stale.kind.plural, stale.since, stale.why))
        .collect();
    if lost.is_empty() {
        if d.clear(conditions::OBSERVED) {
            d.say(Note::normal("Observed", "everything is seen again: going on"));
        }
        return;
    }
    let reason = "WatchLost";
    let text = format!(
        "nothing is seen of {}: no weight rises and no pods are taken away until it is. Look whether the API server \
         answers, and whether the operator has the rights of the shipped ClusterRole",
        lost.join(", ")
    );
    if d.condition(conditions::OBSERVED, "False", reason, &text) {
        d.say(Note::warning(reason, text).aloud(Urgency::Warn));
    }
}
