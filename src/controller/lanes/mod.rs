//! Who decides, asks and writes next, when more want to than may at once.
//!
//! Each of the three has a lane with so many permits. A namespace has a share of them, so that servers which do not answer one
//! hold up no other, and some are kept for what takes users off a version that fails. Who waits gets a permit in order of a
//! deadline: the time at which it was due, and what it can wait for. So those that go back come first, then what is due in order of
//! lateness, then the rest, and each of them gets its turn.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZero,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

/// How pressing it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Class {
    /// A version that fails loses its users, or somebody asks for something.
    Pressing,
    /// A run goes on.
    Due,
    /// All else.
    #[default]
    Other,
}

impl Class {
    /// What it can wait for, beside others that are due at the same time.
    fn patience(self) -> Duration {
        match self {
            Self::Pressing => Duration::ZERO,
            Self::Due => Duration::from_secs(60),
            Self::Other => Duration::from_secs(65),
        }
    }
}

/// What decides who comes first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rank {
    pub(super) class: Class,
    /// When it was due.
    pub(super) due: Instant,
}

/// Servers may take seconds to answer.
const ASK: Width = Width { permits: 256, reserve: 0, share: 64 };
/// Fewer than an API server takes on one connection, so that a call is sent as soon as it is made: its deadline counts from then.
const WRITE: Width = Width { permits: 64, reserve: 16, share: 32 };

/// Deadline, and the order of arrival.
type Place = (Instant, u64);

/// How many at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Width {
    pub(super) permits: usize,
    /// So many of them are for what is pressing.
    pub(super) reserve: usize,
    /// A namespace may have so many of them, but for what is pressing.
    pub(super) share: usize,
}

/// A lane. Copies share it.
#[derive(Clone, Debug)]
pub(super) struct Lane(Arc<Mutex<Queue>>);

/// Held while it is made use of.
#[derive(Debug)]
#[must_use]
pub(super) struct Permit {
    lane: Lane,
    namespace: String,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.lane.lock().release(&self.namespace);
        self.lane.grant();
    }
}

impl Lane {
    pub(super) fn new(width: Width) -> Self {
        Self(Arc::new(Mutex::new(Queue {
            free: width.permits,
            width,
            arrived: 0,
            pressing: BTreeMap::new(),
            lines: BTreeMap::new(),
            heads: BTreeSet::new(),
        })))
    }

    /// Waits for a permit. Who stops waiting takes none.
    pub(super) async fn enter(&self, namespace: &str, rank: Rank) -> Permit {
        let (sender, permit) = oneshot::channel();
        let place = self.lock().join(namespace, rank, sender);
        let _ticket = Ticket { lane: self, namespace, class: rank.class, place };
        self.grant();
        match permit.await {
            Ok(permit) => permit,
            // the lane keeps the sender until it has sent
            Err(_) => std::future::pending().await,
        }
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        let queue = self.lock();
        queue.pressing.len() + queue.lines.values().map(|line| line.waiting.len()).sum::<usize>()
    }

    fn grant(&self) {
        loop {
            let Some((namespace, sender)) = self.lock().next() else { return };
            let permit = Permit { lane: self.clone(), namespace };
            // of one that stopped waiting at this moment the permit comes back, and is the next one's
            drop(sender.send(permit));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue, given up when the wait ends.
struct Ticket<'a> {
    lane: &'a Lane,
    namespace: &'a str,
    class: Class,
    place: Place,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.lane.lock().leave(self.namespace, self.class, self.place);
    }
}

/// The work on one Canary, and the permit to look at it and decide while it does.
pub(super) struct Slot {
    pub(super) rank: Rank,
    pub(super) decides: Option<Permit>,
}

impl Slot {
    /// Something is waited for now: others decide meanwhile.
    pub(super) fn pause(&mut self) {
        self.decides = None;
    }
}

/// The lanes of an operator.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    /// Looking and deciding, which takes processor time only.
    pub(super) decide: Lane,
    /// Asking metrics servers, and what configuration holds.
    pub(super) ask: Lane,
    /// Writing to the API server.
    pub(super) write: Lane,
}

