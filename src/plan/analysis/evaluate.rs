//! The effects of the answers of a window, or of a metric with its own period: at most one failed check, however many
//! failed, a rollback in the pass that reaches a limit, a hold, or the next step.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    analysis::Assessment,
    api::{CanaryMetric, EndingKind, MetricOutcome, MetricStatus, Phase, StepStatus},
    clock,
    names::conditions,
    plan::{
        analysis::{
            comparisons,
            due::{Due, due_now},
            entries::{self, Effect, effect},
            jobs,
            measurable::{is_hindered, is_measurable},
            outage, released, schedule,
        },
        builder::PlanBuilder,
        context::Context,
        gates::{
            self, StepGate, place,
            webhooks::{self, Reply},
        },
        history,
        model::{
            Broken, HookKind, Messages,
            flow::{Flow, GO_ON, WAIT, ignore, wait_unless},
            waits::INCONCLUSIVE_ANALYSIS,
        },
        traffic::ending,
        waiting::WaitingFor,
    },
};

/// Neither condition of a metric holds, within its tolerance.
const UNSURE: &str = "Inconclusive";
/// There is no data, and the metric is set to wait for some.
const TOO_LITTLE: &str = "NotEnoughData";

/// The result of the measurements of a pass.
enum Verdict {
    /// A passing value was measured too early: there will be samples of the step soon.
    Early,
    /// The webhooks of the window have not answered, and their answers may matter.
    Unheard,
    /// Unknown: the run freezes.
    Freeze(Broken),
    /// A check failed, now or in its last measurement.
    Fail(Vec<Failed>),
    /// Neither good nor bad.
    Hold,
    /// Everything that counts is good.
    Pass,
}

/// Judges what is due, and continues if the run should take its next step. `held`: the weight is not raised.
pub(crate) fn judge(cx: &Context<'_>, d: &mut PlanBuilder, held: bool) -> Flow {
    let Some(due) = due_now(cx) else {
        outage::unanswered(cx, d);
        return WAIT;
    };
    let ends_window = due.whole && schedule::asked_until(cx) >= schedule::window(cx);
    let (refusal, unheard) = if ends_window { window_webhooks(cx, d) } else { (None, false) };
    let entries = recorded(cx, &due.found);
    comparisons::unread(cx, d, &due.found);
    match verdict(cx, &due, refusal, unheard, &entries) {
        Verdict::Early => {
            // decided metrics are not measured again meanwhile: by then their own samples may be late
            if !due.found.is_empty() {
                write_down(cx, d, &due, &entries, false);
            }
            outage::unanswered(cx, d);
            if let Some(at) = schedule::next_due(cx) {
                d.wake_at(at);
            }
        }
        Verdict::Unheard => {}
        Verdict::Freeze(broken) => {
            note_measurements(cx, d, &due.found);
            outage::freeze(cx, d, &broken);
        }
        Verdict::Fail(failed) => {
            write_down(cx, d, &due, &entries, ends_window);
            fail(cx, d, &failed, &entries);
        }
        Verdict::Hold => {
            write_down(cx, d, &due, &entries, ends_window);
            hold(cx, d, &entries);
        }
        Verdict::Pass => {
            write_down(cx, d, &due, &entries, ends_window);
            if ends_window {
                return passed(cx, d, held, &entries);
            }
        }
    }
    WAIT
}

/// Judges what is due although nothing may rise, so that bad checks end a run that something else holds.
pub(crate) fn while_held(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let analysed = matches!(cx.phase(), Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion);
    let asked = !cx.checks.metrics.is_empty() || !cx.c.analysis.webhooks.is_empty();
    if !analysed
        || !asked
        || !is_hindered(cx)
        || !is_measurable(cx)
        || d.reached(schedule::due(cx)).is_break()
    {
        return GO_ON;
    }
    let before = d.status.clone();
    let judged = judge(cx, d, true);
    if d.status == before { GO_ON } else { judged }
}

/// Pure: `entries` are the metrics including these measurements.
fn verdict(
    cx: &Context<'_>,
    due: &Due,
    refusal: Option<Failed>,
    unheard: bool,
    entries: &[MetricStatus],
) -> Verdict {
    let mut failed: Vec<Failed> = refusal.into_iter().collect();
    failed.extend(
        of(cx, &due.found, Effect::Bad).map(|(at, a)| (tolerated(metric(cx, at), &entries[at], a), None)),
    );
    let mut broken = of(cx, &due.found, Effect::Broken);
    let counted = broken.clone().any(|(at, _)| schedule::counts_errors(cx, metric(cx, at)));
    let closed = !failed.is_empty() || counted;
    let first_broken = broken.next().map(|(_, a)| Broken::from(a));
    // nothing passes on samples from before the step: there will be some of the step soon, or none at all in the window
    if due.early && !closed && first_broken.is_none() {
        return Verdict::Early;
    }
    // metrics take effect before webhooks have answered
    if unheard && !closed && first_broken.is_none() {
        return Verdict::Unheard;
    }
    if let Some(broken) = first_broken.filter(|_| !closed) {
        return Verdict::Freeze(broken);
    }
    let bad = |(.., effect): (_, _, Effect)| matches!(effect, Effect::Bad | Effect::Broken);
    if !failed.is_empty() || passed_limit(cx, entries).is_some() || standing(cx, entries).any(bad) {
        return Verdict::Fail(failed);
    }
    let decided = cx.step().decided.is_some();
    if !decided && standing(cx, entries).any(|(.., effect)| effect == Effect::Unsure) {
        Verdict::Hold
    } else {
        Verdict::Pass
    }
}

