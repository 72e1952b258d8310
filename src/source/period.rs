//! The period for a query that sets none.

use std::time::Duration;

use crate::clock;

/// Servers that keep points in buckets are queried for this many windows, as in Flagger: the last bucket is never
/// complete.
const WINDOWS: u32 = 10;

/// From when to when, in milliseconds since 1970: the last ten windows.
pub(super) fn last(window: Duration) -> (i64, i64) {
    let now = clock::now().as_millisecond();
    let back = i64::try_from(window.saturating_mul(WINDOWS).as_millis()).unwrap_or(i64::MAX);
    (now.saturating_sub(back), now)
}
