//! What the handlers of the page share.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;
use tokio::sync::{Semaphore, watch};

use super::{board::Board, guard::Guard};
use crate::{
    cluster::Cluster,
    command::out::Out,
    failure::{Failure, code},
};

/// Streams at once.
const STREAMS: usize = 64;

/// What the handlers share.
pub(super) struct Page {
    pub(super) guard: Guard,
    pub(super) cluster: Cluster,
    /// Where it is said what was written.
    pub(super) out: Out,
    /// Canaries of all namespaces, or of one.
    pub(super) all: bool,
    pub(super) read_only: bool,
    /// Who asks.
    pub(super) by: String,
    /// The flags by which commands reach the same cluster, each after a blank.
    pub(super) flags: String,
    /// How long the answer to a request is waited for.
    pub(super) patience: Duration,
    pub(super) board: Mutex<Board>,
    /// Moves with the board.
    pub(super) moved: watch::Sender<u64>,
    pub(super) streams: Arc<Semaphore>,
}

impl Page {
    pub(super) fn new(guard: Guard, cluster: Cluster, out: Out, mark: &str) -> Self {
        Self {
            guard,
            by: cluster.user.clone(),
            cluster,
            out,
            all: false,
            read_only: false,
            flags: String::new(),
            patience: Duration::from_secs(10),
            board: Mutex::new(Board::new(mark)),
            moved: watch::Sender::new(0),
            streams: Arc::new(Semaphore::new(STREAMS)),
        }
    }

    /// The cluster, with this namespace as the one that is meant.
    pub(super) fn within(&self, namespace: &str) -> Result<Cluster, Refused> {
        named(namespace)?;
        Ok(Cluster { namespace: namespace.to_owned(), ..self.cluster.clone() })
    }
}

/// A name that the API server could have given: it becomes part of a path.
pub(super) fn named(name: &str) -> Result<(), Refused> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    let well = !name.is_empty() && name.len() <= 253 && name.bytes().all(fits) && !name.starts_with('.');
    if well { Ok(()) } else { Err(Failure::usage("this is no name of an object").into()) }
}

/// A failure as an answer: the words and the exit code of the command line, as `-o json` prints them.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) failure: Failure,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        let status = match failure.code {
            code::NOT_FOUND => StatusCode::NOT_FOUND,
            code::USAGE => StatusCode::BAD_REQUEST,
            code::TIMEOUT => StatusCode::ACCEPTED,
            // the API server's word, which is passed on
            _ => StatusCode::BAD_GATEWAY,
        };
        Self { status, failure }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        with_type(self.status, "application/json", self.failure.json())
    }
}

/// An answer of JSON.
pub(super) fn answer<T: Serialize>(value: &T) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => with_type(StatusCode::OK, "application/json", text),
        Err(error) => Refused {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            failure: Failure::failed(format!("cannot write the view: {error}")),
        }
        .into_response(),
    }
}

/// A list of views.
pub(super) fn list<T: Serialize>(kind: &str, items: &[T]) -> Response {
    answer(&json!({"apiVersion": crate::view::API_VERSION, "kind": kind, "items": items}))
}

pub(super) fn with_type(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
