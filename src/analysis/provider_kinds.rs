//! PURE. Kinds of metrics servers as the planner knows them: which fields a MetricTemplate needs for each, and what a
//! query needs apart from its text. `source` queries the servers, and serves exactly these kinds.

pub(crate) use super::access::PROMETHEUS;
use super::{access::Access, query::Query};
use crate::{api::MetricTemplateSpec, expression::Path};

/// Graphite, whose durations have other units.
pub(super) const GRAPHITE: &str = "graphite";
/// Clouds, in which the operator may have an identity of its own.
const CLOUDWATCH: &str = "cloudwatch";
const STACKDRIVER: &str = "stackdriver";
/// Metrics that Keptn keeps in the cluster.
const KEPTN: &str = "keptn";
/// The external metrics API, of the cluster if no address is set.
const EXTERNAL: &str = "externalmetrics";
/// Any server that answers with JSON.
const WEB: &str = "web";

/// Whether a MetricTemplate needs a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// Required.
    Must,
    /// Optional.
    May,
    /// Ignored.
    Not,
}

/// A kind of metrics server: a `spec.provider.type` that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// The type.
    pub name: &'static str,
    /// `spec.provider.address`.
    pub address: Wants,
    /// `spec.provider.secretRef`.
    pub secret: Wants,
    /// `spec.provider.region`.
    pub region: Wants,
}

/// The kinds that are served, by name; `source` has a file for each.
pub(crate) const KINDS: &[Kind] = &[
    Kind { name: CLOUDWATCH, address: Wants::May, secret: Wants::May, region: Wants::Must },
    Kind { name: "datadog", address: Wants::May, secret: Wants::Must, region: Wants::Not },
    Kind { name: "dynatrace", address: Wants::Must, secret: Wants::Must, region: Wants::Not },
    Kind { name: EXTERNAL, address: Wants::May, secret: Wants::May, region: Wants::Not },
    Kind { name: GRAPHITE, address: Wants::Must, secret: Wants::May, region: Wants::Not },
    Kind { name: "influxdb", address: Wants::Must, secret: Wants::May, region: Wants::Not },
    Kind { name: KEPTN, address: Wants::Not, secret: Wants::Not, region: Wants::Not },
    Kind { name: "newrelic", address: Wants::May, secret: Wants::Must, region: Wants::Not },
    Kind { name: PROMETHEUS, address: Wants::Must, secret: Wants::May, region: Wants::Not },
    Kind { name: "splunk", address: Wants::Must, secret: Wants::Must, region: Wants::Not },
    Kind { name: STACKDRIVER, address: Wants::May, secret: Wants::May, region: Wants::Not },
    Kind { name: WEB, address: Wants::Must, secret: Wants::May, region: Wants::Not },
];

/// The kind of this name, if it is served.
pub(crate) fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// The namespace in which a query reads an object of the cluster, or its external metrics, if it does.
pub(crate) fn reads_in(query: &Query) -> Option<String> {
    let names = query.promql.trim().split('?').next()?.trim_start_matches('/').to_lowercase();
    match query.access.kind.as_str() {
        KEPTN => names.split('/').nth(1).map(str::to_owned),
        EXTERNAL if query.server.trim().is_empty() => {
            Some(names.split_once('/').map_or("default", |(namespace, _)| namespace).to_owned())
        }
        _ => None,
    }
}

/// A server belongs to another namespace than the Canary that uses it, and is queried with something that only its
/// owner, or the operator, has: a Secret, headers, an identity in a cloud, rights in the cluster.
pub(super) fn is_lent(access: &Access, address: &str, borrower: &str) -> bool {
    let kind = access.kind.as_str();
    let as_operator =
        matches!(kind, CLOUDWATCH | STACKDRIVER | KEPTN) || kind == EXTERNAL && address.trim().is_empty();
    access.namespace != borrower && (access.secret.is_some() || !access.headers.is_empty() || as_operator)
}

/// Headers that choose the destination of a connection, or separate the messages in it.
const RESERVED: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Why they are refused, and the remedy.
pub(crate) const RESERVED_WHY: &str =
    "which says whom a connection leads to: leave it out, and write the host into spec.provider.address";

