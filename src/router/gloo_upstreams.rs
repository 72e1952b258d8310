//! PURE. The Upstreams of both sides, whose names have the port: their settings, Gloo's report about them, and those of
//! a former port.

use serde_json::{Map, Value, json};

use super::{route::Side, traits::RouterError};
use crate::{
    manifest::{self, Manifest, made_for},
    names::{self, managers},
    snapshot::{Kind, ObjectRef, Objects},
    spec::Validated,
};

pub(super) const UPSTREAM: Kind =
    Kind { group: "gloo.solo.io", version: "v1", kind: "Upstream", plural: "upstreams" };

/// The Service, and the fields taken from the user's Upstream.
const OWNED: &[&str] = &[
    "/spec/kube",
    "/spec/sslConfig",
    "/spec/circuitBreakers",
    "/spec/connectionConfig",
    "/spec/loadBalancerConfig",
    "/spec/useHttp2",
    "/spec/initialStreamWindowSize",
    "/spec/initialConnectionWindowSize",
    "/spec/httpProxyHostname",
];

/// One side's Upstream, with the settings of `user`, if one is named; or with its previous settings, if that is gone.
pub(super) fn of_side(
    c: &Validated,
    live: &Objects,
    side: Side,
    user: Option<&ObjectRef>,
) -> Result<Manifest, RouterError> {
    let name = name(c, side);
    let service = if side == Side::Canary { &c.names.canary_service } else { &c.names.primary_service };
    let mut settings = Value::Null;
    if let Some(user) = user {
        let stand_in = || live.get(UPSTREAM, &name);
        let found = live.at(user).or_else(stand_in).ok_or_else(|| RouterError::NotFound(user.clone()))?;
        settings = found.clone();
    }
    let kube = json!({
        "serviceName": service, "serviceNamespace": c.namespace, "servicePort": c.service.port,
    });
    let mut spec = Map::from_iter([("kube".to_owned(), kube)]);
    for field in OWNED.iter().filter_map(|field| field.strip_prefix("/spec/")) {
        if let Some(value) = settings["spec"].get(field).filter(|_| field != "kube") {
            spec.insert(field.to_owned(), value.clone());
        }
    }
    let mut labels = manifest::untracked(&settings);
    for (key, value) in settings["metadata"]["labels"].as_object().into_iter().flatten() {
        if !manifest::is_tracking(key) && !names::is_own(key) {
            labels.insert(key.clone(), value.clone());
        }
    }
    labels.insert(names::LABEL_CANARY.into(), json!(names::label_value(&c.name)));
    let body = json!({"metadata": {"labels": labels}, "spec": spec});
    Ok(Manifest::new(UPSTREAM, &name, managers::ROUTE, OWNED, body))
}

/// Those of the Canary's port.
pub(super) fn both(c: &Validated) -> [ObjectRef; 2] {
    [Side::Primary, Side::Canary].map(|side| ObjectRef::new(UPSTREAM, name(c, side)))
}

/// Those that were made for this Canary and another port.
pub(super) fn of_former_ports(c: &Validated, live: &Objects) -> Vec<ObjectRef> {
    let known = both(c);
    let port = |name: &str, side: Side| name.strip_prefix(&of_any_port(c, side))?.parse::<u16>().ok();
    let former = |upstream: &Value| {
        let name = upstream["metadata"]["name"].as_str()?;
        port(name, Side::Primary).or_else(|| port(name, Side::Canary))?;
        Some(ObjectRef::new(UPSTREAM, name)).filter(|at| made_for(upstream, &c.name) && !known.contains(at))
    };
    live.of(UPSTREAM).filter_map(former).collect()
}

pub(super) fn name(c: &Validated, side: Side) -> String {
    format!("{}{}", of_any_port(c, side), c.service.port)
}

pub(super) fn of_any_port(c: &Validated, side: Side) -> String {
    let side = if side == Side::Canary { "canary" } else { "primary" };
    format!("{}-{}-{side}upstream-", c.namespace, c.names.apex)
}

/// The name that Gloo gives to the one that it makes of the apex Service, in a namespace of its own.
pub(super) fn discovered(c: &Validated) -> String {
    format!("{}-{}-{}", c.namespace, c.names.apex, c.service.port)
}

/// Gloo's report about an object.
pub(super) enum State {
    Unseen,
    Taken,
    Rejected(String),
}

/// From its status: one for each Gloo that watches it, or a single one, in words or as a number.
pub(super) fn state(object: &Value) -> State {
    let status = &object["status"];
    let of_each = status["statuses"].as_object().into_iter().flatten().map(|(_, one)| one);
    let mut state = State::Unseen;
    for one in of_each.chain([status]) {
        match (one["state"].as_str().unwrap_or_default(), one["state"].as_i64()) {
            ("Rejected", _) | (_, Some(2)) => {
                return State::Rejected(one["reason"].as_str().unwrap_or_default().to_owned());
            }
            // with a warning it is in effect
            ("Accepted" | "Warning", _) | (_, Some(1 | 3)) => state = State::Taken,
            _ => {}
        }
    }
    state
}
