//! How many runs there are, and which revisions wait until one of them has ended.
//!
//! A run counts from the decision to begin it until it has ended, whatever its outcome. Waiting revisions begin in
//! order of arrival, which is in the status of their Canaries and so survives a restart. A revision that waits for
//! other reasons as well does not hold up the others.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use crate::{
    config::RunLimits,
    snapshot::{Key, Queued},
};

/// Current runs, and Canaries that wait for their turn.
#[derive(Debug)]
pub(super) struct Runs {
    limits: RunLimits,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    running: BTreeSet<Key>,
    /// Since when each Canary waits.
    waiting: BTreeMap<Key, Timestamp>,
}

impl Runs {
    pub(super) fn new(limits: RunLimits) -> Self {
        Self { limits, known: Mutex::default() }
    }

    /// Takes a place for the run of this Canary, which has waited since `since`.
    ///
    /// # Errors
    /// There is none, or others have waited longer. This Canary is recorded as waiting.
    pub(super) fn begin(&self, key: &Key, since: Timestamp) -> Result<(), Queued> {
        let mut known = self.lock();
        if self.limits.are_none() || known.running.contains(key) {
            return Ok(());
        }
        known.waiting.insert(key.clone(), since);
        if known.next(self.limits).contains(key) {
            known.waiting.remove(key);
            known.running.insert(key.clone());
            return Ok(());
        }
        Err(known.full(self.limits, &key.0))
    }

    /// Records the result of a pass: the Canary has a run, or waits for its turn, or neither. Returns the Canaries
    /// whose turn it is now.
    pub(super) fn note(&self, key: &Key, runs: bool, waits: bool) -> Vec<Key> {
        if self.limits.are_none() {
            return vec![];
        }
        let mut known = self.lock();
        let left = !waits && known.waiting.remove(key).is_some();
        let changed = if runs { known.running.insert(key.clone()) } else { known.running.remove(key) };
        if left || changed && !runs { known.next(self.limits) } else { vec![] }
    }

    /// The Canary cannot be processed now and would not take its turn. Returns those whose turn it is now. It gets its
    /// former place when it asks again.
    pub(super) fn step_aside(&self, key: &Key) -> Vec<Key> {
        let mut known = self.lock();
        if known.waiting.remove(key).is_some() { known.next(self.limits) } else { vec![] }
    }

