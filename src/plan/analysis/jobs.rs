//! Metrics that are Jobs: when the next one is created, the reading of a finished one, and which are no longer needed.
//!
//! A Job is named after run, metric and number, and the number is in status. So no measurement gets two Jobs,
//! even after a crash. One at a time, in list order; the run leaves no step before it has ended. `evaluate`
//! judges it, like all other metrics.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    analysis::{self, Ask, Checks, Reading, limits},
    api::{CanaryMetric, JobState, MetricStatus, ThresholdRange},
    clock,
    manifest::{
        self,
        job::{self, Course, Marks},
    },
    names::{self, conditions},
    plan::{
        analysis::entries,
        builder::PlanBuilder,
        context::Context,
        model::{
            Action, Note, Urgency,
            flow::{Flow, GO_ON, WRITE_FIRST},
        },
        waiting,
    },
    snapshot::{CANARY, CANARY_RUN, JOB, POD, Snapshot},
    spec::{Findings, Problem, Validated},
};

/// After a Job without a usable end, the next one is created at most this much later.
const RETRY: Duration = Duration::from_secs(30);
/// A Job is given up this long after its deadline: the Job controller does not work.
const GRACE: Duration = Duration::from_secs(60);

/// The reasons of the condition `JobEnded`.
const STATES: [(JobState, &str); 3] = [
    (JobState::Waiting, "JobWaiting"),
    (JobState::NotStarting, "JobNotStarting"),
    (JobState::Running, "JobRunning"),
];

/// Sets the readings of metrics that are Jobs, and reports what is wrong with them.
pub(crate) fn look(
    snap: &Snapshot,
    c: &Validated,
    checks: &mut Checks,
    selected: &(String, String),
    findings: &mut Findings,
) {
    let mut any = false;
    for m in &mut checks.metrics {
        let Some(name) = analysis::template_of(c, m) else { continue };
        let Some(template) = snap.templates.get(&name).filter(|t| t.provider.type_ == analysis::job::KIND)
        else {
            continue;
        };
        any = true;
        checks.templates.insert(name.clone(), template.clone());
        if let Some(why) = analysis::job::mistakes(c, m, (&name, template), selected) {
            findings
                .faults
                .push(Problem::new("JobInvalid", format!("spec.analysis.metrics[{}]: {why}", m.name)));
        }
        m.threshold = None;
        m.threshold_range = Some(ThresholdRange { min: Some(analysis::job::SUCCESS), max: None });
    }
    if any && snap.forbidden_kinds.contains(&JOB.crd()) {
        findings.faults.push(Problem::new(
            "ApiRefused",
            "the operator may not list Jobs (jobs.batch), which a metric needs: give it the rule of the shipped ClusterRole",
        ));
    }
    let mut unlisted = [JOB, POD].iter().filter_map(|kind| snap.unlisted_kinds.get(&kind.crd()));
    if let Some(why) = unlisted.next().filter(|_| any) {
        let text = format!("the API server does not list Jobs or their pods, which a metric needs: {why}");
        findings.faults.push(Problem::new("ApiRefused", text));
    }
}

/// The metric is a Job.
pub(crate) fn is_one(cx: &Context<'_>, m: &CanaryMetric) -> bool {
    analysis::job::of(&cx.c, &cx.checks, m).is_some()
}

/// Name of the current Job, or of the next one.
pub(crate) fn name(cx: &Context<'_>, entry: &MetricStatus) -> String {
    let number = cx.status().run.as_ref().map(|run| run.number).filter(|n| *n > 0);
    let next = entry.jobs.unwrap_or(0).saturating_add(1);
    names::job(&cx.c.name, number.unwrap_or(cx.status().epoch), &entry.name, next)
}

/// The Job of this name that was created for this Canary.
fn live<'a>(cx: &Context<'a>, name: &str) -> Option<&'a Value> {
    cx.snap.objects.get(JOB, name)
}

fn ours(cx: &Context<'_>, live: &Value) -> bool {
    job::is_of(live, &cx.c.name, cx.snap.canary.metadata.uid.as_deref().unwrap_or_default())
}

