//! Looks of comparisons with the primary: when they are due, their results, and what a run waits for until
//! the canary is found no worse.
//!
//! The result of looks is kept in status, and written with the end of a window. Until then they are queried again, for
//! their own times, so that an operator that takes over in between gets the same result.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    analysis::{self, Assessment, Comparing, Failure, Query, Span, Tally},
    api::{Afterwards, CanaryMetric, CompareStatus, CompareVerdict, MetricOutcome, MetricStatus, Undecided},
    clock,
    plan::{
        analysis::{entries, measurable::is_measurable},
        builder::PlanBuilder,
        context::Context,
        model::Question,
    },
    statistics::{Evidence, Look},
};

/// Samples appear up to this long after their time.
const LATE: Duration = Duration::from_secs(5);
/// A look is asked again, and not written, for this long after its end, or for so many looks: some servers show samples later.
const SETTLES: Duration = Duration::from_secs(30);
const SETTLES_IN: u32 = 4;
/// So many looks, or so much time, become one while only one side is counted in them: as long as most scrape intervals.
const ONE_SIDED: usize = 4;
const ONE_SIDED_FOR: Duration = Duration::from_secs(60);
/// If so many others, or so much time, have come together, their result is written.
const KEPT: usize = 6;
const KEPT_FOR: Duration = Duration::from_secs(120);
/// If more looks were missed, they become one: single looks of that time cannot be queried reliably any more.
const MISSED: usize = 16;
const MISSED_FOR: Duration = Duration::from_secs(240);

/// The weight at which the primary has no requests.
const ALL: i32 = 100;

/// The comparison of a metric according to status.
struct Standing {
    comparing: Comparing,
    evidence: Evidence,
    began: Timestamp,
    until: Timestamp,
}

/// The result of the looks in this pass.
struct Found {
    /// The status to store.
    status: CompareStatus,
    /// The number of looks that are not stored yet,
    looks: usize,
    /// and of those that can be.
    settled: usize,
    /// Counts of the last interval.
    counted: Tally,
    /// Why the next one could not be read.
    unread: Option<Failure>,
}

/// The effect of a comparison on the measurement of its metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// It is undecided at the step that decides: the promotion waits, or the step to all requests.
    Waits,
    /// It has been undecided for too long, and a person decides.
    Person,
    /// It has been undecided for too long, and the run is rolled back.
    Rollback,
}

/// Some metric compares.
pub(crate) fn any(cx: &Context<'_>) -> bool {
    cx.checks.metrics.iter().any(|m| m.verdict.compare.is_some())
}

fn standing(cx: &Context<'_>, m: &CanaryMetric, entry: &MetricStatus) -> Option<Standing> {
    let comparing = analysis::comparing(&cx.c, &cx.checks, m)?.ok()?;
    let began = entries::since(cx, m, entry)?;
    let stored = entry.compare.as_ref();
    let until = stored.and_then(|stored| stored.until.as_ref()).map_or(began, |until| until.0);
    // with other margins it starts over
    let alike = stored.filter(|stored| stored.wanted == comparing.wanted());
    let evidence = alike.and_then(|stored| Evidence::of_text(&stored.state));
    let evidence = evidence.unwrap_or_else(|| Evidence::new(comparing.known));
    Some(Standing { comparing, evidence, began, until })
}

/// The metrics that currently compare, by position.
fn all(cx: &Context<'_>) -> Vec<(usize, Standing)> {
    if !any(cx) {
        return vec![];
    }
    let entries = entries::all(cx);
    let each = cx.checks.metrics.iter().zip(&entries).enumerate();
    each.filter_map(|(at, (m, entry))| Some((at, standing(cx, m, entry)?))).collect()
}

impl Standing {
    /// The looks that can be taken by `now` and are not stored, in order.
    fn spans(&self, now: Timestamp) -> Vec<Span> {
        let every = self.comparing.every;
        let passed = clock::until(now, clock::after(self.until, LATE));
        let looks = u32::try_from(passed.as_millis() / every.as_millis().max(1)).unwrap_or(u32::MAX);
        let span = |from: u32, to: u32| Span {
            began: self.began,
            from: clock::after(self.until, every.saturating_mul(from)),
            to: clock::after(self.until, every.saturating_mul(to)),
        };
        let many = looks as usize > MISSED || looks > 1 && every.saturating_mul(looks) > MISSED_FOR;
        if many { vec![span(0, looks)] } else { (0..looks).map(|at| span(at, at + 1)).collect() }
    }

