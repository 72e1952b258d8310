//! Users whose requests reach no pod.

use crate::{plan::context::Context, router::Split};

/// Whether some requests go to the primary, and whether some go to the canary.
fn used(cx: &Context<'_>, live: Split) -> (bool, bool) {
    let primary = live.canary() < 100 || live.is_pinned() || cx.names_requests() && !live.is_for_everyone();
    let canary = live.canary() > 0 || live.is_pinned() && !cx.c.analysis.always.is_empty();
    (primary, canary)
}

/// A share of the users, or of the callers of the apex Service, reaches no pod, although there are some.
pub(crate) fn loses_users(cx: &Context<'_>) -> bool {
    let (primary, canary) = (cx.primary_pods(), cx.canary_pods());
    let lost = |live: Split| {
        let used = used(cx, live);
        used.0 && primary == 0 || used.1 && canary == 0
    };
    let apex = cx.apex().is_some() && cx.c.target.behind(cx.snap, &cx.c.names.apex) == 0;
    (primary > 0 || canary > 0) && (apex || cx.live_split().is_some_and(lost))
}

/// Which requests go to a side without ready pods, in words. A primary that somebody has scaled to zero is not meant to
/// have any.
pub(crate) fn what_is_lost(cx: &Context<'_>) -> Option<String> {
    let live = cx.live_split()?;
    let used = used(cx, live);
    if used.1 && cx.canary_pods() == 0 {
        return Some(match live.canary() {
            0 => "the requests of spec.analysis.always".into(),
            _ if cx.names_requests() && !live.is_for_everyone() => {
                "the requests of spec.analysis.match".into()
            }
            percent => format!("{percent} % of the traffic"),
        });
    }
    let wanted = cx.primary().is_none_or(|primary| cx.c.target.asked(primary) > 0);
    let lost = used.0 && cx.primary_pods() == 0 && wanted;
    lost.then(|| format!("the traffic of {}", cx.c.names.primary))
}
