//! How old the data about a kind may be: since when its watch is broken, and why.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{
    store::{Inner, ObjectCache},
    watched::Watched,
};
use crate::snapshot::{Key, Kind, StaleKind};

/// A watch that is reopened within this time does not count as broken.
pub(crate) const GRACE: SignedDuration = SignedDuration::from_secs(20);

impl ObjectCache {
    /// This watch sees nothing from now on. True if that is new.
    pub(crate) fn lose(&self, watched: impl Into<Watched>, why: &str, now: Timestamp) -> bool {
        let (mut inner, watched) = (self.lock(), watched.into());
        let since = inner.lost.get(&watched).map(|lost| lost.since);
        let Watched { kind, namespace } = watched.clone();
        let lost = StaleKind { kind, namespace, since: since.unwrap_or(now), why: why.to_owned() };
        inner.lost.insert(watched, lost);
        since.is_none()
    }

    /// The watch works again. Returns the affected Canaries if it was broken for too long.
    pub(crate) fn regain(&self, watched: impl Into<Watched>, now: Timestamp) -> Vec<Key> {
        let (mut inner, watched) = (self.lock(), watched.into());
        let lost = inner.lost.remove(&watched);
        if lost.is_some_and(|lost| lost.is_old(now)) { inner.canaries_of(&watched) } else { vec![] }
    }

    /// All Canaries: a kind has not been visible for too long.
    pub(crate) fn concerned(&self) -> Vec<Key> {
        self.lock().canaries.keys()
    }

    /// The kinds that have not been visible for too long.
    pub(crate) fn stale_kinds(&self, now: Timestamp) -> Vec<StaleKind> {
        self.lock().lost.values().filter(|lost| lost.is_old(now)).cloned().collect()
    }

    /// Why nothing is known about objects of the kind in this namespace, if it was never listed and has been
    /// unavailable for too long.
    pub(crate) fn unlisted(&self, kind: Kind, namespace: &str, now: Timestamp) -> Option<String> {
        let inner = self.lock();
        let watched = inner.territory.watch_in(kind, namespace);
        let lost = inner.lost.get(&watched);
        let lost = lost.filter(|lost| lost.is_old(now) && !inner.synced.contains(&watched));
        lost.map(|lost| lost.why.clone())
    }

    /// What has to be listed before work can begin: these kinds, except those of single namespaces that have been
    /// unavailable for so long that the others should not wait.
    pub(crate) fn awaited(&self, kinds: &[Kind], now: Timestamp) -> Vec<String> {
        let inner = self.lock();
        let given_up = |watched: &Watched| {
            watched.namespace.is_some() && inner.lost.get(watched).is_some_and(|lost| lost.is_old(now))
        };
        let watches = kinds.iter().flat_map(|kind| inner.territory.watches(*kind));
        let mut awaited: Vec<String> = watches
            .filter(|watched| !inner.synced.contains(watched) && !given_up(watched))
            .map(|watched| watched.to_string())
            .collect();
        if !inner.crds_synced {
            awaited.push("customresourcedefinitions".into());
        }
        if !inner.territory.known() {
            awaited.push("namespaces".into());
        }
        awaited
    }

    /// The Lease of operators was listed, or may not be and the others should not wait.
    pub(crate) fn lease_known(&self, leases: Kind, now: Timestamp) -> bool {
        let (inner, watched) = (self.lock(), Watched::from(leases));
        let forbidden = inner.forbidden.contains(&watched);
        inner.synced.contains(&watched)
            || forbidden && inner.lost.get(&watched).is_some_and(|lost| lost.is_old(now))
    }

    /// The first of these kinds that was not yet listed in a namespace with separate watches.
    pub(crate) fn unseen(&self, kinds: &[Kind], namespace: &str) -> Option<Kind> {
        let inner = self.lock();
        let unseen = |kind: &&Kind| {
            let watched = inner.territory.watch_in(**kind, namespace);
            watched.namespace.is_some() && !inner.synced.contains(&watched)
        };
        kinds.iter().find(unseen).copied()
    }

    /// A list was started at this version. If the watch has seen a later one, the cluster was set back to an earlier
    /// state: everything known about the kind is dropped.
    pub(crate) fn begin_list(&self, watched: impl Into<Watched>, version: u64) {
        let (mut inner, watched) = (self.lock(), watched.into());
        let newest = inner.newest.get(&watched).copied().unwrap_or(0);
        if version > 0 && version < newest {
            let kind = watched.kind;
            tracing::warn!(kind = kind.kind, "resource versions have gone back: everything is read again");
            if let Some(entries) = inner.objects.get_mut(&kind) {
                entries.retain(|key| !watched.holds(key));
            }
            inner.floors.retain(|(of, key), _| *of != kind || !watched.holds(key));
            inner.undecodable.retain(kind, |key| !watched.holds(key));
        }
        inner.newest.insert(watched, version);
    }

    /// The watch has seen this version.
    pub(crate) fn saw(&self, watched: impl Into<Watched>, version: u64) {
        let mut inner = self.lock();
        let newest = inner.newest.entry(watched.into()).or_default();
        *newest = version.max(*newest);
    }
}

