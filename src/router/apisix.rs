//! APISIX: an ApisixRoute `<routeRef>-<apex>-canary` beside the user's own, which takes precedence over it by its priority and
//! splits by weight.
//!
//! Owns its HTTP rules, which are those of the user's route to the apex, with primary and canary instead, and the
//! class; labels and annotations follow too. The user's route is never written.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    bystanders,
    copy::{self, APISIX_ROUTE, Source},
    queries::{Builtin, builtin},
    route::{self, Shares},
    split::Split,
    traits::{Cookies, Router, RouterError},
};
use crate::{
    manifest::{self, Manifest, Undo, json as get, made_for},
    names::{self, managers},
    snapshot::{Kind, ObjectRef, Objects},
    spec::Validated,
};

const OWNED: &[&str] = &["/spec/http", "/spec/ingressClassName"];

/// Added to the user's own, so that the copied rules come before every route of users and keep their order.
const PRIORITY: i64 = 10_000;

/// The highest weight that the user's own backends and upstreams can have beside each other, because all are multiplied.
const MOST: i64 = route::MOST / 1_000;

const QUERIES: Builtin = Builtin {
    needs: "APISIX counts requests by route where its plugin prometheus is enabled with prefer_name: true, e.g. by a global rule, and Prometheus has to scrape it",
    ..builtin!(
            r#"route=~"{{ namespace }}_{{ route }}-{{ service }}-canary_.+""#,
            "apisix_http_status" if r#"code!~"5..""#,
            p99 "apisix_http_latency_bucket" of r#"type=~"request""# ""
    )
};

/// The router.
pub(super) struct Apisix;

impl Router for Apisix {
    fn name(&self) -> &'static str {
        "apisix"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[APISIX_ROUTE]
    }

    fn settle(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn unsupported(&self, c: &Validated) -> Vec<String> {
        let why = "an ApisixRoute is made to split by weight only: leave it out";
        let mut refused = copy::unnamed(c, "routeRef");
        if c.spec.route_ref.as_ref().is_some_and(|user| user.kind != "ApisixRoute") {
            refused.push("spec.routeRef.kind: APISIX follows an ApisixRoute: name one".into());
        }
        refused.extend(route::cannot(c, &["match", "always", "never", "mirror", "sessionAffinity"], why));
        refused
    }

    fn not_programmed(&self, c: &Validated, live: &Objects) -> Option<String> {
        let unfollowed = copy::unfollowed(c, live, &self.sources(c)[0], |user| leads(c, user));
        unfollowed.or_else(|| refused(live.at(&canary(c))?))
    }

    fn bystanders(&self) -> &'static [Kind] {
        &[APISIX_ROUTE]
    }

    fn touches(&self, c: &Validated, live: &Objects, other: &Value) -> Option<String> {
        if get::label(other, names::LABEL_CANARY).is_some() {
            return None;
        }
        let user = live.at(&self.sources(c)[0])?;
        let ours = get::list(&user["spec"]["http"]).iter().filter(|rule| is_ours(c, rule));
        let own = bystanders::is(user, other);
        let theirs = get::list(&other["spec"]["http"]).iter().filter(|rule| !own || !is_ours(c, rule));
        let mut pairs = theirs.flat_map(|theirs| ours.clone().map(move |ours| (ours, theirs)));
        let (_, rule) = pairs.find(|(ours, theirs)| meet(ours, theirs))?;
        Some(format!(
            "rule {} of {} serves the same paths: the copy for this Canary has the priority {PRIORITY} and takes its requests, so give it paths of its own",
            rule["name"].as_str().unwrap_or_default(),
            bystanders::name(other)
        ))
    }

    fn sources(&self, c: &Validated) -> Vec<ObjectRef> {
        vec![ObjectRef::new(APISIX_ROUTE, copy::named(c, "routeRef"))]
    }

    fn reads(&self, c: &Validated) -> Vec<ObjectRef> {
        vec![canary(c)]
    }

    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError> {
        let object = canary(c);
        let Some(live) = live.at(&object) else {
            return Err(RouterError::NotFound(object));
        };
        let one = |backend: &Value| {
            let name = backend["serviceName"].as_str().unwrap_or_default();
            (route::side(c, name), backend["weight"].as_i64().unwrap_or(0))
        };
        let shares = |rule: &Value| get::list(&rule["backends"]).iter().map(one).collect();
        let all: Vec<Shares> = get::list(&live["spec"]["http"]).iter().map(shares).collect();
        route::split(c, object, &all, false)
    }

    fn render(
        &self,
        c: &Validated,
        live: &Objects,
        want: Split,
        _cookies: &Cookies,
    ) -> Result<Vec<Manifest>, RouterError> {
        let sides = [
            (c.names.primary_service.as_str(), want.primary()),
            (c.names.canary_service.as_str(), want.canary()),
        ];
        Ok(vec![self.leading(c, live, &sides)?])
    }

    /// It points to the apex first, so that it can be deleted once the proxies have seen that.
    fn restore(&self, c: &Validated, live: &Objects) -> Vec<Undo> {
        let at = canary(c);
        if !live.at(&at).is_some_and(|object| made_for(object, &c.name)) {
            return vec![];
        }
        let still = self.leading(c, live, &[(c.names.apex.as_str(), 100)]);
        still.ok().map(Undo::Restore).into_iter().chain([Undo::Delete(at)]).collect()
    }

    fn queries(&self) -> &'static Builtin {
        &QUERIES
    }
}

