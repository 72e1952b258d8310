//! The container port behind the Canary's port. In front of the primary it is that of the template its pods run: an edit of
//! `service.targetPort` that belongs to a release reaches the primary with it.

use serde_json::{Value, json};

use super::{ContainerPort, container_ports, ports};
use crate::{
    manifest::{adopted_service as adopted, json as get, selectors},
    snapshot::{Objects, SERVICE},
    spec::Validated,
};

/// The container port behind the Canary's port, and whether it is that of an apex that was taken over.
pub(super) fn target_port(c: &Validated, theirs: Option<&Value>) -> (Value, bool) {
    let given = json!(c.service.target_port);
    let theirs = theirs.and_then(|apex| adopted::target_port(apex, c.service.port));
    match (&given, theirs) {
        (Value::Number(n), _) if n.as_i64() != Some(0) => (given, false),
        (Value::String(name), _) if !name.is_empty() => (given, false),
        // containers need not declare a number to listen on it
        (_, Some(theirs)) => (theirs, true),
        (_, None) => (json!(c.service.port), false),
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
    let (wanted, kept) = target_port(c, theirs);
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

/// Where the Service in front of the primary leads the Canary's port now.
fn served(c: &Validated, live: &Objects) -> Option<Value> {
    let service = live.get(SERVICE, &c.names.primary_service)?;
    let all = get::list(&service["spec"]["ports"]);
    let own = json!({"port": c.service.port});
    // after an edit of the port it is the one of that name
    let named = |port: &&Value| port["name"] == *c.port_name();
    let found = all.iter().find(|port| adopted::same(port, &own)).or_else(|| all.iter().find(named))?;
    Some(found["targetPort"].clone()).filter(|to| !to.is_null())
}

/// Pods with this template are not reached by the port to which the Service in front of the primary leads now.
pub(crate) fn leads_past(c: &Validated, primary: &Value, template: &Value, live: &Objects) -> bool {
    let next = json!({"spec": {"template": template}});
    let has = |workload: &Value, to: &Value| container_ports(workload).iter().any(|port| port.is(to));
    served(c, live).is_some_and(|served| has(primary, &served) && !has(&next, &served))
}

/// The ports in front of the primary's pods. While they are being replaced, those that were found stay: pods of the former
/// template serve, perhaps for good.
pub(super) fn of_pods(c: &Validated, primary: &Value, theirs: Option<&Value>, live: &Objects) -> Vec<Value> {
    let declared = container_ports(primary);
    let wanted = target_port(c, theirs).0;
    let served = served(c, live).filter(|served| {
        let has = |to: &Value| declared.iter().any(|port| port.is(to));
        !selectors::is_rolled_out(primary) || has(served) && !has(&wanted)
    });
    let mut list = ports(c, &declared, &served.unwrap_or(wanted));
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
