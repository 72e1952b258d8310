//! Which Canaries are due, and one task for each of them.
//!
//! The lanes in which the tasks wait decide how many work at once, and in which order. A Canary never has two tasks
//! at once: a trigger in the meantime makes it due again when the task ends. A task that panics ends alone.
#![allow(clippy::disallowed_methods, reason = "this module waits and starts tasks")]

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc::UnboundedReceiver},
    task::{Id, JoinError, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::snapshot::Key;

/// When a Canary is processed again, unless something triggers it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// After this long.
    After(Duration),
    /// When something changes.
    OnChange,
}

/// The work on one Canary, as passed to its task.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// When it was due.
    pub(super) since: Instant,
    begun: Arc<AtomicBool>,
    triggered: Arc<Notify>,
}

impl Start {
    pub(super) fn at(since: Instant) -> Self {
        Self { since, begun: Arc::default(), triggered: Arc::default() }
    }

    /// The task observes the Canary now: later triggers make it due again, even if the task sees them while it waits.
    pub(super) fn begin(&self) {
        self.begun.store(true, Ordering::SeqCst);
    }

    /// Something has happened that the task sees when it begins, or looks again.
    pub(super) async fn triggered(&self) {
        self.triggered.notified().await;
    }

    /// Something happens while there is a task.
    pub(super) fn trigger(&self) {
        self.triggered.notify_one();
    }

    fn has_begun(&self) -> bool {
        self.begun.load(Ordering::SeqCst)
    }
}

#[derive(Default)]
struct Due {
    at: BTreeMap<Key, Instant>,
    order: BTreeSet<(Instant, Key)>,
}

impl Due {
    /// The earlier of the two times counts.
    fn set(&mut self, key: Key, at: Instant) {
        if let Some(old) = self.at.get(&key).copied() {
            if old <= at {
                return;
            }
            self.order.remove(&(old, key.clone()));
        }
        self.at.insert(key.clone(), at);
        self.order.insert((at, key));
    }

    fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    fn pop(&mut self, now: Instant) -> Option<(Instant, Key)> {
        if self.next()? > now {
            return None;
        }
        let (due, key) = self.order.pop_first()?;
        self.at.remove(&key);
        Some((due, key))
    }
}

