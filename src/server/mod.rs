//! The operator's own HTTP port: `/healthz`, `/readyz` and `/metrics`.
//!
//! Serves text of other components; measures and decides nothing.

mod access;
pub(crate) mod listen;

use std::{
    io,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::{net::TcpListener, sync::Mutex};
use tokio_util::sync::CancellationToken;

use crate::telemetry::Metrics;
use listen::Limits;

pub(crate) use access::Access;

/// The exposition format of `/metrics`.
pub(crate) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Requests for metrics that come while others are still being answered get the same text.
const SHARED: Duration = Duration::from_secs(1);

/// The port could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("port {port} cannot be opened (another one can be chosen with --port)")]
pub(crate) struct PortError {
    /// The requested port.
    port: u16,
    /// The system's reason.
    source: io::Error,
}

/// Whether the operator is ready, and why not.
pub(crate) type Readiness = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The endpoints of the server.
#[derive(Clone)]
pub(crate) struct Faces {
    metrics: Arc<Metrics>,
    ready: Readiness,
    /// Checks who may read metrics; none: everybody may.
    access: Option<Arc<Access>>,
    last: Arc<Mutex<Weak<Exposition>>>,
}

impl Faces {
    /// Metrics, for callers that `access` allows, and readiness.
    pub(crate) fn new(metrics: Arc<Metrics>, ready: Readiness, access: Option<Access>) -> Self {
        Self { metrics, ready, access: access.map(Arc::new), last: Arc::default() }
    }
}

/// All metrics at one recent moment.
struct Exposition {
    text: String,
    made: Instant,
}

/// Opens a port on all addresses.
///
/// # Errors
/// It is in use, or the right is missing.
pub(crate) async fn open(port: u16) -> Result<TcpListener, PortError> {
    listen::bind(port).await.map_err(|source| PortError { port, source })
}

/// Serves until `stop` is cancelled and the current requests are answered, or have had their time.
///
/// `/healthz` answers 200 for as long as the process runs, `/readyz` 200 while it is ready and 503 with
/// the reason otherwise.
pub(crate) async fn serve(listener: TcpListener, faces: Faces, stop: CancellationToken) {
    let app = Router::new()
        .route("/healthz", get(|| async { "OK" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(exposition))
        .with_state(faces);
    listen::serve(listener, app, Limits::default(), stop).await;
}

async fn readyz(State(faces): State<Faces>) -> impl IntoResponse {
    match (faces.ready)() {
        Ok(()) => (StatusCode::OK, "OK".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

async fn exposition(State(faces): State<Faces>, headers: HeaderMap) -> Response {
    if let Some(access) = &faces.access
        && let Err(refusal) = access.admit(&headers).await
    {
        return refusal.into_response();
    }
    let body = Bytes::from_owner(Held(newest(&faces).await));
    ([(header::CONTENT_TYPE, OPENMETRICS)], body).into_response()
}

/// Rendered by one request at a time, and held only by its receivers: many callers take no more memory than one.
async fn newest(faces: &Faces) -> Arc<Exposition> {
    let mut last = faces.last.lock().await;
    if let Some(shared) = last.upgrade().filter(|shared| shared.made.elapsed() < SHARED) {
        return shared;
    }
    let made = Arc::new(Exposition { text: faces.metrics.exposition(), made: now() });
    *last = Arc::downgrade(&made);
    made
}

#[allow(clippy::disallowed_methods, reason = "an exposition ages")]
fn now() -> Instant {
    Instant::now()
}

/// An exposition that is being sent.
struct Held(Arc<Exposition>);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        self.0.text.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "the server under test runs beside the test")]

    use std::{
        net::Ipv4Addr,
        sync::atomic::{AtomicBool, Ordering},
    };

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::*;

    async fn fetch(port: u16, path: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: serin\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn readiness_follows_the_watches_and_stopping_ends_the_server() {
        let listener = open(0).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let synced = Arc::new(AtomicBool::new(false));
        let seen = synced.clone();
        let ready: Readiness =
            Arc::new(move || if seen.load(Ordering::SeqCst) { Ok(()) } else { Err("endpointslices".into()) });
        let stop = CancellationToken::new();
        let faces = Faces::new(Arc::new(Metrics::new("istio")), ready, None);
        let server = tokio::spawn(serve(listener, faces, stop.clone()));

        assert!(fetch(port, "/healthz").await.starts_with("HTTP/1.1 200"));
        let lost = fetch(port, "/readyz").await;
        assert!(lost.starts_with("HTTP/1.1 503") && lost.ends_with("endpointslices"), "{lost}");
        synced.store(true, Ordering::SeqCst);
        assert!(fetch(port, "/readyz").await.starts_with("HTTP/1.1 200"));
        synced.store(false, Ordering::SeqCst);
        assert!(fetch(port, "/readyz").await.starts_with("HTTP/1.1 503"), "it goes back");
        let metrics = fetch(port, "/metrics").await;
        assert!(metrics.contains(OPENMETRICS) && metrics.ends_with("# EOF\n"), "{metrics}");

        stop.cancel();
        server.await.unwrap();
    }

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let taken = open(0).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = open(port).await.unwrap_err();
        assert!(error.to_string().contains(&port.to_string()), "{error}");
    }

    #[tokio::test]
    async fn f10_metrics_are_made_once_for_all_who_ask_at_once() {
        let ready: Readiness = Arc::new(|| Ok(()));
        let faces = Faces::new(Arc::new(Metrics::new("istio")), ready, None);
        let (one, other) = (newest(&faces).await, newest(&faces).await);
        assert!(Arc::ptr_eq(&one, &other), "who is being sent the last one shares it");
        drop((one, other));
        assert!(faces.last.lock().await.upgrade().is_none(), "and nothing is kept");
    }
}
