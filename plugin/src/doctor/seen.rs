//! What was seen of a cluster. What may not be read is known with the right that was missing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serin::api::Canary;

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub enum Look<T> {
    /// It was read.
    Read(T),
    /// It could not be: why, or the right that was missing.
    Unread(String),
}

impl<T> Look<T> {
    /// What was read.
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
    /// Serin's version; none: it is Flagger's, or somebody else's.
    pub version: Option<String>,
    /// Versions that are stored and not served.
    pub unserved: Vec<String>,
}

/// A Deployment that may act on Canaries.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    /// Namespace and name.
    pub place: String,
    /// Its image.
    pub image: String,
    /// Pods that it asks for.
    pub wanted: i64,
    /// Pods that are ready.
    pub ready: i64,
}

impl Operator {
    /// It is Serin, by its image or name.
    pub fn is_serin(&self) -> bool {
        let file = self.image.rsplit('/').next().unwrap_or_default();
        file.starts_with("serin") || self.place.ends_with("/serin")
    }
}

/// Who leads.
#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    /// Its namespace.
    pub namespace: String,
    /// The holder.
    pub holder: String,
    /// When it was renewed.
    pub renewed: Option<Timestamp>,
    /// How long that counts, in seconds.
    pub lasts: i64,
}

/// Kinds that a router needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    /// The provider.
    pub provider: String,
    /// Its kinds, as `virtualservices.networking.istio.io/v1`, with whether the cluster has them.
    pub kinds: Vec<(String, bool)>,
}

/// Everything.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Version of the API server.
    pub version: Look<String>,
    /// Its clock.
    pub clock: Option<Timestamp>,
    /// Rights of this user: `patch canaries.flagger.app` and whether it has it.
    pub rights: Vec<(String, bool)>,
    /// Definitions by name; none: there is no such definition.
    pub definitions: Look<BTreeMap<String, Option<Definition>>>,
    /// Deployments that may act on Canaries.
    pub operators: Look<Vec<Operator>>,
    /// Leases of the operator's name.
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
