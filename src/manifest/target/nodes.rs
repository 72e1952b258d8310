//! DaemonSets: whether they run on any node is a matter of their node selector.

use serde_json::{Map, Value, json};

use super::super::{json as get, readiness};
use crate::{names, spec::Target};

impl Target {
    /// Merge patch for a DaemonSet that somebody else has switched off: it loses the keys of its node selector that
    /// `template` does not have. None: it runs on some node, or is not off because of its node selector.
    pub fn back_on_nodes(self, live: &Value, template: &Value) -> Option<Value> {
        let off = || self.asked(live) == 0 || readiness::is_on_no_node(live);
        if self != Self::DaemonSet || !off() {
            return None;
        }
        let wanted = get::strings(&template["spec"]["nodeSelector"]);
        let given = get::strings(&live["spec"]["template"]["spec"]["nodeSelector"]).into_keys();
        let more: Map<String, Value> =
            given.filter(|key| !wanted.contains_key(key)).map(|key| (key, Value::Null)).collect();
        (!more.is_empty()).then(|| json!({"spec": {"template": {"spec": {"nodeSelector": more}}}}))
    }
}

/// The template without the node selector that no node meets.
pub(super) fn for_nodes(template: &Value) -> Value {
    let mut out = template.clone();
    if let Some(pod) = out.get_mut("spec").and_then(Value::as_object_mut) {
        let selector = pod.get_mut("nodeSelector").and_then(Value::as_object_mut);
        let nothing_left = selector.is_some_and(|selector| {
            selector.remove(names::SCALE_TO_ZERO);
            selector.is_empty()
        });
        if nothing_left {
            pod.remove("nodeSelector");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k3_a_daemonset_is_off_if_its_own_node_selector_leaves_no_node() {
        let off = |selector: Value, scheduled: i64| {
            let template = json!({"spec": {"nodeSelector": selector}});
            json!({
                "metadata": {"generation": 3}, "spec": {"template": template},
                "status": {"observedGeneration": 3, "desiredNumberScheduled": scheduled},
            })
        };
        let template = json!({"spec": {"nodeSelector": {"disk": "ssd"}}});
        let back = |live: &Value| {
            let patch = Target::DaemonSet.back_on_nodes(live, &template)?;
            Some(patch["spec"]["template"]["spec"]["nodeSelector"].clone())
        };
        let more = json!({"disk": "ssd", "no": "where"});
        assert_eq!(back(&off(more.clone(), 0)), Some(json!({"no": null})));
        assert_eq!(back(&off(more.clone(), 2)), None, "it runs on two nodes");
        assert_eq!(back(&off(json!({"disk": "ssd"}), 0)), None, "no node has such a disk");
        let zero = json!({"disk": "ssd", names::SCALE_TO_ZERO: "true"});
        assert_eq!(back(&off(zero, 2)), Some(json!({names::SCALE_TO_ZERO: null})), "not yet seen");
        let mut unseen = off(more.clone(), 0);
        unseen["metadata"]["generation"] = json!(4);
        assert_eq!(back(&unseen), None, "its controller has not counted the nodes yet");
        assert_eq!(Target::Deployment.back_on_nodes(&off(more, 0), &template), None);
    }
}
