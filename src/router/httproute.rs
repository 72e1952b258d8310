//! PURE. Parts of a Canary in the form of an HTTPRoute: conditions and filters. Every field that the API server fills
//! in is written out.

use serde_json::{Value, json};

use super::{
    route::{self, Shares},
    takeover::{Request, Shape},
};
use crate::{api::duration, manifest::json as get, spec::Validated};

/// Where it has its rules and destinations.
pub(super) const SHAPE: Shape = Shape {
    rules: "/rules",
    destinations: "/backendRefs",
    all: |rule| get::list(&rule["backendRefs"]).to_vec(),
    leading: Some(&["matches", "backendRefs"]),
    destination: &["group", "kind", "name", "namespace", "port", "weight"],
    elsewhere: |c, to| {
        let name = to["name"].as_str().unwrap_or_default();
        let namespace = to["namespace"].as_str().filter(|namespace| *namespace != c.namespace);
        let kind = to["kind"].as_str().filter(|kind| *kind != "Service");
        let at = namespace.map(|namespace| format!("{name} of namespace {namespace}"));
        let at = at.or(kind.map(|kind| format!("{kind} {name}")));
        at.or_else(|| route::ours(c, name)).or_else(|| route::port(c, name, &to["port"]))
    },
    requests: |rule| {
        let one = |entry: &Value| {
            let path = &entry["path"];
            let way = match path["type"].as_str() {
                Some("Exact") => "exact",
                Some("RegularExpression") => "regex",
                _ => "prefix",
            };
            let mut request = Request::of(entry, path, &[("value", way)]).without(&["path"]);
            if let Some(("prefix", at)) = &mut request.path {
                // of whole segments: /a/ means the same as /a
                let whole = at.trim_end_matches('/').len().max(1).min(at.len());
                at.truncate(whole);
            }
            request
        };
        get::list(&rule["matches"]).iter().map(one).collect()
    },
};

/// One entry of a `match` in the form of an HTTPRoute; inexpressible fields are omitted, and were refused before.
pub(super) fn request(entry: &Value) -> Value {
    let path = [("exact", "Exact"), ("prefix", "PathPrefix"), ("regex", "RegularExpression")]
        .into_iter()
        .find_map(|(way, type_)| Some(json!({"type": type_, "value": entry["uri"][way].as_str()?})));
    let values = |field: &str| {
        let all = entry[field].as_object().into_iter().flatten();
        let one = |(name, way): (&String, &Value)| {
            let (type_, value) = way["regex"]
                .as_str()
                .map_or_else(|| ("Exact", way["exact"].as_str()), |v| ("RegularExpression", Some(v)));
            Some(json!({"type": type_, "name": name, "value": value?}))
        };
        Value::Array(sorted(all.filter_map(one).collect()))
    };
    route::given([
        ("path", path.unwrap_or_else(|| json!({"type": "PathPrefix", "value": "/"}))),
        ("headers", values("headers")),
        ("queryParams", values("queryParams")),
        ("method", entry["method"]["exact"].clone()),
    ])
}

/// Fields of an entry in a form that an HTTPRoute does not have: field paths, each with a remedy.
pub(super) fn inexpressible(entry: &Value) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    for field in ["headers", "queryParams"] {
        for (name, way) in entry[field].as_object().into_iter().flatten() {
            if !way["exact"].is_string() && !way["regex"].is_string() {
                found.push(format!("{field}.{name}: an HTTPRoute knows exact and regex only"));
            }
        }
    }
    if entry["method"].is_object() && !entry["method"]["exact"].is_string() {
        found.push("method: an HTTPRoute knows exact only".into());
    }
    for field in [
        "scheme",
        "authority",
        "port",
        "gateways",
        "sourceLabels",
        "sourceNamespace",
        "withoutHeaders",
        "ignoreUriCase",
    ] {
        if !entry[field].is_null() && entry[field] != false {
            found.push(format!("{field}: an HTTPRoute has no such condition: leave it out"));
        }
    }
    found.into_iter()
}

fn sorted(mut list: Vec<Value>) -> Vec<Value> {
    list.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
    list
}

/// Filters in Flagger's order; the caller adds those that depend on the split.
pub(super) fn filters(c: &Validated) -> Vec<Value> {
    let mut filters = Vec::new();
    let headers = c.service.headers.clone().unwrap_or_default();
    for (side, type_, field) in [
        ("request", "RequestHeaderModifier", "requestHeaderModifier"),
        ("response", "ResponseHeaderModifier", "responseHeaderModifier"),
    ] {
        let named = |operation: &str| {
            let all = headers[side][operation].as_object().into_iter().flatten();
            Value::Array(sorted(all.map(|(name, value)| json!({"name": name, "value": value})).collect()))
        };
        let operations = route::given([
            ("add", named("add")),
            ("set", named("set")),
            ("remove", headers[side]["remove"].clone()),
        ]);
        if operations != json!({}) {
            filters.push(json!({"type": type_, field: operations}));
        }
    }
    filters.extend(rewrite(c));
    for copy in &c.service.mirror {
        let mut to = json!({"group": "", "kind": "Service"});
        for (key, value) in copy["backendRef"].as_object().into_iter().flatten() {
            get::set(&mut to, &[key], value.clone());
        }
        filters.push(mirror(&to));
    }
    filters
}

