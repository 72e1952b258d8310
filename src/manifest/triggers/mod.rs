//! The triggers and metrics of a primary's autoscaler: those of the target's, with queries about the primary.
//!
//! Only fields that are known to name pods or a Service are rewritten. A queue or a topic with the target's name is
//! shared by both sides and stays. Fields that name the target and are not rewritten are reported.

use serde_json::{Map, Value, json};

use super::json as get;
use crate::{
    api::AutoscalerRef,
    names,
    snapshot::{HPA, Kind},
    spec::Validated,
};

/// Members of a trigger's metadata that contain a query, in some language.
const QUERIES: [&str; 6] = ["query", "nrql", "expression", "metricSelector", "filter", "metricQuery"];
/// Members that contain a selector of pods.
const SELECTORS: [&str; 1] = ["podSelector"];
/// Members that contain the URL of a server.
const URLS: [&str; 3] = ["url", "serviceURL", "metricsURL"];

fn is_turned(key: &str) -> bool {
    QUERIES.contains(&key) || SELECTORS.contains(&key) || URLS.contains(&key)
}

/// The spec of a ScaledObject, aimed at the primary.
pub(super) fn of_primary(spec: &mut Value, c: &Validated, label: &(String, String), named: &AutoscalerRef) {
    if let Some(name) = spec.pointer_mut("/advanced/horizontalPodAutoscalerConfig/name")
        && let Some(own) = name.as_str().filter(|n| !n.is_empty())
    {
        *name = json!(names::primary(own));
    }
    // when the copy goes, the primary is not to get back the pods that it once had
    if let Some(advanced) = spec.get_mut("advanced").and_then(Value::as_object_mut) {
        advanced.remove("restoreToOriginalReplicaCount");
    }
    for trigger in spec["triggers"].as_array_mut().into_iter().flatten() {
        let given = named.primary_scaler_queries.get(name_of(trigger)).cloned();
        let Some(metadata) = trigger.get_mut("metadata").and_then(Value::as_object_mut) else { continue };
        for (key, value) in metadata.iter_mut().filter(|(key, _)| is_turned(key)) {
            if let Some(text) = value.as_str() {
                *value = json!(turned(key, text, c, label));
            }
        }
        if let Some((key, given)) = asks(metadata).zip(given) {
            metadata.insert(key.to_owned(), json!(given));
        }
    }
}

/// The name of a trigger; where it has none, the one among its metadata, as Flagger's documentation writes it.
fn name_of(trigger: &Value) -> &str {
    let both = [&trigger["name"], &trigger["metadata"]["name"]].into_iter().filter_map(Value::as_str);
    both.into_iter().find(|name| !name.is_empty()).unwrap_or_default()
}

/// The member of a trigger's metadata that says what is asked.
fn asks(metadata: &Map<String, Value>) -> Option<&'static str> {
    let all = QUERIES.into_iter().chain(SELECTORS).chain(URLS);
    all.into_iter().find(|key| metadata.get(*key).is_some_and(Value::is_string))
}

fn turned(key: &str, text: &str, c: &Validated, label: &(String, String)) -> String {
    if SELECTORS.contains(&key) {
        selector_of_primary(text, label)
    } else if URLS.contains(&key) {
        url_of_primary(text, c)
    } else {
        about_primary(text, &c.names.target)
    }
}

/// A selector such as `app=web,tier=front`, for the primary's pods: only the distinguishing label differs.
fn selector_of_primary(selector: &str, label: &(String, String)) -> String {
    let part = |part: &str| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let (key, value) = (key.trim(), value.trim_start_matches('=').trim());
        let own = key == label.0 && value == label.1;
        if own { format!("{key}={}", names::primary(value)) } else { part.to_owned() }
    };
    selector.split(',').map(part).collect::<Vec<_>>().join(",")
}

