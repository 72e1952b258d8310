//! Who may open and close gates by HTTP.

use axum::http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};

use super::peer;
use crate::server::listen::Ends;

/// The callers that may do so.
#[derive(Clone, Debug)]
pub(super) enum Keepers {
    /// Processes in the Pod, except the commands of Canaries.
    Local,
    /// Everyone who can reach the port, as in Flagger.
    Anyone,
    /// Callers with a token, of which only the digest is kept.
    Token([u8; 32]),
}

impl Keepers {
    /// Callers with this token. White space around it, as in files, is ignored.
    ///
    /// # Errors
    /// It is empty.
    pub(super) fn of_token(token: &str) -> Result<Self, &'static str> {
        let token = token.trim();
        if token.is_empty() {
            return Err("it holds no token");
        }
        Ok(Self::Token(Sha256::digest(token).into()))
    }

    /// Whether a request may change gates.
    ///
    /// # Errors
    /// It may not: why, and the remedy.
    pub(super) fn admit(&self, ends: Ends, headers: &HeaderMap) -> Result<(), String> {
        match self {
            Self::Local if !peer::is_within(ends) => Err(
                "gates are changed from within the Pod only: by kubectl exec and curl to localhost, by kubectl patch of the \
                 ConfigMap, or, with --gate-token-file of the load tester, with a token"
                    .to_owned(),
            ),
            Self::Local if !peer::is_a_person(ends) => {
                Err("gates are not changed by commands of Canaries: use kubectl exec".to_owned())
            }
            Self::Local | Self::Anyone => Ok(()),
            Self::Token(digest) => {
                let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
                let token = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().trim();
                let same = <[u8; 32]>::from(Sha256::digest(token)) == *digest;
                let why = "gates are changed with the token of --gate-token-file only: send it as Authorization: Bearer";
                same.then_some(()).ok_or_else(|| why.to_owned())
            }
        }
    }
}
