//! NetworkPolicies, PodDisruptionBudgets and Services of others that select the target's pods by a label that the
//! primary's do not have: they do not apply to the pods that serve users.

mod reach;

use serde_json::{Value, json};

pub use self::reach::Reach;
use super::{json as get, marks::marked};
use crate::{
    names::conditions,
    snapshot::{Kind, NETWORK_POLICY, Objects, POD_DISRUPTION_BUDGET, SERVICE, Snapshot},
    spec::Validated,
};

/// Kinds that select pods of others by their labels, and that are read for that alone.
pub const KINDS: [Kind; 2] = [NETWORK_POLICY, POD_DISRUPTION_BUDGET];
/// Rules of a NetworkPolicy and the other ends of the connections that they allow.
const DIRECTIONS: [(&str, &str); 2] = [("ingress", "from"), ("egress", "to")];

/// The policies that select the pods of the target and not those of the primary, one sentence each. `sides`: the labels
/// of their pods. For a kind that is not listed yet, the sentences in the status stay.
pub fn advice(c: &Validated, sides: [&Value; 2], snap: &Snapshot) -> Vec<String> {
    let one = |kind: Kind| {
        let unlisted = snap.unlisted_kinds.contains_key(&kind.crd());
        if unlisted { said(snap, kind) } else { Sides::new(c, sides).advice(kind, &snap.objects) }
    };
    let services = Sides::new(c, sides).about_services(c, &snap.objects);
    KINDS.into_iter().flat_map(one).chain(services).collect()
}

/// The sentences about this kind in the Canary's condition.
fn said(snap: &Snapshot, kind: Kind) -> Vec<String> {
    let all = snap.canary.status.iter().flat_map(|status| &status.conditions);
    let all = all.filter(|c| c.type_ == conditions::ADVISORY).flat_map(|c| c.message.split("; "));
    let head = format!("{} ", kind.kind);
    all.filter(|sentence| sentence.starts_with(&head)).map(str::to_owned).collect()
}

/// The pods of both sides.
struct Sides<'a> {
    target: &'a str,
    primary: &'a str,
    /// Labels of the target's pods and of the primary's.
    labels: [&'a Value; 2],
}

