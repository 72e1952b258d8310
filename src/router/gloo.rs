//! Gloo Edge: a RouteTable `<apex>` that splits by weight between two Upstreams. The user's VirtualService delegates to it.
//!
//! Owns the routes of the table, and of the Upstreams the Service and the settings from the Upstream in
//! `upstreamRef`; other fields stay. The routes, in order: the requests of always and never, or those
//! that the Canary matches; all others.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    always_never, bystanders,
    gloo_services::{self, UPSTREAM_GROUP, VIRTUAL_SERVICE},
    gloo_upstreams::{self as upstreams, State, UPSTREAM, of_any_port, state},
    queries::{Builtin, UNANSWERED, builtin},
    route::{self, Place, Shares, Side},
    split::Split,
    takeover::{Request, Shape},
    traits::{Cookies, Router, RouterError, Unaccepted, is_host_of},
};
use crate::{
    manifest::{Manifest, Undo, json as get, made_for},
    snapshot::{Kind, ObjectRef, Objects},
    spec::Validated,
};

const ROUTE_TABLE: Kind =
    Kind { group: "gateway.solo.io", version: "v1", kind: "RouteTable", plural: "routetables" };

const OWNED_TABLE: &[&str] = &["/spec/routes"];
const QUERIES: Builtin = Builtin {
    needs: "Prometheus has to scrape Gloo's Envoys at /metrics, with the statistics of clusters in them",
    unseen: UNANSWERED,
    ..builtin!(
            r#"envoy_cluster_name=~"{{ namespace }}-{{ side }}upstream-[0-9a-zA-Z-]+_{{ namespace }}""#,
            "envoy_cluster_upstream_rq" if r#"envoy_response_code!~"5.*""#,
            p99 "envoy_cluster_upstream_rq_time_bucket" ""
    )
};

const SHAPE: Shape = Shape {
    rules: "/routes",
    destinations: "/routeAction/multi/destinations",
    all: |route| {
        let action = &route["routeAction"];
        let single = action["single"].as_object().map(|_| json!({"destination": action["single"]}));
        get::list(&action["multi"]["destinations"]).iter().cloned().chain(single).collect()
    },
    leading: Some(&["matchers", "routeAction", "inheritablePathMatchers"]),
    destination: &["destination", "weight"],
    elsewhere,
    requests: |route| {
        let ways = [("prefix", "prefix"), ("exact", "exact"), ("regex", "regex")];
        let one = |entry: &Value| Request::of(entry, entry, &ways).without(&["prefix", "exact", "regex"]);
        get::list(&route["matchers"]).iter().map(one).collect()
    },
};

/// Where a destination points, unless it is the whole of a Service or an Upstream of the Canary.
fn elsewhere(c: &Validated, to: &Value) -> Option<String> {
    let to = &to["destination"];
    let name = |at: &Value| at["name"].as_str().unwrap_or_default().to_owned();
    let known = |key: &String| ["kube", "upstream"].contains(&key.as_str());
    let said = |(key, value): (&String, &Value)| (!known(key) && !value.is_null()).then(|| key.clone());
    if let Some(member) = to.as_object().into_iter().flatten().find_map(said) {
        return Some(format!("a destination with {member}, which a route of Serin does not have"));
    }
    let foreign = |at: &Value| {
        let namespace = at["namespace"].as_str().filter(|at| !at.is_empty() && *at != c.namespace);
        namespace.map(|namespace| format!("{} of namespace {namespace}", name(at)))
    };
    if to["kube"].is_object() {
        let (at, service) = (&to["kube"]["ref"], name(&to["kube"]["ref"]));
        let other = foreign(at).or_else(|| route::ours(c, &service));
        return other.or_else(|| route::port(c, &service, &to["kube"]["port"]));
    }
    let upstream = name(&to["upstream"]);
    if upstream == upstreams::discovered(c) {
        return None;
    }
    let known = [Side::Primary, Side::Canary].map(|side| upstreams::name(c, side)).contains(&upstream);
    let other = || if upstream.is_empty() { to.to_string() } else { upstream.clone() };
    foreign(&to["upstream"]).or_else(|| (!known).then(other))
}