fn refused<'a>(cx: &Context<'a>, name: &str) -> Option<&'a str> {
    cx.snap.refused_job.as_ref().filter(|job| job.name == name).map(|job| job.why.as_str())
}

/// Its creation was attempted.
fn begun(cx: &Context<'_>, entry: &MetricStatus) -> bool {
    let name = name(cx, entry);
    live(cx, &name).is_some() || entry.job == name || refused(cx, &name).is_some()
}

/// When the next Job of the metric is created; none while it does not count, or has passed often enough.
fn begins(cx: &Context<'_>, m: &CanaryMetric, entry: &MetricStatus) -> Option<Timestamp> {
    let since = entries::since(cx, m, entry)?;
    if m.verdict.count.is_some_and(|count| entry.passed >= count) {
        return None;
    }
    let pace = limits::time(m.verdict.period.as_ref()).unwrap_or(cx.c.interval);
    Some(match &entry.measured {
        None => clock::after(since, limits::time(m.verdict.initial_delay.as_ref()).unwrap_or_default()),
        Some(last) if entry.errors_in_row > 0 => clock::after(last.0, pace.min(RETRY)),
        Some(last) => clock::after(last.0, pace),
    })
}

/// When the metric has something to judge; none while that is unknown.
pub(crate) fn due(cx: &Context<'_>, m: &CanaryMetric, entry: &MetricStatus) -> Option<Timestamp> {
    begins(cx, m, entry)?;
    if reading(cx, m, entry).is_some() {
        return Some(cx.now);
    }
    given_up(live(cx, &name(cx, entry))?)
}

fn given_up(live: &Value) -> Option<Timestamp> {
    let seconds = u64::try_from(job::deadline(live)).unwrap_or(0);
    Some(clock::after(job::created_at(live)?, Duration::from_secs(seconds).saturating_add(GRACE)))
}

/// The result of the current Job; none while it is running, or not created yet.
fn reading(cx: &Context<'_>, m: &CanaryMetric, entry: &MetricStatus) -> Option<Reading> {
    let name = name(cx, entry);
    if let Some(why) = refused(cx, &name) {
        let of = analysis::job::of(&cx.c, &cx.checks, m).map(|(of, _)| of).unwrap_or_default();
        return Some(Reading::Failed(format!("{why} (it is spec.job of MetricTemplate {of})").into()));
    }
    let Some(live) = live(cx, &name) else {
        if entry.job == name {
            return Some(Reading::Failed(format!("Job {name} was deleted before its end was seen").into()));
        }
        let wrong = analysis::job::rendered(&cx.c, &cx.checks, m).err()?;
        return begins(cx, m, entry).filter(|at| cx.now >= *at).map(|_| Reading::Failed(wrong.into()));
    };
    if !ours(cx, live) {
        return Some(Reading::Failed(
            format!("Job {name} is there already, and not of this run: delete it").into(),
        ));
    }
    match job::course(live, cx.snap.objects.of(POD)) {
        Course::Succeeded => Some(Reading::Values(vec![analysis::job::SUCCESS])),
        Course::Failed { late: true, .. } if !ran(cx, entry, &name) => {
            Some(Reading::Failed(never_started(cx, entry, &name, live).into()))
        }
        Course::Failed { why, .. } => Some(Reading::Bad(format!("Job {name} failed: {why}"))),
        Course::Waiting(_) | Course::Running if !live["metadata"]["deletionTimestamp"].is_null() => {
            Some(Reading::Failed(format!("Job {name} was deleted before it had ended").into()))
        }
        Course::Waiting(_) | Course::Running => {
            let late = given_up(live).is_some_and(|at| cx.now >= at);
            let why = || {
                format!("Job {name} is past its deadline of {} s, and is still there", job::deadline(live))
            };
            late.then(|| Reading::Failed(why().into()))
        }
    }
}

