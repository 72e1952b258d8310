//! The ports of the Services, and the container ports behind them. In front of the primary they are those of the template
//! that its pods run: an edit of `service.targetPort` that belongs to a release reaches the primary with it.

use serde_json::{Value, json};

use crate::{
    manifest::{
        adopted_service as adopted, json as get,
        marks::{self, made_for},
        selectors,
    },
    snapshot::{Objects, SERVICE},
    spec::Validated,
    text::first_chars,
};

/// Sidecars whose ports are not the application's.
const PROXIES: [&str; 2] = ["istio-proxy", "envoy"];
/// Longest name of a Service's port.
pub(super) const PORT_NAME: usize = 63;

/// The container port behind the Canary's port, for pods that declare these ports, and whether it is that of an apex that
/// was taken over.
pub(super) fn target_port(
    c: &Validated,
    declared: &[ContainerPort<'_>],
    theirs: Option<&Value>,
) -> (Value, bool) {
    if adopted::says_target_port(c) {
        return (json!(c.service.target_port), false);
    }
    let theirs = theirs.map(|apex| adopted::target_ports(c, apex)).unwrap_or_default();
    // the apex leads to the primary; its owner may have led it elsewhere together with a release
    let known = theirs.iter().find(|to| declared.iter().any(|port| port.is(to)));
    // containers need not declare a number to listen on it
    match known.or(theirs.last()) {
        Some(theirs) => (theirs.clone(), true),
        None => (json!(c.service.port), false),
    }
}

/// Advice about the Canary's port. Err: pods of the target could not be reached through it.
pub(super) fn resolves(
    c: &Validated,
    declared: &[ContainerPort<'_>],
    theirs: Option<&Value>,
) -> Result<Vec<String>, String> {
    let port = c.service.port;
    if !(1..=65535).contains(&port) {
        return Err(format!("spec.service.port: {port} is not a port number from 1 to 65535"));
    }
    let (wanted, kept) = target_port(c, declared, theirs);
    if declared.iter().any(|port| port.is(&wanted)) {
        return Ok(vec![]);
    }
    let mut field =
        format!("spec.service.targetPort: no container of {} declares port {wanted}", c.names.target);
    if kept {
        field += &format!(", to which Service {} leads its port {port}", c.names.apex);
    }
    if wanted.is_string() { Err(field) } else { Ok(if kept { vec![] } else { vec![field] }) }
}

/// Where the Service in front of the primary leads the Canary's port now. If it was deleted, the apex still leads there.
fn served(c: &Validated, live: &Objects) -> Option<Value> {
    let apex =
        || live.get(SERVICE, &c.names.apex).filter(|apex| made_for(apex, &c.name) || marks::adopted(apex));
    let service = live.get(SERVICE, &c.names.primary_service).or_else(apex)?;
    let all = get::list(&service["spec"]["ports"]);
    let own = json!({"port": c.service.port});
    // after an edit of the port it is the one of that name
    let named = |port: &&Value| port["name"] == *c.port_name();
    let found = all.iter().find(|port| adopted::same(port, &own)).or_else(|| all.iter().find(named))?;
    Some(found["targetPort"].clone()).filter(|to| !to.is_null())
}

/// The port to which the Service in front of the primary leads now, if it would lead to another one in front of pods with
/// this template, which do not declare this one.
pub(crate) fn left_port(c: &Validated, primary: &Value, template: &Value, live: &Objects) -> Option<Value> {
    let next = json!({"spec": {"template": template}});
    let (has, will_have) = (container_ports(primary), container_ports(&next));
    let declares = |ports: &[ContainerPort<'_>], to: &Value| ports.iter().any(|port| port.is(to));
    let theirs = live.get(SERVICE, &c.names.apex).filter(|apex| !made_for(apex, &c.name));
    served(c, live).filter(|served| {
        let then = || in_front_of(c, &will_have, theirs, live, Some(served.clone()));
        declares(&has, served) && !declares(&will_have, served) && then() != *served
    })
}

/// The container port in front of pods that declare these ports and are rolled out, while the Service leads to `served`.
fn in_front_of(
    c: &Validated,
    declared: &[ContainerPort<'_>],
    theirs: Option<&Value>,
    live: &Objects,
    served: Option<Value>,
) -> Value {
    let wanted = target_port(c, declared, theirs).0;
    let has = |to: &Value| declared.iter().any(|port| port.is(to));
    if has(&wanted) {
        return wanted;
    }
    // a promotion that is undone gives the primary its former template
    let service = live.get(SERVICE, &c.names.primary_service);
    let former = || service.into_iter().flat_map(|service| adopted::target_ports(c, service)).find(has);
    served.filter(has).or_else(former).unwrap_or(wanted)
}

/// The ports in front of the primary's pods. While they are being replaced, those that were found stay: pods of the former
/// template serve, perhaps for good.
pub(super) fn of_pods(c: &Validated, primary: &Value, theirs: Option<&Value>, live: &Objects) -> Vec<Value> {
    let declared = container_ports(primary);
    let served = served(c, live);
    let stays = served.clone().filter(|_| !selectors::is_rolled_out(primary));
    let to = stays.unwrap_or_else(|| in_front_of(c, &declared, theirs, live, served));
    let mut list = ports(c, &declared, &to);
    let found = c.service.port_discovery == Some(true) && theirs.is_none();
    let service = live.get(SERVICE, &c.names.primary_service).filter(|_| found);
    if let (Some(service), false) = (service, selectors::is_rolled_out(primary)) {
        list.truncate(1);
        let others =
            |port: &&Value| list.iter().all(|own| own["port"] != port["port"] && own["name"] != port["name"]);
        let mut former: Vec<Value> =
            get::list(&service["spec"]["ports"]).iter().filter(others).cloned().collect();
        for port in former.iter_mut().filter_map(Value::as_object_mut) {
            port.remove("nodePort");
        }
        list.append(&mut former);
    }
    list
}

/// The ports of a Service in front of pods with these container ports, in the API server's own form.
pub(super) fn ports(c: &Validated, declared: &[ContainerPort<'_>], to: &Value) -> Vec<Value> {
    let service = &c.service;
    let mut first = json!({"name": c.port_name(), "protocol": "TCP", "port": service.port, "targetPort": to});
    if let Some(protocol) = service.app_protocol.as_deref().filter(|p| !p.is_empty()) {
        get::set(&mut first, &["appProtocol"], json!(protocol));
    }
    let mut list = vec![first];
    if service.port_discovery == Some(true) {
        for port in declared.iter().filter(|p| p.discoverable && !p.is(to)) {
            discover(&mut list, port);
        }
    }
    list
}

/// Adds a container port, unless its number is taken; a name is generated if it is taken or missing.
fn discover(list: &mut Vec<Value>, port: &ContainerPort) {
    if list.iter().any(|p| p["port"] == port.number) {
        return;
    }
    let taken = port.name.is_empty() || list.iter().any(|p| p["name"] == port.name);
    let name = if taken {
        let index = format!("-{}", port.index);
        let room = PORT_NAME - "tcp-".len() - index.len();
        format!("tcp-{}{index}", first_chars(port.container, room))
    } else {
        port.name.to_owned()
    };
    list.push(json!({"name": name, "protocol": "TCP", "port": port.number, "targetPort": port.number}));
}

pub(super) struct ContainerPort<'a> {
    container: &'a str,
    /// Position among its container's ports.
    index: usize,
    name: &'a str,
    number: i64,
    /// Of an application container, not of an init container or proxy.
    discoverable: bool,
}

impl ContainerPort<'_> {
    /// A `targetPort` means this one.
    pub(super) fn is(&self, to: &Value) -> bool {
        *to == self.number || to.as_str().is_some_and(|name| name == self.name)
    }
}

pub(super) fn container_ports(target: &Value) -> Vec<ContainerPort<'_>> {
    let pod = &target["spec"]["template"]["spec"];
    // A named port can also be that of an init container which keeps running.
    let sidecars = get::list(&pod["initContainers"]).iter().filter(|c| c["restartPolicy"] == "Always");
    let containers =
        get::list(&pod["containers"]).iter().map(|c| (c, true)).chain(sidecars.map(|c| (c, false)));
    let mut found = Vec::new();
    for (container, application) in containers {
        let name = container["name"].as_str().unwrap_or_default();
        for (index, port) in get::list(&container["ports"]).iter().enumerate() {
            found.push(ContainerPort {
                container: name,
                index,
                name: port["name"].as_str().unwrap_or_default(),
                number: port["containerPort"].as_i64().unwrap_or_default(),
                discoverable: application && !PROXIES.contains(&name),
            });
        }
    }
    found
}
