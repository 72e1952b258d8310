//! Every flag of `serin run`, once: name, kind, default and use. The command line, its help, the
//! environment variables and `docs/reference/flags.md` follow this table.

/// Flagger's routing objects of meshes and gateways are in the cluster of this kubeconfig.
pub(super) const REMOTE_MESH: &str = "kubeconfig-service-mesh";

/// The kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text, possibly empty.
    Text,
    /// Text in a special format, which [`super::settings`] parses.
    Form,
    /// `true` or `false` in Go's syntax. Without a value it is `true`.
    Bool,
}

/// How a flag is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It has an effect, but only for `serin run`.
    Served,
    /// It has an effect for `serin run` and for the commands that read a cluster.
    Shared,
    /// It is accepted but has no meaning here. Nothing is missing.
    Meaningless,
    /// It is accepted but has no effect. For a value other than the harmless one, the operator logs a warning at its
    /// start.
    Unserved {
        /// The harmless value.
        harmless: &'static str,
        /// The missing feature, in a few words.
        missed: &'static str,
    },
}

/// One flag.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// Name without dashes.
    pub name: &'static str,
    /// Its kind of value.
    pub kind: Kind,
    /// Default value.
    pub default: &'static str,
    /// Flagger's own environment variable, if it has one.
    pub flagger_env: Option<&'static str>,
    /// How it is used.
    pub used: Use,
    /// One line of help.
    pub help: &'static str,
}

impl Flag {
    /// Its environment variable, `SERIN_…`.
    pub fn env(&self) -> String {
        format!("SERIN_{}", self.name.to_uppercase().replace('-', "_"))
    }

    const fn env_of_flagger(mut self, name: &'static str) -> Self {
        self.flagger_env = Some(name);
        self
    }
}

const fn flag(name: &'static str, kind: Kind, default: &'static str, used: Use, help: &'static str) -> Flag {
    Flag { name, kind, default, flagger_env: None, used, help }
}

const fn unserved(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    missed: &'static str,
    help: &'static str,
) -> Flag {
    flag(name, kind, default, Use::Unserved { harmless: default, missed }, help)
}

const fn klog(name: &'static str, kind: Kind) -> Flag {
    flag(name, kind, "", Use::Meaningless, "Log setting of Go programs")
}

const PACING: &str = "requests are not limited by rate";

