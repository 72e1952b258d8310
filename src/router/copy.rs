//! PURE. Routing objects that are copies of one of the user's, with other backends instead of the apex's. The copy
//! follows its source: changes and removals there are repeated here.

use serde_json::{Map, Value, json};

use super::{route, traits::RouterError, virtual_service::VIRTUAL_SERVICE};
use crate::{
    manifest::{self, given, json as get},
    names::{self, ANNOTATION_COPIED, ANNOTATION_KUBECTL},
    snapshot::{INGRESS, Kind, ObjectRef, Objects},
    spec::Validated,
};

pub(super) const APISIX_ROUTE: Kind =
    Kind { group: "apisix.apache.org", version: "v2", kind: "ApisixRoute", plural: "apisixroutes" };

/// Name in a reference of the spec, e.g. `ingressRef`; empty if there is none.
pub(super) fn named(c: &Validated, reference: &str) -> String {
    json!(c.spec)[reference]["name"].as_str().unwrap_or_default().to_owned()
}

/// Routes that the routers of a provider, or of all if it is empty, write for a Canary with this spec, if their names
/// follow from its references: read tolerantly, so that it works for an invalid spec.
pub(crate) fn named_routes(provider: &str, spec: &Value, apex: &str) -> Vec<(&'static str, ObjectRef)> {
    let name = |reference: &str| spec[reference]["name"].as_str().filter(|name| !name.is_empty());
    let mut all = Vec::new();
    if let Some(ingress) = name("ingressRef") {
        all.extend(["nginx", "skipper"].map(|of| (of, of_ingress(ingress))));
    }
    if let Some(route) = name("routeRef") {
        all.push(("apisix", of_apisix_route(route, apex)));
    }
    let lent = name("routeRef").filter(|_| spec["routeRef"]["kind"] == VIRTUAL_SERVICE.kind);
    all.push(("istio", ObjectRef::new(VIRTUAL_SERVICE, lent.unwrap_or(apex))));
    all.retain(|(of, _)| provider.is_empty() || *of == provider);
    all
}

/// The copy of an Ingress.
pub(super) fn of_ingress(name: &str) -> ObjectRef {
    ObjectRef::new(INGRESS, format!("{name}-canary"))
}

/// The copy of an ApisixRoute.
pub(super) fn of_apisix_route(name: &str, apex: &str) -> ObjectRef {
    ObjectRef::new(APISIX_ROUTE, format!("{name}-{apex}-canary"))
}

/// A required reference that is missing.
pub(super) fn unnamed(c: &Validated, reference: &str) -> Vec<String> {
    let missing = named(c, reference).is_empty();
    let text = format!("spec.{reference}: name what leads users to {}", c.names.apex);
    missing.then_some(text).into_iter().collect()
}

/// The source of the copy: the user's object, if it can be copied; otherwise the previous copy, so that
/// traffic can still be moved back. Err: there is neither.
pub(super) fn source(
    c: &Validated,
    live: &Objects,
    user: &ObjectRef,
    copy: &ObjectRef,
    usable: impl Fn(&Value) -> bool,
) -> Result<Source, RouterError> {
    let object = live.at(user);
    if let Some(object) = object.filter(|object| usable(object)) {
        return Ok(Source::User(object.clone()));
    }
    match live.at(copy).filter(|object| manifest::made_for(object, &c.name)) {
        Some(copied) => Ok(Source::Copy(copied.clone())),
        None if object.is_some() => Err(no_backend(c, user)),
        None => Err(RouterError::NotFound(user.clone())),
    }
}

/// The source of a copy.
pub(super) enum Source {
    /// The user's object.
    User(Value),
    /// The current copy: its backends are already replaced.
    Copy(Value),
}

/// Why the copy does not follow its source, if it does not.
pub(super) fn unfollowed(
    c: &Validated,
    live: &Objects,
    user: &ObjectRef,
    usable: impl Fn(&Value) -> bool,
) -> Option<String> {
    match live.at(user) {
        None => Some(RouterError::NotFound(user.clone()).to_string()),
        Some(object) if !usable(object) => Some(no_backend(c, user).to_string()),
        Some(_) => None,
    }
}

