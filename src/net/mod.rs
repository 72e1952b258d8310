#![allow(clippy::disallowed_types, reason = "this module makes the HTTP clients")]
//! I/O leaf. The only place that sends requests to servers from users' objects: metrics servers, webhooks, alert
//! providers.
//!
//! A name is resolved once for each connection, and only addresses that [`OutboundPolicy`] allows are connected to.
//! Proxies of the environment are used only for requests that would also be allowed directly. No redirects; every
//! answer is limited in time and size.

mod clients;
mod exchange;
mod resolve;
mod shares;

use std::{net::IpAddr, sync::Arc, time::Duration};

use http::header::RETRY_AFTER;
use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::{Response, Url};
use tokio::time::timeout;

pub(crate) use crate::outbound::{OutboundPolicy, Refused};
use crate::proxies::Proxies;
pub(crate) use exchange::{Answer, NetError, Request, Tls, address, quoted, shown};
pub(crate) use resolve::{Endpoints, Lookup, System};
pub(crate) use shares::{Share, Shares};

use clients::{Clients, Kind};
use exchange::{causes, chain};
use resolve::{Guard, LOOKUPS, LOOKUPS_OF_ONE, TENANT, host_of};

/// Most bytes of a small answer.
const SMALL: usize = 64 * 1024;
/// Most larger answers in memory at once: in total, and per namespace. Each has at most 1 MiB.
const LARGE_ANSWERS: usize = 48;
const LARGE_OF_ONE: usize = 8;

/// Sends requests. Clones share their clients.
#[derive(Clone)]
pub(crate) struct Outbound(Arc<Inner>);

struct Inner {
    guard: Arc<Guard>,
    quotes: Quotes,
    proxies: Proxies,
    clients: Clients,
    large: Shares,
}

impl Inner {
    fn new(guard: Arc<Guard>, quotes: Quotes, proxies: Proxies) -> Self {
        let large = Shares::new(LARGE_ANSWERS, LARGE_OF_ONE);
        Self { guard, quotes, proxies, clients: Clients::default(), large }
    }
}

/// Which parts of answers may be repeated to people.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// Nothing.
    Nothing,
    /// Parts that cannot contain a secret that was sent to the server.
    Harmless,
    /// Everything: tests look for how it appears in an answer.
    #[cfg(test)]
    All,
}

impl Outbound {
    /// Requests that the policy allows, never to the API server at the URL `api`. With `quotes`, answers may be
    /// repeated to people.
    pub(crate) fn new(outbound: OutboundPolicy, api: Option<&str>, quotes: bool) -> Self {
        Self::with_lookup(outbound, api, quotes, Arc::new(System))
    }

    /// Requests to servers that only the operator's own environment names, e.g. the metadata service of its cloud:
    /// at any address, and nothing of their answers is repeated.
    pub(crate) fn own() -> Self {
        let networks = vec![Ipv4Net::default().into(), Ipv6Net::default().into()];
        Self::new(OutboundPolicy { networks, ..OutboundPolicy::default() }, None, false)
    }

    /// As [`new`](Self::new), with another way from names to addresses.
    pub(crate) fn with_lookup(
        outbound: OutboundPolicy,
        api: Option<&str>,
        quotes: bool,
        lookup: Arc<dyn Lookup>,
    ) -> Self {
        let lookups = Shares::new(LOOKUPS, LOOKUPS_OF_ONE);
        let api = api.and_then(|url| Url::parse(url).ok()).and_then(|url| host_of(&url));
        let guard = Arc::new(Guard { outbound, api, endpoints: None, lookup, lookups });
        let quotes = if quotes { Quotes::Harmless } else { Quotes::Nothing };
        Self(Arc::new(Inner::new(guard, quotes, Proxies::default())))
    }

    /// The same through these proxies, if they apply to a server.
    #[must_use]
    pub(crate) fn by(&self, proxies: Proxies) -> Self {
        let (guard, quotes) = (self.0.guard.clone(), self.0.quotes);
        Self(Arc::new(Inner::new(guard, quotes, proxies)))
    }

    /// The same, if these are also addresses of the API server.
    #[must_use]
    pub(crate) fn never_to(&self, endpoints: Endpoints) -> Self {
        let guard = Arc::new(Guard { endpoints: Some(endpoints), ..Guard::clone(&self.0.guard) });
        let (quotes, proxies) = (self.0.quotes, self.0.proxies.clone());
        Self(Arc::new(Inner::new(guard, quotes, proxies)))
    }

