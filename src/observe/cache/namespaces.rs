//! Canaries of the namespaces that the operator works in. Only these are in the index of Canaries: events elsewhere
//! make no Canary due, and Canaries elsewhere are not counted.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;

use super::{
    entry::Entry,
    standing::Standing,
    store::{Inner, ObjectCache},
    territory::{Chosen, Moves, Territory},
    watched::Watched,
};
use crate::{
    clock,
    observe::references::References,
    scope::Scope,
    snapshot::{CANARY, Key, Kind},
};

impl ObjectCache {
    /// An empty one for an operator that works in these namespaces.
    pub(crate) fn of(scope: &Scope) -> Self {
        let cache = Self::default();
        cache.lock().territory = Territory::of(scope);
        cache
    }

    /// The operator works in this namespace.
    pub(crate) fn works_in(&self, namespace: &str) -> bool {
        self.lock().territory.holds(namespace)
    }

    /// Since when the operator sees the namespace, if that is later than its start.
    pub(crate) fn seen_since(&self, namespace: &str) -> Option<Timestamp> {
        self.lock().territory.seen_since(namespace)
    }

    /// The watches of a kind.
    pub(crate) fn watches(&self, kind: Kind) -> Vec<Watched> {
        self.lock().territory.watches(kind)
    }

    /// The namespace matches the operator's selector, or no longer does. Returns the affected
    /// Canaries.
    pub(crate) fn choose(&self, namespace: &str, chosen: bool) -> Vec<Key> {
        self.move_namespaces(|known| known.set(namespace, chosen, clock::now()))
    }

    /// Exactly these namespaces match the selector. Returns the affected Canaries.
    pub(crate) fn choose_only(&self, namespaces: &BTreeSet<String>) -> Vec<Key> {
        self.move_namespaces(|known| known.replace(namespaces, clock::now()))
    }

    fn move_namespaces(&self, change: impl FnOnce(&mut Chosen) -> Moves) -> Vec<Key> {
        let moves = match &mut self.lock().territory {
            Territory::Chosen(chosen) => change(chosen),
            Territory::All | Territory::Named(_) => return vec![],
        };
        let mut concerned = Vec::new();
        for namespace in moves.let_go {
            concerned.extend(self.lock().let_go(&namespace));
            tracing::info!(namespace, "its labels do not match any more: its Canaries are left as they are");
        }
        for namespace in moves.taken_up {
            concerned.extend(self.take_up(&namespace));
            tracing::info!(namespace, "its labels match: its Canaries are worked on");
        }
        concerned
    }

    /// Adds the Canaries of the namespace to the index. Its watch adds Canaries that change meanwhile.
    fn take_up(&self, namespace: &str) -> Vec<Key> {
        let found: Vec<_> = {
            let inner = self.lock();
            let all = inner.objects.get(&CANARY).into_iter().flat_map(|all| all.beginning(namespace, ""));
            all.filter_map(|(name, entry)| Some((name.to_owned(), entry.version(), entry.stored()?.clone())))
                .collect()
        };
        let mut concerned = Vec::new();
        for (name, version, stored) in found {
            let Some(object) = self.warm.object(&stored) else { continue };
            let references = Arc::new(References::of(&object, namespace));
            let (key, standing) = ((namespace.to_owned(), name), Standing::of(&object));
            let mut inner = self.lock();
            let known = inner.objects.get(&CANARY).and_then(|all| all.get(&key)).map(Entry::version);
            if known == Some(version) && inner.territory.holds(namespace) {
                inner.canaries.put(key.clone(), references.clone(), standing);
                concerned.extend(inner.concerned(&key, &references));
                concerned.push(key);
            }
        }
        concerned
    }
}

