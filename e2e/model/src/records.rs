//! Records of runs in a model: the operator's memory between its writes of them, and the invariants that hold once
//! nothing is left to do.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use serin::{
    api::{CanaryRun, CanaryRunStatus, RunPhase},
    plan::Plan,
    snapshot::{CANARY_RUN, Evidence, Records},
};

use jiff::Timestamp;

use crate::{time::later, world::World};

/// The default number of records to keep.
const KEPT: usize = 10;
/// How long a record waits for webhooks that report the end of its run.
const TOLD_WITHIN: Duration = Duration::from_secs(60);

/// A model's memory of records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// Findings that are not in a record yet.
    unwritten: Evidence,
    /// Closed records in their final state.
    closed: BTreeMap<String, Value>,
}

impl Kept {
    /// The records were deleted with their Canary. The records of the next one may have the same names.
    pub(crate) fn gone(&mut self) {
        self.closed.clear();
    }

    /// The operator died.
    pub(crate) fn forget(&mut self) {
        self.unwritten = Evidence::default();
    }

    /// The planner's input about records in addition to the objects.
    pub(crate) fn records(&self, world: &World) -> Records {
        let known = !world.missing_kinds.contains(&CANARY_RUN.crd());
        Records { known, unwritten: self.unwritten.clone(), ..Records::default() }
    }

    /// Called after a plan that was executed: keeps everything that it did not write.
    pub(crate) fn remember(&mut self, plan: &Plan, reached: bool) {
        let written = plan.records() && reached;
        self.unwritten = if written { Evidence::default() } else { plan.unrecorded.clone() };
    }

    /// Problems with the records while nothing is left to do.
    pub(crate) fn wrong(&mut self, world: &World, now: Timestamp) -> Vec<String> {
        let closed = closed(world);
        let changed = self.closed.iter().filter(|(name, was)| closed.get(*name).is_some_and(|is| is != *was));
        let mut wrong: Vec<String> =
            changed.map(|(name, _)| format!("{name} was closed, and changed")).collect();
        let status = world.status();
        let open = status.run.map(|run| run.number).filter(|n| *n > 0);
        let all: Vec<CanaryRun> = records(world).collect();
        let deleted = world.canary.as_ref().is_none_or(|c| !c["metadata"]["deletionTimestamp"].is_null());
        if let Some(number) =
            open.filter(|n| self.records(world).known && !all.iter().any(|r| r.spec.number == *n))
        {
            wrong.push(format!("run {number} has no record"));
        }
        let told = status
            .last_run
            .as_ref()
            .filter(|last| status.post_rollout_due && now < later(last.ended.0, TOLD_WITHIN));
        let told = told.map(|last| last.number);
        let over = |run: &&CanaryRun| Some(run.spec.number) != open && Some(run.spec.number) != told;
        for run in all.iter().filter(over) {
            let phase = phase(run);
            if !phase.ended() && !deleted {
                wrong
                    .push(format!("the record of run {} is {phase:?}, and the run is over", run.spec.number));
            }
            let last = status.last_run.as_ref().filter(|last| last.number == run.spec.number);
            if let Some(last) = last.filter(|last| last.outcome != phase) {
                wrong
                    .push(format!("run {} ended {:?}, its record says {phase:?}", last.number, last.outcome));
            }
        }
        if all.len() > KEPT {
            wrong.push(format!("{} records are kept", all.len()));
        }
        self.closed = closed;
        wrong.into_iter().map(|text| format!("records: {text}")).collect()
    }
}

fn records(world: &World) -> impl Iterator<Item = CanaryRun> {
    let own = world.objects.of(CANARY_RUN).filter(|object| world.owns(object));
    own.filter_map(|o| serde_json::from_value(o.clone()).ok())
}

fn phase(run: &CanaryRun) -> RunPhase {
    run.status.as_ref().map(|s| s.phase).unwrap_or_default()
}

