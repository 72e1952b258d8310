//! Bounded queues, each worked off in order by a task of its own while something is in it: for what is to be sent without
//! anything waiting for it.

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::task::TaskTracker;

/// Queues by key.
pub(crate) struct Queues<K, T> {
    most: usize,
    tasks: TaskTracker,
    /// There is a queue while there is a task that works it off.
    waiting: Arc<Mutex<BTreeMap<K, VecDeque<T>>>>,
}

impl<K: Ord + Clone + Send + 'static, T: Send + 'static> Queues<K, T> {
    /// Queues of at most `most` items each, whose tasks run on `tasks`.
    pub(crate) fn new(most: usize, tasks: TaskTracker) -> Self {
        Self { most, tasks, waiting: Arc::default() }
    }

    /// Hands the item to `send` after all that wait under this key. `send` is the one of the item that began the queue.
    ///
    /// # Errors
    /// Too many wait: the item.
    pub(crate) fn push<F, S>(&self, key: &K, item: T, send: S) -> Result<(), T>
    where
        S: Fn(T) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let mut waiting = lock(&self.waiting);
        if let Some(queue) = waiting.get_mut(key) {
            if queue.len() >= self.most {
                return Err(item);
            }
            queue.push_back(item);
            return Ok(());
        }
        waiting.insert(key.clone(), VecDeque::from([item]));
        let (all, key) = (self.waiting.clone(), key.clone());
        self.tasks.spawn(async move {
            while let Some(item) = next(&all, &key) {
                send(item).await;
            }
        });
        Ok(())
    }
}

/// The next item; the queue goes when there is none.
fn next<K: Ord, T>(waiting: &Mutex<BTreeMap<K, VecDeque<T>>>, key: &K) -> Option<T> {
    let mut waiting = lock(waiting);
    let item = waiting.get_mut(key).and_then(VecDeque::pop_front);
    if item.is_none() {
        waiting.remove(key);
    }
    item
}

/// A panic elsewhere leaves what is held as good as it was.
fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn items_are_sent_in_order_and_what_does_not_fit_is_given_back() {
        let (tasks, sent) = (TaskTracker::new(), Arc::new(Mutex::new(Vec::new())));
        let queues = Queues::new(2, tasks.clone());
        let push = |key: &&'static str, item: u8| {
            let (sent, key) = (sent.clone(), *key);
            queues.push(&key, item, move |item| {
                let sent = sent.clone();
                async move { lock(&sent).push((key, item)) }
            })
        };
        let pushed = [push(&"a", 1), push(&"a", 2), push(&"a", 3), push(&"b", 4)];
        assert_eq!(pushed, [Ok(()), Ok(()), Err(3), Ok(())]);
        tasks.close();
        tasks.wait().await;
        assert_eq!(*lock(&sent), [("a", 1), ("a", 2), ("b", 4)]);
        assert!(lock(&queues.waiting).is_empty());
    }
}
