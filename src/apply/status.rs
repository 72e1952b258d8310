//! The smallest merge patch from the status that was read to the wanted one.

use serde_json::{Value, json};

use crate::{
    api::{Canary, CanaryStatus},
    manifest::difference,
};

/// Patch for the status subresource, bound to the version that was read; none if nothing differs.
pub(super) fn patch(canary: &Canary, new: &CanaryStatus) -> Option<Value> {
    let old = canary.status.as_ref().and_then(|s| serde_json::to_value(s).ok()).unwrap_or_else(|| json!({}));
    let new = serde_json::to_value(new).ok()?;
    let diff = difference(&old, &new)?;
    Some(json!({"metadata": {"resourceVersion": canary.metadata.resource_version}, "status": diff}))
}

/// The Canary has this status.
pub(crate) fn is_stored(canary: &Canary, status: &CanaryStatus) -> bool {
    patch(canary, status).is_none()
}

/// A field of the patch that the API server dropped, because the installed CustomResourceDefinition does not have it.
pub(super) fn dropped(patch: &Value, written: &Value) -> Option<String> {
    lost(&patch["status"], &written["status"]).map(|path| format!("status{path}"))
}

/// The first value that was sent but is missing, at any depth.
fn lost(sent: &Value, kept: &Value) -> Option<String> {
    match (sent, kept) {
        (Value::Object(sent), Value::Object(_)) => sent.iter().find_map(|(field, value)| {
            let kept = &kept[field.as_str()];
            if kept.is_null() && !is_empty(value) {
                Some(format!(".{field}"))
            } else {
                Some(format!(".{field}{}", lost(value, kept)?))
            }
        }),
        (Value::Array(sent), Value::Array(kept)) => {
            let mut all = sent.iter().zip(kept).enumerate();
            all.find_map(|(at, (sent, kept))| Some(format!("[{at}]{}", lost(sent, kept)?)))
        }
        _ => None,
    }
}

/// An empty value, whose loss changes nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
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
    fn c37_what_is_dropped_within_a_field_is_noticed() {
        let patch = json!({"status": {
            "step": {"index": 1, "renew": true, "since": null}, "run": {"number": 4, "ending": {}},
            "conditions": [{"type": "A", "reason": "B"}], "metrics": [],
        }});
        let kept = |step: Value, run: Value, conditions: Value| {
            dropped(&patch, &json!({"status": {"step": step, "run": run, "conditions": conditions}}))
        };
        let (step, run) = (json!({"index": 1, "renew": true}), json!({"number": 4}));
        let conditions = json!([{"type": "A", "reason": "B"}]);
        assert_eq!(kept(step.clone(), run.clone(), conditions.clone()), None);
        assert_eq!(
            kept(json!({"index": 1}), run.clone(), conditions.clone()).as_deref(),
            Some("status.step.renew")
        );
        assert_eq!(kept(step.clone(), json!({"x": 1}), conditions).as_deref(), Some("status.run.number"));
        assert_eq!(kept(step, run, json!([{"type": "A"}])).as_deref(), Some("status.conditions[0].reason"));
    }

    #[test]
    fn only_what_differs_is_sent_and_what_vanished_is_removed() {
        let old = json!({"phase": "Progressing", "step": {"index": 1, "checked": "t"}, "epoch": 3});
        let new = json!({"phase": "Progressing", "step": {"index": 2}, "epoch": 3});
        assert_eq!(difference(&old, &new), Some(json!({"step": {"index": 2, "checked": null}})));
        assert_eq!(difference(&old, &old), None);
    }
}
