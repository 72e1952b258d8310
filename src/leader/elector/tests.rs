use std::collections::BTreeSet;

use super::*;

const LEASE: Duration = Duration::from_secs(6);
const RENEWAL: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn record(version: u64, holder: &str, renewed: &str) -> Record {
    Record { version, holder: holder.into(), duration: LEASE, renewed: renewed.into(), transitions: 0 }
}

fn elector(identity: &str) -> Elector {
    Elector::new(identity.into(), LEASE, RENEWAL)
}

#[test]
fn a_free_lease_is_taken_at_once() {
    let mut a = elector("a");
    assert_eq!(a.next(at(0)), Move::Create);
    let free = record(1, "", "t0");
    a.saw(free.clone(), at(1));
    assert_eq!(a.next(at(1)), Move::Take(free.clone()));
    assert_eq!(a.transitions_after(&free), 1);
    a.wrote(record(2, "a", "t1"), at(1));
    assert_eq!(a.held_until(), Some(at(7)));
    assert_eq!(a.next(at(1)), Move::Wait(RENEWAL));
    assert!(matches!(a.next(at(2)), Move::Take(_)));
    assert_eq!(a.transitions_after(&record(2, "a", "t1")), 0, "a renewal changes no hands");
}

#[test]
fn the_lease_of_another_is_taken_only_once_it_has_not_changed_for_as_long_as_it_lasts() {
    let mut a = elector("a");
    a.saw(record(1, "b", "in the year 2000"), at(10));
    assert_eq!(a.next(at(10)), Move::Wait(LEASE), "the clock of its holder does not matter");
    a.saw(record(2, "b", "in the year 2001"), at(15));
    assert_eq!(a.next(at(16)), Move::Wait(at(5)));
    a.saw(record(3, "b", "in the year 2001"), at(19));
    assert_eq!(a.next(at(20)), Move::Wait(at(1)), "a label was changed, it was not renewed");
    assert_eq!(a.next(at(21)), Move::Take(record(3, "b", "in the year 2001")));
}

#[test]
fn a_leader_that_could_not_renew_or_was_replaced_has_lost() {
    let mut a = elector("a");
    a.wrote(record(1, "a", "t"), at(0));
    assert!(matches!(a.next(at(5)), Move::Take(_)), "it is tried to the last moment");
    assert_eq!(a.next(at(6)), Move::Lost);
    a.wrote(record(2, "a", "t"), at(5));
    assert_eq!(a.next(at(5)), Move::Wait(RENEWAL));
    a.saw(record(1, "b", "t"), at(5));
    a.saw_gone(1);
    assert_eq!(a.next(at(5)), Move::Wait(RENEWAL), "a watch may lag behind");
    let mut gone = a.clone();
    gone.saw_gone(3);
    assert_eq!(gone.next(at(5)), Move::Lost);
    for holder in ["b", ""] {
        let mut a = a.clone();
        a.saw(record(3, holder, "t"), at(5));
        assert_eq!(a.next(at(5)), Move::Lost);
    }
}

#[test]
fn what_was_written_and_not_answered_is_ours_once_it_is_seen() {
    let mut a = elector("a");
    a.saw(record(4, "a", "t"), at(3));
    assert_eq!(a.held_until(), None);
    assert_eq!(a.next(at(3)), Move::Take(record(4, "a", "t")));
}

/// Two candidates on one API server. Requests and answers are delayed or lost, and watches lag.
#[derive(Clone)]
struct World {
    now: u64,
    /// All states of the Lease.
    stored: Vec<Record>,
    sides: [Side; 2],
}

#[derive(Clone)]
struct Side {
    elector: Elector,
    /// How many of them its watch has shown.
    shown: usize,
    /// A request that was sent and has not arrived: the version that it is bound to, and when it was sent.
    sent: Option<(Option<u64>, u64)>,
    /// An accepted request without an answer yet, and when it was sent.
    answer: Option<(Record, u64)>,
    /// It has ended, like a process that has lost the Lease.
    ended: bool,
}

