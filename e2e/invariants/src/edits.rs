//! What a change of the route breaks after the Canary was edited in the middle of a run.

use crate::{
    facts::by_condition,
    seen::{Seen, between},
    track::Track,
    view::Kind,
};

/// S9 after an edit: whatever the schedule was and has become, the share rises by one step at most.
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

/// S9 after an edit of `match`: the weight of a step is of the requests that were named when it was taken. Others get the
/// canary only by a step of their own.
pub(crate) fn to_others(seen: &Seen<'_>, track: &Track) -> Option<String> {
    let route = seen.is(Kind::Route, &seen.names.apex)?;
    // a write that was under way
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