/// A URL whose host is a Service of the target, changed to one of the primary: the target's name, and the Services of
/// the Canary.
fn url_of_primary(url: &str, c: &Validated) -> String {
    let (scheme, rest) =
        url.split_once("://").map_or(("", url), |(scheme, _)| url.split_at(scheme.len() + 3));
    let end = rest.find(['/', ':', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let (name, domain) = host.split_once('.').map_or((host, ""), |(name, _)| host.split_at(name.len()));
    let here = format!(".{}", c.namespace);
    let within = domain.is_empty() || domain == here || domain.starts_with(&format!("{here}.svc"));
    let own = [&c.names.target, &c.names.apex, &c.names.canary_service].into_iter().any(|own| own == name);
    if own && within { format!("{scheme}{}{domain}{path}", c.names.primary_service) } else { url.to_owned() }
}

/// Inputs of the primary's autoscaler that are still about the target, and queries of the Canary that change nothing.
pub fn unturned(
    c: &Validated,
    kind: Kind,
    named: &AutoscalerRef,
    scaler: &Value,
    label: &(String, String),
) -> Vec<String> {
    let object = format!("{} {}", kind.kind, named.name);
    let mut list = if kind == HPA { of_metrics(c, &object, scaler) } else { vec![] };
    let mut asked = Vec::new();
    for (at, trigger) in get::list(&scaler["spec"]["triggers"]).iter().enumerate().filter(|_| kind != HPA) {
        let Some(metadata) = trigger["metadata"].as_object() else { continue };
        let name = name_of(trigger);
        asked.extend(asks(metadata).map(|_| name));
        if named.primary_scaler_queries.contains_key(name) && asks(metadata).is_some() {
            continue;
        }
        let shown = trigger["type"].as_str().unwrap_or_default();
        let same =
            metadata.iter().filter_map(|(key, value)| Some((key, value.as_str()?))).filter(|(key, text)| {
                let same = !is_turned(key) || turned(key, text, c, label) == **text;
                same && (about_primary(text, &c.names.target) != **text || SELECTORS.contains(&key.as_str()))
            });
        list.extend(same.map(|(key, _)| {
            format!(
                "{object}: spec.triggers[{at}] ({shown}) goes by {key}, which is the same for {} and {}: where that is not meant, name the trigger and give spec.autoscalerRef.primaryScalerQueries what the primary is to go by",
                c.names.target, c.names.primary
            )
        }));
    }
    let unused = named.primary_scaler_queries.keys().filter(|name| !asked.contains(&name.as_str()));
    list.extend(unused.map(|name| {
        format!(
            "spec.autoscalerRef.primaryScalerQueries[{name}] changes nothing: {object} has no trigger of that name whose metadata has one of {}",
            [&QUERIES[..], &SELECTORS, &URLS].concat().join(", ")
        )
    }));
    list
}

/// External metrics that are about the target by a label.
fn of_metrics(c: &Validated, object: &str, hpa: &Value) -> Vec<String> {
    let about = |metric: &&Value| {
        let labels = get::strings(&metric["external"]["metric"]["selector"]["matchLabels"]);
        labels.values().any(|value| about_primary(value, &c.names.target) != *value)
    };
    let metrics = get::list(&hpa["spec"]["metrics"]).iter().filter(about);
    let name = |metric: &Value| metric["external"]["metric"]["name"].as_str().unwrap_or_default().to_owned();
    metrics
        .map(|metric| {
            format!(
                "{object}: the external metric {} selects {}, for {} as well: let it go by something that both share, or by the pods",
                name(metric),
                c.names.target,
                c.names.primary
            )
        })
        .collect()
}

/// A query about the target's pods as one about the primary's: `<target>` and `<target>-canary` become
/// `<target>-primary` wherever they are whole names, or the beginning of a pattern such as `<target>-.*`. If the
/// language quotes its values, unquoted text is left alone: a label may have the target's name.
fn about_primary(query: &str, target: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let quotes = query.contains(QUOTES);
    let (mut out, mut from) = (String::new(), 0);
    while let Some(at) = query[from..].find(target).filter(|_| !target.is_empty()).map(|at| from + at) {
        out.push_str(&query[from..at]);
        let begins = !query[..at].ends_with(|c| word(c) || c == '-');
        let tail = &query[at + target.len()..];
        let whole = |tail: &str| !tail.starts_with(|c| word(c) || c == '-');
        let canary = tail.starts_with("-canary") && whole(&tail["-canary".len()..]);
        let pattern = tail.strip_prefix('-').is_some_and(|tail| !tail.starts_with(word));
        let value = if quotes { quoted(&query[..at]) } else { !tail.starts_with(['=', ':', '!']) };
        from = at + target.len();
        if begins && value && (canary || whole(tail) || pattern) {
            out.push_str(&names::primary(target));
            from += if canary { "-canary".len() } else { 0 };
        } else {
            out.push_str(target);
        }
    }
    out + &query[from..]
}

const QUOTES: [char; 3] = ['"', '\'', '`'];

/// Text after this is inside quotes that were opened in it.
fn quoted(text: &str) -> bool {
    let (mut open, mut escaped) = (None, false);
    for c in text.chars() {
        match open {
            _ if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(quote) if c == quote => open = None,
            None if QUOTES.contains(&c) => open = Some(c),
            _ => {}
        }
    }
    open.is_some()
}

#[cfg(test)]
mod tests;
