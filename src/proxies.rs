//! PURE. The proxies in the operator's environment, and for which servers they apply, with the rules of Go's programs
//! (`golang.org/x/net/http/httpproxy`).

use std::{fmt, net::IpAddr};

use ipnet::IpNet;
use url::Url;

/// The proxies of `HTTPS_PROXY` and `HTTP_PROXY`, and the servers of `NO_PROXY`.
#[derive(Clone, Default, PartialEq)]
pub struct Proxies {
    http: Option<Url>,
    https: Option<Url>,
    direct: Vec<Direct>,
    /// Variables that are set but ignored, each with the reason.
    pub refused: Vec<String>,
}

/// Servers that are contacted without a proxy.
#[derive(Clone, Debug, PartialEq)]
enum Direct {
    All,
    Network(IpNet),
    Address(IpAddr, Option<u16>),
    /// Begins with a dot. True: also matches the name itself.
    Below(String, bool, Option<u16>),
}

impl fmt::Debug for Proxies {
    /// A URL may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |url: &Option<Url>| url.as_ref().map(|_| "…");
        let (http, https) = (set(&self.http), set(&self.https));
        f.debug_struct("Proxies").field("http", &http).field("https", &https).finish_non_exhaustive()
    }
}

impl Proxies {
    /// Reads the environment. Of each variable the form in capitals takes precedence.
    pub fn read(env: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut refused = Vec::new();
        let mut proxy = |name: &str| {
            let (name, text) = set(env, name)?;
            let url = parse(&text);
            if url.is_none() {
                refused.push(format!(
                    "{name} (not followed: write a URL such as http://proxy.example.com:3128)"
                ));
            }
            url
        };
        let (https, http) = (proxy("HTTPS_PROXY"), proxy("HTTP_PROXY"));
        let direct = set(env, "NO_PROXY").map(|(_, text)| text).unwrap_or_default();
        Self { http, https, direct: direct.split(',').filter_map(Direct::parse).collect(), refused }
    }

    /// The proxy for a URL.
    pub fn of(&self, url: &Url) -> Option<&Url> {
        let proxy = if url.scheme() == "https" { self.https.as_ref() } else { self.http.as_ref() };
        proxy.filter(|_| !self.is_direct(url))
    }

    fn is_direct(&self, url: &Url) -> bool {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return true };
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let ip = host.parse::<IpAddr>().ok();
        host == "localhost"
            || ip.is_some_and(|ip| ip.is_loopback())
            || self.direct.iter().any(|direct| direct.holds(&host, ip, port))
    }
}

impl Direct {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text == "*" {
            return Some(Self::All);
        }
        if let Ok(network) = text.parse() {
            return Some(Self::Network(network));
        }
        let bare = |host: &str| host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        let parts = text.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
        let (host, port) = match parts {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text.as_str(), None),
        };
        if let Some(ip) = bare(host) {
            return Some(Self::Address(ip, port));
        }
        let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        match host.strip_prefix('.') {
            None if host.is_empty() => None,
            None => Some(Self::Below(format!(".{host}"), true, port)),
            Some(_) => Some(Self::Below(host.to_owned(), false, port)),
        }
    }

    fn holds(&self, host: &str, ip: Option<IpAddr>, port: u16) -> bool {
        let at = |only: &Option<u16>| only.is_none_or(|only| only == port);
        match self {
            Self::All => true,
            Self::Network(network) => ip.is_some_and(|ip| network.contains(&ip)),
            Self::Address(address, only) => ip == Some(*address) && at(only),
            Self::Below(suffix, itself, only) => {
                (host.ends_with(suffix.as_str()) || *itself && host == &suffix[1..]) && at(only)
            }
        }
    }
}

/// A variable that is set, with the name under which it is.
fn set(env: &dyn Fn(&str) -> Option<String>, name: &str) -> Option<(String, String)> {
    let names = [name.to_owned(), name.to_ascii_lowercase()];
    names
        .into_iter()
        .find_map(|name| Some((env(&name).filter(|text| !text.trim().is_empty())?, name)))
        .map(|(text, name)| (name, text))
}

