//! Whether the proxies follow the route, if the router can tell. While they are known not to, no step counts as
//! taken, nothing is measured, and no pods are deleted that may still get requests.

use crate::{
    clock,
    names::conditions,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{
            Note,
            flow::{Flow, GO_ON, WAIT},
        },
    },
    router::Unaccepted,
    snapshot::ObjectRef,
};

/// Continues unless the proxies are known not to follow the route. That becomes a condition and an Event once it takes
/// longer than an interval.
pub(crate) fn programmed(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    waited_for(cx, d, not_programmed(cx))
}

/// Continues once the future destinations of the route, the objects `led`, have been accepted, if the router can tell.
/// If nothing is reported within the deadline, the settle time has to be enough.
pub(crate) fn accepted(cx: &Context<'_>, d: &mut PlanBuilder, led: &[ObjectRef]) -> Flow {
    let missing = match cx.router.not_accepted(&cx.c, &cx.snap.objects) {
        Some(Unaccepted::Unseen(why)) => {
            let written = cx.written_settled_at(led);
            let given_up = d.reached(clock::after(written, cx.c.deadline)).is_continue();
            (!given_up).then_some(why)
        }
        Some(Unaccepted::Rejected(why)) => Some(why),
        None => None,
    };
    waited_for(cx, d, missing)
}

fn waited_for(cx: &Context<'_>, d: &mut PlanBuilder, missing: Option<String>) -> Flow {
    let Some(why) = missing else {
        d.clear(conditions::ROUTE_FOLLOWED);
        return GO_ON;
    };
    let written = cx.route_settled_at().max(cx.standing_since());
    let patience = clock::after(written, cx.c.interval);
    if cx.now < patience {
        d.wake_at(patience);
    } else if d.condition(conditions::ROUTE_FOLLOWED, "False", "RouteNotFollowed", &why) {
        d.say(Note::warning("RouteNotFollowed", why));
    }
    WAIT
}

/// Why the proxies do not follow the route, if they are known not to.
pub(crate) fn not_programmed(cx: &Context<'_>) -> Option<String> {
    cx.router.not_programmed(&cx.c, &cx.snap.objects)
}
