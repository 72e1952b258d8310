//! A proxy that learns about each object separately, late and in any order, and answers 503 for anything unknown. It
//! follows an object within the window. For changes within the window it may use any combination of versions. So a
//! route may only point to objects that have existed for longer than the window.
//!
//! Reads routes as a proxy would, not with the routers' code.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::Value;
use serin::snapshot::{Kind, ObjectRef, SERVICE};

use crate::{late_ports, numbered_clusters, pods::Pods, time::later, world::World};

/// The versions of an object, each with its start.
type Versions = Vec<(Timestamp, Option<Value>)>;

/// Where requests arrive, and known properties of the proxy.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The route that it follows, if the route exists.
    pub route: ObjectRef,
    /// The route is a copy of the user's own, which points to the apex and stays in force.
    pub copied: bool,
    /// The Service that users call if there is no route.
    pub apex: String,
    /// It knows only destinations that its route has named for longer than the window.
    pub named_first: bool,
    /// It may know a change of the route, but not yet the endpoints of a Service that had none this long ago.
    pub late_endpoints: Duration,
}

/// The proxy.
#[derive(Clone, Debug)]
pub struct LateProxy {
    entry: Entry,
    window: Duration,
    kinds: Vec<Kind>,
    seen: BTreeMap<ObjectRef, Versions>,
    /// Pods behind Services.
    ready: BTreeMap<String, u32>,
    changed: Timestamp,
}

/// A destination: a Service, or an object that points to one.
type Led = (ObjectRef, i64);

impl LateProxy {
    /// A proxy that follows objects of these kinds and Services within `window`.
    pub fn new(entry: Entry, kinds: &[Kind], window: Duration) -> Self {
        let kinds = kinds.iter().copied().chain([SERVICE]).collect();
        Self { entry, window, kinds, seen: BTreeMap::new(), ready: BTreeMap::new(), changed: Timestamp::MIN }
    }

    /// Records the current state.
    pub fn saw(&mut self, world: &World, now: Timestamp) {
        // objects that exist at the start have always existed
        let before: Versions = if self.seen.is_empty() { vec![] } else { vec![(Timestamp::MIN, None)] };
        for kind in &self.kinds {
            for object in world.objects.of(*kind) {
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                self.seen.entry(ObjectRef::new(*kind, name)).or_insert_with(|| before.clone());
            }
        }
        for (at, versions) in &mut self.seen {
            let there = world.objects.at(at);
            if !versions.last().is_some_and(|(_, last)| content(last.as_ref()) == content(there)) {
                versions.push((now, there.cloned()));
                self.changed = now;
            }
        }
        if self.ready != world.ready {
            self.ready.clone_from(&world.ready);
            self.changed = now;
        }
    }

    /// The versions that it may use.
    fn views(&self, at: &ObjectRef, now: Timestamp) -> Vec<Option<&Value>> {
        let Some(versions) = self.seen.get(at) else { return vec![None] };
        let next = versions.iter().skip(1).map(|(since, _)| Some(*since)).chain([None]);
        let old = |until: Option<Timestamp>| until.is_some_and(|until| later(until, self.window) <= now);
        versions.iter().zip(next).filter(|(_, until)| !old(*until)).map(|((_, v), _)| v.as_ref()).collect()
    }

    /// Requests that may be lost now, each with the reason.
    pub fn lost(&self, world: &World, pods: &Pods, now: Timestamp) -> Vec<String> {
        if later(self.changed, self.window) < now {
            return vec![];
        }
        let routes = self.views(&self.entry.route, now);
        let apex = || self.service(world, pods, &self.entry.apex, false, now);
        let mut lost = if self.entry.copied { apex() } else { vec![] };
        for route in &routes {
            let Some(rules) = self.rules(*route) else {
                lost.extend(apex());
                continue;
            };
            for (service, named) in route.iter().flat_map(|route| late_ports::led(route)) {
                let at = ObjectRef::new(SERVICE, service.clone());
                let versions: Vec<&Value> = self.views(&at, now).into_iter().flatten().collect();
                lost.extend(late_ports::lost(&service, named, &versions));
            }
            for (to, _) in rules.iter().flatten().filter(|(_, weight)| *weight > 0) {
                lost.extend(self.unserved(world, pods, to, now));
                let named = |other: Option<&Value>| {
                    self.rules(other).is_none_or(|rules| rules.iter().flatten().any(|(led, _)| led == to))
                };
                if self.entry.named_first && !routes.iter().all(|other| named(*other)) {
                    lost.push(format!("{to} was not named before"));
                }
            }
        }
        if self.entry.route.kind.kind == "HTTPRoute" {
            lost.extend(numbered_clusters::lost(&routes));
        }
        lost.sort();
        lost.dedup();
        lost
    }

