//! Servers for the tests, and queries.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "servers to ask run beside the tests"
)]

mod bad_answers;
mod cloud;
mod cloud_partial;
mod conformance;
mod counts;
mod decoders;
mod externalmetrics;
mod fuzz;
mod graphite;
mod identity;
mod influxdb;
mod of_the_step;
mod past;
mod prometheus;
mod tls;
mod web;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{Ask, Credentials, Http};
use crate::{
    analysis::{SecretAt, Since},
    net::{Outbound, OutboundPolicy},
};

/// The behaviour of a server on every connection, after it has read the request.
#[derive(Clone)]
pub(super) enum Play {
    Say(u16, &'static str, String),
    /// A success with these headers and bytes.
    Bytes(&'static str, Vec<u8>),
    Flood,
    Hang,
    /// A byte a second.
    Drip,
    Close,
}

/// Address of a test server, and the request lines it saw.
pub(super) async fn server(play: Play) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, play.clone(), log.clone()));
        }
    });
    (address, seen)
}

async fn serve(mut stream: TcpStream, play: Play, log: Arc<Mutex<Vec<String>>>) {
    let mut request = vec![0; 16 * 1024];
    let read = stream.read(&mut request).await.unwrap_or(0);
    log.lock().unwrap().push(String::from_utf8_lossy(&request[..read]).into_owned());
    let close = "connection: close\r\n";
    match play {
        Play::Say(status, kind, body) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nlocation: http://127.0.0.1:1/\r\n{close}content-length: {length}\r\n\r\n"
            );
            stream.write_all(format!("{head}{body}").as_bytes()).await.ok();
        }
        Play::Bytes(headers, body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\n{headers}{close}content-length: {length}\r\n\r\n");
            stream.write_all(&[head.as_bytes(), &body].concat()).await.ok();
        }
        Play::Flood => {
            let head = format!("HTTP/1.1 200 OK\r\n{close}content-length: 1000000000\r\n\r\n");
            stream.write_all(head.as_bytes()).await.ok();
            let chunk = vec![b' '; 64 * 1024];
            while stream.write_all(&chunk).await.is_ok() {}
        }
        Play::Drip => {
            let head = format!("HTTP/1.1 200 OK\r\n{close}content-length: 1000\r\n\r\n");
            stream.write_all(head.as_bytes()).await.ok();
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        Play::Hang => std::future::pending().await,
        Play::Close => {}
    }
}

/// The inputs of a query, owned.
pub(super) struct Asked {
    pub(super) address: String,
    pub(super) query: String,
    pub(super) region: Option<String>,
    pub(super) json_path: Option<String>,
    pub(super) headers: BTreeMap<String, Vec<String>>,
    pub(super) credentials: Credentials,
    pub(super) since: Option<Since>,
}

impl Asked {
    pub(super) fn of(address: &str, query: &str) -> Self {
        Self {
            address: address.into(),
            query: query.into(),
            region: None,
            json_path: None,
            headers: BTreeMap::new(),
            credentials: Credentials::default(),
            since: None,
        }
    }

    /// With a Secret `test/login` that has this content.
    pub(super) fn with(self, secret: &[(&str, &str)]) -> Self {
        let at = SecretAt {
            named_by: "MetricTemplate test/errors (spec.provider.secretRef)".into(),
            namespace: "test".into(),
            name: "login".into(),
            version: None,
        };
        let values = secret.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()));
        Self { credentials: Credentials::new(at, values.collect()), ..self }
    }

    pub(super) fn ask(&self) -> Ask<'_> {
        Ask {
            namespace: "test",
            as_operator: true,
            tenant: "test",
            address: &self.address,
            query: &self.query,
            window: Duration::from_secs(60),
            region: self.region.as_deref(),
            json_path: self.json_path.as_deref(),
            headers: &self.headers,
            any_certificate: false,
            credentials: &self.credentials,
            since: self.since,
        }
    }
}

/// An API server that is not there.
pub(super) fn nobody() -> kube::Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    kube::Client::try_from(kube::Config::new("http://127.0.0.1:1".parse().unwrap())).unwrap()
}

/// Clients that wait this long, and repeat nothing.
pub(super) fn silent(timeout: Duration) -> Http {
    Http::new(to_loopback(false), timeout)
}

/// Clients that wait this long, and repeat text that cannot contain a secret.
pub(super) fn careful(timeout: Duration) -> Http {
    Http::new(to_loopback(true), timeout)
}

/// Clients that wait this long, and repeat everything.
pub(super) fn http(timeout: Duration) -> Http {
    Http::new(to_loopback(true).quoting_all(), timeout)
}

fn to_loopback(quotes: bool) -> Outbound {
    rustls::crypto::ring::default_provider().install_default().ok();
    let outbound =
        OutboundPolicy { networks: vec!["127.0.0.0/8".parse().unwrap()], ..OutboundPolicy::default() };
    Outbound::new(outbound, None, quotes)
}
