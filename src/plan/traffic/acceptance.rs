//! Whether the proxies follow the route, as far as the router can tell. While they are known not to, no step counts as
//! taken, nothing is measured, and no pods go that may still be asked.

use crate::{
    names::conditions,
    plan::{
        builder::{PlanBuilder, after},
        context::Context,
        model::Note,
    },
};

/// Condition type: False while the proxies are known not to follow the route.

/// True unless the proxies are known not to follow the route. That is said aloud once it takes longer than an interval.
pub(crate) fn is_programmed(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let Some(why) = not_programmed(cx) else {
        d.clear(conditions::ROUTE_FOLLOWED);
        return true;
    };
    let written = cx.route_settled_at().max(cx.standing_since());
    let patience = after(written, cx.c.interval);
    if cx.now < patience {
        d.wake_at(patience);
    } else if d.condition(conditions::ROUTE_FOLLOWED, "False", "RouteNotFollowed", &why) {
        d.say(Note::warning("RouteNotFollowed", why));
    }
    false
}

/// Why they do not.
pub(crate) fn not_programmed(cx: &Context<'_>) -> Option<String> {
    cx.router.not_programmed(&cx.c, &cx.snap.objects)
}
