//! The planner's properties, one test each, with generated specs and sequences of events. The safety invariants are
//! also checked for every decision and every write of each sequence, so any test can find a violation of any of them.
#![allow(missing_docs, reason = "a test target has no callers")]

mod generated;

use std::time::Duration;

use generated::{
    Event, Scaled, analysis, apex_events, apex_spec, apex_world, beside, calm, events, play, reading, spec,
    two, world_of,
};
use proptest::{prelude::*, test_runner::TestCaseError};
use serde_json::{Value, json};
use serin::{
    analysis::{Doubt, Reading},
    api::Phase,
    plan::{self, Answers, Question, Wake},
    router::{self, Cookies, Split},
    snapshot::{CONFIG_MAP, DEPLOYMENT, ObjectRef, REVISION, SECRET, SERVICE},
    spec::validate,
};
use serin_invariants::schedule::schedule;
use serin_model::{Sim, Trouble, controllers, fixture, pods::Mode, route, sim::MOST_PLANS, time};

/// This many cases, or `PROPTEST_CASES`.
fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok());
    let cases = asked.unwrap_or(usual);
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 100, ..ProptestConfig::default() }
}

fn sound(sim: &Sim) -> Result<(), TestCaseError> {
    sim.verdict().map_err(TestCaseError::fail)
}

/// For a day, nothing is written, reported or queried.
fn quiet_for_a_day(sim: &mut Sim) -> Result<(), TestCaseError> {
    let (plans, asked, said) = (sim.plans, sim.asked, sim.log.len());
    sim.advance(Duration::from_secs(86_400));
    prop_assert_eq!((plans, asked, said), (sim.plans, sim.asked, sim.log.len()), "{}", sim.log.join("\n"));
    sound(sim)
}

fn after(spec: &Value, happened: &[Event]) -> Sim {
    let mut sim = Sim::new(world_of(spec), "podinfo");
    sim.advance(Duration::from_secs(20));
    for event in happened {
        play(&mut sim, event);
    }
    sim
}

fn weight(sim: &Sim) -> i64 {
    route::weight_of(&sim.world, sim.names(), &sim.names().canary_service)
}

fn replicas(sim: &Sim, name: &str) -> i64 {
    sim.world.objects.get(DEPLOYMENT, name).map_or(-1, serin::manifest::replicas)
}

/// A model with a run at a step whose window has just ended.
fn at_the_end_of_a_window(spec: &Value, windows: u32) -> Sim {
    let mut sim = fixture::initialised(spec);
    fixture::set_image(&mut sim, "podinfo:2");
    sim.settle();
    for _ in 0..windows {
        let Wake::At(at) = sim.wake() else { break };
        sim.now = at;
        sim.settle();
    }
    if let Wake::At(at) = sim.wake() {
        sim.now = at;
    }
    sim
}

