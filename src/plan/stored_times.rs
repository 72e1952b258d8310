//! Times in a status after a clock was set back: each would keep its wait going for as long as the clock was set
//! back. A stored time in the future counts as now, and is stored as that.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{api::CanaryStatus, clock, snapshot::Snapshot};

/// Clocks of two operators may differ by this much without anything being corrected.
pub(crate) const TOLERANCE: Duration = Duration::from_secs(1);

/// The snapshot without stored times in the future; none if there is nothing to correct.
pub(crate) fn corrected(snap: &Snapshot, now: Timestamp) -> Option<Snapshot> {
    let mut status = snap.canary.status.clone()?;
    let latest = clock::after(now, TOLERANCE);
    let mut any = false;
    // a pause with an end lasts as long as it was meant to
    let paused = status.run.as_mut().and_then(|run| run.paused.as_mut()).filter(|p| p.since.0 > latest);
    if let Some(until) = paused.and_then(|p| Some((p.since.0, p.until.as_mut()?))) {
        let (since, until) = until;
        *until = MicroTime(clock::after(
            now,
            Duration::try_from(until.0.duration_since(since)).unwrap_or_default(),
        ));
    }
    for time in times(&mut status) {
        if time.0 > latest {
            *time = MicroTime(now);
            any = true;
        }
    }
    any.then(|| {
        let mut snap = snap.clone();
        Arc::make_mut(&mut snap.canary).status = Some(status);
        snap
    })
}

/// All times of the status from which something is counted.
fn times(status: &mut CanaryStatus) -> impl Iterator<Item = &mut MicroTime> {
    let CanaryStatus { waiting, step, run, metrics, target, .. } = status;
    let waiting = waiting.iter_mut().map(|waiting| &mut waiting.since);
    let step = step.iter_mut().flat_map(|step| {
        let pods = step.pods.iter_mut().map(|pods| &mut pods.since);
        let own = [
            &mut step.pods_since,
            &mut step.since,
            &mut step.confirmed,
            &mut step.checked,
            &mut step.shortened,
        ];
        own.into_iter().flatten().chain(pods)
    });
    let run = run.iter_mut().flat_map(|run| {
        let taken = run.taken.iter_mut().flat_map(|taken| [&mut taken.since, &mut taken.last]);
        let own = [
            Some(&mut run.started),
            run.ending.as_mut().map(|ending| &mut ending.at),
            run.paused.as_mut().map(|paused| &mut paused.since),
            run.finish.as_mut().map(|finish| &mut finish.at),
        ];
        own.into_iter().flatten().chain(taken)
    });
    let metrics = metrics.iter_mut().flat_map(|m| {
        let compared = m.compare.iter_mut().filter_map(|compare| compare.until.as_mut());
        [&mut m.since, &mut m.measured].into_iter().flatten().chain(compared)
    });
    let target = target.iter_mut().filter_map(|target| target.emptied.as_mut());
    waiting.chain(step).chain(run).chain(metrics).chain(target)
}