/// The source has no backend with the apex's name.
fn no_backend(c: &Validated, source: &ObjectRef) -> RouterError {
    let apex = &c.names.apex;
    // rules of an ApisixRoute are copied as a whole
    let what = if source.kind == APISIX_ROUTE {
        format!("has no rule that leads to {apex} alone: let one")
    } else {
        format!("has no backend {apex}: let one")
    };
    let why = format!("{what} lead to the Service {apex}, or correct the reference");
    RouterError::Unreadable { object: source.clone(), why }
}

/// Backends of an Ingress, anywhere in it.
pub(super) fn backends(ingress: &Value) -> impl Iterator<Item = &Value> {
    let rules = get::list(&ingress["spec"]["rules"]).iter();
    let paths = rules.flat_map(|rule| get::list(&rule["http"]["paths"])).map(|path| &path["backend"]);
    paths.chain([&ingress["spec"]["defaultBackend"]])
}

/// The spec of an Ingress limited to the apex: each path to it in the form of `turned`. Paths of
/// others stay in their own Ingress, where no copy can come before them.
pub(super) fn narrowed(c: &Validated, spec: &Value, turned: &dyn Fn(&Value) -> Vec<Value>) -> Value {
    let ours = |backend: &Value| backend["service"]["name"] == c.names.apex.as_str();
    let whole = ours(&spec["defaultBackend"]);
    let mut rules = Vec::new();
    for rule in get::list(&spec["rules"]) {
        if rule["http"].is_null() {
            // such a host belongs to the default backend
            rules.extend(whole.then(|| rule.clone()));
            continue;
        }
        let paths = get::list(&rule["http"]["paths"]).iter().filter(|path| ours(&path["backend"]));
        let paths: Vec<Value> = paths.flat_map(turned).collect();
        if !paths.is_empty() {
            let mut rule = rule.clone();
            get::set(&mut rule, &["http", "paths"], json!(paths));
            rules.push(rule);
        }
    }
    with_rules(spec, &rules, whole)
}

/// The spec of an Ingress with only these rules, and the TLS of their hosts; with its default backend if `whole`.
pub(super) fn with_rules(spec: &Value, rules: &[Value], whole: bool) -> Value {
    let hosts: Vec<Option<&str>> = rules.iter().map(|rule| rule["host"].as_str()).collect();
    let names = |host: &str, served: Option<&str>| {
        let below = |served: &str| host.strip_prefix('*').is_some_and(|domain| served.ends_with(domain));
        served.is_none_or(|served| served == host || below(served))
    };
    let served =
        |host: &Value| whole || hosts.iter().any(|served| names(host.as_str().unwrap_or_default(), *served));
    let mut tls = get::list(&spec["tls"]).to_vec();
    tls.retain(|entry| {
        let hosts = get::list(&entry["hosts"]);
        hosts.is_empty() || hosts.iter().any(served)
    });
    let mut narrowed = spec.clone();
    for (field, value) in [("rules", json!(rules)), ("tls", json!(tls))] {
        if value != json!([]) || !spec[field].is_null() {
            get::set(&mut narrowed, &[field], if value == json!([]) { Value::Null } else { value });
        }
    }
    if !whole {
        get::set(&mut narrowed, &["defaultBackend"], Value::Null);
    }
    get::drop_nulls(&mut narrowed);
    narrowed
}

/// Labels and annotations of the copy: the source's, except those that belong to the source alone, with our marks.
/// The copied ones are recorded, so that one that is removed from the source is removed here as well.
pub(super) fn metadata(
    c: &Validated,
    source: &Source,
    live: Option<&Value>,
    own: impl Fn(&str) -> bool,
) -> Value {
    let Source::User(source) = source else {
        return json!({"annotations": {}});
    };
    let shared = |key: &str| {
        !own(key) && !manifest::is_tracking(key) && !names::is_own(key) && key != ANNOTATION_KUBECTL
    };
    let text = |field: &str| -> Map<String, Value> {
        let all = source["metadata"][field].as_object().cloned().unwrap_or_default();
        all.into_iter().filter(|(key, _)| shared(key)).collect()
    };
    let (copied, mut annotations) = (text("labels"), text("annotations"));
    let noted = given::note(&copied, &annotations);
    annotations.insert(ANNOTATION_COPIED.into(), json!(noted));
    annotations.extend(route::flux_markers());
    let mut labels = manifest::untracked(source);
    labels.extend(copied);
    labels.insert(names::LABEL_CANARY.into(), json!(names::label_value(&c.name)));
    let mut metadata = json!({"labels": labels, "annotations": annotations});
    given::follow(&mut metadata, live, |_, _| false);
    metadata
}
