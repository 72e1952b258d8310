//! Skipper: an Ingress `<ingressRef>-canary` beside the user's own, in which each path to the apex points to primary
//! and canary by weight, and to other backends of the path as before. It takes precedence over the user's Ingress by a
//! predicate, and is disabled while nothing goes to the canary.
//!
//! Owns its rules, backend, TLS and class, which follow those of the user's Ingress to the apex; its annotations
//! follow too, and its extra routes with that predicate. The user's Ingress is never written.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    bystanders,
    copy::{self, Source},
    eskip,
    queries::{Builtin, builtin},
    route, skipper_paths,
    skipper_weights::{self, WEIGHTS, Weights},
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
pub(super) const ROUTES: &str = "zalando.org/skipper-routes";
/// Puts the canary's routes before those of the user's Ingress.
const FIRST: &str = "Weight(100)";
/// Puts extra routes that come before the paths of the user's Ingress before the copy's paths: each of those
/// except the last has one more predicate, by which Skipper splits traffic.
const BEFORE: &str = "Weight(200)";
/// Disables the canary's routes.
const NEVER: &str = "False()";

/// What callers get from a route, also if Skipper answers instead of the backend.
const QUERIES: Builtin = Builtin {
    words: true,
    needs: "Skipper has to be started with -serve-route-metrics to count what callers get, and Prometheus has to scrape it",
    ..builtin!(
        r#"route=~"kube(ew)?_{{ namespace }}__{{ ingress }}_canary__.*__{{ side }}(_[0-9]+)?""#,
        "skipper_serve_route_duration_seconds_count" if r#"code!~"5..""#,
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

    /// It polls Ingresses every three seconds.
    fn settle(&self) -> Duration {
        Duration::from_secs(5)
    }

    /// While nothing goes to the canary, the user's own Ingress routes all requests.
    fn apex_is_primary(&self) -> bool {
        true
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

    fn bystanders(&self) -> &'static [Kind] {
        &[INGRESS]
    }

    fn touches(&self, c: &Validated, live: &Objects, other: &Value) -> Option<String> {
        let user = live.at(&self.sources(c)[0])?;
        let same = |ours: (&str, &str, &str), theirs: (&str, &str, &str)| {
            skipper_paths::meet((ours.1, ours.2), (theirs.1, theirs.2))
                && most_conditions(theirs.0, other) >= fewest_conditions(ours.0, user)
        };
        let shared = bystanders::of_ingress(c, user, other, same)?;
        let (name, place) = (bystanders::name(other), shared.place());
        if bystanders::is(user, other) {
            let remedy = if shared.kinds.iter().all(|kind| skipper_paths::is_expression(kind)) {
                "as paths of the type ImplementationSpecific are regular expressions, so use the type Prefix"
            } else {
                "so give it a path of its own"
            };
            return Some(format!(
                "{name} serves {place} for another Service: while a run is on, requests there go to this Canary, {remedy}"
            ));
        }
        let by = [PREDICATE, ROUTES].into_iter().filter(|key| annotation(other, key).is_some());
        let by: Vec<&str> = by.collect();
        let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(" and ")) };
        Some(format!(
            "{name} serves {place} too{by}: while a run is on its requests there go to this Canary, so give it a path of its own"
        ))
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
        let both = Weights::of(live).percent(&c.names.primary_service, &c.names.canary_service);
        both.map(Split::to_canary).ok_or_else(|| {
            let why =
                format!("has no weights for {} and {}", c.names.primary_service, c.names.canary_service);
            RouterError::Unreadable { object, why }
        })
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
        let own = |key: &str| [PREDICATE, WEIGHTS, ROUTES].contains(&key);
        let mut metadata = copy::metadata(c, &source, live.at(&at), own);
        let first = if want.canary() > 0 { FIRST } else { NEVER };
        let (Source::User(object) | Source::Copy(object)) = &source;
        let copied = matches!(source, Source::Copy(_));
        let weights = Weights::of(object);
        let weights =
            if copied { weights.shared_again(c, want) } else { weights.shared(c, &object["spec"], want) };
        let said = |key: &str| annotation(object, key).unwrap_or_default();
        let predicate = said(PREDICATE);
        // those of the copy begin with its own predicate
        let rest = if copied { predicate.split_once(" && ").map_or("", |(_, rest)| rest) } else { predicate };
        let predicate = if rest.is_empty() { first.to_owned() } else { format!("{first} && {rest}") };
        let routes = if copied {
            eskip::without_first(said(ROUTES), &[FIRST, BEFORE, NEVER])
        } else {
            Ok(said(ROUTES).to_owned())
        };
        let routes = routes.and_then(|routes| placed(&routes, rest, first)).map_err(|why| {
            let why = format!("has routes in {ROUTES} that cannot be read ({why}): correct them");
            RouterError::Unreadable { object: self.sources(c)[0].clone(), why }
        })?;
        get::set(&mut metadata, &["annotations", WEIGHTS], json!(weights));
        get::set(&mut metadata, &["annotations", PREDICATE], json!(predicate));
        let routes = if routes.is_empty() { Value::Null } else { json!(routes) };
        get::set(&mut metadata, &["annotations", ROUTES], routes);
        let spec = if copied { object["spec"].clone() } else { shared(c, object) };
        let body = json!({"metadata": metadata, "spec": spec});
        Ok(vec![Manifest::new(INGRESS, &at.name, managers::ROUTE, OWNED, body)])
    }

    /// Its routes are disabled first, so that it can be deleted once the proxies have seen that.
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

