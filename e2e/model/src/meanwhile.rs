//! Answers take time: events during the wait count.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use serin::{
    analysis::Reading,
    api::Phase,
    snapshot::{CONFIG_MAP, DEPLOYMENT, ObjectRef},
};

use crate::{fixture, pods::Mode, sim::Sim};

/// A run with a confirmed first step, whose first window ends in less than an interval.
fn running(spec: &serde_json::Value) -> Sim {
    let mut sim = fixture::initialised(spec);
    fixture::set_image(&mut sim, "podinfo:2");
    sim.advance(Duration::from_secs(1));
    sim
}

#[test]
fn c9_pods_that_go_while_metrics_are_asked_get_no_more_traffic() -> Result<()> {
    let mut sim = running(&json!({}));
    sim.log.clear();
    sim.asking = Duration::from_secs(4);
    sim.meanwhile = Some(("podinfo".into(), Mode::Vanish));
    sim.advance(Duration::from_secs(20));
    let log = sim.log.join("\n");
    ensure!(log.contains("podinfo-canary 0"), "the traffic goes to the primary: {log}");
    ensure!(!log.contains("podinfo-canary 40"), "the weight rose onto pods that were gone: {log}");
    sim.verdict().map_err(anyhow::Error::msg)
}

#[test]
fn webhooks_that_take_longer_than_an_interval_do_not_wait_for_each_other_without_end() -> Result<()> {
    let hook =
        |name: &str, kind: &str| json!({"name": name, "type": kind, "url": "http://h/", "timeout": "1m"});
    let confirming = [hook("load", "rollout"), hook("up", "confirm-traffic-increase")];
    for other in [hook("smoke", "pre-rollout"), hook("stop", "rollback")] {
        let hooks = [&[other][..], &confirming].concat();
        let mut sim = fixture::initialised(&json!({"analysis": {"interval": "30s", "webhooks": hooks}}));
        sim.refusals.insert("stop".into(), "no".into());
        sim.calling = Duration::from_secs(45);
        fixture::set_image(&mut sim, "podinfo:2");
        sim.advance(Duration::from_secs(1800));
        ensure!(sim.world.status().phase == Some(Phase::Succeeded), "{}", sim.log.join("\n"));
        sim.verdict().map_err(anyhow::Error::msg)?;
    }
    Ok(())
}

#[test]
fn b2_a_metric_that_becomes_due_while_others_are_asked_does_not_cost_their_answers() -> Result<()> {
    let metrics = json!([
        {"name": "request-success-rate", "thresholdRange": {"min": 99}},
        {"name": "request-duration", "thresholdRange": {"max": 500}, "period": "5s"},
    ]);
    let mut sim = running(&json!({"analysis": {"metrics": metrics}}));
    sim.readings.insert("request-success-rate".into(), Reading::Values(vec![50.0]));
    sim.asking = Duration::from_secs(2);
    sim.advance(Duration::from_secs(13));
    let asked = sim.log.iter().filter(|line| line.contains("ask    request-success-rate")).count();
    let failed = sim.world.status().failed_checks;
    ensure!((asked, failed) == (1, 1), "{asked} {failed}\n{}", sim.log.join("\n"));
    sim.verdict().map_err(anyhow::Error::msg)
}

#[test]
fn c30_a_limited_server_is_left_alone_although_errors_are_counted() -> Result<()> {
    let metric = json!({
        "name": "request-success-rate", "thresholdRange": {"min": 99}, "period": "5s", "consecutiveErrorLimit": 100,
    });
    let mut sim = running(&json!({"analysis": {"metrics": [metric]}}));
    sim.readings.insert("request-success-rate".into(), Reading::Failed("asked too often".into()));
    sim.limited.insert("request-success-rate".into(), Duration::from_secs(300));
    sim.log.clear();
    sim.advance(Duration::from_secs(299));
    let asked = sim.log.iter().filter(|line| line.contains("ask    request-success-rate")).count();
    ensure!(asked == 1, "{asked}\n{}", sim.log.join("\n"));
    sim.advance(Duration::from_secs(30));
    let asked = sim.log.iter().filter(|line| line.contains("ask    request-success-rate")).count();
    ensure!(asked == 2, "{asked}\n{}", sim.log.join("\n"));
    sim.verdict().map_err(anyhow::Error::msg)
}