fn closed(world: &World) -> BTreeMap<String, Value> {
    let all = world.objects.of(CANARY_RUN).filter(|object| world.owns(object));
    let ended = all.filter(|o| {
        let status = serde_json::from_value::<CanaryRunStatus>(o["status"].clone()).unwrap_or_default();
        status.phase.ended()
    });
    let named =
        |o: &Value| (o["metadata"]["name"].as_str().unwrap_or_default().to_owned(), o["status"].clone());
    ended.map(named).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use serin::{
        api::{MetricRange, canary_run::HookCall},
        names::conditions,
        plan::{self, Answers, Wake},
        snapshot::{ObjectRef, Snapshot},
    };

    use super::*;
    use crate::{fixture, sim::Sim};

    /// A run whose record somebody has deleted, and a time at which it may be written again.
    fn unwritten() -> (Sim, Snapshot, jiff::Timestamp) {
        let mut sim = fixture::initialised(&serde_json::json!({}));
        fixture::set_image(&mut sim, "podinfo:2");
        sim.settle();
        sim.world.objects.remove(&ObjectRef::new(CANARY_RUN, "podinfo-2"));
        let mut snap = sim.snapshot().unwrap();
        let later = later(sim.now, Duration::from_secs(1));
        snap.records.not_before = Some(later);
        (sim, snap, later)
    }

    #[test]
    fn limits_plan_and_next_look_are_told_as_numbers() {
        let latency = json!({"name": "request-duration", "thresholdRange": {"max": 500}, "period": "4s"});
        let errors = json!({"name": "request-success-rate", "thresholdRange": {"min": 99}});
        let steps = json!([{"weight": 10}, {"weight": 50, "gate": {}}, {"weight": 100, "hold": "1m"}]);
        let analysis = json!({
            "stepWeight": null, "maxWeight": null, "steps": steps, "threshold": 2, "metrics": [errors, latency],
        });
        let mut sim = fixture::initialised(&json!({"analysis": analysis}));
        fixture::set_image(&mut sim, "podinfo:2");
        sim.advance(Duration::from_secs(1));
        let begun = sim.world.status();
        let at = begun.step.and_then(|step| step.confirmed).unwrap().0;
        assert_eq!(
            begun.next_check.unwrap().0,
            later(at, Duration::from_secs(4)),
            "the metric with its own pace"
        );
        sim.advance(Duration::from_secs(12));
        let status = sim.world.status();
        let told: Vec<_> = status.metrics.iter().map(|m| (m.unit.as_str(), m.range.unwrap())).collect();
        let range = |min, max| MetricRange { min, max };
        assert_eq!(told, [("%", range(Some(99.0), None)), ("ms", range(None, Some(500.0)))]);
        let run = records(&sim.world).next().unwrap();
        let planned: Vec<_> = run.spec.schedule.iter().map(|s| (s.weight, s.gated, s.hold_seconds)).collect();
        assert_eq!(planned, [(10, false, None), (50, true, None), (100, false, Some(60))]);
        assert_eq!((run.spec.interval_seconds, run.spec.threshold), (Some(10), Some(2)));
        let metrics = run.status.unwrap().metrics;
        assert!(metrics.iter().all(|m| m.range.is_some() && !m.unit.is_empty()), "{metrics:?}");
        fixture::set_image(&mut sim, "podinfo:1");
        sim.advance(Duration::from_secs(30));
        assert_eq!(sim.world.status().next_check, None, "nothing is looked at once the run is over");
    }

    #[test]
    fn a_record_that_is_refused_is_said_and_holds_nothing_up() {
        let mut sim = fixture::initialised(&serde_json::json!({}));
        fixture::set_image(&mut sim, "podinfo:2");
        let mut snap = sim.snapshot().unwrap();
        snap.records.refused = Some("no right to".into());
        snap.records.not_before = Some(later(sim.now, Duration::from_secs(5)));
        let plan = plan::decide(&snap, &Answers::default(), sim.now);
        assert!(!plan.records(), "{:?}", plan.actions);
        let status = plan.status.unwrap();
        let said = status.conditions.iter().find(|c| c.type_ == conditions::RECORDED).unwrap();
        assert_eq!((said.status.as_str(), said.reason.as_str()), ("False", "HistoryRefused"));
        assert!(said.message.contains("no right to") && status.run.is_some(), "{said:?}");
    }

    #[test]
    fn the_next_try_is_woken_for_and_made() {
        let (sim, snap, later) = unwritten();
        let plan = plan::decide(&snap, &Answers::default(), sim.now);
        assert!(plan.is_empty() && plan.wake == Wake::At(later), "{plan:?}");
        assert!(plan::decide(&snap, &Answers::default(), later).records());
    }

    #[test]
    fn what_is_found_out_is_kept_until_it_is_written() {
        let (sim, mut snap, _) = unwritten();
        let due = later(sim.now, Duration::from_secs(10));
        snap.records.not_before = Some(later(due, Duration::from_secs(60)));
        let answers = sim.answer(&plan::questions(&snap, due));
        let plan = plan::decide(&snap, &answers, due);
        assert_eq!(plan.unrecorded.measurements.len(), 1, "{plan:?}");
        // the list of records may also be unknown
        snap.records.known = false;
        assert_eq!(plan::decide(&snap, &answers, due).unrecorded, plan.unrecorded);
    }

    /// A model with webhooks before, during and after runs.
    fn hooked() -> Sim {
        let hook = |type_: &str| json!({"name": type_, "type": type_, "url": format!("http://h/{type_}")});
        let hooks = ["confirm-rollout", "rollout", "post-rollout"].map(hook);
        fixture::initialised(&json!({"analysis": {"webhooks": hooks}}))
    }

    fn status(sim: &Sim, name: &str) -> CanaryRunStatus {
        let live = sim.world.objects.get(CANARY_RUN, name).unwrap();
        serde_json::from_value(live["status"].clone()).unwrap()
    }

    /// The calls in a record: type, outcome, step, status and count.
    fn calls(sim: &Sim, name: &str) -> Vec<String> {
        let line = |h: &HookCall| {
            assert!(h.url.ends_with(&h.type_) && h.asked.is_some() && h.asked <= h.at, "{h:?}");
            let status = h.status.unwrap_or_default();
            format!("{} {} {} {status} {}", h.type_, h.outcome, h.step, h.times.unwrap_or(1))
        };
        status(sim, name).hooks.iter().map(line).collect()
    }

    #[test]
    fn calls_before_and_after_a_run_are_in_its_record_and_cost_no_write() {
        let mut sim = hooked();
        sim.refusals.insert("confirm-rollout".into(), "not yet".into());
        fixture::set_image(&mut sim, "podinfo:2");
        sim.advance(Duration::from_secs(25));
        sim.refusals.clear();
        sim.advance(Duration::from_secs(120));
        let expected = [
            "confirm-rollout Refused 0 403 3",
            "confirm-rollout Passed 0 200 1",
            "rollout Passed 1 200 1",
            "rollout Passed 2 200 1",
            "post-rollout Passed 0 200 1",
        ];
        assert_eq!(calls(&sim, "podinfo-2"), expected);
        // the same number as without webhooks: start, two steps, end
        assert_eq!(sim.log.iter().filter(|line| line.starts_with("record")).count(), 4, "{:?}", sim.log);
        assert_eq!(status(&sim, "podinfo-2").phase, RunPhase::Promoted);
        sim.verdict().unwrap();
    }

    #[test]
    fn what_was_asked_for_a_revision_that_never_began_is_in_no_record() {
        let mut sim = hooked();
        sim.refusals.insert("confirm-rollout".into(), "not yet".into());
        fixture::set_image(&mut sim, "podinfo:2");
        sim.advance(Duration::from_secs(25));
        sim.refusals.clear();
        fixture::set_image(&mut sim, "podinfo:3");
        sim.advance(Duration::from_secs(120));
        let of = |type_: &str| calls(&sim, "podinfo-2").iter().filter(|c| c.starts_with(type_)).count();
        assert_eq!((of("confirm-rollout"), of("post-rollout")), (1, 1), "{:?}", calls(&sim, "podinfo-2"));
        // also not after webhooks are no longer called
        let mut sim = hooked();
        sim.refusals.insert("confirm-rollout".into(), "not yet".into());
        fixture::set_image(&mut sim, "podinfo:2");
        sim.advance(Duration::from_secs(25));
        sim.world.edit_canary(&json!({"spec": {"analysis": {"webhooks": []}}}));
        fixture::set_image(&mut sim, "podinfo:3");
        sim.advance(Duration::from_secs(120));
        assert_eq!(calls(&sim, "podinfo-2"), Vec::<String>::new());
    }

    #[test]
    fn a_record_does_not_wait_long_for_those_that_are_told_of_its_end() {
        let mut sim = hooked();
        sim.refusals.insert("post-rollout".into(), "hangs".into());
        fixture::set_image(&mut sim, "podinfo:2");
        sim.advance(Duration::from_secs(60));
        let ended = sim.world.status().last_run.unwrap().ended.0;
        assert_eq!(status(&sim, "podinfo-2").phase, RunPhase::Running);
        let left = later(ended, TOLD_WITHIN).duration_since(sim.now);
        sim.advance(Duration::try_from(left).unwrap());
        let closed = status(&sim, "podinfo-2");
        assert_eq!((closed.phase, closed.hooks.len()), (RunPhase::Promoted, 3), "{closed:?}");
        assert_eq!(closed.measurements.len(), 2, "{closed:?}");
        sim.verdict().unwrap();
    }

    #[test]
    fn another_process_counts_on_in_the_ids_of_webhooks() {
        let mut sim = hooked();
        sim.refusals.insert("post-rollout".into(), "hangs".into());
        fixture::set_image(&mut sim, "podinfo:2");
        sim.advance(Duration::from_secs(60));
        sim.away(Duration::from_secs(30));
        sim.advance(Duration::from_secs(5));
        let called = sim.called.iter().filter(|call| call.name == "post-rollout");
        let attempts: Vec<u64> = called.filter_map(|call| call.id.rsplit('/').next()?.parse().ok()).collect();
        assert!(attempts.len() > 5 && attempts.is_sorted(), "{attempts:?}");
    }
}
