//! Shares of limited resources: permits, of which each namespace gets a maximum. Requests that wait for a permit of
//! their namespace do not occupy permits of others.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Number of namespaces at which those without a permit are forgotten.
const REMEMBERED: usize = 256;

/// Permits in total, and per namespace.
#[derive(Clone)]
pub(crate) struct Shares(Arc<Inner>);

struct Inner {
    all: Arc<Semaphore>,
    each: usize,
    namespaces: Mutex<BTreeMap<String, Arc<Semaphore>>>,
}

/// Returned when it is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Share {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Shares {
    /// This many permits, of which a namespace gets at most `each`.
    pub(crate) fn new(all: usize, each: usize) -> Self {
        Self(Arc::new(Inner { all: Arc::new(Semaphore::new(all)), each, namespaces: Mutex::default() }))
    }

    /// Waits for a permit: first for one of the namespace, so that waiting requests do not occupy permits of others.
    pub(crate) async fn take(&self, namespace: &str) -> Option<Share> {
        let own = self.of(namespace).acquire_owned().await.ok()?;
        let all = self.0.all.clone().acquire_owned().await.ok()?;
        Some(Share { _own: own, _all: all })
    }

    fn of(&self, namespace: &str) -> Arc<Semaphore> {
        let mut all = self.0.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED && !all.contains_key(namespace) {
            all.retain(|_, permits| Arc::strong_count(permits) > 1);
        }
        let new = || Arc::new(Semaphore::new(self.0.each));
        all.entry(namespace.to_owned()).or_insert_with(new).clone()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn f9_a_namespace_that_holds_its_share_takes_nothing_from_others() {
        let shares = Shares::new(3, 2);
        let take = |namespace| shares.take(namespace).now_or_never().flatten();
        let held = [take("a"), take("a")];
        assert!(held.iter().all(Option::is_some));
        assert!(take("a").is_none(), "it has its share");
        let other = take("b");
        assert!(other.is_some());
        assert!(take("c").is_none(), "all are taken");
        drop(held);
        assert!(take("c").is_some(), "and come back");
    }

    #[test]
    fn f9_namespaces_without_permits_are_forgotten() {
        let shares = Shares::new(10_000, 1);
        let held = shares.take("held").now_or_never().flatten();
        for n in 0..REMEMBERED * 2 {
            drop(shares.take(&n.to_string()).now_or_never());
        }
        assert!(shares.0.namespaces.lock().unwrap().len() <= REMEMBERED);
        assert!(shares.take("held").now_or_never().is_none(), "who holds one is not");
        drop(held);
    }
}
