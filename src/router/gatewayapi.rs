//! Gateway API: an HTTPRoute `<apex>` that splits by weight, in either served version.
//!
//! Owns parents, host names and rules; other fields stay. The rules, in order: the requests of always and never;
//! requests with a session cookie; the requests that the Canary matches; all others. Each of them is there at rest as
//! well, since proxies may have clusters for the number of a rule. Every field that the API server fills in is
//! written out, so that the live object equals the written one. A weight counts once each Gateway that answers has
//! accepted it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    always_never, cookie, gateway_parents, gateway_status,
    httproute::{
        SHAPE, backend, cors, filters, inexpressible, mirror, origins, replaces_prefix, request, service,
        set_cookie, shares, whole_units,
    },
    precedence::Sorting,
    queries::{Builtin, builtin},
    route::{self, Place, Shares, Side, narrowed},
    split::Split,
    traits::{Cookies, Handover, Router, RouterError},
};
use crate::{
    manifest::{Manifest, Undo, json as get},
    snapshot::{Kind, ObjectRef, Objects},
    spec::Validated,
};

const GROUP: &str = "gateway.networking.k8s.io";
const OWNED: &[&str] = &["/spec/parentRefs", "/spec/hostnames", "/spec/rules"];

const fn http_route(version: &'static str) -> Kind {
    Kind { group: GROUP, version, kind: "HTTPRoute", plural: "httproutes" }
}

/// Measured by the pods themselves, because Gateways have no common metrics.
pub(super) const QUERIES: Builtin = Builtin {
    needs: "the application itself has to count its requests, as no proxy of the Gateway API has to, and Prometheus has to scrape its pods",
    unseen: "its pods do not answer, which the application cannot count",
    ..builtin!(
            r#"kubernetes_namespace="{{ namespace }}",kubernetes_pod_name=~"{{ pod }}",kubernetes_pod_name!~"{{ other pod }}""#,
            "http_request_duration_seconds_count" if r#"status!~"5.*""#,
            p99 "http_request_duration_seconds_bucket" " * 1000"
    )
};

/// A longer path comes first, then a method, then this.
const SORTING: Sorting = Sorting { of: "an HTTPRoute", keeps_order: true };

/// The router, for one version of the API.
pub(super) struct GatewayApi {
    name: &'static str,
    pub(super) kinds: &'static [Kind],
    honours: &'static [&'static str],
}

/// `gatewayapi:v1`.
pub(super) const V1: GatewayApi = GatewayApi {
    name: "gatewayapi:v1",
    kinds: &[http_route("v1")],
    honours: &[
        "gatewayRefs",
        "hosts",
        "match",
        "rewrite",
        "headers",
        "mirror",
        "timeout",
        "backendTimeout",
        "corsPolicy",
    ],
};

/// `gatewayapi:v1beta1`: without later additions.
pub(super) const V1BETA1: GatewayApi = GatewayApi {
    name: "gatewayapi:v1beta1",
    kinds: &[http_route("v1beta1")],
    honours: &["gatewayRefs", "hosts", "match", "rewrite", "headers", "mirror"],
};

