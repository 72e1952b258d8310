//! Metrics that are Jobs: when the next one is made, what the end of one reads as, and which are of no use any more.
//!
//! A Job is named after run, metric and number, and the number is in status: so none is made twice for one measurement,
//! whoever dies when. One at a time, in the order of the list; no step is left before it has ended. How it is judged is
//! `judge`'s, as with all other metrics.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    analysis::{self, Ask, Reading, limits},
    api::{
        CanaryMetric, MetricStatus, ThresholdRange,
        validated::{Problem, Validated},
    },
    manifest::{
        self,
        job::{self, Course, Marks},
    },
    names::{self, conditions},
    plan::{
        analysis::entries,
        builder::{PlanBuilder, after},
        context::Context,
        model::{Action, Note, Urgency},
    },
    snapshot::{CANARY, CANARY_RUN, JOB, POD, Snapshot},
};

/// After one whose end says nothing the next Job is made this much later at most.
const RETRY: Duration = Duration::from_secs(30);
/// A Job is given up so long after its deadline: who ends Jobs is not at work.
const GRACE: Duration = Duration::from_secs(60);

const WAITING: &str = "JobWaiting";
const NOT_STARTING: &str = "JobNotStarting";
const RUNNING: &str = "JobRunning";

/// Metrics that are Jobs are put down as what they are judged by, and what is wrong with them is said.
pub(crate) fn look(snap: &Snapshot, c: &mut Validated, selected: &(String, String)) {
    let mut any = false;
    for at in 0..c.metrics.len() {
        let m = c.metrics[at].clone();
        let Some(name) = analysis::template_of(c, &m) else { continue };
        let Some(template) = snap.templates.get(&name).filter(|t| t.provider.type_ == analysis::job::KIND)
        else {
            continue;
        };
        any = true;
        c.templates.insert(name.clone(), template.clone());
        if let Some(why) = analysis::job::mistakes(c, &m, (&name, template), selected) {
            c.faults.push(Problem::new("JobInvalid", format!("spec.analysis.metrics[{}]: {why}", m.name)));
        }
        c.metrics[at].threshold = None;
        c.metrics[at].threshold_range = Some(ThresholdRange { min: Some(analysis::job::SUCCESS), max: None });
    }
    if any && snap.forbidden_kinds.contains(&JOB.crd()) {
        c.faults.push(Problem::new(
            "ApiRefused",
            "the operator may not list Jobs (jobs.batch), which a metric needs: give it the rule of the shipped ClusterRole",
        ));
    }
}

/// The metric is a Job.
pub(crate) fn is_one(cx: &Context<'_>, m: &CanaryMetric) -> bool {
    analysis::job::of(&cx.c, m).is_some()
}

/// Name of the Job that measures now, or will next.
pub(crate) fn name(cx: &Context<'_>, entry: &MetricStatus) -> String {
    let number = cx.status().run.as_ref().map(|run| run.number).filter(|n| *n > 0);
    let next = entry.jobs.unwrap_or(0).saturating_add(1);
    names::job(&cx.c.name, number.unwrap_or(cx.status().epoch), &entry.name, next)
}

/// The one of this name that was made for this Canary.
fn live<'a>(cx: &Context<'a>, name: &str) -> Option<&'a Value> {
    cx.snap.objects.get(JOB, name)
}

fn ours(cx: &Context<'_>, live: &Value) -> bool {
    job::is_of(live, &cx.c.name, cx.snap.canary.metadata.uid.as_deref().unwrap_or_default())
}

fn refused<'a>(cx: &Context<'a>, name: &str) -> Option<&'a str> {
    cx.snap.refused_job.as_ref().filter(|job| job.name == name).map(|job| job.why.as_str())
}

/// It was made, or tried to be.
fn begun(cx: &Context<'_>, entry: &MetricStatus) -> bool {
    let name = name(cx, entry);
    live(cx, &name).is_some() || entry.job == name || refused(cx, &name).is_some()
}

/// When the next Job of the metric is to be made; none while it does not count, or has passed often enough.
fn begins(cx: &Context<'_>, m: &CanaryMetric, entry: &MetricStatus) -> Option<Timestamp> {
    let since = entries::since(cx, m, entry)?;
    if m.verdict.count.is_some_and(|count| entry.passed >= count) {
        return None;
    }
    let pace = limits::time(m.verdict.period.as_ref()).unwrap_or(cx.c.interval);
    Some(match &entry.measured {
        None => after(since, limits::time(m.verdict.initial_delay.as_ref()).unwrap_or_default()),
        Some(last) if entry.errors_in_row > 0 => after(last.0, pace.min(RETRY)),
        Some(last) => after(last.0, pace),
    })
}