    /// The earliest time of the next check.
    fn next(&self, now: Timestamp) -> Timestamp {
        let first = clock::after(self.until, LATE);
        let every = self.comparing.every;
        let passed = clock::until(now, first).as_millis() / every.as_millis().max(1);
        let more = u32::try_from(passed).unwrap_or(u32::MAX).saturating_add(1);
        clock::after(first, every.saturating_mul(more))
    }
}

/// The counts to query now.
pub(crate) fn questions(cx: &Context<'_>) -> Vec<Question> {
    let builtin = cx.router.queries();
    let one = |(at, standing): (usize, Standing)| {
        let spans = standing.spans(cx.now);
        spans.into_iter().filter_map(move |span| {
            let m = cx.checks.metrics.get(at)?;
            let query: Query = analysis::counting(&cx.c, &cx.checks, m, builtin, span).ok()?;
            Some(Question::Count { metric: at, from: span.from, to: span.to, query })
        })
    };
    all(cx).into_iter().flat_map(one).collect()
}

/// When the first look is due that is not stored.
pub(crate) fn due(cx: &Context<'_>) -> Option<Timestamp> {
    let first = |(_, s): (usize, Standing)| clock::after(clock::after(s.until, s.comparing.every), LATE);
    all(cx).into_iter().map(first).min()
}

/// Wakes when the next look can be taken.
pub(crate) fn wake(cx: &Context<'_>, d: &mut PlanBuilder, asked: Timestamp) {
    if is_measurable(cx)
        && let Some(next) = all(cx).iter().map(|(_, standing)| standing.next(asked)).min()
    {
        d.wake_at(next);
    }
}

/// The state with the answered looks. A look that could not be read does not count: the next one begins at its
/// beginning. The verdict is of all looks, and what is stored to go on from is of those that are old enough.
fn found(cx: &Context<'_>, at: usize, standing: Standing, asked: Timestamp) -> Found {
    let spans = standing.spans(asked);
    let Standing { comparing, mut evidence, mut until, .. } = standing;
    let (mut looks, mut counted, mut unread) = (0, Tally::default(), None);
    let (mut stored, mut settled, mut open) = (evidence.to_text(), 0, Open::default());
    let every = comparing.every;
    for span in spans {
        match cx.answers.counts.get(&(at, span.to)) {
            Some(Ok(tally)) => {
                open = open.and(tally, span.to.duration_since(span.from).as_secs_f64());
                if open.waits_for_a_side(&evidence) {
                    continue;
                }
                let Open { counts: Tally { canary, primary }, seconds, .. } = open;
                evidence.look(&comparing.settings, &Look { canary, primary, seconds });
                // looks of the window before may be asked again as well
                if clock::until(asked, span.to) < cx.c.interval.saturating_add(LATE) {
                    counted = counted.and(&open.counts);
                }
                looks += open.looks;
                open = Open::default();
                if is_settled(&span, every, asked) {
                    (stored, until, settled) = (evidence.to_text(), span.to, looks);
                }
            }
            Some(Err(failure)) => {
                unread = Some(failure.clone());
                break;
            }
            None => break,
        }
    }
    let status = analysis::compared(&comparing, &evidence, &counted);
    let status = CompareStatus { until: Some(MicroTime(until)), state: stored, ..status };
    Found { status, looks, settled, counted, unread }
}

/// No more samples of this look are expected. Many looks that became one are not asked again.
fn is_settled(span: &Span, every: Duration, asked: Timestamp) -> bool {
    let settles = SETTLES.min(every.saturating_mul(SETTLES_IN));
    asked >= clock::after(span.to, settles) || clock::until(span.to, span.from) > every
}

/// Looks that become one, until both sides are counted in it.
#[derive(Clone, Copy, Default)]
struct Open {
    counts: Tally,
    seconds: f64,
    looks: usize,
}

impl Open {
    fn and(self, tally: &Tally, seconds: f64) -> Self {
        Self { counts: self.counts.and(tally), seconds: self.seconds + seconds, looks: self.looks + 1 }
    }

