//! Times during which something is not done.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock;

/// Something is not done for a while.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    since: Timestamp,
    until: Timestamp,
}

impl Pause {
    /// From now on for so long.
    pub(super) fn from(now: Timestamp, wait: Duration) -> Self {
        Self::between(now, clock::after(now, wait))
    }

    /// From `since` on until `until`.
    pub(super) fn between(since: Timestamp, until: Timestamp) -> Self {
        Self { since, until }
    }

    /// When it ends. None: the clock has been set back since it began, so the end is unknown.
    pub(super) fn until(self, now: Timestamp) -> Option<Timestamp> {
        (self.since <= now).then_some(self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c19_a_clock_that_is_set_back_puts_nothing_off() {
        let at = |second: i64| Timestamp::from_second(1_000_000 + second).unwrap();
        let pause = Pause::from(at(0), Duration::from_secs(30));
        assert_eq!(pause.until(at(0)), Some(at(30)));
        assert_eq!(pause.until(at(40)), Some(at(30)));
        assert_eq!(pause.until(at(-3600)), None);
    }
}
