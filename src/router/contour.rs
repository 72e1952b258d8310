//! Contour: an HTTPProxy `<apex>` that splits by weight. It has no virtual host: the user's root HTTPProxy includes it.
//!
//! Owns the routes and, if `--ingress-class` is given, the class; other fields stay. The routes, in order: one for
//! each entry of the Canary's `never` and `always`, or of its `match`; all others.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    always_never,
    precedence::Sorting,
    queries::{Builtin, UNANSWERED, builtin},
    route::{self, Place, Shares, Side},
    split::Split,
    takeover::{Request, Shape},
    traits::{Cookies, Handover, Router, RouterError},
};
use crate::{
    manifest::{self, Manifest, Undo, json as get},
    snapshot::{Kind, ObjectRef, Objects},
    spec::Validated,
};

const HTTP_PROXY: Kind =
    Kind { group: "projectcontour.io", version: "v1", kind: "HTTPProxy", plural: "httpproxies" };
const OWNED: &[&str] = &["/spec/routes"];

const QUERIES: Builtin = Builtin {
    needs: "Prometheus has to scrape Contour's Envoys at /stats/prometheus",
    unseen: UNANSWERED,
    ..builtin!(
            r#"envoy_cluster_name=~"{{ namespace }}_{{ side }}_[0-9a-zA-Z-]+""#,
            "envoy_cluster_upstream_rq" if r#"envoy_response_code!~"5.*""#,
            p99 "envoy_cluster_upstream_rq_time_bucket" ""
    )
};

/// This header tells a Linkerd proxy beside Envoy the destination of a request.
const OVERRIDE: &str = "l5d-dst-override";

/// How long a connection may be idle once a timeout is set, as in Flagger.
const IDLE: &str = "5m";

const SHAPE: Shape = Shape {
    rules: "/routes",
    destinations: "/services",
    all: services,
    leading: Some(&["conditions", "services"]),
    destination: &["name", "port", "weight"],
    elsewhere: |c, to| {
        let name = to["name"].as_str().unwrap_or_default();
        let copies = (to["mirror"] == true).then(|| format!("{name} as copies"));
        copies.or_else(|| route::ours(c, name)).or_else(|| route::port(c, name, &to["port"]))
    },
    requests: |route| {
        // all of them have to match
        let mut all = Request::default();
        for condition in get::list(&route["conditions"]) {
            let ways = [("prefix", "prefix"), ("exact", "exact"), ("regex", "regex")];
            let one = Request::of(condition, condition, &ways).without(&["prefix", "exact", "regex"]);
            all.path = one.path.or(all.path);
            for value in one.rest.into_values() {
                all.rest.insert(value.to_string(), value);
            }
        }
        vec![all]
    },
};

/// Ties are broken by names and values of headers.
const SORTING: Sorting = Sorting { of: "Contour", keeps_order: false };

/// The router.
pub(super) struct Contour;

