//! Traffic routing.

use serde_json::{Map, Value, json};

use super::{draft::Draft, gateway, input::meta, istio, notes::Notes, steps::Steps};

/// The path of the field.
const AT: &str = "spec.strategy.canary.trafficRouting";
/// Plugins that are supported.
const GATEWAY: &str = "argoproj-labs/gatewayAPI";

/// The names of the Rollout's routers. The table reports unsupported ones.
pub(super) fn routers(canary: &Value) -> Vec<&str> {
    let fields = canary["trafficRouting"].as_object().into_iter().flatten();
    let other = ["managedRoutes", "maxTrafficWeight"];
    fields
        .filter(|(name, value)| !other.contains(&name.as_str()) && !value.is_null())
        .map(|(name, _)| name.as_str())
        .collect()
}

/// Sets the provider and the fields that it needs.
pub(super) fn convert(draft: &mut Draft<'_>, steps: &Steps, notes: &mut Notes) {
    let canary = &draft.rollout["spec"]["strategy"]["canary"];
    let routing = &canary["trafficRouting"];
    let names = routers(canary);
    let [name] = names.as_slice() else {
        if names.is_empty() {
            draft.spec.insert("provider".into(), json!("kubernetes"));
        } else {
            notes.refuse(AT, format!("several routers ({}): a Canary has one", names.join(", ")));
        }
        return;
    };
    let own = &routing[*name];
    match *name {
        "istio" => istio::convert(draft, own, steps, notes),
        "nginx" => nginx(draft, own, notes),
        "traefik" => traefik(draft, own, notes),
        "apisix" => apisix(draft, own, notes),
        "plugins" => plugins(draft, own, notes),
        _ => {}
    }
}

fn plugins(draft: &mut Draft<'_>, own: &Value, notes: &mut Notes) {
    for (name, config) in own.as_object().into_iter().flatten() {
        if name == GATEWAY {
            gateway::convert(draft, config, &format!("{AT}.plugins.{name}"), notes);
        } else {
            notes.refuse(
                format!("{AT}.plugins.{name}"),
                "what it routes by is not known here: choose one of spec.provider",
            );
        }
    }
}

fn nginx(draft: &mut Draft<'_>, own: &Value, notes: &mut Notes) {
    draft.spec.insert("provider".into(), json!("nginx"));
    let list = own["stableIngresses"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let all: Vec<&str> = own["stableIngress"].as_str().into_iter().chain(list).collect();
    let [ingress] = all.as_slice() else {
        notes.refuse(
            format!("{AT}.nginx.stableIngresses"),
            format!("{} Ingresses: a Canary has one", all.len()),
        );
        return;
    };
    let version = draft.given("Ingress", ingress).and_then(|ingress| ingress["apiVersion"].as_str());
    let reference =
        json!({"apiVersion": version.unwrap_or("networking.k8s.io/v1"), "kind": "Ingress", "name": ingress});
    draft.spec.insert("ingressRef".into(), reference);
    if draft.given("Ingress", ingress).is_none() {
        notes.differs(
            format!("{AT}.nginx.stableIngress"),
            format!(
                "the Ingress {ingress} is not in these files: it has to lead to the Service {}",
                draft.apex
            ),
        );
    }
    for field in ["additionalIngressAnnotations", "canaryIngressAnnotations"] {
        annotations(draft, &own[field], &format!("{AT}.nginx.{field}"), notes);
    }
}

/// Converts annotations that select the new version to requests that always get it. Other annotations stay in the
/// Ingress.
fn annotations(draft: &mut Draft<'_>, all: &Value, at: &str, notes: &mut Notes) {
    let of = |name: &str| {
        all[name].as_str().or_else(|| all[format!("nginx.ingress.kubernetes.io/{name}").as_str()].as_str())
    };
    let mut add = |side: &str, entry: Value| {
        let list = draft.analysis.entry(side).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(entry);
        }
    };
    let value = of("canary-by-header-value");
    if let Some(header) = of("canary-by-header") {
        let header = header.to_lowercase();
        add("always", json!({"headers": {&header: {"exact": value.unwrap_or("always")}}}));
        if value.is_none() {
            add("never", json!({"headers": {&header: {"exact": "never"}}}));
        }
    }
    if let Some(cookie) = of("canary-by-cookie") {
        add("always", json!({"headers": {"cookie": {"exact": cookie}}}));
    }
    let known = ["canary-by-header", "canary-by-header-value", "canary-by-cookie"];
    for (name, _) in all.as_object().into_iter().flatten() {
        let bare = name.strip_prefix("nginx.ingress.kubernetes.io/").unwrap_or(name);
        if !known.contains(&bare) {
            notes.left_out(
                format!("{at}[{name}]"),
                "the Ingress of the new version has the annotations of the user's",
            );
        }
    }
}

