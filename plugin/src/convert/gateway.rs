//! The Gateway API, in the form of Argo Rollouts' plugin: an HTTPRoute becomes part of the Canary.

use serde_json::{Map, Value, json};

use super::{draft::Draft, input::meta, notes::Notes};

/// Sets provider and route.
pub(super) fn convert(draft: &mut Draft<'_>, config: &Value, at: &str, notes: &mut Notes) {
    draft.spec.insert("provider".into(), json!("gatewayapi:v1"));
    let list =
        config["httpRoutes"].as_array().into_iter().flatten().filter_map(|route| route["name"].as_str());
    let names: Vec<&str> = config["httpRoute"].as_str().into_iter().chain(list).collect();
    for other in ["grpcRoute", "grpcRoutes", "tcpRoute", "tcpRoutes", "tlsRoute", "tlsRoutes"] {
        if !config[other].is_null() {
            notes.refuse(format!("{at}.{other}"), "an HTTPRoute is made: one is needed");
        }
    }
    let [name] = names.as_slice() else {
        notes.refuse(at, format!("{} HTTPRoutes: a Canary has one", names.len()));
        return;
    };
    if let Some(namespace) = config["namespace"]
        .as_str()
        .filter(|n| !meta(draft.rollout, "namespace").is_empty() && *n != meta(draft.rollout, "namespace"))
    {
        notes.refuse(
            format!("{at}.namespace"),
            format!("{namespace}: the HTTPRoute is made in the namespace of the Canary"),
        );
    }
    let Some(given) = draft.given("HTTPRoute", name) else {
        notes.refuse(
            at,
            format!("the HTTPRoute {name} is not in these files: give it as well, for its Gateways"),
        );
        return;
    };
    let spec = &given["spec"];
    let rules: Vec<&Value> = spec["rules"].as_array().into_iter().flatten().collect();
    let [rule] = rules.as_slice() else {
        notes.refuse(at, format!("the HTTPRoute {name} has {} rules, and the one that is made has those of one: move the others to an HTTPRoute of their own", rules.len()));
        return;
    };
    draft.service.insert("gatewayRefs".into(), spec["parentRefs"].clone());
    if !spec["hostnames"].is_null() {
        draft.service.insert("hosts".into(), spec["hostnames"].clone());
    }
    let matches: Vec<Value> = rule["matches"].as_array().into_iter().flatten().map(one_match).collect();
    if !matches.is_empty() {
        draft.service.insert("match".into(), json!(matches));
    }
    for (field, own) in [("request", "timeout"), ("backendRequest", "backendTimeout")] {
        if !rule["timeouts"][field].is_null() {
            draft.service.insert(own.into(), rule["timeouts"][field].clone());
        }
    }
    for filter in rule["filters"].as_array().into_iter().flatten() {
        self::filter(draft, filter, name, notes);
    }
    notes.differs("", left_out(name, &draft.apex));
    draft.replace(given, None);
}

/// Why the user's own route is left out.
fn left_out(name: &str, apex: &str) -> String {
    if name == apex {
        return format!("the HTTPRoute {name} is left out: it is made by spec.service, or taken over");
    }
    format!(
        "the HTTPRoute {name} is left out: the operator makes {apex}. Delete {name} once that is accepted; until then the older of the two counts"
    )
}

fn one_match(given: &Value) -> Value {
    let mut all = Map::new();
    let way = |type_: &Value| match type_.as_str() {
        Some("RegularExpression") => "regex",
        Some("PathPrefix") => "prefix",
        _ => "exact",
    };
    if given["path"].is_object() {
        let type_ = if given["path"]["type"].is_null() { "prefix" } else { way(&given["path"]["type"]) };
        all.insert("uri".into(), json!({type_: given["path"]["value"].as_str().unwrap_or("/")}));
    }
    for (field, own) in [("headers", "headers"), ("queryParams", "queryParams")] {
        let entries = given[field].as_array().into_iter().flatten();
        let named: Map<String, Value> = entries
            .map(|entry| {
                let name = entry["name"].as_str().unwrap_or_default().to_owned();
                (name, json!({way(&entry["type"]): entry["value"]}))
            })
            .collect();
        if !named.is_empty() {
            all.insert(own.into(), Value::Object(named));
        }
    }
    if let Some(method) = given["method"].as_str() {
        all.insert("method".into(), json!({"exact": method}));
    }
    Value::Object(all)
}

fn filter(draft: &mut Draft<'_>, filter: &Value, name: &str, notes: &mut Notes) {
    let type_ = filter["type"].as_str().unwrap_or_default();
    let side = match type_ {
        "RequestHeaderModifier" => ("request", &filter["requestHeaderModifier"]),
        "ResponseHeaderModifier" => ("response", &filter["responseHeaderModifier"]),
        _ => {
            notes.left_out("", format!("the HTTPRoute {name} has a filter {type_}: say it in spec.service (rewrite, mirror, corsPolicy), where it can be"));
            return;
        }
    };
    let mut changes = Map::new();
    for field in ["add", "set"] {
        let entries = side.1[field].as_array().into_iter().flatten();
        let named: Map<String, Value> = entries
            .map(|e| (e["name"].as_str().unwrap_or_default().to_owned(), e["value"].clone()))
            .collect();
        if !named.is_empty() {
            changes.insert(field.into(), Value::Object(named));
        }
    }
    if !side.1["remove"].is_null() {
        changes.insert("remove".into(), side.1["remove"].clone());
    }
    let headers = draft.service.entry("headers").or_insert_with(|| json!({}));
    headers[side.0] = Value::Object(changes);
}
