//! The tolerance of a comparison with the primary, from its metric, and why one is not possible.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{checks::Checks, go};
use crate::{
    api::{Afterwards, CanaryMetric, Compare, Undecided, duration},
    router::{self, Router},
    spec::{
        Strategy, Validated,
        metric_names::{SUCCESS_RATE, canonical},
    },
    statistics::{Known, Settings, Wide},
};

/// Default time between two looks.
const EVERY: Duration = Duration::from_secs(15);
/// Shortest time between two looks.
const SHORTEST: Duration = Duration::from_secs(1);
/// Highest permitted error rate in percent.
const MOST_WRONG: f64 = 50.0;
/// How many failures come together at most, for *no worse* and where nothing is said. Without any such number a time without
/// failures proves nothing.
const TOGETHER: f64 = 10.0;
/// Highest number of failures that may count as one.
const LARGEST_BURST: i32 = 100_000;

/// How the canary is compared with the primary.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Comparing {
    /// The tolerance.
    pub(crate) settings: Settings,
    /// The knowledge about the service.
    pub(crate) known: Known,
    /// Time between two looks.
    pub(crate) every: Duration,
    /// What the run does while the comparison is undecided.
    pub(crate) undecided: Undecided,
    /// How long it may be undecided at the last step.
    pub(crate) decide_within: Option<Duration>,
    /// What happens then.
    pub(crate) afterwards: Afterwards,
}

impl Comparing {
    /// Tolerance and settings in words: evidence that was collected under others is not continued.
    pub(crate) fn wanted(&self) -> String {
        let s = &self.settings;
        let percent = |rate: f64| go::v(rounded(100.0 * rate));
        let times = match s.wide {
            Wide::Times(times) => go::v(times),
            Wide::NotJudged => "any".into(),
        };
        let burst = self.known.burst.map_or_else(|| "unknown".into(), go::v);
        let assumed = s.burst_ok.filter(|_| self.known.burst.is_none());
        let assumed =
            assumed.map(|size| format!(", at most {} for no worse", go::v(size))).unwrap_or_default();
        format!(
            "worse: more than {} times the primary's rate and {} %, by evidence of {}; no worse: less than {} times, or \
             {} %, by evidence of {}; hiccup {} s, warm-up {} s with {times} times the margins; failures at a time: {burst}{assumed}",
            go::v(s.ratio),
            percent(s.floor),
            go::v(rounded(s.wanted())),
            go::v(s.ratio_ok),
            percent(s.floor_ok),
            go::v(rounded(s.wanted_ok())),
            go::v(s.hiccup),
            go::v(s.warmup),
        )
    }
}

/// To six digits after the point, to hide the rest of a division.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// Reads the settings of a metric; none if it does not compare.
///
/// # Errors
/// A field, what is wrong with it and what to write instead.
pub(crate) fn comparing(
    c: &Validated,
    checks: &Checks,
    m: &CanaryMetric,
) -> Option<Result<Comparing, String>> {
    let compare = m.verdict.compare.as_ref()?;
    Some(read(c, checks, compare))
}

fn read(c: &Validated, checks: &Checks, compare: &Compare) -> Result<Comparing, String> {
    let every = time("every", compare.every.as_ref(), EVERY.min(c.interval))?;
    if every < SHORTEST || every > c.interval {
        return Err(format!(
            "compare.every is {}: give it a duration from 1s to spec.analysis.interval",
            compare.every.as_deref().unwrap_or_default()
        ));
    }
    let settings = settings(c, checks, compare)?;
    margins(&settings)?;
    let decide_within = compare.decide_within.as_ref();
    let decide_within =
        decide_within.map(|text| time("decideWithin", Some(text), Duration::ZERO)).transpose()?;
    if compare.afterwards.is_some() && decide_within.is_none() {
        return Err("compare.afterwards says what follows after decideWithin: set that as well".into());
    }
    Ok(Comparing {
        settings,
        known: Known { burst: bursts(compare.bursts.as_ref())?, ..Known::NOTHING },
        every,
        undecided: compare.undecided.unwrap_or_default(),
        decide_within,
        afterwards: compare.afterwards.unwrap_or_default(),
    })
}