/// The last observed progress of the Job of this name. If the field is missing, because an earlier version wrote the
/// status or the API server has an older definition of Canary, the reason of the condition shows it: it is cleared when
/// a Job ends and before the next one is created.
fn last_seen(cx: &Context<'_>, entry: &MetricStatus, name: &str) -> Option<JobState> {
    let mut all = cx.status().conditions.iter().filter(|_| entry.job == name);
    entry.job_state.filter(|_| entry.job == name).or_else(|| {
        let told = all.find(|c| c.type_ == conditions::JOB_ENDED)?;
        STATES.into_iter().find(|(_, reason)| told.reason == *reason).map(|(state, _)| state)
    })
}

/// One of its pods has run: when a Job has failed because of its deadline, that pod is already gone.
fn ran(cx: &Context<'_>, entry: &MetricStatus, name: &str) -> bool {
    last_seen(cx, entry, name) == Some(JobState::Running)
}

fn never_started(cx: &Context<'_>, entry: &MetricStatus, name: &str, live: &Value) -> String {
    let why = if entry.job == name && !entry.job_message.is_empty() {
        entry.job_message.clone()
    } else {
        format!("kubectl -n {} describe job {name} may tell why", cx.c.namespace)
    };
    format!("Job {name} has not started within its deadline of {} s: {why}", job::deadline(live))
}

/// The readings of all metrics: answers, and results of Jobs.
pub(crate) fn readings(cx: &Context<'_>, asks: &[Ask]) -> BTreeMap<usize, Reading> {
    let mut all = cx.answers.readings.clone();
    let entries = entries::all(cx);
    for (index, ask) in asks.iter().enumerate() {
        let (m, entry) = (&cx.checks.metrics[ask.metric], &entries[ask.metric]);
        if is_one(cx, m)
            && let Some(reading) = reading(cx, m, entry)
        {
            all.insert(index, reading);
        }
    }
    all
}

/// The metrics that are Jobs, with their entries.
fn all<'c>(
    cx: &'c Context<'_>,
    entries: &'c [MetricStatus],
) -> impl Iterator<Item = (usize, &'c CanaryMetric, &'c MetricStatus)> {
    let all = cx.checks.metrics.iter().zip(entries).enumerate();
    all.filter(move |(_, (m, _))| is_one(cx, m)).map(|(at, (m, entry))| (at, m, entry))
}

/// Creates the next Job, or records the progress of the current one.
pub(crate) fn reconcile(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if waiting::is_idle(cx) {
        return GO_ON;
    }
    let entries = entries::all(cx);
    let counting = || all(cx, &entries).filter(|(_, m, entry)| begins(cx, m, entry).is_some());
    if let Some((at, m, entry)) = counting().find(|(_, _, entry)| begun(cx, entry)) {
        return if reading(cx, m, entry).is_none() { note_progress(cx, d, &entries, at) } else { GO_ON };
    }
    d.clear(conditions::JOB_ENDED);
    for (_, m, entry) in counting() {
        let Some(at) = begins(cx, m, entry) else { continue };
        if d.reached(at).is_continue() {
            return make(cx, d, m, entry);
        }
    }
    GO_ON
}

fn make(cx: &Context<'_>, d: &mut PlanBuilder, m: &CanaryMetric, entry: &MetricStatus) -> Flow {
    let Ok(template) = analysis::job::rendered(&cx.c, &cx.checks, m) else { return GO_ON };
    let name = name(cx, entry);
    let uid = cx.snap.canary.metadata.uid.as_deref().unwrap_or_default();
    let number = cx.status().run.as_ref().map_or(0, |run| run.number);
    let record = names::run(&cx.c.name, number);
    let of_record = cx.snap.objects.get(CANARY_RUN, &record).and_then(manifest::uid);
    let owner = match of_record {
        Some(record_uid) => (CANARY_RUN, record.as_str(), record_uid),
        None => (CANARY, cx.c.name.as_str(), uid),
    };
    let marks = Marks { name: &name, canary: &cx.c.name, uid, metric: &entry.name, owner };
    d.act(Action::Create(Box::new(job::manifest(&template, &marks))));
    WRITE_FIRST
}

