//! An apex Service that somebody else created. Serin takes it over as it is: everything that the Canary does not
//! mention stays in effect, or the takeover is refused in advance. Deleting the Canary gives it back.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    json as get,
    marks::{annotation, annotations, made_for, ours},
    object::Manifest,
    selectors,
};
use crate::{
    names::{self, managers},
    snapshot::SERVICE,
    spec::Validated,
    text::first_chars,
};

pub(super) const OWNED: &[&str] = &["/spec/ports", "/spec/selector"];

/// Annotations in which proxies read how to speak to a Service: keys, and beginnings of keys.
const READ_BY_PROXIES: [&str; 6] = [
    "projectcontour.io/",
    "config.linkerd.io/opaque-ports",
    "traefik.ingress.kubernetes.io/service.",
    "konghq.com/",
    "cloud.google.com/backend-config",
    "cloud.google.com/app-protocols",
];
/// The end of Kuma's, which begins with a port.
const READ_BY_KUMA: &str = ".service.kuma.io/protocol";

/// The apex's annotations that also matter for the Services beside it, to which its requests are led from now on.
pub(super) fn read_by_proxies(apex: &Value) -> BTreeMap<String, String> {
    let read = |key: &str| {
        key.ends_with(READ_BY_KUMA) || READ_BY_PROXIES.iter().any(|beginning| key.starts_with(beginning))
    };
    annotations(apex).into_iter().filter(|(key, _)| read(key)).collect()
}

/// Metadata of an apex that somebody else created: theirs, with the annotation for Flux to ignore it, the record of
/// the original, and the `targetPort` that is replaced now by that in `ports`.
pub(super) fn metadata(c: &Validated, live: &Value, ports: &[Value]) -> Value {
    let original = annotation(live, names::ANNOTATION_ORIGINAL).map_or_else(
        || {
            let markers: Map<String, Value> = names::FLUX_MARKERS
                .iter()
                .filter_map(|(key, _)| Some(((*key).to_owned(), json!(annotation(live, key)?))))
                .collect();
            let spec = &live["spec"];
            json!({
                "canary": c.name, "selector": spec["selector"], "ports": spec["ports"], "port": c.service.port,
                "trafficDistribution": spec["trafficDistribution"], "annotations": markers,
            })
            .to_string()
        },
        str::to_owned,
    );
    let mut annotations: Map<String, Value> =
        names::FLUX_MARKERS.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
    annotations.insert(names::ANNOTATION_ORIGINAL.into(), json!(original));
    if let Some(replaced) = replaced_target_port(c, live, ports).filter(|_| !says_target_port(c)) {
        annotations.insert(names::ANNOTATION_TARGET_PORT.into(), replaced);
    }
    json!({"annotations": annotations})
}

/// The record of the Service before it was adopted. On a created Service the annotation is ignored.
pub(super) fn recorded_original(c: &Validated, live: &Value) -> Value {
    let text = annotation(live, names::ANNOTATION_ORIGINAL).filter(|_| !made_for(live, &c.name));
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The `trafficDistribution` is still the one that a Canary set.
pub(super) fn distribution_is_ours(live: &Value) -> bool {
    let set = annotation(live, names::ANNOTATION_DISTRIBUTION);
    set.is_some() && live["spec"]["trafficDistribution"].as_str() == set
}

/// Both are about the same port.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    let protocol = |port: &Value| port["protocol"].as_str().unwrap_or("TCP").to_owned();
    a["port"] == b["port"] && protocol(a) == protocol(b)
}

/// The note of the `targetPort` that is replaced now by that in `ports`. Null: the one that was replaced comes back.
pub(super) fn replaced_target_port(c: &Validated, live: &Value, ports: &[Value]) -> Option<Value> {
    let (was, now) = (target_port(get::list(&live["spec"]["ports"]), c)?, target_port(ports, c)?);
    let comes_back = target_ports(c, live).last() == Some(&now);
    let note = || json!(json!({"was": was, "now": now}).to_string());
    (was != now).then(|| if comes_back { Value::Null } else { note() })
}

/// The Canary names the container port behind its port.
pub(super) fn says_target_port(c: &Validated) -> bool {
    match &json!(c.service.target_port) {
        Value::Number(number) => number.as_i64() != Some(0),
        Value::String(name) => !name.is_empty(),
        _ => false,
    }
}

/// Where the Service leads the Canary's port, and where it led before Serin replaced that.
pub(super) fn target_ports(c: &Validated, apex: &Value) -> Vec<Value> {
    let Some(now) = target_port(get::list(&apex["spec"]["ports"]), c) else { return vec![] };
    let note = annotation(apex, names::ANNOTATION_TARGET_PORT);
    let note: Value = note.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    // its owner may have changed it since
    let was = Some(note["was"].clone()).filter(|was| note["now"] == now && !was.is_null());
    [now].into_iter().chain(was).collect()
}

