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
    let target = target.iter_mut().flat_map(|target| [&mut target.emptied, &mut target.missing]).flatten();
    waiting.chain(step).chain(run).chain(metrics).chain(target)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const FUTURE: &str = "2040-01-01T00:00:00.000000Z";

    /// The names of times that are in the future.
    fn ahead(value: &Value, name: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| ahead(value, name, found)),
            Value::Array(items) => items.iter().for_each(|item| ahead(item, name, found)),
            time if *time == FUTURE => found.push(name.to_owned()),
            _ => {}
        }
    }

    #[test]
    fn c19_every_time_from_which_something_is_counted_is_corrected() {
        let mut status: CanaryStatus = serde_json::from_value(json!({
            "waiting": {"since": FUTURE}, "nextCheck": FUTURE, "lastTransitionTime": FUTURE,
            "target": {"uid": "u", "generation": 1, "emptied": FUTURE, "missing": FUTURE},
            "step": {
                "podsSince": FUTURE, "since": FUTURE, "confirmed": FUTURE, "checked": FUTURE, "shortened": FUTURE,
                "decided": FUTURE, "pods": {"replicas": 1, "since": FUTURE},
            },
            "run": {
                "started": FUTURE, "number": 1, "taken": {"since": FUTURE, "last": FUTURE, "times": 1},
                "paused": {"since": FUTURE, "message": "m"}, "finish": {"at": FUTURE, "reason": "r", "message": "m"},
                "ending": {"kind": "RollingBack", "reason": "r", "message": "m", "at": FUTURE},
            },
        }))
        .unwrap();
        let mut before = Vec::new();
        ahead(&json!(status), "", &mut before);
        for time in times(&mut status) {
            *time = MicroTime(Timestamp::UNIX_EPOCH);
        }
        let mut left = Vec::new();
        ahead(&json!(status), "", &mut left);
        // shown to people, or asked for only whether it is there
        assert_eq!((before.len(), left), (17, vec!["nextCheck".into(), "decided".into()]));
    }
}
