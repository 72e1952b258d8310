//! Autoscalers among what the watches have seen: whom they matter to, and which of their changes do.

use serde_json::Value;

use super::{entry::Entry, store::ObjectCache};
use crate::{
    manifest::pod_policies,
    names,
    observe::references::References,
    snapshot::{HPA, Kind, SCALED_OBJECT},
};

/// The status of this kind does not matter: autoscalers, and what selects pods by their labels.
pub(super) fn without_status(kind: Kind) -> bool {
    kind == HPA || kind == SCALED_OBJECT || pod_policies::KINDS.contains(&kind)
}

/// Nothing that matters differs.
pub(super) fn same_but_version(a: &Value, b: &Value) -> bool {
    let plain = |object: &Value| {
        let mut object = object.clone();
        if let Some(meta) = object["metadata"].as_object_mut() {
            meta.remove("resourceVersion");
            meta.remove("managedFields");
        }
        object
    };
    plain(a) == plain(b)
}

/// Removes what changes all the time and no decision reads.
pub(super) fn drop_status(object: &mut Value) {
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
    }
}

impl References {
    /// An autoscaler of this name and aim is named here, or made for what is named, or scales either side.
    pub(super) fn scaled_by(&self, name: &str, whom: &str) -> bool {
        let of = |name: &str, own: &str| name == own || name == names::primary(own);
        of(whom, &self.target) || !self.scaler.is_empty() && of(name, &self.scaler)
    }
}

impl ObjectCache {
    /// Names of the autoscalers of this kind that scale the target or its primary.
    pub(crate) fn scalers(&self, kind: Kind, namespace: &str, target: &str) -> Vec<String> {
        let inner = self.lock();
        let Some(entries) = inner.objects.get(&kind) else { return vec![] };
        let (from, primary) = ((namespace.to_owned(), String::new()), names::primary(target));
        let within = entries.range(from..).take_while(|(key, _)| key.0 == namespace);
        // hardly any other autoscaler has the name in it: only those that do are parsed
        within
            .filter(|(_, entry)| matches!(entry, Entry::Seen { text, .. } if text.contains(target)))
            .filter(|(_, entry)| {
                entry.object().is_some_and(|o| {
                    let whom = &o["spec"]["scaleTargetRef"]["name"];
                    *whom == *target || *whom == *primary
                })
            })
            .map(|(key, _)| key.1.clone())
            .collect()
    }
}
