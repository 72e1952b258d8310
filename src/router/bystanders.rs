//! PURE. Routes of others that serve the same host and path as the user's own route that a Canary copies. The copy
//! takes precedence over them, or merges with theirs: the affected routes are reported in advance.

use serde_json::Value;

use crate::{manifest::json as get, names, spec::Validated};

/// A host and a path that both the object and the user's own serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shared {
    pub(super) host: String,
    pub(super) path: String,
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
/// the apex there. None of the two was made by Serin.
pub(super) fn of_ingress(
    c: &Validated,
    user: &Value,
    other: &Value,
    same: impl Fn(Served<'_>, Served<'_>) -> bool,
) -> Option<Shared> {
    if is(user, other) || get::label(other, names::LABEL_CANARY).is_some() {
        return None;
    }
    let ours = served(user).filter(|(_, service)| **service == c.names.apex.as_str()).map(|(at, _)| at);
    let meets = |ours: Served<'_>| {
        let (theirs, _) =
            served(other).find(|(theirs, _)| covers(ours.0, theirs.0) && same(ours, *theirs))?;
        Some(Shared { host: theirs.0.to_owned(), path: theirs.1.to_owned() })
    };
    ours.into_iter().find_map(meets)
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

/// Terms for finding other objects that serve one of the user's hosts, so that most others need not be read. None: it
/// has a rule for all hosts.
pub(crate) fn wanted_hosts(user: &Value) -> Option<Vec<String>> {
    let mut wanted = Vec::new();
    for hosts in hosts(user) {
        // for a wildcard within a label, the domain after that label
        let below = |host: &str| host.find('.').map(|dot| host[dot..].to_owned());
        let one = |host: &str| if host.starts_with('*') { below(host) } else { Some(host.to_owned()) };
        let terms: Option<Vec<String>> = hosts.into_iter().map(one).collect();
        wanted.extend(terms.filter(|terms| !terms.is_empty())?);
    }
    Some(wanted)
}

/// Terms for finding an object by the hosts that it serves: each of them, and their parent domains. A DestinationRule has
/// its host only.
pub(crate) fn served_hosts(object: &Value) -> Vec<String> {
    if let Some(host) = of_destination_rule(object) {
        return vec![host];
    }
    let domains = |host: &str| -> Vec<String> {
        let dots = host.match_indices('.').map(|(dot, _)| host[dot..].to_owned());
        std::iter::once(host.to_owned()).chain(dots).collect()
    };
    let mut all: Vec<String> = hosts(object).flatten().flat_map(domains).collect();
    all.sort_unstable();
    all.dedup();
    all
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

/// Requests for `host` match a rule for `ours`: no host means all.
pub(super) fn covers(ours: &str, host: &str) -> bool {
    let below = |domain: &str| !host.is_empty() && host.ends_with(domain);
    ours.is_empty() || ours == host || ours.strip_prefix('*').is_some_and(below)
}
