//! A promotion that may leave the primary without pods, as with the strategy `Recreate`: all users are moved to the
//! analysed pods first, and moved back when the primary is ready. The same applies when it is undone.

use crate::{
    api::{EndingKind, Phase},
    clock,
    manifest::{self, readiness::Rollout},
    names::{self, conditions},
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{
            Messages,
            flow::{Flow, GO_ON, HANDLED, WAIT, handled_after},
        },
        objects::{
            autoscaler, primary,
            write::{self, WriteReason},
        },
        sides,
        traffic::{self, acceptance, ending},
        waiting,
    },
    router::Split,
    spec::Apex,
};

/// No traffic is on the primary when it gets a template that may cost it all its pods at once. If the target has another
/// template by now, nobody else can serve meanwhile: the primary keeps its template.
pub(crate) fn everyone_on_canary(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if given(cx) == cx.applied() || !empties_primary(cx) {
        return GO_ON;
    }
    if cx.applied() != Some(cx.hash.as_str()) {
        let why =
            "the target changed before the primary was replaced, which would have had no pods meanwhile";
        return ending::begin(cx, d, EndingKind::Aborting, "TargetMovedOn", why);
    }
    pods_for_everyone(cx, d)?;
    let (step, everyone) = (cx.step(), everyone(cx));
    if cx.split(&step) == everyone {
        return followed(cx, d);
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
    ask_for_everyone(cx, d)?;
    if matches!(cx.target_rollout(), Rollout::Ready) {
        return GO_ON;
    }
    d.wake_at(clock::after(cx.standing_since(), cx.c.deadline));
    WAIT
}

/// As many pods of the target as the primary has.
fn ask_for_everyone(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let needed = autoscaler::target_back(cx);
    let enough = !cx.c.target.replicated() || cx.target_replicas() >= needed;
    if enough { GO_ON } else { write::ask(cx, d, needed) }
}

/// The revision that the primary was given last.
fn given<'a>(cx: &Context<'a>) -> Option<&'a str> {
    cx.primary().and_then(|primary| manifest::annotation(primary, names::ANNOTATION_REVISION))
}

/// The next template may cost the primary all its pods, and users can be moved off it before.
fn empties_primary(cx: &Context<'_>) -> bool {
    cx.moves() && cx.c.apex != Apex::Shares && cx.replaces_at_once()
}

fn everyone(cx: &Context<'_>) -> Split {
    Split::to_canary(100).for_everyone(cx.names_requests())
}

/// The proxies have applied the route.
fn followed(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    d.reached(cx.settled_at())?;
    acceptance::programmed(cx, d)
}

/// The primary is to lose all its pods for its former template, while they may serve users.
fn is_emptied_again(cx: &Context<'_>) -> bool {
    given(cx) != cx.promoted() && empties_primary(cx) && !sides::primary_is_gone(cx)
}

/// Where users are while a promotion is undone: on the target before the primary loses all its pods, and elsewhere as long as
/// the target cannot serve everyone.
pub(crate) fn split_to_undo(cx: &Context<'_>) -> Split {
    let moved = is_emptied_again(cx) && ending::target_serves(cx);
    if moved { everyone(cx) } else { ending::on_healthy_side(cx) }
}

/// No traffic is on a primary that loses all its pods when it gets its former template back. Pods of the target that can
/// serve meanwhile are awaited until the deadline. A target with a template that was never analysed may not serve: then
/// the primary keeps its pods, and the promotion is finished.
pub(crate) fn everyone_off_primary(cx: &Context<'_>, d: &mut PlanBuilder, split: Split) -> Flow {
    if !is_emptied_again(cx) {
        return GO_ON;
    }
    let known = [cx.applied(), cx.promoted()].contains(&Some(cx.hash.as_str()));
    if !known && given(cx) == cx.applied() && primary::has(cx, cx.applied()) {
        return promotion_kept(cx, d);
    }
    if split == everyone(cx) {
        return followed(cx, d);
    }
    let since = ending::undone_since(cx);
    if d.reached(clock::after(since, cx.c.deadline)).is_continue() {
        return GO_ON;
    }
    ask_for_everyone(cx, d)?;
    let why = cx.target_rollout();
    let why = why.why().unwrap_or("its pods are not yet behind the Service");
    waiting::for_pods(cx, d, since, why, |why| cx.messages.canary_not_ready(cx.c.target.noun(), why));
    WAIT
}

/// The promotion is finished although it was to be undone, as soon as the primary is ready. After the deadline fewer pods
/// are enough: they are all that may serve.
fn promotion_kept(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let (since, rollout) = (ending::undone_since(cx), cx.primary_rollout());
    if let Some(why) = rollout.why() {
        waiting::for_pods(cx, d, since, why, |why| cx.messages.primary_not_ready(why));
        d.reached(clock::after(since, cx.c.deadline))?;
    }
    if let Some(run) = d.status.run.as_mut() {
        run.ending = None;
    }
    d.clear(conditions::PODS_READY);
    d.say(cx.messages.promotion_kept());
    finalising(cx, d)
}

/// All users are on the primary, which keeps the new template.
pub(crate) fn finalising(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    d.phase(Phase::Finalising, cx.kind());
    d.status.canary_weight = 0;
    d.status.iterations = 0;
    primary::remember(cx, d, cx.applied());
    HANDLED
}
