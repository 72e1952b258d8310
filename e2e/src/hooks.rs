//! A receiver of webhooks: writes down what is posted to each path, and answers what tests tell it to.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context;
use http_body_util::{BodyExt, Collected, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};

/// Where receivers are: not on loopback, each at a port of its own.
const IP: Ipv4Addr = Ipv4Addr::new(10, 244, 255, 5);

#[derive(Default)]
struct State {
    received: Vec<(String, Value)>,
    answers: BTreeMap<String, (u16, String)>,
}

/// A receiver. Dropping it ends it.
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    _server: JoinSet<()>,
}

impl Receiver {
    /// Starts at a free port.
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

    /// From now on a path is answered so; 200 without anything otherwise.
    pub fn answer(&self, path: &str, status: u16, text: &str) {
        lock(&self.state).answers.insert(path.to_owned(), (status, text.to_owned()));
    }

    /// What has been posted to a path.
    pub fn received(&self, path: &str) -> Vec<Value> {
        let state = lock(&self.state);
        state.received.iter().filter(|(to, _)| to == path).map(|(_, body)| body.clone()).collect()
    }
}

/// A panic elsewhere leaves what was received as good as it was.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        connections.spawn(async move {
            let service = service_fn(|request| answer(request, &state));
            // A caller that hangs up is its own business.
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    request: Request<Incoming>,
    state: &Mutex<State>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let mut state = lock(state);
    let (status, text) = state.answers.get(&path).cloned().unwrap_or((200, String::new()));
    state.received.push((path, body));
    let response = Response::builder().status(status).body(Full::new(Bytes::from(text)));
    Ok(response.unwrap_or_default())
}
