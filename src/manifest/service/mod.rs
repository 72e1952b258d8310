//! The three Services: `<apex>` and `<apex>-primary` in front of the primary, `<apex>-canary` in front of the target.
//!
//! Owns their ports, selectors and metadata, adoption of an existing apex Service, and giving it back. Ports of
//! such a Service that the Canary does not name stay, on both sides too. What follows from the ports of containers is
//! that of each side: a template that was not promoted changes nothing in front of the primary. Does not decide when the
//! apex may select the primary: `plan` does.

mod distribution;
mod former_ports;
mod ports;

use serde_json::{Map, Value, json};

use self::ports::{container_ports, of_pods, ports, resolves, target_port};
pub(crate) use self::{
    former_ports::{former, has_ports, keeping, port_numbers, with_live_ports},
    ports::left_port,
};
use super::{
    adopted_service::{self as adopted, OWNED},
    given, json as get,
    labels::is_tracking,
    marks::{self, made_for},
    object::{Manifest, Undo},
    selectors::{self, Selector},
};
use crate::{
    api::CustomMetadata,
    names::{self, managers},
    snapshot::{ObjectRef, Objects, SERVICE},
    spec::Validated,
};

/// The Services of one Canary.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Services {
    /// `<apex>`, which users call; selects the primary.
    pub apex: Manifest,
    /// `<apex>-primary`.
    pub primary: Manifest,
    /// `<apex>-canary`, selecting the target.
    pub canary: Manifest,
    /// Works, but probably not as intended.
    pub advice: Vec<String>,
}

/// Renders the three, keeping node ports and immutable fields of the objects in `live`. `label` is the target's
/// selector label. Err: the ports are invalid; the text names the field.
pub fn render(
    c: &Validated,
    target: &Value,
    label: &(String, String),
    live: &Objects,
) -> Result<Services, String> {
    let theirs = live.get(SERVICE, &c.names.apex).filter(|apex| !made_for(apex, &c.name));
    let declared = container_ports(target);
    let advice = resolves(c, &declared, theirs)?;
    let new = ports(c, &declared, &target_port(c, &declared, theirs).0);
    let primary = live.get(c.target.kind(), &c.names.primary);
    let promoted = primary.map_or_else(|| new.clone(), |primary| of_pods(c, primary, theirs, live));
    let (at_apex, at_primary, at_canary) = match theirs {
        Some(apex) => {
            let (at_apex, at_primary) = adopted::ports(c, &promoted, apex)?;
            (at_apex, at_primary, adopted::ports(c, &new, apex)?.1)
        }
        None => (promoted.clone(), promoted, new),
    };
    let primary_pods = of_primary(c, target, label, live);
    let target_pods = selectors::of_target(target, label);
    let lent = theirs.map(adopted::read_by_proxies).unwrap_or_default();
    let beside = |given: Option<&CustomMetadata>| {
        let mut metadata = given.cloned().unwrap_or_default();
        for (key, value) in &lent {
            metadata.annotations.entry(key.clone()).or_insert_with(|| value.clone());
        }
        metadata
    };
    let one = |name: &str, pods: &Selector, ports: &[Value], metadata: CustomMetadata| {
        let live = live.get(SERVICE, name);
        let spec = spec(c, ports, pods, live);
        let mut metadata = match live {
            Some(live) if name == c.names.apex && theirs.is_some() => adopted::metadata(c, live, ports),
            _ => owned_metadata(c, name, &label.0, metadata, live),
        };
        let of_primary = live.filter(|_| name == c.names.primary_service);
        if let Some(replaced) = of_primary.and_then(|live| adopted::replaced_target_port(c, live, ports)) {
            get::set(&mut metadata, &["annotations", names::ANNOTATION_TARGET_PORT], replaced);
        }
        let mut body = json!({"metadata": metadata, "spec": spec});
        distribution::follow(c, &mut body, live);
        Manifest::new(SERVICE, name, managers::WORKLOAD, OWNED, body)
    };
    Ok(Services {
        apex: one(&c.names.apex, &primary_pods, &at_apex, c.service.apex.clone().unwrap_or_default()),
        primary: one(
            &c.names.primary_service,
            &primary_pods,
            &at_primary,
            beside(c.service.primary.as_ref()),
        ),
        canary: one(&c.names.canary_service, &target_pods, &at_canary, beside(c.service.canary.as_ref())),
        advice,
    })
}

/// Why an existing apex Service cannot be taken over: what its users would lose, in words.
pub fn takeover_conflict(
    c: &Validated,
    target: &Value,
    label: &(String, String),
    live: &Value,
) -> Option<String> {
    adopted::takeover_conflict(c, target, label, live)
}

/// Labels by which the primary's pods are selected.
pub(crate) fn of_primary(
    c: &Validated,
    target: &Value,
    label: &(String, String),
    live: &Objects,
) -> Selector {
    let primary = live.get(c.target.kind(), &c.names.primary);
    selectors::of_primary(target, label, primary, live.get(SERVICE, &c.names.primary_service))
}

