//! PURE. Hosts of VirtualServices: istiod merges the rules for one host by the age of the VirtualServices, so a
//! rule of one may take requests of another.

use serde_json::Value;

use super::{istio_conditions::MESH, takeover::Request};
use crate::{api::CanaryService, manifest::json as get};

/// Conditions of http rules, as requests.
pub(super) fn requests(conditions: &[Value]) -> Vec<Request> {
    let ways = [("prefix", "prefix"), ("exact", "exact"), ("regex", "regex")];
    let one = |entry: &Value| Request::of(entry, &entry["uri"], &ways).without(&["uri", "gateways", "name"]);
    conditions.iter().map(one).collect()
}

/// The requests of `theirs` that `ours` serves, at a host and a gateway of both.
pub(super) fn shadowed(ours: &CanaryService, theirs: &CanaryService) -> Option<String> {
    let host = ours.hosts.iter().find(|host| theirs.hosts.contains(host))?;
    let mesh = [MESH.to_owned()];
    let gateways = |service: &CanaryService| {
        if service.gateways.is_empty() { mesh.to_vec() } else { service.gateways.clone() }
    };
    let theirs_too = gateways(theirs);
    gateways(ours).into_iter().find(|gateway| theirs_too.contains(gateway))?;
    let all = |service: &CanaryService| {
        let named = requests(&service.match_);
        if named.is_empty() { vec![Request::default()] } else { named }
    };
    let (ours, theirs) = (all(ours), all(theirs));
    let taken = theirs.iter().find(|theirs| ours.iter().any(|ours| ours.covers(theirs)))?;
    Some(format!("spec.service.match takes in {} of host {host}", taken.said()))
}

/// Conditions of one http rule.
pub(super) fn of_rule(rule: &Value) -> Vec<Request> {
    requests(get::list(&rule["match"]))
}
