//! How often one object may be written: if another party reverts a write, or the API server refuses it, it is tried
//! less and less often. Kept per process, as data: the planner reads it in the snapshot, and the code that applies a
//! plan adds to it.
//!
//! Attempts count for as long as the same content is wanted. A write of different content is made at once, so that a
//! decision never waits for the attempts of the one before it; if the object was reverted before, only one such write
//! is free. If the API server refuses contents that take turns, they count as the same.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

/// Writes of the same content that are made at once; a person who edits an object now and then is not a contest.
const FREE: u32 = 3;
/// The pause after the last of these; doubled each time.
const FIRST: u32 = 30;
/// The longest pause between two writes of the same content.
pub const LONGEST: Duration = Duration::from_secs(3600);
/// The longest pause while users are not routed as decided.
pub const LONGEST_FOR_TRAFFIC: Duration = Duration::from_secs(60);
/// The longest pause while users are sent to a side without pods, although the other has some.
pub const LONGEST_IN_AN_OUTAGE: Duration = Duration::from_secs(5);
/// Attempts are remembered for this long without further events.
const MEMORY: SignedDuration = SignedDuration::from_hours(1);
/// Conflicts in a row after which they count as a refusal: the watched object is not the stored one.
const CONFLICTS: u32 = 5;
/// Failures in a row after which they are reported.
const FAILURES: u32 = 3;
/// A refusal is still reported this long after the pause: by then the next attempt has been made, if one is needed.
const TOLD: SignedDuration = SignedDuration::from_secs(5);
/// The longest pause after a refusal.
const LONGEST_AFTER_REFUSAL: u32 = 30;

/// The result of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was made.
    Written,
    /// The API server refuses, with this message.
    Refused(String),
    /// The object has changed since it was read, with this message.
    Conflict(String),
    /// There was no answer, or a temporary failure, with this message.
    Failed(String),
}

/// Which part of the wanted content a write contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Everything that differs.
    #[default]
    Whole,
    /// Only the metadata, because everything together was refused.
    Metadata,
    /// Everything except the metadata, because everything together was refused.
    Rest,
}

/// The consequence for users if a write is not made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stake {
    /// None at present.
    #[default]
    None,
    /// They are not routed as decided.
    Traffic,
    /// They are not served.
    Outage,
}

impl Stake {
    /// The longest pause between two attempts.
    fn longest(self) -> Duration {
        match self {
            Self::None => LONGEST,
            Self::Traffic => LONGEST_FOR_TRAFFIC,
            Self::Outage => LONGEST_IN_AN_OUTAGE,
        }
    }
}

/// The wanted state of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Which part of it is written.
    pub part: Part,
    /// Its digest: the same for as long as the same is wanted.
    pub digest: u64,
    /// The consequence for users until it is written.
    pub stake: Stake,
}

/// Attempts to write the same content to one object.
#[derive(Clone, Debug, PartialEq)]
struct Attempts {
    digest: u64,
    outcome: Outcome,
    times: u32,
    /// Refusals in a row of other content than the time before.
    turns: u32,
    last: Timestamp,
    /// The pause after the last one.
    pause: Duration,
}

/// The attempts of one Canary, by object and manager.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteBudget<K>(BTreeMap<K, Attempts>);

impl<K> Default for WriteBudget<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone> WriteBudget<K> {
    /// Adds an attempt.
    pub fn note(&mut self, key: &K, desired: Desired, outcome: Outcome, now: Timestamp) {
        self.0.retain(|_, attempts| attempts.remembered(now));
        let same = |old: &&Attempts| {
            old.digest == desired.digest
                && std::mem::discriminant(&old.outcome) == std::mem::discriminant(&outcome)
        };
        let old = self.0.get(key);
        let refused = |outcome: &Outcome| matches!(outcome, Outcome::Refused(_));
        let turns = old
            .filter(|old| refused(&old.outcome) && refused(&outcome))
            .map_or(0, |old| old.turns.saturating_add(u32::from(old.digest != desired.digest)));
        let times = match old.filter(|old| same(old) || turns >= FREE) {
            Some(old) => old.times.saturating_add(1),
            None if outcome == Outcome::Written && self.is_disputed(key) => FREE,
            None => 1,
        };
        let pause = pause(&outcome, times);
        let pause = pause.min(desired.stake.longest());
        let attempts = Attempts { digest: desired.digest, outcome, times, turns, last: now, pause };
        self.0.insert(key.clone(), attempts);
    }