/// The measurements that cause this effect, of the metrics that count; a passing metric causes none.
fn of<'a>(
    cx: &'a Context<'_>,
    found: &'a [(usize, Assessment)],
    wanted: Effect,
) -> impl Iterator<Item = (usize, &'a Assessment)> + Clone {
    let counts =
        |(at, a): &&(usize, Assessment)| !metric(cx, *at).verdict.dry() && a.outcome != MetricOutcome::Pass;
    let all = found.iter().filter(counts);
    all.filter(move |(at, a)| effect(metric(cx, *at), a.outcome) == wanted).map(|(at, a)| (*at, a))
}

/// Writes measurements into status, into the record of the run and into conditions.
fn write_down(cx: &Context<'_>, d: &mut PlanBuilder, due: &Due, entries: &[MetricStatus], ends_window: bool) {
    note_measurements(cx, d, &due.found);
    report_dry_runs(cx, d, due, entries);
    d.status.metrics = entries.to_vec();
    if due.found.iter().any(|(_, a)| a.job.is_some()) {
        d.clear(conditions::JOB_ENDED);
    }
    if ends_window {
        d.judged = Some(schedule::window(cx));
        d.status.step = Some(StepStatus { checked: Some(MicroTime(cx.now)), ..cx.step() });
    }
    let broken = of(cx, &due.found, Effect::Broken).next().map(|(_, a)| Broken::from(a));
    if due.whole || broken.is_some() {
        thaw(cx, d, entries, broken.as_ref());
    }
}

/// Counts a failed check, and ends the run if it was one too many, or if a limit of a metric is exceeded.
fn fail(cx: &Context<'_>, d: &mut PlanBuilder, failed: &[Failed], entries: &[MetricStatus]) {
    if failed.is_empty() || halt(cx, d, failed).is_continue() {
        end_at_limit(cx, d, entries);
    }
}

fn metric<'c>(cx: &'c Context<'_>, at: usize) -> &'c CanaryMetric {
    &cx.checks.metrics[at]
}

/// The text of a failed check, and the same with a server's answer in it.
type Failed = (String, Option<String>);

/// Why the webhooks of the window refused, if one did; and whether answers are missing.
fn window_webhooks(cx: &Context<'_>, d: &mut PlanBuilder) -> (Option<Failed>, bool) {
    match webhooks::ask(cx, d, HookKind::Rollout, schedule::window(cx)) {
        Reply::Unheard => (None, true),
        Reply::Yes(_) => (None, false),
        Reply::No(said) => (Some(cx.messages.check_failed(HookKind::Rollout, &said)), false),
    }
}

/// Writes these measurements into the record of the run.
fn note_measurements(cx: &Context<'_>, d: &mut PlanBuilder, found: &[(usize, Assessment)]) {
    let entries = entries::all(cx);
    for (at, assessment) in found {
        history::measured(cx, d, &entries[*at], assessment);
    }
}

/// All metrics including these measurements.
fn recorded(cx: &Context<'_>, found: &[(usize, Assessment)]) -> Vec<MetricStatus> {
    let mut entries = entries::all(cx);
    for (at, assessment) in found {
        schedule::record(cx, metric(cx, *at), &mut entries[*at], assessment);
    }
    entries
}

/// Reports metrics that do not count when their outcome changes.
fn report_dry_runs(cx: &Context<'_>, d: &mut PlanBuilder, due: &Due, entries: &[MetricStatus]) {
    let before = entries::all(cx);
    for (at, Assessment { outcome, .. }) in &due.found {
        let changed = before[*at].outcome != Some(*outcome) && *outcome != MetricOutcome::Pass;
        if metric(cx, *at).verdict.dry() && changed {
            d.say(Messages::dry_run(&entries[*at].name, *outcome, &entries[*at].message));
        }
    }
}

