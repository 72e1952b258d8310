//! Requests signed for AWS.
//!
//! Owns the identity for the signature: the keys of the MetricTemplate's Secret (`aws_access_key_id`,
//! `aws_secret_access_key`, optionally `aws_session_token`), or the operator's own, found as AWS' tools do: variables,
//! profile, web identity, container, machine. The latter are cached until they expire.

use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use reqsign_aws_v4::{Credential, DefaultCredentialProvider, RequestSigner, StaticCredentialProvider};
use reqsign_core::{Context, Error, FileRead, HttpSend, OsEnv, Signer};

use super::{ask::Ask, error::SourceError};
use crate::{
    net::{self, Outbound},
    text::first_chars,
};

/// Time limit for finding credentials, for all places together.
const DEADLINE: Duration = Duration::from_secs(5);
/// Time limit for one place: the metadata service of a machine answers at once, or does not exist.
const PLACE: Duration = Duration::from_secs(2);
/// Most bytes of an answer with credentials.
const LARGEST: usize = 64 * 1024;
/// Most characters of an error that are repeated.
const SHOWN: usize = 256;

/// Signs requests to one service.
#[derive(Clone)]
pub(super) struct Aws {
    service: &'static str,
    own: Signer<Credential>,
}

impl Aws {
    /// For requests to this service. The operator's own credentials are fetched through `own`.
    pub(super) fn new(service: &'static str, own: Outbound) -> Self {
        let context = Context::new().with_file_read(Files).with_http_send(Sender(own)).with_env(OsEnv);
        let places = DefaultCredentialProvider::builder().no_sso().no_process().build();
        Self { service, own: Signer::new(context, places, RequestSigner::new(service, "")) }
    }

    /// Adds the headers of a signed request; `x-amz-content-sha256` describes the body.
    pub(super) async fn sign(
        &self,
        ask: &Ask<'_>,
        region: &str,
        head: &mut Parts,
    ) -> Result<(), SourceError> {
        let login = ask.credentials;
        let signer = RequestSigner::new(self.service, region);
        let signer = if login.none() {
            self.own.clone().with_request_signer(signer)
        } else {
            let (id, key) = (login.get("aws_access_key_id")?, login.get("aws_secret_access_key")?);
            let keys = StaticCredentialProvider::new(id, key);
            let keys = match login.find("aws_session_token") {
                Some(token) => keys.with_session_token(token),
                None => keys,
            };
            Signer::new(Context::new(), keys, signer)
        };
        let late = format!("none was found within {} s", DEADLINE.as_secs());
        let done = tokio::time::timeout(DEADLINE, signer.sign(head, None)).await;
        let why = match done {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => first_chars(&error.to_string(), SHOWN).to_owned(),
            Err(_) => late,
        };
        Err(SourceError::Identity { cloud: "AWS", message: why })
    }
}

/// Reads the files in AWS' variables.
#[derive(Debug)]
struct Files;

impl FileRead for Files {
    async fn file_read(&self, path: &str) -> Result<Vec<u8>, Error> {
        tokio::fs::read(path).await.map_err(|error| Error::config_invalid(format!("{path}: {error}")))
    }
}

/// Sends requests to the services that issue credentials.
struct Sender(Outbound);

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sender")
    }
}

impl HttpSend for Sender {
    async fn http_send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Error> {
        let (head, body) = request.into_parts();
        let url = net::address(&head.uri.to_string()).map_err(|e| Error::request_invalid(e.to_string()))?;
        let asked = net::Request {
            method: head.method,
            headers: head.headers,
            body: Some(body.to_vec()),
            ..net::Request::get(url, PLACE, LARGEST)
        };
        let answer = self.0.send(asked).await.map_err(|e| Error::unexpected(e.to_string()))?;
        let response = http::Response::builder().status(answer.status).body(Bytes::from(answer.body));
        response.map_err(|e| Error::unexpected(e.to_string()))
    }
}
