//! PURE. Gateways and listeners to which an HTTPRoute of somebody else is attached, compared with those of the Canary.

use serde_json::Value;

use crate::spec::Validated;

/// A parent that users would lose, or listeners that would be added, if a route with these parents became the
/// Canary's. In words, with a remedy. A Gateway that only the Canary names is meant.
pub(super) fn changed(c: &Validated, theirs: &[Value]) -> Option<String> {
    let ours = &c.service.gateway_refs;
    if let Some(lost) = theirs.iter().find(|parent| !is_attached(c, ours, parent)) {
        return Some(format!("add its parent {} to spec.service.gatewayRefs", said(c, lost)));
    }
    let of_gateway = |parent: &Value| -> Vec<String> {
        theirs.iter().filter(|theirs| is_same(c, theirs, parent)).map(|theirs| said(c, theirs)).collect()
    };
    let added = ours.iter().filter(|parent| !is_attached(c, theirs, parent));
    let mut added = added.map(|parent| (parent, of_gateway(parent)));
    let (more, known) = added.find(|(_, known)| !known.is_empty())?;
    Some(format!(
        "it is attached to {}, and the Canary would be to {}: name the same in spec.service.gatewayRefs",
        known.join(" and "),
        said(c, more)
    ))
}

/// A route with these parents is attached to this one: a Gateway includes all its listeners.
fn is_attached(c: &Validated, parents: &[Value], to: &Value) -> bool {
    let whole = |parent: &Value, field: &str| parent[field].is_null() || parent[field] == to[field];
    let is = |parent: &Value| whole(parent, "sectionName") && whole(parent, "port");
    parents.iter().any(|parent| is_same(c, parent, to) && is(parent))
}

/// They name the same Gateway.
fn is_same(c: &Validated, one: &Value, other: &Value) -> bool {
    one["name"] == other["name"] && namespace(c, one) == namespace(c, other)
}

fn namespace<'v>(c: &'v Validated, parent: &'v Value) -> &'v str {
    parent["namespace"].as_str().unwrap_or(&c.namespace)
}

/// For people.
fn said(c: &Validated, parent: &Value) -> String {
    let mut all = vec![parent["name"].as_str().unwrap_or_default().to_owned()];
    all.extend(parent["sectionName"].as_str().map(|name| format!("sectionName {name}")));
    all.extend(parent["port"].as_i64().map(|port| format!("port {port}")));
    let comma = if all.len() > 1 { "," } else { "" };
    format!("{}{comma} of namespace {}", all.join(", "), namespace(c, parent))
}
