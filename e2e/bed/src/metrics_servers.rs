//! Metrics servers of the harness: a Prometheus that requires authentication, and an adapter behind the API server's
//! external metrics.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context;
use futures::future::BoxFuture;
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, CONTENT_TYPE},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::{Bed, http};

/// The address. Each server has its own port.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 244, 255, 5);
/// The path that the API server forwards to an adapter.
const EXTERNAL: &str = "/apis/external.metrics.k8s.io/v1beta1";

/// A request and the status of its answer.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Path and query.
    pub target: String,
    /// The header. Empty if there is none.
    pub authorization: String,
    /// HTTP status.
    pub status: u16,
}

type Answer = Arc<dyn Fn(Asked) -> BoxFuture<'static, (u16, String)> + Send + Sync>;

/// A running server. Dropping it stops it.
pub struct MetricsServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    _server: JoinSet<()>,
}

impl MetricsServer {
    /// The bed's Prometheus, for requests with one of these `Authorization` headers. All others get 401.
    pub async fn guarded(bed: &Bed, accepted: &[&str]) -> anyhow::Result<Self> {
        let url = bed.prometheus_url();
        let behind: SocketAddr = url.trim_start_matches("http://").parse().context("Prometheus' address")?;
        let accepted: Vec<String> = accepted.iter().map(|text| (*text).to_owned()).collect();
        let answer: Answer = Arc::new(move |asked| {
            let welcome = accepted.contains(&asked.authorization);
            Box::pin(async move {
                if !welcome {
                    // like a careless server that repeats the credentials
                    return (401, format!("who is {}?", asked.authorization));
                }
                match http::get(behind, &asked.target).await {
                    Ok(reply) => (reply.status, reply.text()),
                    Err(error) => (502, error.to_string()),
                }
            })
        });
        Self::start(None, answer).await
    }

    /// An adapter that serves an external metric `queue-length` of this quantity in each namespace, with the API
    /// server's own certificate.
    pub async fn adapter(bed: &Bed, quantity: &'static str) -> anyhow::Result<Self> {
        let certs = bed.dir().join("certs");
        let tls = acceptor(&certs.join("apiserver.crt"), &certs.join("apiserver.key"))?;
        let answer: Answer = Arc::new(move |asked| {
            let path = asked.target.split('?').next().unwrap_or_default().to_owned();
            Box::pin(async move {
                let answer = external(&path, quantity);
                (if answer.is_null() { 404 } else { 200 }, answer.to_string())
            })
        });
        Self::start(Some(tls), answer).await
    }

    async fn start(tls: Option<TlsAcceptor>, answer: Answer) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((ADDRESS, 0)).await.context("listening as a metrics server")?;
        let (address, asked) = (listener.local_addr()?, Arc::new(Mutex::new(Vec::new())));
        let (mut server, log) = (JoinSet::new(), asked.clone());
        server.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, answer, log) = (tls.clone(), answer.clone(), log.clone());
                connections.spawn(async move {
                    match tls {
                        None => serve(stream, answer, log).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, answer, log).await;
                            }
                        }
                    }
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, asked, _server: server })
    }

    /// Its URL, without TLS.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn acceptor(certificate: &Path, key: &Path) -> anyhow::Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(certificate).context("reading a certificate")?;
    let chain = chain.collect::<Result<Vec<_>, _>>().context("reading a certificate")?;
    let key = PrivateKeyDer::from_pem_file(key).context("reading its key")?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// An adapter's answer for this path. Null if it does not have the path.
fn external(path: &str, quantity: &str) -> Value {
    if path == EXTERNAL {
        return json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "external.metrics.k8s.io/v1beta1",
            "resources": [],
        });
    }
    if path.starts_with(EXTERNAL) && path.ends_with("/queue-length") {
        let item = json!({"metricName": "queue-length", "metricLabels": {}, "timestamp": jiff::Timestamp::now().to_string(),
            "value": quantity});
        return json!({
            "kind": "ExternalMetricValueList", "apiVersion": "external.metrics.k8s.io/v1beta1", "metadata": {},
            "items": [item],
        });
    }
    Value::Null
}

async fn serve<S>(stream: S, answer: Answer, log: Arc<Mutex<Vec<Asked>>>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request: Request<Incoming>| {
        let authorization = request.headers().get(AUTHORIZATION).and_then(|v| v.to_str().ok());
        let mut asked = Asked {
            target: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
            authorization: authorization.unwrap_or_default().to_owned(),
            status: 0,
        };
        let (answer, log) = (answer.clone(), log.clone());
        async move {
            let (status, text) = answer(asked.clone()).await;
            asked.status = status;
            log.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
            let response = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
            Ok::<_, Infallible>(response.body(Full::new(Bytes::from(text))).unwrap_or_default())
        }
    });
    // Errors of a client that hangs up do not matter.
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}