    /// Until when the same must not be written again; none if it may be written now.
    pub fn held_until(&self, key: &K, desired: Desired, now: Timestamp) -> Option<Timestamp> {
        let counts = |attempts: &&Attempts| attempts.digest == desired.digest || attempts.turns >= FREE;
        let attempts = self.0.get(key).filter(counts)?;
        attempts.until(desired.stake.longest()).filter(|until| attempts.last <= now && now < *until)
    }

    /// The same was written before.
    pub fn repeats(&self, key: &K, desired: Desired) -> bool {
        self.0.get(key).is_some_and(|old| old.digest == desired.digest && old.outcome == Outcome::Written)
    }

    /// The object was written as often as allowed at once.
    pub fn is_disputed(&self, key: &K) -> bool {
        self.0.get(key).is_some_and(|old| old.outcome == Outcome::Written && old.times >= FREE)
    }

    /// Until when writes are held back, for any reason, and tried again.
    pub fn held(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        let held = self.0.values().filter(move |attempts| attempts.pending(now));
        held.filter_map(|attempts| attempts.until(LONGEST))
    }

    /// Some content of this object is held back.
    pub fn is_held(&self, key: &K, now: Timestamp) -> bool {
        self.0.get(key).is_some_and(|attempts| attempts.pending(now))
    }

    /// Writes that were made as often as allowed at once and are held back, with the time of the next one.
    pub fn contested(&self, now: Timestamp) -> impl Iterator<Item = (&K, Timestamp)> {
        let written = self.0.iter().filter(|(_, attempts)| attempts.outcome == Outcome::Written);
        written.filter_map(move |(key, attempts)| {
            attempts.until(LONGEST).filter(|until| now < *until).map(|until| (key, until))
        })
    }

    /// The API server refused the last write of the object.
    pub fn is_refused(&self, key: &K) -> bool {
        self.why_refused(key).is_some()
    }

    /// Why the API server refused the last write of the object.
    pub fn why_refused(&self, key: &K) -> Option<&str> {
        match &self.0.get(key)?.outcome {
            Outcome::Refused(why) | Outcome::Failed(why) => Some(why),
            Outcome::Written | Outcome::Conflict(_) => None,
        }
    }

    /// Why a write was refused that will be tried again, with the time of the next attempt.
    pub fn refusal(&self, now: Timestamp) -> Option<(String, Timestamp)> {
        self.0.values().find_map(|attempts| {
            let why = match &attempts.outcome {
                Outcome::Written => return None,
                Outcome::Failed(_) if attempts.times < FAILURES => return None,
                Outcome::Refused(why) | Outcome::Failed(why) => why.clone(),
                Outcome::Conflict(why) => {
                    format!("{why}, again and again: what Serin sees of the object is not what is stored")
                }
            };
            let due = attempts.until(LONGEST).filter(|_| attempts.last <= now)?;
            let told = due.checked_add(TOLD).ok()?;
            (now < told).then_some((why, if now < due { due } else { told }))
        })
    }
}

impl Attempts {
    /// When the next one is due; none if it may be made at once.
    fn until(&self, most: Duration) -> Option<Timestamp> {
        let pause = self.pause.min(most);
        if pause.is_zero() {
            return None;
        }
        SignedDuration::try_from(pause).ok().and_then(|pause| self.last.checked_add(pause).ok())
    }

    fn pending(&self, now: Timestamp) -> bool {
        self.until(LONGEST).is_some_and(|until| self.last <= now && now < until)
    }

    fn remembered(&self, now: Timestamp) -> bool {
        let twice = SignedDuration::try_from(2 * self.pause).unwrap_or(MEMORY);
        now.duration_since(self.last) < MEMORY.max(twice)
    }
}

