//! Limits of time and memory for parsers, of which properties give each many inputs.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it is measured how long evaluations take"
)]

use std::time::{Duration, Instant};

/// Longest time for one input, in an unoptimised build, on a machine with other load.
const LONGEST_TIME: Duration = Duration::from_secs(5);

/// Runs this, in limited time and with at most this many bytes in use at a time.
pub(crate) fn within(most: u64, text: &str, act: impl FnOnce()) {
    let began = Instant::now();
    let made = allocation_counter::measure(act);
    assert!(made.bytes_max <= most, "{} bytes are held for {text:?}", made.bytes_max);
    assert!(began.elapsed() < LONGEST_TIME, "{:?} for {text:?}", began.elapsed());
}
