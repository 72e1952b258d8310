//! The record of each run: a CanaryRun, written when the run begins, at each step, and when it ends.
//!
//! Owns which records exist and when they are written. Decides nothing about traffic and is not read by code that does:
//! the outcome of a run is in the Canary's status first, and a record that could not be written then is closed from it
//! later. Records come last in a plan, and their failures disturb nothing else. If webhooks are called at the end of a
//! run, its record is closed when they have answered, so that their answers need no write of their own.

mod findings;
mod outcome;
mod records;
mod retention;

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde_json::{Value, json};

pub(crate) use findings::{called, measured};
use records::{Record, Records};

use crate::{
    api::{
        CanaryRun, CanaryRunSpec, CanaryRunStatus, CanaryStatus, Finish, LastRun, Phase, RunPhase, RunStatus,
        canary_run::{PlannedStep, RunStep},
    },
    clock,
    manifest::{Manifest, json as path},
    names::{self, conditions},
    plan::{
        builder::PlanBuilder,
        context::Context,
        model::{Action, Note},
        observed_target,
    },
    snapshot::{CANARY_RUN, Evidence, ObjectRef, Snapshot},
    spec::{Step, Target, Validated, validate},
};

/// Webhooks that are called at the end of a run have this long to appear in its record.
const TOLD_WITHIN: Duration = Duration::from_secs(60);
/// Default number of records.
const KEPT: i32 = 10;
/// Highest number of a run: JSON readers know integers up to this one.
const HIGHEST: i64 = 1 << 53;
/// Reason of a promotion without analysis: the revision was promoted recently.
pub(crate) const ROLLBACK_WINDOW: &str = "RollbackWindow";
const UNAVAILABLE: &str = "HistoryUnavailable";
const REFUSED: &str = "HistoryRefused";

/// A run that begins with this plan.
pub(crate) fn begun(cx: &Context<'_>, d: &PlanBuilder) -> RunStatus {
    RunStatus {
        started: MicroTime(cx.now),
        number: d.status.epoch,
        replicas: observed_target::wished_replicas(cx),
        taken: None,
        paused: None,
        finish: promoted_before(cx),
        ending: None,
    }
}

/// A recently promoted revision is promoted again without analysis, if the spec allows it.
pub(crate) fn promoted_before(cx: &Context<'_>) -> Option<Finish> {
    let window = usize::try_from(cx.c.analysis.rollback_window.as_ref()?.revisions).ok()?;
    let ago = cx.status().former_specs.iter().take(window).position(|hash| *hash == cx.hash)? + 1;
    let message = format!(
        "promoted without analysis: it was promoted {ago} revisions ago, and analysis.rollbackWindow.revisions is {window}"
    );
    Some(Finish { at: MicroTime(cx.now), reason: ROLLBACK_WINDOW.into(), message })
}

/// The run is promoted without analysis, because the spec asks for that now.
pub(crate) fn skipped(cx: &Context<'_>) -> Finish {
    let message = "promoted without analysis, as spec.skipAnalysis asks for".to_owned();
    Finish { at: MicroTime(cx.now), reason: "AnalysisSkipped".into(), message }
}

/// Updates the records to the status of the plan.
pub(crate) fn record(snap: &Snapshot, d: &mut PlanBuilder, now: Timestamp) {
    let ends = outcome::close(snap, d, now);
    let found = retention::joined(snap.records.unwritten.clone(), std::mem::take(&mut d.evidence));
    let evidence = begun_with(found, &d.status);
    let limit = limit(snap);
    tell(snap, d, limit);
    let runs = RunTransition::of(d, ends, now);
    let awaited = runs.awaits(evidence.run);
    if snap.namespace_terminating || !snap.records.known {
        if awaited {
            d.evidence = evidence;
        }
        return;
    }
    let records = Records::of(snap);
    let mut writes = Writes { actions: vec![], evidence: evidence.clone() };
    if limit > 0 {
        writes.close(snap, &records, &runs);
        writes.open(snap, &records, &runs);
    }
    let told = runs.told_until.filter(|_| limit > 0);
    writes.prune(&records, limit);
    // it is remembered until the write has succeeded, or while there will be one
    if writes.evidence.run != evidence.run || limit > 0 && awaited {
        d.evidence = evidence;
    }
    if let Some(until) = told {
        d.wake_at(until);
    }
    match snap.records.not_before.filter(|until| *until > now && !writes.actions.is_empty()) {
        Some(until) => d.wake_at(until),
        None => writes.actions.into_iter().for_each(|action| d.act(action)),
    }
}

