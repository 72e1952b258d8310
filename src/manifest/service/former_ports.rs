//! Ports that a generated Service has and no longer needs, as after an edit of `service.port`. Whether they stay for a
//! while is up to `plan`.

use serde_json::{Value, json};

use super::ports::PORT_NAME;
use crate::{
    manifest::{Manifest, adopted_service::same, json as get},
    text::first_chars,
};

/// The numbers of the ports of a Service.
pub(crate) fn port_numbers(live: &Value) -> Vec<i32> {
    let all = get::list(&live["spec"]["ports"]).iter();
    all.filter_map(|port| i32::try_from(port["port"].as_i64()?).ok()).collect()
}

/// The live Service has all ports of the wanted one.
pub(crate) fn has_ports(live: &Value, wanted: &Manifest) -> bool {
    let live = get::list(&live["spec"]["ports"]);
    get::list(&wanted.body["spec"]["ports"]).iter().all(|port| live.iter().any(|has| same(has, port)))
}

/// Ports of the live Service that the wanted one does not have.
pub(crate) fn former<'v>(live: &'v Value, wanted: &Manifest) -> Vec<&'v Value> {
    let wanted = get::list(&wanted.body["spec"]["ports"]);
    get::list(&live["spec"]["ports"])
        .iter()
        .filter(|port| !wanted.iter().any(|new| same(new, port)))
        .collect()
}

/// The wanted Service with the live ports instead of its own.
pub(crate) fn with_live_ports(mut wanted: Manifest, live: &Value) -> Manifest {
    get::set(&mut wanted.body, &["spec", "ports"], live["spec"]["ports"].clone());
    wanted
}

/// The wanted Service with these ports as well. Names and node ports that are in use by now belong to the new ones.
pub(crate) fn keeping(mut wanted: Manifest, former: &[&Value]) -> Manifest {
    let mut ports = get::list(&wanted.body["spec"]["ports"]).to_vec();
    for port in former {
        let mut port = (*port).clone();
        let in_use = |key: &str| ports.iter().any(|other| other[key] == port[key]);
        let (named, exposed) = (!in_use("name"), !in_use("nodePort"));
        if !named {
            let name = free_name(&port, &ports);
            get::set(&mut port, &["name"], json!(name));
        }
        if let Some(port) = port.as_object_mut().filter(|_| !exposed) {
            port.remove("nodePort");
        }
        ports.push(port);
    }
    get::set(&mut wanted.body, &["spec", "ports"], json!(ports));
    wanted
}

/// Its name with its number, or with a shorter beginning, if another port has that name too.
fn free_name(port: &Value, others: &[Value]) -> String {
    let stem = port["name"].as_str().filter(|name| !name.is_empty()).unwrap_or("port");
    let suffix = format!("-{}", port["port"]);
    let longest = stem.len().min(PORT_NAME - suffix.len());
    let mut names = (1..=longest).rev().map(|length| format!("{}{suffix}", first_chars(stem, length)));
    names.find(|name| others.iter().all(|other| other["name"] != **name)).unwrap_or_default()
}
