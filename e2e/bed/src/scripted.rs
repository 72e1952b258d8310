//! Series with values that tests choose: an endpoint inside the harness that Prometheus scrapes.
//!
//! All counters grow by whole numbers in the same scrape, so the ratio of two rates is exact for a window of any
//! length. Nothing grows between scrapes.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use anyhow::Context;
use http_body_util::Full;
use hyper::{Response, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{addresses::SCRIPTED, prometheus};

/// The increments of one scrape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traffic {
    /// Requests answered with 200.
    pub ok: u64,
    /// Requests answered with 500.
    pub bad: u64,
    /// The duration of each request in milliseconds, which is also the histogram's 99th percentile.
    pub duration_ms: f64,
}

impl Traffic {
    /// 10,000 requests per scrape with this success rate in percent (exact to two decimals).
    pub fn success(percent: f64, duration_ms: f64) -> Self {
        let ok = (percent.clamp(0.0, 100.0) * 100.0).round() as u64;
        Self { ok, bad: 10_000 - ok, duration_ms }
    }
}

/// Namespace and workload.
type Key = (String, String);

#[derive(Default)]
struct Workload {
    /// The increments of each scrape. `None`: no increments.
    traffic: Option<Traffic>,
    ok: u64,
    bad: u64,
    /// Requests by duration, as the bits of the milliseconds.
    durations: BTreeMap<u64, u64>,
    /// Left out of scrapes, as if it were not scraped.
    hidden: bool,
    /// Failures of the next scrape only, beside its traffic.
    burst: u64,
    /// No series for a status without requests, as real proxies expose theirs.
    sparse: bool,
    /// Its traffic is that of one second, and was last added at this time. `None`: that of one scrape.
    added: Option<Instant>,
}

#[derive(Default)]
struct State {
    workloads: BTreeMap<Key, Workload>,
    /// Whole series (`name{label="value"}`) with a fixed value.
    gauges: BTreeMap<String, f64>,
    scrapes: u64,
}

/// The endpoint and its series.
pub struct Scripted {
    state: Arc<Mutex<State>>,
    /// Stops with this struct.
    _server: JoinSet<()>,
}

impl Scripted {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind(SCRIPTED).await.with_context(|| format!("listening on {SCRIPTED}"))?;
        let state = Arc::new(Mutex::new(State::default()));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, state.clone()));
        Ok(Self { state, _server: server })
    }

    /// From now on, each scrape adds `traffic` to the series of a workload: to Istio's destination series, to the
    /// series of its own pods, and to ingress-nginx's series for the Ingress with its name.
    pub fn traffic(&self, namespace: &str, workload: &str, traffic: Traffic) {
        let mut state = lock(&self.state);
        state.workloads.entry((namespace.to_owned(), workload.to_owned())).or_default().traffic =
            Some(traffic);
    }

    /// Adds failures to the next scrape, once. From the first call on, a status of this workload is exposed only once
    /// it has requests, as real proxies do.
    pub fn burst(&self, namespace: &str, workload: &str, failures: u64) {
        let mut state = lock(&self.state);
        let one = state.workloads.entry((namespace.to_owned(), workload.to_owned())).or_default();
        (one.burst, one.sparse) = (failures, true);
    }

    /// From now on, the traffic of a workload is that of one second, however many servers scrape it.
    pub fn by_second(&self, namespace: &str, workload: &str) {
        let mut state = lock(&self.state);
        let one = state.workloads.entry((namespace.to_owned(), workload.to_owned())).or_default();
        one.added = Some(Instant::now());
    }

    /// Stops the growth of a workload's series, as without traffic: rates are 0, ratios 0/0.
    pub fn silence(&self, namespace: &str, workload: &str) {
        if let Some(workload) =
            lock(&self.state).workloads.get_mut(&(namespace.to_owned(), workload.to_owned()))
        {
            workload.traffic = None;
        }
    }

    /// Hides a workload from scrapes, or shows it again with its former values.
    pub fn hide(&self, namespace: &str, workload: &str, hidden: bool) {
        let mut state = lock(&self.state);
        state.workloads.entry((namespace.to_owned(), workload.to_owned())).or_default().hidden = hidden;
    }

    /// Resets a workload's counters to 0, as after a restart of a proxy.
    pub fn restart(&self, namespace: &str, workload: &str) {
        let mut state = lock(&self.state);
        let one = state.workloads.entry((namespace.to_owned(), workload.to_owned())).or_default();
        (one.ok, one.bad) = (0, 0);
        one.durations.clear();
    }

    /// Removes a workload, here and in Prometheus, so that no window contains earlier data.
    ///
    /// After another call of [`traffic`](Self::traffic), rates exist from the second scrape on.
    pub async fn reset(&self, namespace: &str, workload: &str) -> anyhow::Result<()> {
        lock(&self.state).workloads.remove(&(namespace.to_owned(), workload.to_owned()));
        let all =
            [labels(namespace, workload), pod_labels(namespace, workload), nginx_labels(namespace, workload)];
        prometheus::delete_series(&all.map(|labels| format!("{{{labels}}}"))).await
    }

    /// Exposes one fixed sample, e.g. `set(r#"queue_length{queue="a"}"#, f64::NAN)`.
    pub fn set(&self, series: &str, value: f64) {
        lock(&self.state).gauges.insert(series.to_owned(), value);
    }

    /// Stops exposing a sample.
    pub fn unset(&self, series: &str) {
        lock(&self.state).gauges.remove(series);
    }

    /// The number of scrapes so far.
    pub fn scrapes(&self) -> u64 {
        lock(&self.state).scrapes
    }
}

