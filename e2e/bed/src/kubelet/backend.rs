//! The HTTP server of one pod: answers each request with the pod's version, with the configured errors and delays.
//!
//! HTTP/1.1 with keep-alive. A counter spreads errors evenly, so that shares are exact. `/metrics` reports the requests
//! so far in podinfo's format, for checks that measure pods.

use std::{
    io::ErrorKind::ConnectionAborted,
    net::Ipv4Addr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet, time::sleep};

use super::{behaviour::Resolved, metrics::Metrics};

/// The header with the version. An error with it comes from the version itself, an error without it from the proxy.
pub(crate) const VERSION_HEADER: &str = "x-version";

struct Settings {
    version: HeaderValue,
    body: Bytes,
    error_rate: f64,
    delay: Duration,
    breaks_off: f64,
}

/// State that all connections of a pod share.
pub(super) struct Backend {
    pod: String,
    settings: RwLock<Settings>,
    asked: AtomicU64,
    served: AtomicU64,
    metrics: Metrics,
}

impl Backend {
    pub(super) fn new(pod: &str, behaviour: &Resolved) -> Arc<Self> {
        let settings = RwLock::new(settings(pod, behaviour));
        Arc::new(Self {
            pod: pod.to_owned(),
            settings,
            asked: AtomicU64::new(0),
            served: AtomicU64::new(0),
            metrics: Metrics::default(),
        })
    }

    /// Takes effect from the next request on.
    pub(super) fn set(&self, behaviour: &Resolved) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings(&self.pod, behaviour);
    }

    /// Listens on every port until the returned set is dropped. Dropping it closes every connection.
    pub(super) async fn listen(self: &Arc<Self>, ip: Ipv4Addr, ports: &[u16]) -> anyhow::Result<JoinSet<()>> {
        let mut servers = JoinSet::new();
        for port in ports {
            let listener = TcpListener::bind((ip, *port))
                .await
                .with_context(|| format!("pod {} cannot listen on {ip}:{port}", self.pod))?;
            servers.spawn(accept(listener, self.clone()));
        }
        Ok(servers)
    }

    /// None: break the connection.
    async fn answer(&self, path: &str) -> Option<Response<Full<Bytes>>> {
        if path == "/metrics" {
            let mut response = Response::new(Full::new(self.metrics.render().into()));
            // Prometheus 3 does not accept an answer without a content type.
            let text = HeaderValue::from_static("text/plain; version=0.0.4");
            response.headers_mut().insert(CONTENT_TYPE, text);
            return Some(response);
        }
        let began = Instant::now();
        let (version, body, rate, delay) = {
            let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
            // two in a row, as proxies in Go repeat a request that was broken off
            if fails(self.asked.fetch_add(1, Ordering::Relaxed) / 2, settings.breaks_off) {
                return None;
            }
            (settings.version.clone(), settings.body.clone(), settings.error_rate, settings.delay)
        };
        if !delay.is_zero() {
            sleep(delay).await;
        }
        let n = self.served.fetch_add(1, Ordering::Relaxed);
        let fails = fails(n, rate);
        self.metrics.record(fails, began.elapsed());
        let mut response = Response::new(Full::new(body));
        *response.status_mut() =
            if fails { hyper::StatusCode::INTERNAL_SERVER_ERROR } else { hyper::StatusCode::OK };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(VERSION_HEADER, version);
        Some(response)
    }
}

/// The n-th request fails if the expected number of failures reaches the next whole number.
fn fails(n: u64, rate: f64) -> bool {
    // A rounding error must not make products such as 10 × 0.1 smaller than the whole number.
    let expected = |requests: u64| (requests as f64 * rate + 1e-9).floor();
    expected(n + 1) > expected(n)
}

fn settings(pod: &str, behaviour: &Resolved) -> Settings {
    let body = serde_json::json!({"version": behaviour.version, "pod": pod}).to_string();
    Settings {
        version: HeaderValue::from_str(&behaviour.version).unwrap_or(HeaderValue::from_static("unprintable")),
        body: body.into(),
        error_rate: behaviour.error_rate,
        delay: behaviour.delay,
        breaks_off: behaviour.breaks_off,
    }
}

async fn accept(listener: TcpListener, backend: Arc<Backend>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        // Otherwise small answers wait for acknowledgements.
        stream.set_nodelay(true).ok();
        let backend = backend.clone();
        connections.spawn(async move {
            let backend = &backend;
            let service = service_fn(|request: Request<Incoming>| async move {
                // an error ends the connection without an answer
                backend
                    .answer(request.uri().path())
                    .await
                    .ok_or_else(|| std::io::Error::from(ConnectionAborted))
            });
            // Errors of a client that hangs up do not matter.
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
        while connections.try_join_next().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::fails;

    #[test]
    fn failures_are_exact_and_evenly_spread() {
        for (rate, each) in [(0.1, 10), (0.5, 2), (0.01, 100), (1.0, 1)] {
            for block in 0..50 {
                let failed = (block * each..(block + 1) * each).filter(|n| fails(*n, rate)).count();
                assert_eq!(failed, 1, "rate {rate}, block {block}");
            }
        }
        assert!((0..1000).all(|n| !fails(n, 0.0)));
    }
}