    /// Only one side was counted: the other may be scraped at other times, and failures in such a look would prove nothing.
    /// This depends on the requests only, not on how many of them failed.
    fn waits_for_a_side(&self, evidence: &Evidence) -> bool {
        let both_began = evidence.counted().0.all > 0 && evidence.counted().1.all > 0;
        let lonely = (self.counts.canary.all == 0) != (self.counts.primary.all == 0);
        lonely && self.looks < ONE_SIDED && self.seconds < ONE_SIDED_FOR.as_secs_f64() && both_began
    }
}

fn all_found(cx: &Context<'_>, asked: Timestamp) -> Vec<(usize, Found)> {
    all(cx).into_iter().map(|(at, standing)| (at, found(cx, at, standing, asked))).collect()
}

/// Why a metric that counts is found worse, with all entries to store.
pub(crate) fn worse(cx: &Context<'_>, asked: Timestamp) -> Option<(usize, Vec<MetricStatus>, String)> {
    let found = all_found(cx, asked);
    let counts = |(at, found): &&(usize, Found)| {
        found.status.verdict == Some(CompareVerdict::Worse) && !cx.checks.metrics[*at].verdict.dry()
    };
    let (at, first) = found.iter().find(counts)?;
    let why = format!("metric {}: {}", cx.checks.metrics[*at].name, first.status.message);
    let mut entries = stored(cx, &found);
    let entry = &mut entries[*at];
    entry.outcome = Some(MetricOutcome::Fail);
    entry.measured = Some(MicroTime(cx.now));
    entry.failed = entry.failed.saturating_add(1);
    entry.failed_in_row = entry.failed_in_row.saturating_add(1);
    entry.message.clone_from(&first.status.message);
    Some((*at, entries, why))
}

/// All entries with the results of looks.
fn stored(cx: &Context<'_>, found: &[(usize, Found)]) -> Vec<MetricStatus> {
    let mut entries = entries::all(cx);
    for (at, found) in found.iter().filter(|(_, found)| found.looks > 0) {
        entries[*at].compare = Some(found.status.clone());
    }
    entries
}

/// Writes the results of looks if there are many.
pub(crate) fn keep(cx: &Context<'_>, d: &mut PlanBuilder, asked: Timestamp) {
    let found = all_found(cx, asked);
    let many = |(at, found): &(usize, Found)| {
        let every = analysis::comparing(&cx.c, &cx.checks, &cx.checks.metrics[*at]);
        let every = every.and_then(Result::ok).map_or(KEPT_FOR, |comparing| comparing.every);
        let looks = u32::try_from(found.settled).unwrap_or(u32::MAX);
        found.settled >= KEPT || found.settled > 0 && every.saturating_mul(looks) >= KEPT_FOR
    };
    if found.iter().any(many) {
        d.status.metrics = stored(cx, &found);
    }
}

/// A measurement with the verdict of its metric's comparison.
pub(crate) fn beside(cx: &Context<'_>, at: usize, asked: Timestamp, mut found: Assessment) -> Assessment {
    let Some((_, standing)) = all(cx).into_iter().find(|(other, _)| *other == at) else { return found };
    let holds = standing.comparing.undecided == Undecided::Hold;
    let of = self::found(cx, at, standing, asked);
    let name = &cx.checks.metrics[at].name;
    if let Some(failure) = of.unread {
        return unread(found, name, of.status, &failure);
    }
    let (verdict, message) = (of.status.verdict, of.status.message.clone());
    let outcome = match verdict {
        Some(CompareVerdict::Worse) => Some(MetricOutcome::Fail),
        // if the primary is also beyond the limit, nothing is concluded for or against the canary
        Some(CompareVerdict::Held) if found.outcome == MetricOutcome::Pass => {
            Some(MetricOutcome::Inconclusive)
        }
        Some(CompareVerdict::Held)
            if found.outcome == MetricOutcome::Fail && is_primary_outside(cx, at, &of.counted) =>
        {
            Some(MetricOutcome::Inconclusive)
        }
        Some(CompareVerdict::Undecided) if holds && found.outcome == MetricOutcome::Pass => {
            Some(MetricOutcome::Inconclusive)
        }
        _ => None,
    };
    if let Some(outcome) = outcome {
        found.outcome = outcome;
        found.text = format!("metric {name}: {message}");
        found.quote = None;
    }
    found.compared = Some(Box::new(analysis::Compared { status: of.status, decides: outcome.is_some() }));
    found
}

