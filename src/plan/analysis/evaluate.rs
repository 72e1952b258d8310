//! What the answers of a window, or of a metric at a pace of its own, lead to: one failed check at most, however many
//! failed (ruling 17), a rollback in the pass that reaches a limit, a hold, or the next step.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    analysis::{self, Assessment},
    api::{CanaryMetric, EndingKind, MetricOutcome, MetricStatus, Phase, StepStatus, request::Verb},
    names::conditions,
    plan::{
        analysis::{
            entries::{self, Effect, effect},
            jobs, outage, schedule,
        },
        builder::{PlanBuilder, after},
        context::Context,
        gates::{
            self, StepGate, requests,
            webhooks::{self, Reply},
        },
        history,
        model::{Broken, HookKind, Messages},
        traffic::ending,
        waiting::{INCONCLUSIVE_ANALYSIS, WaitingFor},
    },
};

/// The same, as often as it tolerates.
const UNSURE: &str = "Inconclusive";
/// There is no data, and the metric says to wait for some.
const TOO_LITTLE: &str = "NotEnoughData";

/// Something was due. `held`: nothing rises. True when the run is to go on to its next step.
pub(crate) fn judge(cx: &Context<'_>, d: &mut PlanBuilder, held: bool) -> bool {
    let Some(Due { found, whole, early }) = looked_at(cx) else {
        outage::unanswered(cx, d);
        return false;
    };
    let window = whole && cx.now >= schedule::window(cx);
    let (said_no, unheard) = if window { checked(cx, d) } else { (None, false) };
    let counts =
        |(at, a): &&(usize, Assessment)| !metric(cx, *at).verdict.dry() && a.outcome != MetricOutcome::Pass;
    let of = |wanted: Effect| {
        let all = found.iter().filter(counts);
        all.filter(move |(at, a)| effect(metric(cx, *at), a.outcome) == wanted)
    };
    let closed = said_no.is_some()
        || of(Effect::Bad).next().is_some()
        || of(Effect::Broken).any(|(at, _)| schedule::counts_errors(cx, metric(cx, *at)));
    let known = closed || of(Effect::Broken).next().is_some();
    // nobody passes on samples of the time before the step: there are some of it soon, or none at all in the window
    if early && !known {
        outage::unanswered(cx, d);
        return false;
    }
    // what metrics say is acted on before webhooks have answered
    if unheard && !known {
        return false;
    }
    noted(cx, d, &found);
    if let Some((_, broken)) = of(Effect::Broken).next().filter(|_| !closed) {
        outage::freeze(cx, d, &broken.into());
        return false;
    }
    let broken = of(Effect::Broken).next().map(|(_, a)| Broken::from(a));
    let entries = recorded(cx, d, &found);
    let bad = of(Effect::Bad).map(|(at, a)| (tolerated(metric(cx, *at), &entries[*at], a), None));
    let failed: Vec<Failed> = said_no.into_iter().chain(bad).collect();
    d.status.metrics.clone_from(&entries);
    if found.iter().any(|(_, a)| a.job.is_some()) {
        d.clear(conditions::JOB_ENDED);
    }
    if window {
        d.judged = Some(schedule::window(cx));
        d.status.step = Some(StepStatus { checked: Some(MicroTime(cx.now)), ..cx.step() });
    }
    if whole || broken.is_some() {
        thaw(cx, d, &entries, broken.as_ref());
    }
    let over = !failed.is_empty() && halt(cx, d, &failed) || limited(cx, d, &entries);
    if over
        || !failed.is_empty()
        || standing(cx, &entries).any(|(.., e)| matches!(e, Effect::Bad | Effect::Broken))
    {
        return false;
    }
    if standing(cx, &entries).any(|(.., e)| e == Effect::Unsure) {
        hold(cx, d, &entries);
        return false;
    }
    window && passed(cx, d, held, &entries)
}

fn metric<'c>(cx: &'c Context<'_>, at: usize) -> &'c CanaryMetric {
    &cx.c.metrics[at]
}

/// The text of a failed check, and the same with an answer from outside in it.
type Failed = (String, Option<String>);

/// Why the webhooks of the window said no, if one did; and whether they are still to be heard.
fn checked(cx: &Context<'_>, d: &mut PlanBuilder) -> (Option<Failed>, bool) {
    match webhooks::ask(cx, d, HookKind::Rollout, schedule::window(cx)) {
        Reply::Unheard => (None, true),
        Reply::Yes(_) => (None, false),
        Reply::No(said) => (Some(cx.messages.check_failed(HookKind::Rollout, &said)), false),
    }
}

/// What is known of the metrics that are due.
struct Due {
    /// What they come to, by position.
    found: Vec<(usize, Assessment)>,
    /// These are all that are due.
    whole: bool,
    /// One that would pass was asked too early, and is left out.
    early: bool,
}

