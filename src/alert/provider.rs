//! The destination of an alert: an AlertProvider with the content of its Secret, or the operator's own settings.
//!
//! A Secret is read only when an AlertProvider in use names it, and again when its version has changed.
#![allow(clippy::disallowed_types, reason = "this module reads the Secrets that AlertProviders name")]

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use reqwest::Url;
use tokio::time::timeout;

use crate::{
    api::AlertProviderSpec,
    config::{self, Rules},
    net,
    observe::ObjectCache,
    snapshot::{ALERT_PROVIDER, SECRET},
};

/// Time limit of a read.
const DEADLINE: Duration = Duration::from_secs(5);
/// Secrets that are remembered.
const REMEMBERED: usize = 256;

/// A kind of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Slack,
    MsTeams,
    Discord,
    Rocket,
    GoogleChat,
    Webhook,
}

impl Service {
    /// The service for the type of an AlertProvider.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "slack" => Self::Slack,
            "msteams" => Self::MsTeams,
            "discord" => Self::Discord,
            "rocket" => Self::Rocket,
            "gchat" => Self::GoogleChat,
            "webhook" => Self::Webhook,
            _ => return None,
        })
    }

    /// The type of an AlertProvider, as metrics have it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::MsTeams => "msteams",
            Self::Discord => "discord",
            Self::Rocket => "rocket",
            Self::GoogleChat => "gchat",
            Self::Webhook => "webhook",
        }
    }
}

/// A service that can be posted to. It must not be printed: URL and token are secrets.
#[derive(Clone)]
pub(super) struct Destination {
    /// The kind of service.
    pub(super) service: Service,
    /// Namespace of the AlertProvider; empty for the operator's settings.
    pub(super) namespace: String,
    /// The address is a secret itself, or a token is sent with it.
    pub(super) confidential: bool,
    /// The URL to post to.
    pub(super) url: Url,
    /// Bearer token.
    pub(super) token: Option<String>,
    /// HTTP proxy to use.
    pub(super) proxy: Option<Url>,
    /// Channel, if the hook allows choosing one.
    pub(super) channel: String,
    /// Name to post under.
    pub(super) username: String,
}

