//! The weights that a Canary declares, read from its spec.

use serde_json::{Value, json};

use crate::view::list;

/// The analysis, under either field name.
fn analysis(canary: &Value) -> &Value {
    let spec = &canary["spec"];
    if spec["analysis"].is_object() { &spec["analysis"] } else { &spec["canaryAnalysis"] }
}

/// Matching requests go to the canary, and all other requests never do.
pub fn by_name(canary: &Value) -> bool {
    let analysis = analysis(canary);
    analysis["iterations"].as_i64().unwrap_or(0) > 0 && !list(&analysis["match"]).is_empty()
}

/// The requests to which steps apply: those that `match` names, or all, beside those of `always` and `never`.
pub fn audience(canary: &Value) -> Value {
    let analysis = analysis(canary);
    let named = |list: &str| analysis[list].as_array().is_some_and(|all| !all.is_empty());
    if named("always") || named("never") {
        return json!([analysis["always"], analysis["never"]]);
    }
    analysis["match"].clone()
}

/// There is a route. Plain Services have none.
pub fn routed(canary: &Value) -> bool {
    canary["spec"]["provider"] != "kubernetes"
}

/// The declared weights: by iterations, by `stepWeight` up to `maxWeight`, or the list unchanged. Mirroring comes
/// first.
pub fn schedule(canary: &Value) -> Vec<i64> {
    let analysis = analysis(canary);
    let iterations = usize::try_from(analysis["iterations"].as_i64().unwrap_or(0)).unwrap_or(0);
    if iterations > 0 {
        let switch = routed(canary) || analysis["promotion"]["switch"] == true;
        let hidden = vec![0; iterations].into_iter().chain(switch.then_some(100));
        return if by_name(canary) { vec![100; iterations] } else { hidden.collect() };
    }
    let copies = vec![0; usize::from(analysis["mirror"] == true)];
    copies.into_iter().chain(weights(analysis)).collect()
}

/// How many of them must pass before the primary gets the revision: plain Services may switch afterwards.
pub fn needed(canary: &Value) -> usize {
    let iterations = usize::try_from(analysis(canary)["iterations"].as_i64().unwrap_or(0)).unwrap_or(0);
    if iterations > 0 && !routed(canary) { iterations } else { schedule(canary).len() }
}

fn weights(analysis: &Value) -> Vec<i64> {
    let step = analysis["stepWeight"].as_i64().unwrap_or(0);
    if step > 0 {
        let max = analysis["maxWeight"].as_i64().filter(|m| *m > 0).unwrap_or(100).min(100);
        return (1..=100).map(|n| n * step).take_while(|w| *w < max).chain([max]).collect();
    }
    let listed = list(&analysis["stepWeights"]).iter().chain(list(&analysis["steps"]));
    let listed = listed.filter_map(|s| s.as_i64().or(s["weight"].as_i64()));
    let listed: Vec<i64> = listed.map(|weight| weight.clamp(0, 100)).collect();
    if listed.is_empty() { vec![100] } else { listed }
}
