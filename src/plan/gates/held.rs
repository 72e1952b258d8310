//! What keeps weights from rising whatever the measurements: somebody holds the run, or releases are held at this time
//! or in this namespace. A rollback is never held, and neither is a revision that is promoted again without analysis.

use crate::{
    plan::{context::Context, history},
    spec::windows,
};

/// Releases of this namespace are held.
pub(crate) const NAMESPACE: &str = "ReleasesHeld";
/// The time is outside of the windows of the Canary.
pub(crate) const WINDOWS: &str = "OutsideWindows";

/// Somebody holds the run.
pub(crate) fn is_paused(cx: &Context<'_>) -> bool {
    cx.status().run.as_ref().is_some_and(|run| run.paused.is_some())
}

/// No weight rises, and no run begins.
pub(crate) fn is_held(cx: &Context<'_>) -> bool {
    is_paused(cx) || by_rule(cx).is_some()
}

/// The rule that holds releases, as a reason and as a sentence.
pub(crate) fn by_rule(cx: &Context<'_>) -> Option<(&'static str, String)> {
    if goes_back_in(cx) {
        return None;
    }
    if cx.snap.rules.holds_releases(&cx.c.namespace) {
        let text = format!(
            "releases of the namespace {} are held by --hold-releases of the operator",
            cx.c.namespace
        );
        return Some((NAMESPACE, text));
    }
    if windows::is_open(&cx.c.windows, cx.now) {
        return None;
    }
    let next =
        windows::next_change(&cx.c.windows, cx.now).map(|at| format!(", the next one begins at {at:.0}"));
    Some((WINDOWS, format!("it is outside of spec.analysis.windows{}", next.unwrap_or_default())))
}

/// The revision was promoted recently, and is not analysed.
fn goes_back_in(cx: &Context<'_>) -> bool {
    match &cx.status().run {
        Some(run) => run.finish.as_ref().is_some_and(|finish| finish.reason == history::ROLLBACK_WINDOW),
        None => history::promoted_before(cx).is_some(),
    }
}
