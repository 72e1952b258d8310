//! The operator's settings as plain, validated data. No parsing, no I/O: `cli` makes it.

use std::{collections::BTreeSet, fmt, path::PathBuf, time::Duration};

use serde::Serialize;

use crate::{outbound::OutboundPolicy, pattern, proxies::Proxies, scope::Scope};

/// Settings that decisions depend on: part of every snapshot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rules {
    /// Router for Canaries that set none (`--mesh-provider`).
    pub mesh_provider: String,
    /// Prometheus for Canaries that set none (`--metrics-server`).
    pub metrics_server: String,
    /// Labels by which a target selects its pods, in order of preference (`--selector-labels`).
    pub selector_labels: Vec<String>,
    /// Prefixes of labels that are copied to generated objects; `*` means all (`--include-label-prefix`).
    pub include_label_prefix: Vec<String>,
    /// Settle time instead of the router's own (`--settle-time`).
    pub settle: Option<Duration>,
    /// Refuse references to other namespaces (`--no-cross-namespace-refs`).
    pub no_cross_namespace_refs: bool,
    /// Nothing reaches beyond its namespace unless its owner, or a flag, allows it (`--strict`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// Hosts that routes may use (`--allowed-route-hosts`); unset: any, or with `--strict` those of the own namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route_hosts: Option<Vec<String>>,
    /// Gateways that routes may use (`--allowed-gateways`); unset: as with hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateways: Option<Vec<String>>,
    /// Namespaces whose MetricTemplates may use the operator's own identity in a cloud
    /// (`--cloud-identity-namespaces`); unset: all, or with `--strict` none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_identity: Option<Vec<String>>,
    /// Track the ConfigMaps and Secrets of targets (`--enable-config-tracking`).
    pub config_tracking: bool,
    /// Settings of generated routing objects of ingress controllers.
    pub ingress: Ingress,
    /// How many promoted templates are kept per Canary.
    pub revision_history: usize,
    /// Which servers users' objects may name.
    pub outbound: OutboundPolicy,
    /// Domains of the labels and annotations that Canaries may add, with `*.` for subdomains
    /// (`--allowed-metadata-domains`); empty: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metadata_domains: Vec<String>,
    /// An object without an owner is taken over only if it names the Canary (`--adoption-needs-consent`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub adoption_needs_consent: bool,
    /// The routing objects of meshes and gateways are in another cluster (`--kubeconfig-service-mesh`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub remote_mesh: bool,
    /// Namespaces whose releases are held (`--hold-releases`); unset: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<Vec<String>>,
    /// The only watched namespaces, if they are given by name (`--namespace`); empty: all.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub namespaces: BTreeSet<String>,
}

/// Settings of generated routing objects of ingress controllers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ingress {
    /// Class of objects that have one (`--ingress-class`).
    pub class: Option<String>,
    /// Prefix of the annotations that ingress-nginx reads (`--ingress-annotations-prefix`).
    pub prefix: String,
}

impl Default for Ingress {
    fn default() -> Self {
        Self { class: None, prefix: "nginx.ingress.kubernetes.io".into() }
    }
}

impl Default for Rules {
    fn default() -> Self {
        let metrics_server = "http://prometheus:9090";
        let mut outbound = OutboundPolicy::default();
        outbound.name(metrics_server);
        Self {
            mesh_provider: "istio".into(),
            metrics_server: metrics_server.into(),
            selector_labels: ["app", "name", "app.kubernetes.io/name"].map(String::from).into(),
            include_label_prefix: Vec::new(),
            settle: None,
            no_cross_namespace_refs: false,
            strict: false,
            route_hosts: None,
            gateways: None,
            cloud_identity: None,
            config_tracking: true,
            ingress: Ingress::default(),
            revision_history: 5,
            outbound,
            metadata_domains: Vec::new(),
            adoption_needs_consent: false,
            remote_mesh: false,
            held: None,
            namespaces: BTreeSet::new(),
        }
    }
}

impl Rules {
    /// An object of namespace `of` with this `spec.allowedNamespaces` serves the Canaries of `namespace`. Without that
    /// field it serves all, as in Flagger, or with `--strict` its own.
    pub fn lends(&self, allowed: Option<&Vec<String>>, of: &str, namespace: &str) -> bool {
        let named = |list: &Vec<String>| pattern::any(list, namespace, "");
        of == namespace || !self.no_cross_namespace_refs && allowed.map_or(!self.strict, named)
    }

    /// MetricTemplates of this namespace may use the operator's own identity in a cloud.
    pub fn lends_identity(&self, namespace: &str) -> bool {
        self.cloud_identity.as_ref().map_or(!self.strict, |list| pattern::any(list, namespace, ""))
    }

    /// All releases of this namespace are held.
    pub fn holds_releases(&self, namespace: &str) -> bool {
        self.held.as_ref().is_some_and(|list| pattern::any(list, namespace, ""))
    }

    /// What to do about an object, by `namespace/name`, that a Canary names but that is missing or not visible.
    pub fn when_missing(&self, object: &str) -> String {
        let namespace = object.split('/').next().unwrap_or_default();
        if self.namespaces.is_empty() || self.namespaces.contains(namespace) {
            return "create it or correct the reference".into();
        }
        let watched = self.namespaces.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        format!(
            "the operator only sees the namespaces of --namespace={watched}: create it in one of these, or add {namespace}"
        )
    }
}

