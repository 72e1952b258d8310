//! PURE. Which servers users' objects may name: by host, and by what the host's addresses are.
//!
//! Owns the rule and its words. Resolving names and connecting is the matter of [`crate::net`].

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::IpNet;
use serde::Serialize;
use url::{Host, Url};

/// What the operator's settings say of servers that users name.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct OutboundPolicy {
    /// Hosts that may be named, in lower case; `*.` before a name stands for all names below it (`--allowed-hosts`).
    /// Empty: any.
    pub hosts: Vec<String>,
    /// Addresses that may be connected to although they would be refused (`--allowed-networks`).
    pub networks: Vec<IpNet>,
    /// Host and port of servers that the operator's own settings name: allowed whatever their addresses are.
    pub named: Vec<(String, u16)>,
}

/// A server that may not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("host not allowed: {host} {why}")]
pub struct Refused {
    /// Host as the URL gives it.
    pub host: String,
    /// Why, with a remedy.
    pub why: String,
}

/// What kind of address requests may not be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Loopback,
    LinkLocal,
    Metadata,
    Unspecified,
    Multicast,
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "the metadata service of a cloud",
            Self::Unspecified => "no address of a server",
            Self::Multicast => "a multicast or broadcast address",
        })
    }
}

/// Metadata services that are not link-local: Alibaba's and Azure's, then those of AWS and Google for IPv6.
const METADATA: [IpAddr; 5] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

impl OutboundPolicy {
    /// Allows a server that the operator's own settings name. What is no URL is passed over.
    pub fn name(&mut self, url: &str) {
        let endpoint = Url::parse(url).ok().and_then(|url| endpoint(&url));
        self.named.extend(endpoint);
    }

    /// The operator's own settings name the server of this URL.
    pub fn is_named(&self, url: &Url) -> bool {
        endpoint(url).is_some_and(|endpoint| self.named.contains(&endpoint))
    }

    /// What can be said of a URL without resolving its host.
    ///
    /// # Errors
    /// Its host may not be asked.
    pub fn admits(&self, url: &Url) -> Result<(), Refused> {
        if self.is_named(url) {
            return Ok(());
        }
        let Some(host) = url.host() else { return Ok(()) };
        let shown = host.to_string();
        let refused = |why: &str| Err(Refused { host: shown.clone(), why: why.to_owned() });
        let name = shown.trim_end_matches('.').to_ascii_lowercase();
        if !self.hosts.is_empty() && !self.hosts.iter().any(|pattern| fits(pattern, &name)) {
            return refused("is not in --allowed-hosts of the operator");
        }
        match host {
            Host::Ipv4(ip) => self.admits_address(&ip.to_string(), ip.into()),
            Host::Ipv6(ip) => self.admits_address(&ip.to_string(), ip.into()),
            Host::Domain(_) if is_api_server(&name) => refused("is the API server"),
            // loopback by RFC 6761, whatever a resolver says
            Host::Domain(_) if name == "localhost" || name.ends_with(".localhost") => {
                self.admits_address(&shown, Ipv4Addr::LOCALHOST.into())
            }
            Host::Domain(_) => Ok(()),
        }
    }

    /// Whether a host that has been resolved to this address may be connected to.
    ///
    /// # Errors
    /// It may not.
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

    /// The settings allow this address by name.
    pub fn allows(&self, ip: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&ip))
    }
}

/// A pattern of `--allowed-hosts` in its one form.
///
/// # Errors
/// It is neither a host nor `*.` and a host: in words.
pub(crate) fn pattern(text: &str) -> Result<String, String> {
    let (prefix, name) = text.strip_prefix("*.").map_or(("", text), |name| ("*.", name));
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<Ipv6Addr>() {
        return Ok(format!("[{ip}]"));
    }
    match Host::parse(name.trim_end_matches('.')) {
        Ok(host) if !name.contains('*') => Ok(format!("{prefix}{host}")),
        _ => Err(format!("{text:?} is no host: write one such as prometheus.monitoring or *.example.com")),
    }
}

fn endpoint(url: &Url) -> Option<(String, u16)> {
    let host = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
    Some((host, url.port_or_known_default()?))
}

/// Whether the name is the one that the pattern gives, or one below it where it begins with `*.`.
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
        // the whole of 0.0.0.0/8 is "this host on this network"
        IpAddr::V4(v4) if v4.octets()[0] == 0 => Some(Inside::Unspecified),
        IpAddr::V4(v4) if v4.is_multicast() || v4.is_broadcast() => Some(Inside::Multicast),
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) if v6.is_loopback() => Some(Inside::Loopback),
        IpAddr::V6(v6) if v6.is_unspecified() => Some(Inside::Unspecified),
        IpAddr::V6(v6) if v6.is_multicast() => Some(Inside::Multicast),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some(Inside::LinkLocal),
        IpAddr::V6(v6) => within(v6).and_then(|v4| inside(v4.into())),
    }
}

/// The IPv4 address that an IPv6 one stands for: mapped, compatible, NAT64 and 6to4 forms.
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
        outbound.admits(&Url::parse(url).unwrap()).is_ok()
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
            outbound.admits(&Url::parse("http://169.254.169.254/").unwrap()).unwrap_err().to_string(),
            "host not allowed: 169.254.169.254 is the metadata service of a cloud; --allowed-networks of the operator can permit it"
        );
        let resolved = outbound.admits_address("a.test", "::1".parse().unwrap()).unwrap_err().to_string();
        assert!(
            resolved.starts_with("host not allowed: a.test resolves to ::1, which is a loopback address;")
        );
    }
}