fn settings(c: &Validated, checks: &Checks, compare: &Compare) -> Result<Settings, String> {
    let usual = Settings::default();
    let rates = c.analysis.error_rates.unwrap_or_default();
    let (worse, no_worse) = (compare.worse.unwrap_or_default(), compare.no_worse.unwrap_or_default());
    let warmup = compare.warmup.clone().unwrap_or_default();
    let seconds = |field, text, default| Ok::<_, String>(time(field, text, default)?.as_secs_f64());
    let hiccup = Duration::from_secs_f64(usual.hiccup);
    let cold = Duration::from_secs_f64(usual.warmup);
    let times = warmup.times.unwrap_or(10.0);
    if !(times >= 1.0 && times.is_finite()) {
        return Err(format!("compare.warmup.times is {}: give it a number from 1", go::v(times)));
    }
    let counted = checks.metrics.iter().filter(|m| m.verdict.compare.is_some() && !m.verdict.dry());
    Ok(Settings {
        alpha: wrong("falseRollback", rates.false_rollback, usual.alpha)?,
        metrics: u32::try_from(counted.count()).unwrap_or(u32::MAX).max(1),
        beta: wrong("falsePromotion", rates.false_promotion, usual.beta)?,
        ratio: worse.ratio.unwrap_or(usual.ratio),
        floor: percent("worse.above", worse.above, usual.floor)?,
        ratio_ok: no_worse.ratio.unwrap_or_else(|| usual.ratio_ok.max(worse.ratio.unwrap_or(1.0))),
        floor_ok: percent("noWorse.below", no_worse.below, usual.floor_ok)?,
        hiccup: seconds("hiccup", compare.hiccup.as_ref(), hiccup)?.max(1.0),
        warmup: seconds("warmup.for", warmup.lasts.as_ref(), cold)?,
        wide: Wide::Times(times),
        burst_ok: compare.bursts.is_none().then_some(TOGETHER),
    })
}

fn time(field: &str, text: Option<&String>, default: Duration) -> Result<Duration, String> {
    let Some(text) = text else { return Ok(default) };
    duration::parse(text.trim())
        .ok_or_else(|| format!("compare.{field} is {text:?}: give it a duration such as 30s or 2m"))
}

fn percent(field: &str, given: Option<f64>, default: f64) -> Result<f64, String> {
    let Some(percent) = given else { return Ok(default) };
    if (0.0..=100.0).contains(&percent) {
        return Ok(percent / 100.0);
    }
    Err(format!("compare.{field} is {}: give it a percentage from 0 to 100", go::v(percent)))
}

fn wrong(field: &str, given: Option<f64>, default: f64) -> Result<f64, String> {
    let Some(percent) = given else { return Ok(default) };
    if percent > 0.0 && percent <= MOST_WRONG {
        return Ok(percent / 100.0);
    }
    Err(format!(
        "spec.analysis.errorRates.{field} is {}: give it a percentage above 0, at most 50",
        go::v(percent)
    ))
}

/// Margins that leave no room between tolerable and worse, or that are impossible.
fn margins(settings: &Settings) -> Result<(), String> {
    let Settings { ratio, floor, ratio_ok, floor_ok, .. } = settings;
    if !(*ratio >= 1.0 && ratio.is_finite()) {
        return Err(format!("compare.worse.ratio is {}: give it a number from 1", go::v(*ratio)));
    }
    if !(ratio_ok >= ratio && ratio_ok.is_finite()) {
        return Err(format!(
            "compare.noWorse.ratio {} is below worse.ratio {}: raise it",
            go::v(*ratio_ok),
            go::v(*ratio)
        ));
    }
    if *floor <= 0.0 || floor_ok < floor {
        return Err(format!(
            "compare.noWorse.below {} is below worse.above {}, or that is not above 0: raise it",
            go::v(rounded(100.0 * floor_ok)),
            go::v(rounded(100.0 * floor))
        ));
    }
    Ok(())
}