/// The pause after the last of this many attempts.
fn pause(outcome: &Outcome, times: u32) -> Duration {
    let doubled = |first: u32, times: u32, most: u32| {
        let seconds = first.checked_shl(times.min(16)).unwrap_or(most).min(most);
        Duration::from_secs(u64::from(seconds))
    };
    let most = LONGEST.as_secs() as u32;
    match outcome {
        Outcome::Written if times < FREE => Duration::ZERO,
        Outcome::Written => doubled(FIRST, times - FREE, most),
        Outcome::Refused(_) | Outcome::Failed(_) => {
            doubled(1, times.saturating_sub(1), LONGEST_AFTER_REFUSAL)
        }
        Outcome::Conflict(_) if times < CONFLICTS => Duration::ZERO,
        Outcome::Conflict(_) => doubled(1, times - CONFLICTS, LONGEST_AFTER_REFUSAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Desired = Desired { part: Part::Whole, digest: 1, stake: Stake::None };
    const B: Desired = Desired { part: Part::Whole, digest: 2, stake: Stake::None };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    /// When the same is written, while somebody reverts it at once.
    fn writes(desired: Desired, outcome: &Outcome, seconds: i64) -> Vec<i64> {
        let mut budget = WriteBudget::default();
        let mut made = Vec::new();
        for second in 0..seconds {
            for _ in 0..100 {
                if budget.held_until(&"x", desired, at(second)).is_some() {
                    break;
                }
                budget.note(&"x", desired, outcome.clone(), at(second));
                made.push(second);
            }
        }
        made
    }

    #[test]
    fn c23_what_is_changed_back_is_written_ever_more_rarely() {
        assert_eq!(writes(A, &Outcome::Written, 600), [0, 0, 0, 30, 90, 210, 450]);
        let day = writes(A, &Outcome::Written, 86_400);
        assert!(day.len() < 35, "{day:?}");
        let traffic = Desired { stake: Stake::Traffic, ..A };
        assert_eq!(writes(traffic, &Outcome::Written, 200), [0, 0, 0, 30, 90, 150]);
        let outage = Desired { stake: Stake::Outage, ..A };
        assert_eq!(writes(outage, &Outcome::Written, 20), [0, 0, 0, 5, 10, 15]);
    }

    #[test]
    fn refusals_and_endless_conflicts_are_tried_again_every_half_minute() {
        let refused = Outcome::Refused("patch x: no".into());
        assert_eq!(writes(A, &refused, 100), [0, 1, 3, 7, 15, 31, 61, 91]);
        let moved = Outcome::Conflict("patch x: it has changed meanwhile".into());
        assert_eq!(writes(A, &moved, 12), [0, 0, 0, 0, 0, 1, 3, 7]);
    }

    #[test]
    fn contents_that_take_turns_are_refused_ever_more_rarely() {
        let (mut budget, mut made) = (WriteBudget::default(), Vec::new());
        for second in 0..40 {
            for desired in [A, B, A, B, A, B] {
                if budget.held_until(&"x", desired, at(second)).is_none() {
                    budget.note(&"x", desired, Outcome::Refused("patch x: no".into()), at(second));
                    made.push(second);
                }
            }
        }
        assert_eq!(made, [0, 0, 0, 0, 2, 6, 14, 30]);
    }

    #[test]
    fn another_wish_starts_over_and_so_does_one_after_a_long_time() {
        let mut budget = WriteBudget::default();
        for _ in 0..5 {
            budget.note(&"x", A, Outcome::Written, at(0));
        }
        assert_eq!(budget.held_until(&"x", A, at(1)), Some(at(120)));
        assert_eq!(budget.held_until(&"x", B, at(1)), None);
        assert_eq!(budget.held_until(&"y", A, at(1)), None);
        let mut changed = budget.clone();
        changed.note(&"x", B, Outcome::Written, at(1));
        assert_eq!(changed.held_until(&"x", B, at(1)), Some(at(31)), "it is known to be changed back");
        assert_eq!(budget.contested(at(1)).count(), 1);
        assert!(budget.is_held(&"x", at(1)) && !budget.is_held(&"x", at(120)));
        // the clock was set back: nothing waits for it
        assert_eq!(budget.held_until(&"x", A, at(-1)), None);
        budget.note(&"y", A, Outcome::Written, at(4000));
        assert!(!budget.repeats(&"x", A), "it was forgotten");
    }

    #[test]
    fn a_refusal_is_told_until_it_is_tried_again() {
        let mut budget = WriteBudget::default();
        budget.note(&"x", A, Outcome::Refused("patch x: no".into()), at(0));
        assert_eq!(budget.refusal(at(0)), Some(("patch x: no".to_owned(), at(1))));
        assert_eq!(budget.refusal(at(1)), Some(("patch x: no".to_owned(), at(6))), "it may be tried now");
        assert_eq!(budget.refusal(at(6)), None, "it was not needed any more");
        budget.note(&"x", A, Outcome::Written, at(1));
        assert_eq!(budget.refusal(at(1)), None);
    }
}
