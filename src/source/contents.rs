//! Contents of ConfigMaps and Secrets, read by name, as checksums.
//!
//! Owns the read and its deadline. A content is forgotten as soon as its checksum is known, and no error repeats it.
#![allow(clippy::disallowed_types, reason = "this module reads contents from the API server")]

use std::time::Duration;

use kube::{Api, Client, api::DynamicObject};

use crate::{
    manifest::config::{self, Digest},
    snapshot::ObjectRef,
};

/// Time limit of a read.
const DEADLINE: Duration = Duration::from_secs(10);

/// Why a content is unknown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    /// The API server refuses.
    #[error("the API server answers {code}: {message}")]
    Refused {
        /// HTTP status.
        code: u16,
        /// Its message.
        message: String,
    },
    /// No connection, or an invalid answer.
    #[error("the API server cannot be asked")]
    Unreachable(#[source] Box<kube::Error>),
    /// No answer in time.
    #[error("no answer of the API server within {} s", DEADLINE.as_secs())]
    TimedOut,
}

/// Reads contents.
#[derive(Clone)]
pub(crate) struct Contents(Client);

impl Contents {
    /// Through this client.
    pub(crate) fn new(client: Client) -> Self {
        Self(client)
    }

    /// Version and checksum of the object's current content; none if it does not exist.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) async fn digest(
        &self,
        namespace: &str,
        at: &ObjectRef,
    ) -> Result<Option<Digest>, ContentError> {
        let resource = at.kind.resource();
        let api: Api<DynamicObject> = Api::namespaced_with(self.0.clone(), namespace, &resource);
        let answer = tokio::time::timeout(DEADLINE, api.get_opt(&at.name)).await;
        let found = answer.map_err(|_| ContentError::TimedOut)?.map_err(|error| match error {
            kube::Error::Api(status) => {
                ContentError::Refused { code: status.code, message: status.message.clone() }
            }
            other => ContentError::Unreachable(Box::new(other)),
        })?;
        let Some(object) = found else { return Ok(None) };
        let mut object = serde_json::to_value(object).unwrap_or_default();
        object["kind"] = at.kind.kind.into();
        Ok(Some(config::digest(&object)))
    }
}
