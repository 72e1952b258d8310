//! Hosts and gateways that a Canary claims for its route: whether the operator's settings allow them for its namespace.
//!
//! A host or gateway that is not allowed is in no rendered route, whatever happens to the Canary. If the live route
//! already has it, it stays: a setting alone cuts no users off.

use serde_json::Value;

use crate::{
    config::Rules,
    manifest::json as get,
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
    let route =
        router.route(&c, live).and_then(|at| live.at(&at)).map_or(&Value::Null, |route| &route["spec"]);
    let mut claims = Claims { rules, namespace: &c.namespace, route, refused: None };
    let (mut service, mut analysis) = (c.service.clone(), c.analysis.clone());
    if honoured("hosts") {
        claims.hosts(&mut service.hosts);
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
    /// Spec of the live route.
    route: &'a Value,
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

    fn hosts(&mut self, hosts: &mut Vec<String>) {
        let live = [&self.route["hosts"], &self.route["hostnames"]].map(get::list).concat();
        hosts.retain(|host| {
            let allowed = self.may_have_host(host);
            if !allowed {
                self.refuse("spec.service.hosts", host, "--allowed-route-hosts");
            }
            allowed || live.iter().any(|known| known == host.as_str())
        });
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
        gateways.retain(|gateway| {
            let allowed = self.may_have_gateway(&istio_gateway(gateway, self.namespace));
            if !allowed {
                self.refuse(field, gateway, "--allowed-gateways");
            }
            allowed || live.iter().any(|known| known == gateway.as_str())
        });
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
        parents.retain(|parent| {
            let name = of(parent);
            let allowed = self.may_have_gateway(&name);
            if !allowed {
                self.refuse("spec.service.gatewayRefs", &name, "--allowed-gateways");
            }
            allowed || live.iter().any(|known| of(known) == name)
        });
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{manifest::fixture, router};

    fn rules(hosts: &[&str], gateways: &[&str]) -> Rules {
        let list = |all: &[&str]| Some(all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
        Rules { route_hosts: list(hosts), gateways: list(gateways), ..Rules::default() }
    }

    fn bounded(rules: &Rules, provider: &str, service: &Value) -> (Validated, Option<Problem>) {
        bound(rules, &Objects::default(), fixture::canary(service), router::by_name(provider).unwrap())
    }

    fn refused(rules: &Rules, provider: &str, service: &Value) -> Option<String> {
        let problem = bounded(rules, provider, service).1?;
        assert_eq!(problem.reason, "ClaimNotAllowed");
        Some(problem.message)
    }

    #[test]
    fn f7_hosts_are_those_of_the_namespace_and_those_that_are_allowed() {
        let patterns =
            rules(&["{namespace}.example.com", "*.{namespace}.example.com", "shared.example.com"], &["*"]);
        let strict = Rules { strict: true, ..Rules::default() };
        let of = |rules: &Rules, host: &str| refused(rules, "istio", &json!({"hosts": [host]}));
        for own in ["podinfo", "podinfo.test.svc", "Podinfo.Test.svc.cluster.local."] {
            assert_eq!((of(&patterns, own), of(&strict, own)), (None, None), "{own}");
        }
        for allowed in ["test.example.com", "a.test.example.com", "*.test.example.com", "shared.example.com"]
        {
            assert_eq!(of(&patterns, allowed), None, "{allowed}");
            assert!(of(&strict, allowed).is_some(), "{allowed}");
        }
        for foreign in [
            "*",
            "*.example.com",
            "ads.example.com",
            "pay.ads.svc.cluster.local",
            "x.test.example.com.evil.test",
        ] {
            for rules in [&patterns, &strict] {
                let why = of(rules, foreign).unwrap();
                let words = format!("spec.service.hosts: {foreign} is not for routes of namespace test: ");
                assert!(why.starts_with(&words) && why.contains("--allowed-route-hosts"), "{why}");
            }
            assert_eq!(of(&Rules::default(), foreign), None, "without a flag nothing changes");
        }
    }

    #[test]
    fn f7_gateways_are_those_of_the_namespace_and_those_that_are_allowed() {
        let patterns = rules(&["*"], &["infra/public-{namespace}"]);
        let of = |gateway: &str| refused(&patterns, "istio", &json!({"gateways": [gateway]}));
        for good in [
            "mesh",
            "own",
            "./own",
            "test/own",
            "own.test",
            "infra/public-test",
            "public-test.infra.svc.cluster.local",
        ] {
            assert_eq!(of(good), None, "{good}");
        }
        for bad in [
            "infra/public",
            "istio-system/shared",
            "shared.istio-system.svc.cluster.local",
            "shared.istio-system",
            "*/x",
        ] {
            let why = of(bad).unwrap();
            assert!(
                why.starts_with(&format!("spec.service.gateways: {bad} "))
                    && why.contains("--allowed-gateways"),
                "{why}"
            );
        }
        let parent =
            |namespace: &str| json!({"gatewayRefs": [{"name": "public-test", "namespace": namespace}]});
        assert_eq!(refused(&patterns, "gatewayapi:v1", &parent("infra")), None);
        assert_eq!(refused(&patterns, "gatewayapi:v1", &parent("")), None);
        let why = refused(&patterns, "gatewayapi:v1", &parent("istio-system")).unwrap();
        assert!(why.starts_with("spec.service.gatewayRefs: istio-system/public-test "), "{why}");
    }

    #[test]
    fn f7_conditions_name_no_gateway_that_is_not_allowed() {
        let patterns = rules(&["*"], &[]);
        let service =
            json!({"match": [{"uri": {"prefix": "/"}, "gateways": ["istio-system/shared", "mesh"]}]});
        let (c, problem) = bounded(&patterns, "istio", &service);
        assert!(problem.unwrap().message.starts_with("spec.service.match[].gateways: istio-system/shared "));
        assert_eq!(c.service.match_[0]["gateways"], json!(["test/shared", "mesh"]));
        for field in ["match", "always", "never"] {
            let c = fixture::canary(&json!({}));
            let mut analysis = c.analysis.clone();
            let list = match field {
                "match" => &mut analysis.match_,
                "always" => &mut analysis.always,
                _ => &mut analysis.never,
            };
            *list = vec![json!({"uri": {"prefix": "/"}}), json!({"gateways": ["istio-system/shared"]})];
            let c = c.with_claims(c.service.clone(), analysis);
            let (c, problem) = bound(&patterns, &Objects::default(), c, router::by_name("istio").unwrap());
            let message = problem.unwrap().message;
            assert!(
                message.starts_with(&format!("spec.analysis.{field}[].gateways: istio-system/shared ")),
                "{message}"
            );
            let list = [&c.analysis.match_, &c.analysis.always, &c.analysis.never]
                .into_iter()
                .find(|list| !list.is_empty());
            assert_eq!(
                *list.unwrap(),
                [json!({"uri": {"prefix": "/"}}), json!({"gateways": ["test/shared"]})]
            );
        }
    }

    #[test]
    fn f7_copies_go_to_no_other_namespace_where_references_must_not_cross() {
        let closed = Rules { no_cross_namespace_refs: true, ..Rules::default() };
        let mirror =
            |namespace: &str| json!({"backendRef": {"name": "copies", "namespace": namespace, "port": 80}});
        let service = json!({"mirror": [mirror("test"), mirror("ads"), mirror("")]});
        let (c, problem) = bounded(&closed, "gatewayapi:v1", &service);
        assert_eq!(problem.map(|problem| problem.reason), Some("CrossNamespace"));
        assert_eq!(c.service.mirror, [mirror("test"), mirror("")]);
        assert_eq!(bounded(&Rules { strict: true, ..Rules::default() }, "gatewayapi:v1", &service).1, None);
        assert_eq!(bounded(&closed, "gatewayapi:v1", &json!({"mirror": [mirror("test")]})).1, None);
    }

    #[test]
    fn f7_no_router_renders_what_is_refused_and_the_live_route_keeps_what_it_has() {
        let strict = Rules { strict: true, ..Rules::default() };
        let service = json!({
            "hosts": ["old.example.com", "new.example.com", "podinfo"],
            "gateways": ["infra/old", "infra/new"],
            "gatewayRefs": [{"name": "old", "namespace": "infra"}, {"name": "new", "namespace": "infra"}],
        });
        for router in router::all() {
            let mut c = fixture::canary(&service);
            c.provider = router.name().to_owned();
            let mut live = Objects::default();
            if let Some(at) = router.route(&c, &live) {
                let spec = json!({
                    "hosts": ["old.example.com"], "hostnames": ["old.example.com"], "gateways": ["infra/old"],
                    "parentRefs": [{"name": "old", "namespace": "infra"}],
                });
                live.insert(at.kind, json!({"metadata": {"name": at.name}, "spec": spec}));
            }
            let (c, problem) = bound(&strict, &live, c, *router);
            let honoured = |field: &str| router.supported_fields().contains(&field);
            assert_eq!(
                problem.is_some(),
                ["hosts", "gateways", "gatewayRefs"].into_iter().any(honoured),
                "{}",
                router.name()
            );
            let said = |left: &[&str], given: Vec<String>| assert_eq!(given, left, "{}", router.name());
            if honoured("hosts") {
                said(&["old.example.com", "podinfo"], c.service.hosts.clone());
            }
            if honoured("gateways") {
                said(&["infra/old"], c.service.gateways.clone());
            }
            if honoured("gatewayRefs") {
                let names = c.service.gateway_refs.iter().map(|of| of["name"].as_str().unwrap().to_owned());
                said(&["old"], names.collect());
            }
        }
    }
}
