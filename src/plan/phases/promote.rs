//! The analysed template becomes the primary's: exactly that one, from the copy stored when promotion began.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde_json::Value;

use crate::{
    api::{EndingKind, Phase, StepStatus},
    clock,
    manifest::{self, revision},
    names::{self, conditions},
    plan::{
        builder::PlanBuilder,
        chain::Chain,
        context::Context,
        gates::webhooks,
        model::{
            Action, HookKind, Messages,
            flow::{Flow, GO_ON, HANDLED, WAIT, WRITE_FIRST, all, handled_after, wait_unless},
        },
        objects::{
            autoscaler, config_snapshots, contest, pod_limits, primary, replicas, revisions, services,
            write::WriteReason,
        },
        observed_target,
        phases::{replaced, rollback},
        sides, staleness,
        traffic::{self, acceptance, apex, ending, pod_weighting},
        waiting,
    },
    router::Split,
};

/// Number of formerly promoted revisions that are remembered.
const FORMER: usize = 10;

/// The guards of a promotion, in order.
pub(crate) const CHAIN: Chain = &[
    ("rollback_under_way", rollback::carry_on),
    ("canary_pods_lost", canary_pods_lost),
    ("refused_too_long", refused_too_long),
    ("template_stored", template_stored),
    ("target_set_back", target_set_back),
    ("target_moved_on", target_moved_on_under_traffic),
    ("generated_objects", |cx, d| {
        all([
            services::side_services(cx, d, WriteReason::Drift),
            apex::service(cx, d, WriteReason::Drift),
            scalers(cx, d),
        ])
    }),
    ("target_scaled_up", target_scaled_up),
    ("primary_pods_lost", primary_pods_lost),
    ("route", |cx, d| {
        let step = cx.step();
        let why = if step.confirmed.is_some() { WriteReason::Drift } else { WriteReason::Wanted };
        traffic::routing(cx, d, cx.split(&step), why)
    }),
    ("everyone_on_canary", replaced::everyone_on_canary),
    ("primary_template", primary_template),
    ("primary_ready", primary_ready),
    // with shares of pods, first the few pods that are left: scaling up first would add pods of the old version before
    // the new
    (
        "primary_whole",
        |cx, d| if pod_limits::shares_pods(cx) { pod_weighting::ask_for_whole(cx, d) } else { GO_ON },
    ),
    ("route_programmed", acceptance::programmed),
    ("shift", shift),
];

/// The guards of finishing a promotion, in order: users are on the new primary; the target's pods are removed once the
/// proxies have learned of it.
pub(crate) const FINALISE: Chain = &[
    ("generated_objects", |cx, d| {
        all([
            services::side_services(cx, d, WriteReason::Drift),
            apex::service(cx, d, WriteReason::Drift),
            traffic::without_a_run(cx, d),
            primary_there(cx, d),
        ])
    }),
    ("route_settled", |cx, d| d.reached(cx.settled_at())),
    ("route_programmed", acceptance::programmed),
    ("all_on_primary", |cx, _| wait_unless(traffic::split_in_place(cx, Split::to_canary(0)))),
    (
        "target_scaled_to_zero",
        |cx, d| if target_moved_on(cx) { GO_ON } else { autoscaler::scale_down(cx, d) },
    ),
    ("fewer_pods", fewer_pods),
    ("succeed", succeed),
];

/// All checks have passed, or were not wanted: called only while the target has the analysed template.
pub(crate) fn begin(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    d.say(cx.messages.copying());
    d.phase(Phase::Promoting, cx.kind());
    d.status.epoch += 1;
    d.clear(conditions::PAUSED);
    d.clear(conditions::HALTED);
    d.clear(conditions::INCONCLUSIVE);
    d.clear(conditions::CAPACITY);
    handled_after(revisions::store_template(cx, d))
}

/// The template that is being promoted, with copies of what it uses.
fn stored<'a>(cx: &Context<'a>) -> Option<&'a Value> {
    cx.stored(cx.applied()).filter(|stored| !config_snapshots::lost(cx, stored))
}

/// Without a stored template the process died between the decision and the copies, or somebody deleted those. If the
/// target still has the template, it is stored. If the target has another one by now, the analysed one is gone, so
/// nothing is promoted, and the next revision is found between runs.
fn template_stored(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if stored(cx).is_some() {
        return GO_ON;
    }
    if target_moved_on(cx) {
        let why = "the target changed before it was copied";
        return ending::begin(cx, d, EndingKind::Aborting, "TemplateLost", why);
    }
    handled_after(revisions::store_template(cx, d))
}