    /// The destinations of the route's rules. None if there is no route, or if it leaves requests to the user's own.
    fn rules(&self, route: Option<&Value>) -> Option<Vec<Vec<Led>>> {
        let route = route?;
        if self.entry.copied && stands_back(route) {
            return None;
        }
        let rules = destinations(route);
        (!rules.is_empty()).then_some(rules)
    }

    fn unserved(&self, world: &World, pods: &Pods, to: &ObjectRef, now: Timestamp) -> Vec<String> {
        if to.kind == SERVICE {
            let mut lost = self.service(world, pods, &to.name, !self.entry.copied, now);
            for beside in
                self.seen.keys().filter(|at| world.objects.at(at).is_some_and(|o| is_for(o, &to.name)))
            {
                if self.views(beside, now).contains(&None) {
                    lost.push(format!("{beside} is not known"));
                }
            }
            return lost;
        }
        let mut lost = Vec::new();
        for view in self.views(to, now) {
            let service = view.and_then(|upstream| upstream["spec"]["kube"]["serviceName"].as_str());
            match service {
                Some(service) => {
                    lost.extend(self.service(world, pods, service, false, now));
                    let since = world.ready_since.get(service);
                    if since.is_some_and(|since| now < later(*since, self.entry.late_endpoints)) {
                        lost.push(format!("the endpoints of Service {service} are not known"));
                    }
                }
                None => lost.push(format!("{to} is not known")),
            }
        }
        lost
    }

    /// Requests to a Service. `afresh`: while its selector changes, the Service has no endpoints.
    fn service(&self, world: &World, pods: &Pods, name: &str, afresh: bool, now: Timestamp) -> Vec<String> {
        let at = ObjectRef::new(SERVICE, name);
        let views = self.views(&at, now);
        let mut selectors: Vec<&Value> =
            views.iter().flatten().map(|view| &view["spec"]["selector"]).collect();
        selectors.dedup();
        if afresh && selectors.len() > 1 {
            return vec![format!("{at} has another selector by now")];
        }
        let mut lost = Vec::new();
        for view in views {
            let Some(view) = view else {
                lost.push(format!("{at} is not known"));
                continue;
            };
            let now_there = world.objects.at(&at);
            let behind = if content(now_there) == content(Some(view)) {
                pods.behind(world, name)
            } else {
                let mut then = world.clone();
                then.objects.insert(SERVICE, view.clone());
                pods.behind(&then, name)
            };
            if behind == 0 {
                lost.push(format!("no pods are behind {at}"));
            }
        }
        lost
    }
}

/// The parts of an object that proxies use.
fn content(object: Option<&Value>) -> Option<(&Value, &Value)> {
    let object = object?;
    // a copied Ingress has its split in annotations
    let said = if object["kind"] == "Ingress" { &object["metadata"]["annotations"] } else { &Value::Null };
    Some((&object["spec"], said))
}

/// A copy in which nothing overrides the user's own route.
fn stands_back(copy: &Value) -> bool {
    let said = |key: &str| copy["metadata"]["annotations"][key].as_str().unwrap_or_default();
    said("zalando.org/skipper-predicate").starts_with("False()")
}

