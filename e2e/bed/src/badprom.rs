//! A metrics server that misbehaves on demand. It runs inside the harness, on its own address.
//!
//! Each server answers any query as it was last configured, and counts the queries. A healthy one replaces a
//! Prometheus, so that a story can choose the numbers.

use std::{
    convert::Infallible,
    future,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context;
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Frame, Incoming},
    header::CONTENT_TYPE,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};

use crate::wait;

const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 244, 255, 5);
/// The size of a flood, in pieces of one MiB.
const FLOOD: usize = 1024;
const PIECE: usize = 1024 * 1024;

/// The kind of answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Says {
    /// One series for each of these values, in Prometheus's notation: `"100"`, `"NaN"`.
    Values(Vec<&'static str>),
    /// This status, with this JSON text.
    Text(u16, String),
    /// A login page with status 200.
    Html,
    /// An answer that starts correctly and continues for a gigabyte.
    Flood,
    /// The headers and first bytes of an answer, then nothing more.
    Stall,
    /// No answer at all.
    Silence,
}

struct State {
    says: Says,
    asked: u64,
}

/// A running server. Dropping it closes its port and all connections.
pub struct Badprom {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    /// Stops with this struct.
    _server: JoinSet<()>,
}

impl Badprom {
    /// Starts a server on its own port.
    ///
    /// # Errors
    /// The port is not available.
    pub async fn start(says: Says) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((ADDRESS, 0)).await.context("listening as a bad Prometheus")?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State { says, asked: 0 }));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, state.clone()));
        Ok(Self { address, state, _server: server })
    }

    /// The value for a Canary's `spec.metricsServer`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes the answer, starting with the next query.
    pub fn say(&self, says: Says) {
        lock(&self.state).says = says;
    }

    /// Waits until it has received this many more queries.
    ///
    /// # Errors
    /// The time limit was exceeded.
    pub async fn asked_more(&self, times: u64, limit: Duration) -> anyhow::Result<()> {
        let goal = lock(&self.state).asked + times;
        let what = format!("{times} more questions to {}", self.url());
        wait::until(&what, limit, async || (lock(&self.state).asked >= goal).then_some(())).await
    }
}

/// An address without a listener.
///
/// # Errors
/// No port is available.
pub async fn nobody() -> anyhow::Result<String> {
    let listener = TcpListener::bind((ADDRESS, 0)).await.context("finding a free port")?;
    Ok(format!("http://{}", listener.local_addr()?))
}

/// A panic elsewhere does not make the state invalid.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut state = lock(&state);
            state.asked += 1;
            let says = state.says.clone();
            drop(state);
            async move { Ok::<_, Infallible>(answer(&request, says).await) }
        });
        connections.spawn(async move {
            // Errors of a client that hangs up do not matter.
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
        while connections.try_join_next().is_some() {}
    }
}

type Body = BoxBody<Bytes, Infallible>;

async fn answer(request: &Request<Incoming>, says: Says) -> Response<Body> {
    const BEGINNING: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":""#;
    let json = "application/json";
    match says {
        // the operator sends this query to check whether the server is reachable
        Says::Values(_) if request.uri().query() == Some("query=vector%281%29") => {
            whole(json, vector(&["1"]))
        }
        Says::Values(values) => whole(json, vector(&values)),
        Says::Text(status, text) => {
            let mut response = whole(json, text);
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
            response
        }
        Says::Html => whole("text/html", "<!doctype html><title>Sign in</title><p>Please sign in.".into()),
        Says::Flood => {
            let first = stream::once(future::ready(Bytes::from(BEGINNING)));
            let piece = Bytes::from(vec![b'a'; PIECE]);
            pieces(first.chain(stream::iter((0..FLOOD).map(move |_| piece.clone()))))
        }
        Says::Stall => pieces(stream::once(future::ready(Bytes::from(BEGINNING))).chain(stream::pending())),
        Says::Silence => future::pending().await,
    }
}

fn vector(values: &[&str]) -> String {
    let series = values
        .iter()
        .enumerate()
        .map(|(i, value)| format!(r#"{{"metric":{{"series":"{i}"}},"value":[1700000000,"{value}"]}}"#));
    let series = series.collect::<Vec<_>>().join(",");
    format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{series}]}}}}"#)
}

fn whole(kind: &'static str, text: String) -> Response<Body> {
    with_type(kind, Full::new(Bytes::from(text)).boxed())
}

fn pieces(all: impl stream::Stream<Item = Bytes> + Send + Sync + 'static) -> Response<Body> {
    let body = StreamBody::new(all.map(|bytes| Ok(Frame::data(bytes))));
    with_type("application/json", BodyExt::boxed(body))
}

fn with_type(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    response
}
