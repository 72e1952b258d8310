//! Istio: one http route of a VirtualService. The VirtualService stays if a Canary cannot express everything in it.

use serde_json::{Value, json};

use super::{draft::Draft, input::meta, notes::Notes, steps::Steps};

/// The path of the field.
const AT: &str = "spec.strategy.canary.trafficRouting.istio";

/// Sets provider and route.
pub(super) fn convert(draft: &mut Draft<'_>, own: &Value, steps: &Steps, notes: &mut Notes) {
    draft.spec.insert("provider".into(), json!("istio"));
    rule(draft, &own["destinationRule"], notes);
    let list = own["virtualServices"].as_array().into_iter().flatten();
    let all: Vec<&Value> =
        own.get("virtualService").into_iter().filter(|v| v.is_object()).chain(list).collect();
    let [reference] = all.as_slice() else {
        notes.refuse(
            format!("{AT}.virtualServices"),
            format!("{} VirtualServices: a Canary has one", all.len()),
        );
        return;
    };
    let routes: Vec<&str> =
        reference["routes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if routes.len() > 1 {
        notes.refuse(
            format!("{AT}.virtualService.routes"),
            format!("{} routes: weights are written into one http route", routes.len()),
        );
        return;
    }
    let name = reference["name"].as_str().unwrap_or_default();
    // a name may be followed by a namespace
    let name = name.split('.').next().unwrap_or_default();
    let given = draft.given("VirtualService", name);
    let more = !steps.always.is_empty() || steps.mirror.is_some();
    match given {
        Some(given) if more => folded(draft, given, notes),
        None if more => notes.refuse(format!("{AT}.virtualService"), format!("rules for named requests and copies need a VirtualService that the operator makes: give {name} as well, so that it can be taken over into spec.service")),
        given => referred(draft, given, name, routes.first().copied(), notes),
    }
}

/// Handles a DestinationRule with subsets: both versions get their own Services and rules.
fn rule(draft: &mut Draft<'_>, reference: &Value, notes: &mut Notes) {
    let Some(name) = reference["name"].as_str() else { return };
    let subsets = [&reference["stableSubsetName"], &reference["canarySubsetName"]];
    let subsets: Vec<&str> = subsets.into_iter().filter_map(Value::as_str).collect();
    notes.differs(
        format!("{AT}.destinationRule"),
        format!(
            "the subsets {} are the Services {}-primary and {}: the DestinationRules of these are made",
            subsets.join(" and "),
            draft.apex,
            draft.canary_service()
        ),
    );
    let Some(given) = draft.given("DestinationRule", name) else { return };
    if given["spec"]["trafficPolicy"].is_object() {
        draft.service.insert("trafficPolicy".into(), given["spec"]["trafficPolicy"].clone());
    }
    draft.replace(given, None);
}

/// Keeps the VirtualService, and points its route to the apex. From then on the operator writes the weights.
fn referred(
    draft: &mut Draft<'_>,
    given: Option<&Value>,
    name: &str,
    route: Option<&str>,
    notes: &mut Notes,
) {
    let version = given.and_then(|given| given["apiVersion"].as_str()).unwrap_or("networking.istio.io/v1");
    let mut reference = json!({"apiVersion": version, "kind": "VirtualService", "name": name});
    if let Some(route) = route {
        reference["route"] = json!(route);
    }
    draft.spec.insert("routeRef".into(), reference);
    let Some(given) = given else {
        notes.differs(format!("{AT}.virtualService"), format!("the VirtualService {name} is not in these files: let its route lead to the Service {} alone, without subsets", draft.apex));
        return;
    };
    let mut object = given.clone();
    let apex = draft.apex.clone();
    let rules = object["spec"]["http"].as_array_mut();
    let mut rules: Vec<&mut Value> = rules.into_iter().flatten().collect();
    let only = rules.len() == 1;
    let ours = |rule: &Value| route.map_or(only, |route| rule["name"] == route);
    let Some(rule) = rules.iter_mut().find(|rule| ours(rule)) else {
        notes.refuse(format!("{AT}.virtualService.routes"), format!("the VirtualService {name} has no http route of this name, or several without one: name the one that leads to the workload"));
        return;
    };
    let mut destination = rule["route"][0].clone();
    destination["destination"]["host"] = json!(apex);
    if let Some(fields) = destination.as_object_mut() {
        fields.remove("weight");
    }
    if let Some(to) = destination["destination"].as_object_mut() {
        to.remove("subset");
    }
    rule["route"] = json!([destination]);
    notes.differs("", format!("the VirtualService {name} leads to the Service {apex}, and the weights of that route are the operator's: let your tool ignore them (docs/strategies.md)"));
    draft.replace(given, Some(object));
}

/// The VirtualService becomes part of the Canary.
fn folded(draft: &mut Draft<'_>, given: &Value, notes: &mut Notes) {
    let (spec, name) = (&given["spec"], meta(given, "name"));
    let rules: Vec<&Value> = spec["http"].as_array().into_iter().flatten().collect();
    let ([rule], true, true) = (rules.as_slice(), spec["tcp"].is_null(), spec["tls"].is_null()) else {
        notes.refuse(format!("{AT}.virtualService"), format!("rules for named requests and copies need a VirtualService that the operator makes, and {name} has more than the one http route that a Canary can say: leave setHeaderRoute and setMirrorRoute out, or give the workload a VirtualService of its own"));
        return;
    };
    for field in ["hosts", "gateways"] {
        if !spec[field].is_null() {
            draft.service.insert(field.into(), spec[field].clone());
        }
    }
    for (field, value) in rule.as_object().into_iter().flatten() {
        match field.as_str() {
            "name" | "route" => {}
            "match" | "rewrite" | "retries" | "timeout" | "headers" | "corsPolicy" => {
                draft.service.insert(field.clone(), value.clone());
            }
            _ => notes.left_out(
                "",
                format!("the VirtualService {name} has {field} in its route, which spec.service cannot say"),
            ),
        }
    }
    if name == draft.apex {
        notes.differs(
            "",
            format!("the VirtualService {name} is left out: it is made by spec.service, or taken over"),
        );
    } else {
        notes.differs("", format!("the VirtualService {name} is left out: the operator makes {}. Delete {name} once that is there; until then the older of the two counts", draft.apex));
    }
    draft.replace(given, None);
}
