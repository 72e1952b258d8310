//! Steps, and the progress of a run.

use std::time::Duration;

use jiff::Timestamp;
use serin::{
    api::{CanaryStatus, Phase},
    spec::{Step, Validated, Wait},
};

use super::model::{ProgressView, State, StepState, StepView};

/// The minimum duration of a step: it ends with a check, and there is one check per interval.
pub(crate) fn lasts(step: &Step, interval: Duration) -> Duration {
    let looks = step.hold.as_secs_f64() / interval.as_secs_f64().max(1.0);
    interval.mul_f64(looks.ceil().max(1.0))
}

/// The steps of the schedule.
pub(super) fn steps(status: &CanaryStatus, c: Option<&Validated>) -> Vec<StepView> {
    let Some(c) = c else { return vec![] };
    let at = current(status);
    let done_all = matches!(status.begun(), Phase::Promoting | Phase::Finalising);
    let all = c.schedule.iter().enumerate();
    all.map(|(before, step)| {
        let index = before + 1;
        let state = match at {
            Some(at) if index < at || done_all => StepState::Done,
            Some(at) if index == at => StepState::Current,
            _ => StepState::Todo,
        };
        let gate = c.gates.steps.get(&index);
        StepView {
            index,
            weight: step.weight,
            mirrored: step.mirrored,
            iteration: step.iteration,
            lasts_seconds: lasts(step, c.interval).as_secs(),
            gate: gate.map(|rule| rule.name.clone().unwrap_or_else(|| "gate".into())),
            state,
        }
    })
    .collect()
}

/// The current step of a run.
fn current(status: &CanaryStatus) -> Option<usize> {
    let step = status.step.as_ref().filter(|_| status.run.is_some())?;
    usize::try_from(step.index).ok()
}

/// How the promotion starts.
pub(super) fn promotion(c: Option<&Validated>) -> String {
    match c.and_then(|c| c.pause).map(|pause| pause.until) {
        None => "auto".into(),
        Some(Wait::Request) => "manual".into(),
        Some(Wait::For(time)) => format!("after {} s", time.as_secs()),
    }
}

/// The progress of the run.
pub(super) fn progress(
    status: &CanaryStatus,
    c: Option<&Validated>,
    state: State,
    now: Timestamp,
) -> Option<ProgressView> {
    let (run, at) = (status.run.as_ref()?, current(status)?);
    let stands = state != State::Progressing;
    Some(ProgressView {
        at,
        of: c.map(|c| c.schedule.len()).unwrap_or_default(),
        elapsed_seconds: now.duration_since(run.started.0).as_secs().max(0),
        earliest_end_seconds: c.filter(|_| !stands).map(|c| earliest_end(status, c, at, now)),
        next_look: status.next_check.as_ref().map(|t| t.0).filter(|_| !stands),
    })
}

/// The earliest end: the rest of this step, and the later steps.
fn earliest_end(status: &CanaryStatus, c: &Validated, at: usize, now: Timestamp) -> i64 {
    let confirmed = status.step.as_ref().and_then(|s| s.confirmed.as_ref()).map(|t| t.0);
    let passed = confirmed.map(|t| now.duration_since(t).as_secs().max(0)).unwrap_or_default();
    let seconds = |step: &Step| i64::try_from(lasts(step, c.interval).as_secs()).unwrap_or(i64::MAX);
    let here = at.checked_sub(1).and_then(|i| c.schedule.get(i)).map(|step| (seconds(step) - passed).max(0));
    let later = c.schedule.iter().skip(at).map(seconds).fold(0_i64, i64::saturating_add);
    let pause = match c.pause.map(|pause| pause.until) {
        Some(Wait::For(time)) => i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        _ => 0,
    };
    here.unwrap_or(0).saturating_add(later).saturating_add(pause)
}