impl World {
    fn new() -> Self {
        let elector = |name: &str| Elector::new(name.into(), at(2), at(1));
        let side = |name| Side { elector: elector(name), shown: 0, sent: None, answer: None, ended: false };
        Self { now: 0, stored: vec![], sides: [side("a"), side("b")] }
    }

    fn leads(&self, side: usize) -> bool {
        let side = &self.sides[side];
        !side.ended && side.elector.held_until().is_some_and(|until| at(self.now) < until)
    }

    /// All possible next states.
    fn steps(&self) -> Vec<Self> {
        let mut all = vec![Self { now: self.now + 1, ..self.clone() }];
        for side in 0..2 {
            if !self.sides[side].ended {
                all.extend(self.in_flight(side));
                all.extend(self.acts(side));
            }
        }
        all
    }

    fn but(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut next = self.clone();
        change(&mut next);
        next
    }

    /// Possible outcomes of a request, of an answer, and of an observation.
    fn in_flight(&self, side: usize) -> Vec<Self> {
        let (mut all, it) = (vec![], &self.sides[side]);
        if let Some((bound, sent)) = it.sent {
            // accepted, if the object still has the version that it is bound to
            if self.stored.last().map(|last| last.version) == bound {
                let version = self.stored.len() as u64 + 1;
                let taken = record(version, ["a", "b"][side], &sent.to_string());
                let taken = Record { duration: at(2), ..taken };
                all.push(self.but(|w| w.sides[side].sent = None));
                all.push(self.but(|w| {
                    w.stored.push(taken.clone());
                    (w.sides[side].sent, w.sides[side].answer) = (None, Some((taken, sent)));
                }));
            } else {
                // refused, and the Lease is read
                let found = self.stored.last().cloned();
                all.push(self.but(|w| {
                    w.sides[side].sent = None;
                    w.sides[side].elector.read(found, at(w.now));
                }));
            }
        }
        if let Some((taken, sent)) = it.answer.clone() {
            all.push(self.but(|w| w.sides[side].answer = None));
            all.push(self.but(|w| {
                w.sides[side].answer = None;
                w.sides[side].elector.wrote(taken, at(sent));
            }));
        }
        if let Some(next) = self.stored.get(it.shown).cloned() {
            all.push(self.but(|w| {
                w.sides[side].shown += 1;
                w.sides[side].elector.saw(next, at(w.now));
            }));
        }
        all
    }

    fn acts(&self, side: usize) -> Option<Self> {
        let it = &self.sides[side];
        if it.sent.is_some() || it.answer.is_some() {
            return None;
        }
        let bound = match it.elector.next(at(self.now)) {
            Move::Create => None,
            Move::Take(record) => Some(record.version),
            Move::Wait(_) => return None,
            Move::Lost => return Some(self.but(|w| w.sides[side].ended = true)),
        };
        Some(self.but(|w| w.sides[side].sent = Some((bound, w.now))))
    }

    /// Distinguishes states.
    fn key(&self) -> String {
        let side = |s: &Side| format!("{:?}{}{:?}{:?}{}", s.elector, s.shown, s.sent, s.answer, s.ended);
        format!("{}{:?}{}{}", self.now, self.stored, side(&self.sides[0]), side(&self.sides[1]))
    }
}

#[test]
fn of_two_candidates_at_most_one_leads_whatever_is_lost_or_late() {
    let (mut open, mut known, mut led) = (vec![World::new()], BTreeSet::new(), BTreeSet::new());
    while let Some(world) = open.pop() {
        if world.now > 3 || world.stored.len() > 3 || !known.insert(world.key()) {
            continue;
        }
        let leaders: Vec<usize> = (0..2).filter(|side| world.leads(*side)).collect();
        assert!(leaders.len() < 2, "both lead: {}", world.key());
        if let [leader] = leaders.as_slice() {
            led.insert((*leader, world.stored.len() > 1 && world.stored[0].holder != ["a", "b"][*leader]));
        }
        open.extend(world.steps());
    }
    let all = [(0, false), (0, true), (1, false), (1, true)];
    assert_eq!(led, BTreeSet::from(all), "each comes to lead, at first and after the other");
}
