//! A receiver of webhooks: records the requests to each path, and answers as tests configure it.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context;
use futures::StreamExt;
use http_body_util::{BodyExt, Collected, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Request, Response,
    body::{Bytes, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};

/// The address of receivers. Each has its own port. It is neither on loopback nor the address of a proxy for the API
/// server, because the operator calls neither.
const IP: Ipv4Addr = Ipv4Addr::new(10, 244, 255, 8);

/// The answer of a path.
#[derive(Clone, Debug)]
pub enum Answer {
    /// This status and text.
    Says(u16, String),
    /// 403 this many times, then 200.
    Opens(usize),
    /// 503 this many times, then 200.
    Recovers(usize),
    /// No answer.
    Hangs,
    /// A redirect to this URL.
    Redirects(String),
    /// This status, and an endless body.
    Floods(u16),
    /// This status, and an endless body with one byte per second.
    Drips(u16),
    /// This status after this long.
    Late(u16, Duration),
}

/// One request.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Path of the URL.
    pub path: String,
    /// Header `serin-request-id`.
    pub id: String,
    /// The body.
    pub body: Value,
}

#[derive(Default)]
struct State {
    received: Vec<Posted>,
    answers: BTreeMap<String, Answer>,
}

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A receiver. Dropping it stops it.
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    _server: JoinSet<()>,
}

impl Receiver {
    /// Starts on a free port.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((IpAddr::V4(IP), 0)).await.context("listening for webhooks")?;
        let (address, state) = (listener.local_addr()?, Arc::new(Mutex::new(State::default())));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, state.clone()));
        Ok(Self { address, state, _server: server })
    }

    /// The URL of a path that begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on, a path answers like this. The default is 200 with an empty body.
    pub fn answer(&self, path: &str, status: u16, text: &str) {
        self.behave(path, Answer::Says(status, text.to_owned()));
    }

    /// From now on, a path behaves like this.
    pub fn behave(&self, path: &str, answer: Answer) {
        lock(&self.state).answers.insert(path.to_owned(), answer);
    }

    /// All requests, in order.
    pub fn all(&self) -> Vec<Posted> {
        lock(&self.state).received.clone()
    }

    /// The requests to a path.
    pub fn received(&self, path: &str) -> Vec<Value> {
        let state = lock(&self.state);
        state.received.iter().filter(|posted| posted.path == path).map(|posted| posted.body.clone()).collect()
    }
}

/// A panic elsewhere does not make the records invalid.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        connections.spawn(async move {
            let service = service_fn(|request| answer(request, &state));
            // Errors of a caller that hangs up do not matter.
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(request: Request<Incoming>, state: &Mutex<State>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    let id = request
        .headers()
        .get("serin-request-id")
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let answer = {
        let mut state = lock(state);
        let answer = state.answers.get(&path).cloned().unwrap_or(Answer::Says(200, String::new()));
        if let Some(Answer::Opens(left) | Answer::Recovers(left)) = state.answers.get_mut(&path) {
            *left = left.saturating_sub(1);
        }
        state.received.push(Posted { path, id, body });
        answer
    };
    let with = |status: u16, body: Body| Response::builder().status(status).body(body).unwrap_or_default();
    Ok(match answer {
        Answer::Says(status, text) => with(status, full(text)),
        Answer::Opens(left) => with(if left > 0 { 403 } else { 200 }, full(String::new())),
        Answer::Recovers(left) => with(if left > 0 { 503 } else { 200 }, full(String::new())),
        Answer::Hangs => std::future::pending().await,
        Answer::Redirects(to) => {
            let mut response = with(302, full(String::new()));
            if let Ok(to) = to.parse() {
                response.headers_mut().insert("location", to);
            }
            response
        }
        Answer::Floods(status) => with(status, endless(Bytes::from(vec![b'x'; 65536]), Duration::ZERO)),
        Answer::Drips(status) => with(status, endless(Bytes::from_static(b"x"), Duration::from_secs(1))),
        Answer::Late(status, time) => {
            tokio::time::sleep(time).await;
            with(status, full(String::new()))
        }
    })
}

fn full(text: String) -> Body {
    Full::new(Bytes::from(text)).boxed_unsync()
}

fn endless(chunk: Bytes, pause: Duration) -> Body {
    let chunks = futures::stream::repeat(chunk).then(move |chunk| async move {
        tokio::time::sleep(pause).await;
        Ok(Frame::data(chunk))
    });
    StreamBody::new(chunks).boxed_unsync()
}
