//! The operator's own HTTP port: `/healthz`, `/readyz` and `/metrics`.
//!
//! Serves text that others hold; measures and decides nothing.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::telemetry::Metrics;

/// The exposition format of `/metrics`.
pub(crate) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Why the port could not be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    /// The port could not be opened.
    #[error("port {port} cannot be opened (another one can be chosen with --port)")]
    Bind {
        /// The port asked for.
        port: u16,
        /// The system's reason.
        source: io::Error,
    },
    /// The listener broke.
    #[error("the HTTP server ended")]
    Serve(#[source] io::Error),
}

/// Whether the operator is ready, and why not.
pub(crate) type Readiness = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

#[derive(Clone)]
struct Shared {
    metrics: Arc<Metrics>,
    ready: Readiness,
}

/// Serves until `stop` is cancelled and the requests under way are answered.
///
/// `/healthz` answers 200 for as long as the process runs, `/readyz` 200 while it is `ready` and 503 with
/// the reason otherwise.
/// Listens on all addresses, IPv4 alone where the host has no IPv6. `port` 0 takes any free one.
pub(crate) async fn serve(
    port: u16,
    metrics: Arc<Metrics>,
    ready: Readiness,
    stop: CancellationToken,
) -> Result<(), ServerError> {
    let listener = bind(port).await.map_err(|source| ServerError::Bind { port, source })?;
    serve_on(listener, metrics, ready, stop).await
}

/// All addresses at a port, IPv4 alone where the host has no IPv6.
pub(crate) async fn bind(port: u16) -> io::Result<TcpListener> {
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
        Err(e) if e.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await
        }
        done => done,
    }
}

async fn serve_on(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    ready: Readiness,
    stop: CancellationToken,
) -> Result<(), ServerError> {
    let app = Router::new()
        .route("/healthz", get(|| async { "OK" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(exposition))
        .with_state(Shared { metrics, ready });
    axum::serve(listener, app)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
        .map_err(ServerError::Serve)
}

async fn readyz(State(shared): State<Shared>) -> impl IntoResponse {
    match (shared.ready)() {
        Ok(()) => (StatusCode::OK, "OK".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

async fn exposition(State(shared): State<Shared>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, OPENMETRICS)], shared.metrics.exposition())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "the server under test runs beside the test")]

    use std::sync::atomic::{AtomicBool, Ordering};

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
        let listener = bind(0).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let synced = Arc::new(AtomicBool::new(false));
        let seen = synced.clone();
        let ready: Readiness =
            Arc::new(move || if seen.load(Ordering::SeqCst) { Ok(()) } else { Err("endpointslices".into()) });
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve_on(listener, Arc::new(Metrics::new("istio")), ready, stop.clone()));

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
        server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let taken = bind(0).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let ready: Readiness = Arc::new(|| Ok(()));
        let error =
            serve(port, Arc::new(Metrics::new("istio")), ready, CancellationToken::new()).await.unwrap_err();
        assert!(error.to_string().contains(&port.to_string()), "{error}");
    }
}
