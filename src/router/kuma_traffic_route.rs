//! PURE. Kuma's TrafficRoute, by which earlier versions and Flagger split traffic. It is cluster-scoped, so two
//! Canaries with the same apex name want the same one: the mark on it names the namespace, and `plan` refuses the
//! second.
//!
//! The first TrafficRoute of a mesh removes the routes of all Services that have none, so it is only written in a mesh
//! that has one for all. A left-over one in another mesh is found here, so that it can be removed.
//!
//! Owns mesh, sources, destinations and their weights; other fields, including the load balancer, stay.

use serde_json::{Value, json};

use super::{
    route::{self, Place, Side},
    split::Split,
};
use crate::{
    manifest::{Manifest, Undo, adopted, annotation, controller_of, json as get, made_for, marked},
    names,
    snapshot::{Kind, Objects},
    spec::Validated,
};

pub(super) const TRAFFIC_ROUTE: Kind =
    Kind { group: "kuma.io", version: "v1alpha1", kind: "TrafficRoute", plural: "trafficroutes" };
const OWNED: &[&str] = &[
    "/mesh",
    "/spec/sources",
    "/spec/destinations",
    "/spec/conf/split",
    "/spec/conf/destination",
    "/spec/conf/http",
];
/// The tag by which Kuma names a Service.
pub(super) const SERVICE: &str = "kuma.io/service";

/// The mesh has somebody else's TrafficRoute for all Services: it runs on them, and one more removes nothing.
pub(super) fn in_force(c: &Validated, live: &Objects) -> bool {
    let all = |side: &Value| get::list(side).iter().any(|one| tag(&one["match"]) == "*");
    live.of(TRAFFIC_ROUTE).any(|route| {
        mesh(route) == c.mesh && all(&route["spec"]["sources"]) && all(&route["spec"]["destinations"])
    })
}

/// TrafficRoutes of the mesh that leave Services without routes: all except this Canary's own, if none is for all.
pub(super) fn harmful<'a>(c: &'a Validated, live: &'a Objects) -> Vec<&'a str> {
    if in_force(c, live) {
        return vec![];
    }
    let of_mesh = live.of(TRAFFIC_ROUTE).filter(|route| mesh(route) == c.mesh);
    let names = of_mesh.filter_map(|route| route["metadata"]["name"].as_str());
    names.filter(|name| *name != c.names.apex || leftover(c, live).is_none()).collect()
}

/// A left-over TrafficRoute for this Canary's apex, and how it is removed: one that was taken over is given
/// back as it was.
pub(super) fn leftover(c: &Validated, live: &Objects) -> Option<Undo> {
    let at = place(c).at();
    let known = known(c, live);
    let route = known.at(&at)?;
    if adopted(route) && !made_for(route, &c.name) {
        return given_back(c, &known).map(Undo::Restore);
    }
    let ours = made_for(route, &c.name) || marked(route);
    // one without marks, exactly as earlier versions left it when a Canary was deleted
    let plain = || route["spec"] == plain(c) && mesh(route) == c.mesh && controller_of(route).is_none();
    (ours || plain()).then_some(Undo::Delete(at))
}

/// How a route in use is given back: it points to the apex first, and is removed once the proxies have seen that.
pub(super) fn restore(c: &Validated, live: &Objects) -> Vec<Undo> {
    let known = known(c, live);
    let Some(undo) = leftover(c, live) else { return vec![] };
    let mut back = given_back(c, &known).map(|back| in_mesh(c, back));
    let made = known.at(&place(c).at()).is_some_and(|route| made_for(route, &c.name));
    if let Some(back) = back.as_mut().filter(|_| made) {
        // it keeps its identifying mark until it is deleted
        back.body["metadata"]["labels"][names::LABEL_CANARY] = json!(names::label_value(&c.name));
        back.body["metadata"]["annotations"][names::ANNOTATION_NAMESPACE] = json!(c.namespace);
    }
    match undo {
        Undo::Delete(at) => back.map(Undo::Restore).into_iter().chain([Undo::Delete(at)]).collect(),
        restored @ Undo::Restore(_) => vec![restored],
    }
}

