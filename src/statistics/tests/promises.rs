//! The promises about evidence, for any looks.

use proptest::prelude::*;

use super::*;

/// A look whose primary is not in trouble if `calm` is known.
fn looks() -> impl Strategy<Value = Vec<Look>> {
    let one = (0_u64..300, 0_u64..6, 1_u64..3000, 0_u64..12, prop_oneof![Just(15.0), Just(5.0), Just(45.0)]);
    let one = one.prop_map(|(n, bad, m, failed, seconds)| look((n, bad.min(n)), (m, failed.min(m)), seconds));
    proptest::collection::vec(one, 0..12)
}

/// Nothing is ever unusual.
fn calm(burst: Option<f64>) -> Known {
    Known { burst, lasts: 1.0, usual: Some(1.0) }
}

fn after(known: Known, settings: &Settings, looks: &[Look]) -> Evidence {
    let mut evidence = Evidence::new(known);
    for look in looks {
        evidence.look(settings, look);
    }
    evidence
}

/// The chances of 0 to `n` of `n`.
fn binomial(n: u64, p: f64) -> Vec<f64> {
    let fact = |k: u64| numbers::ln_gamma(k as f64 + 1.0);
    let ln = |k: u64| fact(n) - fact(k) - fact(n - k) + k as f64 * p.ln() + (n - k) as f64 * (1.0 - p).ln();
    (0..=n).map(|k| ln(k).exp()).collect()
}

/// The mean of `of` after one more look, over all numbers of bad requests of the canary with their probabilities.
fn mean(
    before: &Evidence,
    settings: &Settings,
    chances: &[f64],
    of_bad: impl Fn(u64) -> Look,
    of: impl Fn(&Evidence) -> f64,
) -> f64 {
    let one = |(bad, chance): (usize, &f64)| {
        let mut next = before.clone();
        next.look(settings, &of_bad(bad as u64));
        chance * of(&next).exp()
    };
    chances.iter().enumerate().map(one).sum()
}

fn relative(evidence: &Evidence) -> f64 {
    evidence.finding(&settled()).relative
}

fn absolute(evidence: &Evidence) -> f64 {
    evidence.finding(&settled()).absolute
}