/// The service for alerts of Canaries that name none.
#[derive(Clone, Debug, PartialEq)]
pub struct Notifier {
    /// `slack` or `msteams`.
    pub service: &'static str,
    /// URL of the hook.
    pub url: Private,
    /// Bearer token; may be empty.
    pub token: Private,
    /// URL of an HTTP proxy; may be empty.
    pub proxy: String,
    /// Name to post alerts under; may be empty.
    pub username: String,
    /// Channel; may be empty.
    pub channel: String,
}

/// A text that is never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Private(pub String);

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// How many runs there may be at once; none: any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunLimits {
    /// In all namespaces (`--max-runs`).
    pub all: Option<usize>,
    /// In each namespace (`--max-runs-per-namespace`).
    pub namespace: Option<usize>,
}

impl RunLimits {
    /// There is no limit.
    pub fn are_none(self) -> bool {
        self.all.is_none() && self.namespace.is_none()
    }
}

/// All settings of `serin run`.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What decisions depend on.
    pub rules: Rules,
    /// Path of a kubeconfig; unset means the usual paths, then the Pod's own account.
    pub kubeconfig: Option<PathBuf>,
    /// API server address instead of the kubeconfig's (`--master`).
    pub master: Option<String>,
    /// Which namespaces it works in (`--namespace`, `--namespace-selector`).
    pub scope: Scope,
    /// Namespace of the Lease that excludes other operators, and a Flagger that is being replaced.
    pub lease_namespace: String,
    /// How long this operator holds that Lease after a renewal; unset without election (`--enable-leader-election`).
    pub election: Option<Duration>,
    /// How many runs there may be at once.
    pub max_runs: RunLimits,
    /// Port of /metrics, /healthz and /readyz on all addresses.
    pub port: u16,
    /// Let only accounts that the API server allows read /metrics (`--metrics-auth`).
    pub metrics_auth: bool,
    /// Log filter in `tracing` syntax, e.g. `info` or `debug`.
    pub log_filter: String,
    /// Where Events of Canaries without webhooks of the type `event` are posted (`--event-webhook`).
    pub event_webhook: Option<String>,
    /// JSON log lines instead of text.
    pub log_json: bool,
    /// Answers of servers may be repeated to people (`--quote-answers`).
    pub quote_answers: bool,
    /// Proxies to servers that users name (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
    pub proxies: Proxies,
    /// Name of the cluster in alerts; may be empty (`--cluster-name`).
    pub cluster_name: String,
    /// Keep the CustomResourceDefinitions up to date (`--manage-crds`).
    pub manage_crds: bool,
    /// Service for alerts of Canaries that name no provider (`--msteams-url`, else `--slack-url`).
    pub notifier: Option<Notifier>,
    /// Flags that were set but are not served: named in a warning at startup.
    pub unserved_flags: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f5_an_object_serves_its_own_namespace_and_those_that_its_owner_names() {
        let (loose, strict) = (Rules::default(), Rules { strict: true, ..Rules::default() });
        let closed = Rules { no_cross_namespace_refs: true, ..Rules::default() };
        let list = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        for (allowed, by_loose, by_strict) in [
            (None, true, false),
            (list(&[]), false, false),
            (list(&["*"]), true, true),
            (list(&["team-*"]), true, true),
            (list(&["shop", "team-a"]), true, true),
            (list(&["team-b", "team"]), false, false),
            (list(&["{namespace}"]), false, false),
        ] {
            assert_eq!(loose.lends(allowed.as_ref(), "monitoring", "team-a"), by_loose, "{allowed:?}");
            assert_eq!(strict.lends(allowed.as_ref(), "monitoring", "team-a"), by_strict, "{allowed:?}");
            assert!(!closed.lends(allowed.as_ref(), "monitoring", "team-a"), "{allowed:?}");
            for rules in [&loose, &strict, &closed] {
                assert!(rules.lends(allowed.as_ref(), "team-a", "team-a"), "{allowed:?}");
            }
        }
    }

    #[test]
    fn f13_the_identity_of_the_operator_is_lent_to_the_namespaces_that_are_named() {
        let of = |strict, names: Option<&str>| Rules {
            strict,
            cloud_identity: names.map(|names| vec![names.to_owned()]),
            ..Rules::default()
        };
        assert!(of(false, None).lends_identity("shop") && !of(true, None).lends_identity("shop"));
        for strict in [false, true] {
            let named = of(strict, Some("ops-*"));
            assert!(named.lends_identity("ops-eu") && !named.lends_identity("shop"));
        }
    }

    #[test]
    fn what_is_not_watched_is_not_called_missing() {
        let everywhere = Rules::default();
        assert_eq!(everywhere.when_missing("monitoring/t"), "create it or correct the reference");
        let rules = Rules { namespaces: ["ads".to_owned(), "shop".to_owned()].into(), ..Rules::default() };
        assert_eq!(rules.when_missing("shop/t"), "create it or correct the reference");
        let elsewhere = rules.when_missing("monitoring/t");
        assert!(
            elsewhere.contains("--namespace=ads,shop") && elsewhere.contains("add monitoring"),
            "{elsewhere}"
        );
    }
}
