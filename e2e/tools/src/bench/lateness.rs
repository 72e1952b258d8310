//! Releases to all Canaries at the same time: is each step on time?

use jiff::Timestamp;
use serin::api::{CanaryStatus, Phase};
use tokio::time::Instant;

use super::{
    common::Bench,
    figure::{Figure, quantile},
    fleet::{self, Fleet},
    process,
};

/// `analysis.interval` of the fleet.
const INTERVAL: f64 = 10.0;

pub(super) async fn measure(
    bench: &Bench,
    fleet: &Fleet,
    progress: &(dyn Fn(&str) + Sync),
    figures: &mut Vec<Figure>,
) -> anyhow::Result<()> {
    let (began, from, asked) = (Instant::now(), Timestamp::now(), queries(&bench.operator.metrics().await?));
    fleet.release(bench).await?;
    let done = |state: &CanaryStatus| matches!(state.phase, Some(Phase::Succeeded | Phase::Failed));
    fleet::all_in(bench, &fleet.keys, "done", progress, done).await?;
    let took = began.elapsed().as_secs_f64();
    let asked = queries(&bench.operator.metrics().await?) - asked;
    bench.quiet().await?;

    let runs = fleet.keys.len();
    let promoted =
        fleet.keys.iter().filter(|key| bench.record.last(key).phase == Some(Phase::Succeeded)).count();
    let failed: i32 = fleet
        .keys
        .iter()
        .filter_map(|key| bench.record.states(key).iter().map(|s| s.failed_checks).max())
        .sum();
    let mut late: Vec<f64> = fleet.keys.iter().flat_map(|key| lateness(&bench.record.states(key))).collect();
    let what = format!("lateness of steps with {runs} runs at once: 99th percentile");
    let how = format!(
        "{} steps, interval 10s: time in status at which a weight was confirmed, less 10 s and the time at which its predecessor was confirmed or last failed a check",
        late.len()
    );
    let at = [0.5, 0.99, 1.0].map(|share| quantile(&mut late, share));
    figures.push(
        Figure::new(what, how, at[1], "s")
            .detail(format!("median {:.3} s, longest {:.3} s", at[0], at[2]))
            .detail(format!("promoted: {promoted} of {runs}; failed checks: {failed}")),
    );
    let how = "the operator's own count of queries over the time of all runs";
    figures.push(Figure::new("queries to Prometheus per second during that", how, asked / took, ""));
    let calls = bench.requests(from)?.beyond_watches().only(|r| r.namespace.starts_with("fleet-"));
    let refused = calls.only(|request| request.code >= 400).count();
    let how = "audit log, Events included, divided by the number of runs";
    let mut figure = Figure::new(
        format!("API calls per rollout with {runs} at once"),
        how,
        calls.count() as f64 / runs as f64,
        "",
    )
    .flagger(165.0, "300 at once at interval 15s: 49,381 calls");
    for (kind, count) in calls.by_kind() {
        figure = figure.detail(format!("{:.2} {kind}", count as f64 / runs as f64));
    }
    figures.push(figure.detail(format!("refused, and so in vain: {refused} in all")));
    figures.push(Figure::new(format!("{runs} releases at once take"), "clock of the bench", took, "s"));
    if let Some(pid) = bench.operator.pid() {
        let how = "VmRSS of the operator's process right after them";
        let memory = process::memory(pid)?;
        let what = format!("memory after {runs} runs at once");
        figures.push(Figure::new(what, how, memory.resident, "MiB").detail(memory.detail()));
    }
    Ok(())
}

/// The delay of the confirmation of each weight except the first. A window after a failed check is scheduled from that
/// check.
fn lateness(states: &[CanaryStatus]) -> Vec<f64> {
    let mut late = Vec::new();
    let mut last: Option<(i32, Timestamp)> = None;
    for step in
        states.iter().filter(|state| state.phase == Some(Phase::Progressing)).filter_map(|s| s.step.as_ref())
    {
        let Some(confirmed) = &step.confirmed else { continue };
        if let Some((index, began)) = last
            && index < step.index
        {
            late.push(confirmed.0.duration_since(began).as_secs_f64() - INTERVAL);
        }
        last = Some((step.index, step.checked.as_ref().unwrap_or(confirmed).0));
    }
    late
}

/// All queries so far, answered or not, from the operator's metrics.
fn queries(exposition: &str) -> f64 {
    let counts = exposition.lines().filter(|line| line.starts_with("serin_source_query_seconds_count"));
    counts.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
    use serin::api::StepStatus;

    use super::*;

    #[test]
    fn a_failed_check_is_no_lateness() {
        let at = |second: i64| Some(MicroTime(Timestamp::from_second(second).unwrap()));
        let state = |index, confirmed, checked| CanaryStatus {
            phase: Some(Phase::Progressing),
            step: Some(StepStatus { index, confirmed, checked, ..StepStatus::default() }),
            ..CanaryStatus::default()
        };
        let states = [
            state(1, at(0), None),
            state(2, None, None),
            state(2, at(11), None),
            state(2, at(11), at(21)),
            state(3, None, None),
            state(3, at(33), None),
        ];
        assert_eq!(lateness(&states), [1.0, 2.0]);
    }
}
