//! From matched flags to a [`Config`], and the parsers of single values. Errors have a remedy.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use clap::{ArgMatches, parser::ValueSource};
use ipnet::IpNet;

use super::flags::{FLAGS, Kind, REMOTE_MESH, Use, go_bool};
use crate::{
    config::{Config, Ingress, Notifier, Private, Rules, RunLimits},
    leader,
    outbound::{OutboundPolicy, pattern},
    pattern::NAMESPACE,
    proxies::Proxies,
    scope::Scope,
    telemetry::check_filter,
};

/// The longest settle time: a longer one is more likely a mistake than intended.
const LONGEST_SETTLE: Duration = Duration::from_secs(3600);

/// Checks a value whose flag has a special format.
pub(super) fn check(name: &str, value: &str) -> Result<(), String> {
    match name {
        "metrics-server" => server(value).map(drop),
        "namespace" => Scope::named(value).map(drop),
        "namespace-selector" => Scope::labelled(value).map(drop),
        "selector-labels" if list(value).is_empty() => Err("name at least one label, e.g. app".into()),
        "settle-time" => settle(value).map(drop),
        "lease-duration" => lease(value).map(drop),
        "allowed-hosts" | "allowed-metadata-domains" => hosts(value).map(drop),
        "allowed-networks" => networks(value).map(drop),
        "allowed-route-hosts" | "allowed-gateways" | "cloud-identity-namespaces" | "hold-releases" => {
            patterns(value).map(drop)
        }
        "max-runs" | "max-runs-per-namespace" => most(value).map(drop),
        "port" => positive(value).map(drop),
        "log-level" => filter(value).map(drop),
        "zap-encoding" => encoding(value).map(drop),
        _ => Ok(()),
    }
}

/// All settings. A flag that `matches` does not know has its default; values have already passed [`check`].
pub(super) fn config(matches: &ArgMatches) -> Result<Config, String> {
    let scope = scope(matches)?;
    let metrics_server = server(&text(matches, "metrics-server"))?;
    Ok(Config {
        rules: Rules {
            mesh_provider: some(text(matches, "mesh-provider"))
                .unwrap_or_else(|| Rules::default().mesh_provider),
            outbound: outbound(matches, &metrics_server)?,
            metrics_server,
            selector_labels: list(&text(matches, "selector-labels")),
            include_label_prefix: list(&text(matches, "include-label-prefix")),
            settle: settle(&text(matches, "settle-time"))?,
            no_cross_namespace_refs: go_bool(&text(matches, "no-cross-namespace-refs")).unwrap_or_default(),
            strict: strict(matches),
            route_hosts: patterns(&text(matches, "allowed-route-hosts"))?,
            gateways: patterns(&text(matches, "allowed-gateways"))?,
            cloud_identity: patterns(&text(matches, "cloud-identity-namespaces"))?,
            held: patterns(&text(matches, "hold-releases"))?,
            config_tracking: go_bool(&text(matches, "enable-config-tracking")).unwrap_or(true),
            ingress: Ingress {
                class: some(text(matches, "ingress-class")),
                prefix: some(text(matches, "ingress-annotations-prefix"))
                    .unwrap_or_else(|| Ingress::default().prefix),
            },
            metadata_domains: hosts(&text(matches, "allowed-metadata-domains"))?,
            adoption_needs_consent: go_bool(&text(matches, "adoption-needs-consent")).unwrap_or_default(),
            remote_mesh: !text(matches, REMOTE_MESH).is_empty(),
            namespaces: scope.names(),
            ..Rules::default()
        },
        kubeconfig: some(text(matches, "kubeconfig")).map(PathBuf::from),
        master: some(text(matches, "master")),
        election: go_bool(&text(matches, "enable-leader-election"))
            .unwrap_or_default()
            .then(|| lease(&text(matches, "lease-duration")))
            .transpose()?,
        lease_namespace: scope
            .only()
            .map_or_else(|| text(matches, "leader-election-namespace"), str::to_owned),
        scope,
        max_runs: RunLimits {
            all: most(&text(matches, "max-runs"))?,
            namespace: most(&text(matches, "max-runs-per-namespace"))?,
        },
        event_webhook: some(text(matches, "event-webhook")),
        port: positive(&text(matches, "port"))?,
        metrics_auth: go_bool(&text(matches, "metrics-auth")).unwrap_or_default(),
        log_filter: filter(&text(matches, "log-level"))?,
        log_json: encoding(&text(matches, "zap-encoding"))?,
        quote_answers: go_bool(&text(matches, "quote-answers")).unwrap_or(true),
        proxies: Proxies::default(),
        cluster_name: text(matches, "cluster-name"),
        manage_crds: go_bool(&text(matches, "manage-crds")).unwrap_or_default(),
        notifier: notifier(matches)?,
        unserved_flags: unserved(matches),
    })
}