/// A DestinationRule for this host.
fn is_for(object: &Value, host: &str) -> bool {
    object["kind"] == "DestinationRule" && object["spec"]["host"] == host
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn service(name: &Value) -> ObjectRef {
    // a host, or Kuma's name for a port of a Service
    let name = text(name);
    ObjectRef::new(SERVICE, name.split(['.', '_']).next().unwrap_or_default())
}

/// Weights. A single destination gets everything. `default` is the weight of destinations without one.
fn weighed(all: &[Value], default: i64, to: impl Fn(&Value) -> ObjectRef) -> Vec<Led> {
    let weight = |one: &Value| match &one["weight"] {
        Value::String(text) => text.parse().unwrap_or(0),
        Value::Null if all.len() == 1 => 1,
        Value::Null => default,
        given => given.as_i64().unwrap_or(0),
    };
    all.iter().map(|one| (to(one), weight(one))).collect()
}

/// The destinations of each rule of a route.
fn destinations(route: &Value) -> Vec<Vec<Led>> {
    let spec = &route["spec"];
    match route["kind"].as_str().unwrap_or_default() {
        "VirtualService" => list(&spec["http"])
            .iter()
            .map(|rule| weighed(list(&rule["route"]), 0, |to| service(&to["destination"]["host"])))
            .collect(),
        "HTTPRoute" => list(&spec["rules"])
            .iter()
            .map(|rule| weighed(list(&rule["backendRefs"]), 1, |to| service(&to["name"])))
            .collect(),
        "HTTPProxy" => list(&spec["routes"])
            .iter()
            .map(|rule| {
                let all = list(&rule["services"]);
                let unweighed = all.iter().all(|to| to["weight"].is_null());
                weighed(all, i64::from(unweighed), |to| service(&to["name"]))
            })
            .collect(),
        "TraefikService" => {
            vec![weighed(list(&spec["weighted"]["services"]), 1, |to| service(&to["name"]))]
        }
        "RouteTable" => list(&spec["routes"]).iter().map(|rule| of_table(&rule["routeAction"])).collect(),
        "TrafficRoute" => {
            let split = list(&spec["conf"]["split"]);
            let one = std::slice::from_ref(&spec["conf"]);
            let all = if split.is_empty() { one } else { split };
            vec![weighed(all, 1, |to| service(&to["destination"]["kuma.io/service"]))]
        }
        "MeshHTTPRoute" => list(&spec["to"])
            .iter()
            .flat_map(|to| list(&to["rules"]))
            .map(|rule| weighed(list(&rule["default"]["backendRefs"]), 1, |to| service(&to["name"])))
            .collect(),
        "TrafficSplit" => vec![weighed(list(&spec["backends"]), 0, |to| service(&to["service"]))],
        "ApisixRoute" => list(&spec["http"])
            .iter()
            .map(|rule| weighed(list(&rule["backends"]), 100, |to| service(&to["serviceName"])))
            .collect(),
        "Ingress" => vec![of_ingress(route)],
        _ => vec![],
    }
}

fn of_table(action: &Value) -> Vec<Led> {
    const UPSTREAM: Kind =
        Kind { group: "gloo.solo.io", version: "v1", kind: "Upstream", plural: "upstreams" };
    let to = |to: &Value| match to["kube"]["ref"]["name"].as_str() {
        Some(service) => ObjectRef::new(SERVICE, service),
        None => ObjectRef::new(UPSTREAM, text(&to["upstream"]["name"])),
    };
    if action["single"].is_object() {
        return vec![(to(&action["single"]), 1)];
    }
    weighed(list(&action["multi"]["destinations"]), 0, |one| to(&one["destination"]))
}

/// The destinations of a copied Ingress. The rest goes to the user's own Ingress.
fn of_ingress(copy: &Value) -> Vec<Led> {
    let said = &copy["metadata"]["annotations"];
    let rules = list(&copy["spec"]["rules"]).iter();
    let paths = rules.flat_map(|rule| list(&rule["http"]["paths"]));
    let services = paths.map(|path| &path["backend"]["service"]["name"]);
    let weights: Value = said["zalando.org/backend-weights"]
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let nginx = text(&said["nginx.ingress.kubernetes.io/canary-weight"]).parse().unwrap_or(0);
    let weight =
        |name: &Value| weights[name.as_str().unwrap_or_default()].as_f64().map_or(nginx, |w| w as i64);
    services.map(|name| (service(name), weight(name))).collect()
}