/// When the metric has something to be judged; none while that is not known.
pub(crate) fn due(cx: &Context<'_>, m: &CanaryMetric, entry: &MetricStatus) -> Option<Timestamp> {
    begins(cx, m, entry)?;
    if reading(cx, m, entry).is_some() {
        return Some(cx.now);
    }
    given_up(live(cx, &name(cx, entry))?)
}

fn given_up(live: &Value) -> Option<Timestamp> {
    let seconds = u64::try_from(job::deadline(live)).unwrap_or(0);
    Some(after(job::made(live)?, Duration::from_secs(seconds).saturating_add(GRACE)))
}

/// What has come of the Job that measures now; none while it is under way, or not made yet.
fn reading(cx: &Context<'_>, m: &CanaryMetric, entry: &MetricStatus) -> Option<Reading> {
    let name = name(cx, entry);
    if let Some(why) = refused(cx, &name) {
        let of = analysis::job::of(&cx.c, m).map(|(of, _)| of).unwrap_or_default();
        return Some(Reading::Failed(format!("{why} (it is spec.job of MetricTemplate {of})").into()));
    }
    let Some(live) = live(cx, &name) else {
        if entry.job == name {
            return Some(Reading::Failed(format!("Job {name} was deleted before its end was seen").into()));
        }
        let wrong = analysis::job::rendered(&cx.c, m).err()?;
        return begins(cx, m, entry).filter(|at| cx.now >= *at).map(|_| Reading::Failed(wrong.into()));
    };
    if !ours(cx, live) {
        return Some(Reading::Failed(
            format!("Job {name} is there already, and not of this run: delete it").into(),
        ));
    }
    match job::course(live, cx.snap.objects.of(POD)) {
        Course::Succeeded => Some(Reading::Values(vec![analysis::job::SUCCESS])),
        Course::Failed { late: true, .. } if !ran(cx, &name) => {
            Some(Reading::Failed(never_started(cx, &name, live).into()))
        }
        Course::Failed { why, .. } => Some(Reading::Bad(format!("Job {name} failed: {why}"))),
        Course::Waiting(_) | Course::Running if !live["metadata"]["deletionTimestamp"].is_null() => {
            Some(Reading::Failed(format!("Job {name} was deleted before it had ended").into()))
        }
        Course::Waiting(_) | Course::Running => {
            let late = given_up(live).is_some_and(|at| cx.now >= at);
            let why = || {
                format!("Job {name} is past its deadline of {} s, and nobody ends it", job::deadline(live))
            };
            late.then(|| Reading::Failed(why().into()))
        }
    }
}

/// The condition says so: a pod that ran is gone by the time at which its Job has failed for being late.
fn ran(cx: &Context<'_>, name: &str) -> bool {
    let mut all = cx.status().conditions.iter();
    all.any(|c| c.type_ == conditions::JOB_ENDED && c.reason == RUNNING && is_about(&c.message, name))
}

fn is_about(message: &str, name: &str) -> bool {
    message
        .strip_prefix("Job ")
        .and_then(|rest| rest.strip_prefix(name))
        .is_some_and(|rest| rest.starts_with(' '))
}

fn never_started(cx: &Context<'_>, name: &str, live: &Value) -> String {
    let mut all = cx.status().conditions.iter();
    let told = all.find(|c| c.type_ == conditions::JOB_ENDED && c.reason == NOT_STARTING);
    let told =
        told.filter(|c| is_about(&c.message, name)).and_then(|c| c.message.split_once(" has not started: "));
    let why = told.map_or_else(
        || format!("kubectl -n {} describe job {name} may tell why", cx.c.namespace),
        |(_, why)| why.to_owned(),
    );
    format!("Job {name} has not started within its deadline of {} s: {why}", job::deadline(live))
}

/// What is read of all metrics: what was answered, and what has come of Jobs.
pub(crate) fn readings(cx: &Context<'_>, asks: &[Ask]) -> BTreeMap<usize, Reading> {
    let mut all = cx.answers.readings.clone();
    let entries = entries::all(cx);
    for (index, ask) in asks.iter().enumerate() {
        let (m, entry) = (&cx.c.metrics[ask.metric], &entries[ask.metric]);
        if is_one(cx, m)
            && let Some(reading) = reading(cx, m, entry)
        {
            all.insert(index, reading);
        }
    }
    all
}