impl Destination {
    /// # Errors
    /// An address is invalid; the error names the field without repeating the address.
    pub(super) fn of_spec(
        spec: &AlertProviderSpec,
        address: &str,
        token: Option<String>,
    ) -> Result<Self, String> {
        let service = Service::named(&spec.type_).ok_or_else(|| {
            format!(
                "spec.type {} is not known: choose slack, msteams, discord, rocket, gchat or webhook",
                spec.type_
            )
        })?;
        let parsed = |text: &str, what: &str| net::address(text).map_err(|error| format!("{what}: {error}"));
        let mut url = parsed(address, "its address")?;
        if service == Service::Discord && !url.path().ends_with("/slack") {
            // Discord accepts Slack's format under this path
            let path = format!("{}/slack", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        let some = |text: &Option<String>| text.clone().filter(|t| !t.trim().is_empty());
        Ok(Self {
            service,
            namespace: String::new(),
            confidential: token.is_some() || spec.secret_ref.is_some(),
            url,
            token,
            proxy: some(&spec.proxy).map(|proxy| parsed(&proxy, "spec.proxy")).transpose()?,
            channel: some(&spec.channel).unwrap_or_else(|| "general".to_owned()),
            username: some(&spec.username).unwrap_or_else(|| "flagger".to_owned()),
        })
    }

    /// The destination in the operator's settings.
    ///
    /// # Errors
    /// As [`of_spec`](Self::of_spec).
    pub(super) fn of_settings(settings: &config::Notifier) -> Result<Self, String> {
        let spec = AlertProviderSpec {
            type_: settings.service.to_owned(),
            channel: Some(settings.channel.clone()),
            username: Some(settings.username.clone()),
            proxy: Some(settings.proxy.clone()),
            ..AlertProviderSpec::default()
        };
        let token = Some(settings.token.0.clone()).filter(|t| !t.is_empty());
        let named = Self::of_spec(&spec, &settings.url.0, token)?;
        Ok(Self { confidential: true, ..named })
    }
}

/// The content of a Secret, and its version.
type Read = (Option<String>, BTreeMap<String, String>);

/// Finds AlertProviders.
pub(super) struct Providers {
    client: Client,
    rules: Rules,
    secrets: Mutex<BTreeMap<(String, String), Read>>,
}

impl Providers {
    pub(super) fn new(client: Client, rules: Rules) -> Self {
        Self { client, rules, secrets: Mutex::default() }
    }

    /// Forgets the Secrets that are gone.
    pub(super) fn forget(&self, is_gone: impl Fn(&(String, String)) -> bool) {
        self.remembered().retain(|key, _| !is_gone(key));
    }

    /// The spec of an AlertProvider that serves this namespace.
    ///
    /// # Errors
    /// It does not exist, does not decode, or serves other namespaces; for people.
    pub(super) fn spec(
        &self,
        cache: &ObjectCache,
        (namespace, name): (&str, &str),
        borrower: &str,
    ) -> Result<AlertProviderSpec, String> {
        let object = cache.get(ALERT_PROVIDER, namespace, name).ok_or("it does not exist")?;
        let spec: AlertProviderSpec = serde_json::from_value(object["spec"].clone())
            .map_err(|error| format!("it does not decode: {error}"))?;
        if self.rules.lends(spec.allowed_namespaces.as_ref(), namespace, borrower) {
            return Ok(spec);
        }
        Err(format!(
            "it does not serve namespace {borrower}: have its owner add {borrower} to its spec.allowedNamespaces"
        ))
    }

    /// The service of an AlertProvider, for a Canary of the namespace `borrower`.
    ///
    /// # Errors
    /// It cannot be posted to: what is missing or wrong, for people. No error contains the content of a Secret.
    pub(super) async fn find(
        &self,
        cache: &ObjectCache,
        (namespace, name): (&str, &str),
        borrower: &str,
    ) -> Result<Destination, String> {
        let spec = self.spec(cache, (namespace, name), borrower)?;
        let (mut address, mut token) = (spec.address.clone(), None);
        if let Some(secret) = &spec.secret_ref {
            let held = self.secret(cache, namespace, &secret.name).await?;
            let missing = || format!("Secret {} has no key address: put the URL there", secret.name);
            address = Some(held.get("address").cloned().ok_or_else(missing)?);
            token = held.get("token").cloned().filter(|t| !t.is_empty());
        }
        let address = address.ok_or("it has neither spec.address nor spec.secretRef")?;
        let found = Destination::of_spec(&spec, &address, token)?;
        Ok(Destination { namespace: namespace.to_owned(), ..found })
    }

    async fn secret(
        &self,
        cache: &ObjectCache,
        namespace: &str,
        name: &str,
    ) -> Result<BTreeMap<String, String>, String> {
        // None if Secrets are not watched: then it is read each time
        let version = cache
            .get(SECRET, namespace, name)
            .and_then(|object| object["metadata"]["resourceVersion"].as_str().map(str::to_owned));
        let key = (namespace.to_owned(), name.to_owned());
        if let Some((at, held)) = self.remembered().get(&key)
            && version.is_some()
            && *at == version
        {
            return Ok(held.clone());
        }
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let found = timeout(DEADLINE, api.get_opt(name))
            .await
            .map_err(|_| format!("Secret {name}: the API server does not answer"))?
            .map_err(|error| format!("Secret {name} cannot be read: {error}"))?
            .ok_or_else(|| format!("there is no Secret {name} in namespace {namespace}"))?;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap_or_default().trim().to_owned();
        let wanted = ["address", "token"];
        let held: BTreeMap<_, _> = found
            .data
            .into_iter()
            .flatten()
            .filter(|(key, _)| wanted.contains(&key.as_str()))
            .map(|(key, value)| (key, text(value.0)))
            .collect();
        // A Secret that is not watched would be remembered after it is gone
        if version.is_none() {
            return Ok(held);
        }
        let mut remembered = self.remembered();
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(key, (found.metadata.resource_version, held.clone()));
        Ok(held)
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, String), Read>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