/// The router.
pub(super) struct Gloo;

impl Router for Gloo {
    fn name(&self) -> &'static str {
        "gloo"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[ROUTE_TABLE, UPSTREAM]
    }

    fn bystanders(&self) -> &'static [Kind] {
        &[ROUTE_TABLE, VIRTUAL_SERVICE, UPSTREAM_GROUP]
    }

    fn wanted_bystanders(&self, c: &Validated, _live: &Objects) -> Option<Vec<String>> {
        Some(vec![format!("{}.{}", c.names.apex, c.namespace)])
    }

    fn touches(&self, c: &Validated, _live: &Objects, other: &Value) -> Option<String> {
        let (apex, at) = (&c.names.apex, &other["metadata"]);
        let own =
            other["kind"] == ROUTE_TABLE.kind && at["name"] == **apex && at["namespace"] == *c.namespace;
        let direct = gloo_services::direct(other).contains(&format!("{apex}.{}", c.namespace));
        (direct && !own).then(|| {
            format!(
                "{} leads to Service {apex} directly, which has no pods for Gloo for some seconds when this Canary takes it over or is deleted: {}",
                bystanders::name(other),
                gloo_services::remedy(other, apex)
            )
        })
    }

    fn settle(&self) -> Duration {
        Duration::from_secs(5)
    }

    // once a second it sends Envoy all that has changed, and Envoy may apply the routes before the endpoints
    fn late_endpoints(&self) -> Duration {
        Duration::from_secs(2)
    }

    fn unsupported(&self, c: &Validated) -> Vec<String> {
        let mut refused = route::cannot(
            c,
            &["mirror", "sessionAffinity"],
            "a RouteTable of Gloo is not made with it: leave it out",
        );
        for (index, entry) in c.analysis.match_.iter().enumerate() {
            refused.extend(unmatched(entry).map(|text| format!("spec.analysis.match[{index}].{text}")));
        }
        for (path, entry) in always_never::entries(c) {
            refused.extend(unmatched(entry).map(|text| format!("{path}.{text}")));
        }
        refused.extend(always_never::problems(c));
        let namespace = c.spec.upstream_ref.as_ref().and_then(|u| u.namespace.as_deref()).unwrap_or_default();
        if !namespace.is_empty() && namespace != c.namespace {
            refused.push(format!(
                "spec.upstreamRef.namespace: only Upstreams of the Canary's own namespace are read: leave it out and name one of {}",
                c.namespace
            ));
        }
        refused
    }

    fn not_accepted(&self, c: &Validated, live: &Objects) -> Option<Unaccepted> {
        let led = upstreams::both(c);
        let states = || led.iter().filter_map(|at| Some((at, state(live.at(at)?))));
        // a rejected one is awaited without limit, one without a status is not
        let rejected = states().find_map(|(at, state)| match state {
            State::Rejected(why) => Some(Unaccepted::Rejected(format!("Gloo rejects {at}: {why}"))),
            State::Taken | State::Unseen => None,
        });
        rejected.or_else(|| {
            let (at, _) = states().find(|(_, state)| matches!(state, State::Unseen))?;
            Some(Unaccepted::Unseen(format!(
                "Gloo has not accepted {at} yet: look whether it watches the namespace {}",
                c.namespace
            )))
        })
    }

    fn advice(&self, c: &Validated, live: &Objects) -> Vec<String> {
        let unseen = |at: &ObjectRef| live.at(at).is_some_and(|it| matches!(state(it), State::Unseen));
        let why =
            "whether it has taken in a change cannot be determined, so set spec.settleTime to what it needs";
        let silent = upstreams::both(c).into_iter().find(|at| self.read_back(c, live).is_ok() && unseen(at));
        let silent = silent.map(|at| format!("Gloo writes no status to {at}: {why}"));
        silent.into_iter().chain(unread_settings(c, live)).collect()
    }

    fn not_programmed(&self, c: &Validated, live: &Objects) -> Option<String> {
        self.reads(c).iter().find_map(|at| match state(live.at(at)?) {
            State::Rejected(why) => Some(format!("Gloo rejects {at}: {why}")),
            State::Taken | State::Unseen => None,
        })
    }

    fn sources(&self, c: &Validated) -> Vec<ObjectRef> {
        let user = c.spec.upstream_ref.iter().filter(|user| !user.name.is_empty());
        user.map(|user| ObjectRef::new(UPSTREAM, user.name.clone())).collect()
    }

    fn reads(&self, c: &Validated) -> Vec<ObjectRef> {
        [place(c).at()].into_iter().chain(upstreams::both(c)).collect()
    }

    fn read_by_mark(&self) -> &'static [Kind] {
        &[UPSTREAM]
    }

    fn leftovers(&self, c: &Validated, live: &Objects) -> Vec<Undo> {
        let Some(table) = live.at(&place(c).at()) else { return vec![] };
        let mut led = Vec::new();
        for to in get::list(&table["spec"]["routes"]).iter().flat_map(SHAPE.all) {
            led.push(to["destination"]["upstream"]["name"].clone());
        }
        let mut former = upstreams::of_former_ports(c, live);
        former.retain(|at| !led.iter().any(|name| *name == at.name.as_str()));
        former.into_iter().map(Undo::Delete).collect()
    }

    fn takeover_conflict(&self, c: &Validated, theirs: &Value) -> Option<String> {
        let ours = json!({"routes": [rule(&[], &[])]});
        let free = "set spec.service.name to a free name, and delegate to RouteTable of that name";
        if let Some(lost) = SHAPE.lost(c, &theirs["spec"], &ours) {
            return Some(format!("{lost}: {free}"));
        }
        let widened = SHAPE.widened(&theirs["spec"], &ours)?;
        Some(format!(
            "{widened}: let what delegates to it match that, and have inheritablePathMatchers: true here without matchers; or {free}"
        ))
    }

    fn leads_to(&self, c: &Validated, service: &str, text: &str) -> bool {
        let of_side = route::side(c, service).map(|side| of_any_port(c, side));
        // the second form is the name that Gloo gives to discovered Upstreams
        let upstreams = of_side.into_iter().chain([format!("{}-{service}-", c.namespace)]);
        let is = |prefix: String| text.strip_prefix(&prefix).is_some_and(|port| port.parse::<u16>().is_ok());
        is_host_of(service, text) || upstreams.into_iter().any(is)
    }

    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError> {
        let object = place(c).at();
        let Some(live) = live.at(&object) else {
            return Err(RouterError::NotFound(object));
        };
        let rules = get::list(&live["spec"]["routes"]);
        let shares: Vec<Shares> = rules.iter().map(|rule| shares(c, rule)).collect();
        let pinned = always_never::in_force(rules, &pinned(c, Split::default().pinning(true)), "matchers");
        route::split(c, object, &shares, false).map(|split| split.pinning(pinned))
    }

    fn render(
        &self,
        c: &Validated,
        live: &Objects,
        want: Split,
        _cookies: &Cookies,
    ) -> Result<Vec<Manifest>, RouterError> {
        let mut all = Vec::new();
        for side in [Side::Primary, Side::Canary] {
            all.push(upstreams::of_side(c, live, side, self.sources(c).first())?);
        }
        let sides =
            [to_upstream(c, Side::Primary, want.primary()), to_upstream(c, Side::Canary, want.canary())];
        let routes = if c.analysis.match_.is_empty() || want.is_for_everyone() {
            let mut all = pinned(c, want);
            all.push(rule(&[], &sides));
            all
        } else {
            let matchers: Vec<Value> = c.analysis.match_.iter().map(matcher).collect();
            vec![rule(&matchers, &sides), rule(&[], &[to_upstream(c, Side::Primary, 100)])]
        };
        all.push(place(c).manifest(c, live, &json!({"routes": routes}), &|_| plain(c)));
        Ok(all)
    }

    fn restore(&self, c: &Validated, live: &Objects) -> Vec<Undo> {
        let back = place(c).given_back(c, live, &|_| plain(c));
        let mut undo: Vec<Undo> = back.map(Undo::Restore).into_iter().collect();
        for at in upstreams::both(c).into_iter().chain(upstreams::of_former_ports(c, live)) {
            if live.at(&at).is_some_and(|upstream| made_for(upstream, &c.name)) {
                undo.push(Undo::Delete(at));
            }
        }
        undo
    }

    fn queries(&self) -> &'static Builtin {
        &QUERIES
    }
}

