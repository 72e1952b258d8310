//! PURE. Conditions of a VirtualService's http rules: those of a strategy combined with the Canary's own. istiod looks
//! at the labels and the namespace of a caller only in a condition without gateways; beside these it ignores
//! them, and the condition would match every caller.

use serde_json::Value;

use super::{always_never, route};
use crate::{manifest::json as get, spec::Validated};

/// The gateway that means all sidecars.
pub(super) const MESH: &str = "mesh";

/// The condition asks who calls.
pub(super) fn asks_the_caller(condition: &Value) -> bool {
    let labelled = condition["sourceLabels"].as_object().is_some_and(|labels| !labels.is_empty());
    labelled || condition["sourceNamespace"].as_str().is_some_and(|namespace| !namespace.is_empty())
}

/// Without its gateways, as only sidecars know who calls. None: it is for none of them.
pub(super) fn of_sidecars(mut condition: Value) -> Option<Value> {
    let gateways = get::list(&condition["gateways"]);
    if !gateways.is_empty() && !gateways.iter().any(|gateway| gateway == MESH) {
        return None;
    }
    if let Some(members) = condition.as_object_mut() {
        members.remove("gateways");
    }
    Some(condition)
}

/// Each of `conditions` combined with each of `service.match`: none if the two exclude each other.
pub(super) fn narrowed(c: &Validated, conditions: &[Value]) -> Vec<Value> {
    let one = |condition: &Value| {
        let asks = asks_the_caller(condition);
        let all = route::narrowed(c, std::slice::from_ref(condition)).into_iter();
        all.filter_map(move |both| if asks { of_sidecars(both) } else { Some(both) }).collect::<Vec<_>>()
    };
    conditions.iter().flat_map(one).collect()
}

/// Conditions that a VirtualService cannot have: field paths, each with a reason.
pub(super) fn problems(c: &Validated) -> Vec<String> {
    let lists = [("spec.service.match", &c.service.match_), ("spec.analysis.match", &c.analysis.match_)];
    let numbered = lists.into_iter().flat_map(|(path, list)| {
        list.iter().enumerate().map(move |(index, entry)| (format!("{path}[{index}]"), entry))
    });
    let mut refused = Vec::new();
    for (path, entry) in numbered.chain(always_never::entries(c)) {
        for field in ["headers", "withoutHeaders", "queryParams"] {
            for (name, _) in entry[field].as_object().into_iter().flatten().filter(|(_, way)| ends(way)) {
                refused.push(format!("{path}.{field}.{name}: Istio knows exact, prefix and regex"));
            }
        }
        if ends(&entry["uri"]) {
            refused.push(format!("{path}.uri: Istio knows exact, prefix and regex"));
        }
    }
    let lists = [("match", &c.analysis.match_), ("always", &c.analysis.always), ("never", &c.analysis.never)];
    for (field, _) in lists.iter().filter(|(_, list)| !list.is_empty() && narrowed(c, list).is_empty()) {
        refused.push(format!(
            "spec.analysis.{field}: sourceLabels are known of calls within the mesh only, and each entry of spec.service.match names other gateways: add mesh to the gateways of one, or leave sourceLabels out"
        ));
    }
    refused
}

/// Pruned by the API server, what is left of it would only ask whether there is a value.
fn ends(way: &Value) -> bool {
    way["suffix"].is_string()
}
