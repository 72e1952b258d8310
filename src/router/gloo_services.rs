//! PURE. Services that routes of Gloo lead to directly. Gloo has no pods for such a Service for some seconds after its
//! selector changes. Behind an Upstream it has.

use serde_json::Value;

/// The Services that a RouteTable or VirtualService leads to directly, as `<name>.<namespace>`.
pub(super) fn direct(object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
    collect(&object["spec"], namespace, &mut found);
    found
}

fn collect(value: &Value, namespace: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, namespace, found)),
        Value::Object(members) => {
            let to = &value["kube"]["ref"];
            if let Some(name) = to["name"].as_str() {
                let given = to["namespace"].as_str().filter(|given| !given.is_empty());
                found.push(format!("{name}.{}", given.unwrap_or(namespace)));
            }
            members.values().for_each(|member| collect(member, namespace, found));
        }
        _ => {}
    }
}
