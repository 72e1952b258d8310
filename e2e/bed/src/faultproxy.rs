//! A proxy between an operator and the API server that cuts the connection at a chosen write.
//!
//! It accepts plain HTTP/1.1, sends TLS, and streams watches. Each write (POST, PUT, PATCH, DELETE) gets a number when
//! it arrives. Events have one sequence and all other writes another, because a separate task sends Events, which would
//! make the other numbers random. Only one [`Strike`] can be set at a time. After it, the proxy passes nothing on until
//! [`FaultProxy::heal`].

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use kube::{
    Client, Config,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
};
use tokio::{net::TcpListener, sync::Notify, task::JoinSet};

use crate::{Bed, User};

/// The address of proxies. Each has its own port.
const PROXY_IP: Ipv4Addr = Ipv4Addr::new(10, 244, 255, 5);

/// The object of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sequence {
    /// An Event.
    Event,
    /// Anything else.
    Object,
}

/// Whether the strike happens before or after the API server handles the write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The write is not passed on.
    Before,
    /// The write has been answered, but the answer is withheld.
    After,
}

/// A write, counted from 1 within its sequence since the last [`FaultProxy::lay`] or [`FaultProxy::count`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Strike {
    /// The sequence.
    pub sequence: Sequence,
    /// Before or after the write.
    pub side: Side,
    /// The number.
    pub number: usize,
}

/// A write that arrived.
#[derive(Debug, Clone)]
pub struct Write {
    /// Its sequence.
    pub sequence: Sequence,
    /// Its number there.
    pub number: usize,
    /// `PATCH /apis/…`, without the query.
    pub what: String,
    /// The API server's answer. None if the write was not passed on, or has no answer yet.
    pub status: Option<u16>,
}

type Blow = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    writes: Vec<Write>,
    strike: Option<(Strike, Blow)>,
    struck: bool,
}

impl State {
    /// Numbers a write. Returns its index.
    fn record(&mut self, method: &Method, path: &str) -> usize {
        let sequence = if path.contains("/events") { Sequence::Event } else { Sequence::Object };
        let number = self.writes.iter().filter(|w| w.sequence == sequence).count() + 1;
        self.writes.push(Write { sequence, number, what: format!("{method} {path}"), status: None });
        self.writes.len() - 1
    }

    /// Returns the blow if it is due. The caller must execute it.
    fn due(&mut self, index: usize, side: Side) -> Option<Blow> {
        let write = self.writes.get(index)?;
        let now = Strike { sequence: write.sequence, side, number: write.number };
        let (_, blow) = self.strike.take_if(|(strike, _)| *strike == now)?;
        self.struck = true;
        Some(blow)
    }
}

struct Shared {
    upstream: Client,
    state: Mutex<State>,
    changed: Notify,
}

/// A running proxy. Dropping it stops it.
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

impl FaultProxy {
    /// Starts a proxy to the bed's API server, with the operator's rights.
    pub async fn start(bed: &Bed) -> anyhow::Result<Self> {
        let file = Kubeconfig::read_from(bed.kubeconfig(User::Operator))?;
        let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
        config.default_retry = false;
        let upstream = Client::try_from(config).context("a client for the proxy")?;
        let listener = TcpListener::bind((PROXY_IP, 0)).await.context("listening as a proxy")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { upstream, state: Mutex::default(), changed: Notify::new() });
        let mut server = JoinSet::new();
        server.spawn(serve(listener, shared.clone()));
        Ok(Self { address, shared, _server: server })
    }

    /// The URL for a kubeconfig.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Restarts the count at 1.
    pub fn count(&self) {
        lock(&self.shared.state).writes.clear();
    }

    /// Restarts the count at 1, and calls `blow` (which kills the operator) at the write that `strike` names.
    pub fn lay(&self, strike: Strike, blow: impl FnOnce() + Send + 'static) {
        let mut state = lock(&self.shared.state);
        state.writes.clear();
        state.strike = Some((strike, Box::new(blow)));
    }

    /// Waits until the strike has happened.
    pub async fn struck(&self) {
        loop {
            let changed = self.shared.changed.notified();
            if lock(&self.shared.state).struck {
                return;
            }
            changed.await;
        }
    }

    /// Whether the strike has happened.
    pub fn has_struck(&self) -> bool {
        lock(&self.shared.state).struck
    }

    /// From now on, passes everything on.
    pub fn heal(&self) {
        let mut state = lock(&self.shared.state);
        state.strike = None;
        state.struck = false;
    }

    /// The writes since the count started.
    pub fn writes(&self) -> Vec<Write> {
        lock(&self.shared.state).writes.clone()
    }
}