/// How many at most; 0 is any number.
fn most(text: &str) -> Result<Option<usize>, String> {
    let wrong = || format!("{text:?} is no number of runs: write one such as 10, or 0 for any number");
    text.trim().parse::<usize>().map(|most| Some(most).filter(|most| *most > 0)).map_err(|_| wrong())
}

/// Which namespaces the operator works in.
fn scope(matches: &ArgMatches) -> Result<Scope, String> {
    let named = Scope::named(&text(matches, "namespace"))?;
    match (named, Scope::labelled(&text(matches, "namespace-selector"))?) {
        (named, Scope::All) => Ok(named),
        (Scope::All, labelled) => Ok(labelled),
        _ => Err("--namespace and --namespace-selector exclude each other: give one of them".into()),
    }
}

/// Which servers users' objects may name, in addition to those in our flags.
fn outbound(matches: &ArgMatches, metrics_server: &str) -> Result<OutboundPolicy, String> {
    let (hosts, networks) =
        (hosts(&text(matches, "allowed-hosts"))?, networks(&text(matches, "allowed-networks"))?);
    let mut outbound = OutboundPolicy { hosts, networks, named: Vec::new(), strict: strict(matches) };
    outbound.name(metrics_server);
    for url in ["event-webhook", "slack-url", "slack-proxy-url", "msteams-url", "msteams-proxy-url"] {
        outbound.name(&text(matches, url));
    }
    Ok(outbound)
}

fn strict(matches: &ArgMatches) -> bool {
    go_bool(&text(matches, "strict")).unwrap_or_default()
}

/// Patterns in lower case; none if the text is empty.
fn patterns(text: &str) -> Result<Option<Vec<String>>, String> {
    let read = |text: &String| {
        let letters = text.replace(NAMESPACE, "");
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/' | '*' | '_');
        let wrong =
            || format!("{text:?} is no name, nor a pattern such as team-* or *.{{namespace}}.example.com");
        letters.chars().all(fits).then(|| text.to_lowercase()).ok_or_else(wrong)
    };
    let all = list(text).iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(all).filter(|all| !all.is_empty()))
}

fn hosts(text: &str) -> Result<Vec<String>, String> {
    list(text).iter().map(|host| pattern(host)).collect()
}

fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let read = |text: &String| {
        let one = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        one.map_err(|_| format!("{text:?} is no network: write one such as 127.0.0.0/8 or ::1"))
    };
    list(text).iter().map(read).collect()
}

/// Where alerts of Canaries without `alerts` go. Errors do not contain values: some are secrets.
fn notifier(matches: &ArgMatches) -> Result<Option<Notifier>, String> {
    let Some(service) =
        ["msteams", "slack"].into_iter().find(|s| !text(matches, &format!("{s}-url")).is_empty())
    else {
        return Ok(None);
    };
    let of = |what: &str| text(matches, &format!("{service}-{what}"));
    for name in ["url", "proxy-url"] {
        if !of(name).is_empty() {
            server(&of(name)).map_err(|why| format!("--{service}-{name}: {why}"))?;
        }
    }
    let slack = service == "slack";
    Ok(Some(Notifier {
        service,
        url: Private(of("url")),
        token: Private(if slack { of("token") } else { String::new() }),
        proxy: of("proxy-url"),
        username: if slack { of("user") } else { String::new() },
        channel: if slack { of("channel") } else { String::new() },
    }))
}

/// Flags that were set but have no effect, each with what is missing. Values are omitted: some are secrets.
fn unserved(matches: &ArgMatches) -> Vec<String> {
    let given = |name: &str| {
        matches!(matches.try_contains_id(name), Ok(true))
            && matches.value_source(name) == Some(ValueSource::CommandLine)
    };
    FLAGS
        .iter()
        .filter(|flag| given(flag.name))
        .filter_map(|flag| match flag.used {
            Use::Unserved { harmless, missed } => {
                let value = text(matches, flag.name);
                let same =
                    value == harmless || (flag.kind == Kind::Bool && go_bool(&value) == go_bool(harmless));
                (!same && !value.is_empty()).then(|| format!("--{} ({missed})", flag.name))
            }
            Use::Served | Use::Shared | Use::Meaningless => None,
        })
        .collect()
}

