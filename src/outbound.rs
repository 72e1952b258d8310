//! PURE. Which servers users' objects may name: by host, and by the host's addresses.
//!
//! Owns the rule and its texts. [`crate::net`] resolves names and connects.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv6Net};
use serde::Serialize;
use url::{Host, Url};

use crate::pattern::NAMESPACE;

/// The operator's settings for servers that users name.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct OutboundPolicy {
    /// Allowed hosts, in lower case; `*.` before a name means all its subdomains, and `{namespace}` is the namespace of
    /// the object that names the host (`--allowed-hosts`). Empty: any, or with [`strict`](Self::strict) the Services of
    /// that namespace.
    pub hosts: Vec<String>,
    /// Allowed addresses that would otherwise be refused (`--allowed-networks`).
    pub networks: Vec<IpNet>,
    /// Host and port of servers in the operator's own settings: allowed at any address.
    pub named: Vec<(String, u16)>,
    /// Only what is allowed by name: no host that is not listed, no address without its network (`--strict`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
}

/// Hosts that are allowed by default if [`OutboundPolicy::strict`] is set.
const OWN_SERVICES: [&str; 2] = ["*.{namespace}.svc", "*.{namespace}.svc.cluster.local"];

/// A server that may not be contacted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("host not allowed: {host} {why}")]
pub struct Refused {
    /// Host as written in the URL.
    pub host: String,
    /// Why, with a remedy.
    pub why: String,
}

/// Kinds of addresses that requests may not be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Loopback,
    LinkLocal,
    Metadata,
    Unspecified,
    Multicast,
    Translated,
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "the metadata service of a cloud",
            Self::Unspecified => "no address of a server",
            Self::Multicast => "a multicast or broadcast address",
            Self::Translated => "one that leads to an IPv4 address through a translator or tunnel",
        })
    }
}

/// Metadata services that are not link-local: Alibaba's, Azure's and Oracle's, then for IPv6 those of AWS, Google,
/// Oracle and Scaleway.
const METADATA: [IpAddr; 8] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42)),
];

/// IPv6 networks whose addresses contain an IPv4 address that is unknown or disguised: local translation (RFC 8215),
/// and Teredo.
const TRANSLATED: [Ipv6Net; 2] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48),
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32),
];

impl OutboundPolicy {
    /// Allows a server from the operator's own settings. An invalid URL is ignored.
    pub fn name(&mut self, url: &str) {
        let endpoint = Url::parse(url).ok().and_then(|url| endpoint(&url));
        self.named.extend(endpoint);
    }

    /// The operator's own settings name the server of this URL.
    pub fn is_named(&self, url: &Url) -> bool {
        endpoint(url).is_some_and(|endpoint| self.named.contains(&endpoint))
    }

    /// Checks a URL that an object of `namespace` names, without resolving its host.
    ///
    /// # Errors
    /// Its host is not allowed.
    pub fn admits(&self, url: &Url, namespace: &str) -> Result<(), Refused> {
        if self.is_named(url) {
            return Ok(());
        }
        let Some(host) = url.host() else { return Ok(()) };
        let shown = host.to_string();
        let refused = |why: &str| Err(Refused { host: shown.clone(), why: why.to_owned() });
        let name = shown.trim_end_matches('.').to_ascii_lowercase();
        let literal = address_of(&host);
        if literal.is_some_and(|ip| self.strict && self.allows(ip)) {
            return Ok(());
        }
        if !self.lists(&name, namespace) {
            return refused(match (literal, self.hosts.is_empty()) {
                (Some(_), _) if self.strict => {
                    "is an address: name a host, or have --allowed-networks of the operator permit it"
                }
                (_, false) => "is not in --allowed-hosts of the operator",
                (_, true) => {
                    "is no Service of the namespace, such as prometheus.<namespace>.svc: --allowed-hosts of the operator can permit it"
                }
            });
        }
        match literal {
            Some(ip) => self.admits_address(&ip.to_string(), ip),
            None if is_api_server(&name) => refused("is the API server"),
            // loopback by RFC 6761, whatever the resolver returns
            None if name == "localhost" || name.ends_with(".localhost") => {
                self.admits_address(&shown, Ipv4Addr::LOCALHOST.into())
            }
            None => Ok(()),
        }
    }

    /// Answers of this URL's server may be repeated to readers of Events in `namespace`.
    pub fn may_quote(&self, url: &Url, namespace: &str) -> bool {
        let listed = || url.host_str().is_some_and(|host| self.lists(&bare(host), namespace));
        !self.strict || self.is_named(url) || listed()
    }

    fn lists(&self, name: &str, namespace: &str) -> bool {
        if self.hosts.is_empty() {
            return !self.strict || OWN_SERVICES.iter().any(|own| fits_in(own, name, namespace));
        }
        self.hosts.iter().any(|pattern| fits_in(pattern, name, namespace))
    }

