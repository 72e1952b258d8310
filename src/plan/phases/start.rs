//! A run begins: status first, pods that have to be replaced, webhooks before the first step.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::{EndingKind, Phase, StepStatus},
    clock,
    names::conditions,
    plan::{
        analysis::{evaluate, schedule},
        builder::PlanBuilder,
        context::Context,
        gates::{
            self, StepGate,
            webhooks::{self, Reply},
        },
        history,
        model::{
            HookKind, Messages,
            flow::{Flow, GO_ON, HANDLED, WAIT, WRITE_FIRST, handled_after, wait_unless},
        },
        objects::autoscaler,
        observed_target,
        phases::steps,
        traffic::ending,
    },
    spec::Apex,
};

/// Before the first step: webhooks that prepare for it, each refusal of which is a failed check, and those that confirm a
/// rise of the weight.
pub(crate) fn first_step(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.step().index > 0 {
        return GO_ON;
    }
    let due = schedule::window(cx);
    let since = if cx.step().checked.is_some() {
        d.reached(due)?;
        due
    } else {
        Timestamp::MIN
    };
    let prepared = match webhooks::ask(cx, d, HookKind::PreRollout, since) {
        Reply::Unheard => return WAIT,
        Reply::No(said) => {
            d.status.step = Some(StepStatus { checked: Some(MicroTime(cx.now)), ..cx.step() });
            return handled_after(evaluate::halt(
                cx,
                d,
                &[cx.messages.check_failed(HookKind::PreRollout, &said)],
            ));
        }
        Reply::Yes(names) => names,
    };
    let mut notes = vec![cx.messages.starting()];
    notes.extend(prepared.iter().map(|name| Messages::check_passed(HookKind::PreRollout, name)));
    if gates::leave(cx, d, notes) != StepGate::Yes {
        return WAIT;
    }
    d.clear(conditions::HALTED);
    steps::advance(cx, d, 1)
}

/// Pods that have read a ConfigMap or Secret which has changed since would be analysed in place of the revision. They are
/// removed, once proxies have learned that nothing leads to them, and new ones take their place.
pub(crate) fn pods_renewed(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if !cx.step().renew {
        return GO_ON;
    }
    // without a primary they serve requests through an apex that selects both
    wait_unless(cx.zero().canary() == 0 && cx.primary_pods() > 0)?;
    d.reached(cx.settled_at())?;
    if d.reached(clock::after(cx.standing_since(), cx.c.deadline)).is_continue() {
        let why = "its pods with the former configuration were not replaced in time";
        d.say(cx.messages.deadline_exceeded(why));
        return ending::begin(cx, d, EndingKind::RollingBack, "DeadlineExceeded", why);
    }
    autoscaler::scale_to_zero(cx, d)?;
    if cx.c.target.is_empty(cx.target) {
        d.status.step = Some(StepStatus { renew: false, pods_since: Some(MicroTime(cx.now)), ..cx.step() });
        observed_target::remember(cx, d);
        return WRITE_FIRST;
    }
    WAIT
}

/// A run begins: status first; the pods come with the next plan, decided on the target as it is then.
pub(crate) fn start(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    // this plan has called them, if they were not called before
    d.status.post_rollout_due = false;
    reset(cx, d);
    d.status.failed_checks = 0;
    say_why_unanalysed(cx, d);
    if cx.c.apex == Apex::Shares {
        d.status.primary_replicas = i32::try_from(cx.whole()).ok();
    }
    d.status.run = Some(history::begun(cx, d));
    d.say(cx.messages.new_revision());
    HANDLED
}

/// Reports why the run is promoted without analysis.
pub(crate) fn say_why_unanalysed(cx: &Context<'_>, d: &mut PlanBuilder) {
    if let Some(finish) = history::promoted_before(cx) {
        d.say(cx.messages.goes_back_in(&finish.message));
    }
}

/// Pods of the last run may be left until the controller has seen that none is wanted.
fn may_have_pods(cx: &Context<'_>) -> bool {
    cx.target_replicas() > 0 || cx.c.target.rests() && !cx.c.target.is_empty(cx.target)
}

fn other_configuration(cx: &Context<'_>) -> bool {
    cx.configs.differ_for_running_pods(cx.status())
}

/// A template that is taken up within this time of the end of a run may have replaced that of the run before its end: a run
/// that is ending takes up no revision.
const JUST_ENDED: Duration = Duration::from_secs(60);

/// The target got another template while the operator did not act, or took up no revision: its pods may have read a
/// configuration that has changed since, or changed and changed back.
fn unseen_configuration(cx: &Context<'_>) -> bool {
    let said = |type_: &str, status: &str| {
        cx.status().conditions.iter().any(|c| c.type_ == type_ && c.status == status)
    };
    let suspended = said(conditions::SUSPENDED, "True") || said(conditions::ACCEPTED, "False");
    let away = cx.waiting_since() < cx.snap.watching_since;
    let ended = cx.status().last_run.as_ref().map(|last| clock::after(last.ended.0, JUST_ENDED));
    let in_the_last_run = ended.is_some_and(|until| cx.now < until);
    let changed = cx.applied() != Some(cx.hash.as_str());
    changed && (suspended || away || in_the_last_run) && !cx.configs.observed.is_empty()
}

pub(crate) fn reset(cx: &Context<'_>, d: &mut PlanBuilder) {
    d.phase(Phase::Progressing, cx.kind());
    d.status.epoch += 1;
    d.status.last_applied_spec = Some(cx.hash.clone());
    d.status.tracked_configs = cx.configs.for_status();
    d.status.canary_weight = 0;
    d.status.iterations = 0;
    let renew = cx.step().renew || may_have_pods(cx) && (other_configuration(cx) || unseen_configuration(cx));
    d.status.step = Some(StepStatus { renew, ..steps::before_first(cx) });
    clear_conditions(d);
    d.status.metrics.clear();
    autoscaler::remember_floor(cx, d);
    observed_target::remember(cx, d);
}

/// Nothing that was said about another run applies any more.
pub(crate) fn clear_conditions(d: &mut PlanBuilder) {
    let of_last_run = [
        conditions::HALTED,
        conditions::INCONCLUSIVE,
        conditions::PAUSED,
        conditions::QUEUED,
        conditions::HELD,
        conditions::FROZEN,
        conditions::CAPACITY,
        conditions::JOB_ENDED,
        conditions::PODS_READY,
    ];
    for type_ in of_last_run {
        d.clear(type_);
    }
}