/// A panic elsewhere does not make the numbers invalid.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        let service = service_fn(move |_| {
            let text = lock(&state).scrape();
            let response = Response::builder()
                .header("content-type", "text/plain; version=0.0.4")
                .body(Full::new(Bytes::from(text)))
                .unwrap_or_default();
            async { Ok::<_, Infallible>(response) }
        });
        connections.spawn(async move {
            // Errors of a scraper that hangs up do not matter.
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
        while connections.try_join_next().is_some() {}
    }
}

impl State {
    /// Adds the increments of one scrape, and renders all series.
    fn scrape(&mut self) -> String {
        self.scrapes += 1;
        let mut text = String::new();
        for ((namespace, name), workload) in self.workloads.iter_mut().filter(|(_, w)| !w.hidden) {
            if let Some(traffic) = workload.new_traffic() {
                let bad = traffic.bad + std::mem::take(&mut workload.burst);
                workload.ok += traffic.ok;
                workload.bad += bad;
                *workload.durations.entry(traffic.duration_ms.to_bits()).or_default() += traffic.ok + bad;
            }
            workload.istio(&labels(namespace, name), &mut text);
            workload.own(&pod_labels(namespace, name), &mut text);
            workload.nginx(&nginx_labels(namespace, name), &mut text);
        }
        for (series, value) in &self.gauges {
            line(&mut text, series, &exposed(*value));
        }
        text
    }
}

impl Workload {
    /// The increments of this scrape.
    fn new_traffic(&mut self) -> Option<Traffic> {
        let mut traffic = self.traffic?;
        if let Some(added) = &mut self.added {
            let seconds = added.elapsed().as_secs_f64();
            *added = Instant::now();
            let grown = |requests: u64| (requests as f64 * seconds) as u64;
            (traffic.ok, traffic.bad) = (grown(traffic.ok), grown(traffic.bad));
        }
        Some(traffic)
    }

    /// The requests of each exposed status.
    fn statuses(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let sparse = self.sparse;
        [("200", self.ok), ("500", self.bad)].into_iter().filter(move |(_, count)| !sparse || *count > 0)
    }

    /// Istio's series, in milliseconds.
    fn istio(&self, labels: &str, text: &mut String) {
        for (code, count) in self.statuses() {
            line(
                text,
                &format!("istio_requests_total{{{labels},response_code=\"{code}\"}}"),
                &count.to_string(),
            );
        }
        let name = "istio_request_duration_milliseconds";
        self.histogram(name, labels, 1.0, text);
        line(text, &format!("{name}_count{{{labels}}}"), &(self.ok + self.bad).to_string());
    }

    /// The series of the pods themselves, in seconds.
    fn own(&self, labels: &str, text: &mut String) {
        let name = "http_request_duration_seconds";
        self.histogram(name, labels, 0.001, text);
        for (code, count) in self.statuses() {
            line(text, &format!("{name}_count{{{labels},status=\"{code}\"}}"), &count.to_string());
        }
    }

    /// The series of ingress-nginx for requests that it sent to the canary, in seconds.
    fn nginx(&self, labels: &str, text: &mut String) {
        for (code, count) in self.statuses() {
            let series = format!("nginx_ingress_controller_requests{{{labels},status=\"{code}\"}}");
            line(text, &series, &count.to_string());
        }
        let name = "nginx_ingress_controller_response_duration_seconds";
        line(text, &format!("{name}_count{{{labels}}}"), &(self.ok + self.bad).to_string());
        line(text, &format!("{name}_sum{{{labels}}}"), &self.sum(0.001).to_string());
    }