/// A URL, or only host and port.
fn parse(text: &str) -> Option<Url> {
    let whole = |text: &str| Url::parse(text).ok().filter(Url::has_host);
    let url = whole(text.trim()).or_else(|| whole(&format!("http://{}", text.trim())))?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(vars: &[(&str, &str)]) -> Proxies {
        let found =
            |name: &str| vars.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        Proxies::read(&found)
    }

    fn of(proxies: &Proxies, url: &str) -> Option<String> {
        proxies.of(&Url::parse(url).unwrap()).map(ToString::to_string)
    }

    #[test]
    fn r19_each_scheme_has_its_proxy() {
        let both = proxies(&[("HTTPS_PROXY", "http://secure:3128"), ("http_proxy", "plain:8080")]);
        assert_eq!(of(&both, "https://api.datadoghq.com/x").as_deref(), Some("http://secure:3128/"));
        assert_eq!(of(&both, "http://prom.example.com").as_deref(), Some("http://plain:8080/"));
        assert_eq!(of(&proxies(&[("HTTPS_PROXY", "http://p:1")]), "http://prom.example.com"), None);
        assert_eq!(of(&proxies(&[]), "https://api.datadoghq.com"), None);
        let capitals = proxies(&[("HTTPS_PROXY", "http://a:1"), ("https_proxy", "http://b:1")]);
        assert_eq!(of(&capitals, "https://x.test").as_deref(), Some("http://a:1/"));
        for local in ["https://localhost", "https://127.0.0.1", "https://[::1]"] {
            assert_eq!(of(&both, local), None, "{local}");
        }
    }

    #[test]
    fn r19_servers_of_no_proxy_are_asked_directly() {
        let direct = |no_proxy: &str, url: &str| {
            let all = proxies(&[("HTTP_PROXY", "http://p:1"), ("NO_PROXY", no_proxy)]);
            of(&all, url).is_none()
        };
        for (no_proxy, url) in [
            ("*", "http://anybody.test"),
            ("example.com", "http://example.com"),
            ("example.com", "http://a.example.com"),
            (".svc, .cluster.local", "http://prom.monitoring.svc:9090"),
            ("*.example.com", "http://a.example.com"),
            ("example.com:8080", "http://example.com:8080"),
            ("10.0.0.0/8", "http://10.1.2.3"),
            ("10.1.2.3", "http://10.1.2.3:9090"),
            ("10.1.2.3:80", "http://10.1.2.3"),
            ("fd00::/8", "http://[fd00::1]"),
            ("[fd00::1]:9090", "http://[fd00::1]:9090"),
            ("EXAMPLE.com", "http://Example.COM."),
        ] {
            assert!(direct(no_proxy, url), "{no_proxy} {url}");
        }
        for (no_proxy, url) in [
            ("", "http://anybody.test"),
            (".example.com", "http://example.com"),
            ("*.example.com", "http://example.com"),
            ("example.com", "http://notexample.com"),
            ("example.com:8080", "http://example.com"),
            ("10.0.0.0/8", "http://11.1.2.3"),
            ("10.0.0.0/8", "http://prom.monitoring.svc"),
            ("10.1.2.3:81", "http://10.1.2.3"),
        ] {
            assert!(!direct(no_proxy, url), "{no_proxy} {url}");
        }
    }

    #[test]
    fn r19_what_is_no_proxy_is_named_without_its_password() {
        let wrong =
            proxies(&[("HTTPS_PROXY", "socks5://me:s3cret@p:1"), ("http_proxy", "http://me:s3cret@p:1")]);
        assert_eq!(wrong.refused.len(), 1);
        assert!(
            wrong.refused[0].starts_with("HTTPS_PROXY (not followed")
                && !format!("{wrong:?}").contains("s3cret")
        );
        assert_eq!(of(&wrong, "https://x.test"), None);
        assert_eq!(of(&wrong, "http://x.test").as_deref(), Some("http://me:s3cret@p:1/"));
    }
}
