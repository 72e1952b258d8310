//! The invariants that a change of the route breaks after an edit of the Canary during a run.

use crate::{
    facts::by_condition,
    seen::{Seen, between},
    track::Track,
    view::Kind,
};

/// S9 after an edit: for the old and the new schedule, the share rises by at most one step.
pub(crate) fn beyond_what_was_analysed(seen: &Seen<'_>, track: &Track) -> Option<String> {
    seen.is(Kind::Route, &seen.names.apex)?;
    let (before, after) = seen.weights();
    let skip = seen.canary["spec"]["skipAnalysis"] == true;
    let fine = after <= before
        || track.foreign_route
        || skip
        || seen.deleting()
        || matches!(seen.phase(), "Promoting" | "Finalising")
        || seen.rescue(track.found.get(&seen.names.primary_service));
    let most = track.most_from(before);
    (!fine && after > most).then(|| {
        format!(
            "the canary goes from {before} to {after} %, where {most} % are the most that was analysed: steps {:?}, before the last edit {:?}",
            track.schedules[0], track.schedules[1]
        )
    })
}

/// S9 after an edit of `match`: the weight of a step applies to the requests that matched when the step was taken.
/// Other requests reach the canary only by another step.
pub(crate) fn to_others(seen: &Seen<'_>, track: &Track) -> Option<String> {
    let route = seen.is(Kind::Route, &seen.names.apex)?;
    // a write that had already started
    let just_edited = track.audience_since.is_some_and(|since| between(since, seen.at) < seen.place.reaction);
    let fine = track.intent.1 == track.audience
        || just_edited
        || track.foreign_route
        || seen.canary["spec"]["skipAnalysis"] == true
        || seen.deleting()
        || matches!(seen.phase(), "Promoting" | "Finalising")
        || seen.rescue(track.found.get(&seen.names.primary_service));
    let before = seen.old.map(|old| by_condition(old, &seen.names.canary_service)).unwrap_or_default();
    let more = by_condition(route, &seen.names.canary_service)
        .into_iter()
        .find(|(condition, weight)| *weight > before.get(condition).copied().unwrap_or(0));
    more.filter(|_| !fine).map(|(condition, weight)| {
        format!(
            "{weight} % of the requests {condition} go to the canary, and the step was taken for {}",
            track.intent.1
        )
    })
}