proptest! {
    #![proptest_config(cases(24))]

    /// The invariants S1 to S13, as far as objects show them, at every write of every sequence.
    #[test]
    fn whatever_happens_no_invariant_is_broken(spec in spec(), happened in events(24)) {
        sound(&after(&spec, &happened))?;
    }

    /// The same with edits of the fields that determine objects, refusals, reverted writes, downtime and Canaries that
    /// are created again. After all disturbances end, every run ends. `make soak` runs many more cases.
    #[test]
    fn whatever_is_edited_dies_or_is_refused_every_run_ends(spec in spec(), happened in generated::hostile(20)) {
        let mut sim = after(&spec, &happened);
        generated::all_is_well(&mut sim);
        sim.advance(Duration::from_secs(4 * 3600));
        sound(&sim)?;
        let status = sim.world.status();
        let accepted = status.conditions.iter().all(|c| c.type_ != "Accepted" || c.status == "True" || c.reason == "FieldInUse");
        prop_assert!(!accepted || status.run.is_none(), "liveness: the run does not end, phase {:?}\n{}", status.phase, sim.log.join("\n"));
    }

    /// The same with an apex Service that moves users. With shares of pods, no pods are missing.
    #[test]
    fn an_apex_that_moves_users_breaks_no_invariant(spec in apex_spec(), replicas in 1i64..12, happened in apex_events(24)) {
        let mut sim = Sim::new(apex_world(&spec, replicas), "podinfo");
        sim.advance(Duration::from_secs(20));
        for event in &happened {
            play(&mut sim, event);
        }
        sound(&sim)?;
    }

    /// The run has the same result wherever it is interrupted: promoted, with as many pods as before, after a request
    /// if one is needed.
    #[test]
    fn an_apex_that_moves_users_is_crash_safe(spec in apex_spec(), replicas in 1i64..12, at in 0usize..40, writes in 0usize..4, end in 0u8..4) {
        let run = |trouble: Option<(usize, Trouble)>| {
            let mut sim = Sim::new(apex_world(&spec, replicas), "podinfo");
            sim.trouble_at = trouble;
            sim.advance(Duration::from_secs(20));
            fixture::set_image(&mut sim, "podinfo:2");
            sim.advance(Duration::from_secs(if end < 2 { 45 } else { 300 }));
            match end {
                0 => sim.world.delete_canary(sim.now),
                1 => fixture::set_image(&mut sim, "podinfo:1"),
                2 => generated::happen(&mut sim, &Event::Request("promote/1")),
                _ => fixture::set_image(&mut sim, "podinfo:3"),
            }
            sim.advance(Duration::from_secs(300));
            sim
        };
        let (whole, cut) = (run(None), run(Some((at, Trouble::CrashAfter(writes)))));
        sound(&cut)?;
        prop_assert_eq!(generated::end_of(&whole), generated::end_of(&cut), "{}\n\ncut:\n{}", whole.log.join("\n"), cut.log.join("\n"));
        let serving = if end == 0 { "podinfo" } else { "podinfo-primary" };
        prop_assert!(end == 3 || self::replicas(&whole, serving) == replicas, "{}", whole.log.join("\n"));
    }

    /// A primary that is scaled to 0 at any moment of a run, alone or together with the target, has all its pods at the end.
    #[test]
    fn k3_an_apex_that_moves_users_gets_all_pods_of_its_primary_back(spec in apex_spec(), replicas in 1i64..12, at in 0u64..40, both in any::<bool>()) {
        let mut sim = Sim::new(apex_world(&spec, replicas), "podinfo");
        sim.advance(Duration::from_secs(20));
        fixture::set_image(&mut sim, "podinfo:2");
        sim.advance(Duration::from_secs(at));
        if sim.world.status().run.is_none() {
            return Ok(());
        }
        let off = if both { Scaled::Off } else { Scaled::PrimaryReplicas(0) };
        generated::happen(&mut sim, &Event::Scaled(off));
        sim.advance(Duration::from_secs(300));
        generated::happen(&mut sim, &Event::Request("promote/1"));
        sim.advance(Duration::from_secs(600));
        sound(&sim)?;
        prop_assert!(sim.world.status().run.is_none(), "{}", sim.log.join("\n"));
        prop_assert_eq!(self::replicas(&sim, "podinfo-primary"), replicas, "{}", sim.log.join("\n"));
    }

    /// Between runs such a Canary also costs nothing, nor does one that waits without users on the new version.
    #[test]
    fn an_apex_that_moves_users_is_quiet(spec in apex_spec(), ended in any::<bool>()) {
        let mut sim = Sim::new(apex_world(&spec, 5), "podinfo");
        sim.advance(Duration::from_secs(20));
        fixture::set_image(&mut sim, "podinfo:2");
        sim.advance(Duration::from_secs(600));
        if ended {
            generated::happen(&mut sim, &Event::Request("promote/1"));
            sim.advance(Duration::from_secs(600));
        }
        // users on the new version are measured as long as they are there
        prop_assume!(ended || sim.world.status().step.is_none_or(|s| s.weight == 0));
        // later than the one reminder of a gate
        sim.advance(Duration::from_secs(7200));
        quiet_for_a_day(&mut sim)?;
    }

    /// Property 1. A plan may request another one, so this tests that a bounded chain of plans ends in an empty plan,
    /// and that plans then stay empty at the same time.
    #[test]
    fn settles(spec in spec(), happened in events(10)) {
        let mut sim = after(&spec, &happened);
        sim.trouble = None;
        sim.settle();
        for _ in 0..3 {
            prop_assert!(!sim.step(), "{}", sim.log.join("\n"));
        }
        sound(&sim)?;
    }

    /// Property 2, and P8 for one direction: at most one step is taken at one time of the clock, however far it was set
    /// forward.
    #[test]
    fn one_step_per_interval(spec in spec(), ahead in 0u64..100_000, passes in 1usize..4) {
        let mut sim = at_the_end_of_a_window(&spec, 0);
        let before = sim.world.status().step.map_or(0, |s| s.index);
        sim.now = time::later(sim.now, Duration::from_secs(ahead));
        sim.observer.clock_was_set();
        for _ in 0..passes {
            sim.settle();
        }
        let after = sim.world.status().step.map_or(0, |s| s.index);
        prop_assert!(after <= before + 1, "{before} → {after}\n{}", sim.log.join("\n"));
        sound(&sim)?;
    }

    /// P8: a clock that moves backwards changes nothing.
    #[test]
    fn a_clock_set_back_moves_nothing(spec in spec(), back in 1i64..100_000) {
        let mut sim = at_the_end_of_a_window(&spec, 0);
        let weight_before = weight(&sim);
        sim.now = sim.now.checked_sub(jiff::SignedDuration::from_secs(back + 3600)).unwrap_or(sim.now);
        sim.settle();
        prop_assert_eq!(weight(&sim), weight_before, "{}", sim.log.join("\n"));
    }

    /// Property 3, for the router of the models. `router::conformance` tests it for all of them.
    #[test]
    fn conserves_traffic(spec in spec(), wanted in -50i32..200) {
        let sim = fixture::initialised(&spec);
        let snap = sim.snapshot().unwrap();
        let c = validate(&snap.canary, &snap.rules).unwrap();
        let router = router::by_name(&c.provider).unwrap();
        let split = Split::to_canary(wanted);
        prop_assert_eq!(split.canary() + split.primary(), 100);
        let mut live = snap.objects.clone();
        for manifest in router.render(&c, &live, split, &Cookies::default()).unwrap() {
            live.insert(manifest.kind, manifest.to_create());
        }
        prop_assert_eq!(router.read_back(&c, &live).ok(), Some(split));
    }

    /// Property 4 and P6: with any answer other than good values, the weight does not rise and nothing is promoted.
    #[test]
    fn never_rises_on_bad_news(spec in spec(), windows in 0u32..3, bad in generated::bad_reading()) {
        let mut sim = at_the_end_of_a_window(&spec, windows);
        prop_assume!(sim.world.status().phase == Some(Phase::Progressing));
        let snap = sim.snapshot().unwrap();
        let questions = plan::questions(&snap, sim.now);
        prop_assume!(!questions.is_empty());
        let before = (weight(&sim), sim.world.status().step.map(|s| s.index));
        let mut answers = sim.answer(&questions);
        let last = answers.readings.len() - 1;
        match bad {
            Some(bad) => { answers.readings.insert(last, bad); }
            None => { answers.readings.remove(&last); }
        }
        let plan = plan::decide(&snap, &answers, sim.now);
        let status = plan.status.clone().unwrap_or_else(|| sim.world.status());
        prop_assert!(status.phase != Some(Phase::Promoting));
        sim.carry_out(&snap, &plan);
        prop_assert!(weight(&sim) <= before.0 && sim.world.status().step.map(|s| s.index) <= before.1);
    }

    /// Property 5 and P10, with an independent calculation of the order of weights: all of them are used, in order,
    /// each at most the listed one, and none twice for one position in the list. Property 15: so a list with decreasing
    /// and equal weights also ends.
    #[test]
    fn bounded_and_step_by_index(analysis in analysis()) {
        let mut sim = fixture::initialised(&json!({"analysis": analysis}));
        let snap = sim.snapshot().unwrap();
        let weights = schedule(&serde_json::to_value(&*snap.canary).unwrap());
        fixture::set_image(&mut sim, "podinfo:2");
        let mut seen = vec![];
        sim.settle();
        for _ in 0..weights.len() * 2 + 120 {
            let status = sim.world.status();
            let step = status.step.clone().unwrap_or_default();
            if status.phase == Some(Phase::Progressing) {
                prop_assert_eq!(i64::from(step.weight), weight(&sim));
                seen.push((step.index, step.weight));
            }
            let Wake::At(at) = sim.wake() else { break };
            sim.now = at;
            sim.settle();
        }
        seen.dedup();
        let listed: Vec<(i32, i32)> = (1..).zip(weights.into_iter().map(|weight| weight as i32)).collect();
        prop_assert_eq!(seen, listed, "{}", sim.log.join("\n"));
        prop_assert_eq!(sim.world.status().phase, Some(Phase::Succeeded));
        sound(&sim)?;
    }

    /// Property 6: pods of either side come and go at any time of a run.
    #[test]
    fn no_traffic_to_the_unready(spec in spec(), happened in proptest::collection::vec(generated::about_pods(), 1..16)) {
        let mut sim = fixture::initialised(&spec);
        fixture::set_image(&mut sim, "podinfo:2");
        for event in &happened {
            play(&mut sim, event);
            sound(&sim)?;
        }
    }

    /// Property 7: a run with only failures ends in Failed with weight 0 and no pods, and the weight drops in the pass
    /// that reaches the threshold.
    #[test]
    fn rolls_back(mut spec in spec(), windows in 0u32..3, silent in any::<bool>()) {
        spec["skipAnalysis"] = Value::Null;
        let mut sim = at_the_end_of_a_window(&spec, windows);
        prop_assume!(sim.world.status().phase == Some(Phase::Progressing));
        let snap = sim.snapshot().unwrap();
        let c = validate(&snap.canary, &snap.rules).unwrap();
        prop_assume!(!c.metrics.is_empty());
        let bad = if silent { Reading::Values(vec![]) } else { Reading::Values(vec![-1.0]) };
        for metric in &c.metrics {
            sim.readings.insert(metric.name.clone(), bad.clone());
        }
        for check in 1..=c.threshold {
            sim.settle();
            prop_assert_eq!(sim.world.status().failed_checks, check, "{}", sim.log.join("\n"));
            if check < c.threshold {
                sim.now = time::later(sim.now, c.interval);
            }
        }
        prop_assert_eq!(weight(&sim), 0);
        sim.advance(Duration::from_secs(60));
        prop_assert_eq!(sim.world.status().phase, Some(Phase::Failed));
        prop_assert_eq!((weight(&sim), replicas(&sim, "podinfo")), (0, 0));
        sound(&sim)?;
    }

    /// Property 7, second part: missing answers of any duration change neither the weight nor the failed checks.
    #[test]
    fn a_silent_server_never_rolls_back(spec in spec(), windows in 0u32..3, minutes in 1u64..40) {
        let mut sim = at_the_end_of_a_window(&spec, windows);
        let before = sim.world.status();
        prop_assume!(before.phase == Some(Phase::Progressing) && !plan::questions(&sim.snapshot().unwrap(), sim.now).is_empty());
        for metric in ["request-success-rate", "error-rate"] {
            sim.readings.insert(metric.into(), Reading::Failed("timed out".into()));
        }
        sim.advance(Duration::from_secs(60 * minutes));
        let now = sim.world.status();
        prop_assert_eq!((now.phase, now.step, now.failed_checks), (before.phase, before.step, before.failed_checks));
        sound(&sim)?;
    }

    /// Property 8: the first plan after a change of the target sets the weight to 0, even if other work is due.
    #[test]
    fn a_new_revision_restarts(spec in spec(), windows in 0u32..3, image in 1u8..4, answer in reading()) {
        let mut sim = at_the_end_of_a_window(&spec, windows);
        prop_assume!(sim.world.status().phase == Some(Phase::Progressing));
        fixture::set_image(&mut sim, &format!("podinfo:{}", if image == 2 { 9 } else { image }));
        sim.readings.insert("request-success-rate".into(), answer);
        sim.step();
        prop_assert_eq!(weight(&sim), 0, "{}", sim.log.join("\n"));
        prop_assert_eq!(sim.asked, at_the_end_of_a_window(&spec, windows).asked, "asks before it restarts");
        controllers::play(&mut sim.pods, &mut sim.world, sim.now);
        sim.advance(Duration::from_secs(1));
        sound(&sim)?;
    }

    /// Property 9. A webhook that refuses or does not answer blocks the run at its place.
    #[test]
    fn gates_gate(kind in "(confirm-rollout|pre-rollout|rollout|confirm-traffic-increase|confirm-promotion)?", hangs in any::<bool>(), happened in events(10)) {
        let mut sim = fixture::initialised(&json!({"analysis": {"webhooks": [{"name": "ask", "type": kind, "url": "http://x/"}]}}));
        sim.refusals.insert("ask".into(), if hangs { "hangs" } else { "no" }.into());
        let most = match kind.as_str() {
            // a check judges the first step
            "" | "rollout" => 20,
            "confirm-promotion" => 100,
            _ => 0,
        };
        fixture::set_image(&mut sim, "podinfo:2");
        // whoever asks for `finish` promotes without the rest of the analysis
        let edits = |e: &&Event| !matches!(e, Event::Ask("finish", _) | Event::Spec(_) | Event::Image(_) | Event::Weights(_) | Event::Recreate(_) | Event::Delete(_) | Event::Pods(..) | Event::Scaled(Scaled::PrimaryReplicas(_)));
        for event in happened.iter().filter(edits) {
            play(&mut sim, event);
            prop_assert!(weight(&sim) <= most);
            prop_assert!(!matches!(sim.world.status().phase, Some(Phase::Promoting | Phase::Succeeded)));
        }
        sound(&sim)?;
    }

    /// Property 10: a suspended Canary keeps all objects, unless a rollback had started or the Canary is deleted.
    #[test]
    fn suspended_means_untouched(spec in spec(), before in events(8), during in events(8)) {
        let mut sim = after(&spec, &before);
        let ended = |sim: &Sim| sim.world.status().run.is_some_and(|r| r.ending.is_some());
        prop_assume!(sim.world.canary.as_ref().is_some_and(|c| c["metadata"]["deletionTimestamp"].is_null()) && !ended(&sim));
        sim.trouble = None;
        play(&mut sim, &Event::Suspend(true));
        for event in during.iter().filter(|e| !matches!(e, Event::Suspend(_) | Event::Delete(_) | Event::Spec(_))) {
            let mut ours = sim.clone();
            generated::happen(&mut ours, event);
            let objects = ours.world.objects.clone();
            while ours.step() {}
            prop_assert!(objects == ours.world.objects, "{}", ours.log.join("\n"));
            sim = ours;
            controllers::play(&mut sim.pods, &mut sim.world, sim.now);
        }
        sound(&sim)?;
    }

    /// Property 11 and P3, P4: a run that is interrupted at any write of any plan has the same result.
    #[test]
    fn crash_safe(spec in spec(), happened in calm(8), at in 0usize..40, writes in 0usize..6, end in 0u8..3) {
        let run = |trouble: Option<(usize, Trouble)>| {
            let mut sim = Sim::new(world_of(&spec), "podinfo");
            sim.trouble_at = trouble;
            sim.advance(Duration::from_secs(15));
            for event in &happened {
                generated::happen(&mut sim, event);
            }
            if end == 0 {
                sim.world.delete_canary(sim.now);
            }
            sim.advance(Duration::from_secs(30));
            sim
        };
        let (whole, cut) = (run(None), run(Some((at, Trouble::CrashAfter(writes)))));
        sound(&cut)?;
        prop_assert_eq!(generated::end_of(&whole), generated::end_of(&cut), "{}\n\ncut:\n{}", whole.log.join("\n"), cut.log.join("\n"));
    }

    /// P5: a plan from before a change of the world is refused, or does no harm.
    #[test]
    fn a_stale_plan_does_no_harm(spec in spec(), before in events(6), between in events(3)) {
        let mut sim = after(&spec, &before);
        let Some(snap) = sim.snapshot() else { return Ok(()) };
        let answers = sim.answer(&plan::questions(&snap, sim.now));
        let stale = plan::decide(&snap, &answers, sim.now);
        for event in &between {
            play(&mut sim, event);
        }
        let held = sim.observer.clone();
        sim.trouble = None;
        sim.carry_out(&snap, &stale);
        sim.observer = held;
        sim.advance(Duration::from_secs(60));
        let settled = sim.clone();
        sound(&settled)?;
    }

    /// Property 12 and P1: for any stored data, a plan is made and nothing panics. The invariants are not checked here.
    #[test]
    fn total(spec in generated::any_spec(), status in generated::any_status(), happened in events(4), broken in generated::broken()) {
        let mut world = world_of(&spec);
        if let Some(canary) = &mut world.canary {
            canary["status"] = status;
        }
        let mut sim = Sim::new(world, "podinfo");
        sim.observer.lenient = true;
        if let Some((at, patch)) = broken {
            sim.world.edit(&at, &patch);
        }
        for _ in 0..MOST_PLANS {
            if !sim.step() { break; }
            controllers::play(&mut sim.pods, &mut sim.world, sim.now);
        }
        for event in &happened {
            generated::happen(&mut sim, event);
            for _ in 0..6 {
                sim.step();
                controllers::play(&mut sim.pods, &mut sim.world, sim.now);
            }
        }
    }

    /// Property 13 and P13, S12, L5: a Canary that is deleted in any state goes away, users are served at every write
    /// (checked by the observer), and then the target serves alone, or the generated objects continue to serve.
    #[test]
    fn the_finalizer_restores(spec in spec(), happened in calm(10), revert in proptest::option::of(any::<bool>())) {
        let mut sim = Sim::new(world_of(&spec), "podinfo");
        for event in &happened {
            play(&mut sim, event);
        }
        sim.pods.modes.clear();
        sim.world.edit_canary(&json!({"spec": {"revertOnDeletion": revert, "suspend": null}}));
        sim.world.delete_canary(sim.now);
        sim.advance(Duration::from_secs(120));
        prop_assert!(sim.world.canary.is_none(), "{}", sim.log.join("\n"));
        let names = sim.names().clone();
        let serving = |service: &str| route::ready(&sim.world, &sim.pods, service);
        let made = sim.world.objects.get(DEPLOYMENT, &names.primary).is_some();
        if revert == Some(false) {
            // a Canary that was not yet initialised has no apex: the target serves as before
            let apex = sim.world.objects.get(SERVICE, &names.apex).is_some();
            prop_assert!(!apex && replicas(&sim, "podinfo") > 0 || serving(&names.apex) > 0);
        } else {
            prop_assert!(!made && sim.world.objects.of(REVISION).next().is_none(), "{}", sim.log.join("\n"));
            let copy = |o: &Value| o["metadata"]["name"].as_str().is_some_and(|n| n.contains("-primary-"));
            let copies = [CONFIG_MAP, SECRET].into_iter().flat_map(|kind| sim.world.objects.of(kind));
            prop_assert_eq!(copies.filter(|o| copy(o)).count(), 0, "{}", sim.log.join("\n"));
            prop_assert!(replicas(&sim, "podinfo") > 0);
            let left: Vec<_> = sim.world.objects.of(SERVICE).map(|s| s["metadata"]["name"].clone()).collect();
            prop_assert!(left.iter().all(|n| n == "podinfo"), "{left:?}");
            prop_assert_eq!(route::to_nobody(&sim.world, &sim.pods, &names), 0);
        }
        sound(&sim)?;
    }

    /// Property 14, S15: after a run, nothing is written, reported or queried for a day.
    #[test]
    fn quiet(spec in spec(), happened in calm(8)) {
        let mut sim = fixture::initialised(&spec);
        for event in &happened {
            play(&mut sim, event);
        }
        sim.pods.modes.clear();
        sim.readings.clear();
        sim.trouble = None;
        sim.advance(Duration::from_secs(7200));
        quiet_for_a_day(&mut sim)?;
    }

    /// P7: without metrics a ready revision continues, as in Flagger, and a condition reports that nothing is checked.
    #[test]
    fn an_empty_list_of_metrics_advances_but_not_silently(step in 1i32..101) {
        let mut sim = fixture::initialised(&json!({"analysis": {"metrics": null, "stepWeight": step}}));
        fixture::set_image(&mut sim, "podinfo:2");
        sim.advance(Duration::from_secs(20 + 10 * 100));
        prop_assert_eq!(sim.world.status().phase, Some(Phase::Succeeded));
        prop_assert!(sim.world.status().conditions.iter().any(|c| c.type_ == "Advisory" && c.message.contains("metrics")));
        sound(&sim)?;
    }

    /// P9: an ending in the status, a reached threshold, or a target that is set back lead to weight 0 in the next
    /// plan.
    #[test]
    fn rollback_dominates(spec in spec(), windows in 0u32..3, way in 0u8..3, answer in reading()) {
        let mut sim = at_the_end_of_a_window(&spec, windows);
        prop_assume!(sim.world.status().phase == Some(Phase::Progressing));
        let metrics = validate(&sim.snapshot().unwrap().canary, &sim.world.rules).unwrap().metrics.len();
        match way {
            0 => fixture::set_image(&mut sim, "podinfo:1"),
            1 => {
                let ending = json!({"kind": "RollingBack", "reason": "X", "message": "y", "at": "2026-01-01T00:00:00.000000Z"});
                sim.world.edit_canary(&json!({"status": {"run": {"ending": ending}}}));
            }
            _ => {
                prop_assume!(metrics > 0);
                sim.world.edit_canary(&json!({"status": {"failedChecks": 1_000_000}}));
                for metric in ["request-success-rate", "error-rate"] {
                    sim.readings.insert(metric.into(), Reading::Values(vec![-1.0]));
                }
            }
        }
        if way < 2 {
            sim.readings.insert("request-success-rate".into(), answer);
        }
        sim.step();
        prop_assert_eq!(weight(&sim), 0, "{}", sim.log.join("\n"));
    }

    /// P11: after an edit of the analysis during a run, no weight exceeds both schedules.
    #[test]
    fn an_edited_analysis_raises_nothing_beyond_both(old in analysis(), new in analysis(), windows in 0u32..3) {
        let most = |a: &Value| {
            schedule(&fixture::canary(&json!({"analysis": a}))).into_iter().max().unwrap_or(0)
        };
        let limit = most(&old).max(most(&new));
        let mut sim = at_the_end_of_a_window(&json!({"analysis": old}), windows);
        sim.observer.decisions.spec_edited = true;
        let clean = json!({"stepWeight": null, "stepWeights": null, "maxWeight": null});
        sim.world.edit_canary(&json!({"spec": {"analysis": clean}}));
        sim.world.edit_canary(&json!({"spec": {"analysis": new}}));
        for _ in 0..20 {
            sim.settle();
            if sim.world.status().phase == Some(Phase::Progressing) {
                prop_assert!(weight(&sim) <= limit);
            }
            let Wake::At(at) = sim.wake() else { break };
            sim.now = at;
        }
        sound(&sim)?;
    }

    /// P14: data from another version in the status does no harm, and the status is read back as it was written.
    #[test]
    fn a_status_of_another_version_is_understood(spec in spec(), happened in calm(6), key in "[a-z]{3,8}Zz", value in 0i64..9) {
        let mut sim = after(&spec, &happened);
        let status = sim.world.status();
        let text = serde_json::to_value(&status).unwrap();
        prop_assert_eq!(serde_json::from_value::<serin::api::CanaryStatus>(text).unwrap(), status);
        let before = plan::decide(&sim.snapshot().unwrap(), &Answers::default(), sim.now);
        sim.world.edit_canary(&json!({"status": {key: value}}));
        prop_assert_eq!(before, plan::decide(&sim.snapshot().unwrap(), &Answers::default(), sim.now));
    }

    /// F55: good values in doubt raise no weight and count for nothing, but bad values count as always.
    #[test]
    fn values_in_doubt_raise_nothing(values in proptest::collection::vec(generated::value(), 0..4), early: bool) {
        let mut sim = at_the_end_of_a_window(&json!({}), 0);
        let good = !values.is_empty() && values.iter().all(|v| v.is_finite() && *v >= 99.0);
        let doubt = if early { Doubt::Early } else { Doubt::Reset };
        sim.readings.insert("request-success-rate".into(), Reading::Doubted { values, doubt });
        let before = sim.world.status();
        sim.settle();
        let now = sim.world.status();
        prop_assert_eq!(now.step.as_ref().map(|s| s.index), before.step.as_ref().map(|s| s.index));
        prop_assert_eq!(now.failed_checks, i32::from(!good));
        sound(&sim)?;
    }

    /// P15: through the planner: a window passes only if every value of every check is finite and in its range.
    #[test]
    fn only_good_values_pass(values in proptest::collection::vec(generated::value(), 0..4)) {
        let mut sim = at_the_end_of_a_window(&json!({}), 0);
        let good = !values.is_empty() && values.iter().all(|v| v.is_finite() && *v >= 99.0);
        sim.readings.insert("request-success-rate".into(), Reading::Values(values));
        let before = sim.world.status();
        sim.settle();
        let now = sim.world.status();
        prop_assert_eq!(now.step.as_ref().map(|s| s.index) > before.step.as_ref().map(|s| s.index), good);
        prop_assert_eq!(now.failed_checks, i32::from(!good));
        sound(&sim)?;
    }
}

