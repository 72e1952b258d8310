//! Hosts and gateways that a Canary claims for its route: whether the operator's settings allow them for its namespace.
//!
//! A host or gateway that is not allowed is in no rendered route, whatever happens to the Canary. If the live route
//! already has it, it stays: a setting alone cuts no users off. If none of those that the Canary names is left, the live
//! route keeps all of its own: without hosts a route of the Gateway API would be for all, and without parents for nobody.

use serde_json::Value;

use crate::{
    config::Rules,
    manifest::{adopted, json as get, made_for},
    pattern,
    router::Router,
    snapshot::Objects,
    spec::{Problem, Validated},
};

/// Host names that belong to the Services of a namespace.
const OWN_SERVICES: [&str; 2] = ["*.{namespace}.svc", "*.{namespace}.svc.cluster.local"];
/// Istio's name for traffic within the mesh. The list of hosts limits which hosts can be claimed there.
const MESH: &str = "mesh";

/// The Canary without anything that is not allowed, and the first such field.
pub(crate) fn bound(
    rules: &Rules,
    live: &Objects,
    c: Validated,
    router: &'static dyn Router,
) -> (Validated, Option<Problem>) {
    let bounds = rules.strict || rules.route_hosts.is_some() || rules.gateways.is_some();
    if !bounds && !rules.no_cross_namespace_refs {
        return (c, None);
    }
    let honoured = |field: &str| router.supported_fields().contains(&field);
    let object = router.route(&c, live).and_then(|at| live.at(&at)).unwrap_or(&Value::Null);
    let ours = made_for(object, &c.name) || adopted(object);
    let mut claims = Claims {
        rules,
        namespace: &c.namespace,
        apex: &c.names.apex,
        route: &object["spec"],
        ours,
        refused: None,
    };
    let (mut service, mut analysis) = (c.service.clone(), c.analysis.clone());
    if honoured("hosts") {
        let gateway = |parent: &Value| parent["kind"].is_null() || parent["kind"] == "Gateway";
        claims.hosts(&mut service.hosts, honoured("gatewayRefs") && service.gateway_refs.iter().any(gateway));
    }
    if honoured("gateways") {
        claims.gateways("spec.service.gateways", &mut service.gateways);
        let lists = [
            ("spec.service.match", &mut service.match_),
            ("spec.analysis.match", &mut analysis.match_),
            ("spec.analysis.always", &mut analysis.always),
            ("spec.analysis.never", &mut analysis.never),
        ];
        for (field, conditions) in lists {
            claims.gateways_of(field, conditions);
        }
    }
    if honoured("gatewayRefs") {
        claims.parents(&mut service.gateway_refs);
    }
    if honoured("mirror") && rules.no_cross_namespace_refs {
        claims.mirrors(&mut service.mirror);
    }
    match claims.refused {
        Some(refused) => (c.with_claims(service, analysis), Some(refused)),
        None => (c, None),
    }
}

struct Claims<'a> {
    rules: &'a Rules,
    namespace: &'a str,
    /// Name of the Service that users know.
    apex: &'a str,
    /// Spec of the live route.
    route: &'a Value,
    /// That was made or taken over for the Canary.
    ours: bool,
    refused: Option<Problem>,
}