fn text(matches: &ArgMatches, name: &str) -> String {
    let default = || super::flags::find(name).map(|f| f.default.to_owned()).unwrap_or_default();
    matches.try_get_one::<String>(name).ok().flatten().cloned().unwrap_or_else(default)
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|t| !t.is_empty())
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(String::from).collect()
}

fn server(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(host) if !host.is_empty() && !host.starts_with('/') => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("write an address with its scheme, e.g. http://prometheus:9090".into()),
    }
}

fn positive(text: &str) -> Result<u16, String> {
    match text.parse::<u16>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("write a whole number from 1 to {}", u16::MAX)),
    }
}

/// Whether log lines are JSON.
pub(crate) fn encoding(text: &str) -> Result<bool, String> {
    match text {
        "json" => Ok(true),
        "console" => Ok(false),
        _ => Err("choose json or console".into()),
    }
}

/// Where kube's client reports answers that it could not decode, together with the answers, which may be Secrets.
const CLIENT: &str = "kube_client::client";

/// A level in Flagger's form applies to Serin's own lines; libraries log at `warn` unless everything is wanted. Answers
/// of the API server are only logged if the filter names kube's client.
pub(crate) fn filter(text: &str) -> Result<String, String> {
    let level = match text {
        "debug" | "info" | "warn" | "error" => text,
        "warning" => "warn",
        "fatal" | "panic" => "error",
        "trace" => return Ok(format!("info,serin=trace,{CLIENT}=error")),
        "off" => return Ok("off".into()),
        filter if filter.contains(['=', ',']) && check_filter(filter).is_ok() => {
            let named = filter.contains("kube_client");
            return Ok(if named { filter.to_owned() } else { format!("{filter},{CLIENT}=error") });
        }
        _ => {
            return Err(
                "choose error, warn, info, debug or trace, or write a filter as in warn,serin=debug".into()
            );
        }
    };
    let libraries = if level == "error" { "error" } else { "warn" };
    Ok(format!("{libraries},serin={level},{CLIENT}=error"))
}

fn settle(text: &str) -> Result<Option<Duration>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    match go_duration(text) {
        Some(time) if time <= LONGEST_SETTLE => Ok(Some(time)),
        _ => Err("write a time up to 1h with its units, e.g. 3s, 500ms or 1m30s".into()),
    }
}

/// The API server keeps whole seconds of it.
fn lease(text: &str) -> Result<Duration, String> {
    let seconds = go_duration(text).map(|time| time.as_secs_f64().ceil()).unwrap_or_default();
    let time = Duration::from_secs_f64(seconds);
    if (leader::SHORTEST..=leader::LONGEST).contains(&time) {
        return Ok(time);
    }
    Err("write a time from 3s to 10m with its unit, e.g. 60s".into())
}

/// A duration in Go's format, not negative: `0`, `500ms`, `1m30s`, `1.5s`.
fn go_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut sum) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        sum = sum.checked_add(part)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_in_go() {
        for (text, millis) in
            [("0", 0), ("3s", 3000), ("500ms", 500), ("1m30s", 90_000), ("1.5s", 1500), (".5s", 500)]
        {
            assert_eq!(go_duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "3", "s", "-3s", "3 s", "3d", "1e400s", "99999999999999999999h"] {
            assert_eq!(go_duration(text), None, "{text}");
        }
        assert!(settle("2h").is_err());
    }

    #[test]
    fn levels_of_flagger_become_filters() {
        for (level, expected) in [
            ("debug", "warn,serin=debug,kube_client::client=error"),
            ("warning", "warn,serin=warn,kube_client::client=error"),
            ("panic", "error,serin=error,kube_client::client=error"),
            ("trace", "info,serin=trace,kube_client::client=error"),
            ("off", "off"),
        ] {
            let made = filter(level).unwrap();
            assert_eq!(made, expected);
            assert!(check_filter(&made).is_ok());
        }
        assert!(filter("loud").is_err());
        assert!(filter("serin=loud").is_err());
    }

    #[test]
    fn f18_answers_of_the_api_server_are_logged_only_for_those_who_name_its_client() {
        assert_eq!(filter("info,kube=debug").unwrap(), "info,kube=debug,kube_client::client=error");
        for named in ["warn,kube_client=debug", "kube_client::client=warn,serin=info"] {
            assert_eq!(filter(named).unwrap(), named);
        }
    }

    #[test]
    fn a_metrics_server_has_a_scheme_and_a_host() {
        assert_eq!(server("http://p:9090/").unwrap(), "http://p:9090");
        for text in ["", "prometheus:9090", "http://", "http:///x", "ftp://p"] {
            assert!(server(text).is_err(), "{text}");
        }
    }
}