/// Runs until `stop`: `work` for each due Canary, which says when it begins; `panicked` decides when to retry a task
/// that did not end by itself. `report` gets the number of tasks. Tasks that run at the end get `grace` to finish, and
/// are cut off then.
pub(super) async fn run<W, F>(
    mut triggers: UnboundedReceiver<Key>,
    (stop, grace): (CancellationToken, Duration),
    work: W,
    report: impl Fn(usize),
    panicked: impl Fn(&Key, &JoinError) -> Again,
) where
    W: Fn(Key, Start) -> F,
    F: Future<Output = Again> + Send + 'static,
{
    let mut due = Due::default();
    let mut tasks: JoinSet<Again> = JoinSet::new();
    let mut running: BTreeMap<Key, Start> = BTreeMap::new();
    let mut keys: BTreeMap<Id, Key> = BTreeMap::new();
    let mut retrigger: BTreeSet<Key> = BTreeSet::new();
    loop {
        let now = Instant::now();
        while let Some((since, key)) = due.pop(now) {
            let start = Start::at(since);
            let id = tasks.spawn(work(key.clone(), start.clone())).id();
            running.insert(key.clone(), start);
            keys.insert(id, key);
        }
        report(tasks.len());
        let sleep = due.next();
        tokio::select! {
            () = stop.cancelled() => break,
            Some(key) = triggers.recv() => {
                match running.get(&key) {
                    None => due.set(key, now),
                    Some(start) => {
                        start.trigger();
                        if start.has_begun() {
                            retrigger.insert(key);
                        }
                    }
                }
            }
            Some(done) = tasks.join_next_with_id() => {
                let (id, again) = match done {
                    Ok((id, again)) => (id, Ok(again)),
                    Err(error) => (error.id(), Err(error)),
                };
                let Some(key) = keys.remove(&id) else { continue };
                running.remove(&key);
                let again = again.unwrap_or_else(|error| panicked(&key, &error));
                if let Again::After(wait) = again {
                    due.set(key.clone(), Instant::now() + wait);
                }
                if retrigger.remove(&key) {
                    due.set(key, Instant::now());
                }
            }
            () = async { match sleep { Some(at) => tokio::time::sleep_until(at).await, None => std::future::pending().await } } => {}
        }
    }
    let ended = tokio::time::timeout(grace, async { while tasks.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        // as if the process had died: the next process decides again about unfinished work
        tracing::warn!(tasks = tasks.len(), "work under way did not end in time");
        tasks.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn key(name: &str) -> Key {
        ("ns".into(), name.into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_ends_one_canary_only_and_it_is_tried_again() {
        let (triggers, receiver) = tokio::sync::mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let (good, bad) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (g, b) = (good.clone(), bad.clone());
        let work = move |key: Key, _| {
            let (g, b) = (g.clone(), b.clone());
            async move {
                if key.1 == "bad" {
                    b.fetch_add(1, Ordering::SeqCst);
                    panic!("as a test");
                }
                g.fetch_add(1, Ordering::SeqCst);
                Again::After(Duration::from_secs(1))
            }
        };
        triggers.send(key("bad")).unwrap();
        triggers.send(key("good")).unwrap();
        let queue = tokio::spawn(run(
            receiver,
            (stop.clone(), Duration::from_secs(60)),
            work,
            |_| {},
            |_, _| Again::After(Duration::from_secs(5)),
        ));
        tokio::time::sleep(Duration::from_millis(10_500)).await;
        stop.cancel();
        queue.await.unwrap();
        assert_eq!(good.load(Ordering::SeqCst), 11);
        assert_eq!(bad.load(Ordering::SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_trigger_during_the_work_makes_it_due_again_and_never_runs_it_twice_at_once() {
        let (triggers, receiver) = tokio::sync::mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let (now, most, runs) =
            (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (n, m, r) = (now.clone(), most.clone(), runs.clone());
        let work = move |_, start: Start| {
            let (n, m, r) = (n.clone(), m.clone(), r.clone());
            async move {
                start.begin();
                m.fetch_max(n.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(1)).await;
                n.fetch_sub(1, Ordering::SeqCst);
                r.fetch_add(1, Ordering::SeqCst);
                Again::OnChange
            }
        };
        let queue = tokio::spawn(run(
            receiver,
            (stop.clone(), Duration::from_secs(60)),
            work,
            |_| {},
            |_, _| Again::OnChange,
        ));
        for _ in 0..5 {
            triggers.send(key("a")).unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        stop.cancel();
        queue.await.unwrap();
        assert_eq!((most.load(Ordering::SeqCst), runs.load(Ordering::SeqCst)), (1, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_happens_before_a_task_begins_is_seen_by_it() {
        let (triggers, receiver) = tokio::sync::mpsc::unbounded_channel();
        let (stop, runs) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let r = runs.clone();
        let work = move |_, start: Start| {
            let r = r.clone();
            async move {
                // until its turn comes
                tokio::time::sleep(Duration::from_secs(10)).await;
                start.begin();
                r.fetch_add(1, Ordering::SeqCst);
                Again::OnChange
            }
        };
        let grace = Duration::from_secs(1);
        let queue = tokio::spawn(run(receiver, (stop.clone(), grace), work, |_| {}, |_, _| Again::OnChange));
        for _ in 0..9 {
            triggers.send(key("a")).unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        stop.cancel();
        queue.await.unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn c31_work_that_does_not_end_is_cut_off_at_shutdown() {
        let (triggers, receiver) = tokio::sync::mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let work = |_, _| async {
            tokio::time::sleep(Duration::from_secs(240)).await;
            Again::OnChange
        };
        let grace = Duration::from_secs(2);
        let queue = tokio::spawn(run(receiver, (stop.clone(), grace), work, |_| {}, |_, _| Again::OnChange));
        triggers.send(key("slow")).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let begun = Instant::now();
        stop.cancel();
        queue.await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
}