impl Claims<'_> {
    fn refuse(&mut self, field: &str, what: &str, flag: &str) {
        let message = format!(
            "{field}: {what} is not for routes of namespace {}: leave it out, or have {flag} of the operator permit it",
            self.namespace
        );
        self.refused.get_or_insert_with(|| Problem::new("ClaimNotAllowed", message));
    }

    /// `open`: no hosts mean all of them.
    fn hosts(&mut self, hosts: &mut Vec<String>, open: bool) {
        let live = [&self.route["hosts"], &self.route["hostnames"]].map(get::list).concat();
        let all = open && !self.may_have_host("*") && !(self.ours && live.is_empty());
        if all && hosts.is_empty() {
            let message = format!(
                "spec.service.hosts: without any the route is for all hosts of its Gateways, which is not for routes of namespace {}: name its hosts, or have --allowed-route-hosts of the operator permit *",
                self.namespace
            );
            self.refused.get_or_insert_with(|| Problem::new("ClaimNotAllowed", message));
        }
        let claimed = all || !hosts.is_empty();
        hosts.retain(|host| {
            let allowed = self.may_have_host(host);
            if !allowed {
                self.refuse("spec.service.hosts", host, "--allowed-route-hosts");
            }
            allowed || live.iter().any(|known| known == host.as_str())
        });
        if claimed && hosts.is_empty() {
            hosts.extend(live.iter().filter_map(Value::as_str).map(str::to_owned));
        }
        if all && hosts.is_empty() {
            // there is no route yet, and none may be for all
            hosts.push(format!("{}.{}.svc", self.apex, self.namespace));
        }
    }

    fn may_have_host(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let fits = |pattern: &str| pattern::fits(pattern, &host, self.namespace);
        // a name without a dot is in the namespace
        let own = !host.contains(['.', '*']) || OWN_SERVICES.iter().any(|own| fits(own));
        let named = |list: &Vec<String>| list.iter().any(|pattern| fits(pattern));
        own || self.rules.route_hosts.as_ref().map_or(!self.rules.strict, named)
    }

    fn gateways(&mut self, field: &str, gateways: &mut Vec<String>) {
        let live = get::list(&self.route["gateways"]).to_vec();
        let claimed = !gateways.is_empty();
        gateways.retain(|gateway| {
            let allowed = self.may_have_gateway(&istio_gateway(gateway, self.namespace));
            if !allowed {
                self.refuse(field, gateway, "--allowed-gateways");
            }
            allowed || live.iter().any(|known| known == gateway.as_str())
        });
        if claimed && gateways.is_empty() {
            gateways.extend(live.iter().filter_map(Value::as_str).map(str::to_owned));
        }
    }

    /// A condition without its gateways would match more requests than before: it gets a gateway of the namespace
    /// instead.
    fn gateways_of(&mut self, field: &str, conditions: &mut [Value]) {
        let rules = ["http", "tcp"].map(|kind| get::list(&self.route[kind])).concat();
        let live: Vec<&Value> = rules.iter().flat_map(|rule| get::list(&rule["match"])).collect();
        for condition in conditions {
            let kept = live.iter().any(|known| known["gateways"] == condition["gateways"]);
            let named = condition.get_mut("gateways").and_then(Value::as_array_mut);
            for gateway in named.into_iter().flatten() {
                let name = istio_gateway(gateway.as_str().unwrap_or_default(), self.namespace);
                if self.may_have_gateway(&name) {
                    continue;
                }
                self.refuse(&format!("{field}[].gateways"), &name, "--allowed-gateways");
                if !kept {
                    let own = name.rsplit('/').next().unwrap_or_default();
                    *gateway = format!("{}/{own}", self.namespace).into();
                }
            }
        }
    }

    fn parents(&mut self, parents: &mut Vec<Value>) {
        let (live, own) = (get::list(&self.route["parentRefs"]).to_vec(), self.namespace);
        let of = |parent: &Value| {
            let namespace = parent["namespace"].as_str().filter(|of| !of.is_empty());
            format!("{}/{}", namespace.unwrap_or(own), parent["name"].as_str().unwrap_or_default())
        };
        let claimed = !parents.is_empty();
        parents.retain(|parent| {
            let name = of(parent);
            let allowed = self.may_have_gateway(&name);
            if !allowed {
                self.refuse("spec.service.gatewayRefs", &name, "--allowed-gateways");
            }
            allowed || live.iter().any(|known| of(known) == name)
        });
        if claimed && parents.is_empty() {
            *parents = live;
        }
    }

    /// Copied requests are not requests of users: removing them cuts no users off.
    fn mirrors(&mut self, mirrors: &mut Vec<Value>) {
        let of = |mirror: &Value| mirror["backendRef"]["namespace"].as_str().unwrap_or_default().to_owned();
        let foreign = |of: &str| !of.is_empty() && of != self.namespace;
        if let Some(other) = mirrors.iter().map(of).find(|of| foreign(of)) {
            let message = format!(
                "spec.service.mirror[].backendRef.namespace names another namespace ({other}), which --no-cross-namespace-refs forbids: name a Service beside the Canary"
            );
            mirrors.retain(|mirror| !foreign(&of(mirror)));
            self.refused.get_or_insert_with(|| Problem::new("CrossNamespace", message));
        }
    }

    /// By `namespace/name`.
    fn may_have_gateway(&self, gateway: &str) -> bool {
        let own = gateway == MESH || gateway.split_once('/').is_some_and(|(of, _)| of == self.namespace);
        let named = |list: &Vec<String>| pattern::any(list, gateway, self.namespace);
        own || self.rules.gateways.as_ref().map_or(!self.rules.strict, named)
    }
}

/// A gateway of a VirtualService as `namespace/name`, from any form that Istio accepts: also `./name`, and
/// `name.namespace` with or without a suffix.
fn istio_gateway(gateway: &str, namespace: &str) -> String {
    match gateway.split_once('/') {
        Some((".", name)) => format!("{namespace}/{name}"),
        Some(_) => gateway.to_owned(),
        None if gateway == MESH => gateway.to_owned(),
        None => match gateway.split_once('.') {
            Some((name, rest)) => format!("{}/{name}", rest.split('.').next().unwrap_or_default()),
            None => format!("{namespace}/{gateway}"),
        },
    }
}

#[cfg(test)]
mod tests;
