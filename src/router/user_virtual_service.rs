//! Istio, on a VirtualService of the user's (`spec.routeRef`): in one of its http routes the weights are ours.
//!
//! Owns the weights of primary and canary in that route, and their port if the user names none and it is edited: then it
//! stays. Everything else is the user's and is written back unchanged: a list of http routes can only be written as a
//! whole, and only with the version it was read at. Before the takeover the route points to the apex, or to primary and
//! canary; afterwards to the apex.

use serde_json::{Map, Value, json};

use super::{
    route::{self, Shares, Side},
    split::Split,
    traits::RouterError,
    virtual_service::{VIRTUAL_SERVICE, is_host, is_tcp},
};
use crate::{
    manifest::{Manifest, annotation, json as get},
    names::{self, managers},
    snapshot::{ObjectRef, Objects},
    spec::Validated,
};

const OWNED: &[&str] = &["/spec/http"];

/// The user's VirtualService in a Canary's reference, and which of its routes is split.
pub(super) struct UserRoute<'a> {
    c: &'a Validated,
    /// Name of the VirtualService.
    name: &'a str,
    /// Name of the http route; none: the only one.
    route: Option<&'a str>,
}

/// The original, as the annotation keeps it.
#[derive(serde::Serialize, serde::Deserialize)]
struct Original {
    /// The Canary that owns the weights.
    canary: String,
    /// Name of the http route.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    /// Its destinations.
    was: Vec<Value>,
}

/// The destination of a route.
#[derive(Clone, Copy, PartialEq)]
enum To {
    Apex,
    Side(Side),
    Elsewhere,
}

/// The VirtualService in the Canary's reference, if any.
pub(super) fn of(c: &Validated) -> Option<UserRoute<'_>> {
    let user = c.spec.route_ref.as_ref().filter(|user| user.kind == VIRTUAL_SERVICE.kind)?;
    let route = user.route.as_deref().filter(|name| !name.is_empty());
    Some(UserRoute { c, name: &user.name, route })
}

