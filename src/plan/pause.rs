//! The wait of a run before it is promoted: until somebody asks for it, or for a time. While users are on the new version
//! it goes on being measured; while none are, nothing is asked and nothing written.

use super::{
    context::Context,
    draft::{Draft, after},
    note::Words,
    request,
};
use crate::{
    api::{
        Phase,
        promotion::{Pause, Wait},
        request::Verb,
    },
    names::conditions,
};

/// The pause that comes after the step at which the run is, or that it has passed by an edit of the schedule. Users who
/// have been switched were waited for before.
fn here(cx: &Context<'_>) -> Option<Pause> {
    let step = cx.step();
    let index = usize::try_from(step.index).ok()?;
    let switched = |at: usize| index == at + 1 && index == cx.c.schedule.len() && step.weight == 100;
    cx.c.pause.filter(|pause| index >= pause.at && !switched(pause.at))
}

/// The last window before the pause has passed: the run waits from now on. False: there is no pause here.
pub(super) fn begin(cx: &Context<'_>, d: &mut Draft) -> bool {
    let Some(pause) = here(cx).filter(|_| cx.phase() == Phase::Progressing) else { return false };
    d.phase(Phase::WaitingPromotion, cx.kind());
    let how = match pause.until {
        Wait::Request => String::new(),
        Wait::For(time) => format!("for {} s or ", time.as_secs_f64()),
    };
    d.say(cx.words.waiting_for_promotion(&how, d.status.epoch));
    true
}

/// The run waits, and nobody is on the new version: nothing is measured.
pub(super) fn idle(cx: &Context<'_>) -> bool {
    cx.phase() == Phase::WaitingPromotion && cx.step().weight == 0
}

/// True when the wait is over: it was asked for, its time has passed and no check failed last, or the spec no longer wants
/// it.
pub(super) fn over(cx: &Context<'_>, d: &mut Draft) -> bool {
    let Some(pause) = cx.c.pause else {
        d.say(Words::wait_is_over());
        return true;
    };
    if request::granted(cx, d, Verb::Promote) {
        return true;
    }
    let Wait::For(time) = pause.until else { return false };
    let end = after(cx.standing_since(), time);
    if cx.now < end {
        d.wake_at(end);
    }
    if cx.now < end || d.find(conditions::HALTED).is_some() {
        return false;
    }
    d.say(Words::wait_is_over());
    true
}