/// A panic elsewhere does not make the numbers invalid.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).ok();
        let shared = shared.clone();
        let service = service_fn(move |request| {
            let shared = shared.clone();
            async move { Ok::<_, Infallible>(pass(&shared, request).await) }
        });
        connections.spawn(async move {
            // This proxy exists for clients that are killed during a request.
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
        while connections.try_join_next().is_some() {}
    }
}

type Answer = Response<UnsyncBoxBody<Bytes, kube::Error>>;

async fn pass(shared: &Arc<Shared>, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return refusal("the request broke off");
    };
    if lock(&shared.state).struck {
        return never().await;
    }
    let write = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&parts.method);
    let index = write.then(|| lock(&shared.state).record(&parts.method, parts.uri.path()));
    if let Some(index) = index {
        strike(shared, index, Side::Before).await;
    }
    let mut onward = Request::new(Body::from(body));
    *onward.method_mut() = parts.method;
    *onward.uri_mut() = parts.uri;
    *onward.headers_mut() = parts.headers;
    for hop in [HOST, CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH, AUTHORIZATION] {
        onward.headers_mut().remove(hop);
    }
    // a write that has been sent takes effect and is recorded, even if its sender is killed meanwhile
    let sent = tokio::spawn(send(shared.clone(), onward, index));
    let answer = match sent.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return refusal(&format!("no answer from the API server: {error}")),
        Err(error) => return refusal(&format!("the proxy itself failed: {error}")),
    };
    if let Some(index) = index {
        strike(shared, index, Side::After).await;
    }
    let (mut parts, body) = answer.into_parts();
    for hop in [CONNECTION, TRANSFER_ENCODING] {
        parts.headers.remove(hop);
    }
    Response::from_parts(parts, body.map_err(|e| kube::Error::Service(Box::new(e))).boxed_unsync())
}

/// Passes a request on. Records the answer to a write.
async fn send(
    shared: Arc<Shared>,
    onward: Request<Body>,
    index: Option<usize>,
) -> kube::Result<Response<Body>> {
    let answer = shared.upstream.send(onward).await?;
    if let Some(index) = index
        && let Some(write) = lock(&shared.state).writes.get_mut(index)
    {
        write.status = Some(answer.status().as_u16());
    }
    Ok(answer)
}

/// Executes the blow if it is due. Then nobody waits for the answer any more.
async fn strike(shared: &Shared, index: usize, side: Side) {
    let blow = lock(&shared.state).due(index, side);
    if let Some(blow) = blow {
        blow();
        shared.changed.notify_waiters();
        std::future::pending::<()>().await;
    }
}

async fn never() -> Answer {
    std::future::pending().await
}

fn refusal(why: &str) -> Answer {
    let body = Full::new(Bytes::from(why.to_owned())).map_err(|never| match never {});
    let mut answer = Response::new(body.boxed_unsync());
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_numbered_by_sequence_and_a_strike_falls_once() {
        let mut state = State::default();
        let strike = Strike { sequence: Sequence::Object, side: Side::After, number: 2 };
        state.strike = Some((strike, Box::new(|| {})));
        let first = state.record(&Method::PATCH, "/apis/apps/v1/namespaces/a/deployments/x");
        let event = state.record(&Method::POST, "/apis/events.k8s.io/v1/namespaces/a/events");
        let second = state.record(&Method::DELETE, "/api/v1/namespaces/a/services/x");
        assert!(state.due(first, Side::After).is_none() && state.due(event, Side::After).is_none());
        assert!(state.due(second, Side::Before).is_none() && !state.struck);
        assert!(state.due(second, Side::After).is_some() && state.struck);
        assert!(state.due(second, Side::After).is_none());
        let numbers: Vec<_> = state.writes.iter().map(|w| (w.sequence, w.number)).collect();
        assert_eq!(numbers, [(Sequence::Object, 1), (Sequence::Event, 1), (Sequence::Object, 2)]);
    }
}
