//! Objects that another party reverts each time they are written: a condition names it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    manifest::{self, ChangedBy},
    names::{conditions, managers},
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{Note, Urgency, action::DELETION},
    },
    snapshot::{ObjectRef, Snapshot},
};

/// Between the texts of several objects.
const SEPARATOR: &str = "; ";

/// Reports writes that are held back because they are reverted, for as long as that lasts.
pub(crate) fn report(snap: &Snapshot, d: &mut PlanBuilder, now: Timestamp) {
    let name = snap.canary.metadata.name.as_deref().unwrap_or_default();
    let tried = d.actions.iter().map(|action| action.attempt(name).0).filter(|w| snap.writes.is_disputed(w));
    let mut objects: BTreeSet<ObjectRef> = tried.map(|(at, _)| at).collect();
    if let Some((_, until)) = snap.writes.refusal(now) {
        d.wake_at(until);
    }
    for ((at, _), until) in snap.writes.contested(now) {
        d.wake_at(until);
        objects.insert(at.clone());
    }
    let before = d.find(conditions::CONTESTED).map(|c| c.message.clone()).unwrap_or_default();
    let told = |at: &ObjectRef| {
        // the other party is only visible while the object differs
        let held = d.held.iter().any(|(held, _)| held == at);
        let begins = format!("{at}: ");
        let same = || before.split(SEPARATOR).find(|text| text.starts_with(&begins)).map(str::to_owned);
        if held { Some(text(snap, at)) } else { same() }
    };
    let texts: Vec<String> = objects.iter().filter_map(told).collect();
    if texts.is_empty() {
        d.clear(conditions::CONTESTED);
        return;
    }
    let text = texts.join(SEPARATOR);
    if d.condition(conditions::CONTESTED, "True", "ChangedBack", &text) {
        d.say(Note::warning("ChangedBack", text).aloud(Urgency::Warn));
    }
}

/// The object was deleted as often as allowed at once, and exists all the same.
pub(crate) fn is_remade(cx: &Context<'_>, at: &ObjectRef) -> bool {
    cx.snap.writes.contested(cx.now).any(|((other, how), _)| other == at && *how == DELETION)
}

/// The primary differs from the last write, and the next write is not due.
pub(crate) fn primary_held(cx: &Context<'_>) -> bool {
    let at = ObjectRef::new(cx.c.target.kind(), cx.c.names.primary.clone());
    cx.snap.writes.is_held(&(at, managers::WORKLOAD), cx.now)
}

/// Why the primary differs from the last write.
pub(crate) fn why_primary_held(cx: &Context<'_>) -> String {
    why_held(cx, &ObjectRef::new(cx.c.target.kind(), cx.c.names.primary.clone()))
}

/// Why the object differs from the last write.
pub(crate) fn why_held(cx: &Context<'_>, at: &ObjectRef) -> String {
    cx.snap.writes.refusal(cx.now).map_or_else(|| text(cx.snap, at), |(why, _)| why)
}

/// The party that reverts this object.
fn text(snap: &Snapshot, at: &ObjectRef) -> String {
    let by = snap.objects.at(at).map_or(ChangedBy::Unknown, manifest::changed_by);
    let meanwhile = "It is written ever more rarely, and the rest goes on";
    match by {
        ChangedBy::Manager(manager) => format!(
            "{at}: {manager} changes back what Serin writes. {meanwhile}: let only one of them write it, e.g. exclude the \
             object from {manager}"
        ),
        _ => format!(
            "{at}: what Serin writes is changed by the API server or right after. {meanwhile}: look for an admission \
             webhook or policy that changes it"
        ),
    }
}
