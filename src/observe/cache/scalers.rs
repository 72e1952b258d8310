//! Autoscalers in the cache: which Canaries they affect, and which changes matter.

use std::collections::BTreeSet;

use serde_json::Value;

use super::store::ObjectCache;
use crate::{
    manifest::pod_policies,
    names,
    observe::references::References,
    snapshot::{HPA, Kind, SCALED_OBJECT},
};

/// The status of this kind does not matter: autoscalers, and policies that select pods by their labels.
pub(super) fn without_status(kind: Kind) -> bool {
    kind == HPA || kind == SCALED_OBJECT || pod_policies::KINDS.contains(&kind)
}

/// No relevant field differs.
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

/// Removes fields that change all the time and that no decision reads.
pub(super) fn drop_status(object: &mut Value) {
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
    }
}

impl References {
    /// The Canary names an autoscaler of this name and target, or it is made for one, or scales either side.
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
        let found: BTreeSet<&str> = [target.to_owned(), names::primary(target)]
            .iter()
            .flat_map(|whom| entries.under(namespace, std::slice::from_ref(whom)))
            .map(|(name, _)| name)
            .collect();
        found.into_iter().map(str::to_owned).collect()
    }
}
