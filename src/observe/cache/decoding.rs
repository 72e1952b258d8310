//! Objects that exist but cannot be decoded. They never count as deleted: the previous knowledge stays, and no Canary
//! that needs such an object is processed until it is corrected or gone. A Canary is kept as far as it can be decoded,
//! so that others still see what it claims, and its finalizer can be removed.

use serde_json::Value;

use super::{
    entry::{Entry, key_of, version_of},
    scope,
    store::ObjectCache,
    undecodable::Undecodable,
};
use crate::{
    manifest, names,
    snapshot::{CANARY, Key, Kind, ObjectRef},
};

impl ObjectCache {
    /// Records that an object does not decode. `content`: the part that does. Returns the Canaries that it affects.
    pub(crate) fn insert_undecodable(
        &self,
        kind: Kind,
        key: Key,
        version: u64,
        content: Value,
        why: String,
    ) -> Vec<Key> {
        let canary = manifest::labels(&content).remove(names::LABEL_CANARY);
        let mut triggered = {
            let mut inner = self.lock();
            let known = inner.objects.get(&kind).and_then(|entries| entries.get(&key)).map(Entry::version);
            if known.is_some_and(|known| known > version) {
                return vec![];
            }
            let triggered = inner.triggered(kind, &key, &content);
            inner.undecodable.put(kind, key, Undecodable { version, why, canary });
            triggered
        };
        if kind == CANARY {
            triggered.extend(self.take_in(kind, content));
        }
        triggered
    }

    /// This object decodes. Returns the Canaries that it affects if it did not before.
    pub(super) fn decodes(&self, kind: Kind, object: &Value) -> Vec<Key> {
        let (mut inner, key) = (self.lock(), key_of(object));
        let marked = inner.undecodable.get(kind, &key);
        if marked.is_none_or(|marked| marked.version > version_of(object)) {
            return vec![];
        }
        inner.undecodable.remove(kind, &key);
        inner.triggered(kind, &key, object)
    }

    /// Why an object cannot be decoded, if it exists and cannot.
    pub(crate) fn undecodable(&self, kind: Kind, key: &Key) -> Option<String> {
        let key = scope::key(kind, &key.0, &key.1);
        self.lock().undecodable.get(kind, &key).map(|object| object.why.clone())
    }

    /// One of these objects, or of those with the label of the Canary, that cannot be decoded, and why.
    pub(crate) fn undecodable_of(&self, canary: &Key, wanted: &[ObjectRef]) -> Option<(ObjectRef, String)> {
        let (inner, label) = (self.lock(), names::label_value(&canary.1));
        let found = inner.undecodable.one_of(&canary.0, &label, wanted);
        found.map(|(at, object)| (at, object.why.clone()))
    }

    /// How many objects of a kind cannot be decoded, if that has changed since the last call.
    pub(crate) fn take_changed_undecodable(&self, kind: Kind) -> Option<usize> {
        self.lock().undecodable.take_changed(kind)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::snapshot::{DEPLOYMENT, METRIC_TEMPLATE, REVISION, SERVICE};

    fn key(name: &str) -> Key {
        ("n".into(), name.into())
    }

    fn canary() -> Value {
        json!({
            "metadata": {"name": "app", "namespace": "n", "resourceVersion": "1"},
            "spec": {
                "targetRef": {"kind": "Deployment", "apiVersion": "apps/v1", "name": "app"},
                "analysis": {"metrics": [{"name": "m", "templateRef": {"name": "errors"}}]},
            },
        })
    }

    fn template(version: &str) -> Value {
        json!({"metadata": {"name": "errors", "namespace": "n", "resourceVersion": version}, "spec": {"query": "up"}})
    }

    #[test]
    fn f1_what_becomes_undecodable_is_not_taken_for_deleted() {
        let cache = ObjectCache::default();
        cache.insert(CANARY, canary());
        cache.insert(METRIC_TEMPLATE, template("2"));
        assert_eq!(cache.take_changed_undecodable(METRIC_TEMPLATE), None);
        let mark = |version| {
            cache.insert_undecodable(METRIC_TEMPLATE, key("errors"), version, json!({}), "too deep".into())
        };
        assert_eq!(mark(3), [key("app")], "its Canary is looked at");
        assert_eq!(cache.take_changed_undecodable(METRIC_TEMPLATE), Some(1));
        assert_eq!(cache.undecodable(METRIC_TEMPLATE, &key("errors")).as_deref(), Some("too deep"));
        cache.listed(METRIC_TEMPLATE, &BTreeSet::from([key("errors")]));
        assert!(cache.get(METRIC_TEMPLATE, "n", "errors").is_some(), "as it was");
        // an answer that is older than the last observation
        cache.insert(METRIC_TEMPLATE, template("2"));
        assert!(cache.undecodable(METRIC_TEMPLATE, &key("errors")).is_some());
        assert_eq!(cache.insert(METRIC_TEMPLATE, template("4")), [key("app"), key("app")]);
        assert_eq!(cache.undecodable(METRIC_TEMPLATE, &key("errors")), None);
        assert_eq!(cache.take_changed_undecodable(METRIC_TEMPLATE), Some(0));

        assert!(mark(3).is_empty(), "it has been corrected since");
        mark(5);
        cache.remove(METRIC_TEMPLATE, &template("6"));
        assert_eq!(cache.undecodable(METRIC_TEMPLATE, &key("errors")), None);
        mark(7);
        cache.listed(METRIC_TEMPLATE, &BTreeSet::new());
        assert_eq!(cache.undecodable(METRIC_TEMPLATE, &key("errors")), None);
    }

    #[test]
    fn f1_only_canaries_that_need_an_object_wait_for_it() {
        let cache = ObjectCache::default();
        let mark = |kind, name: &str, content| {
            cache.insert_undecodable(kind, key(name), 1, content, "too deep".into());
        };
        let wanted = [ObjectRef::new(DEPLOYMENT, "app"), ObjectRef::new(SERVICE, "app")];
        mark(DEPLOYMENT, "other", json!({}));
        mark(METRIC_TEMPLATE, "app", json!({}));
        mark(REVISION, "r", json!({"metadata": {"labels": {names::LABEL_CANARY: "other"}}}));
        assert_eq!(cache.undecodable_of(&key("app"), &wanted), None);
        mark(REVISION, "r-1", json!({"metadata": {"labels": {names::LABEL_CANARY: "app"}}}));
        let found = cache.undecodable_of(&key("app"), &wanted);
        assert_eq!(found, Some((ObjectRef::new(REVISION, "r-1"), "too deep".into())));
        mark(SERVICE, "app", json!({}));
        let found = cache.undecodable_of(&key("app"), &wanted);
        assert!(found.is_some());
        let elsewhere = ("m".to_owned(), "app".to_owned());
        assert_eq!(cache.undecodable_of(&elsewhere, &wanted), None);
    }

    #[test]
    fn f1_a_canary_that_cannot_be_decoded_still_claims_what_it_names() {
        let cache = ObjectCache::default();
        cache.insert_undecodable(CANARY, key("app"), 1, canary(), "too deep".into());
        let mut younger = canary();
        younger["metadata"]["name"] = json!("younger");
        cache.insert(CANARY, younger);
        let rivals = cache.rivals(&key("younger"), "istio");
        assert_eq!(rivals.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), [key("app")]);
    }
}