/// The text of a failed check, with the metric's own limit.
fn tolerated(m: &CanaryMetric, entry: &MetricStatus, found: &Assessment) -> String {
    match m.verdict.failure_limit.filter(|limit| *limit >= 0) {
        Some(limit) => format!("{} (failed {}, failureLimit {limit})", found.text, entry.failed),
        None => found.text.clone(),
    }
}

/// The effect of the last measurement of each metric that counts.
fn standing<'c>(
    cx: &'c Context<'_>,
    entries: &'c [MetricStatus],
) -> impl Iterator<Item = (&'c CanaryMetric, &'c MetricStatus, Effect)> {
    let all = cx.checks.metrics.iter().zip(entries).filter(|(m, _)| !m.verdict.dry());
    all.filter_map(|(m, entry)| Some((m, entry, effect(m, entry.outcome?))))
}

/// Reports that answers are missing, or no longer are.
fn thaw(cx: &Context<'_>, d: &mut PlanBuilder, entries: &[MetricStatus], broken: Option<&Broken>) {
    if let Some(broken) = broken {
        outage::counted(d, broken);
    } else if !standing(cx, entries).any(|(.., e)| e == Effect::Broken) && d.clear(conditions::FROZEN) {
        d.say(Messages::thawed());
    }
}

/// One more failed check; ends the run if it was one too many.
pub(crate) fn halt(cx: &Context<'_>, d: &mut PlanBuilder, failed: &[Failed]) -> Flow {
    let checks = cx.status().failed_checks.saturating_add(1);
    d.status.failed_checks = checks;
    let texts: Vec<_> = failed.iter().map(|(text, _)| text.as_str()).collect();
    let all = format!("failed checks {checks}/{}: {}", cx.c.threshold, texts.join("; "));
    d.condition(conditions::HALTED, "True", "ChecksFailed", &all);
    if let Some((text, quote)) = failed.first() {
        d.say(Messages::halted(text, quote.clone()));
    }
    if checks < cx.c.threshold {
        return GO_ON;
    }
    d.say(cx.messages.threshold_reached(checks));
    ending::begin(cx, d, EndingKind::RollingBack, "ThresholdReached", &all)
}

/// Why a metric's own limit is exceeded, if one is.
fn passed_limit(cx: &Context<'_>, entries: &[MetricStatus]) -> Option<String> {
    let mut all = cx.checks.metrics.iter().zip(entries).filter(|(m, _)| !m.verdict.dry());
    all.find_map(|(m, entry)| schedule::passed_limit(m, entry))
}

/// Earlier measurements have exceeded a metric's own limit: the run ends.
pub(crate) fn limit_passed(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    let entries = entries::all(cx);
    if passed_limit(cx, &entries).is_none() {
        return GO_ON;
    }
    end_at_limit(cx, d, &entries);
    WAIT
}

/// Ends the run if a metric's own limit is exceeded.
fn end_at_limit(cx: &Context<'_>, d: &mut PlanBuilder, entries: &[MetricStatus]) {
    let Some(why) = passed_limit(cx, entries) else { return };
    d.condition(conditions::HALTED, "True", "LimitReached", &why);
    d.say(cx.messages.limit_reached(&why));
    ignore(ending::begin(cx, d, EndingKind::RollingBack, "LimitReached", &why));
}

/// Neither good nor bad: the weight stays, and beyond the tolerance of the metrics a person decides.
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
        d.say(cx.messages.inconclusive(&text, &place::decision(&d.status, d.status.epoch)));
    } else {
        d.say(Messages::held(reason, &text));
    }
}

fn passed(cx: &Context<'_>, d: &mut PlanBuilder, held: bool, entries: &[MetricStatus]) -> Flow {
    d.clear(conditions::HALTED);
    wait_unless(WaitingFor::of(cx) != Some(WaitingFor::Inconclusive))?;
    comparisons::unproven(cx, d, entries)?;
    let step = cx.step();
    let began = step.confirmed.as_ref().map_or(cx.now, |t| t.0);
    let whole = cx.phase() == Phase::Progressing && step.shortened.is_none();
    let lasts = whole && cx.now < clock::after(began, cx.planned(step.index).hold);
    let stays = held || lasts || schedule::unready(cx, entries).is_some() || jobs::pending(cx, entries);
    match if stays { StepGate::Waits } else { gates::leave(cx, d, vec![]) } {
        StepGate::Yes => {
            if step.decided.is_some() {
                released::forgive(cx, d);
            }
            // the next write is about the next step
            d.status.step = Some(step);
            GO_ON
        }
        StepGate::Waits | StepGate::Ended => WAIT,
        // a gate that is polled, or waits for its answer, does not move the window
        shut @ (StepGate::Shut | StepGate::Unheard) => {
            d.status.step = Some(step);
            d.status.metrics.clone_from(&cx.status().metrics);
            d.judged = d.judged.filter(|_| shut == StepGate::Shut);
            WAIT
        }
    }
}