impl Apisix {
    fn leading(&self, c: &Validated, live: &Objects, to: &[(&str, i32)]) -> Result<Manifest, RouterError> {
        let at = canary(c);
        let source = copy::source(c, live, &self.sources(c)[0], &at, |user| leads(c, user))?;
        let metadata = copy::metadata(c, &source, live.at(&at), |_| false);
        let (Source::User(object) | Source::Copy(object)) = &source;
        let rules = get::list(&object["spec"]["http"]).iter();
        let copied = matches!(source, Source::Copy(_));
        let rules: Vec<Value> =
            rules.filter(|rule| copied || is_ours(c, rule)).map(|rule| rule_to(rule, to, copied)).collect();
        // controllers ignore a route of another class, or without one
        let class = &object["spec"]["ingressClassName"];
        let spec = route::given([("http", json!(rules)), ("ingressClassName", class.clone())]);
        let body = json!({"metadata": metadata, "spec": spec});
        Ok(Manifest::new(APISIX_ROUTE, &at.name, managers::ROUTE, OWNED, body))
    }
}

fn canary(c: &Validated) -> ObjectRef {
    copy::of_apisix_route(&copy::named(c, "routeRef"), &c.names.apex)
}

/// Why the controller refuses the current copy, if it does.
fn refused(copy: &Value) -> Option<String> {
    let said = get::list(&copy["status"]["conditions"]).iter().find(|c| c["type"] == "ResourcesAvailable")?;
    let seen = said["observedGeneration"].as_i64().filter(|seen| *seen > 0);
    let current = seen.is_none_or(|seen| seen >= manifest::generation(copy).unwrap_or_default());
    let name = copy["metadata"]["name"].as_str().unwrap_or_default();
    let why = said["message"].as_str().unwrap_or_default();
    (current && said["status"] == "False").then(|| format!("APISIX does not take ApisixRoute {name}: {why}"))
}

/// Two rules share a path and a host, and theirs may get requests there. Of two different paths the longer one is
/// checked first, whatever the priorities.
fn meet(ours: &Value, theirs: &Value) -> bool {
    let list = |rule: &Value, field: &str| -> Vec<String> {
        let all = get::list(&rule["match"][field]).iter().filter_map(Value::as_str);
        all.map(str::to_owned).collect()
    };
    let (hosts, others) = (list(ours, "hosts"), list(theirs, "hosts"));
    let within = |hosts: &[String], others: &[String]| {
        let covered = |other: &String| hosts.iter().any(|host| bystanders::covers(host, other));
        hosts.is_empty() || others.iter().any(covered)
    };
    let priority = |rule: &Value| rule["priority"].as_i64().unwrap_or(0);
    // a rule for more hosts comes first by its priority only
    let host = within(&hosts, &others) || within(&others, &hosts) && priority(theirs) > priority(ours);
    host && list(ours, "paths").iter().any(|path| list(theirs, "paths").contains(path))
}

fn leads(c: &Validated, user: &Value) -> bool {
    get::list(&user["spec"]["http"]).iter().any(|rule| is_ours(c, rule))
}

/// The apex is its only Service, and gets requests. It may share them with `upstreams`, but not by a plugin, whose place the
/// weights would take.
fn is_ours(c: &Validated, rule: &Value) -> bool {
    let [only] = get::list(&rule["backends"]) else { return false };
    let idle = is_shared(rule) && weight(only) == 0;
    let by_plugin = |plugin: &Value| plugin["name"] == "traffic-split" && plugin["enable"] == true;
    let split = get::list(&rule["plugins"]).iter().any(by_plugin);
    only["serviceName"] == c.names.apex.as_str() && !idle && !split
}

fn is_shared(rule: &Value) -> bool {
    !get::list(&rule["upstreams"]).is_empty()
}

/// The weight of a backend or upstream, as the controller reads it.
fn weight(to: &Value) -> i64 {
    to["weight"].as_i64().unwrap_or(100).clamp(0, route::MOST)
}

/// The rule with the settings of its first backend for all of `to`. They share the weight of the rule's own backends, and its
/// upstreams keep theirs.
fn rule_to(rule: &Value, to: &[(&str, i32)], copied: bool) -> Value {
    let backends = get::list(&rule["backends"]);
    let own: i64 = backends.iter().map(weight).sum();
    let own = match (is_shared(rule), copied) {
        (false, _) => 1,
        (true, false) => own.min(MOST),
        (true, true) => own / 100,
    };
    let first = &rule["backends"][0];
    let backend = |(service, weight): &(&str, i32)| {
        let mut backend = first.clone();
        get::set(&mut backend, &["serviceName"], json!(service));
        get::set(&mut backend, &["weight"], json!(own * i64::from(*weight)));
        backend
    };
    let backends: Vec<Value> = to.iter().map(backend).collect();
    let mut rule = rule.clone();
    get::set(&mut rule, &["backends"], json!(backends));
    if !copied {
        let priority = rule["priority"].as_i64().unwrap_or(0).saturating_add(PRIORITY);
        get::set(&mut rule, &["priority"], json!(priority));
        for upstream in rule.get_mut("upstreams").and_then(Value::as_array_mut).into_iter().flatten() {
            let whole = weight(upstream).min(MOST) * 100;
            get::set(upstream, &["weight"], json!(whole));
        }
    }
    rule
}