    /// The sum of all durations, in units of `unit` milliseconds.
    fn sum(&self, unit: f64) -> f64 {
        self.durations.iter().map(|(bits, requests)| f64::from_bits(*bits) * unit * *requests as f64).sum()
    }

    /// Buckets and sum of the durations, in units of `unit` milliseconds.
    fn histogram(&self, name: &str, labels: &str, unit: f64, text: &mut String) {
        let durations =
            || self.durations.iter().map(|(bits, requests)| (f64::from_bits(*bits) * unit, *requests));
        // Interpolation between these two bounds yields exactly this duration as the 99th percentile.
        let mut edges: Vec<f64> =
            durations().flat_map(|(duration, _)| [duration * 0.901, duration * 1.001]).collect();
        edges.sort_by(f64::total_cmp);
        edges.push(f64::INFINITY);
        for edge in edges {
            let count: u64 =
                durations().filter(|(duration, _)| *duration <= edge).map(|(_, requests)| requests).sum();
            let edge = exposed(edge);
            line(text, &format!("{name}_bucket{{{labels},le=\"{edge}\"}}"), &count.to_string());
        }
        line(text, &format!("{name}_sum{{{labels}}}"), &self.sum(unit).to_string());
    }
}

fn labels(namespace: &str, workload: &str) -> String {
    format!(
        "reporter=\"destination\",destination_workload_namespace=\"{namespace}\",destination_workload=\"{workload}\""
    )
}

/// The labels of a pod of the workload, with a name as Kubernetes gives it, as set by the Prometheus that comes with Flagger.
fn pod_labels(namespace: &str, workload: &str) -> String {
    format!("kubernetes_namespace=\"{namespace}\",kubernetes_pod_name=\"{workload}-689f645b78-65n28\"")
}

/// The labels of the canary of an Ingress with the workload's name.
fn nginx_labels(namespace: &str, workload: &str) -> String {
    format!("namespace=\"{namespace}\",ingress=\"{workload}\",canary=\"{namespace}-{workload}-canary-80\"")
}

fn line(text: &mut String, series: &str, value: &str) {
    // Writing to a String cannot fail.
    writeln!(text, "{series} {value}").ok();
}

/// A number in the exposition format.
fn exposed(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_scrape_adds_the_same_whole_numbers() {
        let mut state = State::default();
        let traffic = Traffic::success(90.5, 100.0);
        state.workloads.insert(
            ("test".to_owned(), "app".to_owned()),
            Workload { traffic: Some(traffic), ..Workload::default() },
        );
        state.gauges.insert("queue".to_owned(), f64::NAN);
        state.scrape();
        let text = state.scrape();
        let labels = labels("test", "app");
        for expected in [
            format!("istio_requests_total{{{labels},response_code=\"200\"}} 18100"),
            format!("istio_requests_total{{{labels},response_code=\"500\"}} 1900"),
            format!("istio_request_duration_milliseconds_count{{{labels}}} 20000"),
            "queue NaN".to_owned(),
        ] {
            assert!(text.lines().any(|line| line == expected), "{expected}\nis not in\n{text}");
        }
    }

    #[test]
    fn traffic_by_second_does_not_depend_on_the_number_of_scrapes() {
        let mut state = State::default();
        let began = Instant::now().checked_sub(Duration::from_secs(2)).unwrap();
        let good = Traffic::success(100.0, 50.0);
        let one = Workload { traffic: Some(good), added: Some(began), ..Workload::default() };
        let key = ("test".to_owned(), "app".to_owned());
        state.workloads.insert(key.clone(), one);
        for _ in 0..10 {
            state.scrape();
        }
        let ok = state.workloads[&key].ok;
        assert!((20_000..100_000).contains(&ok), "{ok}");
    }

    #[test]
    fn a_burst_is_of_one_scrape_and_begins_its_series() {
        let mut state = State::default();
        let key = ("test".to_owned(), "app".to_owned());
        let good = Traffic::success(100.0, 50.0);
        let one = Workload { traffic: Some(good), sparse: true, ..Workload::default() };
        state.workloads.insert(key.clone(), one);
        assert!(!state.scrape().contains("response_code=\"500\""));
        state.workloads.get_mut(&key).unwrap().burst = 85;
        for _ in 0..2 {
            assert!(state.scrape().contains("response_code=\"500\"} 85\n"));
        }
    }
}
