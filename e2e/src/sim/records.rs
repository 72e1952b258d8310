//! Records of runs in a model: what the operator remembers between its writes of them, and what must hold of them once
//! nothing is left to do.

use std::collections::BTreeMap;

use serde_json::Value;
use serin::{
    api::{CanaryRun, CanaryRunStatus, RunPhase, canary_run::Evidence},
    plan::Plan,
    snapshot::{CANARY_RUN, Records},
};

use super::{Sim, world::World};

/// Most records that are kept where the Canary does not say.
const KEPT: usize = 10;

impl Sim {
    /// What the planner is shown of records beside the objects.
    pub(super) fn records(&self) -> Records {
        let known = !self.world.missing_kinds.contains(&CANARY_RUN.crd());
        Records { known, unwritten: self.unwritten.clone(), ..Records::default() }
    }

    /// After a plan whose decision stands: what it has not written is kept.
    pub(super) fn remember(&mut self, plan: &Plan, reached: bool) {
        let written = plan.records() && reached;
        self.unwritten = if written { Evidence::default() } else { plan.unrecorded.clone() };
    }

    /// What is wrong with the records while nothing is left to do.
    pub(super) fn check_records(&mut self) {
        let closed = closed(&self.world);
        let changed = self.closed.iter().filter(|(name, was)| closed.get(*name).is_some_and(|is| is != *was));
        let mut wrong: Vec<String> =
            changed.map(|(name, _)| format!("{name} was closed, and changed")).collect();
        let status = self.world.status();
        let open = status.run.map(|run| run.number).filter(|n| *n > 0);
        let all: Vec<CanaryRun> = records(&self.world).collect();
        let deleted =
            self.world.canary.as_ref().is_none_or(|c| !c["metadata"]["deletionTimestamp"].is_null());
        if let Some(number) =
            open.filter(|n| self.records().known && !all.iter().any(|r| r.spec.number == *n))
        {
            wrong.push(format!("run {number} has no record"));
        }
        for run in all.iter().filter(|run| Some(run.spec.number) != open) {
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
        self.observer.violations.extend(wrong.into_iter().map(|text| format!("records: {text}")));
    }
}

fn records(world: &World) -> impl Iterator<Item = CanaryRun> {
    world.objects.of(CANARY_RUN).filter_map(|o| serde_json::from_value(o.clone()).ok())
}

fn phase(run: &CanaryRun) -> RunPhase {
    run.status.as_ref().map(|s| s.phase).unwrap_or_default()
}

fn closed(world: &World) -> BTreeMap<String, Value> {
    let all = world.objects.of(CANARY_RUN);
    let ended = all.filter(|o| {
        let status = serde_json::from_value::<CanaryRunStatus>(o["status"].clone()).unwrap_or_default();
        status.phase.ended()
    });
    let named =
        |o: &Value| (o["metadata"]["name"].as_str().unwrap_or_default().to_owned(), o["status"].clone());
    ended.map(named).collect()
}