/// How many conditions some route for this host has at most in addition to its path: Skipper prefers the one with more.
/// Extra routes may have any number.
fn most_conditions(host: &str, ingress: &Value) -> usize {
    if annotation(ingress, ROUTES).is_some() {
        return usize::MAX;
    }
    // all backends of a path except the last have one by which Skipper splits traffic
    let shared = usize::from(annotation(ingress, WEIGHTS).is_some_and(|weights| !weights.is_empty()));
    of_every_path(host, ingress).map_or(usize::MAX, |all| all.saturating_add(shared))
}

/// How many it has at least: those of the last backend of a path.
fn fewest_conditions(host: &str, ingress: &Value) -> usize {
    of_every_path(host, ingress).unwrap_or(usize::from(!host.is_empty()))
}

/// How many every path of an Ingress has, if its predicate can be read.
fn of_every_path(host: &str, ingress: &Value) -> Option<usize> {
    let own = eskip::rank(annotation(ingress, PREDICATE).unwrap_or_default()).ok()?;
    Some(own.saturating_add(usize::from(!host.is_empty())))
}

fn canary(c: &Validated) -> ObjectRef {
    copy::of_ingress(&copy::named(c, "ingressRef"))
}

/// Extra routes with a predicate in front, so that the same ones as before come before paths with the predicates
/// `of_paths`.
fn placed(routes: &str, of_paths: &str, first: &'static str) -> Result<String, String> {
    let paths = eskip::rank(of_paths)?;
    eskip::with_first(routes, |rank| if first == FIRST && rank > paths { BEFORE } else { first })
}

/// Weights apply to paths: a default backend has none.
fn leads(c: &Validated, ingress: &Value) -> bool {
    let weights = Weights::of(ingress);
    let mut rules = get::list(&ingress["spec"]["rules"]).iter();
    rules.any(|rule| !skipper_weights::paths(c, rule, &weights).is_empty())
}

/// The part of the user's Ingress for the apex: each path to the canary and to the primary, after its other backends.
/// The last one gets what is left when another has no Service, and no request may be left to the canary alone.
fn shared(c: &Validated, user: &Value) -> Value {
    let spec = &user["spec"];
    let mut rules = Vec::new();
    for rule in get::list(&spec["rules"]) {
        let shared = skipper_weights::paths(c, rule, &Weights::of(user));
        let mut paths = Vec::new();
        for path in shared {
            paths.extend(path.others.iter().map(|other| (*other).clone()));
            for service in [&c.names.canary_service, &c.names.primary_service] {
                let mut side = path.apex.clone();
                side["backend"]["service"]["name"] = json!(service);
                paths.push(side);
            }
        }
        if !paths.is_empty() {
            let mut rule = rule.clone();
            get::set(&mut rule, &["http", "paths"], json!(paths));
            rules.push(rule);
        }
    }
    // weights apply to paths: a default backend stays with the user's Ingress
    copy::with_rules(spec, &rules, false)
}
