//! PURE. Hosts of VirtualServices and DestinationRules. istiod merges the rules for one host by the age of the
//! VirtualServices, so a rule of one may take requests of another. Of DestinationRules only the one with the most exact
//! host counts.

use serde_json::Value;

use super::{bystanders, istio_conditions::MESH, takeover::Request};
use crate::{api::CanaryService, manifest::json as get, names, spec::Validated};

/// The hosts of the VirtualService.
pub(super) fn of(c: &Validated) -> Vec<String> {
    let mut hosts = c.service.hosts.clone();
    if !hosts.iter().any(|host| *host == c.names.apex || host == "*") {
        hosts.push(c.names.apex.clone());
    }
    hosts
}

/// Conditions of http rules, as requests.
pub(super) fn requests(conditions: &[Value]) -> Vec<Request> {
    let ways = [("prefix", "prefix"), ("exact", "exact"), ("regex", "regex")];
    let one = |entry: &Value| {
        Request::of(entry, &entry["uri"], &ways).without(&["uri", "gateways", "name", "statPrefix"])
    };
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

/// The hosts that a DestinationRule for the apex may have: its own, and each wildcard above it.
pub(super) fn covering_apex(c: &Validated) -> Vec<String> {
    let own = bystanders::in_full(&c.names.apex, &c.namespace);
    let above: Vec<String> = own.match_indices('.').map(|(dot, _)| format!("*{}", &own[dot..])).collect();
    [own].into_iter().chain(above).chain(["*".to_owned()]).collect()
}

/// Somebody else's DestinationRule for the apex has a policy, which no longer applies: requests go to the sides, whose
/// own rules are more exact.
pub(super) fn unused_policy(c: &Validated, rule: &Value) -> Option<String> {
    let ours = get::label(rule, names::LABEL_CANARY).is_some();
    if ours || rule["spec"]["trafficPolicy"].is_null() || c.service.traffic_policy.is_some() {
        return None;
    }
    let host = bystanders::of_destination_rule(rule).filter(|host| covering_apex(c).contains(host))?;
    Some(format!(
        "the trafficPolicy of {} for {host} does not apply to this Canary: its requests go to {} and {}, which have DestinationRules of their own. Put the policy in spec.service.trafficPolicy",
        bystanders::name(rule),
        c.names.primary_service,
        c.names.canary_service
    ))
}
