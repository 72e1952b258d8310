//! Contents of the Secrets that MetricTemplates and metrics name, read by name.
//!
//! Owns the read, its deadline, and a cache: a content is read once for each version that the watch of
//! Secrets reports, so that checks cost no read. Never shown: neither `Debug` nor any error repeats a value.
#![allow(clippy::disallowed_types, reason = "this module reads Secrets from the API server")]

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use super::error::SourceError;
use crate::analysis::SecretAt;

/// Time limit of a read.
const DEADLINE: Duration = Duration::from_secs(10);
/// Shorter values are not redacted: they occur in any text.
const SHORTEST: usize = 4;
/// The key of a Secret with the certificates of a server's own authority, in PEM form.
pub(super) const CA_KEY: &str = "ca.crt";
/// Shown instead of a secret.
const HIDDEN: &str = "*****";

/// Types of Secrets, or their prefixes, with credentials for the cluster, registries or clients, or with complete
/// releases: none may be used in a query.
const NOT_FOR_QUERIES: [&str; 6] = [
    "kubernetes.io/service-account-token",
    "kubernetes.io/tls",
    "kubernetes.io/dockercfg",
    "kubernetes.io/dockerconfigjson",
    "bootstrap.kubernetes.io/token",
    "helm.sh/release",
];

/// The values of a Secret by key.
type Content = BTreeMap<String, Vec<u8>>;

/// Most bytes in the cache, in total and per namespace.
const MOST: usize = 8 << 20;
const EACH: usize = 1 << 20;

/// Namespace and name.
type Key = (String, String);

/// The cache.
#[derive(Default)]
struct Known {
    secrets: BTreeMap<Key, Remembered>,
    turn: u64,
}

/// Type and content of a Secret.
type Held = (String, Content);

/// A cached Secret.
struct Remembered {
    version: String,
    held: Held,
    /// The turn of its last use.
    used: u64,
}

impl Known {
    fn find(&mut self, key: &Key, version: &str) -> Option<Held> {
        self.turn += 1;
        let known = self.secrets.get_mut(key)?;
        // the cached version may be newer than the one from the watch: then it is read once more
        if known.version != version {
            return None;
        }
        known.used = self.turn;
        Some(known.held.clone())
    }

    /// Makes room by dropping the least recently used entries: of the same namespace, if that has too many, otherwise
    /// of all.
    fn keep(&mut self, key: Key, version: String, held: Held) {
        self.secrets.remove(&key);
        let size = bytes(&held.1);
        if size > EACH {
            return;
        }
        while self.bytes(Some(&key.0)) + size > EACH && self.forget_oldest(Some(&key.0)) {}
        while self.bytes(None) + size > MOST && self.forget_oldest(None) {}
        let used = self.turn;
        self.secrets.insert(key, Remembered { version, held, used });
    }

    fn of<'a>(&'a self, namespace: Option<&'a str>) -> impl Iterator<Item = (&'a Key, &'a Remembered)> {
        self.secrets.iter().filter(move |(key, _)| namespace.is_none_or(|namespace| key.0 == namespace))
    }

    fn bytes(&self, namespace: Option<&str>) -> usize {
        self.of(namespace).map(|(_, known)| bytes(&known.held.1)).sum()
    }

    fn forget_oldest(&mut self, namespace: Option<&str>) -> bool {
        let oldest = self.of(namespace).min_by_key(|(_, known)| known.used).map(|(key, _)| key.clone());
        oldest.is_some_and(|key| self.secrets.remove(&key).is_some())
    }
}

fn bytes(content: &Content) -> usize {
    content.iter().map(|(key, value)| key.len() + value.len()).sum()
}