fn place(c: &Validated) -> Place<'_> {
    Place { kind: ROUTE_TABLE, name: &c.names.apex, owned: OWNED_TABLE, shape: Some(&SHAPE) }
}

/// Leads to the apex.
fn plain(c: &Validated) -> Value {
    let apex = json!({"ref": {"name": c.names.apex, "namespace": c.namespace}, "port": c.service.port});
    json!({"routes": [rule(&[], &[json!({"destination": {"kube": apex}, "weight": 100})])]})
}

/// The table led to the Upstream that Gloo makes of the apex Service, whose settings are not known here.
fn unread_settings(c: &Validated, live: &Objects) -> Option<String> {
    let (theirs, found) = (place(c).theirs(c, live)?, upstreams::discovered(c));
    let named = get::list(&theirs["routes"]).iter().flat_map(SHAPE.all);
    let mut named = named.map(|to| to["destination"]["upstream"]["name"].clone());
    (c.spec.upstream_ref.is_none() && named.any(|name| name == found.as_str())).then(|| {
        format!(
            "RouteTable {} led to Upstream {found}, and the Upstreams of this Canary do not have its settings: if it has any, such as sslConfig or useHttp2, make an Upstream with them in namespace {} and name it in spec.upstreamRef",
            c.names.apex, c.namespace
        )
    })
}