/// With `--no-cross-namespace-refs`, queries also do not read from another namespace.
#[test]
fn a_query_that_reads_in_another_namespace_is_refused_where_references_must_not_cross() {
    for (kind, foreign, own) in [
        ("keptn", "keptnmetric/other/errors", "keptnmetric/test/errors"),
        ("externalmetrics", "errors", "test/errors?labelSelector=a%2Fb"),
    ] {
        let template = |query: &str| {
            serde_json::from_value(json!({"provider": {"type": kind}, "query": query})).unwrap()
        };
        let mut sim = at_the_end_of_a_window(&json!({}), 0);
        sim.world.rules.no_cross_namespace_refs = true;
        let metric = json!({"name": "mine", "templateRef": {"name": "mine"}, "thresholdRange": {"max": 5}});
        sim.world.edit_canary(&json!({"spec": {"analysis": {"metrics": [metric]}}}));
        let mut accepted = |query: &str| {
            sim.world.templates.insert("test/mine".into(), template(query));
            sim.settle();
            let status = sim.world.status();
            status
                .conditions
                .iter()
                .find(|c| c.type_ == "Accepted")
                .map(|c| (c.reason.clone(), c.message.clone()))
        };
        let (reason, message) = accepted(foreign).unwrap();
        assert_eq!(reason, "CrossNamespace");
        assert!(message.contains("metrics[mine]: its query reads in the namespace "), "{message}");
        assert_ne!(accepted(own).unwrap().0, "CrossNamespace", "{kind}");
    }
}