/// A run whose built-in check is asked of the Canary's own server, and another metric of a vendor's, which has no answer.
fn with_a_vendor(more: &serde_json::Value) -> Sim {
    let mut quota = json!({"name": "quota", "templateRef": {"name": "quota"}, "thresholdRange": {"max": 1}});
    json_patch::merge(&mut quota, more);
    let metrics = json!([{"name": "request-success-rate", "thresholdRange": {"min": 99}}, quota]);
    let mut world = fixture::world(&json!({"analysis": {"metrics": metrics}}));
    let provider = json!({"type": "prometheus", "address": "http://vendor:9090"});
    let template = serde_json::from_value(json!({"provider": provider, "query": "up"})).unwrap();
    world.templates.insert("test/quota".into(), template);
    let mut sim = Sim::new(world, "podinfo");
    sim.advance(Duration::from_secs(30));
    fixture::set_image(&mut sim, "podinfo:2");
    sim.advance(Duration::from_secs(1));
    sim.readings.insert("quota".into(), Reading::Failed("asked too often".into()));
    sim
}

#[test]
fn c30_other_checks_are_judged_while_a_limited_server_is_left_alone() -> Result<()> {
    let mut sim = with_a_vendor(&json!({}));
    sim.limited.insert("quota".into(), Duration::from_secs(3600));
    sim.advance(Duration::from_secs(10));
    sim.readings.insert("request-success-rate".into(), Reading::Values(vec![50.0]));
    sim.advance(Duration::from_secs(70));
    let log = sim.log.join("\n");
    ensure!(log.matches("ask    quota").count() == 1, "{log}");
    ensure!(sim.world.status().phase == Some(serin::api::Phase::Failed), "{log}");
    sim.verdict().map_err(anyhow::Error::msg)
}

#[test]
fn c30_a_limited_server_counts_no_more_errors_than_a_window_has() -> Result<()> {
    let mut sim = with_a_vendor(&json!({"period": "1s", "consecutiveErrorLimit": 100}));
    sim.limited.insert("quota".into(), Duration::from_secs(300));
    sim.advance(Duration::from_secs(100));
    let errors = sim.world.status().metrics[1].errors_in_row;
    ensure!((5..=11).contains(&errors), "{errors}\n{}", sim.log.join("\n"));
    sim.verdict().map_err(anyhow::Error::msg)
}

#[test]
fn c30_contents_are_read_while_a_limited_server_is_left_alone() -> Result<()> {
    let env = json!({"spec": {"template": {"spec": {"containers": [{
        "name": "podinfod", "image": "podinfo:2", "envFrom": [{"configMapRef": {"name": "settings"}}],
        "ports": [{"name": "http", "containerPort": 9898}],
    }]}}}});
    let mut sim = with_a_vendor(&json!({}));
    sim.limited.insert("quota".into(), Duration::from_secs(3600));
    sim.advance(Duration::from_secs(20));
    let settings = json!({"metadata": {"name": "settings"}, "data": {"a": "b"}});
    sim.world.put(CONFIG_MAP, settings, sim.now);
    sim.world.edit(&ObjectRef::new(DEPLOYMENT, "podinfo"), &env);
    sim.look();
    sim.log.clear();
    sim.advance(Duration::from_secs(10));
    ensure!(sim.log.iter().any(|line| line.starts_with("read ")), "{}", sim.log.join("\n"));
    sim.verdict().map_err(anyhow::Error::msg)
}