/// The existence and progress of the Job are recorded once for each state.
fn note_progress(cx: &Context<'_>, d: &mut PlanBuilder, entries: &[MetricStatus], at: usize) -> Flow {
    let name = name(cx, &entries[at]);
    let Some(live) = live(cx, &name) else { return GO_ON };
    let before = last_seen(cx, &entries[at], &name);
    let (state, why) = match job::course(live, cx.snap.objects.of(POD)) {
        Course::Waiting(Some(why)) => (JobState::NotStarting, why),
        Course::Waiting(None) => (JobState::Waiting, String::new()),
        _ => (JobState::Running, String::new()),
    };
    // of two reasons for not starting, the first is kept for as long as it lasts
    let known = before.is_some_and(|before| before == JobState::Running || state <= before);
    if known {
        return GO_ON;
    }
    d.status.metrics = entries.to_vec();
    let entry = &mut d.status.metrics[at];
    (entry.job, entry.job_state, entry.job_message) = (name, Some(state), why);
    let text = progress(entry, state);
    let reason = STATES.into_iter().find(|(of, _)| *of == state).map_or("", |(_, reason)| reason);
    d.condition(conditions::JOB_ENDED, "False", reason, &text);
    if state == JobState::NotStarting {
        d.say(Note::warning(reason, text).aloud(Urgency::Warn));
    }
    WRITE_FIRST
}

/// The progress of a metric's Job, for people.
fn progress(entry: &MetricStatus, state: JobState) -> String {
    let about = format!("Job {} of metric {}", entry.job, entry.name);
    match state {
        JobState::Waiting => format!("{about} has been made, and none of its pods runs yet"),
        JobState::NotStarting => format!("{about} has not started: {}", entry.job_message),
        JobState::Running => format!("{about} is running"),
    }
}

/// A Job that keeps the run at its step: it is running, or has to be created first.
pub(crate) fn pending(cx: &Context<'_>, entries: &[MetricStatus]) -> bool {
    let mut counting = all(cx, entries).filter(|(_, m, _)| !m.verdict.dry());
    counting.any(|(_, m, entry)| begins(cx, m, entry).is_some_and(|at| cx.now >= at || begun(cx, entry)))
}

/// The progress of the metric's current Job, for people.
pub(crate) fn stands(cx: &Context<'_>, entry: &MetricStatus) -> Option<String> {
    last_seen(cx, entry, &name(cx, entry)).map(|state| progress(entry, state))
}

/// The steps start over with other pods: a Job that measured the old ones is given up.
pub(crate) fn start_over(cx: &Context<'_>, d: &mut PlanBuilder) {
    for (m, entry) in cx.checks.metrics.iter().zip(&mut d.status.metrics) {
        if is_one(cx, m) {
            entry.jobs = Some(entry.jobs.unwrap_or(0).saturating_add(1));
        }
    }
    d.clear(conditions::JOB_ENDED);
}

/// Deletes unfinished Jobs that measure nothing any more, after all writes that concern users. Finished ones stay
/// for their log, until their time is over or the record of their run is removed.
pub(crate) fn collect(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.snap.refused.is_some() {
        // if that was this very deletion, the remaining work does not wait for it
        return GO_ON;
    }
    let entries = entries::all(cx);
    let running = cx.status().run.as_ref().is_some_and(|run| run.ending.is_none());
    let wanted: Vec<String> =
        all(cx, &entries).filter(|_| running).map(|(_, _, entry)| name(cx, entry)).collect();
    let going = |live: &Value| job::ended(live) || !live["metadata"]["deletionTimestamp"].is_null();
    let unused = |live: &&Value| {
        let name = live["metadata"]["name"].as_str().unwrap_or_default();
        ours(cx, live) && !going(live) && !wanted.iter().any(|wanted| wanted == name)
    };
    let mut flow = GO_ON;
    for live in cx.snap.objects.of(JOB).filter(unused) {
        d.act(Action::delete(JOB, live));
        flow = WRITE_FIRST;
    }
    flow
}