/// The condition `Accepted`: its reason and message.
fn accepted(sim: &Sim) -> (String, String) {
    let status = sim.world.status();
    let found = status.conditions.iter().find(|c| c.type_ == "Accepted");
    found.map(|c| (c.reason.clone(), c.message.clone())).unwrap_or_default()
}

/// Every pass checks whether a MetricTemplate can be used by the Canary, also during a run.
#[test]
fn f5_a_template_that_its_owner_no_longer_lends_holds_the_run() {
    let template = |allowed: Value| {
        let provider = json!({"type": "prometheus", "address": "http://prometheus.monitoring:9090"});
        let mut spec = json!({"provider": provider, "query": "up"});
        if !allowed.is_null() {
            spec["allowedNamespaces"] = allowed;
        }
        serde_json::from_value(spec).unwrap()
    };
    let mut sim = at_the_end_of_a_window(&json!({}), 0);
    let lent = json!({"name": "errors", "namespace": "monitoring"});
    let metric = json!({"name": "mine", "templateRef": lent, "thresholdRange": {"max": 5}});
    sim.world.edit_canary(&json!({"spec": {"analysis": {"metrics": [metric]}}}));
    for (strict, allowed, reason) in [
        (false, Value::Null, "Accepted"),
        (false, json!([]), "NotAllowed"),
        (false, json!(["test"]), "Accepted"),
        (false, json!(["tes", "other-*"]), "NotAllowed"),
        (true, Value::Null, "NotAllowed"),
        (true, json!(["t*"]), "Accepted"),
    ] {
        sim.world.rules.strict = strict;
        sim.world.templates.insert("monitoring/errors".into(), template(allowed.clone()));
        let step = sim.world.status().step.map(|step| (step.index, step.weight));
        sim.settle();
        let (said, message) = accepted(&sim);
        assert_eq!(said, reason, "strict {strict}, {allowed}: {message}");
        if reason == "NotAllowed" {
            assert!(
                message.contains("MetricTemplate monitoring/errors does not serve namespace test"),
                "{message}"
            );
            let asks =
                |question: &Question| matches!(question, Question::Measure { .. } | Question::Ping { .. });
            assert!(!plan::questions(&sim.snapshot().unwrap(), sim.now).iter().any(asks), "nobody is asked");
            assert_eq!(
                sim.world.status().step.map(|step| (step.index, step.weight)),
                step,
                "no weight moves"
            );
        }
    }
}

