//! Ports that a generated Service has and no longer needs, as after an edit of `service.port`. Whether they stay for a
//! while is up to `plan`.

use serde_json::{Value, json};

use crate::manifest::{Manifest, adopted_service::same, json as get};

/// Ports of the live Service that the wanted one does not have.
pub(crate) fn former<'v>(live: &'v Value, wanted: &Manifest) -> Vec<&'v Value> {
    let wanted = get::list(&wanted.body["spec"]["ports"]);
    get::list(&live["spec"]["ports"])
        .iter()
        .filter(|port| !wanted.iter().any(|new| same(new, port)))
        .collect()
}

/// The wanted Service with these ports as well. Names and node ports that are in use by now belong to the new ones.
pub(crate) fn keeping(mut wanted: Manifest, former: &[&Value]) -> Manifest {
    let mut ports = get::list(&wanted.body["spec"]["ports"]).to_vec();
    for port in former {
        let mut port = (*port).clone();
        let in_use = |key: &str| ports.iter().any(|other| other[key] == port[key]);
        let (named, exposed) = (!in_use("name"), !in_use("nodePort"));
        if !named {
            let stem = port["name"].as_str().filter(|name| !name.is_empty()).unwrap_or("port");
            let name = format!("{stem}-{}", port["port"]);
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
