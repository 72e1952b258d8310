//! A proxy of the Gateway API whose controller names clusters by the place of a rule in its list, and sends clusters
//! and their endpoints before the routes (Envoy Gateway). While it follows a change, it may use the routes of one
//! version with the clusters of another: every cluster has to be in both, and may not lead requests where
//! neither version wants them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Percent of the requests of a rule, by destination.
type Led = BTreeMap<String, i64>;

struct Rule {
    requests: Vec<Value>,
    led: Led,
    /// An earlier rule takes its requests.
    shadowed: bool,
}

/// Requests that may be lost or led astray while these versions of an HTTPRoute, oldest first, are in use.
pub(crate) fn lost(versions: &[Option<&Value>]) -> Vec<String> {
    let versions: Vec<Vec<Rule>> = versions.iter().flatten().map(|route| rules(route)).collect();
    let mut lost = Vec::new();
    for (at, routes) in versions.iter().enumerate() {
        for (when, clusters) in versions.iter().enumerate().filter(|(when, _)| *when != at) {
            for (index, rule) in routes.iter().enumerate().filter(|(_, rule)| rule.leads()) {
                match clusters.get(index) {
                    None => lost.push(format!("there is no cluster for rule {index}")),
                    // endpoints of a version are there before its routes
                    Some(cluster) if when > at => lost.extend(astray(index, rule, cluster, clusters)),
                    Some(_) => {}
                }
            }
        }
    }
    lost
}

/// By the former routes the requests of `rule` go to `cluster`, which has new endpoints.
fn astray(index: usize, rule: &Rule, cluster: &Rule, clusters: &[Rule]) -> Option<String> {
    // requests that no longer have a rule of their own may go wherever others go
    let wanted = clusters.iter().find(|other| rule.requests.iter().any(|r| other.requests.contains(r)))?;
    let share = |led: &Led, to: &str| led.get(to).copied().unwrap_or(0);
    let more = |(to, percent): &(&String, &i64)| **percent > share(&rule.led, to).max(share(&wanted.led, to));
    let (to, percent) = cluster.led.iter().find(more)?;
    Some(format!("the cluster of rule {index} leads requests of another rule to {to} ({percent} %)"))
}

impl Rule {
    fn leads(&self) -> bool {
        !self.shadowed && !self.led.is_empty()
    }
}

fn rules(route: &Value) -> Vec<Rule> {
    let everything = json!([{"path": {"type": "PathPrefix", "value": "/"}}]);
    let mut all: Vec<Rule> = Vec::new();
    for rule in list(&route["spec"]["rules"]) {
        let matches = list(&rule["matches"]);
        let requests = if matches.is_empty() { list(&everything) } else { matches }.to_vec();
        let taken = |request: &Value| all.iter().any(|earlier| earlier.requests.contains(request));
        let shadowed = requests.iter().all(taken);
        all.push(Rule { requests, led: led(list(&rule["backendRefs"])), shadowed });
    }
    all
}

fn led(to: &[Value]) -> Led {
    let weight = |one: &Value| one["weight"].as_i64().unwrap_or(1);
    let sum: i64 = to.iter().map(weight).sum();
    let named = to.iter().filter(|one| weight(one) > 0);
    named
        .map(|one| (one["name"].as_str().unwrap_or_default().to_owned(), weight(one) * 100 / sum.max(1)))
        .collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(rules: &Value) -> Value {
        json!({"spec": {"rules": rules}})
    }

    fn of(header: &str, canary: i64) -> Value {
        let to = json!([{"name": "primary", "weight": 100 - canary}, {"name": "canary", "weight": canary}]);
        let headers = json!([{"name": "x", "value": header}]);
        json!({"matches": [if header.is_empty() { json!({}) } else { json!({"headers": headers}) }], "backendRefs": to})
    }

    #[test]
    fn a_rule_in_use_keeps_its_place() {
        let (all, named) = (|canary| of("", canary), |canary| of("a", canary));
        for (before, after, words) in [
            (json!([all(0)]), json!([all(10)]), None),
            (json!([named(0), all(0)]), json!([named(100), all(0)]), None),
            (json!([all(0), all(0)]), json!([all(0)]), None),
            (json!([named(0), all(0)]), json!([all(0)]), Some("no cluster for rule 1")),
            (json!([all(0)]), json!([named(0), all(0)]), Some("no cluster for rule 1")),
            (json!([all(0), all(0)]), json!([named(100), all(0)]), Some("rule 0 leads requests of another")),
        ] {
            let found = lost(&[Some(&route(&before)), Some(&route(&after))]);
            let same = match words {
                None => found.is_empty(),
                Some(words) => found.iter().any(|text| text.contains(words)),
            };
            assert!(same, "{before} to {after}: {found:?}");
        }
    }
}