/// The highest number in records of this Canary, or of a former one of its name; 0 without any. Numbers above
/// [`HIGHEST`] do not count.
pub(crate) fn latest(snap: &Snapshot) -> i64 {
    let numbers = snap.objects.of(CANARY_RUN).filter_map(|run| run["spec"]["number"].as_i64());
    numbers.filter(|number| *number <= HIGHEST).max().unwrap_or(0)
}

/// Since when the canary has had requests in this run, by its record. None: it had none, or there is no record.
pub fn exposed_since(snap: &Snapshot, last: &LastRun) -> Option<Timestamp> {
    let record = snap.objects.get(CANARY_RUN, &last.name)?;
    let run: CanaryRun = serde_json::from_value(record.clone()).ok()?;
    let steps = run.status.unwrap_or_default().steps;
    steps.into_iter().find(|step| step.weight > 0)?.at.map(|at| at.0)
}

/// How many records are kept.
fn limit(snap: &Snapshot) -> usize {
    let asked = snap.canary.analysis().and_then(|a| a.history).unwrap_or(KEPT);
    usize::try_from(asked.clamp(0, 100)).unwrap_or(0)
}

/// Number of the run in progress, if it has a record.
fn numbered(status: &CanaryStatus) -> Option<i64> {
    status.run.as_ref().map(|run| run.number).filter(|number| *number > 0)
}

/// The findings, unless they are about a revision that waited for this run while another one has begun it.
fn begun_with(found: Evidence, status: &CanaryStatus) -> Evidence {
    let begun = status.last_applied_spec.as_deref().unwrap_or_default();
    let other = numbered(status) == Some(found.run) && found.revision != begun;
    if other { Evidence::default() } else { found }
}

/// The effect of a plan on the runs of a Canary.
struct RunTransition<'a> {
    before: &'a CanaryStatus,
    after: &'a CanaryStatus,
    /// Number of the current run after the plan is carried out.
    current: Option<i64>,
    /// The current run was already in progress.
    continues: bool,
    /// The last run that ended.
    last: Option<&'a LastRun>,
    /// It ends with this plan.
    ends: bool,
    /// Webhooks are called at its end: until then its record stays open for their answers.
    told_until: Option<Timestamp>,
}

impl<'a> RunTransition<'a> {
    fn of(d: &'a PlanBuilder, ends: bool, now: Timestamp) -> Self {
        let (before, after) = (d.old(), &d.status);
        let (current, last) = (numbered(after), after.last_run.as_ref());
        let until =
            last.filter(|_| after.post_rollout_due).map(|last| clock::after(last.ended.0, TOLD_WITHIN));
        Self {
            before,
            after,
            current,
            continues: current.is_some() && current == numbered(before),
            last,
            ends,
            told_until: until.filter(|until| now < *until),
        }
    }

    /// The last run, if it has this number.
    fn last(&self, number: i64) -> Option<&'a LastRun> {
        self.last.filter(|last| last.number == number)
    }

    /// This run is in progress, waits to begin, or its end is being reported: its findings still have to be written.
    fn awaits(&self, number: i64) -> bool {
        let waits = self.after.run.is_none() && self.after.phase == Some(Phase::Waiting);
        let told = self.told_until.is_some() && self.last(number).is_some();
        self.current == Some(number) || waits && number == self.after.epoch + 1 || told
    }
}

/// Reports once that a run leaves no record; the run continues all the same.
fn tell(snap: &Snapshot, d: &mut PlanBuilder, limit: usize) {
    let undefined = snap.missing_kinds.contains(&CANARY_RUN.crd());
    let problem = if limit == 0 {
        None
    } else if undefined {
        let crd = CANARY_RUN.crd();
        let why = format!(
            "runs leave no record: the CustomResourceDefinition {crd} is missing. Apply crd/canaryruns.yaml, or set spec.analysis.history to 0"
        );
        Some((UNAVAILABLE, why))
    } else {
        snap.records.refused.as_ref().map(|why| (REFUSED, format!("the run leaves no record: {why}")))
    };
    match problem {
        None => drop(d.clear(conditions::RECORDED)),
        Some((reason, why)) => {
            if numbered(&d.status).is_some() && d.condition(conditions::RECORDED, "False", reason, &why) {
                d.say(Note::warning(reason, why));
            }
        }
    }
}

