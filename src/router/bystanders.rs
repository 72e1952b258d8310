//! PURE. Routes of others that serve the same host and path as the user's own route that a Canary copies. The copy
//! takes precedence over them, or merges with theirs: the affected routes are reported in advance.

use serde_json::Value;

use super::gloo_services;
use crate::{manifest::json as get, names, spec::Validated};

/// The term of rules for all hosts.
const ALL: &str = "*";

/// A host and a path that both the object and the user's own serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shared {
    pub(super) host: String,
    pub(super) path: String,
    /// Ours, then theirs.
    pub(super) kinds: [String; 2],
}

impl Shared {
    /// For people.
    pub(super) fn place(&self) -> String {
        let host = if self.host.is_empty() { "all hosts" } else { &self.host };
        format!("{host}, path {}", if self.path.is_empty() { "/" } else { &self.path })
    }
}

/// A place that an Ingress serves: host, path and type.
type Served<'a> = (&'a str, &'a str, &'a str);

fn served(ingress: &Value) -> impl Iterator<Item = (Served<'_>, &Value)> {
    get::list(&ingress["spec"]["rules"]).iter().flat_map(|rule| {
        let host = rule["host"].as_str().unwrap_or_default();
        get::list(&rule["http"]["paths"]).iter().map(move |path| {
            let text = |field: &str| path[field].as_str().unwrap_or_default();
            ((host, text("path"), text("pathType")), &path["backend"]["service"]["name"])
        })
    })
}

/// The first host and path that both `other` and the user's Ingress serve, compared by `same`, if the latter points to
/// the apex there. None of the two was made by Serin. `other` may be the user's Ingress itself, with other paths.
pub(super) fn of_ingress(
    c: &Validated,
    user: &Value,
    other: &Value,
    same: impl Fn(Served<'_>, Served<'_>) -> bool,
) -> Option<Shared> {
    if get::label(other, names::LABEL_CANARY).is_some() {
        return None;
    }
    let ours = served(user).filter(|(_, service)| **service == c.names.apex.as_str()).map(|(at, _)| at);
    let ours: Vec<Served<'_>> = ours.collect();
    // other backends of the apex's own paths are copied
    let copied =
        |at: &Served<'_>| is(user, other) && ours.iter().any(|ours| (ours.0, ours.1) == (at.0, at.1));
    let theirs: Vec<Served<'_>> = served(other).map(|(at, _)| at).filter(|at| !copied(at)).collect();
    let meets = |ours: &Served<'_>| {
        let theirs = theirs.iter().find(|theirs| meet(ours.0, theirs.0) && same(*ours, **theirs))?;
        let host = if covers(ours.0, theirs.0) { theirs.0 } else { ours.0 };
        let path = if theirs.1.len() < ours.1.len() { ours.1 } else { theirs.1 };
        let kinds = [ours.2, theirs.2].map(str::to_owned);
        Some(Shared { host: host.to_owned(), path: path.to_owned(), kinds })
    };
    ours.iter().find_map(meets)
}

/// The hosts of each rule of an Ingress or ApisixRoute; none means all.
fn hosts(object: &Value) -> impl Iterator<Item = Vec<&str>> {
    let rules = get::list(&object["spec"]["rules"]).iter().map(|rule| vec![&rule["host"]]);
    let http = get::list(&object["spec"]["http"]).iter();
    let http = http.map(|rule| get::list(&rule["match"]["hosts"]).iter().collect());
    rules.chain(http).map(named)
}

fn named(hosts: Vec<&Value>) -> Vec<&str> {
    hosts.into_iter().filter_map(Value::as_str).filter(|host| !host.is_empty()).collect()
}

/// Terms for finding other objects that serve one of the user's hosts, also by a wildcard or for all hosts, so that most
/// others need not be read. None: it has a rule for all hosts.
pub(super) fn wanted_hosts(user: &Value) -> Option<Vec<String>> {
    let mut wanted = vec![ALL.to_owned()];
    for hosts in hosts(user) {
        // for a wildcard within a label, the domain after that label
        let one = |host: &str| match host.strip_prefix('*') {
            Some(_) => domains(host).next(),
            None => Some(host.to_owned()),
        };
        let terms: Option<Vec<String>> = hosts.iter().map(|host| one(host)).collect();
        wanted.extend(terms.filter(|terms| !terms.is_empty())?);
        wanted.extend(hosts.iter().flat_map(|host| domains(host)).map(|domain| format!("*{domain}")));
    }
    wanted.sort_unstable();
    wanted.dedup();
    Some(wanted)
}

/// Terms for finding an object: the hosts that it serves, and their parent domains. Those of a wildcard within a label
/// include the wildcard for its domain. A DestinationRule has its host only, and a route of Gloo its Services.
pub(crate) fn terms(object: &Value) -> Vec<String> {
    if let Some(host) = of_destination_rule(object) {
        return vec![host];
    }
    let of_host = |host: &str| -> Vec<String> {
        let wildcard = host.strip_prefix('*').and_then(|_| domains(host).next());
        let wildcard = wildcard.map(|domain| format!("*{domain}"));
        [host.to_owned()].into_iter().chain(domains(host)).chain(wildcard).collect()
    };
    let of_rule = |hosts: Vec<&str>| -> Vec<String> {
        if hosts.is_empty() { vec![ALL.to_owned()] } else { hosts.into_iter().flat_map(of_host).collect() }
    };
    let mut all: Vec<String> = hosts(object).flat_map(of_rule).collect();
    all.extend(gloo_services::direct(object));
    all.sort_unstable();
    all.dedup();
    all
}

/// The domains of a host, each with its dot, the longest first.
fn domains(host: &str) -> impl Iterator<Item = String> {
    host.match_indices('.').map(|(dot, _)| host[dot..].to_owned())
}

/// The host of a DestinationRule, in full; None for other objects.
pub(super) fn of_destination_rule(rule: &Value) -> Option<String> {
    let host = rule["spec"]["host"].as_str()?;
    let namespace = rule["metadata"]["namespace"].as_str().unwrap_or_default();
    Some(in_full(host, namespace))
}

/// istiod adds the namespace to names without a dot only.
pub(super) fn in_full(host: &str, namespace: &str) -> String {
    if host.contains('.') || host == "*" {
        host.to_owned()
    } else {
        format!("{host}.{namespace}.svc.cluster.local")
    }
}

/// It is the same object.
pub(super) fn is(one: &Value, other: &Value) -> bool {
    let at = |object: &Value| (object["metadata"]["namespace"].clone(), object["metadata"]["name"].clone());
    at(one) == at(other)
}

/// Its namespace and name, for people.
pub(super) fn name(object: &Value) -> String {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    format!("{} {}/{}", object["kind"].as_str().unwrap_or_default(), text("namespace"), text("name"))
}

/// Some requests match rules for both.
fn meet(one: &str, other: &str) -> bool {
    covers(one, other) || covers(other, one)
}

/// Requests for `host` match a rule for `ours`: no host means all.
pub(super) fn covers(ours: &str, host: &str) -> bool {
    let below = |domain: &str| !host.is_empty() && host.ends_with(domain);
    ours.is_empty() || ours == host || ours.strip_prefix('*').is_some_and(below)
}