/// The matched part of the path is replaced: the API then requires one condition per rule, on the prefix of the path.
pub(super) fn replaces_prefix(c: &Validated) -> bool {
    let uri = |rewrite: &Value| rewrite["uri"].as_str().is_some_and(|uri| !uri.is_empty());
    c.service.rewrite.as_ref().is_some_and(|r| r["type"] == "ReplacePrefixMatch" && uri(r))
}

fn rewrite(c: &Validated) -> Option<Value> {
    let given = c.service.rewrite.as_ref()?;
    let uri = given["uri"].as_str().filter(|uri| !uri.is_empty());
    let path = uri.map(|uri| {
        if replaces_prefix(c) {
            json!({"type": "ReplacePrefixMatch", "replacePrefixMatch": uri})
        } else {
            json!({"type": "ReplaceFullPath", "replaceFullPath": uri})
        }
    });
    let to = route::given([("hostname", given["authority"].clone()), ("path", json!(path))]);
    (to != json!({})).then(|| json!({"type": "URLRewrite", "urlRewrite": to}))
}

pub(super) fn cors(c: &Validated) -> Option<Value> {
    let policy = c.service.cors_policy.as_ref()?;
    // the API server fills in five seconds
    let max_age = policy["maxAge"].as_str().and_then(duration::parse).map_or(5, |age| age.as_secs().max(1));
    let cors = route::given([
        ("allowOrigins", json!(origins(c).0)),
        ("allowMethods", policy["allowMethods"].clone()),
        ("allowHeaders", policy["allowHeaders"].clone()),
        ("exposeHeaders", policy["exposeHeaders"].clone()),
        ("allowCredentials", policy["allowCredentials"].clone()),
        ("maxAge", json!(max_age)),
    ]);
    Some(json!({"type": "CORS", "cors": cors}))
}

/// Allowed origins, and those that cannot be expressed.
pub(super) fn origins(c: &Validated) -> (Vec<Value>, Vec<String>) {
    let policy = c.service.cors_policy.clone().unwrap_or_default();
    let mut known = get::list(&policy["allowOrigin"]).to_vec();
    let mut unknown = Vec::new();
    for (index, origin) in get::list(&policy["allowOrigins"]).iter().enumerate() {
        if origin["exact"].is_string() {
            known.push(origin["exact"].clone());
        } else {
            unknown.push(format!(
                "spec.service.corsPolicy.allowOrigins[{index}]: an HTTPRoute knows exact origins only"
            ));
        }
    }
    (known, unknown)
}

/// A Service as destination.
pub(super) fn service(c: &Validated, name: &str) -> Value {
    json!({"group": "", "kind": "Service", "name": name, "port": c.service.port})
}

pub(super) fn backend(c: &Validated, name: &str, weight: i32) -> Value {
    let mut backend = service(c, name);
    get::set(&mut backend, &["weight"], json!(weight));
    backend
}

/// The weights of the sides in a rule.
pub(super) fn shares(c: &Validated, rule: &Value) -> Shares {
    let one = |backend: &Value| {
        let name = backend["name"].as_str().unwrap_or_default();
        (route::side(c, name), backend["weight"].as_i64().unwrap_or(1))
    };
    get::list(&rule["backendRefs"]).iter().map(one).collect()
}

/// Filters of a destination whose answers set this cookie.
pub(super) fn set_cookie(cookie: &str) -> Value {
    json!([{
        "type": "ResponseHeaderModifier",
        "responseHeaderModifier": {"add": [{"name": "Set-Cookie", "value": cookie}]},
    }])
}

/// Mirrors all requests to this backend.
pub(super) fn mirror(backend: &Value) -> Value {
    json!({"type": "RequestMirror", "requestMirror": {"backendRef": backend}})
}

/// A duration in the Gateway API's format: whole hours, minutes, seconds and milliseconds, each with at most five
/// digits (GEP-2257). Flagger's field accepts Go's format, `1.5s` too. An invalid duration stays as it is, for the API
/// server to refuse.
pub(super) fn whole_units(text: &str) -> String {
    let Some(time) = duration::parse(text).filter(|_| !is_of_whole_units(text)) else {
        return text.to_owned();
    };
    let millis = time.as_nanos().div_ceil(1_000_000);
    let parts = [("h", 3_600_000, u128::MAX), ("m", 60_000, 60), ("s", 1_000, 60), ("ms", 1, 1_000)];
    let part = |(unit, size, most): &(&str, u128, u128)| {
        let count = millis / size % most;
        (count > 0).then(|| format!("{count}{unit}"))
    };
    let all: String = parts.iter().filter_map(part).collect();
    if all.is_empty() { "0s".into() } else { all }
}

/// It has the Gateway API's format.
fn is_of_whole_units(text: &str) -> bool {
    let mut rest = text;
    for _ in 0..4 {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let unit = &rest[digits..];
        let Some(unit) = ["ms", "h", "m", "s"].into_iter().find(|known| unit.starts_with(known)) else {
            return false;
        };
        if !(1..=5).contains(&digits) {
            return false;
        }
        rest = &rest[digits + unit.len()..];
        if rest.is_empty() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_with_a_fraction_becomes_whole_units() {
        for (given, wanted) in [
            ("1.5s", "1s500ms"),
            ("0.5m", "30s"),
            ("1h30m", "1h30m"),
            ("90s", "90s"),
            ("500ms", "500ms"),
            ("100us", "1ms"),
            ("100000s", "27h46m40s"),
            ("1s1s1s1s1s", "5s"),
            ("0", "0s"),
            ("soon", "soon"),
            ("", ""),
        ] {
            assert_eq!(whole_units(given), wanted, "{given:?}");
        }
    }
}
