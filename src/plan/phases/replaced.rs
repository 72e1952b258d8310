//! A promotion that may leave the primary without pods, as with the strategy `Recreate`: all users are moved to the
//! analysed pods first, and moved back when the primary is ready.

use crate::{
    api::EndingKind,
    clock,
    manifest::{self, readiness::Rollout},
    names,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{
            Messages,
            flow::{Flow, GO_ON, WAIT, handled_after},
        },
        objects::{
            autoscaler,
            write::{self, WriteReason},
        },
        traffic::{self, acceptance, ending},
    },
    router::Split,
    spec::Apex,
};

/// No traffic is on the primary when it gets a template that may cost it all its pods at once. If the target has another
/// template by now, nobody else can serve meanwhile: the primary keeps its template.
pub(crate) fn everyone_on_canary(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let given = cx.primary().and_then(|primary| manifest::annotation(primary, names::ANNOTATION_REVISION));
    let moves = cx.moves() && cx.c.apex != Apex::Shares;
    if !moves || given == cx.applied() || !cx.replaces_at_once() {
        return GO_ON;
    }
    if cx.applied() != Some(cx.hash.as_str()) {
        let why =
            "the target changed before the primary was replaced, which would have had no pods meanwhile";
        return ending::begin(cx, d, EndingKind::Aborting, "TargetMovedOn", why);
    }
    pods_for_everyone(cx, d)?;
    let everyone = Split::to_canary(100).for_everyone(!cx.c.analysis.match_.is_empty());
    let step = cx.step();
    if cx.split(&step) == everyone {
        d.reached(cx.settled_at())?;
        return acceptance::programmed(cx, d);
    }
    d.status.step = Some(cx.step_at(everyone));
    d.say(Messages::routing_to_canary(step.mirrored));
    handled_after(traffic::routing(cx, d, everyone, WriteReason::Wanted))
}

/// The analysed pods are as many as the primary's; fewer are enough after the deadline. If there is none then, the
/// promotion fails: the primary keeps its pods.
fn pods_for_everyone(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.now >= clock::after(cx.standing_since(), cx.c.deadline) {
        if cx.canary_pods() > 0 && !cx.none_ready(Some(cx.target)) {
            return GO_ON;
        }
        let noun = cx.c.target.noun();
        let why = "it has no ready pods that could serve while the primary is replaced";
        d.say(cx.messages.canary_not_ready(noun, why));
        d.say(cx.messages.promotion_failed(why));
        return ending::begin(cx, d, EndingKind::UndoingPromotion, "PromotionFailed", why);
    }
    let needed = autoscaler::target_back(cx);
    if cx.c.target.replicated() && cx.target_replicas() < needed {
        return write::ask(cx, d, needed);
    }
    if matches!(cx.target_rollout(), Rollout::Ready) {
        return GO_ON;
    }
    d.wake_at(clock::after(cx.standing_since(), cx.c.deadline));
    WAIT
}
