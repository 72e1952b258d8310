//! Serves HTTP within limits: number of connections, size and time of the head of a request, time of a complete
//! connection, time at shutdown. All connections together take a bounded amount of memory, and
//! cannot delay the shutdown.
//!
//! axum's own server sets none of these limits: hyper reads the head of a request without a deadline unless it has a
//! timer. Each connection serves one request.
#![allow(
    clippy::disallowed_methods,
    reason = "connections are tasks with deadlines, which the server waits for"
)]

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::Router;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service as _;

/// Most bytes of the head of a request, and of the read-ahead of its body.
const HEAD: usize = 16 * 1024;
/// Most header lines: a client sends about ten, and proxies of a mesh add twenty.
const HEADERS: usize = 64;
/// Pause when no connection can be accepted, for example because the program has no file descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// The limits of a port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Connections at once.
    pub(crate) connections: usize,
    /// For the head of a request.
    pub(crate) head: Duration,
    /// For the complete connection.
    pub(crate) whole: Duration,
    /// For current requests at shutdown.
    pub(crate) drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            head: Duration::from_secs(5),
            whole: Duration::from_secs(15),
            drain: Duration::from_secs(2),
        }
    }
}

/// Both ends of a connection: an extension of each request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    /// The address that the client connected to.
    pub(crate) local: SocketAddr,
    /// The client's address.
    pub(crate) peer: SocketAddr,
}

/// All addresses at a port, only IPv4 if the host has no IPv6.
pub(crate) async fn bind(port: u16) -> io::Result<TcpListener> {
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
        Err(e) if e.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await
        }
        done => done,
    }
}

/// Serves until `stop` is cancelled and the current requests are answered or out of time.
pub(crate) async fn serve(listener: TcpListener, app: Router, limits: Limits, stop: CancellationToken) {
    let connections = TaskTracker::new();
    let mut places = Places { most: limits.connections, taken: Vec::new() };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let (Ok(local), Some(place)) = (stream.local_addr(), places.take()) {
                    let accepted = (stream, Ends { local, peer });
                    connections.spawn(connection(accepted, app.clone(), limits, place, stop.clone()));
                }
            }
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::select! { () = sleep(PAUSE) => {}, () = stop.cancelled() => break }
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// The open connections.
struct Places {
    most: usize,
    /// From the oldest to the newest.
    taken: Vec<Place>,
}

/// One connection. It ends when its task drops its share.
#[derive(Clone)]
struct Place {
    cut: CancellationToken,
    /// The head of its request has been read.
    has_asked: Arc<AtomicBool>,
}

impl Places {
    /// A place for one more. If none is free, the connection that has been silent longest is closed, so that silent
    /// ones cannot keep probes out; none if all are being answered.
    fn take(&mut self) -> Option<Place> {
        self.taken.retain(|place| Arc::strong_count(&place.has_asked) > 1);
        if self.taken.len() >= self.most {
            let silent = self.taken.iter().position(|place| !place.has_asked.load(Relaxed))?;
            self.taken.remove(silent).cut.cancel();
        }
        let place = Place { cut: CancellationToken::new(), has_asked: Arc::default() };
        self.taken.push(place.clone());
        Some(place)
    }
}

