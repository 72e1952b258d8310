//! A Service as target: for pods that something else manages, or for destinations outside the cluster. Its two sides
//! are Services that copy it, `<target>-primary` and `<target>-canary`. Users call the target itself, and it is never
//! written.
//!
//! Owns what counts as a revision of a Service, the form of its copies, and what can be known about the endpoints
//! behind them. A copy exists only inside the cluster: no node port, load balancer or external address is copied.

use serde_json::{Map, Value, json};

use super::{
    given, json as get,
    labels::{included, untracked},
    marks::made_for,
    object::Manifest,
    revision::{self, Source},
};
use crate::{
    api::CustomMetadata,
    names::{self, managers},
    snapshot::{Objects, SERVICE, Snapshot},
    spec::Validated,
};

/// Fields of a Service's spec that define its destination; all others define how it is reached.
const RELEVANT: [&str; 8] = [
    "externalName",
    "internalTrafficPolicy",
    "ports",
    "publishNotReadyAddresses",
    "selector",
    "sessionAffinity",
    "sessionAffinityConfig",
    "trafficDistribution",
];

const OWNED: &[&str] = &[
    "/spec/externalName",
    "/spec/internalTrafficPolicy",
    "/spec/ports",
    "/spec/publishNotReadyAddresses",
    "/spec/selector",
    "/spec/sessionAffinity",
    "/spec/sessionAffinityConfig",
    "/spec/trafficDistribution",
];

/// The part of a Service's spec that makes a revision. Values that the API server assigns (addresses, node ports) are
/// not part of it, nor is access from outside the cluster, so neither starts a release.
pub(super) fn relevant(service: &Value) -> Value {
    let spec = &service["spec"];
    let mut out = Map::new();
    for field in RELEVANT.iter().filter(|f| !spec[**f].is_null()) {
        out.insert((*field).to_owned(), spec[*field].clone());
    }
    for port in out.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(port) = port.as_object_mut() {
            port.remove("nodePort");
        }
    }
    let outside = spec["type"] == "ExternalName";
    out.insert("type".into(), json!(if outside { "ExternalName" } else { "ClusterIP" }));
    if spec["clusterIP"] == "None" {
        out.insert("clusterIP".into(), json!("None"));
    }
    Value::Object(out)
}

/// The primary with the destination of `source`, marked with epoch and revision.
pub(super) fn primary(
    c: &Validated,
    target: &Value,
    source: &Source,
    (epoch, hash): (i64, &str),
    include_prefix: &[String],
) -> Manifest {
    let custom = c.service.primary.as_ref();
    copy(c, target, (&c.names.primary, custom), &source.template, hash, include_prefix)
        .annotated(names::ANNOTATION_EPOCH, &epoch.to_string())
}

/// The canary's side, with the target's current destination.
pub(super) fn canary(
    c: &Validated,
    target: &Value,
    objects: &Objects,
    include_prefix: &[String],
) -> Manifest {
    let spec = relevant(target);
    let at = (&c.names.canary_service, c.service.canary.as_ref());
    let copy = copy(c, target, at, &spec, &revision::hash(&spec), include_prefix);
    match objects.get(SERVICE, &copy.name) {
        Some(live) => given::following(copy, live),
        None => created(copy, &target["spec"]),
    }
}

fn copy(
    c: &Validated,
    target: &Value,
    (name, custom): (&String, Option<&CustomMetadata>),
    spec: &Value,
    hash: &str,
    include_prefix: &[String],
) -> Manifest {
    let custom = custom.cloned().unwrap_or_default();
    let of = |field: &str, custom: std::collections::BTreeMap<String, String>| {
        let own = get::strings(&target["metadata"][field]);
        let own = own.into_iter().filter(|(key, _)| included(key, include_prefix));
        own.chain(custom).map(|(key, value)| (key, json!(value))).collect::<Map<_, _>>()
    };
    let (of_labels, mut annotations) = (of("labels", custom.labels), of("annotations", custom.annotations));
    let mut labels = untracked(target);
    given::add_note(&of_labels, &mut annotations);
    labels.extend(of_labels);
    labels.insert(names::LABEL_CANARY.into(), json!(names::label_value(&c.name)));
    annotations.extend(names::FLUX_MARKERS.map(|(k, v)| (k.to_owned(), json!(v))));
    annotations.insert(names::ANNOTATION_REVISION.into(), json!(hash));
    let mut spec = spec.clone();
    // cannot be changed once it exists
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("clusterIP");
    }
    let body = json!({"metadata": {"labels": labels, "annotations": annotations}, "spec": spec});
    Manifest::new(SERVICE, name, managers::WORKLOAD, OWNED, body)
}

