//! What a tool sees if it reads a Canary right after it has changed the Canary together with its target.

use std::time::Duration;

use serde_json::json;
use serin::{
    names::conditions,
    plan::{self, Plan},
    snapshot::{DEPLOYMENT, ObjectRef},
};

use crate::{fixture, sim::Sim};

/// The decision if the current spec was first seen this long ago.
fn decide(sim: &Sim, ago: Duration) -> Plan {
    let mut snap = sim.snapshot().unwrap();
    snap.edited = Some(crate::time::earlier(sim.now, ago));
    let answers = sim.answer(&plan::questions(&snap, sim.now));
    plan::decide(&snap, &answers, sim.now)
}

/// The generation that a tool finds in the status after this plan.
fn observed(sim: &Sim, plan: &Plan) -> Option<i64> {
    let status = plan.status.clone().unwrap_or_else(|| sim.world.status());
    status.observed_generation
}

fn edit(sim: &mut Sim) -> (Option<i64>, Option<i64>) {
    let before = sim.world.status().observed_generation;
    sim.world.edit_canary(&json!({"spec": {"release": "next"}}));
    let after = sim.snapshot().unwrap().canary.metadata.generation;
    assert_ne!(before, after);
    (before, after)
}

const MOMENT: Duration = Duration::from_millis(300);
const LATER: Duration = Duration::from_secs(2);

#[test]
fn ch24_a_failed_release_is_not_told_of_the_next_before_its_target_was_seen() {
    let mut sim = fixture::initialised(&json!({"analysis": {"threshold": 1}}));
    sim.readings.insert("request-success-rate".into(), serin::analysis::Reading::Values(vec![50.0]));
    fixture::set_image(&mut sim, "podinfo:2");
    sim.advance(Duration::from_secs(60));
    assert_eq!(sim.world.status().phase, Some(serin::api::Phase::Failed), "{}", sim.log.join("\n"));
    let (before, after) = edit(&mut sim);
    assert_eq!(
        observed(&sim, &decide(&sim, MOMENT)),
        before,
        "a tool would take the old failure for the new one"
    );
    assert_eq!(observed(&sim, &decide(&sim, LATER)), after);
    // the target was also seen: the failure is over
    fixture::set_image(&mut sim, "podinfo:1");
    let set_back = decide(&sim, MOMENT).status.unwrap();
    assert!(set_back.conditions.iter().all(|c| c.type_ != conditions::STALLED), "{:?}", set_back.conditions);
}

/// Whether the plan reports that the Canary is not accepted.
fn refuses(plan: &Plan) -> bool {
    let all = plan.status.iter().flat_map(|status| &status.conditions);
    all.into_iter().any(|c| c.type_ == conditions::ACCEPTED && c.status == "False")
}

#[test]
fn ch24_a_refusal_is_not_told_of_an_edit_before_what_it_refers_to_was_seen() {
    // between runs and during a run, an edit announces a change of the target that arrives through another watch
    for run in [false, true] {
        let mut sim = fixture::initialised(&json!({}));
        if run {
            fixture::set_image(&mut sim, "podinfo:2");
            sim.advance(Duration::from_secs(5));
            assert_eq!(sim.world.status().phase, Some(serin::api::Phase::Progressing));
        }
        let before = sim.world.status().observed_generation;
        let metric = json!({"name": "mine", "templateRef": {"name": "mine"}});
        sim.world.edit_canary(&json!({"spec": {"analysis": {"metrics": [metric]}}}));
        let after = sim.snapshot().unwrap().canary.metadata.generation;
        let refused = decide(&sim, MOMENT);
        assert!(refuses(&refused), "{:?}", refused.status);
        assert_eq!(observed(&sim, &refused), before, "run: {run}");
        assert_eq!(observed(&sim, &decide(&sim, LATER)), after, "run: {run}");
    }
}

#[test]
fn ch24_a_canary_without_its_target_is_not_told_of_an_edit_before_the_target_was_seen() {
    let mut sim = fixture::initialised(&json!({}));
    sim.world.objects.remove(&ObjectRef::new(DEPLOYMENT, "podinfo"));
    sim.advance(Duration::from_secs(30));
    let (before, after) = edit(&mut sim);
    assert_eq!(observed(&sim, &decide(&sim, MOMENT)), before);
    assert_eq!(observed(&sim, &decide(&sim, LATER)), after);
}

#[test]
fn r14_k5_a_suspended_canary_follows_its_edits() {
    let mut sim = fixture::initialised(&json!({}));
    sim.world.edit_canary(&json!({"spec": {"suspend": true}}));
    sim.advance(Duration::from_secs(30));
    let (before, after) = edit(&mut sim);
    assert_eq!(observed(&sim, &decide(&sim, MOMENT)), before);
    assert_eq!(observed(&sim, &decide(&sim, LATER)), after);
}