    /// Checks a host that resolved to this address.
    ///
    /// # Errors
    /// It is not allowed.
    pub fn admits_address(&self, host: &str, ip: IpAddr) -> Result<(), Refused> {
        match inside(ip).filter(|_| !self.allows(ip)) {
            None => Ok(()),
            Some(what) => {
                let is =
                    if host == ip.to_string() { "is".into() } else { format!("resolves to {ip}, which is") };
                let why = format!("{is} {what}; --allowed-networks of the operator can permit it");
                Err(Refused { host: host.to_owned(), why })
            }
        }
    }

    /// The settings explicitly allow this address.
    pub fn allows(&self, ip: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&ip))
    }
}

/// Normalises a pattern of `--allowed-hosts`.
///
/// # Errors
/// It is neither a host nor `*.` and a host; the error is in words.
pub(crate) fn pattern(text: &str) -> Result<String, String> {
    let (prefix, name) = text.strip_prefix("*.").map_or(("", text), |name| ("*.", name));
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<Ipv6Addr>() {
        return Ok(format!("[{ip}]"));
    }
    match Host::parse(&name.trim_end_matches('.').replace(NAMESPACE, STAND_IN)) {
        Ok(host) if !name.contains('*') && !name.replace(NAMESPACE, "").contains(['{', '}']) => {
            Ok(format!("{prefix}{}", host.to_string().replace(STAND_IN, NAMESPACE)))
        }
        _ => Err(format!(
            "{text:?} is no host: write one such as prometheus.monitoring, *.example.com or *.{{namespace}}.svc"
        )),
    }
}

/// Replaces `{namespace}` while a host is parsed.
const STAND_IN: &str = "serin-namespace-of-the-object";

fn address_of(host: &Host<&str>) -> Option<IpAddr> {
    match host {
        Host::Ipv4(ip) => Some((*ip).into()),
        Host::Ipv6(ip) => Some((*ip).into()),
        Host::Domain(_) => None,
    }
}

fn bare(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

fn endpoint(url: &Url) -> Option<(String, u16)> {
    Some((bare(url.host_str()?), url.port_or_known_default()?))
}

/// As [`fits`], with the object's namespace for `{namespace}`.
fn fits_in(pattern: &str, name: &str, namespace: &str) -> bool {
    if pattern.contains(NAMESPACE) && namespace.is_empty() {
        return false;
    }
    fits(&pattern.replace(NAMESPACE, namespace), name)
}

/// Whether the name matches the pattern, or is a subdomain if the pattern begins with `*.`.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => name.len() > suffix.len() && name.ends_with(suffix),
        None => pattern == name,
    }
}

/// The names by which Pods know the API server.
fn is_api_server(name: &str) -> bool {
    let rest = name.strip_prefix("kubernetes.default.svc");
    matches!(name, "kubernetes" | "kubernetes.default")
        || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn inside(ip: IpAddr) -> Option<Inside> {
    if METADATA.contains(&ip) {
        return Some(Inside::Metadata);
    }
    match ip {
        IpAddr::V4(v4) if v4.is_loopback() => Some(Inside::Loopback),
        IpAddr::V4(v4) if v4.octets() == [169, 254, 169, 254] => Some(Inside::Metadata),
        IpAddr::V4(v4) if v4.is_link_local() => Some(Inside::LinkLocal),
        // all of 0.0.0.0/8 is "this host on this network"
        IpAddr::V4(v4) if v4.octets()[0] == 0 => Some(Inside::Unspecified),
        IpAddr::V4(v4) if v4.is_multicast() || v4.is_broadcast() => Some(Inside::Multicast),
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) if v6.is_loopback() => Some(Inside::Loopback),
        IpAddr::V6(v6) if v6.is_unspecified() => Some(Inside::Unspecified),
        IpAddr::V6(v6) if v6.is_multicast() => Some(Inside::Multicast),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some(Inside::LinkLocal),
        IpAddr::V6(v6) if TRANSLATED.iter().any(|network| network.contains(&v6)) => Some(Inside::Translated),
        IpAddr::V6(v6) => within(v6).and_then(|v4| inside(v4.into())),
    }
}