fn target_port(ports: &[Value], c: &Validated) -> Option<Value> {
    let own = json!({"port": c.service.port});
    let found = ports.iter().find(|port| same(port, &own))?;
    Some(found["targetPort"].clone()).filter(|to| !to.is_null())
}

/// The ports of the apex, and of the Services beside it: `wanted`, of which the first is the one that the Canary names,
/// and all other ports of the apex. Fields of a port that the Canary does not set stay as they are. Err: another port
/// has the name that the Canary gives its port.
pub(super) fn ports(
    c: &Validated,
    wanted: &[Value],
    apex: &Value,
) -> Result<(Vec<Value>, Vec<Value>), String> {
    let theirs = theirs(c, apex);
    let mut all = Vec::new();
    for (index, port) in wanted.iter().enumerate() {
        let live = theirs.iter().find(|theirs| same(theirs, port));
        all.push(match live {
            Some(live) if index == 0 => merged(c, port, live),
            Some(live) => live.clone(),
            None => port.clone(),
        });
    }
    all.extend(theirs.into_iter().filter(|theirs| !wanted.iter().any(|port| same(port, theirs))));
    let all = distinct(c, all)?;
    let mut beside = all.clone();
    for port in beside.iter_mut().filter_map(Value::as_object_mut) {
        port.remove("nodePort");
    }
    Ok((all, beside))
}

/// Ports of the apex. An earlier version removed those that the Canary does not name: they come back.
fn theirs(c: &Validated, apex: &Value) -> Vec<Value> {
    let mut theirs = get::list(&apex["spec"]["ports"]).to_vec();
    let noted = recorded_original(c, apex);
    if noted["canary"].is_null() {
        let lost = get::list(&noted["ports"]).iter();
        let lost: Vec<Value> =
            lost.filter(|port| !theirs.iter().any(|live| same(live, port))).cloned().collect();
        theirs.extend(lost);
    }
    theirs
}

/// The port that the Canary names, with the fields that it leaves to the apex.
fn merged(c: &Validated, port: &Value, live: &Value) -> Value {
    let mut port = port.clone();
    let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    for (field, said) in
        [("name", given(&c.service.port_name)), ("appProtocol", given(&c.service.app_protocol))]
    {
        if !said && live[field].is_string() {
            get::set(&mut port, &[field], live[field].clone());
        }
    }
    port
}

/// Several ports need distinct names.
fn distinct(c: &Validated, mut all: Vec<Value>) -> Result<Vec<Value>, String> {
    if all.len() < 2 {
        return Ok(all);
    }
    let mut names: BTreeMap<String, i64> = BTreeMap::new();
    // the last ones are the user's own, and keep theirs
    for (index, port) in all.iter_mut().enumerate().rev() {
        let number = port["port"].as_i64().unwrap_or_default();
        let name = port["name"].as_str().unwrap_or_default().to_owned();
        let taken = names.get(&name).copied();
        if let (0, Some(other), Some(given)) =
            (index, taken, c.service.port_name.as_deref().filter(|n| *n == name))
        {
            return Err(format!(
                "spec.service.portName: port {other} of Service {} is named {given}: give this one another name",
                c.names.apex
            ));
        }
        if name.is_empty() || taken.is_some() {
            let protocol = port["protocol"].as_str().unwrap_or("TCP").to_lowercase();
            let stem = if name.is_empty() { protocol } else { name };
            get::set(port, &["name"], json!(format!("{}-{number}", first_chars(&stem, 50))));
        }
        names.insert(port["name"].as_str().unwrap_or_default().to_owned(), number);
    }
    Ok(all)
}

/// What its users would lose if the Service pointed to the primary, in words.
pub(super) fn takeover_conflict(
    c: &Validated,
    target: &Value,
    label: &(String, String),
    live: &Value,
) -> Option<String> {
    let free = "set spec.service.name to a free name";
    let spec = &live["spec"];
    if spec["type"] == "ExternalName" {
        return Some(format!("it leads to {} outside the cluster: {free}", spec["externalName"]));
    }
    let Some(selector) = spec["selector"].as_object().filter(|selector| !selector.is_empty()) else {
        return Some(format!("it selects no pods, so that somebody else says where it leads: {free}"));
    };
    let labels = &target["spec"]["template"]["metadata"]["labels"];
    let pods = |value: &Value, key: &str| {
        labels.get(key) == Some(value)
            || key == label.0 && (*value == label.1 || *value == names::primary(&label.1))
    };
    let other = selector.iter().find(|(key, value)| !pods(value, key))?;
    Some(format!(
        "it selects {}: {}, which the pods of {} {} do not have: {free}",
        other.0,
        other.1.as_str().unwrap_or_default(),
        c.target.noun(),
        c.names.target
    ))
}

