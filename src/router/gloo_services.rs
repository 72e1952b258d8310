//! PURE. Services that routes of Gloo lead to directly. Gloo has no pods for such a Service for some seconds after its
//! selector changes. Behind an Upstream it has.

use serde_json::Value;

use crate::snapshot::Kind;

pub(super) const VIRTUAL_SERVICE: Kind =
    Kind { group: "gateway.solo.io", version: "v1", kind: "VirtualService", plural: "virtualservices" };
pub(super) const UPSTREAM_GROUP: Kind =
    Kind { group: "gloo.solo.io", version: "v1", kind: "UpstreamGroup", plural: "upstreamgroups" };

/// The Services that a RouteTable, VirtualService or UpstreamGroup leads to directly, as `<name>.<namespace>`.
pub(super) fn direct(object: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
    collect(&object["spec"], namespace, &mut found);
    found
}

/// What to do about such an object. An UpstreamGroup cannot delegate.
pub(super) fn remedy(object: &Value, apex: &str) -> String {
    let upstream = "lead it to an Upstream of the Service";
    if object["kind"] == UPSTREAM_GROUP.kind {
        return upstream.into();
    }
    format!("delegate to RouteTable {apex} in it, or {upstream}")
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