/// While answers are missing the end of a Job is still looked at, and no window ends. None: there is nothing to look at.
fn looked_at(cx: &Context<'_>) -> Option<Due> {
    let due = schedule::metrics_due(cx);
    if let Some(mut found) = assessed(cx, &due) {
        let all = found.len();
        found.retain(|(at, a)| {
            let counts = a.outcome == MetricOutcome::Pass && !metric(cx, *at).verdict.dry();
            !(counts && analysis::early(*at, &cx.asks, &cx.answers.readings))
        });
        let early = found.len() < all;
        return Some(Due { found, whole: true, early });
    }
    let ended: Vec<usize> = due.into_iter().filter(|at| jobs::is_one(cx, metric(cx, *at))).collect();
    let found = assessed(cx, &ended).filter(|found| !found.is_empty())?;
    Some(Due { found, whole: false, early: false })
}

/// What these metrics come to, by position. None: an answer is missing.
fn assessed(cx: &Context<'_>, due: &[usize]) -> Option<Vec<(usize, Assessment)>> {
    let entries = entries::all(cx);
    let readings = jobs::readings(cx, &cx.asks);
    let one = |at: &usize| {
        let found = analysis::assess(&cx.c, *at, &cx.asks, &readings)?;
        let job = jobs::is_one(cx, metric(cx, *at)).then(|| jobs::name(cx, &entries[*at]));
        Some((*at, Assessment { job, ..found }))
    };
    due.iter().map(one).collect()
}

/// Puts these measurements into the record of the run.
fn noted(cx: &Context<'_>, d: &mut PlanBuilder, found: &[(usize, Assessment)]) {
    let entries = entries::all(cx);
    for (at, assessment) in found {
        history::measured(cx, d, &entries[*at].name, assessment);
    }
}

/// All metrics with these measurements written down; those that do not count are told when they change.
fn recorded(cx: &Context<'_>, d: &mut PlanBuilder, found: &[(usize, Assessment)]) -> Vec<MetricStatus> {
    let mut entries = entries::all(cx);
    for (at, assessment) in found {
        let (m, entry) = (metric(cx, *at), &mut entries[*at]);
        let before = entry.outcome;
        schedule::record(cx, m, entry, assessment);
        let outcome = assessment.outcome;
        if m.verdict.dry() && before != Some(outcome) && outcome != MetricOutcome::Pass {
            d.say(Messages::dry_run(&entry.name, outcome, &entry.message));
        }
    }
    entries
}

/// The text of a failed check, with how many of them the metric itself tolerates.
fn tolerated(m: &CanaryMetric, entry: &MetricStatus, found: &Assessment) -> String {
    match m.verdict.failure_limit.filter(|limit| *limit >= 0) {
        Some(limit) => format!("{} (failed {}, failureLimit {limit})", found.text, entry.failed),
        None => found.text.clone(),
    }
}

/// What the last measurement of each metric that counts leads to.
fn standing<'c>(
    cx: &'c Context<'_>,
    entries: &'c [MetricStatus],
) -> impl Iterator<Item = (&'c CanaryMetric, &'c MetricStatus, Effect)> {
    let all = cx.c.metrics.iter().zip(entries).filter(|(m, _)| !m.verdict.dry());
    all.filter_map(|(m, entry)| Some((m, entry, effect(m, entry.outcome?))))
}

/// Says that answers are missing, or that they are not any more.
fn thaw(cx: &Context<'_>, d: &mut PlanBuilder, entries: &[MetricStatus], broken: Option<&Broken>) {
    if let Some(broken) = broken {
        outage::counted(d, broken);
    } else if !standing(cx, entries).any(|(.., e)| e == Effect::Broken) && d.clear(conditions::FROZEN) {
        d.say(Messages::thawed());
    }
}

/// One more failed check. True: it was one too many.
pub(crate) fn halt(cx: &Context<'_>, d: &mut PlanBuilder, failed: &[Failed]) -> bool {
    let checks = cx.status().failed_checks.saturating_add(1);
    d.status.failed_checks = checks;
    let texts: Vec<_> = failed.iter().map(|(text, _)| text.as_str()).collect();
    let all = format!("failed checks {checks}/{}: {}", cx.c.threshold, texts.join("; "));
    d.condition(conditions::HALTED, "True", "ChecksFailed", &all);
    if let Some((text, quote)) = failed.first() {
        d.say(Messages::halted(text, quote.clone()));
    }
    let over = checks >= cx.c.threshold;
    if over {
        d.say(cx.messages.threshold_reached(checks));
        ending::begin(cx, d, EndingKind::RollingBack, "ThresholdReached", &all);
    }
    over
}