impl Inner {
    /// Removes the Canaries of the namespace from the index.
    fn let_go(&mut self, namespace: &str) -> Vec<Key> {
        let keys: Vec<Key> = self.canaries.of_namespace(namespace).map(|(key, _)| key.clone()).collect();
        let mut concerned = Vec::new();
        for key in &keys {
            self.dependencies.remove(key);
            if let Some(old) = self.canaries.remove(key) {
                concerned.extend(self.concerned(key, &old));
            }
        }
        concerned.extend(keys);
        concerned
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::snapshot::{CONFIG_MAP, DEPLOYMENT, JOB, METRIC_TEMPLATE};

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn key(namespace: &str) -> Key {
        (namespace.into(), "app".into())
    }

    fn canary(namespace: &str, version: &str) -> Value {
        json!({
            "metadata": {"name": "app", "namespace": namespace, "resourceVersion": version},
            "spec": {
                "targetRef": {"kind": "Deployment", "apiVersion": "apps/v1", "name": "app"},
                "analysis": {"metrics": [{"templateRef": {"name": "shared", "namespace": "monitoring"}}]},
            },
        })
    }

    fn object(namespace: &str, name: &str) -> Value {
        json!({"metadata": {"name": name, "namespace": namespace, "resourceVersion": "5"}})
    }

    #[test]
    fn canaries_of_other_namespaces_are_seen_and_not_worked_on_until_the_labels_match() {
        let cache = ObjectCache::of(&Scope::labelled("team=shop").unwrap());
        cache.choose_only(&set(&["shop"]));
        assert_eq!(cache.insert(CANARY, canary("shop", "1")), [key("shop")]);
        assert!(cache.insert(CANARY, canary("ads", "1")).is_empty());
        assert!(cache.insert(DEPLOYMENT, object("ads", "app")).is_empty());
        assert_eq!(cache.concerned(), [key("shop")]);
        assert_eq!(cache.take_changed_totals(), [("shop".to_owned(), 1)]);
        // the objects that it refers to may be in a namespace that is not selected
        assert_eq!(cache.insert(METRIC_TEMPLATE, object("monitoring", "shared")), [key("shop")]);

        assert_eq!(cache.choose("ads", true), [key("ads")]);
        assert!(cache.get(DEPLOYMENT, "ads", "app").is_some(), "it was seen before");
        assert_eq!(
            cache.insert(
                DEPLOYMENT,
                json!({"metadata": {"name": "app", "namespace": "ads", "resourceVersion": "6"}})
            ),
            [key("ads")]
        );
        assert_eq!(cache.concerned(), [key("ads"), key("shop")]);

        assert_eq!(cache.choose("shop", false), [key("shop")], "what is shown of it is to be forgotten");
        assert!(!cache.works_in("shop"));
        assert!(cache.insert(CANARY, canary("shop", "2")).is_empty());
        assert_eq!(cache.concerned(), [key("ads")]);
        assert_eq!(cache.take_changed_totals(), [("ads".to_owned(), 1), ("shop".to_owned(), 0)]);
        // its newest version counts when it comes back
        assert_eq!(cache.choose_only(&set(&["ads", "shop"])), [key("shop")]);
        assert_eq!(cache.get(CANARY, "shop", "app").unwrap()["metadata"]["resourceVersion"], "2");
    }

    #[test]
    fn nothing_is_begun_before_the_chosen_namespaces_are_known() {
        let cache = ObjectCache::of(&Scope::labelled("team=shop").unwrap());
        cache.set_crds(BTreeSet::new());
        cache.listed(DEPLOYMENT, &BTreeSet::new());
        assert!(!cache.synced(&[DEPLOYMENT]));
        cache.choose_only(&BTreeSet::new());
        assert!(cache.synced(&[DEPLOYMENT]));
    }

    fn in_one(kind: Kind, namespace: &str) -> Watched {
        Watched { kind, namespace: Some(namespace.into()) }
    }

    #[test]
    fn each_named_namespace_is_listed_for_itself() {
        let cache = ObjectCache::of(&Scope::named("shop,ads").unwrap());
        cache.set_crds(BTreeSet::new());
        assert_eq!(cache.watches(DEPLOYMENT), [in_one(DEPLOYMENT, "ads"), in_one(DEPLOYMENT, "shop")]);
        for namespace in ["shop", "ads"] {
            cache.insert(CANARY, canary(namespace, "1"));
            cache.insert(DEPLOYMENT, object(namespace, "app"));
        }
        assert_eq!(cache.listed(in_one(DEPLOYMENT, "shop"), &[key("shop")].into()), [key("shop")]);
        assert!(cache.get(DEPLOYMENT, "ads", "app").is_some(), "it is not of that list");
        assert!(!cache.synced(&[DEPLOYMENT]));
        assert!(cache.listed_in(DEPLOYMENT, "shop") && !cache.listed_in(DEPLOYMENT, "ads"));
        cache.listed(in_one(DEPLOYMENT, "ads"), &BTreeSet::new());
        assert!(
            cache.get(DEPLOYMENT, "ads", "app").is_none() && cache.get(DEPLOYMENT, "shop", "app").is_some()
        );
        assert!(cache.synced(&[DEPLOYMENT]));
        // a namespace that is set back removes nothing of the other one
        cache.begin_list(in_one(DEPLOYMENT, "ads"), 90);
        cache.begin_list(in_one(DEPLOYMENT, "ads"), 50);
        assert!(cache.get(DEPLOYMENT, "shop", "app").is_some());
    }

    #[test]
    fn a_namespace_is_seen_since_its_mandatory_kinds_were_listed() {
        let cache = ObjectCache::of(&Scope::named("shop,ads").unwrap());
        cache.listed(in_one(DEPLOYMENT, "shop"), &BTreeSet::new());
        let since = cache.seen_since("shop");
        assert!(since.is_some());
        // a Canary has begun to need it
        cache.listed(in_one(JOB, "shop"), &BTreeSet::new());
        assert_eq!(cache.seen_since("shop"), since);
        cache.listed(in_one(CONFIG_MAP, "shop"), &BTreeSet::new());
        assert!(cache.seen_since("shop") > since);
    }

    #[test]
    fn what_is_not_seen_in_one_namespace_holds_up_no_other() {
        let cache = ObjectCache::of(&Scope::named("shop,ads").unwrap());
        cache.set_crds(BTreeSet::new());
        let now = clock::now();
        let later = clock::after(now, std::time::Duration::from_secs(60));
        let kinds = [DEPLOYMENT, CONFIG_MAP];
        for kind in kinds {
            cache.listed(in_one(kind, "shop"), &BTreeSet::new());
        }
        assert!(!cache.awaited(&kinds, now).is_empty());
        for kind in kinds {
            cache.lose(in_one(kind, "ads"), "forbidden", now);
        }
        assert!(!cache.awaited(&kinds, now).is_empty(), "it may be seen in a moment");
        assert!(cache.awaited(&kinds, later).is_empty());
        assert_eq!(cache.unseen(&kinds, "ads"), Some(DEPLOYMENT));
        assert_eq!(cache.unseen(&kinds, "shop"), None);
        cache.forbid(in_one(DEPLOYMENT, "ads"));
        assert!(cache.forbidden(DEPLOYMENT, "ads") && !cache.forbidden(DEPLOYMENT, "shop"));
        let stale: Vec<_> = cache.stale_kinds(later).into_iter().map(|stale| stale.namespace).collect();
        assert_eq!(stale, [Some("ads".to_owned()), Some("ads".to_owned())]);
    }
}