/// Nothing is written for a host or a gateway that the namespace may not use.
#[test]
fn f7_a_route_is_not_made_for_what_may_not_be_claimed() {
    for (service, field) in [
        (json!({"hosts": ["pay.example.com"]}), "spec.service.hosts: pay.example.com"),
        (json!({"gateways": ["istio-system/shared"]}), "spec.service.gateways: istio-system/shared"),
    ] {
        let mut sim = fixture::initialised(&json!({}));
        sim.world.rules.strict = true;
        let before = sim.world.objects.clone();
        sim.world.edit_canary(&json!({"spec": {"service": service}}));
        sim.settle();
        let (reason, message) = accepted(&sim);
        assert_eq!(reason, "ClaimNotAllowed");
        assert!(message.starts_with(field), "{message}");
        assert_eq!(sim.world.objects, before, "nothing is written");
    }
}

/// With `--kubeconfig-service-mesh`, routes in this cluster lead nobody: no run may be decided by them.
#[test]
fn nothing_is_decided_while_the_mesh_reads_another_cluster() {
    let primary = |sim: &Sim| sim.world.objects.get(DEPLOYMENT, "podinfo-primary").cloned();
    for at in 0..2 {
        let mut sim =
            if at == 0 { fixture::initialised(&json!({})) } else { at_the_end_of_a_window(&json!({}), 1) };
        sim.world.rules.remote_mesh = true;
        let (objects, weight_before, served) = (sim.world.objects.clone(), weight(&sim), primary(&sim));
        sim.settle();
        let (reason, message) = accepted(&sim);
        assert_eq!(reason, "NotYetServed");
        assert!(message.contains("--kubeconfig-service-mesh") && message.contains("istio"), "{message}");
        assert_eq!(sim.world.objects, objects, "nothing is written");
        assert!(plan::questions(&sim.snapshot().unwrap(), sim.now).is_empty(), "nobody is asked");
        fixture::set_image(&mut sim, "podinfo:3");
        sim.advance(Duration::from_secs(3600));
        assert_eq!((weight(&sim), primary(&sim)), (weight_before, served), "nothing is released");
        // taken away, the run goes on
        let mut back = sim.clone();
        back.world.rules.remote_mesh = false;
        back.advance(Duration::from_secs(3600));
        assert_eq!(accepted(&back).0, "Accepted");
        assert_ne!(primary(&back), primary(&sim), "{}", back.log.join("\n"));
        // a deleted one leaves what serves users
        sim.world.delete_canary(sim.now);
        sim.advance(Duration::from_secs(3600));
        assert!(sim.world.canary.is_none(), "it is held");
        assert_eq!((weight(&sim), primary(&sim).is_some()), (weight_before, true));
        assert!(sim.log.iter().any(|line| line.contains("LeftRunning")), "{}", sim.log.join("\n"));
    }
    let iterations = json!({"iterations": 2, "stepWeight": null, "maxWeight": null});
    let mut sim = fixture::initialised(&json!({"provider": "kubernetes", "analysis": iterations}));
    sim.world.rules.remote_mesh = true;
    sim.settle();
    assert_eq!(accepted(&sim).0, "Accepted", "what Flagger writes beside the target");
}

