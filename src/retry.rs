//! Delays between attempts: exponential and jittered.
//!
//! The only file that uses the `backoff` crate. Owns no timer: callers decide what to do with a delay.

use std::time::Duration;

use backoff::{ExponentialBackoff, ExponentialBackoffBuilder, backoff::Backoff as _};

/// The first delay, before jitter.
const FIRST: Duration = Duration::from_millis(200);
/// Jitter: a delay is longer or shorter by this share, so that attempts that fail together do not return together.
const JITTER: f64 = 0.2;

/// Growing delays, e.g. for a Canary whose metrics server does not answer.
#[derive(Debug)]
pub(crate) struct Backoff {
    cap: Duration,
    /// None before the first attempt.
    series: Option<Box<ExponentialBackoff>>,
}

impl Backoff {
    /// Delays of about 200 ms, doubling with each attempt, never longer than `cap`.
    pub(crate) fn new(cap: Duration) -> Self {
        Self { cap, series: None }
    }

    /// How long to wait before the next attempt.
    pub(crate) fn next_delay(&mut self) -> Duration {
        let cap = self.cap;
        let series = self.series.get_or_insert_with(|| {
            let series = ExponentialBackoffBuilder::new()
                .with_initial_interval(FIRST)
                .with_multiplier(2.0)
                .with_randomization_factor(JITTER)
                .with_max_interval(cap)
                .with_max_elapsed_time(None)
                .build();
            Box::new(series)
        });
        series.next_backoff().unwrap_or(cap).min(cap)
    }

    /// Forgets the attempts, after a success.
    pub(crate) fn reset(&mut self) {
        self.series = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(delay: Duration, millis: u64) -> bool {
        let (low, high) = (millis * 79 / 100, millis * 121 / 100);
        (Duration::from_millis(low)..=Duration::from_millis(high)).contains(&delay)
    }

    #[test]
    fn delays_double_up_to_the_cap() {
        let mut backoff = Backoff::new(Duration::from_secs(1));
        for expected in [200, 400, 800] {
            let delay = backoff.next_delay();
            assert!(about(delay, expected), "{delay:?} is not about {expected} ms");
        }
        for _ in 0..20 {
            let delay = backoff.next_delay();
            assert!(delay <= Duration::from_secs(1) && delay >= Duration::from_millis(790), "{delay:?}");
        }
    }

    #[test]
    fn delays_start_over_after_a_reset() {
        let mut backoff = Backoff::new(Duration::from_secs(30));
        for _ in 0..4 {
            backoff.next_delay();
        }
        backoff.reset();
        assert!(about(backoff.next_delay(), 200));
    }
}
