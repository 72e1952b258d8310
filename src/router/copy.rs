//! PURE. Routing objects that are copies of one of the user's, with the apex's backends turned to others. The copy
//! follows its source: what changes or goes there changes or goes here.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{route, traits::RouterError};
use crate::{
    manifest::{self, json as get},
    names::{self, ANNOTATION_COPIED, ANNOTATION_KUBECTL},
    snapshot::{ObjectRef, Objects},
    spec::Validated,
};

/// Name in a reference of the spec, e.g. `ingressRef`; empty when there is none.
pub(super) fn named(c: &Validated, reference: &str) -> String {
    json!(c.spec)[reference]["name"].as_str().unwrap_or_default().to_owned()
}

/// A reference that is needed and missing.
pub(super) fn unnamed(c: &Validated, reference: &str) -> Vec<String> {
    let missing = named(c, reference).is_empty();
    let text = format!("spec.{reference}: name what leads users to {}", c.names.apex);
    missing.then_some(text).into_iter().collect()
}

/// What is copied: the user's object, as long as it can be; else what was copied before stands in for it, so that
/// traffic can still be taken back. Err: there is neither.
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

/// What a copy is made from.
pub(super) enum Source {
    /// The user's object.
    User(Value),
    /// The copy as it is: its backends are turned already.
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

/// The source has no backend of the apex's name.
fn no_backend(c: &Validated, source: &ObjectRef) -> RouterError {
    let apex = &c.names.apex;
    let why = format!("has no backend {apex}: let one lead to the Service {apex}, or correct the reference");
    RouterError::Unreadable { object: source.clone(), why }
}

/// Backends of an Ingress, wherever they stand.
pub(super) fn backends(ingress: &Value) -> impl Iterator<Item = &Value> {
    let rules = get::list(&ingress["spec"]["rules"]).iter();
    let paths = rules.flat_map(|rule| get::list(&rule["http"]["paths"])).map(|path| &path["backend"]);
    paths.chain([&ingress["spec"]["defaultBackend"]])
}

/// Labels and annotations of the copy: the source's, but for those that belong to the source alone, with our marks.
/// Which annotations were copied is noted, so that one that goes at the source goes here as well.
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
        !own(key)
            && !manifest::is_tracking(key)
            && !key.starts_with("serin.dev/")
            && key != ANNOTATION_KUBECTL
    };
    let text = |field: &str| -> Map<String, Value> {
        let all = source["metadata"][field].as_object().cloned().unwrap_or_default();
        all.into_iter().filter(|(key, _)| shared(key)).collect()
    };
    let given = text("annotations");
    let mut annotations = Map::new();
    let before = live.and_then(|object| manifest::annotation(object, ANNOTATION_COPIED)).unwrap_or_default();
    for gone in before.split(',').filter(|key| !key.is_empty() && !given.contains_key(*key)) {
        annotations.insert(gone.to_owned(), Value::Null);
    }
    let noted: BTreeSet<&str> = given.keys().map(String::as_str).collect();
    let noted = noted.into_iter().collect::<Vec<_>>().join(",");
    annotations.extend(given);
    annotations.insert(ANNOTATION_COPIED.into(), json!(noted));
    annotations.extend(route::flux_markers());
    let mut labels = manifest::untracked(source);
    labels.extend(text("labels"));
    labels.insert(names::LABEL_CANARY.into(), json!(names::label_value(&c.name)));
    json!({"labels": labels, "annotations": annotations})
}