/// The apex without its selector: the live selector stays.
#[must_use]
pub fn but_selector(mut apex: Manifest) -> Manifest {
    if let Some(spec) = apex.body.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("selector");
    }
    apex.owned = &["/spec/ports"];
    apex
}

/// Gives the apex back: the original if it was adopted; otherwise it stays, selecting the target, as a plain object.
/// The other two are deleted if they are ours.
pub fn restore(c: &Validated, label: &(String, String), live: &Objects) -> Vec<Undo> {
    let mut undo = Vec::new();
    let apex =
        live.get(SERVICE, &c.names.apex).filter(|apex| marks::adopted(apex) || made_for(apex, &c.name));
    if let Some(apex) = apex {
        let target = live.get(c.target.kind(), &c.names.target).unwrap_or(&Value::Null);
        let ports = container_ports(target);
        let declares = |to: &Value| ports.iter().any(|port| port.is(to));
        undo.push(Undo::Restore(adopted::given_back(c, label, target, apex, &declares)));
    }
    for name in [&c.names.primary_service, &c.names.canary_service] {
        if live.get(SERVICE, name).is_some_and(|s| made_for(s, &c.name)) {
            undo.push(Undo::Delete(ObjectRef::new(SERVICE, name.clone())));
        }
    }
    undo
}

/// Names of the current and former apexes of this Canary: those with both Services beside them.
pub fn apexes<'v>(services: impl Iterator<Item = &'v Value>, canary: &str) -> Vec<String> {
    let holder = Some(names::label_value(canary));
    let ours = services.filter(|service| marks::holder(service) == holder);
    let ours: Vec<&str> = ours.filter_map(|service| service["metadata"]["name"].as_str()).collect();
    let apex = ours.iter().filter_map(|name| name.strip_suffix(names::primary("").as_str()));
    apex.filter(|apex| ours.contains(&names::canary(apex).as_str())).map(str::to_owned).collect()
}

fn spec(c: &Validated, ports: &[Value], pods: &Selector, live: Option<&Value>) -> Value {
    let mut spec = json!({"selector": pods, "ports": ports_like(ports, live)});
    if live.is_none() {
        get::set(&mut spec, &["type"], json!("ClusterIP"));
        if c.service.headless == Some(true) {
            get::set(&mut spec, &["clusterIP"], json!("None"));
        }
    }
    spec
}

/// The wanted ports in the live order, with the node ports they have.
fn ports_like(ports: &[Value], live: Option<&Value>) -> Vec<Value> {
    let live = live.map_or(&[][..], |l| get::list(&l["spec"]["ports"]));
    let mut out = ports.to_vec();
    out.sort_by_key(|p| live.iter().position(|l| adopted::same(l, p)).unwrap_or(usize::MAX));
    for port in &mut out {
        let found = live.iter().find(|l| adopted::same(l, port));
        let found = found.or_else(|| live.iter().find(|l| !l["name"].is_null() && l["name"] == port["name"]));
        if let Some(node) = found.map(|l| l["nodePort"].clone()).filter(|n| n.as_i64() > Some(0)) {
            get::set(port, &["nodePort"], node);
        }
    }
    out
}

fn owned_metadata(
    c: &Validated,
    name: &str,
    label: &str,
    custom: CustomMetadata,
    live: Option<&Value>,
) -> Value {
    let unmanaged = json!(c.service.unmanaged_metadata);
    let left = |kind: &str, key: &str| get::list(&unmanaged[kind]).iter().any(|left| left == key);
    let mut labels: Map<String, Value> = custom.labels.into_iter().map(|(k, v)| (k, json!(v))).collect();
    let mut annotations: Map<String, Value> =
        custom.annotations.into_iter().map(|(k, v)| (k, json!(v))).collect();
    // those of others are given at creation only
    let all = (labels.clone(), annotations.clone());
    labels.retain(|key, _| !left("labels", key));
    annotations.retain(|key, _| !left("annotations", key));
    given::add_note(&labels, &mut annotations);
    if live.is_none() {
        labels.extend(all.0);
        annotations.extend(all.1);
    }
    if !is_tracking(label) {
        labels.insert(label.to_owned(), json!(name));
    } else if !labels.contains_key(label) {
        // if the application has the same name as its Service, its tool would treat that as its own
        labels.insert(label.to_owned(), Value::Null);
    }
    let markers =
        names::FLUX_MARKERS.into_iter().filter(|(key, _)| live.is_none() || !left("annotations", key));
    annotations.extend(markers.map(|(k, v)| (k.to_owned(), json!(v))));
    if live.is_some() && left("labels", label) {
        labels.remove(label);
    }
    labels.insert(names::LABEL_CANARY.into(), json!(names::label_value(&c.name)));
    let mut metadata = json!({"labels": labels, "annotations": annotations});
    given::follow(&mut metadata, live, left);
    metadata
}

#[cfg(test)]
mod tests;
