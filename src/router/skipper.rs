//! Skipper: an Ingress `<ingressRef>-canary` beside the user's own, in which each path to the apex leads to primary and
//! canary by weight. It takes over from the user's Ingress by a predicate, and stands back while nothing goes to the
//! canary.
//!
//! Owns its rules, backend, TLS and class, which follow those of the user's Ingress that lead to the apex; its annotations follow too. The user's
//! Ingress is never written.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    copy::{self, Source},
    queries::{Builtin, builtin},
    route::{self, Side},
    split::Split,
    traits::{Cookies, Router, RouterError},
};
use crate::{
    manifest::{Manifest, Undo, annotation, json as get, made_for},
    names::managers,
    snapshot::{INGRESS, Kind, ObjectRef, Objects},
    spec::Validated,
};

const OWNED: &[&str] = &["/spec/rules", "/spec/defaultBackend", "/spec/tls", "/spec/ingressClassName"];

pub(super) const PREDICATE: &str = "zalando.org/skipper-predicate";
const WEIGHTS: &str = "zalando.org/backend-weights";
/// Puts the canary's routes before those of the user's Ingress.
const FIRST: &str = "Weight(100)";
/// Takes the canary's routes out.
const NEVER: &str = "False()";

const QUERIES: Builtin = Builtin {
    words: true,
    ..builtin!(
        r#"route=~"kube(ew)?_{{ namespace }}__{{ ingress }}_canary__.*__{{ service }}_canary(_[0-9]+)?""#,
        "skipper_response_duration_seconds_count" if r#"code!~"5..""#,
        mean "skipper_serve_route_duration_seconds_sum" / "skipper_serve_route_duration_seconds_count" " * 1000"
    )
};

/// The router.
pub(super) struct Skipper;

impl Router for Skipper {
    fn name(&self) -> &'static str {
        "skipper"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[INGRESS]
    }

    /// It asks for Ingresses every three seconds.
    fn settle(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn supported_fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn unsupported(&self, c: &Validated) -> Vec<String> {
        let why = "Skipper splits by weight only: leave it out";
        let mut refused = copy::unnamed(c, "ingressRef");
        refused.extend(route::cannot(c, &["match", "always", "never", "mirror", "sessionAffinity"], why));
        refused
    }

    fn not_programmed(&self, c: &Validated, live: &Objects) -> Option<String> {
        copy::unfollowed(c, live, &self.sources(c)[0], |ingress| leads(c, ingress))
    }

    fn sources(&self, c: &Validated) -> Vec<ObjectRef> {
        vec![ObjectRef::new(INGRESS, copy::named(c, "ingressRef"))]
    }

    fn reads(&self, c: &Validated) -> Vec<ObjectRef> {
        vec![canary(c)]
    }

    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError> {
        let object = canary(c);
        let Some(live) = live.at(&object) else {
            return Err(RouterError::NotFound(object));
        };
        if annotation(live, PREDICATE).is_some_and(|p| p.starts_with(NEVER)) {
            return Ok(Split::to_canary(0));
        }
        let weights: Value =
            annotation(live, WEIGHTS).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let of = |name: &str, side| (Some(side), weights[name].as_i64().unwrap_or(0));
        let shares =
            vec![of(&c.names.primary_service, Side::Primary), of(&c.names.canary_service, Side::Canary)];
        route::split(c, object, &[shares], false)
    }

    fn auxiliary_objects(&self, _c: &Validated) -> Vec<Manifest> {
        vec![]
    }

    fn render(
        &self,
        c: &Validated,
        live: &Objects,
        want: Split,
        _cookies: &Cookies,
    ) -> Result<Vec<Manifest>, RouterError> {
        let at = canary(c);
        let source = copy::source(c, live, &self.sources(c)[0], &at, |ingress| leads(c, ingress))?;
        let own = |key: &str| key == PREDICATE || key == WEIGHTS;
        let mut metadata = copy::metadata(c, &source, live.at(&at), own);
        let weights = json!({
            c.names.canary_service.as_str(): want.canary(), c.names.primary_service.as_str(): want.primary(),
        });
        let first = if want.canary() > 0 { FIRST } else { NEVER };
        let rest = match &source {
            Source::User(user) => annotation(user, PREDICATE).unwrap_or_default(),
            Source::Copy(copy) => {
                let whole = annotation(copy, PREDICATE).unwrap_or_default();
                whole.split_once(" && ").map_or("", |(_, rest)| rest)
            }
        };
        let predicate = if rest.is_empty() { first.to_owned() } else { format!("{first} && {rest}") };
        get::set(&mut metadata, &["annotations", WEIGHTS], json!(weights.to_string()));
        get::set(&mut metadata, &["annotations", PREDICATE], json!(predicate));
        let spec = match source {
            Source::User(user) => doubled(c, &user["spec"]),
            Source::Copy(copy) => copy["spec"].clone(),
        };
        let body = json!({"metadata": metadata, "spec": spec});
        Ok(vec![Manifest::new(INGRESS, &at.name, managers::ROUTE, OWNED, body)])
    }

    /// Its routes are taken out first, so that it can be deleted once the proxies have seen that.
    fn restore(&self, c: &Validated, live: &Objects) -> Vec<Undo> {
        let at = canary(c);
        if !live.at(&at).is_some_and(|object| made_for(object, &c.name)) {
            return vec![];
        }
        let still = self.render(c, live, Split::to_canary(0), &Cookies::default()).unwrap_or_default();
        still.into_iter().map(Undo::Restore).chain([Undo::Delete(at)]).collect()
    }

    fn queries(&self) -> &'static Builtin {
        &QUERIES
    }
}

fn canary(c: &Validated) -> ObjectRef {
    copy::of_ingress(&copy::named(c, "ingressRef"))
}

/// Weights are of paths: a default backend has none.
fn leads(c: &Validated, ingress: &Value) -> bool {
    let rules = get::list(&ingress["spec"]["rules"]).iter();
    let mut paths = rules.flat_map(|rule| get::list(&rule["http"]["paths"]));
    paths.any(|path| path["backend"]["service"]["name"] == c.names.apex.as_str())
}

/// What of the user's Ingress leads to the apex, each path twice: to the primary and to the canary.
fn doubled(c: &Validated, spec: &Value) -> Value {
    let mut doubled = copy::narrowed(c, spec, &|path| {
        let both = [&c.names.primary_service, &c.names.canary_service];
        let side = |service: &String| {
            let mut side = path.clone();
            side["backend"]["service"]["name"] = json!(service);
            side
        };
        both.map(side).to_vec()
    });
    // weights are of paths: what has none stays with the user's Ingress
    if let Some(spec) = doubled.as_object_mut() {
        spec.remove("defaultBackend");
    }
    let without_paths = |rule: &Value| rule["http"].is_null();
    if let Some(rules) = doubled["rules"].as_array_mut() {
        rules.retain(|rule| !without_paths(rule));
    }
    doubled
}
