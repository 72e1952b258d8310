//! HTTP clients, kept while they are used: each has its connections, and its accepted certificates.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use reqwest::{Certificate, Client, ClientBuilder, Proxy, Url, redirect};

use super::{
    exchange::{NetError, Tls},
    resolve::Guard,
};

/// Most clients that are kept in total, and per namespace.
const MOST: usize = 64;
const EACH: usize = 8;

/// The properties by which clients differ.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) guarded: bool,
    pub(super) tls: Tls,
    pub(super) proxy: Option<Url>,
}

/// The clients, by namespace and kind. Clients without user settings are shared by all namespaces.
#[derive(Default)]
pub(super) struct Clients(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// With the turn of its last use.
    all: BTreeMap<(String, Kind), (u64, Client)>,
    turn: u64,
}

impl Clients {
    /// The client of this kind.
    ///
    /// # Errors
    /// The client cannot be created.
    pub(super) fn get(&self, tenant: &str, kind: Kind, guard: &Arc<Guard>) -> Result<Client, NetError> {
        let is_plain = kind.tls.ca.is_none() && kind.proxy.is_none();
        let key = (if is_plain { String::new() } else { tenant.to_owned() }, kind);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.turn += 1;
        let turn = kept.turn;
        if let Some((used, client)) = kept.all.get_mut(&key) {
            *used = turn;
            return Ok(client.clone());
        }
        let client = build(&key.1, guard)?;
        kept.make_room(&key.0);
        kept.all.insert(key, (turn, client.clone()));
        Ok(client)
    }
}

impl Kept {
    /// A namespace with more than its share loses its least recently used client. If there are too many in total, the
    /// namespace with the most clients loses one.
    fn make_room(&mut self, tenant: &str) {
        let mut counts = BTreeMap::<&str, usize>::new();
        for (of, _) in self.all.keys() {
            *counts.entry(of).or_default() += 1;
        }
        let own = counts.get(tenant).copied().unwrap_or_default();
        let loser = if own >= EACH {
            Some(tenant)
        } else {
            let most = counts.iter().max_by_key(|(_, count)| **count).map(|(of, _)| *of);
            most.filter(|_| self.all.len() >= MOST)
        };
        let of_loser = |((of, _), _): &(&(String, Kind), &(u64, Client))| Some(of.as_str()) == loser;
        let oldest = self.all.iter().filter(of_loser).min_by_key(|(_, (used, _))| *used);
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            self.all.remove(&key);
        }
    }
}

fn build(kind: &Kind, guard: &Arc<Guard>) -> Result<Client, NetError> {
    let mut own = Vec::new();
    if let Some(pem) = &kind.tls.ca {
        own = Certificate::from_pem_bundle(pem).unwrap_or_default();
        if own.is_empty() {
            return Err(NetError::Authority);
        }
    }
    let proxy = kind.proxy.clone().map(Proxy::all).transpose().map_err(NetError::Setup)?;
    let builder = || -> ClientBuilder {
        let plain = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .tls_danger_accept_invalid_certs(kind.tls.any_certificate)
            .user_agent(concat!("serin/", env!("CARGO_PKG_VERSION")));
        let plain = if kind.guarded { plain.dns_resolver(guard.clone()) } else { plain };
        proxy.iter().cloned().fold(plain, ClientBuilder::proxy)
    };
    // a system without any CA certificates can still speak plain HTTP
    let merged = builder().tls_certs_merge(own.clone()).build();
    merged.or_else(|_| builder().tls_certs_only(own).build()).map_err(NetError::Setup)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        net::{resolve::System, shares::Shares},
        outbound::OutboundPolicy,
    };

    #[test]
    fn f28_many_certificates_of_one_namespace_clear_no_clients_of_others() {
        rustls::crypto::ring::default_provider().install_default().ok();
        let guard = Arc::new(Guard {
            outbound: OutboundPolicy::default(),
            api: None,
            endpoints: None,
            lookup: Arc::new(System),
            lookups: Shares::new(1, 1),
        });
        let clients = Clients::default();
        let ca = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap().cert.pem();
        let kind = |n: usize| {
            let ca = Some(format!("{n}\n{ca}").into_bytes());
            Kind { guarded: true, tls: Tls { any_certificate: false, ca }, proxy: None }
        };
        let plain = || Kind { guarded: true, tls: Tls::default(), proxy: None };
        clients.get("quiet", kind(0), &guard).map(drop).unwrap();
        clients.get("quiet", plain(), &guard).map(drop).unwrap();
        for n in 0..EACH * 2 {
            clients.get("busy", kind(n), &guard).map(drop).unwrap();
        }
        let of = |tenant: &str| {
            let kept = clients.0.lock().unwrap();
            kept.all.keys().filter(|(of, _)| of == tenant).count()
        };
        assert_eq!((of("quiet"), of("busy"), of("")), (1, EACH, 1));
        for n in 0..MOST + EACH {
            clients.get(&format!("n{n}"), kind(n), &guard).map(drop).unwrap();
        }
        let kept = clients.0.lock().unwrap().all.len();
        assert!(kept <= MOST, "{kept}");
    }
}