/// The text if the next look could not be read: former conclusions are not repeated.
fn unread(mut found: Assessment, name: &str, status: CompareStatus, failure: &Failure) -> Assessment {
    let text = |why: &str| format!("the counts of metric {name} could not be read: {why}");
    // a bad value stays bad
    if found.outcome != MetricOutcome::Fail {
        found.outcome = MetricOutcome::Error;
        found.text = text(&failure.why);
        found.quote = failure.quote.as_deref().map(text);
    }
    let message = format!("Undecided: the counts could not be read: {}", failure.why);
    let status = CompareStatus { verdict: Some(CompareVerdict::Unread), message, ..status };
    found.compared = Some(Box::new(analysis::Compared { status, decides: false }));
    found
}

/// The primary, too, is outside the range of the metric in these looks.
fn is_primary_outside(cx: &Context<'_>, at: usize, counted: &Tally) -> bool {
    let (range, _) = analysis::limits::bounds(&cx.checks.metrics[at]);
    let success = counted.primary.rate().map(|failed| 100.0 * (1.0 - failed));
    let least = range.and_then(|range| range.min);
    success.zip(least).is_some_and(|(success, least)| success < least)
}

/// The step after which comparisons have to have decided: the last one, or the one before all requests go to the canary,
/// from when nothing can be compared any more.
pub(crate) fn decides(cx: &Context<'_>) -> bool {
    let next = cx.c.schedule.get(cx.steps_done());
    next.is_none_or(|next| next.weight >= ALL && cx.step().weight < ALL)
}

/// What is missing before a promotion: a metric that is not found no worse, in its own words.
pub(crate) fn wanting(cx: &Context<'_>, entries: &[MetricStatus]) -> Option<String> {
    lacking(cx, entries).into_iter().find(|(_, stand)| stand.is_some()).map(|(why, _)| why)
}

/// The effect of that at the step that decides; of several, the most serious.
pub(crate) fn stand(cx: &Context<'_>, entries: &[MetricStatus]) -> Option<(Stand, String)> {
    let all: Vec<_> =
        lacking(cx, entries).into_iter().filter_map(|(why, stand)| Some((stand?, why))).collect();
    let gravest = [Stand::Rollback, Stand::Person, Stand::Waits];
    let stand = gravest.into_iter().find(|stand| all.iter().any(|(other, _)| other == stand))?;
    let texts: Vec<_> = all.into_iter().map(|(_, why)| why).collect();
    Some((stand, texts.join("; ")))
}

fn lacking(cx: &Context<'_>, entries: &[MetricStatus]) -> Vec<(String, Option<Stand>)> {
    let step = cx.step();
    // it was decided before: now the primary has no requests
    if step.weight >= ALL {
        return vec![];
    }
    let began = step.confirmed.map_or(cx.now, |t| t.0);
    let one = |(m, entry): (&CanaryMetric, &MetricStatus)| {
        let comparing = analysis::comparing(&cx.c, &cx.checks, m)?.ok()?;
        let known = entry.compare.as_ref().filter(|known| known.wanted == comparing.wanted());
        if m.verdict.dry() || known.is_some_and(|known| known.verdict == Some(CompareVerdict::NoWorse)) {
            return None;
        }
        let text = known.map_or("Undecided: nothing has been counted yet", |known| known.message.as_str());
        let overdue = comparing.decide_within.is_some_and(|within| cx.now >= clock::after(began, within));
        let stand = match comparing.afterwards {
            _ if !overdue => Some(Stand::Waits),
            Afterwards::Wait => Some(Stand::Person),
            Afterwards::Rollback => Some(Stand::Rollback),
            // not without any data
            Afterwards::Promote if known.is_none_or(|known| known.canary.is_none_or(|c| c.requests == 0)) => {
                Some(Stand::Person)
            }
            Afterwards::Promote => None,
        };
        Some((format!("metric {}: {text}", entry.name), stand))
    };
    cx.checks.metrics.iter().zip(entries).filter_map(one).collect()
}