fn traefik(draft: &mut Draft<'_>, own: &Value, notes: &mut Notes) {
    draft.spec.insert("provider".into(), json!("traefik"));
    let name = own["weightedTraefikServiceName"].as_str().unwrap_or_default();
    if name != draft.apex {
        notes.differs(format!("{AT}.traefik.weightedTraefikServiceName"), format!("weights are written into the TraefikService {}, which is made: let your IngressRoute lead to it in place of {name}", draft.apex));
    }
    if let Some(given) = draft.given("TraefikService", name) {
        draft.replace(given, None);
    }
}

fn apisix(draft: &mut Draft<'_>, own: &Value, notes: &mut Notes) {
    draft.spec.insert("provider".into(), json!("apisix"));
    let name = own["route"]["name"].as_str().unwrap_or_default();
    draft.spec.insert(
        "routeRef".into(),
        json!({"apiVersion": "apisix.apache.org/v2", "kind": "ApisixRoute", "name": name}),
    );
    let Some(given) = draft.given("ApisixRoute", name) else {
        notes.differs(
            format!("{AT}.apisix.route"),
            format!(
                "the ApisixRoute {name} is not in these files: it has to lead to the Service {}",
                draft.apex
            ),
        );
        return;
    };
    let mut route = given.clone();
    for rule in route["spec"]["http"].as_array_mut().into_iter().flatten() {
        let Some(backends) = rule["backends"].as_array_mut() else { continue };
        let canary = draft.renamed.clone().unwrap_or_else(|| draft.canary_service());
        backends.retain(|backend| backend["serviceName"] != canary.as_str());
        for backend in backends.iter_mut().filter(|backend| backend["serviceName"] == draft.apex.as_str()) {
            backend["weight"] = json!(100);
        }
    }
    if route != *given {
        notes.differs(
            "",
            format!(
                "the ApisixRoute {name} leads to the Service {} alone: weights are in a copy of it",
                draft.apex
            ),
        );
        draft.replace(given, Some(route));
    }
}

/// Other objects that point to the Service of the new version, with its new name.
pub(super) fn rename_elsewhere(draft: &mut Draft<'_>, notes: &mut Notes) {
    let Some(former) = draft.renamed.clone() else { return };
    for kind in ["VirtualService", "Ingress", "HTTPRoute", "GRPCRoute", "IngressRoute", "DestinationRule"] {
        let given: Vec<&Value> = draft
            .input
            .of_kind(kind)
            .filter(|object| super::input::together(object, draft.rollout))
            .collect();
        for object in given {
            if draft.replaced.contains(object) {
                continue;
            }
            let mut other = object.clone();
            renamed(&mut other["spec"], &|text: &str| draft.renamed_in(text), false);
            if other != *object {
                notes.differs(
                    "",
                    format!(
                        "{kind} {} leads to {} in place of {former}",
                        meta(object, "name"),
                        draft.canary_service()
                    ),
                );
                draft.replace(object, Some(other));
            }
        }
    }
}

fn renamed(value: &mut Value, rename: &dyn Fn(&str) -> Option<String>, leads: bool) {
    match value {
        Value::String(text) if leads => {
            if let Some(other) = rename(text) {
                *text = other;
            }
        }
        Value::Array(items) => {
            for item in items {
                renamed(item, rename, false);
            }
        }
        Value::Object(fields) => rename_fields(fields, rename),
        _ => {}
    }
}

fn rename_fields(fields: &mut Map<String, Value>, rename: &dyn Fn(&str) -> Option<String>) {
    for (name, value) in fields {
        let leads = ["host", "name", "serviceName"].contains(&name.as_str());
        renamed(value, rename, leads);
    }
}
