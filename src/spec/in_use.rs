//! Fields that define which objects a Canary has: its provider, its target, its apex and its copy sources. Objects were
//! created from them, and serve users. An edit would leave the former ones behind with their split, so the former
//! values stay in force until the Canary is deleted, which gives everything back; the edit is reported.

use serde_json::{Value, json};

use super::validated::Validated;
use crate::api::InUse;

/// Fields that keep their former value, each with its place in status.
const FIELDS: [(&str, &str); 4] = [
    ("targetRef", "targetRef"),
    ("ingressRef", "ingressRef"),
    ("routeRef", "routeRef"),
    ("upstreamRef", "upstreamRef"),
];

/// The values from which the objects of this Canary are created.
pub fn in_use(c: &Validated) -> InUse {
    InUse {
        provider: c.provider.clone(),
        target_ref: c.spec.target_ref.clone(),
        service: c.names.apex.clone(),
        ingress_ref: c.spec.ingress_ref.clone(),
        route_ref: c.spec.route_ref.clone(),
        upstream_ref: c.spec.upstream_ref.clone(),
    }
}

/// Puts the values in use into the spec of a Canary, as it is stored. Returns the edits since, each as a
/// field path with both values. `provider` is the operator's default; empty: unknown here.
pub fn keep_in_use(canary: &mut Value, provider: &str) -> Vec<String> {
    let used = canary["status"]["inUse"].clone();
    let (Some(used_provider), true) = (used["provider"].as_str(), canary["spec"].is_object()) else {
        return vec![];
    };
    let mut edited = Vec::new();
    let spec = &mut canary["spec"];
    let written = spec["provider"].as_str().filter(|p| !p.is_empty()).unwrap_or(provider);
    if !written.is_empty() && written != used_provider {
        edited.push(said("provider", &json!(written), &json!(used_provider)));
    }
    spec["provider"] = json!(used_provider);
    for (field, place) in FIELDS {
        // a mistyped reference is not compared by its decoded form: null and missing are the same
        if spec[field] != used[place] {
            edited.push(said(field, &spec[field], &used[place]));
            spec[field] = used[place].clone();
        }
    }
    let target = used["targetRef"]["name"].as_str().unwrap_or_default();
    let apex = spec["service"]["name"].as_str().filter(|name| !name.is_empty()).unwrap_or(target);
    if let Some(used_apex) =
        used["service"].as_str().filter(|used| *used != apex && spec["service"].is_object())
    {
        edited.push(said("service.name", &json!(apex), &json!(used_apex)));
        spec["service"]["name"] = json!(used_apex);
    }
    edited
}

fn said(field: &str, written: &Value, used: &Value) -> String {
    let short = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        object => format!(
            "{} {}",
            object["kind"].as_str().unwrap_or_default(),
            object["name"].as_str().unwrap_or_default()
        ),
    };
    format!("spec.{field} is {}, and {} is in use", short(written), short(used))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canary(spec: &Value) -> Value {
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"});
        let mut canary = json!({
            "spec": {"targetRef": target, "service": {"port": 80}},
            "status": {"inUse": {"provider": "istio", "targetRef": target, "service": "app"}},
        });
        json_patch_merge(&mut canary["spec"], spec);
        canary
    }

    fn json_patch_merge(into: &mut Value, over: &Value) {
        for (key, value) in over.as_object().into_iter().flatten() {
            into[key] = value.clone();
        }
    }

    fn kept(spec: &Value) -> (Vec<String>, Value) {
        let mut canary = canary(spec);
        let edited = keep_in_use(&mut canary, "istio");
        (edited, canary["spec"].take())
    }

    #[test]
    fn c5_what_is_in_use_stays_in_force() {
        assert_eq!(kept(&json!({})).0, [""; 0]);
        let (edited, spec) = kept(&json!({"provider": "contour"}));
        assert_eq!(edited, ["spec.provider is contour, and istio is in use"]);
        assert_eq!(spec["provider"], "istio");
        let (edited, spec) = kept(&json!({"service": {"port": 80, "name": "web"}}));
        assert_eq!(edited, ["spec.service.name is web, and app is in use"]);
        assert_eq!(spec["service"]["name"], "app");
        let other = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
        let (edited, spec) = kept(&json!({"targetRef": other}));
        assert_eq!(edited, ["spec.targetRef is Deployment web, and Deployment app is in use"]);
        assert_eq!(spec["targetRef"]["name"], "app");
        let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "web"});
        let (edited, spec) = kept(&json!({"ingressRef": ingress}));
        assert_eq!(edited, ["spec.ingressRef is Ingress web, and none is in use"]);
        assert!(spec["ingressRef"].is_null());
    }

    #[test]
    fn c5_the_operators_own_provider_is_one_too() {
        let mut canary = canary(&json!({}));
        let edited = keep_in_use(&mut canary, "nginx");
        assert_eq!(edited, ["spec.provider is nginx, and istio is in use"]);
        assert_eq!(canary["spec"]["provider"], "istio");
    }

    #[test]
    fn c5_before_anything_is_made_the_spec_is_in_force() {
        let mut canary = json!({"spec": {"provider": "nginx"}, "status": {}});
        assert_eq!(keep_in_use(&mut canary, "istio"), [""; 0]);
        assert_eq!(canary["spec"]["provider"], "nginx");
    }
}
