//! Services: the settings in the Canary for the Service that users call, which Serin creates, and for the two behind
//! it.

use serde_json::{Map, Value, json};

use super::{
    draft::Draft,
    input::{meta, together},
    notes::Notes,
};

/// Sets the apex and `spec.service` from the Services that the strategy names.
pub(super) fn convert(draft: &mut Draft<'_>, stable: &str, canary: &str, notes: &mut Notes) {
    let users = if stable.is_empty() { selecting(draft) } else { draft.given("Service", stable) };
    if let Some(name) = users.map(|service| meta(service, "name")).filter(|name| !name.is_empty()) {
        draft.apex = name.to_owned();
    } else if !stable.is_empty() {
        stable.clone_into(&mut draft.apex);
    }
    if !canary.is_empty() && canary != draft.canary_service() {
        draft.renamed = Some(canary.to_owned());
    }
    let target = draft.rollout["spec"]["workloadRef"]["name"].as_str().unwrap_or(meta(draft.rollout, "name"));
    if draft.apex != target {
        draft.service.insert("name".into(), json!(draft.apex));
    }
    match users {
        Some(service) => of_service(draft, service, notes),
        None => of_container(draft, stable, notes),
    }
    for (name, side) in [(draft.apex.clone(), "apex"), (canary.to_owned(), "canary")] {
        let Some(service) = draft.given("Service", &name) else { continue };
        if let Some(metadata) = metadata(service) {
            draft.service.insert(side.into(), metadata);
        }
        draft.replace(service, None);
        notes.differs(
            "",
            format!("the Service {name} is left out: the operator makes it, or takes it over. Before your tool prunes it, see docs/gitops.md"),
        );
    }
    if let Some(former) = draft.renamed.clone() {
        notes.differs(
            "",
            format!("the Service of the new version is {} and no longer {former}", draft.canary_service()),
        );
    }
}

/// The pod template, of the Rollout or of its Deployment.
fn template<'a>(draft: &Draft<'a>) -> Option<&'a Value> {
    match draft.rollout["spec"]["workloadRef"]["name"].as_str() {
        Some(name) => draft.given("Deployment", name).map(|deployment| &deployment["spec"]["template"]),
        None => Some(&draft.rollout["spec"]["template"]),
    }
}

/// The only Service that selects the pods.
fn selecting<'a>(draft: &Draft<'a>) -> Option<&'a Value> {
    let labels = &template(draft)?["metadata"]["labels"];
    let selects = |service: &&Value| {
        let selector = service["spec"]["selector"].as_object().filter(|selector| !selector.is_empty());
        together(service, draft.rollout)
            && selector.is_some_and(|selector| selector.iter().all(|(key, value)| labels[key] == *value))
    };
    let mut all = draft.input.of_kind("Service").filter(selects);
    let first = all.next();
    first.filter(|_| all.next().is_none())
}

fn of_service(draft: &mut Draft<'_>, service: &Value, notes: &mut Notes) {
    let spec = &service["spec"];
    let ports: Vec<&Value> = spec["ports"].as_array().into_iter().flatten().collect();
    let Some(first) = ports.first() else {
        notes.refuse("", format!("the Service {} has no ports", draft.apex));
        return;
    };
    let set = |map: &mut Map<String, Value>, name: &str, value: &Value| {
        if !value.is_null() {
            map.insert(name.into(), value.clone());
        }
    };
    set(&mut draft.service, "port", &first["port"]);
    set(&mut draft.service, "targetPort", &first["targetPort"]);
    set(&mut draft.service, "appProtocol", &first["appProtocol"]);
    if first["name"].as_str().is_some_and(|name| name != "http") {
        set(&mut draft.service, "portName", &first["name"]);
    }
    set(&mut draft.service, "trafficDistribution", &spec["trafficDistribution"]);
    if spec["clusterIP"] == "None" {
        draft.service.insert("headless".into(), json!(true));
    }
    if ports.len() > 1 {
        draft.service.insert("portDiscovery".into(), json!(true));
        notes.differs("", format!("of the {} ports of the Service {}, the first one is spec.service.port; portDiscovery adds the other ports of the containers under their own numbers", ports.len(), draft.apex));
    }
    if let Some(type_) = spec["type"].as_str().filter(|type_| *type_ != "ClusterIP") {
        notes.left_out("", format!("the Service {} is of the type {type_}: Services are made with a cluster IP. Let one of your own of that type select the pods, or use an Ingress or a Gateway", draft.apex));
    }
}

/// Without a Service in the files, uses the first port of the pods.
fn of_container(draft: &mut Draft<'_>, stable: &str, notes: &mut Notes) {
    let template = template(draft);
    let containers = template.and_then(|template| template["spec"]["containers"].as_array());
    let mut ports =
        containers.into_iter().flatten().flat_map(|c| c["ports"].as_array().into_iter().flatten());
    let what = if stable.is_empty() {
        "no Service of these files".to_owned()
    } else {
        format!("the Service {stable} is not in these files, and nothing")
    };
    match ports.next().map(|port| &port["containerPort"]).filter(|port| port.is_number()) {
        Some(port) => {
            notes.differs(
                "",
                format!(
                    "{what} says how users reach the pods: the Services get the port {port} of the container"
                ),
            );
            draft.service.insert("port".into(), port.clone());
        }
        None => notes.refuse(
            "",
            format!("{what} says how users reach the pods: give the Service as well, for spec.service.port"),
        ),
    }
}

/// Labels and annotations of a Service, without those by which tools track applied objects.
fn metadata(service: &Value) -> Option<Value> {
    let tools = [
        "kubectl.kubernetes.io/",
        "argocd.argoproj.io/",
        "argo-rollouts.argoproj.io/",
        "meta.helm.sh/",
        "helm.sh/",
        "app.kubernetes.io/managed-by",
        "kustomize.toolkit.fluxcd.io/",
        "helm.toolkit.fluxcd.io/",
    ];
    let own = |field: &str| -> Map<String, Value> {
        let all = service["metadata"][field].as_object().into_iter().flatten();
        all.filter(|(key, _)| !tools.iter().any(|tool| key.starts_with(tool)))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    };
    let mut all = Map::new();
    for field in ["labels", "annotations"] {
        let kept = own(field);
        if !kept.is_empty() {
            all.insert(field.into(), Value::Object(kept));
        }
    }
    (!all.is_empty()).then_some(Value::Object(all))
}