impl<'a> Sides<'a> {
    fn new(c: &'a Validated, labels: [&'a Value; 2]) -> Self {
        Self { target: &c.names.target, primary: &c.names.primary, labels }
    }

    fn advice(&self, kind: Kind, objects: &Objects) -> Vec<String> {
        let specs: Vec<&Value> = objects.of(kind).map(|object| &object["spec"]).collect();
        let one = |object: &Value| {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            let all = if kind == NETWORK_POLICY {
                self.about_policy(&object["spec"], &specs)
            } else {
                self.about_budget(&object["spec"], &specs)
            };
            let remedy =
                format!("have it select a label that both bear, or make another for {}", self.primary);
            all.into_iter().map(|what| format!("{} {name} {what}: {remedy}", kind.kind)).collect::<Vec<_>>()
        };
        objects.of(kind).flat_map(one).collect()
    }

    /// Services of others. Between runs the target has no pods, and in a run all of them are of the new version.
    fn about_services(&self, c: &Validated, objects: &Objects) -> Vec<String> {
        let own = [&c.names.apex, &c.names.primary_service, &c.names.canary_service];
        let leads = |service: &&Value| {
            let selector = &service["spec"]["selector"];
            let all = selector.as_object().is_none_or(serde_json::Map::is_empty);
            !marked(service) && !all && self.only_target(&json!({"matchLabels": selector}))
        };
        let found = objects.of(SERVICE).filter(leads);
        let names = found.filter_map(|service| service["metadata"]["name"].as_str());
        let Self { target, primary, .. } = self;
        let told = |name: &str| {
            format!(
                "Service {name} leads to the pods of {target} and not to those of {primary}, which serve users: between runs it has no endpoints, and in a run all its users meet the new version: have it select the labels of {primary}, or a label that both bear"
            )
        };
        names.filter(|name| own.iter().all(|own| own != name)).map(told).collect()
    }

    fn about_policy(&self, spec: &Value, all: &[&Value]) -> Vec<String> {
        let Self { target, primary, .. } = self;
        let mut told = Vec::new();
        if self.only_target(&spec["podSelector"]) && !self.governed(spec, all) {
            told.push(format!("holds for the pods of {target} and not for those of {primary}, which serve users: where others are denied, {primary} is cut off, else it is open to all"));
        }
        if self.lets_only_target_through(spec, all) {
            told.push(format!(
                "lets the pods of {target} through and not those of {primary}, which serve users"
            ));
        }
        told
    }

    fn about_budget(&self, spec: &Value, all: &[&Value]) -> Vec<String> {
        let Self { target, primary, .. } = self;
        let protected = all.iter().any(|other| self.selects_primary(&other["selector"]));
        let told = (self.only_target(&spec["selector"]) && !protected)
            .then(|| format!("protects the pods of {target} and not those of {primary}, which serve users"));
        told.into_iter().collect()
    }

    fn only_target(&self, selector: &Value) -> bool {
        selects(selector, self.labels[0]) && !selects(selector, self.labels[1])
    }

    fn selects_primary(&self, selector: &Value) -> bool {
        selects(selector, self.labels[1])
    }

    /// Other policies of this kind apply to the primary's pods, and allow something in each direction in which this one
    /// does; a policy that only denies would cut the pods off.
    fn governed(&self, spec: &Value, all: &[&Value]) -> bool {
        let allows = |spec: &Value, rules: &str| !get::list(&spec[rules]).is_empty();
        let others: Vec<_> = all.iter().filter(|other| self.selects_primary(&other["podSelector"])).collect();
        let allowed = |rules: &str| !allows(spec, rules) || others.iter().any(|other| allows(other, rules));
        !others.is_empty() && DIRECTIONS.iter().all(|(rules, _)| allowed(rules))
    }

    /// A rule admits the target's pods, and no rule about the same pods, direction and ports admits the primary's.
    fn lets_only_target_through(&self, spec: &Value, all: &[&Value]) -> bool {
        let alike = || all.iter().filter(|other| other["podSelector"] == spec["podSelector"]);
        let one = |(rules, ends): &(&str, &str), rule: &Value| {
            let own_namespace = |end: &&Value| end["namespaceSelector"].is_null();
            let mut named = get::list(&rule[*ends]).iter().filter(own_namespace);
            let lets_primary = |other: &Value| {
                let (ports, ends) = (get::list(&other["ports"]), get::list(&other[*ends]));
                let same = ports.is_empty() || other["ports"] == rule["ports"];
                same && (ends.is_empty() || ends.iter().any(|end| self.primary_at(end)))
            };
            named.any(|end| self.only_target(&end["podSelector"]))
                && !alike().flat_map(|other| get::list(&other[*rules])).any(lets_primary)
        };
        DIRECTIONS.iter().any(|at| get::list(&spec[at.0]).iter().any(|rule| one(at, rule)))
    }

    /// The primary's pods are on this end of a connection. For namespaces, only a selector of all is known to select
    /// theirs.
    fn primary_at(&self, end: &Value) -> bool {
        let (pods, namespaces) = (&end["podSelector"], &end["namespaceSelector"]);
        let all = namespaces.as_object().is_some_and(serde_json::Map::is_empty);
        (namespaces.is_null() || all) && (self.selects_primary(pods) || all && pods.is_null())
    }
}

/// A label selector of the API selects pods with these labels. An empty one selects all, a missing one none.
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
            // an unknown kind of selector is treated as matching
            _ => true,
        }
    });
    equal.all(|holds| holds) && meant.all(|holds| holds)
}

#[cfg(test)]
mod tests;