fn target_set_back(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.promoted() != Some(cx.hash.as_str()) {
        return GO_ON;
    }
    d.say(cx.messages.aborted());
    let why = "the target was set back to the promoted template";
    ending::begin(cx, d, EndingKind::Aborting, "Aborted", why)
}

/// The target carries another template than the one being promoted.
fn target_moved_on(cx: &Context<'_>) -> bool {
    cx.applied() != Some(cx.hash.as_str())
}

/// The target is rolling out a template that was never analysed: it loses its traffic, unless the primary has no pods, and
/// the promotion continues.
fn target_moved_on_under_traffic(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let zero = cx.zero();
    if !target_moved_on(cx) || cx.step().weight == 0 || cx.split(&cx.step()) == zero {
        return GO_ON;
    }
    d.status.step = Some(cx.step_at(zero));
    d.urgent = true;
    handled_after(traffic::routing(cx, d, zero, WriteReason::Wanted))
}

/// The canary lost its pods while the primary takes the template: its traffic goes to the primary, which has some, and the
/// promotion goes on.
pub(crate) fn canary_pods_lost(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.step().weight == 0 || !sides::canary_is_gone(cx) || cx.primary_pods() == 0 {
        return GO_ON;
    }
    d.status.step = Some(cx.step_at(Split::to_canary(0)));
    d.urgent = true;
    d.say(cx.messages.canary_vanished());
    handled_after(traffic::routing(cx, d, Split::to_canary(0), WriteReason::Wanted))
}

/// Restores analysed pods that others remove while they serve users; nothing waits for them.
fn target_scaled_up(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.step().weight == 0 || target_moved_on(cx) {
        return GO_ON;
    }
    let (before, up) = (d.actions.len(), autoscaler::scale_up(cx, d));
    if d.actions.len() > before { up } else { GO_ON }
}

/// The primary has no pods any more: the target's pods serve everyone until it has pods again.
fn primary_pods_lost(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let zero = cx.zero();
    if zero.canary() != 100 || cx.split(&cx.step()) == zero {
        return GO_ON;
    }
    d.status.step = Some(cx.step_at(zero));
    d.say(cx.messages.primary_vanished());
    handled_after(traffic::routing(cx, d, zero, WriteReason::Wanted))
}

/// What the promotion needs is refused: the template, a copy of its configuration, the autoscaler of the primary. Before any
/// users are moved to the new primary, the promotion is undone at the deadline.
fn refused_too_long(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let given = cx.primary().and_then(|primary| manifest::annotation(primary, names::ANNOTATION_REVISION));
    let scaled = cx.scaler.is_none() || !autoscaler::of_primary(cx).is_empty();
    if given == cx.applied() && scaled || cx.step().promotion > 0 {
        return GO_ON;
    }
    let Some((why, _)) = cx.snap.writes.refusal(cx.now) else { return GO_ON };
    if d.reached(clock::after(cx.standing_since(), cx.c.deadline)).is_break() {
        return GO_ON;
    }
    d.say(cx.messages.promotion_failed(&why));
    ending::begin(cx, d, EndingKind::UndoingPromotion, "PromotionFailed", &why)
}

/// Once users are moved to the new primary, they do not wait for an autoscaler that is refused.
fn scalers(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let synced = autoscaler::sync(cx, d);
    if synced == WAIT && cx.step().promotion > 0 { GO_ON } else { synced }
}

/// The primary gets the template, and the target's replicas if nothing else sets them. It keeps the pods that serve
/// users with the former template: fewer are wanted only afterwards.
fn primary_template(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let Some(stored) = stored(cx) else { return WAIT };
    let resize = replicas::are_promoted(cx) && !target_moved_on(cx) && cx.target_replicas() > 0;
    let wanted = autoscaler::primary_start(cx);
    let replicas = cx.primary().map_or(wanted, |live| wanted.max(manifest::replicas(live)));
    let given = primary::from_stored(cx, d, stored, replicas, resize);
    if given.is_continue() || !contest::primary_held(cx) {
        return given;
    }
    // it does not get the template: reverted each time, or refused
    d.reached(clock::after(cx.standing_since(), cx.c.deadline))?;
    let why = contest::why_primary_held(cx);
    d.say(cx.messages.promotion_failed(&why));
    ending::begin(cx, d, EndingKind::UndoingPromotion, "PromotionFailed", &why)
}

