//! Contents of the Secrets that MetricTemplates and metrics name, read by name.
//!
//! Owns the read, its deadline, and what is remembered of it: a content is read once for each version that the watch of
//! Secrets tells, so that checks cost no read. Never shown: neither `Debug` nor any error repeats a value.
#![allow(clippy::disallowed_types, reason = "this module reads Secrets from the API server")]

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use super::error::SourceError;
use crate::analysis::SecretAt;

/// No read may take longer.
const DEADLINE: Duration = Duration::from_secs(10);
/// Shorter values are not looked for in texts: they stand in any.
const SHORTEST: usize = 4;
/// The key of a Secret under which the certificates of a server's own authority lie, in PEM form.
pub(super) const CA_KEY: &str = "ca.crt";
/// What is shown in place of a secret.
const HIDDEN: &str = "*****";

/// Types of Secrets, or how they begin, that hold what proves who somebody is to the cluster, to registries or to clients, or whole
/// releases: none is for a query.
const NOT_FOR_QUERIES: [&str; 6] = [
    "kubernetes.io/service-account-token",
    "kubernetes.io/tls",
    "kubernetes.io/dockercfg",
    "kubernetes.io/dockerconfigjson",
    "bootstrap.kubernetes.io/token",
    "helm.sh/release",
];

/// What is under each key of a Secret.
type Content = BTreeMap<String, Vec<u8>>;

/// Type and content of a Secret.
type Held = (String, Content);

/// By namespace and name: the version that was read, and what it held.
type Known = BTreeMap<(String, String), (String, Held)>;

/// What a Secret holds.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    from: SecretAt,
    type_: String,
    values: Content,
    /// Values from elsewhere that are not to be shown either.
    hidden: Vec<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Credentials {
    /// Of this Secret.
    pub(crate) fn new(from: SecretAt, values: Content) -> Self {
        Self { from, values, ..Self::default() }
    }

    /// Of a Secret of this type.
    fn typed(self, type_: String) -> Self {
        Self { type_, ..self }
    }

    /// The text under a key, for a query.
    ///
    /// # Errors
    /// There is none, or the Secret is of a type that holds no arguments.
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

    /// The same, hiding other secrets that are sent along as well.
    #[must_use]
    pub(crate) fn beside(self, hidden: Vec<String>) -> Self {
        Self { hidden, ..self }
    }

    /// It holds more than what a server is known by, which is no secret.
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
    /// There is none: names Secret, key and who names the Secret.
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

    /// A text without the values: a server may repeat what it was sent.
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

    /// What the Secret holds. Where its version is not known it is read each time.
    ///
    /// # Errors
    /// It does not exist, or cannot be read.
    pub(crate) async fn read(&self, at: &SecretAt) -> Result<Credentials, SourceError> {
        let key = (at.namespace.clone(), at.name.clone());
        if let Some((type_, values)) = self.remembered(&key, at.version.as_deref()) {
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
        if let Some(version) = found.metadata.resource_version {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(key, (version, (type_.clone(), values.clone())));
        }
        Ok(Credentials::new(at.clone(), values).typed(type_))
    }

    fn remembered(&self, key: &(String, String), version: Option<&str>) -> Option<Held> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, held) = known.get(key)?;
        // what was read may be newer than what the watch has told by now: then it is read once more
        (Some(at.as_str()) == version).then(|| held.clone())
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
}