impl Router for GatewayApi {
    fn name(&self) -> &'static str {
        self.name
    }

    fn kinds(&self) -> &'static [Kind] {
        self.kinds
    }

    fn settle(&self) -> Duration {
        Duration::from_secs(3)
    }

    fn supported_fields(&self) -> &'static [&'static str] {
        self.honours
    }

    fn unsupported(&self, c: &Validated) -> Vec<String> {
        let mut refused = Vec::new();
        if c.service.gateway_refs.is_empty() {
            refused.push(
                "spec.service.gatewayRefs: name at least one Gateway that the route attaches to".into(),
            );
        }
        for (path, list) in
            [("spec.service.match", &c.service.match_), ("spec.analysis.match", &c.analysis.match_)]
        {
            for (index, entry) in list.iter().enumerate() {
                refused.extend(inexpressible(entry).map(|field| format!("{path}[{index}].{field}")));
            }
        }
        for (path, entry) in always_never::entries(c) {
            refused.extend(inexpressible(entry).map(|field| format!("{path}.{field}")));
        }
        refused.extend(always_never::problems(c));
        refused.extend(SORTING.problems(c, &|entry| narrowed(c, std::slice::from_ref(entry))));
        if self.is_v1() {
            refused.extend(origins(c).1);
        }
        let elsewhere =
            |entry: &Value| entry["uri"]["exact"].is_string() || entry["uri"]["regex"].is_string();
        if replaces_prefix(c) && c.service.match_.iter().any(elsewhere) {
            refused.push(
                "spec.service.rewrite.type: ReplacePrefixMatch needs a uri.prefix, or none, in each entry of spec.service.match"
                    .into(),
            );
        }
        let all = "an HTTPRoute copies all requests: leave it out";
        refused.extend(route::cannot(c, &["mirrorWeight"], all));
        if !c.analysis.match_.is_empty() {
            let both = "cannot be had together with spec.analysis.match on an HTTPRoute";
            refused.extend(route::cannot(c, &["sessionAffinity"], both));
        }
        let affinity = c.analysis.session_affinity.as_ref();
        if !self.is_v1()
            && affinity.and_then(|a| a.primary_cookie_name.as_deref()).is_some_and(|n| !n.is_empty())
        {
            refused.push(
                "spec.analysis.sessionAffinity.primaryCookieName: gatewayapi:v1beta1 has the canary's cookie only: leave it out or set spec.provider to gatewayapi:v1"
                    .into(),
            );
        }
        refused
    }

    fn not_programmed(&self, c: &Validated, live: &Objects) -> Option<String> {
        gateway_status::unfollowed(c, live.at(&self.place(c).at())?)
    }

    fn advice(&self, c: &Validated, live: &Objects) -> Vec<String> {
        let route = live.at(&self.place(c).at());
        let mut advice = route.map_or_else(Vec::new, |route| gateway_status::untold(c, route));
        advice.extend(gateway_status::of_every_port(c, live));
        advice.extend(self.nameless(c, live));
        advice
    }

    fn takeover_conflict(&self, c: &Validated, theirs: &Value) -> Option<String> {
        let parents = get::list(&theirs["spec"]["parentRefs"]);
        if let Some(changed) = gateway_parents::changed(c, parents) {
            return Some(changed);
        }
        let hosts = &theirs["spec"]["hostnames"];
        if get::list(hosts).is_empty() && !c.service.hosts.is_empty() {
            return Some("it is for all hosts of its Gateways: leave spec.service.hosts empty".to_owned());
        }
        let all = json!([backend(c, &c.names.primary_service, 100)]);
        let ours = spec(c, &self.rules(c, &c.service.match_, &all, false));
        let lost = || SHAPE.lost(c, &theirs["spec"], &ours);
        let lost = || lost().map(|lost| format!("{lost}: set spec.service.name to a free name"));
        let widened = || SHAPE.widened(&theirs["spec"], &ours);
        let widened = || widened().map(|more| format!("{more}: say the same in spec.service.match"));
        route::unnamed_host(hosts, &c.service.hosts).or_else(lost).or_else(widened)
    }

    fn needs_handover(&self) -> Option<Handover> {
        Some(Handover { rules: "rules", destinations: "backendRefs", numbered: Some("matches") })
    }

    fn reads(&self, c: &Validated) -> Vec<ObjectRef> {
        vec![self.place(c).at()]
    }

    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError> {
        let object = self.place(c).at();
        let Some(live) = live.at(&object) else {
            return Err(RouterError::NotFound(object));
        };
        let rules = get::list(&live["spec"]["rules"]);
        let all: Vec<Shares> = rules.iter().map(|rule| shares(c, rule)).collect();
        let copies = |rule: &Value| get::list(&rule["filters"]).iter().any(|f| is_our_mirror(c, f));
        let want = self.pins(c, Split::default().pinning(true), &Value::Null);
        let sides = |shares: &Shares| -> Vec<Side> { shares.iter().filter_map(|(side, _)| *side).collect() };
        let apart = want.iter().zip(&all).all(|(want, live)| sides(&shares(c, want)) == sides(live));
        let pinned = apart && always_never::in_force(rules, &want, "matches");
        route::split(c, object, &all, rules.iter().any(copies)).map(|split| split.pinning(pinned))
    }

    fn render(
        &self,
        c: &Validated,
        live: &Objects,
        want: Split,
        cookies: &Cookies,
    ) -> Result<Vec<Manifest>, RouterError> {
        let mut sides = json!([
            backend(c, &c.names.primary_service, want.primary()),
            backend(c, &c.names.canary_service, want.canary()),
        ]);
        let sticky = self.sticky(c, want, cookies, &mut sides);
        let mut rules = self.pins(c, want, &sides);
        rules.extend(sticky);
        let named = !c.analysis.match_.is_empty();
        if named {
            rules.extend(self.rules(c, &narrowed(c, &c.analysis.match_), &sides, want.mirrored()));
        }
        let everyone = !named || want.is_for_everyone();
        let rest = if everyone { sides } else { json!([backend(c, &c.names.primary_service, 100)]) };
        rules.extend(self.rules(c, &c.service.match_, &rest, everyone && want.mirrored()));
        Ok(vec![self.place(c).manifest(c, live, &spec(c, &rules), &|_| self.plain(c))])
    }

    fn restore(&self, c: &Validated, live: &Objects) -> Vec<Undo> {
        let back = self.place(c).given_back(c, live, &|_| self.plain(c));
        back.map(Undo::Restore).into_iter().collect()
    }

    fn queries(&self) -> &'static Builtin {
        &QUERIES
    }
}