fn bursts(given: Option<&IntOrString>) -> Result<Option<f64>, String> {
    match given {
        None => Ok(None),
        Some(IntOrString::String(text)) if text == "unknown" => Ok(None),
        Some(IntOrString::Int(number)) if (1..=LARGEST_BURST).contains(number) => {
            Ok(Some(f64::from(*number)))
        }
        Some(other) => {
            let given = match other {
                IntOrString::Int(number) => number.to_string(),
                IntOrString::String(text) => format!("{text:?}"),
            };
            Err(format!("compare.bursts is {given}: give it a number from 1 to 100000, or unknown"))
        }
    }
}

/// What of a comparison works, but probably not as intended.
pub(super) fn unsuited(c: &Validated, m: &CanaryMetric) -> Option<String> {
    let compare = m.verdict.compare.as_ref().filter(|_| !m.verdict.dry())?;
    let given = compare.bursts.as_ref();
    if compare.decide_within.is_none() && given.is_some() && bursts(given) == Ok(None) {
        return Some(
            "compare.bursts is unknown, so that a release is found no worse by failures only, and never promoted if \
             nothing fails: give bursts a number (serin backtest measures it), or set decideWithin"
                .into(),
        );
    }
    let lists = [("always", &c.analysis.always), ("never", &c.analysis.never)];
    let (field, _) = lists.into_iter().find(|(_, list)| !list.is_empty())?;
    Some(format!(
        "compare counts the requests of spec.analysis.{field} as well, which are not chosen by weight: if many of them fail for \
         reasons of their own, remove it, or compare"
    ))
}

/// Why this metric cannot compare the canary, if it cannot.
pub(crate) fn incomparable(c: &Validated, checks: &Checks, m: &CanaryMetric) -> Option<String> {
    let settings = comparing(c, checks, m)?;
    let v = &m.verdict;
    let own = m.template_ref.is_some() || m.query.as_ref().is_some_and(|query| !query.trim().is_empty());
    let paced = [
        ("period", v.period.is_some()),
        ("count", v.count.is_some()),
        ("initialDelay", v.initial_delay.is_some()),
    ];
    let paced = paced.into_iter().find(|(_, set)| *set);
    if canonical(&m.name) != Some(SUCCESS_RATE) {
        return Some("compare is served for request-success-rate only: remove it here".into());
    }
    if own {
        return Some(
            "compare counts the requests of the router: make another metric of query or templateRef".into(),
        );
    }
    let reporter = c.analysis.reporter.unwrap_or_default();
    let counts = |router: &dyn Router| router.queries().reported_by(reporter).counts.is_some();
    if !router::by_name(&c.provider).is_some_and(counts) {
        return Some(format!(
            "compare is not served with provider {}, only with istio: remove it, or use thresholdRange alone",
            c.provider
        ));
    }
    if c.strategy != Strategy::Weighted {
        return Some(
            "compare needs weights, as both sides must get the same requests: use stepWeight, stepWeights or steps in \
             place of iterations"
                .into(),
        );
    }
    if c.schedule.iter().any(|step| step.mirrored) {
        return Some("compare counts copied requests twice: remove spec.analysis.mirror, or compare".into());
    }
    if !c.analysis.match_.is_empty() {
        return Some(
            "compare needs the same requests on both sides: remove spec.analysis.match, or compare".into(),
        );
    }
    if let Some((field, _)) = paced {
        return Some(format!("compare has looks of its own: remove {field}, or make another metric for it"));
    }
    let start = v.start_at_step.or(c.analysis.start_at_step).unwrap_or(0);
    let mut measured = c.schedule.iter().skip(usize::try_from(start).unwrap_or_default());
    if measured.all(|step| step.weight <= 0 || step.weight >= 100) {
        return Some(
            "compare needs a step at which both sides have requests: give a weight between 0 and 100".into(),
        );
    }
    settings.err()
}