/// P16 follows from the types: a plan is made from one Snapshot. The test checks that it is a function of the Snapshot.
#[test]
fn the_same_snapshot_gives_the_same_plan() {
    let sim = at_the_end_of_a_window(&json!({}), 1);
    let snap = sim.snapshot().unwrap();
    let questions: Vec<Question> = plan::questions(&snap, sim.now);
    let answers = sim.answer(&questions);
    assert_eq!(
        plan::decide(&snap, &answers, sim.now),
        plan::decide(&snap.clone(), &answers.clone(), sim.now)
    );
    assert_eq!(plan::begin(&snap, sim.now), Err(questions));
    let rests = sim.now.checked_sub(jiff::SignedDuration::from_secs(1)).unwrap();
    assert_eq!(plan::begin(&snap, rests), Ok(plan::decide(&snap, &Answers::default(), rests)));
}

/// A rollback waits for no metrics server.
#[test]
fn an_abort_queries_nothing() {
    let mut sim = at_the_end_of_a_window(&json!({}), 1);
    assert!(plan::begin(&sim.snapshot().unwrap(), sim.now).is_err(), "a window has ended");
    let revision = sim.world.status().last_applied_spec;
    let abort =
        |revision: &Option<String>| json!({"id": "1", "verb": "abort", "revision": revision}).to_string();
    let annotated = |request| json!({"metadata": {"annotations": {"serin.dev/request": request}}});
    sim.world.edit_canary(&annotated(abort(&Some("another".into()))));
    assert!(plan::begin(&sim.snapshot().unwrap(), sim.now).is_err(), "it will be refused");
    sim.world.edit_canary(&annotated(abort(&revision)));
    let plan = plan::begin(&sim.snapshot().unwrap(), sim.now);
    assert!(plan.as_ref().is_ok_and(|plan| plan.urgent), "{plan:?}");
}