/// Why somebody else's is not taken over.
pub(super) fn takeover_conflict(c: &Validated, theirs: &Value) -> Option<String> {
    let mesh = mesh(theirs);
    if mesh != c.mesh {
        return Some(format!("annotate the Canary with {}: {mesh}", names::KUMA_MESH));
    }
    let apart = "set spec.service.name to a free name";
    let sources = get::list(&theirs["spec"]["sources"]).iter();
    if let Some(some) = sources.map(|from| &from["match"]).find(|from| **from != json!({SERVICE: "*"})) {
        return Some(format!("it is for some callers only (spec.sources has {some}): {apart}"));
    }
    let ours = service(c, &c.names.apex);
    let leads = get::list(&theirs["spec"]["destinations"]).iter().map(|to| tag(&to["match"]));
    if let Some(other) = leads.into_iter().find(|led| *led != ours) {
        return Some(format!("it is for {other}, not {ours}: {apart}"));
    }
    let conf = &theirs["spec"]["conf"];
    let split = get::list(&conf["split"]).iter().filter(|one| one["weight"] != 0);
    let split = split.map(|one| &one["destination"]).chain([&conf["destination"]]);
    let to = split.clone().map(tag);
    let names = [&c.names.apex, &c.names.primary_service, &c.names.canary_service];
    let here = |to: &str| to.is_empty() || names.iter().any(|name| to == service(c, name));
    if let Some(other) = to.into_iter().find(|to| !here(to)) {
        return Some(format!("it leads to {other}: {apart}"));
    }
    let meant = get::list(&theirs["spec"]["destinations"]).iter().map(|to| &to["match"]);
    let more = |tags: &&Value| tags.as_object().is_some_and(|tags| tags.keys().any(|tag| tag != SERVICE));
    if let Some(some) = meant.chain(split).find(more) {
        return Some(format!("it names some pods only ({some}): {apart}"));
    }
    let rules = !get::list(&theirs["spec"]["conf"]["http"]).is_empty();
    rules.then(|| format!("it has rules in spec.conf.http: {apart}"))
}

/// Its split; none if it does not exist, or belongs to another Canary.
pub(super) fn read_back(c: &Validated, live: &Objects) -> Option<Split> {
    let at = place(c).at();
    let known = known(c, live);
    route::split(c, at.clone(), &[shares(c, known.at(&at)?)], false).ok()
}

/// The route for a split.
pub(super) fn render(c: &Validated, live: &Objects, want: Split) -> Manifest {
    let to = |name: &str, weight: i32| json!({"weight": weight, "destination": tags(c, name)});
    let split = [to(&c.names.primary_service, want.primary()), to(&c.names.canary_service, want.canary())];
    let spec = spec(c, &json!({"split": split}));
    in_mesh(c, place(c).manifest(c, &known(c, live), &spec, &|_| plain(c)))
}

fn given_back(c: &Validated, known: &Objects) -> Option<Manifest> {
    place(c).given_back(c, known, &|_| plain(c))
}

pub(super) fn place(c: &Validated) -> Place<'_> {
    Place { kind: TRAFFIC_ROUTE, name: &c.names.apex, owned: OWNED, shape: None }
}

/// The mesh is a field beside the spec.
fn in_mesh(c: &Validated, mut route: Manifest) -> Manifest {
    get::set(&mut route.body, &["mesh"], json!(c.mesh));
    route
}

fn mesh(route: &Value) -> &str {
    route["mesh"].as_str().filter(|mesh| !mesh.is_empty()).unwrap_or("default")
}

fn spec(c: &Validated, conf: &Value) -> Value {
    json!({
        "sources": [{"match": {SERVICE: "*"}}],
        "destinations": [{"match": tags(c, &c.names.apex)}],
        "conf": conf,
    })
}

/// It points to the apex.
fn plain(c: &Validated) -> Value {
    spec(c, &json!({"destination": tags(c, &c.names.apex)}))
}

/// Kuma's name of a port of a Service.
pub(super) fn service(c: &Validated, name: &str) -> String {
    format!("{}{}", of_any_port(c, name), c.service.port)
}

pub(super) fn of_any_port(c: &Validated, name: &str) -> String {
    format!("{name}_{}_svc_", c.namespace)
}

fn tags(c: &Validated, name: &str) -> Value {
    json!({SERVICE: service(c, name)})
}

fn tag(tags: &Value) -> &str {
    tags[SERVICE].as_str().unwrap_or_default()
}

/// The destinations of the route: by weight, or all to one.
fn shares(c: &Validated, live: &Value) -> route::Shares {
    let side = |to: &Value| {
        let is = |name: &str| tag(to).starts_with(&of_any_port(c, name));
        let primary = is(&c.names.primary_service).then_some(Side::Primary);
        primary.or(is(&c.names.canary_service).then_some(Side::Canary))
    };
    let conf = &live["spec"]["conf"];
    let split = get::list(&conf["split"]).iter();
    let split: route::Shares =
        split.map(|one| (side(&one["destination"]), one["weight"].as_i64().unwrap_or(0))).collect();
    if split.is_empty() { vec![(side(&conf["destination"]), 100)] } else { split }
}

/// The live route if it is this Canary's. One of another namespace does not count. Flagger's has no mark
/// and is recognised by its destinations: it is ours, not somebody else's to be restored.
fn known(c: &Validated, live: &Objects) -> Objects {
    let mut known = Objects::default();
    let Some(route) = live.at(&place(c).at()) else { return known };
    let namespace = annotation(route, names::ANNOTATION_NAMESPACE);
    if namespace.is_some_and(|namespace| namespace != c.namespace) {
        return known;
    }
    let mut route = route.clone();
    if namespace.is_none() && shares(c, &route).iter().any(|(side, _)| side.is_some()) {
        get::set(
            &mut route,
            &["metadata", "labels", names::LABEL_CANARY],
            json!(names::label_value(&c.name)),
        );
    }
    known.insert(TRAFFIC_ROUTE, route);
    known
}
