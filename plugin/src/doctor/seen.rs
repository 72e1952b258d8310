//! Data from a cluster. For data that the user may not read, it contains the missing right.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serin::api::Canary;

/// Data that was requested.
#[derive(Clone, Debug, PartialEq)]
pub enum Look<T> {
    /// It was read.
    Read(T),
    /// It could not be read: the reason, or the missing right.
    Unread(String),
}

impl<T> Look<T> {
    /// The data, if it was read.
    pub fn read(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Unread(_) => None,
        }
    }
}

/// A definition of a kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Definition {
    /// Serin's version. None: the definition is Flagger's or another party's.
    pub version: Option<String>,
    /// Versions that are stored but not served.
    pub unserved: Vec<String>,
}

/// A Deployment that may act on Canaries.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    /// Namespace and name.
    pub place: String,
    /// Its image.
    pub image: String,
    /// Number of pods that it requests.
    pub wanted: i64,
    /// Number of pods that are ready.
    pub ready: i64,
}

impl Operator {
    /// It is Serin, judging by its image or name.
    pub fn is_serin(&self) -> bool {
        let file = self.image.rsplit('/').next().unwrap_or_default();
        file.starts_with("serin") || self.place.ends_with("/serin")
    }
}

/// The leader's Lease.
#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    /// Its namespace.
    pub namespace: String,
    /// The holder.
    pub holder: String,
    /// When it was last renewed.
    pub renewed: Option<Timestamp>,
    /// How long it is valid, in seconds.
    pub lasts: i64,
}

/// The kinds that a router needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    /// The provider.
    pub provider: String,
    /// Its kinds, such as `virtualservices.networking.istio.io/v1`, and whether the cluster has them.
    pub kinds: Vec<(String, bool)>,
}

/// All data.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Version of the API server.
    pub version: Look<String>,
    /// Its clock.
    pub clock: Option<Timestamp>,
    /// Rights such as `patch canaries.flagger.app`, and whether this user has them.
    pub rights: Vec<(String, bool)>,
    /// Definitions by name. None: the definition does not exist.
    pub definitions: Look<BTreeMap<String, Option<Definition>>>,
    /// Deployments that may act on Canaries.
    pub operators: Look<Vec<Operator>>,
    /// Leases with the operator's name.
    pub leases: Look<Vec<Lease>>,
    /// Canaries.
    pub canaries: Look<Vec<Canary>>,
    /// Kinds of the providers that Canaries use.
    pub routers: Vec<Served>,
    /// MetricTemplates, as `namespace/name`.
    pub templates: Look<BTreeSet<String>>,
    /// AlertProviders, as `namespace/name`.
    pub alerts: Look<BTreeSet<String>>,
}

impl Default for Seen {
    fn default() -> Self {
        let unread = || "it was not looked at".to_owned();
        Self {
            version: Look::Unread(unread()),
            clock: None,
            rights: vec![],
            definitions: Look::Unread(unread()),
            operators: Look::Unread(unread()),
            leases: Look::Unread(unread()),
            canaries: Look::Unread(unread()),
            routers: vec![],
            templates: Look::Unread(unread()),
            alerts: Look::Unread(unread()),
        }
    }
}
