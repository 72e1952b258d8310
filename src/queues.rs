//! Bounded queues, each processed in order by its own task while it is not empty, for messages that nothing should
//! wait for.

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::task::TaskTracker;

/// Limits for waiting items.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Items of one namespace in each queue.
    pub items: usize,
    /// Bytes of one namespace, in all queues.
    pub of_one: usize,
    /// Bytes of all.
    pub bytes: usize,
}

/// An item to send, with the data for the limits.
pub(crate) struct Item<T> {
    /// Its namespace.
    pub owner: String,
    /// Approximate memory that it takes.
    pub bytes: usize,
    /// What is sent.
    pub what: T,
}

/// Queues by key.
pub(crate) struct Queues<K, T> {
    bounds: Bounds,
    tasks: TaskTracker,
    waiting: Arc<Mutex<Waiting<K, T>>>,
}

struct Waiting<K, T> {
    /// A queue exists while its task runs.
    queues: BTreeMap<K, VecDeque<Item<T>>>,
    /// Bytes by namespace, and of all.
    owners: BTreeMap<String, usize>,
    bytes: usize,
}

impl<K: Ord + Clone + Send + 'static, T: Send + 'static> Queues<K, T> {
    /// Queues within these bounds, whose tasks run on `tasks`.
    pub(crate) fn new(bounds: Bounds, tasks: TaskTracker) -> Self {
        let waiting = Waiting { queues: BTreeMap::new(), owners: BTreeMap::new(), bytes: 0 };
        Self { bounds, tasks, waiting: Arc::new(Mutex::new(waiting)) }
    }

    /// Passes the item to `send` after all that wait under this key. The `send` of the item that began the queue is
    /// used.
    ///
    /// # Errors
    /// Too much waits: returns the item.
    pub(crate) fn push<F, S>(&self, key: &K, item: Item<T>, send: S) -> Result<(), T>
    where
        S: Fn(T) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let mut waiting = lock(&self.waiting);
        if !waiting.has_room(key, &item, self.bounds) {
            return Err(item.what);
        }
        waiting.count(&item);
        if let Some(queue) = waiting.queues.get_mut(key) {
            queue.push_back(item);
            return Ok(());
        }
        waiting.queues.insert(key.clone(), VecDeque::from([item]));
        let (all, key) = (self.waiting.clone(), key.clone());
        self.tasks.spawn(async move {
            while let Some(item) = next(&all, &key) {
                send(item).await;
            }
        });
        Ok(())
    }
}

impl<K: Ord, T> Waiting<K, T> {
    fn has_room(&self, key: &K, item: &Item<T>, bounds: Bounds) -> bool {
        let own = self.owners.get(&item.owner).copied().unwrap_or_default();
        let before = self.queues.get(key).into_iter().flatten().filter(|other| other.owner == item.owner);
        before.count() < bounds.items
            && own.saturating_add(item.bytes) <= bounds.of_one
            && self.bytes.saturating_add(item.bytes) <= bounds.bytes
    }

    fn count(&mut self, item: &Item<T>) {
        *self.owners.entry(item.owner.clone()).or_default() += item.bytes;
        self.bytes += item.bytes;
    }

    fn uncount(&mut self, item: &Item<T>) {
        self.bytes = self.bytes.saturating_sub(item.bytes);
        if let Some(own) = self.owners.get_mut(&item.owner) {
            *own = own.saturating_sub(item.bytes);
            if *own == 0 {
                self.owners.remove(&item.owner);
            }
        }
    }
}

/// The next item; the queue is removed if there is none.
fn next<K: Ord, T>(waiting: &Mutex<Waiting<K, T>>, key: &K) -> Option<T> {
    let mut waiting = lock(waiting);
    let item = waiting.queues.get_mut(key).and_then(VecDeque::pop_front);
    match &item {
        Some(item) => waiting.uncount(item),
        None => drop(waiting.queues.remove(key)),
    }
    item.map(|item| item.what)
}

/// A panic elsewhere leaves the data valid.
fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Bounds = Bounds { items: 100, of_one: 1000, bytes: 1000 };

    #[tokio::test]
    async fn items_are_sent_in_order_and_what_does_not_fit_is_given_back() {
        let (tasks, sent) = (TaskTracker::new(), Arc::new(Mutex::new(Vec::new())));
        let queues = Queues::new(Bounds { items: 2, ..WIDE }, tasks.clone());
        let push = |key: &&'static str, item: u8| {
            let (sent, key) = (sent.clone(), *key);
            queues.push(&key, Item { owner: "n".into(), bytes: 1, what: item }, move |item| {
                let sent = sent.clone();
                async move { lock(&sent).push((key, item)) }
            })
        };
        let pushed = [push(&"a", 1), push(&"a", 2), push(&"a", 3), push(&"b", 4)];
        assert_eq!(pushed, [Ok(()), Ok(()), Err(3), Ok(())]);
        tasks.close();
        tasks.wait().await;
        assert_eq!(*lock(&sent), [("a", 1), ("a", 2), ("b", 4)]);
        let waiting = lock(&queues.waiting);
        assert!(waiting.queues.is_empty() && waiting.owners.is_empty() && waiting.bytes == 0);
    }

    #[tokio::test]
    async fn f9_what_waits_is_bounded_in_bytes_of_each_namespace_and_of_all() {
        let tasks = TaskTracker::new();
        let queues = Queues::new(Bounds { items: 100, of_one: 10, bytes: 15 }, tasks.clone());
        let push = |key: u8, owner: &str, bytes| {
            queues.push(&key, Item { owner: owner.into(), bytes, what: key }, |_| async {})
        };
        let pushed = [push(1, "a", 6), push(2, "a", 6), push(3, "a", 4), push(4, "b", 6), push(5, "c", 5)];
        assert_eq!(pushed, [Ok(()), Err(2), Ok(()), Err(4), Ok(())]);
        tasks.close();
        tasks.wait().await;
        assert_eq!(push(6, "a", 10), Ok(()), "what was sent does not count any more");
    }

    #[tokio::test]
    async fn f9_a_namespace_that_fills_a_queue_leaves_room_for_the_others() {
        let queues = Queues::new(Bounds { items: 2, ..WIDE }, TaskTracker::new());
        let push = |owner: &str| {
            queues.push(&"slack", Item { owner: owner.into(), bytes: 1, what: () }, |()| async {}).is_ok()
        };
        assert_eq!([push("a"), push("a"), push("a"), push("b")], [true, true, false, true]);
    }
}