pub(super) fn to_upstream(c: &Validated, side: Side, weight: i32) -> Value {
    let to = json!({"upstream": {"name": upstreams::name(c, side), "namespace": c.namespace}});
    json!({"destination": to, "weight": weight})
}

fn rule(matchers: &[Value], destinations: &[Value]) -> Value {
    route::given([
        ("inheritablePathMatchers", json!(true)),
        ("matchers", json!(matchers)),
        ("routeAction", json!({"multi": {"destinations": destinations}})),
    ])
}

/// Routes for the requests of always and never.
fn pinned(c: &Validated, want: Split) -> Vec<Value> {
    let route = |(list, side): (&[Value], Side)| {
        let matchers: Vec<Value> = list.iter().map(matcher).collect();
        rule(&matchers, &[to_upstream(c, side, 100)])
    };
    always_never::lists(c, want).into_iter().map(route).collect()
}

fn matcher(entry: &Value) -> Value {
    let all = entry["headers"].as_object().into_iter().flatten();
    let one = |(name, way): (&String, &Value)| match way["regex"].as_str() {
        Some(pattern) => json!({"name": name, "value": pattern, "regex": true}),
        None => json!({"name": name, "value": way["exact"]}),
    };
    json!({"headers": all.map(one).collect::<Vec<_>>()})
}

/// Fields of an entry of `match` that a RouteTable cannot express.
fn unmatched(entry: &Value) -> impl Iterator<Item = String> {
    let asked = |field: &str| entry[field].as_object().is_some_and(|asked| !asked.is_empty());
    let mut found: Vec<String> = ["queryParams", "sourceLabels"]
        .into_iter()
        .filter(|field| asked(field))
        .map(|field| format!("{field}: a RouteTable of Gloo is made with headers only"))
        .collect();
    for (name, way) in entry["headers"].as_object().into_iter().flatten() {
        if !way["exact"].is_string() && !way["regex"].is_string() {
            found.push(format!("headers.{name}: a RouteTable of Gloo knows exact and regex only"));
        }
    }
    found.into_iter()
}

fn shares(c: &Validated, rule: &Value) -> Shares {
    let side = |name: &Value| {
        [Side::Primary, Side::Canary].into_iter().find(|side| *name == upstreams::name(c, *side).as_str())
    };
    let one = |to: &Value| (side(&to["destination"]["upstream"]["name"]), to["weight"].as_i64().unwrap_or(0));
    get::list(&rule["routeAction"]["multi"]["destinations"]).iter().map(one).collect()
}
