//! The objects of one kind as a collection of the API server, with its answers as texts.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module reads the cluster")]

use std::{error::Error as _, io, pin::Pin};

use futures::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};
use http::{HeaderValue, header::ACCEPT_ENCODING};
use kube::{
    Client, Error, Resource,
    api::{ListParams, WatchParams},
    core::{DynamicObject, Request},
};

use super::answer::{Event, Page};
use crate::{manifest::config, snapshot::Kind};

/// Objects in one page of a list.
const PAGE: u32 = 250;
/// Longest answer that is read if fewer objects can be requested at a time.
const BYTES: u64 = 32 << 20;

/// The objects of one kind, in all namespaces or in one.
#[derive(Clone)]
pub(crate) struct Collection {
    client: Client,
    path: String,
    /// Only their metadata is requested.
    metadata_only: bool,
}

impl Collection {
    /// Objects of a kind; of ConfigMaps and Secrets only the metadata.
    pub(crate) fn of(client: &Client, kind: Kind, namespace: Option<&str>) -> Self {
        let namespace = namespace.filter(|_| !kind.cluster_wide());
        let path = DynamicObject::url_path(&kind.resource(), namespace);
        Self { client: client.clone(), path, metadata_only: config::KINDS.contains(&kind) }
    }

    /// Objects of a type.
    pub(crate) fn typed<K: Resource<DynamicType = ()>>(client: &Client, namespace: Option<&str>) -> Self {
        Self { client: client.clone(), path: K::url_path(&(), namespace), metadata_only: false }
    }

    /// Only their metadata.
    #[must_use]
    pub(crate) fn metadata(self) -> Self {
        Self { metadata_only: true, ..self }
    }

    /// The answer to a list; none if it is longer than `most`.
    async fn list(&self, params: &ListParams, most: u64) -> kube::Result<Option<String>> {
        let request = Request::new(&self.path);
        let request = if self.metadata_only { request.list_metadata(params) } else { request.list(params) };
        let body = self.client.request_stream(request.map_err(Error::BuildRequest)?).await?;
        let mut bytes = Vec::new();
        let mut body = std::pin::pin!(body.take(most));
        body.read_to_end(&mut bytes).await.map_err(Error::ReadEvents)?;
        let whole = (bytes.len() as u64) < most;
        Ok(whole.then(|| text(bytes)))
    }

    /// Opens a watch from this version on.
    pub(super) async fn open_watch(
        &self,
        params: &WatchParams,
        version: &str,
    ) -> kube::Result<impl AsyncBufRead + use<>> {
        let request = Request::new(&self.path);
        let request = if self.metadata_only {
            request.watch_metadata(params, version)
        } else {
            request.watch(params, version)
        };
        let mut request = request.map_err(Error::BuildRequest)?;
        // newer API servers compress each event separately, which is not supported here
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        self.client.request_stream(request).await
    }
}

/// A list, page by page. If objects are large, fewer are requested at a time.
pub(crate) struct Pages {
    collection: Collection,
    params: ListParams,
}

impl Pages {
    pub(crate) fn new(collection: Collection, params: ListParams) -> Self {
        Self { collection, params: ListParams { limit: Some(PAGE), ..params } }
    }

    /// The text of the next page.
    pub(crate) async fn text(&mut self) -> kube::Result<String> {
        loop {
            let limit = self.params.limit.unwrap_or(PAGE);
            let most = if limit > 1 { BYTES } else { u64::MAX };
            if let Some(text) = self.collection.list(&self.params, most).await? {
                return Ok(text);
            }
            self.params.limit = Some((limit / 4).max(1));
        }
    }

    /// Continues after this page. False: it is the last.
    pub(crate) fn turn(&mut self, page: &Page<'_>) -> bool {
        self.params.continue_token.clone_from(&page.next);
        page.next.is_some()
    }
}

/// The next line of an open watch; none at its end.
pub(super) async fn line(body: &mut Pin<&mut impl AsyncBufRead>) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    body.read_until(b'\n', &mut line).await?;
    let line = text(line);
    // an incomplete line is sent again
    Ok((line.ends_with('\n') || Event::of(&line).is_some()).then_some(line))
}

/// The connection ended in the middle, as it does when the API server closes a long watch.
pub(super) fn broken_off(error: &io::Error) -> bool {
    let eof = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    let mut causes = std::iter::successors(error.source(), |cause| (**cause).source());
    eof(error)
        || error.to_string().contains("unexpected EOF during chunk")
        || causes.any(|cause| cause.downcast_ref().is_some_and(eof))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
