//! Which task decides, queries and writes next, when more want to than may at once.
//!
//! Each of the three has a lane with a number of permits. A namespace has a share of them, so that servers that do not
//! answer one namespace hold up no other, and some are reserved for taking users off a failing version. Tasks get
//! permits in the order of a deadline: the time at which the task was due, plus the time that it can wait. So rollbacks
//! come first, then due tasks in order of lateness, then the rest, and every task gets its turn.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZero,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

use super::queue::Start;

/// How urgent a task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Class {
    /// A failing version loses its users, or somebody sent a request.
    Pressing,
    /// A run continues.
    Due,
    /// Everything else.
    #[default]
    Other,
}

impl Class {
    /// How long it can wait, compared with others that are due at the same time.
    fn patience(self) -> Duration {
        match self {
            Self::Pressing => Duration::ZERO,
            Self::Due => Duration::from_secs(60),
            Self::Other => Duration::from_secs(65),
        }
    }
}

/// Decides the order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rank {
    pub(super) class: Class,
    /// When it was due.
    pub(super) due: Instant,
}

/// Servers may take seconds to answer.
const ASK: Width = Width { permits: 256, reserve: 0, share: 64 };
/// Fewer than an API server accepts on one connection, so that a call is sent as soon as it is made: its deadline
/// counts from then.
const WRITE: Width = Width { permits: 64, reserve: 16, share: 32 };

/// Deadline, and the order of arrival.
type Place = (Instant, u64);

/// Number of permits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Width {
    pub(super) permits: usize,
    /// This many of them are reserved for urgent tasks.
    pub(super) reserve: usize,
    /// A namespace may have this many of them, not counting urgent tasks.
    pub(super) share: usize,
}

/// A lane. Copies share it.
#[derive(Clone, Debug)]
pub(super) struct Lane(Arc<Mutex<Queue>>);

/// Held while it is used.
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

    /// Waits for a permit. A task that stops waiting takes none.
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

    /// Number of waiting tasks.
    pub(super) fn waiting(&self) -> usize {
        let queue = self.lock();
        queue.pressing.len() + queue.lines.values().map(|line| line.waiting.len()).sum::<usize>()
    }

    fn grant(&self) {
        loop {
            let Some((namespace, sender)) = self.lock().next() else { return };
            let permit = Permit { lane: self.clone(), namespace };
            // if the receiver has just stopped waiting, the permit comes back for the next one
            drop(sender.send(permit));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue, released when the wait ends.
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

/// The work on one Canary, with the permit to observe and decide while it does so.
pub(super) struct Slot {
    pub(super) rank: Rank,
    pub(super) start: Start,
    pub(super) decides: Option<Permit>,
    /// A permit to write that was waited for: what is written is decided with it.
    pub(super) writes: Option<Permit>,
}

impl Slot {
    /// The task waits for something now: others decide meanwhile.
    pub(super) fn pause(&mut self) {
        self.decides = None;
    }
}

/// What to do with a plan whose wait for a permit to write has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Carry it out.
    Write,
    /// It may be out of date: decide again.
    Decide,
}

/// The lanes of an operator.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    /// Observing and deciding, which takes only processor time.
    pub(super) decide: Lane,
    /// Querying metrics servers, and reading configuration.
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

    /// Number of waiting tasks.
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
    /// The first task of each namespace that has not used up its share.
    heads: BTreeSet<(Place, String)>,
}

/// A namespace.
#[derive(Debug, Default)]
struct Line {
    waiting: BTreeMap<Place, oneshot::Sender<Permit>>,
    /// Number of its permits.
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

    /// The next task that may proceed, if any.
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

    /// Updates the head of a namespace.
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