impl UserRoute<'_> {
    pub(super) fn at(&self) -> ObjectRef {
        ObjectRef::new(VIRTUAL_SERVICE, self.name)
    }

    pub(super) fn unsupported(&self) -> Vec<String> {
        let service = json!(self.c.service);
        let asked = |field: &str| !service[field].is_null() && service[field] != false;
        let own = format!("is for a VirtualService that Serin makes: write it into {} yourself", self.at());
        let fields = [
            "hosts",
            "gateways",
            "delegation",
            "match",
            "rewrite",
            "timeout",
            "retries",
            "headers",
            "corsPolicy",
        ];
        let mut refused: Vec<String> =
            fields.iter().filter(|f| asked(f)).map(|f| format!("spec.service.{f}: {own}")).collect();
        if is_tcp(self.c) {
            refused.push("spec.service.appProtocol: a route that spec.routeRef names is one for http".into());
        }
        let why = "needs routes beside the one that spec.routeRef names: leave one of the two out";
        let fields = ["match", "always", "never", "mirror", "sessionAffinity"];
        refused.extend(route::cannot(self.c, &fields, why));
        refused
    }

    pub(super) fn read_back(&self, live: &Objects) -> Result<Split, RouterError> {
        let object = self.object(live)?;
        let http = get::list(&object["spec"]["http"]);
        let rule = &http[self.position(http, self.route)?];
        let share = |to: &Value| {
            let side = if let To::Side(side) = self.to(to) { Some(side) } else { None };
            (side, to["weight"].as_i64().unwrap_or(0))
        };
        let shares: Shares = get::list(&rule["route"]).iter().map(share).collect();
        route::split(self.c, self.at(), &[shares], false)
    }

    /// The current VirtualService, with these weights.
    pub(super) fn render(&self, live: &Objects, want: Split) -> Result<Manifest, RouterError> {
        let object = self.object(live)?;
        let mut http = get::list(&object["spec"]["http"]).to_vec();
        let mut original = original(object);
        if let Some(other) = original.as_ref().filter(|noted| noted.canary != self.c.name) {
            return Err(self.cannot(format!(
                "has the weights of Canary {} in it: name a VirtualService that no other Canary names, or delete that Canary",
                other.canary
            )));
        }
        if let Some(former) = original.take_if(|noted| noted.route.as_deref() != self.route) {
            self.give_back(&mut http, &former);
        }
        let position = self.position(&http, self.route)?;
        let destinations = get::list(&http[position]["route"]).to_vec();
        let mut split = self.split(&destinations, want)?;
        let theirs = original.as_ref().map_or(&destinations, |noted| &noted.was);
        // a port that they name is theirs
        if self.c.names_port && theirs.iter().all(|to| to["destination"]["port"].is_null()) {
            let port = json!({"number": self.c.service.port});
            for to in &mut split {
                get::set(to, &["destination", "port"], port.clone());
            }
        }
        get::set(&mut http[position], &["route"], json!(split));
        let original = original.unwrap_or_else(|| Original {
            canary: self.c.name.clone(),
            route: self.route.map(str::to_owned),
            was: destinations,
        });
        Ok(self.manifest(&http, Some(&original)))
    }

    /// The VirtualService with the route pointing to the apex, without our marks. None: it has none.
    pub(super) fn given_back(&self, live: &Objects) -> Option<Manifest> {
        let object = live.at(&self.at())?;
        let noted = original(object).filter(|noted| noted.canary == self.c.name)?;
        let mut http = get::list(&object["spec"]["http"]).to_vec();
        self.give_back(&mut http, &noted);
        Some(self.manifest(&http, None))
    }

    /// The user's object with these http routes, and with or without our marks.
    fn manifest(&self, http: &[Value], original: Option<&Original>) -> Manifest {
        let mut annotations = original.map_or_else(route::unmarked, |_| Map::new());
        if let Some(original) = original {
            annotations.insert(names::ANNOTATION_ORIGINAL.into(), json!(json!(original).to_string()));
        }
        let body = json!({"metadata": {"annotations": annotations}, "spec": {"http": http}});
        Manifest::new(VIRTUAL_SERVICE, self.name, managers::ROUTE, OWNED, body)
    }

    fn object<'l>(&self, live: &'l Objects) -> Result<&'l Value, RouterError> {
        live.at(&self.at()).ok_or_else(|| RouterError::NotFound(self.at()))
    }

    fn cannot(&self, why: String) -> RouterError {
        RouterError::Unreadable { object: self.at(), why }
    }

    /// The position of the http route with this name.
    fn position(&self, http: &[Value], name: Option<&str>) -> Result<usize, RouterError> {
        let named = |rule: &&Value| name.is_none_or(|name| rule["name"] == name);
        let found: Vec<usize> =
            http.iter().enumerate().filter(|(_, rule)| named(rule)).map(|(index, _)| index).collect();
        match (found.as_slice(), name) {
            ([one], _) => Ok(*one),
            ([], Some(name)) => Err(self.cannot(format!(
                "has no http route named {name}: give the one that leads to {} that name, or correct spec.routeRef.route",
                self.c.names.apex
            ))),
            (_, Some(name)) => {
                Err(self.cannot(format!("has several http routes named {name}: give each a name of its own")))
            }
            ([], None) => Err(self.cannot(format!("has no http route: add one to {}", self.c.names.apex))),
            (_, None) => Err(self.cannot(
                "has several http routes: say in spec.routeRef.route which of them leads to the workload".into(),
            )),
        }
    }

    /// Primary and canary with their weights, each with the fields of its original destination.
    fn split(&self, destinations: &[Value], want: Split) -> Result<Vec<Value>, RouterError> {
        let leads: Vec<To> = destinations.iter().map(|to| self.to(to)).collect();
        let sound = match leads.as_slice() {
            [To::Apex | To::Side(_)] => true,
            [To::Side(a), To::Side(b)] => a != b,
            _ => false,
        };
        if !sound {
            let names = &self.c.names;
            return Err(self.cannot(format!(
                "leads from the http route {} to other places than {} alone, or {} and {}: let it, without subsets",
                self.route.unwrap_or("it has"),
                names.apex,
                names.primary_service,
                names.canary_service
            )));
        }
        let weight = |side| if side == Side::Canary { want.canary() } else { want.primary() };
        let mut split = Vec::new();
        for (to, lead) in destinations.iter().zip(&leads) {
            let side = if let To::Side(side) = lead { *side } else { Side::Primary };
            split.push(turned(to, self.service(To::Side(side)), Some(json!(weight(side)))));
        }
        for side in [Side::Primary, Side::Canary] {
            let there = split.iter().any(|to| self.to(to) == To::Side(side));
            if !there {
                let like = turned(&split[0], self.service(To::Side(side)), Some(json!(weight(side))));
                split.push(like);
            }
        }
        Ok(split)
    }

    /// Destinations for primary or canary point to the apex again, with their current fields.
    fn give_back(&self, http: &mut [Value], noted: &Original) {
        let Ok(position) = self.position(http, noted.route.as_deref()) else { return };
        let live = get::list(&http[position]["route"]).to_vec();
        let ours = |to: &&Value| matches!(self.to(to), To::Side(_));
        let sum: i64 = live.iter().filter(ours).filter_map(|to| to["weight"].as_i64()).sum();
        let Some(one) =
            live.iter().find(|to| self.to(to) == To::Side(Side::Primary)).or(live.iter().find(ours))
        else {
            return;
        };
        let mut back: Vec<Value> = live.iter().filter(|to| !ours(to)).cloned().collect();
        let was = noted.was.iter().find(|to| self.to(to) == To::Apex);
        let weight = if back.is_empty() { was.map(|to| to["weight"].clone()) } else { Some(json!(sum)) };
        let apex = turned(one, self.service(To::Apex), weight.filter(|weight| !weight.is_null()));
        back.insert(0, apex);
        get::set(&mut http[position], &["route"], json!(back));
    }

    fn service(&self, to: To) -> &str {
        match to {
            To::Side(Side::Primary) => &self.c.names.primary_service,
            To::Side(Side::Canary) => &self.c.names.canary_service,
            To::Apex | To::Elsewhere => &self.c.names.apex,
        }
    }

    fn to(&self, destination: &Value) -> To {
        let to = &destination["destination"];
        let host = to["host"].as_str().unwrap_or_default();
        let known = [To::Side(Side::Primary), To::Side(Side::Canary), To::Apex];
        let whole = to["subset"].as_str().is_none_or(str::is_empty);
        let found = known.into_iter().find(|known| whole && is_host(self.c, host, self.service(*known)));
        found.unwrap_or(To::Elsewhere)
    }
}

/// The destination with another Service behind the same domain, and this weight.
fn turned(to: &Value, service: &str, weight: Option<Value>) -> Value {
    let host = to["destination"]["host"].as_str().unwrap_or_default();
    let domain = host.find('.').map_or("", |dot| &host[dot..]);
    let mut turned = to.clone();
    get::set(&mut turned, &["destination", "host"], json!(format!("{service}{domain}")));
    match (weight, turned.as_object_mut()) {
        (Some(weight), Some(turned)) => turned.insert("weight".into(), weight),
        (None, Some(turned)) => turned.remove("weight"),
        _ => None,
    };
    turned
}

fn original(object: &Value) -> Option<Original> {
    serde_json::from_str(annotation(object, names::ANNOTATION_ORIGINAL)?).ok()
}
