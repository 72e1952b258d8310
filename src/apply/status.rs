//! The smallest merge patch from the status that was read to the one that is wanted.

use serde_json::{Value, json};

use crate::{
    api::{Canary, CanaryStatus},
    manifest::difference,
};

/// Patch for the status subresource, bound to the version that was read; none when nothing differs.
pub(super) fn patch(canary: &Canary, new: &CanaryStatus) -> Option<Value> {
    let old = canary.status.as_ref().and_then(|s| serde_json::to_value(s).ok()).unwrap_or_else(|| json!({}));
    let new = serde_json::to_value(new).ok()?;
    let diff = difference(&old, &new)?;
    Some(json!({"metadata": {"resourceVersion": canary.metadata.resource_version}, "status": diff}))
}

/// A field of the patch that the API server did not keep: the installed CustomResourceDefinition does not have it.
pub(super) fn dropped(patch: &Value, written: &Value) -> Option<String> {
    let sent = patch["status"].as_object()?;
    let lost =
        sent.iter().find(|(field, value)| !value.is_null() && written["status"][field.as_str()].is_null());
    lost.map(|(field, _)| format!("status.{field}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_definition_drops_is_noticed() {
        let patch = json!({"status": {"phase": "Progressing", "step": {"index": 1}, "run": null}});
        let whole = json!({"status": {"phase": "Progressing", "step": {"index": 1}}});
        let pruned = json!({"status": {"phase": "Progressing"}});
        assert_eq!(dropped(&patch, &whole), None);
        assert_eq!(dropped(&patch, &pruned).as_deref(), Some("status.step"));
    }

    #[test]
    fn only_what_differs_is_sent_and_what_vanished_is_removed() {
        let old = json!({"phase": "Progressing", "step": {"index": 1, "checked": "t"}, "epoch": 3});
        let new = json!({"phase": "Progressing", "step": {"index": 2}, "epoch": 3});
        assert_eq!(difference(&old, &new), Some(json!({"step": {"index": 2, "checked": null}})));
        assert_eq!(difference(&old, &old), None);
    }
}