#[test]
fn a_rollback_webhook_that_says_yes_ends_a_run_without_a_query() {
    let hook = json!({"name": "back", "type": "rollback", "url": "http://hooks.test/"});
    let mut sim = fixture::initialised(&json!({"analysis": {"webhooks": [hook]}}));
    sim.refusals.insert("back".into(), "no".into());
    fixture::set_image(&mut sim, "podinfo:2");
    sim.settle();
    for _ in 0..20 {
        let mut snap = sim.snapshot().unwrap();
        if !snap.heard.is_empty() && plan::begin(&snap, sim.now).is_err() {
            for round in snap.heard.values_mut() {
                round.at = sim.now;
                round.said.iter_mut().for_each(|said| said.answer = Ok(()));
            }
            let plan = plan::begin(&snap, sim.now);
            assert!(plan.as_ref().is_ok_and(|plan| plan.urgent), "{plan:?}");
            return;
        }
        sim.settle();
        let Wake::At(at) = sim.wake() else { break };
        sim.now = at;
    }
    panic!("no window has ended\n{}", sim.log.join("\n"));
}

/// A passed deadline ends a run, at every place that waits for pods.
#[test]
fn a_deadline_ends_a_run() {
    for mode in [Mode::Never, Mode::Vanish, Mode::Unseen] {
        let mut sim = fixture::initialised(&json!({}));
        sim.pods.modes.insert("podinfo".into(), mode);
        fixture::set_image(&mut sim, "podinfo:2");
        sim.advance(Duration::from_secs(100));
        assert_eq!(sim.world.status().phase, Some(Phase::Failed), "{mode:?}\n{}", sim.log.join("\n"));
        assert_eq!((weight(&sim), replicas(&sim, "podinfo")), (0, 0));
        sim.verdict().unwrap();
    }
}