impl GatewayApi {
    fn is_v1(&self) -> bool {
        self.kinds[0].version == "v1"
    }

    fn place<'a>(&self, c: &'a Validated) -> Place<'a> {
        Place { kind: self.kinds[0], name: &c.names.apex, owned: OWNED, shape: Some(&SHAPE) }
    }

    /// Leads to the apex.
    fn plain(&self, c: &Validated) -> Value {
        let all = json!([backend(c, &c.names.apex, 100)]);
        spec(c, &self.rules(c, &c.service.match_, &all, false))
    }

    /// The rules for some requests only, which do not have the name of the rule that was taken over: names are unique.
    fn nameless(&self, c: &Validated, live: &Objects) -> Option<String> {
        let theirs = self.place(c).theirs(c, live)?;
        let name = *SHAPE.names(&theirs).first()?;
        let asked = ["match", "always", "never", "sessionAffinity"];
        let said = route::cannot(c, &asked, "");
        let fields: Vec<&str> = said.iter().filter_map(|text| text.split(": ").next()).collect();
        (!fields.is_empty()).then(|| {
            format!(
                "policies that name the rule {name} of HTTPRoute {} do not apply to the rules for the requests of {}: attach them to the HTTPRoute as a whole",
                c.names.apex,
                fields.join(", ")
            )
        })
    }

    /// One rule for all conditions; one for each if the matched part of the path is replaced, as the API requires.
    fn rules(&self, c: &Validated, conditions: &[Value], backends: &Value, mirrored: bool) -> Vec<Value> {
        let mut matches: Vec<Value> = conditions.iter().map(request).collect();
        if matches.is_empty() {
            matches.push(request(&json!({})));
        }
        let at_once = if replaces_prefix(c) { 1 } else { matches.len() };
        matches.chunks(at_once).map(|some| self.rule(c, some, backends, mirrored)).collect()
    }

    fn rule(&self, c: &Validated, matches: &[Value], backends: &Value, mirrored: bool) -> Value {
        let timeouts = route::given([
            ("request", json!(c.service.timeout.as_deref().map(whole_units))),
            ("backendRequest", json!(c.service.backend_timeout.as_deref().map(whole_units))),
        ]);
        let mut filters = filters(c);
        if self.is_v1() {
            filters.extend(cors(c));
        }
        if mirrored {
            filters.push(mirror(&service(c, &c.names.canary_service)));
        }
        route::given([
            ("matches", json!(matches)),
            ("filters", json!(filters)),
            ("backendRefs", backends.clone()),
            ("timeouts", if self.is_v1() { timeouts } else { Value::Null }),
        ])
    }

    /// Rules for the requests of always and never, which go to `sides`, like all others, unless they are pinned.
    fn pins(&self, c: &Validated, want: Split, sides: &Value) -> Vec<Value> {
        let rules = |(list, side): (&[Value], Side)| {
            let own = json!([backend(c, always_never::service(c, side), 100)]);
            let to = if want.is_pinned() { &own } else { sides };
            self.rules(c, &narrowed(c, list), to, !want.is_pinned() && want.mirrored())
        };
        always_never::lists(c, want.pinning(true)).into_iter().flat_map(rules).collect()
    }

    /// Rules for requests with a session cookie, one for each name; `sides` are extended to issue them. Once nothing
    /// goes to the canary any more, the cookie of the previous run is withdrawn. A rule without a cookie is for nobody.
    fn sticky(&self, c: &Validated, want: Split, cookies: &Cookies, sides: &mut Value) -> Vec<Value> {
        let Some(affinity) = &c.analysis.session_affinity else { return vec![] };
        let having = |cookie: &Option<String>, name: &str, to: &Value| {
            let cookie = cookie.clone().unwrap_or_else(|| cookie::of_nobody(name));
            let header = json!({"headers": {"cookie": {"regex": cookie::pattern(&cookie)}}});
            self.rules(c, &narrowed(c, &[header]), to, false)
        };
        let primary_name = affinity.primary_cookie_name.as_ref().filter(|name| !name.is_empty());
        if want.canary() == 0 {
            let mut back = sides.clone();
            if let Some(previous) = &cookies.previous {
                let expired = set_cookie(&cookie::expire(affinity, previous));
                back.as_array_mut()
                    .into_iter()
                    .flatten()
                    .for_each(|side| get::set(side, &["filters"], expired.clone()));
            }
            let back = having(&cookies.previous, &affinity.cookie_name, &back);
            let none = primary_name.map(|name| having(&None, name, sides));
            return [back, none.unwrap_or_default()].concat();
        }
        let of_canary = cookies.canary.as_ref();
        let of_primary = cookies.primary.as_ref().filter(|_| primary_name.is_some());
        let issued = [
            of_primary.map(|cookie| cookie::set_for_primary(c, affinity, cookie)),
            of_canary.map(|cookie| cookie::set_for_canary(affinity, cookie)),
        ];
        for (side, text) in issued.iter().enumerate() {
            let Some(text) = text else { continue };
            get::set(&mut sides[side], &["filters"], set_cookie(text));
        }
        let to = |cookie: Option<&String>, service: &str| {
            cookie.map_or_else(|| sides.clone(), |_| json!([backend(c, service, 100)]))
        };
        let own = having(&cookies.canary, &affinity.cookie_name, &to(of_canary, &c.names.canary_service));
        let primary = to(of_primary, &c.names.primary_service);
        let primary = primary_name.map(|name| having(&cookies.primary, name, &primary));
        [own, primary.unwrap_or_default()].concat()
    }
}

fn spec(c: &Validated, rules: &[Value]) -> Value {
    let parent = |given: &Value| {
        let mut parent = json!({"group": GROUP, "kind": "Gateway"});
        for (key, value) in given.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            get::set(&mut parent, &[key], value.clone());
        }
        parent
    };
    let parents: Vec<Value> = c.service.gateway_refs.iter().map(parent).collect();
    route::given([
        ("parentRefs", json!(parents)),
        ("hostnames", json!(c.service.hosts)),
        ("rules", json!(rules)),
    ])
}

fn is_our_mirror(c: &Validated, filter: &Value) -> bool {
    filter["requestMirror"]["backendRef"]["name"] == c.names.canary_service.as_str()
}
