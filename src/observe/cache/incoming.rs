//! An incoming object: everything that the cache needs from it is computed before the cache is locked.

use std::sync::Arc;

use serde_json::Value;

use super::{
    entry::{drop_unread, key_of, version_of},
    jobs, records, scalers,
    standing::Standing,
    store::{Inner, ObjectCache},
    stored::Stored,
    terms::Terms,
};
use crate::{
    manifest::config,
    observe::references::References,
    snapshot::{ALERT_PROVIDER, CANARY, CANARY_RUN, JOB, Key, Kind, METRIC_TEMPLATE, POD, REVISION},
};

/// An incoming object.
pub(super) struct Incoming {
    kind: Kind,
    pub(super) key: Key,
    pub(super) version: u64,
    pub(super) object: Arc<Value>,
    pub(super) stored: Arc<Stored>,
    /// For a Canary, its references.
    pub(super) references: Option<Arc<References>>,
    pub(super) standing: Standing,
    terms: Terms,
}

/// The previous knowledge about it.
pub(super) struct Compared {
    pub(super) version: u64,
    pub(super) object: Arc<Value>,
    /// No relevant field has changed.
    pub(super) same: bool,
}

impl Incoming {
    pub(super) fn of(kind: Kind, object: Value) -> Self {
        let object = Arc::new(kept(kind, object));
        let key = key_of(&object);
        let references = (kind == CANARY).then(|| Arc::new(References::of(&object, &key.0)));
        Self {
            kind,
            version: version_of(&object),
            stored: Stored::new(&object),
            terms: Terms::of(kind, &object),
            references,
            standing: if kind == CANARY { Standing::of(&object) } else { Standing::default() },
            object,
            key,
        }
    }

    /// The previous knowledge, for a kind whose changes are not all relevant.
    pub(super) fn compared(&self, cache: &ObjectCache) -> Option<Compared> {
        if !scalers::without_status(self.kind) {
            return None;
        }
        let (version, stored) = {
            let inner = cache.lock();
            let entry = inner.objects.get(&self.kind)?.get(&self.key)?;
            (entry.version(), entry.stored()?.clone())
        };
        let object = cache.warm.object(&stored)?;
        let same = scalers::same_but_version(&object, &self.object);
        Some(Compared { version, object, same })
    }
}

impl Inner {
    /// Replaces the previous knowledge.
    pub(super) fn take_in(&mut self, new: &Incoming) {
        let entries = self.objects.entry(new.kind).or_default();
        entries.put(new.key.clone(), new.version, new.stored.clone(), new.terms.clone());
        let at = (new.kind, new.key.clone());
        if self.floors.get(&at).is_some_and(|floor| *floor <= new.version) {
            self.floors.remove(&at);
        }
    }
}

/// The object without parts that no decision reads.
fn kept(kind: Kind, mut object: Value) -> Value {
    drop_unread(&mut object);
    if !keeps_writers(kind) {
        object["metadata"].as_object_mut().map(|meta| meta.remove("managedFields"));
    }
    if config::KINDS.contains(&kind) {
        object = config::without_content(&object);
    } else if scalers::without_status(kind) {
        scalers::drop_status(&mut object);
    } else if kind == CANARY_RUN {
        records::drop_closed(&mut object);
    } else if kind == POD {
        jobs::drop_spec(&mut object);
    }
    object
}

/// The last writer is relevant for objects that Serin writes and others may revert.
fn keeps_writers(kind: Kind) -> bool {
    let others = [CANARY, CANARY_RUN, POD, JOB, REVISION, METRIC_TEMPLATE, ALERT_PROVIDER];
    !others.contains(&kind) && !config::KINDS.contains(&kind)
}