/// With shares of pods a primary that gets its former template back is updated by the target's present strategy, although
/// that template was promoted with another one.
#[test]
fn c8_shares_are_undone_by_the_strategy_of_the_target() {
    let steps = json!({"stepWeight": null, "maxWeight": null, "steps": [{"weight": 50}]});
    let spec = json!({"provider": "kubernetes", "progressDeadlineSeconds": 60, "analysis": steps});
    let mut world = apex_world(&spec, 4);
    let target = ObjectRef::new(DEPLOYMENT, "podinfo");
    world.edit(&target, &json!({"spec": {"strategy": {"type": "Recreate"}}}));
    let mut sim = Sim::new(world, "podinfo");
    sim.advance(Duration::from_secs(20));
    sim.world.edit(&target, &json!({"spec": {"strategy": {"type": "RollingUpdate"}}}));
    fixture::set_image(&mut sim, "podinfo:2");
    sim.advance(Duration::from_secs(5));
    sim.pods.modes.insert("podinfo-primary".into(), Mode::Never);
    sim.advance(Duration::from_secs(30));
    assert_eq!(sim.world.status().phase, Some(Phase::Promoting), "{}", sim.log.join("\n"));
    sim.advance(Duration::from_secs(60));
    let primary = sim.world.workload("podinfo-primary").unwrap();
    let container = &primary["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "podinfo:1", "{}", sim.log.join("\n"));
    assert_eq!(primary["spec"]["strategy"]["type"], "RollingUpdate", "{}", sim.log.join("\n"));
    sim.verdict().unwrap();
}

/// A target that was created again with another uid and another template is a new revision. With the promoted template
/// it is not.
#[test]
fn a_target_made_anew_is_judged_by_its_template() {
    for (image, phase) in [("podinfo:1", Phase::Initialized), ("podinfo:2", Phase::Progressing)] {
        let mut sim = fixture::initialised(&json!({}));
        sim.world.objects.remove(&ObjectRef::new(DEPLOYMENT, "podinfo"));
        sim.world.put(DEPLOYMENT, fixture::target(image), sim.now);
        sim.look();
        sim.settle();
        assert_eq!(sim.world.status().phase, Some(phase), "{}", sim.log.join("\n"));
    }
}

/// Contents that change between the decision to promote and the copy are analysed before the primary gets them.
#[test]
fn a_content_that_changes_before_it_is_copied_is_not_promoted() {
    for writes in 0..3 {
        let mut sim = after(&json!({}), &[Event::Config(2), Event::Pass(15)]);
        let Wake::At(at) = sim.wake() else { panic!("no window is open") };
        sim.now = at;
        sim.trouble = Some(Trouble::CrashAfter(writes));
        sim.step();
        generated::happen(&mut sim, &Event::Config(3));
        sim.settle();
        let status = sim.world.status();
        assert_eq!(weight(&sim), 0, "{}", sim.log.join("\n"));
        assert_ne!(status.phase, Some(Phase::Succeeded), "after {writes} writes\n{}", sim.log.join("\n"));
        sim.advance(Duration::from_secs(120));
        assert_eq!(sim.world.status().phase, Some(Phase::Succeeded), "{}", sim.log.join("\n"));
        let copies: Vec<_> = sim.world.objects.of(CONFIG_MAP).map(|c| c["data"]["f"].clone()).collect();
        assert_eq!(copies, ["3", "3"], "after {writes} writes\n{}", sim.log.join("\n"));
        sim.verdict().unwrap();
    }
}

/// Tracked configuration costs nothing between runs and after a restart of the operator.
#[test]
fn a_content_is_read_once_per_version() {
    let mut sim = after(&json!({}), &[]);
    let asked = sim.asked;
    for _ in 0..5 {
        sim.advance(Duration::from_secs(3600));
    }
    assert_eq!(sim.asked, asked, "{}", sim.log.join("\n"));
    sim.world.edit(&ObjectRef::new(CONFIG_MAP, "cm"), &json!({"metadata": {"labels": {"a": "b"}}}));
    sim.advance(Duration::from_secs(3600));
    assert_eq!((sim.asked, sim.world.status().phase), (asked + 1, Some(Phase::Initialized)));
    sim.verdict().unwrap();
}

/// The flag disables all of it, and changing the flag starts no run.
#[test]
fn following_contents_can_be_turned_off_and_on() {
    let mut sim = after(&json!({}), &[]);
    for on in [false, true, false] {
        sim.world.rules.config_tracking = on;
        sim.advance(Duration::from_secs(60));
        let target = ObjectRef::new(DEPLOYMENT, "podinfo");
        sim.world.edit(&target, &json!({"spec": {"revisionHistoryLimit": i64::from(on)}}));
        sim.advance(Duration::from_secs(60));
        assert_eq!(sim.world.status().phase, Some(Phase::Initialized), "{on}\n{}", sim.log.join("\n"));
    }
    play(&mut sim, &Event::Config(2));
    sim.advance(Duration::from_secs(60));
    assert_eq!(sim.world.status().phase, Some(Phase::Initialized), "{}", sim.log.join("\n"));
    sim.verdict().unwrap();

    let mut world = world_of(&json!({}));
    world.rules.config_tracking = false;
    let mut sim = Sim::new(world, "podinfo");
    sim.observer.lenient = true;
    sim.advance(Duration::from_secs(20));
    sim.world.rules.config_tracking = true;
    sim.advance(Duration::from_secs(60));
    assert_eq!(sim.world.status().phase, Some(Phase::Initialized), "{}", sim.log.join("\n"));
    play(&mut sim, &Event::Config(2));
    assert_eq!(sim.world.status().phase, Some(Phase::Progressing), "{}", sim.log.join("\n"));
}

proptest! {
    #![proptest_config(cases(16))]

    /// The safety invariants for two Canaries in one namespace whose names may collide: neither writes the other's
    /// objects, and every run ends.
    #[test]
    fn whatever_happens_to_two_canaries_none_touches_the_other(two in two(), happened in beside(16)) {
        let mut all = two;
        all.advance(Duration::from_secs(20));
        for event in &happened {
            event.happen(&mut all);
        }
        all.all_is_well();
        all.advance(Duration::from_secs(4 * 3600));
        all.verdict().map_err(TestCaseError::fail)?;
        for which in 0..all.len() {
            let sim = all.sim(which);
            let status = sim.world.status();
            let accepted = status.conditions.iter().all(|c| c.type_ != "Accepted" || c.status == "True" || c.reason == "FieldInUse");
            prop_assert!(!accepted || status.run.is_none(), "{which}: {:?}\n{}", status.phase, sim.log.join("\n"));
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    /// P6 with all options for verdicts: a worse answer (pass, no data, error, failure) never leads to a higher weight
    /// than a better one, with any earlier counts.
    #[test]
    fn a_worse_answer_raises_nothing(
        spec in generated::judged_spec(), before in generated::badness(), now in (0usize..4, 0usize..4),
        which in 0usize..2, worse in 1usize..4, nan in any::<bool>(),
    ) {
        let mut sim = judged(&spec, &before);
        prop_assume!(matches!(sim.world.status().phase, Some(Phase::Progressing | Phase::Waiting)));
        let snap = sim.snapshot().unwrap();
        let questions = plan::questions(&snap, sim.now);
        let name = ["error-rate", "latency"][which];
        sim.readings.insert("error-rate".into(), generated::answer(now.0, nan));
        sim.readings.insert("latency".into(), generated::answer(now.1, nan));
        let better = plan::decide(&snap, &sim.answer(&questions), sim.now);
        let badness = [now.0, now.1][which].max(worse);
        sim.readings.insert(name.into(), generated::answer(badness, nan));
        let worse = plan::decide(&snap, &sim.answer(&questions), sim.now);
        let place = |plan: &plan::Plan| {
            let status = plan.status.clone().unwrap_or_else(|| sim.world.status());
            let promoted = status.phase == Some(Phase::Promoting);
            (promoted, status.step.map_or((0, 0), |s| (s.index, s.weight)))
        };
        let stays = sim.world.status().step.map_or((0, 0), |s| (s.index, s.weight));
        let (a, b) = (place(&better), place(&worse));
        prop_assert!(!b.0 || a.0, "promoted by the worse answer\n{}", sim.log.join("\n"));
        prop_assert!(b.1 <= a.1.max(stays) || b.1.1 <= stays.1, "{a:?} → {b:?}\n{}", sim.log.join("\n"));
    }

    /// Such specs violate no invariant, settle and end: promoted if all readings are good.
    #[test]
    fn verdicts_of_all_kinds_break_no_invariant(spec in generated::judged_spec(), before in generated::badness(), happened in events(12)) {
        let mut sim = judged(&spec, &before);
        for event in &happened {
            play(&mut sim, event);
        }
        sound(&sim)?;
        let mut well = judged(&spec, &[]);
        well.advance(Duration::from_secs(3600));
        let c = validate(&well.snapshot().unwrap().canary, &well.world.rules).unwrap();
        let late = c.metrics.iter().any(|m| m.verdict.start_at_step.unwrap_or(0) as usize >= c.schedule.len());
        let phase = well.world.status().phase;
        prop_assert_eq!(phase == Some(Phase::Succeeded), !late, "{:?}\n{}", phase, well.log.join("\n"));
        sound(&well)?;
    }
}

/// A run with such a spec after these bad answers, window by window. The clock is at the time of the next answers.
fn judged(spec: &Value, badness: &[(usize, usize)]) -> Sim {
    let mut sim = fixture::initialised(spec);
    generated::all_well(&mut sim);
    // a target that is created again refers to it, and its pods cannot start without it
    generated::happen(&mut sim, &Event::Config(1));
    fixture::set_image(&mut sim, "podinfo:2");
    sim.settle();
    for (a, b) in badness {
        sim.readings.insert("error-rate".into(), generated::answer(*a, false));
        sim.readings.insert("latency".into(), generated::answer(*b, false));
        let Wake::At(at) = sim.wake() else { break };
        sim.now = at;
        sim.settle();
    }
    if let Wake::At(at) = sim.wake() {
        sim.now = at;
    }
    sim
}