/// The copy if it does not exist yet: also with fields that cannot be changed later, from the target's spec.
pub(super) fn created(mut copy: Manifest, spec: &Value) -> Manifest {
    if copy.body["spec"]["type"] == "ExternalName" {
        return copy;
    }
    for field in ["ipFamilies", "ipFamilyPolicy"].into_iter().filter(|f| !spec[*f].is_null()) {
        get::set(&mut copy.body, &["spec", field], spec[field].clone());
    }
    if spec["clusterIP"] == "None" {
        get::set(&mut copy.body, &["spec", "clusterIP"], json!("None"));
    }
    copy
}

/// Checks that the port in routes is one of the target's; a target for a name outside the cluster needs none.
pub(super) fn ports(c: &Validated, target: &Value) -> Result<(), String> {
    let ports = get::list(&target["spec"]["ports"]);
    if target["spec"]["type"] == "ExternalName" && ports.is_empty()
        || ports.iter().any(|port| port["port"] == c.service.port)
    {
        return Ok(());
    }
    let all: Vec<String> = ports.iter().map(|port| port["port"].to_string()).collect();
    Err(format!(
        "spec.service.port: Service {} has no port {}, its ports are [{}]: name one of them",
        c.names.target,
        c.service.port,
        all.join(" ")
    ))
}

/// Endpoints behind the target or a copy of it. If they cannot be counted (a name outside the cluster; no selector,
/// and no EndpointSlices behind the target either), an existing Service counts as one, and a missing one as none.
pub(super) fn behind(snap: &Snapshot, service: &str) -> u32 {
    let Some(live) = snap.objects.get(SERVICE, service) else { return 0 };
    let spec = &live["spec"];
    if spec["type"] == "ExternalName" {
        return 1;
    }
    let selects = spec["selector"].as_object().is_some_and(|s| !s.is_empty());
    let target = snap.canary.spec.target_ref.name.as_str();
    let countable = selects || snap.ready.contains_key(service) || snap.ready.contains_key(target);
    if countable { snap.ready(service) } else { 1 }
}

/// Copies of a Service without selector have no endpoints until somebody adds some, and built-in metrics only
/// measure workloads.
pub(super) fn advice(c: &Validated, target: &Value, objects: &Objects) -> Vec<String> {
    let spec = &target["spec"];
    let selects = spec["selector"].as_object().is_some_and(|s| !s.is_empty());
    let mut list = Vec::new();
    if let Some(metric) = c.metrics.iter().find(|metric| metric.query.is_none()) {
        list.push(format!(
            "{} measures a workload named {}, and the target is a Service: unless there is one, give the metric a query",
            metric.name, c.names.target
        ));
    }
    if !selects && spec["type"] != "ExternalName" {
        list.push(format!(
            "Service {} has no selector: the tool that makes its EndpointSlices must also make some for {} and {} as well",
            c.names.target, c.names.primary, c.names.canary_service
        ));
    }
    let headless = spec["clusterIP"] == "None";
    for name in [&c.names.primary, &c.names.canary_service] {
        let Some(copy) = objects.get(SERVICE, name).filter(|copy| made_for(copy, &c.name)) else { continue };
        let outside = [spec, &copy["spec"]].iter().any(|s| s["type"] == "ExternalName");
        if !outside && (copy["spec"]["clusterIP"] == "None") != headless {
            list.push(format!(
                "Service {name} was made when {} was {}headless, which cannot be changed: delete {name} while it has no traffic, and it is made again",
                c.names.target,
                if headless { "not " } else { "" }
            ));
        }
    }
    list
}