/// A header that users may not set: with it a request could reach another host behind an allowed server, or contain a
/// second one.
pub(crate) fn is_reserved(header: &str) -> bool {
    let name = header.trim().to_ascii_lowercase();
    RESERVED.contains(&name.as_str()) || name.starts_with("proxy-")
}

/// What is wrong with the provider of a MetricTemplate, for a kind that is served: field and remedy.
pub(crate) fn mistakes(template: &MetricTemplateSpec, kind: &Kind) -> Option<String> {
    let provider = &template.provider;
    let empty = |text: Option<&str>| text.is_none_or(|t| t.trim().is_empty());
    if kind.address == Wants::Must && empty(provider.address.as_deref()) {
        return Some("no spec.provider.address: give it the URL of its server".into());
    }
    if kind.secret == Wants::Must && empty(provider.secret_ref.as_ref().map(|s| s.name.as_str())) {
        return Some(format!(
            "no spec.provider.secretRef: name the Secret with the credentials of {}",
            kind.name
        ));
    }
    if kind.region == Wants::Must && empty(provider.region.as_deref()) {
        return Some("no spec.provider.region: name the region to ask in, such as eu-west-1".into());
    }
    if let Some(name) = provider.headers.keys().find(|name| is_reserved(name)) {
        return Some(format!("{name} in spec.provider.headers, {RESERVED_WHY}"));
    }
    let path = provider.json_path.as_deref().filter(|_| kind.name == WEB)?;
    Path::parse(path).err().map(|why| format!("a spec.provider.jsonPath that cannot be followed: {why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(provider: &serde_json::Value) -> MetricTemplateSpec {
        serde_json::from_value(json!({"provider": provider, "query": "up"})).unwrap()
    }

    #[test]
    fn a_template_says_how_its_server_is_asked() {
        let all = template(&json!({
            "type": "prometheus", "address": "http://p:9090", "secretRef": {"name": "login"}, "region": "",
            "insecureSkipVerify": true, "headers": {"X-Scope-OrgID": ["a"]},
        }));
        let versions = [("prod/login".to_owned(), "7".to_owned())].into();
        let access = Access::of("prod/errors", &all, &versions);
        let secret = access.secret.unwrap();
        assert_eq!((secret.namespace.as_str(), secret.name.as_str()), ("prod", "login"));
        assert_eq!(secret.version.as_deref(), Some("7"));
        assert!(secret.named_by.contains("prod/errors"));
        assert!(access.any_certificate && access.region.is_none() && access.headers.len() == 1);
        assert_eq!(
            Access::of("prod/x", &template(&json!({"type": "prometheus"})), &versions),
            Access::in_namespace("prod")
        );
    }

    #[test]
    fn what_a_kind_must_have_is_asked_for() {
        let strict = Kind { name: "x", address: Wants::Must, secret: Wants::Must, region: Wants::Must };
        let mut provider = json!({"type": "x", "address": " "});
        for (field, value) in
            [("address", json!("http://x")), ("secretRef", json!({"name": "login"})), ("region", json!("eu"))]
        {
            let said = mistakes(&template(&provider), &strict).unwrap();
            assert!(said.contains(&format!("spec.provider.{field}")), "{said}");
            provider[field] = value;
        }
        assert_eq!(mistakes(&template(&provider), &strict), None);
        let lax = Kind { address: Wants::May, secret: Wants::May, region: Wants::Not, ..strict };
        assert_eq!(mistakes(&template(&json!({"type": "x"})), &lax), None);
    }

    #[test]
    fn f20_headers_that_steer_the_connection_are_refused() {
        let of = |name: &str| {
            let provider = json!({"type": "prometheus", "address": "http://x", "headers": {name: ["y"]}});
            mistakes(&template(&provider), kind(PROMETHEUS).unwrap())
        };
        for name in [
            "Host",
            "host",
            "Content-Length",
            "Transfer-Encoding",
            "Connection",
            "Proxy-Authorization",
            "PROXY-x",
        ] {
            let why = of(name).unwrap();
            assert!(why.contains("spec.provider.headers") && why.contains(name), "{why}");
        }
        for name in ["X-Scope-OrgID", "Authorization", "X-Forwarded-Host"] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
