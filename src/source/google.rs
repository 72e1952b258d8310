//! Tokens for Google's APIs.
//!
//! Owns the identity of the token: the service account with its key in the MetricTemplate's Secret under
//! `serviceAccountKey`, or the operator's own, from the metadata server of Google's clusters. Tokens are cached until
//! shortly before they expire. Written by hand, because reqsign-google (3.2) uses one fixed server, whatever
//! `token_uri` the key names.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use ring::{rand::SystemRandom, rsa, signature::RSA_PKCS1_SHA256};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    ask::Ask,
    error::SourceError,
    http::{Call, Http, Reply, address},
};
use crate::{
    clock,
    net::{self, Outbound},
};

/// Key of the Secret that holds a service account's key.
pub(super) const ACCOUNT: &str = "serviceAccountKey";

const SCOPE: &str = "https://www.googleapis.com/auth/monitoring.read";
const TOKENS: &str = "https://oauth2.googleapis.com/token";
const METADATA: &str = "http://metadata.google.internal/computeMetadata/v1/";
/// Time limit for the metadata server, which is near.
const NEAR: Duration = Duration::from_secs(2);
/// Most bytes of its answers.
const LARGEST: usize = 64 * 1024;
/// Requested lifetime of a token.
const LIFE: SignedDuration = SignedDuration::from_hours(1);
/// It is not used in its last seconds.
const REST: i64 = 60;
/// Most cached tokens.
const KEPT: usize = 64;

/// Gets tokens and keeps them.
#[derive(Clone)]
pub(super) struct Google {
    http: Http,
    own: Outbound,
    /// By the checksum of the complete key: knowing a part of a key is not enough to use its token.
    known: Arc<Mutex<BTreeMap<Vec<u8>, Kept>>>,
}

/// A token, and from when until when it is used.
type Kept = (String, Range<Timestamp>);

/// The token at this time. Before it was given, the clock has been set back, and nobody knows when it ends.
fn usable((token, time): &Kept, now: Timestamp) -> Option<String> {
    time.contains(&now).then(|| token.clone())
}

/// The key of a service account in Google's form.
#[derive(Deserialize)]
struct Account {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    private_key: String,
    #[serde(default)]
    token_uri: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    #[serde(default)]
    expires_in: i64,
}

impl Google {
    /// With keys from Secrets, tokens are requested through `http`; with the operator's identity through `own`.
    pub(super) fn new(http: Http, own: Outbound) -> Self {
        Self { http, own, known: Arc::default() }
    }

    /// A token with which metrics can be read.
    pub(super) async fn token(&self, ask: &Ask<'_>) -> Result<String, SourceError> {
        let key = ask.credentials.find(ACCOUNT);
        let name = Sha256::digest(key.unwrap_or_default()).to_vec();
        let now = clock::now();
        if let Some(token) = self.remembered(&name, now) {
            return Ok(token);
        }
        let token = match key {
            Some(key) => self.of_account(ask, key, now).await?,
            None => self.metadata("instance/service-accounts/default/token").await?.json()?,
        };
        let until = now + SignedDuration::from_secs(token.expires_in.saturating_sub(REST).max(0));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(name, (token.access_token.clone(), now..until));
        Ok(token.access_token)
    }

    /// The project that the operator runs in.
    pub(super) async fn project(&self) -> Result<String, SourceError> {
        let reply = self.metadata("project/project-id").await?;
        Ok(String::from_utf8_lossy(&reply.body).trim().to_owned())
    }

    fn remembered(&self, name: &[u8], now: Timestamp) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        usable(known.get(name)?, now)
    }

    /// Exchanges a signed statement of the identity for a token (RFC 7523).
    async fn of_account(&self, ask: &Ask<'_>, key: &str, now: Timestamp) -> Result<Token, SourceError> {
        let wrong = || ask.credentials.lacks(&format!("usable key of a service account under {ACCOUNT}"));
        let account: Account = serde_json::from_str(key).map_err(|_| wrong())?;
        if account.kind != "service_account" {
            return Err(wrong());
        }
        let server = account.token_uri.as_deref().unwrap_or(TOKENS);
        let url = address(server, "").map_err(|_| wrong())?;
        let statement = statement(&account, server, now).ok_or_else(wrong)?;
        let mut form = url.clone();
        form.query_pairs_mut()
            .clear()
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .append_pair("assertion", &statement);
        let body = form.query().unwrap_or_default().as_bytes().to_vec();
        let call = Call::post(url, body).header("content-type", "application/x-www-form-urlencoded")?;
        let of_tokens = Ask { address: server, ..ask.clone() };
        let reply = self.http.send(&of_tokens, call).await?;
        match reply.status {
            200..=299 => reply.json().map_err(|_| reply.odd("there is no token in it", b"")),
            status => {
                Err(SourceError::Unavailable { said: reply.quote(&reply.body), server: reply.server, status })
            }
        }
    }

    async fn metadata(&self, path: &str) -> Result<Reply, SourceError> {
        let nobody = |why: &str| SourceError::Identity {
            cloud: "Google Cloud",
            message: format!("{METADATA}: {why}"),
        };
        let url = address(METADATA, path)?;
        let request = net::Request::get(url, NEAR, LARGEST).header("metadata-flavor", "Google");
        let answer = self.own.send(request).await.map_err(|error| nobody(&error.to_string()))?;
        match answer.status {
            200..=299 => Ok(self.http.reply(METADATA, answer.status, answer.body)),
            status => Err(nobody(&format!("it answers with status {status}"))),
        }
    }
}

/// None if the key is no RSA key in PEM form.
fn statement(account: &Account, server: &str, now: Timestamp) -> Option<String> {
    let claims = json!({
        "iss": account.client_email, "scope": SCOPE, "aud": server,
        "iat": now.as_second(), "exp": (now + LIFE).as_second(),
    });
    let head = json!({"alg": "RS256", "typ": "JWT"});
    let said = [head, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let key = PrivatePkcs8KeyDer::from_pem_slice(account.private_key.as_bytes()).ok()?;
    let key = rsa::KeyPair::from_pkcs8(key.secret_pkcs8_der()).ok()?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), said.as_bytes(), &mut signature).ok()?;
    Some(format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c19_a_token_of_a_clock_that_was_ahead_is_not_used() {
        let at = |hours: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        let kept = ("t".to_owned(), at(24)..at(25));
        assert_eq!(usable(&kept, at(24)).as_deref(), Some("t"));
        assert_eq!((usable(&kept, at(25)), usable(&kept, at(1))), (None, None));
    }
}
