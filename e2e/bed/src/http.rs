//! A minimal HTTP client for readiness probes, Prometheus and single requests: plain HTTP/1.1, one connection per
//! request, no proxies, no system certificates.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request,
    body::Bytes,
    client::conn::http1,
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

/// Timeout of a whole request.
const LIMIT: Duration = Duration::from_secs(10);

/// The answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Reply {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text, if it exists.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// GET of `path` at `address`.
pub async fn get(address: SocketAddr, path: &str) -> anyhow::Result<Reply> {
    send(address, request(Method::GET, address, path, Bytes::new())?).await
}

/// Whether a GET of `path` returns 200.
pub async fn is_ok(address: SocketAddr, path: &str) -> bool {
    get(address, path).await.is_ok_and(|reply| reply.status == 200)
}

/// A POST of a form.
pub async fn post_form(address: SocketAddr, path: &str, form: &[(&str, &str)]) -> anyhow::Result<Reply> {
    let body: Vec<String> =
        form.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let mut request = request(Method::POST, address, path, body.join("&").into())?;
    request.headers_mut().insert(CONTENT_TYPE, "application/x-www-form-urlencoded".parse()?);
    send(address, request).await
}

/// Sends a request on its own connection and reads the whole answer.
pub async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> anyhow::Result<Reply> {
    let what = format!("{} http://{address}{}", request.method(), request.uri());
    let exchange = async {
        let stream = TcpStream::connect(address).await.context("connecting")?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        connection.abort();
        anyhow::Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
    };
    timeout(LIMIT, exchange).await.with_context(|| format!("{what}: no answer in {LIMIT:?}"))?.context(what)
}

/// A request with a `Host` header.
fn request(
    method: Method,
    address: SocketAddr,
    path: &str,
    body: Bytes,
) -> anyhow::Result<Request<Full<Bytes>>> {
    Ok(Request::builder().method(method).uri(path).header(HOST, address.to_string()).body(Full::new(body))?)
}

/// Percent-encodes everything except letters, digits and `-._~`.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