/// The IPv4 address in an IPv6 one: mapped, compatible, NAT64 and 6to4 forms.
fn within(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    match ip.octets() {
        [0x20, 0x02, a, b, c, d, ..] | [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => {
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => ip.to_ipv4(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(outbound: &OutboundPolicy, url: &str) -> bool {
        outbound.admits(&Url::parse(url).unwrap(), "shop").is_ok()
    }

    #[test]
    fn hosts_are_matched_whole_or_by_what_they_lie_below() {
        let patterns = ["prom.monitoring", "*.example.com", "10.1.2.3", "[FD00::1]", "Bücher.test"];
        let hosts = patterns.map(|text| pattern(text).unwrap()).to_vec();
        let outbound = OutboundPolicy { hosts, ..OutboundPolicy::default() };
        for good in [
            "http://prom.monitoring:9090",
            "http://PROM.monitoring.",
            "https://a.b.example.com",
            "http://10.1.2.3",
            "http://0x0a010203",
            "http://[fd00:0::1]/",
            "http://bücher.test",
        ] {
            assert!(admits(&outbound, good), "{good}");
        }
        for bad in [
            "http://example.com",
            "http://notexample.com",
            "http://prom.monitoring.evil.test",
            "http://prom.monitoring@evil.test",
            "http://10.1.2.4",
        ] {
            assert!(!admits(&outbound, bad), "{bad}");
        }
        for bad in ["", "*", "*.", "a.*.b", "http://a", "a:80", "a b"] {
            assert!(pattern(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_the_settings_name_is_allowed_at_its_port_only() {
        let mut outbound = OutboundPolicy { hosts: vec!["a".into()], ..OutboundPolicy::default() };
        outbound.name("http://localhost:9090/prom");
        outbound.name("no url");
        assert!(admits(&outbound, "http://LOCALHOST:9090/x"));
        assert!(!admits(&outbound, "http://localhost:9091"));
        assert_eq!(outbound.named.len(), 1);
    }

    #[test]
    fn networks_open_addresses() {
        let outbound =
            OutboundPolicy { networks: vec!["127.0.0.0/8".parse().unwrap()], ..OutboundPolicy::default() };
        assert!(admits(&outbound, "http://127.0.0.2"));
        assert!(!admits(&outbound, "http://[::1]"));
        assert_eq!(
            outbound.admits(&Url::parse("http://169.254.169.254/").unwrap(), "shop").unwrap_err().to_string(),
            "host not allowed: 169.254.169.254 is the metadata service of a cloud; --allowed-networks of the operator can permit it"
        );
        let resolved = outbound.admits_address("a.test", "::1".parse().unwrap()).unwrap_err().to_string();
        assert!(
            resolved.starts_with("host not allowed: a.test resolves to ::1, which is a loopback address;")
        );
    }

    #[test]
    fn f6_a_pattern_may_hold_the_namespace_of_the_object_that_names_a_host() {
        let hosts = ["*.{namespace}.svc", "{namespace}.example.com"].map(|text| pattern(text).unwrap());
        assert_eq!(hosts, ["*.{namespace}.svc", "{namespace}.example.com"]);
        let outbound = OutboundPolicy { hosts: hosts.to_vec(), ..OutboundPolicy::default() };
        for good in ["http://prom.shop.svc:9090", "http://shop.example.com"] {
            assert!(admits(&outbound, good), "{good}");
            let of_nobody = outbound.admits(&Url::parse(good).unwrap(), "");
            assert!(of_nobody.is_err(), "{good}");
        }
        for bad in ["http://prom.ads.svc", "http://ads.example.com", "http://shop.svc", "http://10.1.2.3"] {
            assert!(!admits(&outbound, bad), "{bad}");
        }
    }

    #[test]
    fn f6_strictly_only_what_is_allowed_by_name_is_asked() {
        let networks = vec!["10.1.0.0/16".parse().unwrap()];
        let mut strict = OutboundPolicy { strict: true, networks, ..OutboundPolicy::default() };
        strict.name("http://prometheus:9090");
        for good in [
            "http://prom.shop.svc:9090",
            "http://prom.shop.svc.cluster.local",
            "http://prometheus:9090",
            "http://10.1.2.3",
        ] {
            assert!(admits(&strict, good), "{good}");
        }
        let why = |url: &str| strict.admits(&Url::parse(url).unwrap(), "shop").unwrap_err().why;
        for (bad, remedy) in [
            ("http://prom.ads.svc", "--allowed-hosts"),
            ("http://hooks.example.com", "--allowed-hosts"),
            ("http://prometheus", "--allowed-hosts"),
            ("http://10.2.0.1", "--allowed-networks"),
            ("http://[fd00::1]", "--allowed-networks"),
            ("http://169.254.169.254", "--allowed-networks"),
        ] {
            assert!(why(bad).contains(remedy), "{bad}: {}", why(bad));
        }
        let listed = OutboundPolicy { hosts: vec!["hooks.example.com".into()], ..strict.clone() };
        assert!(admits(&listed, "https://hooks.example.com") && !admits(&listed, "http://prom.shop.svc"));
    }

    #[test]
    fn f6_strictly_only_servers_that_are_allowed_are_quoted() {
        let quotes =
            |outbound: &OutboundPolicy, url: &str| outbound.may_quote(&Url::parse(url).unwrap(), "shop");
        assert!(quotes(&OutboundPolicy::default(), "http://anybody.test"));
        let networks = vec!["10.0.0.0/8".parse().unwrap()];
        let mut strict = OutboundPolicy { strict: true, networks, ..OutboundPolicy::default() };
        strict.name("http://prometheus:9090");
        assert!(quotes(&strict, "http://prometheus:9090") && quotes(&strict, "http://prom.SHOP.svc."));
        // permission to connect to an address is no reason to repeat its answers
        for silent in ["http://prometheus:9091", "http://prom.ads.svc", "http://10.1.2.3"] {
            assert!(!quotes(&strict, silent), "{silent}");
        }
    }
}