/// A limit of a metric's own. True: it is passed, and the run ends.
fn limited(cx: &Context<'_>, d: &mut PlanBuilder, entries: &[MetricStatus]) -> bool {
    let mut all = cx.c.metrics.iter().zip(entries).filter(|(m, _)| !m.verdict.dry());
    let Some(why) = all.find_map(|(m, entry)| schedule::passed_limit(m, entry)) else { return false };
    d.condition(conditions::HALTED, "True", "LimitReached", &why);
    d.say(cx.messages.limit_reached(&why));
    ending::begin(cx, d, EndingKind::RollingBack, "LimitReached", &why);
    true
}

/// Neither good nor bad: the weight stays, and beyond what the metrics tolerate a person decides.
fn hold(cx: &Context<'_>, d: &mut PlanBuilder, entries: &[MetricStatus]) {
    let unsure: Vec<_> = standing(cx, entries).filter(|(.., e)| *e == Effect::Unsure).collect();
    let why = |(_, entry, _): &(_, &MetricStatus, _)| {
        let count = if entry.inconclusive > 0 {
            format!(" (inconclusive {})", entry.inconclusive)
        } else {
            String::new()
        };
        format!("{}{count}", entry.message)
    };
    let text = unsure.iter().map(why).collect::<Vec<_>>().join("; ");
    let beyond = |(m, entry, _): &(&CanaryMetric, &MetricStatus, _)| {
        let limit = m.verdict.inconclusive_limit.unwrap_or(0);
        limit >= 0 && entry.inconclusive > limit
    };
    d.clear(conditions::HALTED);
    let reason = if WaitingFor::of(cx) == Some(WaitingFor::Inconclusive) || unsure.iter().any(beyond) {
        INCONCLUSIVE_ANALYSIS
    } else if unsure.iter().any(|(_, entry, _)| entry.outcome == Some(MetricOutcome::Inconclusive)) {
        UNSURE
    } else {
        TOO_LITTLE
    };
    let said = d.find(conditions::INCONCLUSIVE).is_some_and(|c| c.reason == reason);
    d.condition(conditions::INCONCLUSIVE, "True", reason, &text);
    if said {
        return;
    }
    if reason == INCONCLUSIVE_ANALYSIS {
        d.phase(Phase::Waiting, cx.kind());
        d.say(cx.messages.inconclusive(&text, d.status.epoch));
    } else {
        d.say(Messages::held(reason, &text));
    }
}

/// True when what a waiting run waits for has come.
pub(crate) fn released(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    if WaitingFor::of(cx) == Some(WaitingFor::Inconclusive) {
        let asked = requests::granted(cx, d, Verb::Promote).is_some();
        if asked {
            d.clear(conditions::INCONCLUSIVE);
            forgive(cx, d);
        }
        return asked;
    }
    WaitingFor::of(cx).is_some_and(WaitingFor::is_manual)
        && unready(cx, &entries::all(cx)).is_none()
        && gates::leave(cx, d, vec![]) == StepGate::Yes
}

/// What was inconclusive so far was decided by a person.
fn forgive(cx: &Context<'_>, d: &mut PlanBuilder) {
    for (m, entry) in cx.c.metrics.iter().zip(&mut d.status.metrics) {
        entry.inconclusive = 0;
        if entry.outcome.is_some_and(|outcome| effect(m, outcome) == Effect::Unsure) {
            entry.outcome = None;
        }
    }
}

/// Why the run cannot be promoted after this step yet.
fn unready(cx: &Context<'_>, entries: &[MetricStatus]) -> Option<String> {
    let last = usize::try_from(cx.step().index).is_ok_and(|index| index >= cx.c.schedule.len());
    schedule::wanting(cx, entries).filter(|_| last)
}

fn passed(cx: &Context<'_>, d: &mut PlanBuilder, held: bool, entries: &[MetricStatus]) -> bool {
    d.clear(conditions::HALTED);
    if WaitingFor::of(cx) == Some(WaitingFor::Inconclusive) {
        return false;
    }
    d.clear(conditions::INCONCLUSIVE);
    let step = cx.step();
    let began = step.confirmed.as_ref().map_or(cx.now, |t| t.0);
    let lasts = cx.phase() == Phase::Progressing && cx.now < after(began, cx.planned(step.index).hold);
    let stays = held || lasts || unready(cx, entries).is_some() || jobs::pending(cx, entries);
    match if stays { StepGate::Waits } else { gates::leave(cx, d, vec![]) } {
        StepGate::Yes => {
            // the next write is about the next step
            d.status.step = Some(step);
            true
        }
        StepGate::Waits | StepGate::Ended => false,
        // a gate that is asked again, or is being asked, costs no write
        shut @ (StepGate::Shut | StepGate::Unheard) => {
            d.status.step = Some(step);
            d.status.metrics.clone_from(&cx.status().metrics);
            d.judged = d.judged.filter(|_| shut == StepGate::Shut);
            false
        }
    }
}
