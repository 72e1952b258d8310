//! The only place that reads the time. Everything pure takes `now` as an argument.
#![allow(clippy::disallowed_methods, reason = "this is the clock")]

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};

/// The current time, by the operator's own clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// A larger difference between the wall clock and the elapsed time is a jump.
const JUMP: Duration = Duration::from_secs(5);

static SEEN: Mutex<Option<Seen>> = Mutex::new(None);

/// Since when this process has worked without a break: since it started, or since its wall clock last jumped ahead,
/// as it does when it is corrected and when a machine was asleep.
pub(crate) fn watching_since() -> Timestamp {
    let (instant, wall) = (Instant::now(), now());
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let next = seen.map_or(Seen { instant, wall, since: wall }, |last| last.next(instant, wall));
    *seen = Some(next);
    next.since
}

/// Call this when the process begins to act on what it watches.
pub(crate) fn begin_watching() {
    let (instant, wall) = (Instant::now(), now());
    *SEEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(Seen { instant, wall, since: wall });
}

/// When both clocks were last read.
#[derive(Clone, Copy)]
struct Seen {
    instant: Instant,
    wall: Timestamp,
    since: Timestamp,
}

impl Seen {
    fn next(self, instant: Instant, wall: Timestamp) -> Self {
        let passed = instant.duration_since(self.instant);
        let jumped = until(wall, after(self.wall, passed)) > JUMP;
        Self { instant, wall, since: if jumped { wall } else { self.since } }
    }
}

/// `time + wait`, or the far future on overflow.
pub(crate) fn after(time: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| time.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}

/// From `now` to `time`; zero if that has passed.
pub(crate) fn until(time: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(time.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c19_time_that_did_not_pass_is_a_break() {
        let (start, wall) = (Instant::now(), Timestamp::UNIX_EPOCH);
        let first = Seen { instant: start, wall, since: wall };
        let minute = Duration::from_secs(60);
        let at = |seconds: u64| after(wall, Duration::from_secs(seconds));
        assert_eq!(first.next(start + minute, at(61)).since, wall, "a second is no jump");
        assert_eq!(first.next(start + minute, at(3660)).since, at(3660));
        assert_eq!(first.next(start + minute, wall).since, wall, "back is no jump ahead");
    }
}