/// The apex as it was before it was adopted, with ports that its owner has added since. A created one selects the
/// target, and so does one whose selector matches no pods of a target that was created again with other labels. The
/// Canary's port leads to a container port that the target `declares`, if a known one is.
pub(super) fn given_back(
    c: &Validated,
    label: &(String, String),
    target: &Value,
    live: &Value,
    declares: &dyn Fn(&Value) -> bool,
) -> Manifest {
    let noted = recorded_original(c, live);
    let mut annotations = Map::new();
    for (key, _) in names::FLUX_MARKERS {
        annotations.insert(key.into(), noted["annotations"][key].clone());
    }
    let marks = [names::ANNOTATION_COPIED, names::ANNOTATION_EPOCH, names::ANNOTATION_WRITTEN];
    let of_services =
        [names::ANNOTATION_DISTRIBUTION, names::ANNOTATION_TARGET_PORT, names::ANNOTATION_ORIGINAL];
    for key in marks.into_iter().chain(of_services) {
        annotations.insert(key.into(), Value::Null);
    }
    let mut metadata = json!({"annotations": annotations});
    if ours(live, &c.name) {
        get::set(&mut metadata, &["labels", names::LABEL_CANARY], Value::Null);
    }
    let ports = if noted["ports"].is_array() {
        ports_back(c, &noted, live)
    } else {
        get::list(&live["spec"]["ports"]).to_vec()
    };
    let ports = reaching(c, live, ports, declares);
    let mut spec = json!({"selector": selectors::of_target(target, label), "ports": ports});
    // Flagger takes a Service over without becoming its owner
    let of_primary = noted["selector"][&label.0] == names::primary(&label.1);
    let pods = &target["spec"]["template"]["metadata"]["labels"];
    let meets = |selector: &Map<String, Value>| {
        pods.is_null() || selector.iter().all(|(key, value)| pods[key] == *value)
    };
    if noted["selector"].as_object().is_some_and(meets) && !of_primary {
        get::set(&mut spec, &["selector"], noted["selector"].clone());
    }
    let distributed = c.service.traffic_distribution.is_some() || distribution_is_ours(live);
    if noted["canary"].is_string() && distributed {
        get::set(&mut spec, &["trafficDistribution"], noted["trafficDistribution"].clone());
    }
    let body = json!({"metadata": metadata, "spec": spec});
    Manifest::new(SERVICE, &c.names.apex, managers::WORKLOAD, OWNED, body)
}

/// The ports, of which the Canary's leads to where the target listens: its release may have brought another port.
fn reaching(
    c: &Validated,
    live: &Value,
    mut ports: Vec<Value>,
    declares: &dyn Fn(&Value) -> bool,
) -> Vec<Value> {
    let own = json!({"port": c.service.port});
    let known = target_ports(c, live).into_iter().chain([json!(c.service.target_port)]);
    if let Some(port) =
        ports.iter_mut().find(|port| same(port, &own)).filter(|port| !declares(&port["targetPort"]))
        && let Some(to) = known.into_iter().find(declares)
    {
        get::set(port, &["targetPort"], to);
    }
    ports
}

/// The ports that existed before, in their owner's current form, and those that were added since.
fn ports_back(c: &Validated, noted: &Value, live: &Value) -> Vec<Value> {
    let own = json!({"port": c.service.port});
    let (before, now) = (get::list(&noted["ports"]), get::list(&live["spec"]["ports"]));
    let known = |list: &[Value], port: &Value| list.iter().find(|other| same(other, port)).cloned();
    // it cannot be determined which of them are gone because an earlier version removed them
    let lost = noted["canary"].is_null();
    // the port that was added at the takeover goes; the one that users were told to call since then stays
    let renumbered = if noted["port"].is_number() {
        noted["port"] != c.service.port
    } else {
        // earlier versions did not record it
        !lost && before.iter().any(|port| known(now, port).is_none())
    };
    let mut back: Vec<Value> = before
        .iter()
        .filter_map(|port| {
            if same(port, &own) {
                Some(port.clone())
            } else {
                known(now, port).or(lost.then(|| port.clone()))
            }
        })
        .collect();
    if c.service.port_discovery != Some(true) {
        let added = |port: &&Value| known(before, port).is_none() && (renumbered || !same(port, &own));
        back.extend(now.iter().filter(added).cloned());
    }
    if back.is_empty() { before.to_vec() } else { back }
}