impl Router for Contour {
    fn name(&self) -> &'static str {
        "contour"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[HTTP_PROXY]
    }

    fn settle(&self) -> Duration {
        Duration::from_secs(3)
    }

    fn supported_fields(&self) -> &'static [&'static str] {
        &["match", "timeout", "retries"]
    }

    fn unsupported(&self, c: &Validated) -> Vec<String> {
        let why = "an HTTPProxy of Contour is not made with it: leave it out";
        let mut refused = route::cannot(c, &["mirror", "sessionAffinity"], why);
        let named = c.analysis.match_.iter().enumerate();
        let named = named.map(|(index, entry)| (format!("spec.analysis.match[{index}]"), entry));
        for (path, entry) in named.chain(always_never::entries(c)) {
            if entry["sourceLabels"].as_object().is_some_and(|labels| !labels.is_empty()) {
                refused
                    .push(format!("{path}.sourceLabels: an HTTPProxy has no such condition: leave it out"));
            }
        }
        refused.extend(always_never::problems(c));
        refused.extend(SORTING.problems(c, &|entry| vec![entry.clone()]));
        refused
    }

    fn advice(&self, c: &Validated, _live: &Objects) -> Vec<String> {
        let one = |field: String| {
            format!(
                "spec.service.match{field} is not looked at by the provider contour, which takes the first prefix of a path alone: say it where the user's HTTPProxy includes {}",
                c.names.apex
            )
        };
        unheard(&c.service.match_).into_iter().map(one).collect()
    }

    fn not_programmed(&self, c: &Validated, live: &Objects) -> Option<String> {
        let proxy = live.at(&place(c).at())?;
        let said = get::list(&proxy["status"]["conditions"]).iter().find(|said| said["type"] == "Valid")?;
        let seen = said["observedGeneration"].as_i64();
        let current = seen.is_none_or(|seen| seen >= manifest::generation(proxy).unwrap_or_default());
        let description = proxy["status"]["description"].as_str().unwrap_or_default();
        (current && proxy["status"]["currentStatus"] == "invalid")
            .then(|| format!("Contour does not take HTTPProxy {}: {description}", c.names.apex))
    }

    fn needs_handover(&self) -> Option<Handover> {
        Some(Handover { rules: "routes", destinations: "services", numbered: None })
    }

    fn reads(&self, c: &Validated) -> Vec<ObjectRef> {
        vec![place(c).at()]
    }

    fn takeover_conflict(&self, c: &Validated, theirs: &Value) -> Option<String> {
        let ours = json!({"routes": [rule(c, &[], &[])]});
        let apart = "set spec.service.name to a free name, and include HTTPProxy of that name";
        let lost = SHAPE.lost(c, &theirs["spec"], &ours).map(|lost| format!("{lost}: {apart}"));
        let widened = || SHAPE.widened(&theirs["spec"], &ours);
        let widened = || widened().map(|more| format!("{more}: say the same in spec.service.match, {apart}"));
        lost.or_else(widened)
    }

    fn read_back(&self, c: &Validated, live: &Objects) -> Result<Split, RouterError> {
        let object = place(c).at();
        let Some(live) = live.at(&object) else {
            return Err(RouterError::NotFound(object));
        };
        let rules = get::list(&live["spec"]["routes"]);
        let shares: Vec<Shares> = rules.iter().map(|rule| shares(c, rule)).collect();
        let pinned = always_never::in_force(rules, &pinned(c, Split::default().pinning(true)), "conditions");
        route::split(c, object, &shares, false).map(|split| split.pinning(pinned))
    }

    fn render(
        &self,
        c: &Validated,
        live: &Objects,
        want: Split,
        _cookies: &Cookies,
    ) -> Result<Vec<Manifest>, RouterError> {
        let sides = [
            backend(c, &c.names.primary_service, want.primary()),
            backend(c, &c.names.canary_service, want.canary()),
        ];
        let routes = if c.analysis.match_.is_empty() || want.is_for_everyone() {
            let mut all = pinned(c, want);
            all.push(rule(c, &[], &sides));
            all
        } else {
            let named = c.analysis.match_.iter().map(|entry| rule(c, &conditions(entry), &sides));
            let rest = [backend(c, &c.names.primary_service, 100)];
            named.chain([rule(c, &[], &rest)]).collect()
        };
        Ok(vec![place(c).manifest(c, live, &spec(c, live, &routes), &|live| plain(c, live))])
    }

    fn restore(&self, c: &Validated, live: &Objects) -> Vec<Undo> {
        let back = place(c).given_back(c, live, &|live| plain(c, live));
        back.map(Undo::Restore).into_iter().collect()
    }

    fn queries(&self) -> &'static Builtin {
        &QUERIES
    }
}

/// The destinations of a route, without the header that is each Service's own.
fn services(route: &Value) -> Vec<Value> {
    let mut all = get::list(&route["services"]).to_vec();
    for service in all.iter_mut().filter_map(Value::as_object_mut) {
        let Some(policy) = service.get_mut("requestHeadersPolicy") else { continue };
        if let Some(set) = policy.get_mut("set").and_then(Value::as_array_mut) {
            set.retain(|header| header["name"] != OVERRIDE);
        }
        if *policy == json!({"set": []}) {
            service.remove("requestHeadersPolicy");
        }
    }
    all
}

fn place(c: &Validated) -> Place<'_> {
    Place { kind: HTTP_PROXY, name: &c.names.apex, owned: OWNED, shape: Some(&SHAPE) }
}

/// Leads to the apex.
fn plain(c: &Validated, live: &Objects) -> Value {
    spec(c, live, &[rule(c, &[], &[backend(c, &c.names.apex, 100)])])
}