/// All flags, in the order of the help text.
pub const FLAGS: &[Flag] = &[
    flag("mesh-provider", Kind::Text, "istio", Use::Shared, "Router for Canaries that name no provider"),
    flag(
        "metrics-server",
        Kind::Form,
        "http://prometheus:9090",
        Use::Shared,
        "Prometheus for Canaries that name no metrics server",
    ),
    flag(
        "namespace",
        Kind::Form,
        "",
        Use::Served,
        "Watch these namespaces only, as in shop,billing; empty means all",
    ),
    flag(
        "namespace-selector",
        Kind::Form,
        "",
        Use::Shared,
        "Work in the namespaces whose labels match, as in team=shop or env in (test,prod); empty means all",
    ),
    flag(
        "selector-labels",
        Kind::Form,
        "app,name,app.kubernetes.io/name",
        Use::Shared,
        "Labels by which a target selects its pods, in order of preference",
    ),
    flag(
        "include-label-prefix",
        Kind::Form,
        "",
        Use::Shared,
        "Prefixes of labels that are copied to generated objects; * is all",
    ),
    flag(
        "settle-time",
        Kind::Form,
        "",
        Use::Shared,
        "Wait between weight 0 and 0 replicas; empty is the router's own",
    ),
    flag(
        "no-cross-namespace-refs",
        Kind::Bool,
        "false",
        Use::Shared,
        "Refuse references to other namespaces",
    ),
    flag(
        "strict",
        Kind::Bool,
        "false",
        Use::Shared,
        "Let nothing reach beyond its namespace unless its owner or a flag allows it",
    ),
    flag(
        "allowed-route-hosts",
        Kind::Form,
        "",
        Use::Shared,
        "Hosts that routes may be for, as in *.{namespace}.example.com; empty is any, or with --strict those of the own namespace",
    ),
    flag(
        "allowed-gateways",
        Kind::Form,
        "",
        Use::Shared,
        "Gateways that routes may be attached to, as in infra/public-{namespace}; empty is any, or with --strict those of the own namespace",
    ),
    flag(
        "cloud-identity-namespaces",
        Kind::Form,
        "",
        Use::Shared,
        "Namespaces whose MetricTemplates may use the operator's identity in a cloud; empty is all, or with --strict none",
    ),
    flag(
        "allowed-hosts",
        Kind::Form,
        "",
        Use::Shared,
        "Hosts that metrics servers and webhooks may have, as in prom.example.com,*.{namespace}.svc; empty is any, or with --strict Services of the own namespace",
    ),
    flag(
        "allowed-networks",
        Kind::Form,
        "",
        Use::Shared,
        "Networks that may be connected to although their addresses are refused, as in 127.0.0.0/8",
    ),
    flag(
        "allowed-metadata-domains",
        Kind::Form,
        "",
        Use::Shared,
        "Domains of the labels and annotations that Canaries may add, as in example.com,*.example.com; empty is any",
    ),
    flag(
        "adoption-needs-consent",
        Kind::Bool,
        "false",
        Use::Shared,
        "Take over Services and routes without an owner only where they have the annotation serin.dev/adopt",
    ),
    flag(
        "quote-answers",
        Kind::Bool,
        "true",
        Use::Shared,
        "Repeat what servers say when they fail in Events, cut short",
    ),
    flag(
        "manage-crds",
        Kind::Bool,
        "false",
        Use::Served,
        "Bring the CustomResourceDefinitions up to date at start and when they change; never to older ones",
    ),
    flag("kubeconfig", Kind::Text, "", Use::Shared, "Path of a kubeconfig; empty means the usual places"),
    flag("master", Kind::Text, "", Use::Shared, "Address of the API server instead of the kubeconfig's"),
    flag("port", Kind::Form, "8080", Use::Served, "Port of /metrics, /healthz and /readyz"),
    flag(
        "metrics-auth",
        Kind::Bool,
        "false",
        Use::Served,
        "Show /metrics only to accounts that the API server admits to it",
    ),
    flag(
        "log-level",
        Kind::Form,
        "debug",
        Use::Shared,
        "error, warn, info, debug, trace, or a filter as in serin=debug",
    ),
    flag("zap-encoding", Kind::Form, "json", Use::Shared, "Form of log lines: json or console"),
    flag(
        "leader-election-namespace",
        Kind::Text,
        "kube-system",
        Use::Served,
        "Where the lease of the operator that acts is, be it Flagger's; a single --namespace takes precedence",
    ),
    flag(
        "enable-leader-election",
        Kind::Bool,
        "false",
        Use::Served,
        "Have one of several replicas act, and the others ready to take over",
    ),
    flag(
        "lease-duration",
        Kind::Form,
        "60s",
        Use::Served,
        "How long a leader that has died keeps others from acting, from 3s to 10m; it is renewed six times in this time",
    ),
    flag(
        "max-runs",
        Kind::Form,
        "0",
        Use::Served,
        "How many runs may be under way at once; further revisions wait for their turn; 0 means any number",
    ),
    flag(
        "hold-releases",
        Kind::Form,
        "",
        Use::Shared,
        "Namespaces whose releases are held: no run starts and no weight rises, but rollbacks continue; * means all",
    ),
    flag("max-runs-per-namespace", Kind::Form, "0", Use::Served, "The same within each namespace"),
    flag(
        "control-loop-interval",
        Kind::Text,
        "10s",
        Use::Meaningless,
        "Nothing is polled: changes are acted on when they are seen",
    ),
    flag(
        "threadiness",
        Kind::Text,
        "2",
        Use::Meaningless,
        "A Canary that waits for an answer holds up no other",
    ),
    flag("zap-replace-globals", Kind::Bool, "false", Use::Meaningless, "Inner matter of Flagger's logger"),
    unserved("kubeconfig-qps", Kind::Text, "100", PACING, "Requests a second"),
    unserved("kubeconfig-burst", Kind::Text, "250", PACING, "Requests in a burst"),
    unserved(
        REMOTE_MESH,
        Kind::Text,
        "",
        "routing objects in a second cluster are not served yet: a Canary that needs some is not accepted",
        "Path of the kubeconfig of the cluster that holds the routing objects",
    ),
    flag(
        "enable-config-tracking",
        Kind::Bool,
        "true",
        Use::Shared,
        "Follow the ConfigMaps and Secrets of targets",
    ),
    flag(
        "ingress-annotations-prefix",
        Kind::Text,
        "nginx.ingress.kubernetes.io",
        Use::Shared,
        "Prefix of the annotations that ingress-nginx reads",
    ),
    flag("ingress-class", Kind::Text, "", Use::Shared, "Class of generated HTTPProxies"),
    flag(
        "event-webhook",
        Kind::Text,
        "",
        Use::Served,
        "Where Events are posted of Canaries that have no webhook of the type event",
    )
    .env_of_flagger("EVENT_WEBHOOK_URL"),
    flag("cluster-name", Kind::Text, "", Use::Served, "Name of the cluster in alerts"),
    flag("slack-url", Kind::Text, "", Use::Served, "Slack hook for Canaries that name no AlertProvider")
        .env_of_flagger("SLACK_URL"),
    flag("slack-token", Kind::Text, "", Use::Served, "Slack token").env_of_flagger("SLACK_TOKEN"),
    flag("slack-proxy-url", Kind::Text, "", Use::Served, "Proxy on the way to Slack")
        .env_of_flagger("SLACK_PROXY_URL"),
    flag("slack-user", Kind::Text, "flagger", Use::Served, "User name in Slack"),
    flag("slack-channel", Kind::Text, "", Use::Served, "Slack channel; empty means general"),
    flag(
        "msteams-url",
        Kind::Text,
        "",
        Use::Served,
        "Microsoft Teams hook; takes precedence over the one of Slack",
    )
    .env_of_flagger("MSTEAMS_URL"),
    flag("msteams-proxy-url", Kind::Text, "", Use::Served, "Proxy on the way to Microsoft Teams")
        .env_of_flagger("MSTEAMS_PROXY_URL"),
    klog("add_dir_header", Kind::Bool),
    klog("alsologtostderr", Kind::Bool),
    klog("log_backtrace_at", Kind::Text),
    klog("log_dir", Kind::Text),
    klog("log_file", Kind::Text),
    klog("log_file_max_size", Kind::Text),
    klog("logtostderr", Kind::Bool),
    klog("one_output", Kind::Bool),
    klog("skip_headers", Kind::Bool),
    klog("skip_log_headers", Kind::Bool),
    klog("stderrthreshold", Kind::Text),
    klog("v", Kind::Text),
    klog("vmodule", Kind::Text),
];

/// The flag with this name.
pub fn find(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|f| f.name == name)
}

/// A bool in the syntax of Go's `flag` package.
pub fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_defaults_fit_their_kind() {
        for (i, flag) in FLAGS.iter().enumerate() {
            assert!(FLAGS[i + 1..].iter().all(|f| f.name != flag.name), "{} is listed twice", flag.name);
            if flag.kind == Kind::Bool && flag.used != Use::Meaningless {
                assert!(go_bool(flag.default).is_some(), "{}", flag.name);
            }
        }
    }
}
