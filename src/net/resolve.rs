//! From names to addresses that may be connected to.

use std::{io, net::IpAddr, net::SocketAddr, sync::Arc};

use futures::{FutureExt, future::BoxFuture};
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

use crate::outbound::{OutboundPolicy, Refused};

/// A way from names to addresses.
pub(crate) trait Lookup: Send + Sync {
    /// All addresses of a name.
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct System;

impl Lookup for System {
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|a| a.ip()).collect()) }.boxed()
    }
}

/// Judges addresses before they are connected to.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) outbound: OutboundPolicy,
    /// Host of the API server: an address or a name.
    pub(super) api: Option<String>,
    pub(super) lookup: Arc<dyn Lookup>,
}

impl Guard {
    /// The addresses of a host that may be connected to: at least one.
    pub(super) async fn admits(&self, host: &str, found: &[IpAddr]) -> Result<Vec<IpAddr>, Refused> {
        let api = self.api_addresses().await;
        let is_api = |ip: &IpAddr| api.contains(&ip.to_canonical()) && !self.outbound.allows(*ip);
        let (mut good, mut refusal) = (Vec::new(), None);
        for ip in found {
            let judged = match self.outbound.admits_address(host, *ip) {
                Ok(()) if is_api(ip) => {
                    Err(Refused { host: host.to_owned(), why: "is the API server".into() })
                }
                judged => judged,
            };
            match judged {
                Ok(()) => good.push(*ip),
                Err(refused) => refusal = Some(refused),
            }
        }
        refusal.filter(|_| good.is_empty()).map_or(Ok(good), Err)
    }

    async fn api_addresses(&self) -> Vec<IpAddr> {
        let Some(host) = &self.api else { return Vec::new() };
        match host.parse() {
            Ok(ip) => vec![IpAddr::to_canonical(&ip)],
            Err(_) => self.lookup.lookup(host.clone()).await.unwrap_or_default(),
        }
    }

    async fn resolve(self, name: String) -> Result<Addrs, Box<dyn std::error::Error + Send + Sync>> {
        let found = self.lookup.lookup(name.clone()).await?;
        let good = self.admits(&name, &found).await?;
        Ok(Box::new(good.into_iter().map(|ip| SocketAddr::new(ip, 0))))
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        self.clone().resolve(name.as_str().to_owned()).boxed()
    }
}

/// Host of a URL without the brackets of IPv6.
pub(super) fn host_of(url: &Url) -> Option<String> {
    url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned())
}