/// A taken over one keeps its class.
fn spec(c: &Validated, live: &Objects, routes: &[Value]) -> Value {
    let class = c.ingress.class.as_ref().filter(|_| place(c).theirs(c, live).is_none());
    route::given([("routes", json!(routes)), ("ingressClassName", json!(class))])
}

fn backend(c: &Validated, service: &str, weight: i32) -> Value {
    let port = c.service.port;
    let to = format!("{service}.{}.svc.cluster.local:{port}", c.namespace);
    json!({
        "name": service, "port": port, "weight": weight,
        "requestHeadersPolicy": {"set": [{"name": OVERRIDE, "value": to}]},
    })
}

fn rule(c: &Validated, conditions: &[Value], services: &[Value]) -> Value {
    let prefix = c.service.match_.first().and_then(|m| m["uri"]["prefix"].as_str()).filter(|p| !p.is_empty());
    let mut all = vec![json!({"prefix": prefix.unwrap_or("/")})];
    all.extend(conditions.iter().cloned());
    let timeout = c.service.timeout.as_deref().filter(|t| !t.is_empty());
    route::given([
        ("conditions", json!(all)),
        ("services", json!(services)),
        ("timeoutPolicy", json!(timeout.map(|t| json!({"response": t, "idle": IDLE})))),
        ("retryPolicy", json!(retries(c))),
    ])
}

/// What the routes leave out of `service.match`.
fn unheard(entries: &[Value]) -> Vec<String> {
    let Some((first, others)) = entries.split_first() else { return vec![] };
    let mut fields = Vec::new();
    for (field, value) in first.as_object().into_iter().flatten().filter(|(field, _)| *field != "name") {
        let mut ways = value.as_object().into_iter().flatten().map(|(way, _)| way.as_str());
        match field.as_str() {
            "uri" => fields.extend(ways.find(|way| *way != "prefix").map(|way| format!("[0].uri.{way}"))),
            _ => fields.push(format!("[0].{field}")),
        }
    }
    fields.extend((1..=others.len()).map(|index| format!("[{index}]")));
    fields
}

/// Routes for the requests of always and never.
fn pinned(c: &Validated, want: Split) -> Vec<Value> {
    let routes = |(list, side): (&[Value], Side)| {
        let to = [backend(c, always_never::service(c, side), 100)];
        list.iter().map(|entry| rule(c, &conditions(entry), &to)).collect::<Vec<_>>()
    };
    always_never::lists(c, want).into_iter().flat_map(routes).collect()
}

fn retries(c: &Validated) -> Option<Value> {
    let retries = c.service.retries.as_ref()?;
    let count = retries["attempts"].as_i64().filter(|count| *count > 0)?;
    let on: Vec<&str> = retries["retryOn"].as_str().unwrap_or_default().split(',').map(str::trim).collect();
    let on: Vec<&str> = on.into_iter().filter(|code| !code.is_empty()).collect();
    Some(route::given([
        ("count", json!(count)),
        ("perTryTimeout", retries["perTryTimeout"].clone()),
        ("retryOn", json!(on)),
    ]))
}

/// The header and query conditions of one entry of `match`; all of them have to match.
fn conditions(entry: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for (field, condition, ways) in [
        ("headers", "header", ["exact", "regex"].as_slice()),
        ("queryParams", "queryParameter", ["exact", "regex", "prefix", "suffix"].as_slice()),
    ] {
        for (name, asked) in entry[field].as_object().into_iter().flatten() {
            let mut one = json!({"name": name});
            let known = ways.iter().find(|way| asked[**way].is_string());
            let looser = ["prefix", "suffix"].iter().find(|way| asked[**way].is_string());
            match (known, looser) {
                (Some(way), _) => get::set(&mut one, &[way], asked[*way].clone()),
                // an HTTPProxy cannot match the beginning or end of a header: as in Flagger, the text may be anywhere
                // in it
                (None, Some(way)) => get::set(&mut one, &["contains"], asked[*way].clone()),
                (None, None) => get::set(&mut one, &["present"], json!(true)),
            }
            all.push(json!({condition: one}));
        }
    }
    all
}

fn shares(c: &Validated, rule: &Value) -> Shares {
    let one = |service: &Value| {
        let name = service["name"].as_str().unwrap_or_default();
        (route::side(c, name), service["weight"].as_i64().unwrap_or(0))
    };
    get::list(&rule["services"]).iter().map(one).collect()
}
