//! NetworkPolicies and PodDisruptionBudgets that select the target's pods by the label that the primary's do not have: they no
//! longer hold for the pods that serve users.

use serde_json::Value;

use super::json as get;
use crate::{
    snapshot::{Kind, NETWORK_POLICY, Objects, POD_DISRUPTION_BUDGET},
    spec::Validated,
};

/// Kinds that select pods of others by their labels.
pub const KINDS: [Kind; 2] = [NETWORK_POLICY, POD_DISRUPTION_BUDGET];

/// What selects the pods of the target and not those of the primary, a sentence each. `sides`: the labels of their pods.
pub fn advice(c: &Validated, sides: [&Value; 2], objects: &Objects) -> Vec<String> {
    let one_sided = |selector: &Value| selects(selector, sides[0]) && !selects(selector, sides[1]);
    let (target, primary) = (&c.names.target, &c.names.primary);
    let remedy = format!("have it select a label that both bear, or make another for {primary}");
    let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for policy in objects.of(NETWORK_POLICY) {
        let named = name(policy);
        let spec = &policy["spec"];
        if one_sided(&spec["podSelector"]) {
            all.push(format!(
                "NetworkPolicy {named} holds for the pods of {target} and not for those of {primary}, which serve users: where others are denied, {primary} is cut off, else it is open to all: {remedy}"
            ));
        }
        if peers(spec).into_iter().any(one_sided) {
            all.push(format!(
                "NetworkPolicy {named} lets the pods of {target} through and not those of {primary}, which serve users: {remedy}"
            ));
        }
    }
    for budget in objects.of(POD_DISRUPTION_BUDGET) {
        if one_sided(&budget["spec"]["selector"]) {
            all.push(format!(
                "PodDisruptionBudget {} protects the pods of {target} and not those of {primary}, which serve users: {remedy}",
                name(budget)
            ));
        }
    }
    all
}

/// Pods of the policy's own namespace that it names on the other end of a connection.
fn peers(spec: &Value) -> Vec<&Value> {
    let rules = [("ingress", "from"), ("egress", "to")].into_iter();
    let ends = rules.flat_map(|(rules, ends)| {
        get::list(&spec[rules]).iter().flat_map(move |rule| get::list(&rule[ends]))
    });
    ends.filter(|end| end["namespaceSelector"].is_null()).map(|end| &end["podSelector"]).collect()
}

/// A label selector of the API selects pods with these labels. An empty one selects all, one that is absent none.
fn selects(selector: &Value, labels: &Value) -> bool {
    let Some(fields) = selector.as_object() else { return false };
    let equal = fields.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    let mut equal = equal.map(|(key, value)| labels[key] == *value);
    let mut meant = get::list(&selector["matchExpressions"]).iter().map(|expression| {
        let label = &labels[expression["key"].as_str().unwrap_or_default()];
        let listed = get::list(&expression["values"]).contains(label);
        match expression["operator"].as_str() {
            Some("In") => listed,
            Some("NotIn") => !listed,
            Some("Exists") => label.is_string(),
            Some("DoesNotExist") => !label.is_string(),
            // a kind of selector that is not known selects what it may
            _ => true,
        }
    });
    equal.all(|holds| holds) && meant.all(|holds| holds)
}

#[cfg(test)]
mod tests;