impl Inner {
    /// Objects that are newer than the list that has just ended, because we wrote them while it was read: a list that
    /// lacks them does not show that they are gone.
    pub(super) fn newer_than_list(&self, watched: &Watched) -> BTreeSet<Key> {
        // 0: the version of the list is no number
        let version = self.newest.get(watched).copied().filter(|version| *version > 0);
        let Some((version, entries)) = version.zip(self.objects.get(&watched.kind)) else {
            return BTreeSet::new();
        };
        entries.newer_than(version).filter(|key| watched.holds(key)).cloned().collect()
    }
}

impl StaleKind {
    fn is_old(&self, now: Timestamp) -> bool {
        // a time far ahead: the clock was set back
        now.duration_since(self.since).abs() >= GRACE
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::snapshot::{CANARY, DEPLOYMENT, ENDPOINTS};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    fn canary() -> serde_json::Value {
        json!({
            "metadata": {"name": "app", "namespace": "n", "resourceVersion": "1"},
            "spec": {"targetRef": {"kind": "Deployment", "apiVersion": "apps/v1", "name": "app"}},
        })
    }

    #[test]
    fn c24_a_kind_that_is_not_seen_for_long_is_stale_until_it_is_seen_again() {
        let cache = ObjectCache::default();
        cache.insert(CANARY, canary());
        assert!(cache.lose(ENDPOINTS, "no answer", at(0)));
        assert!(!cache.lose(ENDPOINTS, "forbidden", at(15)), "since when counts from the first loss");
        assert!(cache.stale_kinds(at(19)).is_empty());
        let stale = cache.stale_kinds(at(20));
        assert_eq!((stale.len(), stale[0].since, stale[0].why.as_str()), (1, at(0), "forbidden"));
        assert_eq!(cache.regain(ENDPOINTS, at(21)).len(), 1, "the Canaries are looked at again");
        assert!(cache.stale_kinds(at(60)).is_empty());
        cache.lose(ENDPOINTS, "no answer", at(70));
        assert!(cache.regain(ENDPOINTS, at(71)).is_empty());
    }

    #[test]
    fn c19_a_clock_that_is_set_back_does_not_hide_what_is_not_seen() {
        let cache = ObjectCache::default();
        cache.lose(ENDPOINTS, "no answer", at(0));
        assert!(cache.stale_kinds(at(-1)).is_empty(), "it was corrected a little");
        assert_eq!(cache.stale_kinds(at(-3600)).len(), 1);
    }

    #[test]
    fn c25_a_kind_that_was_never_listed_says_why() {
        let cache = ObjectCache::default();
        cache.lose(DEPLOYMENT, "the server could not find it (404)", at(0));
        assert_eq!(cache.unlisted(DEPLOYMENT, "n", at(1)), None);
        let why = cache.unlisted(DEPLOYMENT, "n", at(30));
        assert_eq!(why.as_deref(), Some("the server could not find it (404)"));
        cache.listed(DEPLOYMENT, &BTreeSet::new());
        assert_eq!(cache.unlisted(DEPLOYMENT, "n", at(30)), None);
    }

    #[test]
    fn c26_a_floor_goes_with_the_object_that_a_list_no_longer_has() {
        let cache = ObjectCache::default();
        let key: Key = ("n".into(), "app".into());
        let app = json!({"metadata": {"name": "app", "namespace": "n", "resourceVersion": "3"}});
        cache.insert(DEPLOYMENT, app.clone());
        cache.floor(DEPLOYMENT, key.clone(), 7);
        cache.listed(DEPLOYMENT, &BTreeSet::from([key.clone()]));
        assert!(cache.stale(DEPLOYMENT, &key), "it was listed before our write");
        cache.listed(DEPLOYMENT, &BTreeSet::new());
        assert!(!cache.stale(DEPLOYMENT, &key));
    }

    #[test]
    fn c38_a_cluster_that_was_set_back_is_read_again() {
        let cache = ObjectCache::default();
        let app = |version: &str| json!({"metadata": {"name": "app", "namespace": "n", "resourceVersion": version}});
        let version = |cache: &ObjectCache| {
            cache.get(DEPLOYMENT, "n", "app").unwrap()["metadata"]["resourceVersion"].clone()
        };
        cache.begin_list(DEPLOYMENT, 90);
        cache.insert(DEPLOYMENT, app("80"));
        cache.saw(DEPLOYMENT, 95);
        cache.insert(DEPLOYMENT, app("95"));
        // an answer to a write of ours is newer than a list that began before it
        cache.begin_list(DEPLOYMENT, 96);
        cache.insert(DEPLOYMENT, app("97"));
        cache.insert(DEPLOYMENT, app("95"));
        assert_eq!(version(&cache), "97");
        cache.begin_list(DEPLOYMENT, 50);
        cache.insert(DEPLOYMENT, app("40"));
        assert_eq!(version(&cache), "40");
    }
}
