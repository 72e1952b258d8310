//! The only place that asks what time it is. Everything pure takes `now` as an argument.
#![allow(clippy::disallowed_methods, reason = "this is the clock")]

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The present, by the operator's own clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// `time + wait`, or the far future.
pub(crate) fn after(time: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| time.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}

/// From `now` to `time`; zero when that has passed.
pub(crate) fn until(time: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(time.duration_since(now)).unwrap_or_default()
}