impl Lanes {
    pub(super) fn new() -> Self {
        let processors = thread::available_parallelism().map_or(2, NonZero::get);
        let decide = Width { permits: processors, reserve: 0, share: processors };
        Self { decide: Lane::new(decide), ask: Lane::new(ASK), write: Lane::new(WRITE) }
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        [&self.decide, &self.ask, &self.write].into_iter().map(Lane::waiting).sum()
    }
}

#[derive(Debug)]
struct Queue {
    width: Width,
    free: usize,
    arrived: u64,
    /// With the namespace.
    pressing: BTreeMap<Place, (String, oneshot::Sender<Permit>)>,
    lines: BTreeMap<String, Line>,
    /// The first of each namespace that has not had its share.
    heads: BTreeSet<(Place, String)>,
}

/// A namespace.
#[derive(Debug, Default)]
struct Line {
    waiting: BTreeMap<Place, oneshot::Sender<Permit>>,
    /// Permits that it has.
    taken: usize,
    /// Its place among the heads.
    head: Option<Place>,
}

impl Queue {
    fn join(&mut self, namespace: &str, rank: Rank, sender: oneshot::Sender<Permit>) -> Place {
        self.arrived += 1;
        let place = (rank.due + rank.class.patience(), self.arrived);
        if rank.class == Class::Pressing {
            self.pressing.insert(place, (namespace.to_owned(), sender));
        } else {
            self.lines.entry(namespace.to_owned()).or_default().waiting.insert(place, sender);
            self.expose(namespace);
        }
        place
    }

    fn leave(&mut self, namespace: &str, class: Class, place: Place) {
        if class == Class::Pressing {
            self.pressing.remove(&place);
        } else if let Some(line) = self.lines.get_mut(namespace) {
            line.waiting.remove(&place);
            self.expose(namespace);
        }
    }

    /// The next who may go, if any.
    fn next(&mut self) -> Option<(String, oneshot::Sender<Permit>)> {
        if self.free == 0 {
            return None;
        }
        let pressing = self.pressing.first_key_value().map(|(place, _)| *place);
        let head = self.heads.first().filter(|_| self.free > self.width.reserve).cloned();
        let first = pressing.filter(|place| head.as_ref().is_none_or(|(other, _)| place < other));
        let (namespace, sender) = if let Some(place) = first {
            self.pressing.remove(&place)?
        } else {
            let (place, namespace) = head?;
            let sender = self.lines.get_mut(&namespace)?.waiting.remove(&place)?;
            (namespace, sender)
        };
        self.free -= 1;
        self.lines.entry(namespace.clone()).or_default().taken += 1;
        self.expose(&namespace);
        Some((namespace, sender))
    }

    fn release(&mut self, namespace: &str) {
        self.free += 1;
        if let Some(line) = self.lines.get_mut(namespace) {
            line.taken = line.taken.saturating_sub(1);
            self.expose(namespace);
        }
    }

    /// Brings the head of a namespace up to date.
    fn expose(&mut self, namespace: &str) {
        let Some(line) = self.lines.get_mut(namespace) else { return };
        let first = line.waiting.first_key_value().map(|(place, _)| *place);
        let head = first.filter(|_| line.taken < self.width.share);
        let old = std::mem::replace(&mut line.head, head);
        let idle = line.waiting.is_empty() && line.taken == 0;
        if old != head {
            if let Some(place) = old {
                self.heads.remove(&(place, namespace.to_owned()));
            }
            self.heads.extend(head.map(|place| (place, namespace.to_owned())));
        }
        if idle {
            self.lines.remove(namespace);
        }
    }
}

#[cfg(test)]
mod tests;