proptest! {
    /// Each bad request falls on the canary with its tolerated share: no look is expected to raise the evidence, by
    /// chance alone, whatever came before.
    #[test]
    fn e1_no_look_at_a_tolerable_share_is_expected_to_raise_the_evidence(
        past in looks(), n in 1_u64..400, m in 1_u64..3000, bad in 0_u64..60, known in any::<bool>(),
    ) {
        let settings = settled();
        let before = after(calm(known.then_some(1.0)), &settings, &past);
        let share = settings.ratio * n as f64 / (settings.ratio * n as f64 + m as f64);
        let next = |failed: u64| look((n.max(bad), failed), (m.max(bad), bad - failed), 15.0);
        prop_assume!(n >= bad && m >= bad);
        let mean = mean(&before, &settings, &binomial(bad, share), next, relative);
        prop_assert!(mean <= relative(&before).exp() * (1.0 + 1e-9), "{} {}", mean, relative(&before).exp());
    }

    #[test]
    fn e1_no_look_at_a_tolerable_rate_is_expected_to_raise_the_evidence(
        past in looks(), n in 1_u64..400, m in 1_u64..3000, failed in 0_u64..20, known in any::<bool>(),
    ) {
        let settings = settled();
        let before = after(calm(known.then_some(1.0)), &settings, &past);
        let next = |bad: u64| look((n, bad), (m, failed.min(m)), 15.0);
        let mean = mean(&before, &settings, &binomial(n, settings.floor), next, absolute);
        prop_assert!(mean <= absolute(&before).exp() * (1.0 + 1e-9), "{} {}", mean, absolute(&before).exp());
    }

    /// The reverse: at the margin of `no worse` its evidence is not expected to rise.
    #[test]
    fn e1_no_look_at_the_margin_is_expected_to_raise_the_evidence_for_no_worse(
        past in looks(), n in 60_u64..400, m in 60_u64..3000, bad in 0_u64..60, known in any::<bool>(),
    ) {
        let settings = settled();
        let before = after(calm(known.then_some(1.0)), &settings, &past);
        let share = settings.ratio_ok * n as f64 / (settings.ratio_ok * n as f64 + m as f64);
        let next = |failed: u64| look((n, failed), (m, bad - failed), 15.0);
        let of = |evidence: &Evidence| numbers::ln_sum(&evidence.ok_relative);
        let mean = mean(&before, &settings, &binomial(bad, share), next, of);
        prop_assert!(mean <= of(&before).exp() * (1.0 + 1e-9), "{} {}", mean, of(&before).exp());
    }

    /// As long as the bad requests of the look stay on one side of the size of a burst: if one more makes them more
    /// than a burst, they count as several instead of one, which may say less.
    #[test]
    fn e2_more_bad_answers_of_the_canary_never_lower_the_evidence(
        past in looks(), n in 1_u64..300, m in 1_u64..3000, failed in 0_u64..12, bad in 0_u64..300,
        burst in prop_oneof![Just(None), Just(Some(1.0)), (1.0..40.0).prop_map(Some)], later in looks(),
    ) {
        let settings = settled();
        let failed = failed.min(m);
        let bad = bad.min(n - 1);
        let size = burst.unwrap_or(f64::INFINITY);
        let is_more = |bad: u64| (bad + failed) as f64 > size;
        prop_assume!(is_more(bad) == is_more(bad + 1) || size <= 1.0);
        let with = |bad: u64| {
            let one = [look((n, bad), (m, failed), 15.0)];
            let whole: Vec<Look> = past.iter().chain(&one).chain(&later).copied().collect();
            after(calm(burst), &settings, &whole)
        };
        let (less, more) = (with(bad), with(bad + 1));
        let (fewer, further) = (less.finding(&settings), more.finding(&settings));
        prop_assert!(further.evidence >= fewer.evidence - 1e-9);
        prop_assert!(further.evidence_ok <= fewer.evidence_ok + 1e-9);
        prop_assert!(further.worse || !fewer.worse);
        prop_assert!(fewer.no_worse || !further.no_worse);
    }

    #[test]
    fn e3_splitting_a_look_in_two_loses_no_request(
        past in looks(), n in 0_u64..300, m in 0_u64..3000, bad in 0_u64..20, failed in 0_u64..20, part in 0.0_f64..1.0,
    ) {
        let settings = Settings::default();
        let of = |all: u64| (all as f64 * part) as u64;
        let (bad, failed) = (bad.min(n), failed.min(m));
        let halves = |all: u64, bad: u64| {
            let first = (of(all), of(bad).min(of(all)));
            (first, (all - first.0, bad - first.1))
        };
        let (canary, primary) = (halves(n, bad), halves(m, failed));
        let whole = [look((n, bad), (m, failed), 30.0)];
        let split = [look(canary.0, primary.0, 15.0), look(canary.1, primary.1, 15.0)];
        let with = |looks: &[Look]| after(Known::NOTHING, &settings, &[&past, looks].concat());
        prop_assert_eq!(with(&whole).counted(), with(&split).counted());
        prop_assert!((with(&whole).time - with(&split).time).abs() < 1e-9);
    }

    #[test]
    fn e4_a_look_without_requests_of_one_side_proves_nothing(
        past in looks(), n in 0_u64..300, seconds in 1.0_f64..600.0, canary in any::<bool>(),
    ) {
        let settings = settled();
        let before = after(calm(Some(1.0)), &settings, &past);
        let mut next = before.clone();
        let (one, none) = ((n, n), (0, 0));
        let (canary, primary) = if canary { (one, none) } else { (none, one) };
        next.look(&settings, &look(canary, primary, seconds));
        let (was, is) = (before.finding(&settings), next.finding(&settings));
        prop_assert_eq!((was.evidence, was.evidence_ok), (is.evidence, is.evidence_ok));
        prop_assert!(!is.no_worse || was.no_worse);
    }

    #[test]
    fn e5_a_clock_that_jumps_changes_nothing(
        past in looks(), seconds in prop_oneof![Just(0.0), Just(-15.0), Just(f64::NAN), Just(f64::INFINITY)],
    ) {
        let settings = settled();
        let before = after(calm(Some(1.0)), &settings, &past);
        let mut next = before.clone();
        next.look(&settings, &look((100, 100), (100, 0), seconds));
        prop_assert_eq!(before, next);
    }

    /// `worse` needs more than one hiccup, whatever the counts of a look.
    #[test]
    fn e6_one_look_never_makes_a_release_worse(
        n in 1_u64..100_000, bad in 1_u64..100_000, m in 1_u64..100_000, burst in prop_oneof![Just(None), Just(Some(1.0))],
    ) {
        let settings = settled();
        let evidence = after(calm(burst), &settings, &[look((n, bad.min(n)), (m, 0), 15.0)]);
        prop_assert!(!evidence.finding(&settings).worse);
    }
}

#[test]
fn e7_two_looks_at_a_release_that_always_fails_are_enough() {
    let settings = settled();
    let evidence = after(calm(Some(1.0)), &settings, &[look((150, 150), (1350, 1), 15.0); 2]);
    assert!(evidence.finding(&settings).worse);
}

#[test]
fn e8_a_canary_without_requests_never_passes() {
    let settings = Settings::default();
    let evidence = after(calm(Some(1.0)), &settings, &[look((0, 0), (5000, 0), 15.0); 400]);
    let found = evidence.finding(&settings);
    assert!(!found.no_worse && !found.worse && found.warm);
}
