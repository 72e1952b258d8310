//! From names to addresses that are allowed.

use std::{collections::BTreeSet, io, net::IpAddr, net::SocketAddr, sync::Arc, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

use tokio::time::timeout;

use super::shares::Shares;
use crate::outbound::{OutboundPolicy, Refused};

/// Look-ups at once: in total, and per namespace. Each has a thread of the runtime's 512, also after its request was
/// given up.
pub(super) const LOOKUPS: usize = 256;
pub(super) const LOOKUPS_OF_ONE: usize = 32;
/// A name that only a proxy may know counts as unknown after this time.
const UNKNOWN: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// The namespace that the current request is made for: connections of all share one resolver.
    pub(super) static TENANT: String;
}

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

/// Returns the known addresses behind the Service of the API server.
pub(crate) type Endpoints = Arc<dyn Fn() -> BTreeSet<IpAddr> + Send + Sync>;

/// Checks addresses before connecting to them.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) outbound: OutboundPolicy,
    /// Host of the API server: an address or a name.
    pub(super) api: Option<String>,
    /// Further addresses of it.
    pub(super) endpoints: Option<Endpoints>,
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) lookups: Shares,
}

impl Guard {
    /// All addresses of a name; none within the time limit is an error. The wait for a share is not part of it, so that
    /// a namespace cannot make names unknown by using up its own.
    #[allow(
        clippy::disallowed_methods,
        reason = "a look-up holds its share for as long as it holds a thread"
    )]
    async fn find(&self, name: String, limit: Duration) -> io::Result<Vec<IpAddr>> {
        let tenant = TENANT.try_with(String::clone).unwrap_or_default();
        let share = self.lookups.take(&tenant).await;
        let lookup = self.lookup.lookup(name);
        let found = tokio::spawn(async move {
            let _share = share;
            lookup.await
        });
        timeout(limit, found).await?.unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    /// The allowed addresses of a host: at least one.
    pub(super) async fn admits(&self, host: &str, found: &[IpAddr]) -> Result<Vec<IpAddr>, Refused> {
        let api = self.api_addresses().await;
        let (mut good, mut refusal) = (Vec::new(), None);
        for ip in found {
            match self.judge(host, *ip, api.as_ref()) {
                Ok(()) => good.push(*ip),
                Err(refused) => refusal = Some(refused),
            }
        }
        refusal.filter(|_| good.is_empty()).map_or(Ok(good), Err)
    }

    fn judge(&self, host: &str, ip: IpAddr, api: Result<&BTreeSet<IpAddr>, &String>) -> Result<(), Refused> {
        self.outbound.admits_address(host, ip)?;
        let why = match api {
            _ if self.outbound.allows(ip) => return Ok(()),
            Ok(api) if !api.contains(&ip.to_canonical()) => return Ok(()),
            Ok(_) => "is the API server".to_owned(),
            Err(name) => format!(
                "cannot be distinguished from the API server, whose name {name} cannot be looked up: have the operator's resolver know it"
            ),
        };
        Err(Refused { host: host.to_owned(), why })
    }

    /// A proxy is asked for this host, and resolves it itself. All addresses that are known here must be allowed.
    pub(super) async fn admits_through_proxy(&self, url: &Url) -> Result<(), Refused> {
        let Some(host) = host_of(url).filter(|_| !self.outbound.is_named(url)) else { return Ok(()) };
        // behind a proxy public names may be unknown, and a resolver may not answer
        let found = self.find(host.clone(), UNKNOWN).await.unwrap_or_default();
        if found.is_empty() {
            return Ok(());
        }
        let api = self.api_addresses().await;
        found.iter().try_for_each(|ip| self.judge(&host, *ip, api.as_ref()))
    }

    /// Err: its name, which cannot be resolved.
    async fn api_addresses(&self) -> Result<BTreeSet<IpAddr>, String> {
        let mut all = self.endpoints.as_ref().map(|known| known()).unwrap_or_default();
        let Some(host) = &self.api else { return Ok(all) };
        let found = if let Ok(ip) = host.parse::<IpAddr>() {
            vec![ip]
        } else {
            let found = self.find(host.clone(), Duration::MAX).await.ok();
            found.filter(|found| !found.is_empty()).ok_or_else(|| host.clone())?
        };
        all.extend(found.iter().map(IpAddr::to_canonical));
        Ok(all)
    }

    async fn resolve(self, name: String) -> Result<Addrs, Box<dyn std::error::Error + Send + Sync>> {
        let found = self.find(name.clone(), Duration::MAX).await?;
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