/// The content of a Secret.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    from: SecretAt,
    type_: String,
    values: Content,
    /// Values from elsewhere that must not be shown either.
    hidden: Vec<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Credentials {
    /// Content of this Secret.
    pub(crate) fn new(from: SecretAt, values: Content) -> Self {
        Self { from, values, ..Self::default() }
    }

    /// Content of a Secret of this type.
    fn typed(self, type_: String) -> Self {
        Self { type_, ..self }
    }

    /// The text under a key, for a query.
    ///
    /// # Errors
    /// There is none, or the Secret is of a type that must not be used for arguments.
    pub(crate) fn argument(&self, key: &str) -> Result<&str, SourceError> {
        match NOT_FOR_QUERIES.iter().find(|type_| self.type_.starts_with(*type_)) {
            Some(_) => Err(SourceError::NotForQueries {
                secret: format!("{}/{}", self.from.namespace, self.from.name),
                named_by: self.from.named_by.clone(),
                type_: self.type_.clone(),
            }),
            None => self.get(key),
        }
    }

    /// The same, also redacting other secrets that are sent along.
    #[must_use]
    pub(crate) fn beside(self, hidden: Vec<String>) -> Self {
        Self { hidden, ..self }
    }

    /// It contains more than the certificates of a server, which are not secret.
    pub(super) fn holds_secrets(&self) -> bool {
        self.values.keys().any(|key| key != CA_KEY)
    }

    /// Other secrets are sent along.
    pub(super) fn holds_hidden(&self) -> bool {
        !self.hidden.is_empty()
    }

    /// No Secret is named.
    pub(crate) fn none(&self) -> bool {
        self.from.name.is_empty()
    }

    /// The text under a key, without white space around it; none if there is no such key or it is empty.
    pub(crate) fn find(&self, key: &str) -> Option<&str> {
        let text = std::str::from_utf8(self.values.get(key)?).ok()?.trim();
        Some(text).filter(|text| !text.is_empty())
    }

    /// The text under a key.
    ///
    /// # Errors
    /// There is none: names Secret, key and the object that names the Secret.
    pub(crate) fn get(&self, key: &str) -> Result<&str, SourceError> {
        self.find(key).ok_or_else(|| self.lacks(&format!("key {key}")))
    }

    /// The error for a Secret that lacks `what`, e.g. `key token`.
    pub(crate) fn lacks(&self, what: &str) -> SourceError {
        SourceError::KeyMissing {
            secret: format!("{}/{}", self.from.namespace, self.from.name),
            named_by: self.from.named_by.clone(),
            key: what.to_owned(),
        }
    }

    /// A text without the values, because a server may repeat what it was sent.
    pub(crate) fn redact(&self, text: &str) -> String {
        let values = self.values.values().filter_map(|value| std::str::from_utf8(value).ok());
        let values = values.chain(self.hidden.iter().map(String::as_str));
        let mut values: Vec<&str> = values.map(str::trim).filter(|v| v.len() >= SHORTEST).collect();
        // one may be part of another
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.into_iter().fold(text.to_owned(), |text, value| text.replace(value, HIDDEN))
    }
}

/// Reads Secrets.
#[derive(Clone)]
pub(crate) struct Secrets {
    client: Client,
    known: Arc<Mutex<Known>>,
}

impl Secrets {
    /// Through this client.
    pub(crate) fn new(client: Client) -> Self {
        Self { client, known: Arc::default() }
    }

