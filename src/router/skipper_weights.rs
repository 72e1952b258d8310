//! PURE. Weights of an Ingress for Skipper, `zalando.org/backend-weights`: by Service, for all paths of the Ingress.
//! Backends of a path without a weight get nothing, unless none has one: then all get the same.

use serde_json::{Map, Value, json};

use super::split::Split;
use crate::{
    manifest::{annotation, json as get},
    spec::Validated,
};

pub(super) const WEIGHTS: &str = "zalando.org/backend-weights";

/// Weights by Service.
#[derive(Clone, Debug, Default)]
pub(super) struct Weights(Map<String, Value>);

/// One path to the apex.
pub(super) struct Path<'a> {
    /// Its entry for the apex.
    pub(super) apex: &'a Value,
    /// Its entries for other Services.
    pub(super) others: Vec<&'a Value>,
}

impl Weights {
    /// The weights of this Ingress; none if they cannot be parsed, as in Skipper.
    pub(super) fn of(ingress: &Value) -> Self {
        let text = annotation(ingress, WEIGHTS).unwrap_or_default();
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    fn get(&self, service: &str) -> f64 {
        self.0.get(service).and_then(Value::as_f64).filter(|w| w.is_finite() && *w > 0.0).unwrap_or(0.0)
    }

    /// The sides share the apex's weight, and all others keep theirs: everything times 100.
    pub(super) fn shared(&self, c: &Validated, spec: &Value, want: Split) -> String {
        let own = self.get(&c.names.apex);
        let mut all = Map::new();
        let rules = get::list(&spec["rules"]).iter();
        for other in rules.flat_map(|rule| paths(c, rule, self)).flat_map(|path| path.others) {
            let name = service(other);
            // a path whose backends have no weights splits equally
            let weight = if own > 0.0 { self.get(name) } else { 1.0 };
            all.insert(name.to_owned(), number(weight * 100.0));
        }
        sides(c, all, if own > 0.0 { own } else { 1.0 }, want)
    }

    /// The same for the weights of a copy, which the sides share again.
    pub(super) fn shared_again(&self, c: &Validated, want: Split) -> String {
        let both = [&c.names.primary_service, &c.names.canary_service];
        let own: f64 = both.iter().map(|name| self.get(name)).sum();
        let others = self.0.iter().filter(|(name, _)| !both.contains(name));
        let others = others.map(|(name, weight)| (name.clone(), weight.clone())).collect();
        sides(c, others, own / 100.0, want)
    }

    /// The second's percentage of the weight of both; none if neither has any. Less than 1 % is 1.
    pub(super) fn percent(&self, primary: &str, canary: &str) -> Option<i32> {
        let (primary, canary) = (self.get(primary), self.get(canary));
        let percent = (canary * 100.0 / (primary + canary)).round() as i32;
        (primary + canary > 0.0).then(|| if canary > 0.0 { percent.max(1) } else { 0 })
    }
}

fn sides(c: &Validated, mut all: Map<String, Value>, own: f64, want: Split) -> String {
    all.insert(c.names.primary_service.clone(), number(own * f64::from(want.primary())));
    all.insert(c.names.canary_service.clone(), number(own * f64::from(want.canary())));
    json!(all).to_string()
}

fn number(weight: f64) -> Value {
    if weight.fract() == 0.0 && weight.abs() < 1e15 { json!(weight as i64) } else { json!(weight) }
}

fn service(entry: &Value) -> &str {
    entry["backend"]["service"]["name"].as_str().unwrap_or_default()
}

/// The paths of a rule to the apex, each once; without those on which it gets nothing.
pub(super) fn paths<'a>(c: &Validated, rule: &'a Value, weights: &Weights) -> Vec<Path<'a>> {
    let all = get::list(&rule["http"]["paths"]);
    let mut found: Vec<Path<'a>> = Vec::new();
    for apex in all.iter().filter(|entry| service(entry) == c.names.apex) {
        if found.iter().any(|path| path.apex["path"] == apex["path"]) {
            continue;
        }
        // entries of one path are recognised by its text alone
        let others: Vec<&Value> = all
            .iter()
            .filter(|entry| entry["path"] == apex["path"] && service(entry) != c.names.apex)
            .collect();
        let shared = others.iter().any(|other| weights.get(service(other)) > 0.0);
        if !shared || weights.get(&c.names.apex) > 0.0 {
            found.push(Path { apex, others });
        }
    }
    found
}