struct Writes {
    actions: Vec<Action>,
    evidence: Evidence,
}

impl Writes {
    /// Closes the records of finished runs, that of the last one once its webhooks have been called. If a run ends with
    /// this plan and has no record, it gets one, unless the Canary is being deleted.
    fn close(&mut self, snap: &Snapshot, records: &Records<'_>, runs: &RunTransition<'_>) {
        for (run, live) in records.open().filter(|(run, _)| runs.current != Some(run.spec.number)) {
            let number = run.spec.number;
            let last = runs.last(number);
            if last.is_some() && runs.told_until.is_some() {
                continue;
            }
            let mut status = run.status.clone().unwrap_or_default();
            outcome::ended(&mut status, number, last);
            self.fill(&mut status, number, runs.after);
            if last.is_some() {
                let hooks = findings::post_rollout_calls(snap);
                retention::add(&mut status, Evidence { run: number, hooks, ..Evidence::default() });
            }
            self.change(live, &status);
        }
        let last = runs.last.filter(|last| runs.ends && !records.has(last.number));
        if let (Some(last), false) = (last, snap.canary.metadata.deletion_timestamp.is_some()) {
            let mut status = CanaryRunStatus::default();
            goes_on(&mut status, runs.before);
            outcome::ended(&mut status, last.number, Some(last));
            self.make(snap, runs.before, last.number, status);
        }
    }

    /// Opens the record of the current run, or updates it. A deleted one is created again, with the remark that
    /// the earlier part is missing. A closed one is left as it is.
    fn open(&mut self, snap: &Snapshot, records: &Records<'_>, runs: &RunTransition<'_>) {
        let Some(number) = runs.current else { return };
        if !records.has(number) {
            let mut status = CanaryRunStatus::default();
            goes_on(&mut status, runs.after);
            status.incomplete = runs.continues && !status.steps.is_empty();
            return self.make(snap, runs.after, number, status);
        }
        for (run, live) in records.open().filter(|(run, _)| run.spec.number == number) {
            let old = run.status.clone().unwrap_or_default();
            let mut status = old.clone();
            goes_on(&mut status, runs.after);
            if (status.phase, status.steps.len()) != (old.phase, old.steps.len()) {
                self.fill(&mut status, number, runs.after);
                self.change(live, &status);
            }
        }
    }

    fn change(&mut self, live: &Value, status: &CanaryRunStatus) {
        let patch = json!({"status": status});
        self.actions.push(Action::patch(at(live), names::managers::RECORD, live, patch));
    }

    fn make(&mut self, snap: &Snapshot, of: &CanaryStatus, number: i64, mut status: CanaryRunStatus) {
        let meta = &snap.canary.metadata;
        let (canary, uid) =
            (meta.name.as_deref().unwrap_or_default(), meta.uid.as_deref().unwrap_or_default());
        self.fill(&mut status, number, of);
        let spec = about(snap, of, number);
        let body = json!({
            "metadata": {"labels": {names::LABEL_CANARY: names::label_value(canary)}},
            "spec": spec, "status": status,
        });
        let name = names::run(canary, number);
        let made = Manifest::new(CANARY_RUN, &name, names::managers::RECORD, &[], body);
        self.actions.push(Action::Create(Box::new(made.owned_by(canary, uid))));
    }

    /// The findings of this run, and the requests during it.
    fn fill(&mut self, status: &mut CanaryRunStatus, number: i64, of: &CanaryStatus) {
        if self.evidence.run == number {
            retention::add(status, std::mem::take(&mut self.evidence));
        }
        let began = of.run.as_ref().filter(|run| run.number == number).map(|run| &run.started);
        let asked = of.request.as_ref().filter(|request| began.is_some_and(|began| request.at >= *began));
        if let Some(request) = asked.filter(|r| !status.requests.iter().any(|known| known.id == r.id)) {
            status.requests.push(request.clone());
        }
        retention::bound(status);
    }