    /// Drops Secrets that are gone.
    pub(crate) fn forget(&self, is_gone: impl Fn(&Key) -> bool) {
        self.known().secrets.retain(|key, _| !is_gone(key));
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The content of the Secret. If its version is unknown it is read each time.
    ///
    /// # Errors
    /// It does not exist, or cannot be read.
    pub(crate) async fn read(&self, at: &SecretAt) -> Result<Credentials, SourceError> {
        let key = (at.namespace.clone(), at.name.clone());
        let remembered = at.version.as_deref().and_then(|version| self.known().find(&key, version));
        if let Some((type_, values)) = remembered {
            return Ok(Credentials::new(at.clone(), values).typed(type_));
        }
        let (secret, named_by) = (format!("{}/{}", at.namespace, at.name), at.named_by.clone());
        let unread = |message: String| SourceError::SecretUnread {
            secret: secret.clone(),
            named_by: named_by.clone(),
            message,
        };
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &at.namespace);
        let found = match tokio::time::timeout(DEADLINE, api.get_opt(&at.name)).await {
            Err(_) => {
                return Err(unread(format!("no answer of the API server within {} s", DEADLINE.as_secs())));
            }
            Ok(Err(kube::Error::Api(status))) => {
                return Err(unread(format!("the API server answers {}: {}", status.code, status.message)));
            }
            Ok(Err(_)) => return Err(unread("the API server cannot be asked".into())),
            Ok(Ok(found)) => found,
        };
        let Some(found) = found else { return Err(SourceError::SecretMissing { secret, named_by }) };
        let values: BTreeMap<_, _> =
            found.data.unwrap_or_default().into_iter().map(|(k, v)| (k, v.0)).collect();
        let type_ = found.type_.unwrap_or_default();
        // one that is not watched would be cached for nothing, and after it is gone
        if let Some(version) = found.metadata.resource_version.filter(|_| at.version.is_some()) {
            self.known().keep(key, version, (type_.clone(), values.clone()));
        }
        Ok(Credentials::new(at.clone(), values).typed(type_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login() -> Credentials {
        let at = SecretAt {
            named_by: "MetricTemplate test/errors (spec.provider.secretRef)".into(),
            namespace: "test".into(),
            name: "login".into(),
            version: None,
        };
        let values = [("token", "s3cret-token\n"), ("part", "s3cret"), ("pin", "42"), ("empty", " ")];
        Credentials::new(at, values.map(|(k, v)| (k.to_owned(), v.as_bytes().to_vec())).into())
    }

    #[test]
    fn values_are_trimmed_and_a_missing_key_is_named() {
        let login = login();
        assert_eq!(login.get("token").unwrap(), "s3cret-token");
        for key in ["empty", "nope"] {
            let error = login.get(key).unwrap_err();
            assert_eq!(error.reason(), "SecretKeyMissing");
            let said = error.to_string();
            assert!(
                said.contains("test/login") && said.contains("test/errors") && said.contains(key),
                "{said}"
            );
        }
        let binary = Credentials::new(SecretAt::default(), [("token".to_owned(), vec![0xff])].into());
        assert!(binary.get("token").is_err());
    }

    #[test]
    fn f8_secrets_that_prove_who_somebody_is_give_no_arguments() {
        for type_ in NOT_FOR_QUERIES.iter().chain(&["helm.sh/release.v1"]) {
            let error = login().typed((*type_).to_owned()).argument("token").unwrap_err();
            assert_eq!(error.reason(), "SecretNotForQueries");
            let said = error.to_string();
            assert!(
                said.contains("Secret test/login") && said.contains(type_) && !said.contains("s3cret"),
                "{said}"
            );
        }
        for type_ in ["", "Opaque", "kubernetes.io/basic-auth", "example.com/kubernetes.io/tls"] {
            assert_eq!(login().typed(type_.to_owned()).argument("token").unwrap(), "s3cret-token", "{type_}");
        }
    }

    #[test]
    fn x5_values_are_never_shown() {
        let login = login();
        assert!(!format!("{login:?}").contains("s3cret"));
        assert_eq!(
            login.redact("Bearer s3cret-token of s3cret in 42"),
            format!("Bearer {HIDDEN} of {HIDDEN} in 42")
        );
        assert_eq!(Credentials::default().redact("plain"), "plain");
        assert_eq!(
            Credentials::default().beside(vec!["other".into()]).redact("an other"),
            format!("an {HIDDEN}")
        );
    }

    #[test]
    fn f24_what_is_remembered_of_secrets_is_bounded_for_each_namespace_and_for_all() {
        let mut known = Known::default();
        let key = |namespace: &str, n: usize| (namespace.to_owned(), n.to_string());
        let content =
            |size: usize| ("Opaque".to_owned(), Content::from([("k".to_owned(), vec![0; size - 1])]));
        known.keep(key("quiet", 0), "1".into(), content(1000));
        for n in 0..100 {
            known.keep(key("busy", n), "1".into(), content(100_000));
            assert!(known.find(&key("busy", 0), "1").is_some() || n > 0);
        }
        assert!(known.find(&key("quiet", 0), "1").is_some(), "others keep theirs");
        assert!(known.find(&key("busy", 99), "1").is_some() && known.bytes(Some("busy")) <= EACH);
        known.keep(key("large", 0), "1".into(), content(EACH + 1));
        assert!(known.find(&key("large", 0), "1").is_none());
        for n in 0..100 {
            known.keep(key(&n.to_string(), 0), "1".into(), content(EACH));
        }
        assert!(known.bytes(None) <= MOST);
        assert!(known.find(&key("99", 0), "2").is_none(), "of another version");
    }
}
