//! Delays between attempts: exponential, jittered, one series per key.
//!
//! The only file that names the `backoff` crate. Owns no timer: callers decide what to do with a delay.

use std::{collections::BTreeMap, time::Duration};

use backoff::{ExponentialBackoff, ExponentialBackoffBuilder, backoff::Backoff as _};

/// The first delay, before jitter.
const FIRST: Duration = Duration::from_millis(200);
/// Jitter: a delay is this share longer or shorter, so that many keys that fail together do not return together.
const JITTER: f64 = 0.2;

/// Growing delays per key, e.g. for a Canary whose metrics server does not answer.
#[derive(Debug)]
pub struct Backoffs<K> {
    cap: Duration,
    series: BTreeMap<K, ExponentialBackoff>,
}

impl<K: Ord> Backoffs<K> {
    /// Delays of about 200 ms, doubling with each attempt, never longer than `cap`.
    pub fn new(cap: Duration) -> Self {
        Self { cap, series: BTreeMap::new() }
    }

    /// How long to wait before the next attempt of `key`.
    pub fn next(&mut self, key: K) -> Duration {
        let cap = self.cap;
        let series = self.series.entry(key).or_insert_with(|| {
            ExponentialBackoffBuilder::new()
                .with_initial_interval(FIRST)
                .with_multiplier(2.0)
                .with_randomization_factor(JITTER)
                .with_max_interval(cap)
                .with_max_elapsed_time(None)
                .build()
        });
        series.next_backoff().unwrap_or(cap).min(cap)
    }

    /// Forgets the attempts of `key`: after a success, or when it is gone.
    pub fn clear(&mut self, key: &K) {
        self.series.remove(key);
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
        let mut backoffs = Backoffs::new(Duration::from_secs(1));
        for expected in [200, 400, 800] {
            let delay = backoffs.next("a");
            assert!(about(delay, expected), "{delay:?} is not about {expected} ms");
        }
        for _ in 0..20 {
            let delay = backoffs.next("a");
            assert!(delay <= Duration::from_secs(1) && delay >= Duration::from_millis(790), "{delay:?}");
        }
    }

    #[test]
    fn keys_do_not_share_their_series_and_start_over_when_cleared() {
        let mut backoffs = Backoffs::new(Duration::from_secs(30));
        for _ in 0..4 {
            backoffs.next("a");
        }
        assert!(about(backoffs.next("b"), 200));
        backoffs.clear(&"a");
        assert!(about(backoffs.next("a"), 200));
    }
}