    /// The same, repeating all answers of servers.
    #[cfg(test)]
    pub(crate) fn quoting_all(&self) -> Self {
        let (guard, proxies) = (self.0.guard.clone(), self.0.proxies.clone());
        Self(Arc::new(Inner::new(guard, Quotes::All, proxies)))
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// There is none. Every status is an answer.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, NetError> {
        let (limit, tenant) = (request.timeout, request.tenant.clone());
        // names are looked up within it, and answers wait for memory
        let answer = timeout(limit, TENANT.scope(tenant, self.exchange(request))).await;
        answer.map_err(|_| NetError::TimedOut(limit))?
    }

    async fn exchange(&self, request: Request) -> Result<Answer, NetError> {
        let guard = &self.0.guard;
        for url in std::iter::once(&request.url).chain(&request.proxy) {
            guard.outbound.admits(url, &request.namespace)?;
            // a URL with an address in it is connected to without the resolver
            let literal = url.host_str().and_then(|h| h.trim_matches(['[', ']']).parse::<IpAddr>().ok());
            if let (false, Some(ip)) = (guard.outbound.is_named(url), literal) {
                guard.admits(&ip.to_string(), &[ip]).await?;
            }
        }
        let tells = self.tells(&request.url, &request.namespace);
        let quotable = tells && self.repeats(request.is_confidential());
        let (proxy, guarded) = self.way(&request).await?;
        let kind = Kind { guarded, tls: request.tls, proxy };
        let client = self.0.clients.get(&request.tenant, kind, guard)?;
        let mut sending = client.request(request.method, request.url).headers(request.headers);
        if let Some((user, password)) = request.login {
            sending = sending.basic_auth(user, Some(password));
        }
        if let Some(body) = request.body {
            sending = sending.body(body);
        }
        let failed = |error| failure(error, request.timeout, tells);
        let response = sending.send().await.map_err(failed)?;
        let answer = self.read(response, &request.tenant, request.limit).await.map_err(failed)?;
        Ok(Answer { quotable, ..answer })
    }

    async fn read(
        &self,
        mut response: Response,
        tenant: &str,
        limit: usize,
    ) -> Result<Answer, reqwest::Error> {
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map(str::to_owned);
        let (mut body, mut cut) = (Vec::new(), false);
        let mut held = None;
        while let Some(chunk) = response.chunk().await? {
            if held.is_none() && body.len() + chunk.len() > SMALL {
                held = self.0.large.take(tenant).await;
            }
            let room = limit - body.len();
            body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            cut = chunk.len() > room;
            if cut {
                break;
            }
        }
        Ok(Answer { status, body, cut, retry_after, quotable: false, held })
    }

    /// The proxy for a request, and whether the connected addresses are checked.
    async fn way(&self, request: &Request) -> Result<(Option<Url>, bool), Refused> {
        let guard = &self.0.guard;
        let named = |url: &Url| guard.outbound.is_named(url);
        if let Some(proxy) = &request.proxy {
            return Ok((Some(proxy.clone()), !named(proxy)));
        }
        let Some(proxy) = self.0.proxies.of(&request.url) else { return Ok((None, !named(&request.url))) };
        guard.admits_through_proxy(&request.url).await?;
        // the operator's own choice, at any address
        Ok((Some(proxy.clone()), false))
    }

    /// Messages may quote answers of this server.
    fn tells(&self, url: &Url, namespace: &str) -> bool {
        self.0.quotes != Quotes::Nothing && self.0.guard.outbound.may_quote(url, namespace)
    }

    fn repeats(&self, confidential: bool) -> bool {
        match self.0.quotes {
            Quotes::Nothing => false,
            Quotes::Harmless => !confidential,
            #[cfg(test)]
            Quotes::All => true,
        }
    }

    /// Answers that come in other ways may be repeated to people.
    pub(crate) fn quotes(&self) -> bool {
        self.0.quotes != Quotes::Nothing
    }
}

fn failure(error: reqwest::Error, timeout: Duration, tells: bool) -> NetError {
    let error = error.without_url();
    if let Some(refused) = chain(&error).find_map(|cause| cause.downcast_ref::<Refused>()) {
        return NetError::Refused(refused.clone());
    }
    if error.is_timeout() {
        return NetError::TimedOut(timeout);
    }
    if tells {
        return NetError::Unreachable(error);
    }
    // for those who run the operator
    tracing::debug!("no connection: {}", causes(&error));
    NetError::Unconnected
}

#[cfg(test)]
mod tests;
