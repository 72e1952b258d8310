//! The reasons why a run waits.

use jiff::Timestamp;

use crate::{
    api::Phase,
    clock,
    names::conditions,
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{
            HookKind, Note,
            flow::{Flow, GO_ON, WAIT},
            waits::INCONCLUSIVE_ANALYSIS,
        },
    },
    spec::Pause,
};

/// Why it is in doubt whether a side has pods.
pub(crate) const SLICES_LATE: &str = "its status shows no ready pod, but its EndpointSlices still do";
/// The same, if its Service was deleted or changed.
pub(crate) const SERVICE_LATE: &str = "its pods are ready, but its Service has only just been written";

/// Waiting for pods is reported once it takes longer than an interval.
pub(crate) fn for_pods(
    cx: &Context<'_>,
    d: &mut PlanBuilder,
    since: Timestamp,
    why: &str,
    say: impl Fn(&str) -> Note,
) {
    let patience = clock::after(since, cx.c.interval);
    if cx.now < patience {
        return d.wake_at(patience);
    }
    if d.find(conditions::PODS_READY).is_none() {
        let note = say(why);
        d.condition(conditions::PODS_READY, "False", note.reason, &note.message);
        d.say(note);
    }
}

/// Waits while EndpointSlices show ready pods of the primary and its status shows none, if the target has ready pods: they
/// may be the only ones, and must not be removed.
pub(crate) fn for_slices_of_primary(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let doubtful = cx.primary_pods() > 0 && cx.none_ready(cx.primary());
    if !doubtful || !cx.c.target.some_ready(cx.target) {
        return GO_ON;
    }
    for_pods(cx, d, cx.standing_since(), SLICES_LATE, |why| cx.messages.primary_not_ready(why));
    WAIT
}

/// What a Canary waits for, according to its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitingFor {
    /// Permission for a new revision to begin its run.
    Start,
    /// An approval, after a gated step.
    Gate,
    /// An approval of the promotion, or the time after which none is needed.
    Promotion,
    /// A person's decision where the metrics do not decide.
    Inconclusive,
    /// Only webhooks.
    Webhook,
}

impl WaitingFor {
    pub(crate) fn of(cx: &Context<'_>) -> Option<Self> {
        match cx.phase() {
            Phase::Waiting if cx.waits_to_begin() => Some(Self::Start),
            Phase::Waiting if inconclusive(cx) => Some(Self::Inconclusive),
            Phase::Waiting => Some(Self::Gate),
            Phase::WaitingPromotion if pause_before_promotion(cx).is_some() || !confirmed(cx) => {
                Some(Self::Promotion)
            }
            Phase::WaitingPromotion => Some(Self::Webhook),
            _ => None,
        }
    }

    /// It waits for people regardless of the metrics.
    pub(crate) fn is_manual(self) -> bool {
        matches!(self, Self::Start | Self::Gate | Self::Promotion)
    }
}

/// The run waits for people, and no user is on the new version: nothing is measured.
pub(crate) fn is_idle(cx: &Context<'_>) -> bool {
    WaitingFor::of(cx).is_some_and(WaitingFor::is_manual) && cx.step().weight == 0
}

/// The latest measurements have been inconclusive more often than their metrics allow.
fn inconclusive(cx: &Context<'_>) -> bool {
    let mut all = cx.status().conditions.iter();
    cx.step().index > 0
        && all.any(|c| c.type_ == conditions::INCONCLUSIVE && c.reason == INCONCLUSIVE_ANALYSIS)
}

/// Webhooks are called before the promotion.
fn confirmed(cx: &Context<'_>) -> bool {
    cx.c.analysis.webhooks.iter().any(|hook| hook.kind() == HookKind::ConfirmPromotion.word())
}

/// The pause after the current step of the run, or after one that it has passed because of an edit of the schedule. If
/// users have been switched, the pause was before that.
pub(crate) fn pause_before_promotion(cx: &Context<'_>) -> Option<Pause> {
    let step = cx.step();
    let index = cx.steps_done();
    let switched = |at: usize| index == at + 1 && index == cx.c.schedule.len() && step.weight == 100;
    cx.c.pause.filter(|pause| index >= pause.at && !switched(pause.at))
}