/// The metrics that are Jobs, with what is known of them.
fn all<'c>(
    cx: &'c Context<'_>,
    entries: &'c [MetricStatus],
) -> impl Iterator<Item = (usize, &'c CanaryMetric, &'c MetricStatus)> {
    let all = cx.c.metrics.iter().zip(entries).enumerate();
    all.filter(move |(_, (m, _))| is_one(cx, m)).map(|(at, (m, entry))| (at, m, entry))
}

/// Makes the next Job, or notes how far the present one has come. True when that has to be written first.
pub(crate) fn tend(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    let entries = entries::all(cx);
    let counting = || all(cx, &entries).filter(|(_, m, entry)| begins(cx, m, entry).is_some());
    if let Some((at, m, entry)) = counting().find(|(_, _, entry)| begun(cx, entry)) {
        return reading(cx, m, entry).is_none() && noted(cx, d, &entries, at);
    }
    d.clear(conditions::JOB_ENDED);
    for (_, m, entry) in counting() {
        let Some(at) = begins(cx, m, entry) else { continue };
        if d.reached(at) {
            return made(cx, d, m, entry);
        }
    }
    false
}

fn made(cx: &Context<'_>, d: &mut PlanBuilder, m: &CanaryMetric, entry: &MetricStatus) -> bool {
    let Ok(template) = analysis::job::rendered(&cx.c, m) else { return false };
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
    true
}

/// That the Job is there, and how far it has come, is written down once for each.
fn noted(cx: &Context<'_>, d: &mut PlanBuilder, entries: &[MetricStatus], at: usize) -> bool {
    let entry = &entries[at];
    let name = name(cx, entry);
    let Some(live) = live(cx, &name) else { return false };
    let known = entry.job == name;
    if !known {
        d.status.metrics = entries.to_vec();
        d.status.metrics[at].job.clone_from(&name);
    }
    let about = format!("Job {name} of metric {}", entry.name);
    let told =
        d.find(conditions::JOB_ENDED).filter(|c| is_about(&c.message, &name)).map(|c| c.reason.clone());
    let told = told.unwrap_or_default();
    let (reason, text) = match job::course(live, cx.snap.objects.of(POD)) {
        Course::Waiting(Some(why)) => (NOT_STARTING, format!("{about} has not started: {why}")),
        // of two ways of not starting the first is told, for as long as it lasts
        Course::Waiting(None) if told == NOT_STARTING => return !known,
        Course::Waiting(None) => (WAITING, format!("{about} has been made, and none of its pods runs yet")),
        _ => (RUNNING, format!("{about} is running")),
    };
    if told == reason || told == RUNNING {
        return !known;
    }
    d.condition(conditions::JOB_ENDED, "False", reason, &text);
    if reason == NOT_STARTING {
        d.say(Note::warning(NOT_STARTING, text).aloud(Urgency::Warn));
    }
    true
}

/// A Job that keeps the run at its step: it is under way, or is to be made first.
pub(crate) fn pending(cx: &Context<'_>, entries: &[MetricStatus]) -> bool {
    let mut counting = all(cx, entries).filter(|(_, m, _)| !m.verdict.dry());
    counting.any(|(_, m, entry)| begins(cx, m, entry).is_some_and(|at| cx.now >= at || begun(cx, entry)))
}

/// In words, how far the Job of a metric is.
pub(crate) fn stands(cx: &Context<'_>, entry: &MetricStatus) -> Option<String> {
    let name = name(cx, entry);
    let mut all = cx.status().conditions.iter();
    let told = all.find(|c| c.type_ == conditions::JOB_ENDED && is_about(&c.message, &name));
    told.map(|c| c.message.clone())
}

/// The steps begin anew with other pods: a Job that looked at the old ones is given up.
pub(crate) fn begin_anew(cx: &Context<'_>, d: &mut PlanBuilder) {
    for (m, entry) in cx.c.metrics.iter().zip(&mut d.status.metrics) {
        if is_one(cx, m) {
            entry.jobs = Some(entry.jobs.unwrap_or(0).saturating_add(1));
        }
    }
    d.clear(conditions::JOB_ENDED);
}

/// Jobs that have not ended and measure nothing any more are deleted, after all that concerns users. True when there are
/// some. Those that have ended stay for their log, until their time is over or their run is forgotten.
pub(crate) fn collect(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    if cx.snap.refused.is_some() {
        // if that was this very deletion: what is left to do does not wait for it
        return false;
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
    let before = d.actions.len();
    for live in cx.snap.objects.of(JOB).filter(unused) {
        d.act(Action::delete(JOB, live));
    }
    d.actions.len() > before
}
