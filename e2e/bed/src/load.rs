//! Clients: real requests at a limited rate, usually through Envoy, and counts of the answers.
//!
//! There are three kinds of failures. A *connection* error: no answer arrived. A *proxy* error: an answer of 400 or
//! more without a version header, so it did not come from a backend. A *version* error: a backend's own 5xx.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use http_body_util::{BodyExt, Empty};
pub use hyper::Method;
use hyper::{
    Request,
    body::Bytes,
    client::conn::http1::{self, SendRequest},
    header::{CONTENT_LENGTH, HOST, SET_COOKIE},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use crate::{GATEWAY, kubelet::VERSION_HEADER, wait};

/// Timeout of one request, unless the target sets another.
const LIMIT: Duration = Duration::from_secs(10);
/// Number of failures to describe in full.
const DESCRIBED: usize = 100;
/// The longest time that a slow client makes up for. Requests older than that are not sent.
const CATCH_UP: Duration = Duration::from_secs(1);

/// The request and its address.
#[derive(Debug, Clone)]
pub struct Target {
    /// The address to connect to.
    pub address: SocketAddr,
    /// The `Host` header.
    pub host: String,
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// Other headers.
    pub headers: Vec<(String, String)>,
    /// Whether connections are reused.
    pub keep_alive: bool,
    /// How long clients wait for an answer.
    pub limit: Duration,
}

impl Target {
    /// `GET /` of a host behind the bed's gateway.
    pub fn gateway(host: &str) -> Self {
        Self::at(GATEWAY, host)
    }

    /// `GET /` of a host at an address.
    pub fn at(address: SocketAddr, host: &str) -> Self {
        Self {
            address,
            host: host.to_owned(),
            method: Method::GET,
            path: "/".to_owned(),
            headers: Vec::new(),
            keep_alive: true,
            limit: LIMIT,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With another method than GET.
    #[must_use]
    pub fn asking(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Uses a new connection for each request.
    #[must_use]
    pub fn fresh_connections(mut self) -> Self {
        self.keep_alive = false;
        self
    }

    /// Sends one request. Returns the answer's status and version.
    pub async fn once(&self) -> anyhow::Result<Answer> {
        let mut connection = None;
        self.send(&mut connection).await
    }

    /// Waits until a version answers with 200.
    pub async fn serving(&self, version: &str, limit: Duration) -> anyhow::Result<()> {
        wait::until(&format!("{} to answer with {version}", self.host), limit, async || {
            let answer = self.once().await.ok()?;
            (answer.status == 200 && answer.version.as_deref() == Some(version)).then_some(())
        })
        .await
    }

    async fn send(&self, connection: &mut Option<SendRequest<Empty<Bytes>>>) -> anyhow::Result<Answer> {
        let mut sender = match connection.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let mut request = Request::builder().method(&self.method).uri(&self.path).header(HOST, &self.host);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        sender.ready().await?;
        let response = sender.send_request(request.body(Empty::new())?).await?;
        let status = response.status().as_u16();
        let header =
            |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let version = header(VERSION_HEADER);
        let cookies = response.headers().get_all(SET_COOKIE).iter();
        let cookies = cookies.filter_map(|value| Some(value.to_str().ok()?.to_owned())).collect();
        let empty = header(CONTENT_LENGTH.as_str()).is_some_and(|length| length == "0");
        let text = response.into_body().collect().await?.to_bytes();
        let detail =
            if empty || status < 400 { String::new() } else { String::from_utf8_lossy(&text).into_owned() };
        if self.keep_alive {
            *connection = Some(sender);
        }
        Ok(Answer { status, version, cookies, detail })
    }

    async fn connect(&self) -> anyhow::Result<SendRequest<Empty<Bytes>>> {
        let stream = TcpStream::connect(self.address).await.context("connecting")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // This task ends when its sender is dropped.
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The version header.
    pub version: Option<String>,
    /// The values of its `Set-Cookie` headers.
    pub cookies: Vec<String>,
    /// The body, only for errors.
    pub detail: String,
}

/// The counts of one version.
#[derive(Debug, Clone)]
pub struct Version {
    /// Number of answers below 500.
    pub ok: u64,
    /// Number of answers with 500 and above.
    pub bad: u64,
    /// When the version first answered.
    pub first: Instant,
    /// When the version last answered.
    pub last: Instant,
}

impl Version {
    /// All answers of the version.
    pub fn total(&self) -> u64 {
        self.ok + self.bad
    }
}

/// The events since the start, or since the last reset.
#[derive(Debug, Clone)]
pub struct Window {
    /// The start of the window.
    pub since: Instant,
    /// All completed requests.
    pub requests: u64,
    /// Counts by version.
    pub versions: BTreeMap<String, Version>,
    /// Counts by status code.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests without an answer.
    pub connection_errors: u64,
    /// Errors that did not come from a backend.
    pub proxy_errors: u64,
    /// A backend's own 5xx.
    pub version_errors: u64,
    /// The first failures that are not version errors: time and description.
    pub failures: Vec<(Instant, String)>,
    /// All latencies in microseconds, in the order of the answers.
    latencies: Vec<u32>,
}

impl Window {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            requests: 0,
            versions: BTreeMap::new(),
            statuses: BTreeMap::new(),
            connection_errors: 0,
            proxy_errors: 0,
            version_errors: 0,
            failures: Vec::new(),
            latencies: Vec::new(),
        }
    }

    /// Failures caused by the control plane or the proxy. A release must never cause any.
    pub fn lost(&self) -> u64 {
        self.connection_errors + self.proxy_errors
    }

    /// The share of one version among all answers with a version, 0 to 1.
    pub fn share(&self, version: &str) -> f64 {
        let all: u64 = self.versions.values().map(Version::total).sum();
        self.versions.get(version).map_or(0.0, |one| one.total() as f64 / all.max(1) as f64)
    }

    /// A percentile (0 to 1) of the latencies.
    pub fn latency(&self, percentile: f64) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let index = (percentile * sorted.len().saturating_sub(1) as f64).round() as usize;
        Duration::from_micros(sorted.get(index).copied().unwrap_or(0).into())
    }

    fn record(&mut self, outcome: anyhow::Result<Answer>, latency: Duration) {
        let now = Instant::now();
        self.requests += 1;
        self.latencies.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
        let answer = match outcome {
            Ok(answer) => answer,
            Err(error) => {
                self.connection_errors += 1;
                return self.describe(now, format!("{error:#}"));
            }
        };
        *self.statuses.entry(answer.status).or_default() += 1;
        match answer.version {
            Some(name) => {
                let version =
                    self.versions.entry(name).or_insert(Version { ok: 0, bad: 0, first: now, last: now });
                version.last = now;
                if answer.status >= 500 {
                    version.bad += 1;
                    self.version_errors += 1;
                } else {
                    version.ok += 1;
                }
            }
            None if answer.status >= 400 => {
                self.proxy_errors += 1;
                self.describe(now, format!("{} {}", answer.status, answer.detail));
            }
            None => {}
        }
    }

    fn describe(&mut self, now: Instant, what: String) {
        if self.failures.len() < DESCRIBED {
            self.failures.push((now, what));
        }
    }
}

/// Running clients. Dropping it stops them.
pub struct LoadHandle {
    window: Arc<Mutex<Window>>,
    tasks: JoinSet<()>,
}

impl LoadHandle {
    /// Starts `connections` clients that send `rate` requests per second in total.
    ///
    /// If all connections are busy, the rate drops. It never exceeds `rate` for more than a second.
    pub fn start(target: &Target, rate: f64, connections: usize) -> Self {
        let window = Arc::new(Mutex::new(Window::new()));
        let pace = Arc::new(Pace { began: Instant::now(), next: AtomicU64::new(0), gap: 1.0 / rate });
        let mut tasks = JoinSet::new();
        for _ in 0..connections {
            tasks.spawn(send(target.clone(), pace.clone(), window.clone()));
        }
        Self { window, tasks }
    }

    /// The events since the start, or since the last reset.
    pub fn snapshot(&self) -> Window {
        lock(&self.window).clone()
    }

    /// Starts a new window. Returns the old one.
    pub fn reset(&self) -> Window {
        std::mem::replace(&mut lock(&self.window), Window::new())
    }

    /// Waits until the window contains `count` requests. Returns it.
    pub async fn requests(&self, count: u64, limit: Duration) -> anyhow::Result<Window> {
        let enough = async || {
            let window = lock(&self.window);
            (window.requests >= count).then(|| window.clone())
        };
        wait::until(&format!("{count} requests"), limit, enough).await
    }

    /// Waits until a version has answered in this window. Returns the time of its first answer.
    pub async fn first_answer(&self, version: &str, limit: Duration) -> anyhow::Result<Instant> {
        let seen = async || lock(&self.window).versions.get(version).map(|one| one.first);
        wait::until(&format!("an answer of version {version}"), limit, seen).await
    }

    /// Stops the clients. Returns the window.
    pub async fn stop(mut self) -> Window {
        self.tasks.shutdown().await;
        self.snapshot()
    }
}

/// Schedules the requests.
struct Pace {
    began: Instant,
    next: AtomicU64,
    /// Seconds between two requests.
    gap: f64,
}

impl Pace {
    fn due(&self) -> Instant {
        let at = |n: u64| self.began + Duration::from_secs_f64(n as f64 * self.gap);
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        if at(n) + CATCH_UP < Instant::now() {
            let now = (self.began.elapsed().as_secs_f64() / self.gap) as u64;
            self.next.fetch_max(now, Ordering::Relaxed);
        }
        at(n)
    }
}

async fn send(target: Target, pace: Arc<Pace>, window: Arc<Mutex<Window>>) {
    let mut connection = None;
    loop {
        sleep_until(pace.due()).await;
        let began = Instant::now();
        let outcome = match timeout(target.limit, target.send(&mut connection)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(anyhow::anyhow!("no answer in {:?}", target.limit)),
        };
        lock(&window).record(outcome, began.elapsed());
    }
}

/// A panic elsewhere does not make the counts invalid.
fn lock(window: &Mutex<Window>) -> MutexGuard<'_, Window> {
    window.lock().unwrap_or_else(PoisonError::into_inner)
}