    /// The state at startup, in any order: Canaries with a run, and those that wait, since when.
    pub(super) fn resume(&self, running: Vec<Key>, waiting: Vec<(Key, Timestamp)>) {
        let mut known = self.lock();
        known.running.extend(running);
        known.waiting.extend(waiting);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Those whose turn it is, by how long they have waited. A namespace at its limit does not hold up
    /// the others.
    fn next(&self, limits: RunLimits) -> Vec<Key> {
        let mut of_namespace = BTreeMap::<&str, usize>::new();
        for (namespace, _) in &self.running {
            *of_namespace.entry(namespace).or_default() += 1;
        }
        let free = limits.all.map_or(usize::MAX, |most| most.saturating_sub(self.running.len()));
        let mut waiting: Vec<_> = self.waiting.iter().map(|(key, since)| (since, key)).collect();
        waiting.sort_unstable();
        let mut next = Vec::new();
        for (_, key) in waiting {
            let count = of_namespace.entry(&key.0).or_default();
            if next.len() < free && limits.namespace.is_none_or(|most| *count < most) {
                *count += 1;
                next.push(key.clone());
            }
        }
        next
    }

    /// The limit that keeps a Canary of this namespace from beginning.
    fn full(&self, limits: RunLimits, namespace: &str) -> Queued {
        let runs = self.running.iter().filter(|(of, _)| of == namespace).count();
        match limits.namespace.filter(|most| runs >= *most) {
            Some(most) => Queued { most, in_namespace: true },
            None => Queued { most: limits.all.unwrap_or(runs), in_namespace: limits.all.is_none() },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(namespace: &str, name: &str) -> Key {
        (namespace.into(), name.into())
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn runs(all: Option<usize>, namespace: Option<usize>) -> Runs {
        Runs::new(RunLimits { all, namespace })
    }

    #[test]
    fn without_limits_nothing_is_remembered() {
        let runs = runs(None, None);
        assert!((0..100).all(|n| runs.begin(&key("n", &n.to_string()), at(n)).is_ok()));
        assert_eq!(runs.note(&key("n", "1"), false, false), Vec::<Key>::new());
        assert!(runs.lock().running.is_empty());
    }

    #[test]
    fn turns_come_in_the_order_of_arrival_and_a_full_namespace_holds_up_no_other() {
        let runs = runs(Some(2), Some(1));
        runs.begin(&key("a", "one"), at(1)).unwrap();
        let full = runs.begin(&key("a", "two"), at(2)).unwrap_err();
        assert_eq!(full, Queued { most: 1, in_namespace: true });
        // asks again before its run was written
        runs.begin(&key("a", "one"), at(9)).unwrap();
        runs.begin(&key("b", "one"), at(3)).unwrap();
        let full = runs.begin(&key("c", "late"), at(8)).unwrap_err();
        assert_eq!(full, Queued { most: 2, in_namespace: false });
        runs.begin(&key("c", "early"), at(4)).unwrap_err();
        assert_eq!(runs.note(&key("b", "one"), true, false), Vec::<Key>::new(), "it runs");
        assert_eq!(runs.note(&key("b", "one"), false, false), [key("c", "early")]);
        // a Canary that happens to come first waits for the one whose turn it is
        runs.begin(&key("d", "new"), at(9)).unwrap_err();
        runs.begin(&key("c", "late"), at(8)).unwrap_err();
        runs.begin(&key("c", "early"), at(4)).unwrap();
        assert_eq!(runs.note(&key("a", "one"), false, false), [key("a", "two")]);
    }

    #[test]
    fn one_that_no_longer_wants_to_begin_holds_up_no_other() {
        let runs = runs(Some(1), None);
        runs.begin(&key("a", "one"), at(1)).unwrap();
        runs.begin(&key("a", "two"), at(2)).unwrap_err();
        runs.begin(&key("a", "three"), at(3)).unwrap_err();
        assert_eq!(runs.note(&key("a", "two"), false, true), Vec::<Key>::new(), "it waits still");
        assert_eq!(runs.note(&key("a", "one"), false, false), [key("a", "two")]);
        assert_eq!(runs.note(&key("a", "two"), false, false), [key("a", "three")]);
    }

    #[test]
    fn one_that_cannot_be_worked_on_holds_up_no_other_and_keeps_its_place() {
        let runs = runs(Some(1), None);
        runs.begin(&key("a", "one"), at(1)).unwrap();
        runs.begin(&key("a", "two"), at(2)).unwrap_err();
        runs.begin(&key("a", "three"), at(3)).unwrap_err();
        assert_eq!(runs.note(&key("a", "one"), false, false), [key("a", "two")]);
        runs.begin(&key("a", "three"), at(3)).unwrap_err();
        assert_eq!(runs.step_aside(&key("a", "two")), [key("a", "three")]);
        runs.begin(&key("a", "three"), at(3)).unwrap();
        runs.begin(&key("a", "four"), at(4)).unwrap_err();
        runs.begin(&key("a", "two"), at(2)).unwrap_err();
        assert_eq!(runs.note(&key("a", "three"), false, false), [key("a", "two")]);
    }

    #[test]
    fn a_new_process_knows_who_runs_and_who_waited_first() {
        let runs = runs(Some(1), None);
        runs.resume(vec![key("a", "one")], vec![(key("a", "three"), at(3)), (key("a", "two"), at(2))]);
        runs.begin(&key("a", "new"), at(9)).unwrap_err();
        assert_eq!(runs.note(&key("a", "one"), false, false), [key("a", "two")]);
        runs.begin(&key("a", "new"), at(9)).unwrap_err();
        runs.begin(&key("a", "two"), at(2)).unwrap();
    }

    proptest! {
        /// In any order of events: never more than the limits, and every waiting Canary gets a turn.
        #[test]
        fn no_limit_is_passed_and_nobody_waits_for_ever(
            all in 1usize..5, namespace in 1usize..4, events in proptest::collection::vec((0u8..3, 0usize..12), 0..60),
        ) {
            let queue = runs(Some(all), Some(namespace));
            let keys: Vec<Key> = (0..12).map(|n| key(["a", "b", "c"][n % 3], &n.to_string())).collect();
            let bounded = || {
                let known = queue.lock();
                let of = |name: &str| known.running.iter().filter(|(of, _)| of == name).count();
                known.running.len() <= all && ["a", "b", "c"].iter().all(|name| of(name) <= namespace)
            };
            for (time, (what, which)) in events.into_iter().enumerate() {
                let key = &keys[which];
                let (waits, runs) = {
                    let known = queue.lock();
                    (known.waiting.contains_key(key), known.running.contains(key))
                };
                let next = match what {
                    0 => {
                        // whether it is its turn or not
                        queue.begin(key, at(i64::try_from(time).unwrap())).ok();
                        vec![]
                    }
                    1 => queue.note(key, false, false),
                    _ => queue.note(key, runs, waits),
                };
                for next in next {
                    queue.begin(&next, at(0)).unwrap();
                }
                prop_assert!(bounded());
            }
            // all runs end one after the other, and those whose turn it is begin
            for _ in 0..12 {
                let running: Vec<Key> = queue.lock().running.iter().cloned().collect();
                for key in running {
                    for next in queue.note(&key, false, false) {
                        queue.begin(&next, at(0)).unwrap();
                        prop_assert!(bounded());
                    }
                }
            }
            prop_assert!(queue.lock().waiting.is_empty());
        }
    }
}
