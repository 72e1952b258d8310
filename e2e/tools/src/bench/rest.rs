//! Cost while idle: requests, memory, CPU time.

use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::{common::Bench, figure::Figure, process};

/// How long to observe the idle operator.
const LOOK: Duration = Duration::from_secs(60);

/// Observes the idle operator. `canaries` is part of the description of every value.
pub(super) async fn measure(bench: &Bench, canaries: &str) -> anyhow::Result<Vec<Figure>> {
    let pid = bench.operator.pid().context("the operator is not running")?;
    bench.quiet().await?;
    let (from, began, before) = (Timestamp::now(), Instant::now(), process::processor(pid)?);
    sleep(LOOK).await;
    let used = process::processor(pid)?.checked_sub(before).unwrap_or_default();
    let share = used.as_secs_f64() * 1000.0 / began.elapsed().as_secs_f64();
    let asked = bench.requests(from)?;
    let requests = asked.beyond_watches();

    let what = format!("API requests per minute at rest, {canaries}");
    let how = "audit log of the API server, all of the operator's requests in 60 s but watches";
    let mut figure = Figure::new(what, how, requests.count() as f64, "")
        .target(0.0)
        .detail(format!("watches opened again in that time: {}", asked.count() - requests.count()));
    for (kind, count) in requests.by_kind() {
        figure = figure.detail(format!("{count} {kind}"));
    }
    let how = "VmRSS of the operator's process at the end of these 60 s";
    let memory = process::memory(pid)?;
    let what = format!("memory at rest, {canaries}");
    let resident = Figure::new(what, how, memory.resident, "MiB").detail(memory.detail());
    let what = format!("processor time per second at rest, {canaries}");
    let how = "utime and stime of the operator's process over these 60 s, in ticks of 10 ms";
    Ok(vec![figure, resident, Figure::new(what, how, share, "ms")])
}

/// The same next to Flagger's idle cost for as many plain Canaries.
pub(super) async fn beside_flagger(bench: &Bench, canaries: usize) -> anyhow::Result<Vec<Figure>> {
    let figures = measure(bench, &format!("{canaries} Canaries")).await?;
    let needs = [
        (72.0 * canaries as f64, "72 per Canary, interval 10s"),
        (64.0, "with 20 Canaries"),
        (5.5, "with 20 Canaries"),
    ];
    Ok(figures
        .into_iter()
        .zip(needs)
        .map(|(figure, (value, remark))| figure.flagger(value, remark))
        .collect())
}