fn primary_ready(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    staleness::wait_until_seen(cx)?;
    services::followed(cx, d)?;
    let Some((why, stuck)) = cx.primary_rollout().unserving(cx.primary_pods() > 0) else {
        d.clear(conditions::PODS_READY);
        return d.reached(cx.pods_settled_at(&cx.c.names.primary_service));
    };
    let deadline = clock::after(cx.standing_since(), cx.c.deadline);
    let grace = clock::after(cx.standing_since(), std::time::Duration::from_secs(1));
    if (stuck && cx.now >= grace) || cx.now >= deadline {
        d.say(cx.messages.promotion_failed(&why));
        return ending::begin(cx, d, EndingKind::UndoingPromotion, "PromotionFailed", &why);
    }
    d.wake_at(if stuck { grace } else { deadline });
    waiting::for_pods(cx, d, cx.standing_since(), &why, |why| cx.messages.primary_not_ready(why));
    WAIT
}

/// Traffic to the new primary, at once or in steps of `stepWeightPromotion`, one per interval.
fn shift(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let step = cx.step();
    let Some(confirmed) = step.confirmed.clone() else { return shifted(cx, d, step) };
    if step.weight == 0 {
        return replaced::finalising(cx, d);
    }
    if step.promotion > 0 {
        d.reached(clock::after(confirmed.0, cx.c.interval))?;
    }
    let all = cx.c.promotion_step == 0 || target_moved_on(cx);
    let weight = if all { 0 } else { (step.weight - cx.c.promotion_step).max(0) };
    let split = Split::to_canary(weight).for_everyone(weight > 0 && step.everyone);
    let split = split.pinning(cx.pins(step.index, weight));
    d.status.step = Some(StepStatus { checked: None, promotion: step.promotion + 1, ..cx.step_at(split) });
    if all {
        d.say(Messages::routing_to_primary());
    }
    handled_after(traffic::routing(cx, d, split, WriteReason::Wanted))
}

/// The route has the weight.
fn shifted(cx: &Context<'_>, d: &mut PlanBuilder, step: StepStatus) -> Flow {
    d.status.canary_weight = cx.shown(&step);
    if step.promotion > 0 && cx.c.promotion_step > 0 {
        d.say(cx.messages.primary_advanced(100 - step.weight));
    }
    let done = step.weight == 0;
    d.status.step = Some(StepStatus { confirmed: Some(MicroTime(cx.now)), ..step });
    if done { replaced::finalising(cx, d) } else { WRITE_FIRST }
}

/// All users are on the new version: the number that was set with it may be lower than the former one.
fn fewer_pods(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let wished = cx.status().run.as_ref().and_then(|run| run.replicas).map(i64::from);
    let usable = replicas::are_promoted(cx) && !target_moved_on(cx);
    let both = cx.primary().zip(wished.filter(|_| usable));
    let Some((live, wished)) = both.filter(|(live, wished)| manifest::replicas(live) > *wished) else {
        return GO_ON;
    };
    // a refusal is no reason to stop
    if d.try_act(Action::scale(live, wished)) == WRITE_FIRST { WRITE_FIRST } else { GO_ON }
}

fn succeed(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    d.phase(Phase::Succeeded, cx.kind());
    d.clear(conditions::PODS_READY);
    promoted(cx, d);
    d.status.canary_weight = 0;
    d.status.failed_checks = 0;
    d.status.step = None;
    d.status.run = None;
    d.status.primary_replicas = cx.primary_replicas_kept();
    primary::remember(cx, d, cx.applied());
    observed_target::remember(cx, d);
    revisions::collect(cx, d);
    d.status.post_rollout_due = webhooks::any(cx, HookKind::PostRollout);
    let unanalysed = cx.status().run.as_ref().is_some_and(|run| run.finish.is_some());
    d.say(cx.messages.promoted(unanalysed));
    HANDLED
}

/// The primary has the revision; its former ones are remembered.
fn promoted(cx: &Context<'_>, d: &mut PlanBuilder) {
    let (new, old) = (cx.applied(), cx.promoted());
    let former = old.into_iter().chain(cx.status().former_specs.iter().map(String::as_str));
    let former = former.filter(|hash| Some(*hash) != new && revision::is_ours(hash));
    d.status.former_specs = former.take(FORMER).map(str::to_owned).collect();
    d.status.last_promoted_spec = new.map(str::to_owned);
}

/// Somebody deleted the primary after it was promoted, changed it or scaled it to 0: it is created again from the same
/// template, gets that back, or its pods.
fn primary_there(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if let Some(live) = cx.primary() {
        primary::switched_on(cx, d, live);
    }
    let (stored, replicas) = (cx.stored(cx.applied()), autoscaler::primary_start(cx));
    match (cx.primary(), stored) {
        (Some(live), Some(stored)) => primary::kept(cx, d, live, stored, replicas),
        (None, Some(stored)) => {
            d.say(Messages::recreated(&format!("{} {}", cx.kind(), cx.c.names.primary)));
            primary::from_stored(cx, d, stored, replicas, false)
        }
        (_, None) => GO_ON,
    }
}
