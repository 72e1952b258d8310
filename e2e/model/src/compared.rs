//! Results of comparisons do not depend on crashes of the operator, its clock, or the order of metrics.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use serin::api::{CompareStatus, CompareVerdict, Phase};

use crate::{
    fixture,
    rates::Rates,
    sim::{Sim, Trouble},
};

fn spec(metrics: &[Value]) -> Value {
    json!({"analysis": {"interval": "30s", "threshold": 5, "metrics": metrics}})
}

fn compared() -> Value {
    json!({"name": "request-success-rate", "compare": {"bursts": 1, "warmup": {"for": "30s"}}})
}

/// A run of a canary with this many failures in ten requests per second, and a primary with one failure in a thousand.
fn run(metrics: &[Value], failing: f64) -> Sim {
    let mut sim = fixture::initialised(&spec(metrics));
    sim.counts = Ok(Rates::of((10.0, failing), (90.0, 0.09)));
    fixture::set_image(&mut sim, "podinfo:2");
    sim
}

fn ended(sim: &mut Sim) -> Result<CompareStatus> {
    sim.advance(Duration::from_secs(900));
    sim.verdict().map_err(anyhow::Error::msg)?;
    let status = sim.world.status();
    let found = status.metrics.into_iter().find_map(|metric| metric.compare);
    found.with_context(|| format!("nothing was compared:\n{}", sim.log.join("\n")))
}

#[test]
fn cm1_an_operator_that_dies_at_any_write_comes_to_the_same_evidence() -> Result<()> {
    for (failing, verdict) in [(0.2, CompareVerdict::Worse), (0.0, CompareVerdict::NoWorse)] {
        let mut undisturbed = run(&[compared()], failing);
        let expected = ended(&mut undisturbed)?;
        ensure!(expected.verdict == Some(verdict), "{expected:?}");
        for at in 0..undisturbed.plans {
            for writes in [0, 1] {
                let mut sim = run(&[compared()], failing);
                sim.trouble_at = Some((at, Trouble::CrashAfter(writes)));
                let found = ended(&mut sim)?;
                ensure!(
                    found == expected,
                    "dead at plan {at} after {writes} writes: {found:?}, not {expected:?}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn cm2_the_order_of_metrics_does_not_change_what_is_found() -> Result<()> {
    let other = json!({"name": "request-duration", "thresholdRange": {"max": 500}});
    for failing in [0.2, 0.0] {
        let first = ended(&mut run(&[compared(), other.clone()], failing))?;
        let last = ended(&mut run(&[other.clone(), compared()], failing))?;
        ensure!(first == last, "{first:?}, and {last:?}");
    }
    Ok(())
}

#[test]
fn cm3_a_clock_that_jumps_changes_no_verdict() -> Result<()> {
    for jump in [-600, -40, 40, 600] {
        for (failing, phase) in [(0.2, Phase::Failed), (0.0, Phase::Succeeded)] {
            let mut sim = run(&[compared()], failing);
            sim.advance(Duration::from_secs(50));
            sim.skew += jiff::SignedDuration::from_secs(jump);
            sim.observer.clock_was_set();
            if jump > 0 {
                sim.watching_since = sim.clock();
            }
            ended(&mut sim)?;
            let found = sim.world.status().phase;
            ensure!(found == Some(phase), "{jump} s, {failing}: {found:?}\n{}", sim.log.join("\n"));
        }
    }
    Ok(())
}

#[test]
fn cm4_explain_lists_what_is_asked_for_counts() -> Result<()> {
    let mut sim = run(&[compared()], 0.0);
    sim.advance(Duration::from_secs(12));
    let snap = sim.snapshot().context("there is a Canary")?;
    let text = serin::explain::told(&snap, sim.clock());
    let asked = text.lines().filter(|line| line.starts_with("asks: ")).collect::<Vec<_>>();
    let counts = asked
        .iter()
        .any(|line| line.contains(": counts of request-success-rate from ") && line.contains("serin_count"));
    ensure!(counts, "{text}");
    Ok(())
}