    /// Deletes records beyond the limit, oldest first; an open one stays, unless none are kept.
    fn prune(&mut self, records: &Records<'_>, limit: usize) {
        let made = self.actions.iter().filter(|a| matches!(a, Action::Create(_))).count();
        let excess = (records.0.len() + made).saturating_sub(limit);
        let closed = |record: &Record<'_>| record.open.is_none() || limit == 0;
        let going = |live: &Value| !live["metadata"]["deletionTimestamp"].is_null();
        let old = records.0.iter().filter(|record| closed(record) && !going(record.live));
        self.actions.extend(old.take(excess).map(|record| Action::delete(CANARY_RUN, record.live)));
    }
}

fn at(live: &Value) -> ObjectRef {
    ObjectRef::new(CANARY_RUN, live["metadata"]["name"].as_str().unwrap_or_default())
}

/// The state of the run according to the status.
fn goes_on(record: &mut CanaryRunStatus, status: &CanaryStatus) {
    record.failed_checks = status.failed_checks;
    let ending = status.run.as_ref().and_then(|run| run.ending.as_ref());
    if let Some(ending) = ending {
        record.phase = RunPhase::Ending;
        (record.reason, record.message) = (ending.reason.clone(), retention::short(&ending.message));
        record.decided = Some(ending.at.clone());
        return;
    }
    let waits = matches!(status.phase, Some(Phase::Waiting | Phase::WaitingPromotion));
    record.phase = if waits { RunPhase::Waiting } else { RunPhase::Running };
    // the last step of a promotion is its end
    let taken = status.step.as_ref().filter(|s| s.index > 0 && (s.promotion == 0 || s.weight > 0));
    let Some((step, at)) = taken.and_then(|s| Some((s, s.confirmed.clone()?))) else { return };
    if record.steps.last().and_then(|last| last.at.as_ref()).is_none_or(|last| micros(last) < micros(&at)) {
        record.steps.push(RunStep {
            at: Some(at),
            index: step.index,
            weight: step.weight,
            mirrored: step.mirrored,
            promotion: step.promotion > 0,
        });
    }
}

/// With the precision of the stored form.
fn micros(time: &MicroTime) -> i64 {
    time.0.as_microsecond()
}

/// What a run is about. The target's current content is only used for a revision that it still has.
fn about(snap: &Snapshot, status: &CanaryStatus, number: i64) -> CanaryRunSpec {
    let known = validate(&snap.canary, &snap.rules).ok();
    let kind = Target::named(&snap.canary.spec.target_ref).unwrap_or_default();
    let target = &snap.canary.spec.target_ref.name;
    let images = |name: &str| {
        let live = snap.objects.get(kind.kind(), name);
        let template = live.map(|live| kind.revision(live).into_owned()).unwrap_or_default();
        let containers = path::list(&template["spec"]["containers"]).iter();
        containers.filter_map(|c| c["image"].as_str()).take(20).map(str::to_owned).collect()
    };
    let present = status.run.as_ref().is_some_and(|run| run.number == number && run.ending.is_none());
    let started = status.run.as_ref().map(|run| run.started.clone());
    CanaryRunSpec {
        canary: snap.canary.metadata.name.clone().unwrap_or_default(),
        number,
        started,
        strategy: known.as_ref().map(|c| format!("{:?}", c.strategy)).unwrap_or_default(),
        provider: known.as_ref().map(|c| c.provider.clone()).unwrap_or_default(),
        revision: status.last_applied_spec.clone().unwrap_or_default(),
        images: if present { images(target) } else { vec![] },
        promoted_revision: status.last_promoted_spec.clone().unwrap_or_default(),
        promoted_images: if present { images(&names::primary(target)) } else { vec![] },
        schedule: known.as_ref().map(planned).unwrap_or_default(),
        interval_seconds: known.as_ref().and_then(|c| i64::try_from(c.interval.as_secs()).ok()),
        threshold: known.as_ref().map(|c| c.threshold),
    }
}

/// The planned steps.
fn planned(c: &Validated) -> Vec<PlannedStep> {
    let hold = |step: &Step| i64::try_from(step.hold.as_secs()).ok().filter(|_| step.hold > c.interval);
    let one = |(at, step): (usize, &Step)| PlannedStep {
        weight: step.weight,
        mirrored: step.mirrored,
        hold_seconds: hold(step),
        gated: c.gates.steps.contains_key(&(at + 1)),
    };
    c.schedule.iter().enumerate().map(one).collect()
}
