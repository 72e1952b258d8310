#!/usr/bin/env bash
# axum-prometheus 0.10.1 with axum 0.8.9 (Rust).
#
# Guess: a request whose handler panics counts as 500, and one whose client leaves as 499 or with the status that it would
# have had.
#
# Really: neither is in axum_http_requests_total nor in the durations. The client of the panic gets no answer at all; the
# handler of the other ends at its next await, with the work half done.
#
# Matters: by its own metrics a canary that panics on half of its requests, or hangs until clients give up, has a success
# rate of 100 % and the best of durations, and fewer requests. Put CatchPanicLayer and a timeout with a status of 5xx
# inside of the metrics, or measure at the proxy.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
mkdir -p "$work/cargo/src"
cat >"$work/cargo/Cargo.toml" <<'TOML'
[package]
name = "seen"
edition = "2024"

[dependencies]
axum = { version = "=0.8.9", default-features = false, features = ["http1", "tokio"] }
axum-prometheus = "=0.10.1"

[profile.dev]
debug = false
TOML
with_cargo tokio@1 --features macros,rt-multi-thread,net,time,io-util <<'RUST'
use std::time::Duration;

use axum::{Router, http::StatusCode, routing::get};
use axum_prometheus::PrometheusMetricLayer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// What a client gets that waits for half a second.
async fn ask(port: u16, path: &str) -> String {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    match timeout(Duration::from_millis(500), connection.read_to_string(&mut answer)).await {
        Err(_) => "the client left".into(),
        Ok(_) if answer.is_empty() => "no answer".into(),
        Ok(_) => answer,
    }
}

#[tokio::main]
async fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let (metrics, page) = PrometheusMetricLayer::pair();
    let app = Router::new()
        .route("/works", get(|| async { "ok" }))
        .route("/fails", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/panics", get(|| async { if page_is_broken() { panic!("a bug") } }))
        .route("/hangs", get(|| sleep(Duration::from_secs(2))))
        .layer(metrics);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    for path in ["/works", "/fails", "/panics", "/hangs"] {
        println!("{path}: {}", ask(port, path).await.lines().next().unwrap());
    }
    sleep(Duration::from_secs(3)).await;
    let page = page.render();
    let mut counted: Vec<_> =
        page.lines().filter(|line| line.starts_with("axum_http_requests_total{") || line.contains("_seconds_count{")).collect();
    counted.sort();
    println!("{}", counted.join("\n"));
}

fn page_is_broken() -> bool {
    true
}
RUST
expect <<'END'
/works: HTTP/1.1 200 OK
/fails: HTTP/1.1 500 Internal Server Error
/panics: no answer
/hangs: the client left
axum_http_requests_duration_seconds_count{method="GET",status="200",endpoint="/works"} 1
axum_http_requests_duration_seconds_count{method="GET",status="500",endpoint="/fails"} 1
axum_http_requests_total{method="GET",status="200",endpoint="/works"} 1
axum_http_requests_total{method="GET",status="500",endpoint="/fails"} 1
END
