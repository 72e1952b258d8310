//! The clock of a model.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The start time of every model: 2026-01-01T00:00:00Z.
pub fn start() -> Timestamp {
    Timestamp::from_second(1_767_225_600).unwrap_or_default()
}

/// `time` later, or the same time if the result would be out of range.
pub fn later(now: Timestamp, time: Duration) -> Timestamp {
    SignedDuration::try_from(time).ok().and_then(|d| now.checked_add(d).ok()).unwrap_or(now)
}

/// RFC 3339 in whole seconds, like the API server's times.
pub fn at_second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `time` earlier, or the same time if the result would be out of range.
pub fn earlier(now: Timestamp, time: Duration) -> Timestamp {
    SignedDuration::try_from(time).ok().and_then(|d| now.checked_sub(d).ok()).unwrap_or(now)
}