async fn connection(
    (stream, ends): (TcpStream, Ends),
    app: Router,
    limits: Limits,
    place: Place,
    stop: CancellationToken,
) {
    let has_asked = place.has_asked;
    let service = service_fn(move |mut request: Request<Incoming>| {
        has_asked.store(true, Relaxed);
        request.extensions_mut().insert(ends);
        app.clone().call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(HEADERS)
        .max_header_size(HEAD)
        .max_buf_size(HEAD)
        .keep_alive(false);
    let mut served = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = place.cut.cancelled() => return,
        () = sleep(limits.whole) => {
            tracing::debug!("a connection was cut: it took longer than {} s", limits.whole.as_secs_f64());
            return;
        }
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            timeout(limits.drain, served).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::get};
    use futures::StreamExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Far longer than anything here takes, and shorter than the test runner's patience.
    const LONG: Duration = Duration::from_secs(600);
    const SHORT: Duration = Duration::from_millis(50);

    struct Server {
        port: u16,
        stop: CancellationToken,
        served: tokio::task::JoinHandle<()>,
    }

    impl Server {
        async fn start(limits: Limits) -> Self {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let stop = CancellationToken::new();
            let endless = || async {
                let chunks = futures::stream::repeat("x".repeat(65536)).map(Ok::<_, io::Error>);
                Body::from_stream(chunks)
            };
            let app = Router::new().route("/", get(|| async { "OK" })).route("/endless", get(endless));
            let served = tokio::spawn(serve(listener, app, limits, stop.clone()));
            Self { port, stop, served }
        }

        async fn says(&self, text: &str) -> TcpStream {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
            stream
        }

        async fn answers(&self, request: &str) -> String {
            rest(&mut self.says(request).await).await
        }
    }

    /// Reads until the connection ends, in any way.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.ok();
        String::from_utf8_lossy(&all).into_owned()
    }

    fn unbounded() -> Limits {
        Limits { connections: 64, head: LONG, whole: LONG, drain: LONG }
    }

    const ASKED: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

    #[tokio::test]
    async fn f10_a_head_that_does_not_end_is_not_waited_for() {
        let server = Server::start(Limits { head: SHORT, ..unbounded() }).await;
        let answer = server.answers("GET / HTTP/1.1\r\nhost: a\r\nx-slow: ").await;
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
        let silent = server.answers("").await;
        assert_eq!(silent, "", "a connection without a word is ended, too");
        assert!(server.answers(ASKED).await.ends_with("OK"));
    }

    #[tokio::test]
    async fn f10_a_head_is_bounded_in_bytes_and_in_lines() {
        let server = Server::start(unbounded()).await;
        let long = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(HEAD));
        let many = format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(HEADERS));
        for (request, what) in [(long, "bytes"), (many, "lines")] {
            let answer = server.answers(&request).await;
            assert!(answer.starts_with("HTTP/1.1 431"), "{what}: {answer}");
        }
        let some = format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(HEADERS - 1));
        assert!(server.answers(&some).await.ends_with("OK"));
    }

    #[tokio::test]
    async fn f10_a_thousand_half_open_connections_give_way_to_one_that_asks() {
        let server = Server::start(unbounded()).await;
        let mut half_open = futures::stream::iter(0..1000)
            .map(|_| server.says("GET / HTTP/1.1\r\n"))
            .buffered(8)
            .collect::<Vec<_>>()
            .await;
        assert!(server.answers(ASKED).await.ends_with("OK"));
        // the server closed all except those with places: without that, this read would wait forever
        for ended in &mut half_open[..1000 - 64] {
            assert_eq!(rest(ended).await, "");
        }
    }

    #[tokio::test]
    async fn f10_connections_that_are_answered_keep_their_places() {
        let server = Server::start(Limits { connections: 1, ..unbounded() }).await;
        let mut reader = server.says("GET /endless HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert_eq!(reader.read_u8().await.unwrap(), b'H');
        assert_eq!(server.answers(ASKED).await, "", "the only place is taken");
        let mut chunk = [0; 1024];
        assert!(reader.read(&mut chunk).await.unwrap() > 0, "and goes on being served");
    }

    #[tokio::test]
    async fn f10_a_client_that_takes_nothing_is_cut() {
        let server = Server::start(Limits { whole: SHORT, ..unbounded() }).await;
        let mut slow = server.says("GET /endless HTTP/1.1\r\nhost: a\r\n\r\n").await;
        // an answer without an end: only the server can end it
        rest(&mut slow).await;
    }

    #[tokio::test]
    async fn f10_a_slow_client_does_not_hold_up_the_end() {
        let server = Server::start(Limits { drain: SHORT, ..unbounded() }).await;
        let mut slow = server.says("GET /endless HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert_eq!(slow.read_u8().await.unwrap(), b'H');
        let _half = server.says("GET / HTTP/1.1\r\n").await;
        server.stop.cancel();
        server.served.await.unwrap();
    }
}
