//! The metrics of one backend about its requests: `http_request_duration_seconds`, by status.

use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Upper bounds in seconds, the same as in Prometheus's client libraries. Slower requests count only in `+Inf`.
const EDGES: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

#[derive(Default)]
struct Series {
    /// Not cumulative.
    buckets: [AtomicU64; EDGES.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

#[derive(Default)]
pub(super) struct Metrics {
    ok: Series,
    bad: Series,
}

impl Metrics {
    pub(super) fn record(&self, failed: bool, took: Duration) {
        let series = if failed { &self.bad } else { &self.ok };
        if let Some(bucket) = EDGES.iter().position(|edge| took.as_secs_f64() <= *edge) {
            series.buckets[bucket].fetch_add(1, Relaxed);
        }
        series.count.fetch_add(1, Relaxed);
        series.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    pub(super) fn render(&self) -> String {
        let name = "http_request_duration_seconds";
        let mut text = format!("# TYPE {name} histogram\n");
        // Writing to a String cannot fail.
        let mut line = |suffix: &str, labels: &str, value: &str| {
            writeln!(text, "{name}_{suffix}{{path=\"root\",method=\"GET\",{labels}}} {value}").ok();
        };
        for (status, series) in [("200", &self.ok), ("500", &self.bad)] {
            let count = series.count.load(Relaxed);
            if count == 0 {
                continue;
            }
            let status = format!("status=\"{status}\"");
            let mut below = 0;
            for (edge, bucket) in EDGES.iter().zip(&series.buckets) {
                below += bucket.load(Relaxed);
                line("bucket", &format!("{status},le=\"{edge}\""), &below.to_string());
            }
            line("bucket", &format!("{status},le=\"+Inf\""), &count.to_string());
            line(
                "sum",
                &status,
                &Duration::from_micros(series.micros.load(Relaxed)).as_secs_f64().to_string(),
            );
            line("count", &status, &count.to_string());
        }
        text
    }
}
