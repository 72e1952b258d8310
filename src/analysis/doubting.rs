//! A built-in check also asks whether its counters have fresh samples, whether they were reset, and whether they are stored
//! in a form that it does not read. Queries of users cannot be read that closely.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{
    doubt::Doubt,
    provider_kinds,
    query::{Ask, Query, Role, Since},
    reading::Reading,
};
use crate::api::MetricOutcome;

/// How far back the samples of the primary are looked for, at least: longer than servers are usually behind.
const LOOK_BACK: Duration = Duration::from_secs(60);
/// A window is looked at for its newest sample at as many moments as this,
const MOMENTS: u32 = 8;
/// and at least this often: a server with a short lookback shows a sample for that long only.
const LONGEST_STEP: Duration = Duration::from_secs(10);
/// but at no more moments than this, whatever the window: servers bound the samples of a query.
const MOST_MOMENTS: u32 = 64;

/// The query also asks for reasons not to trust its answer, in a run and at a step that began then, for a check that was
/// `due` then.
/// The text of others than built-in ones stays as it is.
#[must_use]
pub(crate) fn doubting(query: Query, since: Since, due: Timestamp) -> Query {
    let Some(counters) = &query.counters else { return Query { since: Some(since), ..query } };
    let began = since.step;
    let window = provider_kinds::window(&query.window);
    let own = &counters.own;
    let resets = all(own, |series| format!("resets({series}[{}])", query.window));
    let mut doubts = vec![Doubt::Reset.asked(&format!("sum({resets}) > 0"))];
    let newest = newest(own, window, window);
    if due.duration_since(began) < signed(window) {
        let condition = format!("vector(1) unless on() ({newest} >= {})", seconds(began));
        doubts.push(Doubt::Early.asked(&condition));
    }
    // how old that may be is told where the answer is read: a server that answers for some time ago takes that for now
    doubts.push(Doubt::Late { seconds: 0 }.asked(&newest));
    if !counters.primary.is_empty() {
        let newest = self::newest(&counters.primary, LOOK_BACK.max(window * 4), window);
        doubts.push(Doubt::Behind { seconds: 0 }.asked(&newest));
    }
    if !counters.histograms.is_empty() {
        let native = all(&counters.histograms, |(native, _)| native.clone());
        let classic = all(&counters.histograms, |(_, classic)| classic.clone());
        let condition = format!("count({native}) unless on() count({classic})");
        doubts.push(Doubt::Native.asked(&condition));
    }
    Query { doubts, ..query }
}

/// PromQL for the time of the newest sample within `range`: also of one that the server's lookback no longer shows, or that
/// a stale marker hides.
fn newest(series: &[String], range: Duration, window: Duration) -> String {
    let step = (window / MOMENTS).min(LONGEST_STEP).max(range / MOST_MOMENTS).as_millis().max(1);
    let range = range.as_millis();
    let one = |s: &String| format!("timestamp({s}) or max_over_time(timestamp({s})[{range}ms:{step}ms])");
    format!("max({})", all(series, one))
}

/// PromQL for all of these series.
fn all<T>(each: &[T], text: impl Fn(&T) -> String) -> String {
    each.iter().map(text).collect::<Vec<_>>().join(" or ")
}

/// A time as PromQL writes numbers.
fn seconds(time: Timestamp) -> String {
    let millis = time.as_millisecond();
    format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000))
}

fn signed(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}

/// The text that is sent for a query.
pub(crate) fn sent(query: &Query) -> String {
    match query.doubts.as_slice() {
        [] => query.promql.clone(),
        doubts => format!("({}) or {}", query.promql, doubts.join(" or ")),
    }
}

/// Why the outcome of the metric at this position cannot be acted on, and for how long after it was due that is nothing
/// out of the ordinary.
pub(crate) fn unsettled(
    at: usize,
    outcome: MetricOutcome,
    asks: &[Ask],
    readings: &BTreeMap<usize, Reading>,
) -> Option<(Doubt, Duration)> {
    let mine = asks.iter().enumerate().filter(|(_, ask)| ask.metric == at && ask.role == Role::Value);
    let doubted = |(index, ask): (usize, &Ask)| match readings.get(&index)? {
        Reading::Doubted { doubt, .. } => {
            Some((*doubt, provider_kinds::window(&ask.query.as_ref().ok()?.window)))
        }
        _ => None,
    };
    let (doubt, window) = mine.filter_map(doubted).min()?;
    let matters = match doubt {
        Doubt::Behind { .. } => {
            matches!(outcome, MetricOutcome::Pass | MetricOutcome::NoData | MetricOutcome::Inconclusive)
        }
        Doubt::Former => outcome != MetricOutcome::Error,
        Doubt::Late { .. } | Doubt::Early => outcome == MetricOutcome::Pass,
        Doubt::Reset => outcome == MetricOutcome::Error,
        Doubt::Native => false,
    };
    matters.then_some((doubt, window))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        analysis::{Checks, asks},
        api::Reporter,
        manifest::fixture,
        router,
    };

    const DUE: &str = "2026-11-28T12:00:00.25Z";
    const OWN: &str = r#"istio_requests_total{reporter="destination",destination_workload_namespace="test",destination_workload=~"podinfo"}"#;

    /// Of one reporter, where there are two.
    fn query(router: &str, metric: serde_json::Value) -> Query {
        let metrics = vec![serde_json::from_value(metric).unwrap()];
        let checks = Checks { metrics, ..Checks::default() };
        let builtin = router::by_name(router).unwrap().queries();
        let mut c = fixture::canary(&json!({}));
        c.analysis.reporter = Some(Reporter::Destination);
        asks(&c, &checks, builtin).remove(0).query.unwrap()
    }

    fn asked(query: &Query, step_lasts: i64) -> Query {
        let due: Timestamp = DUE.parse().unwrap();
        let step = due - SignedDuration::from_secs(step_lasts);
        doubting(query.clone(), Since { run: step, step }, due)
    }

    #[test]
    fn f55_built_in_checks_ask_for_resets_and_for_a_sample_of_the_step() {
        for name in ["request-success-rate", "request-duration"] {
            let plain = query("istio", json!({"name": name}));
            assert_eq!(sent(&plain), plain.promql);
            let early = asked(&plain, 20);
            assert_eq!(
                early.doubts[0],
                format!(r#"label_replace(sum(resets({OWN}[1m])) > 0, "serin_doubt", "reset", "", "")"#)
            );
            let newest = format!("max(timestamp({OWN}) or max_over_time(timestamp({OWN})[60000ms:7500ms]))");
            assert_eq!(
                early.doubts[1],
                format!(
                    r#"label_replace(vector(1) unless on() ({newest} >= 1795867180.250), "serin_doubt", "early", "", "")"#
                )
            );
            assert!(sent(&early).starts_with(&format!("({}) or {} or ", plain.promql, early.doubts[0])));
        }
    }

    #[test]
    fn v1_the_newest_sample_is_asked_for_at_every_step_in_the_same_words() {
        let plain = query("istio", json!({"name": "request-success-rate", "interval": "30s"}));
        let newest = format!("max(timestamp({OWN}) or max_over_time(timestamp({OWN})[30000ms:3750ms]))");
        let late = format!(r#"label_replace({newest}, "serin_doubt", "late", "", "")"#);
        for step_lasts in [30, 45, 300] {
            assert_eq!(asked(&plain, step_lasts).doubts[1], late);
        }
        assert_eq!(asked(&plain, 10).doubts[2], late);
        assert!(asked(&plain, 10).doubts[1].contains(">= 1795867190.250"));
        // a day is looked at as often as an hour
        let day = query("istio", json!({"name": "request-success-rate", "interval": "1d"}));
        assert!(asked(&day, 300).doubts.iter().all(|text| !text.contains(":10000ms]")));
    }

    #[test]
    fn v2_the_primary_tells_whether_the_server_is_behind() {
        let plain = query("istio", json!({"name": "request-success-rate", "interval": "30s"}));
        let primary = OWN.replace("podinfo", "podinfo-primary");
        let behind = &asked(&plain, 30).doubts[2];
        assert!(behind.contains(&format!("timestamp({primary})[120000ms:3750ms]")), "{behind}");
        assert!(behind.contains(r#""behind""#), "{behind}");
        // a selector that does not name the target says nothing of the primary
        let plain = query("contour", json!({"name": "request-success-rate"}));
        assert!(!sent(&asked(&plain, 60)).contains("behind"));
    }

    #[test]
    fn v15_samples_are_seen_that_a_short_lookback_no_longer_shows() {
        // an instant query of a plain series finds nothing where the last scrape is longer ago than the lookback, or where a
        // stale marker stands: so each sample in question is looked for over the whole window, in steps below usual lookbacks
        for (interval, range, step) in
            [("10s", 10_000, 1250), ("30s", 30_000, 3750), ("1m", 60_000, 7500), ("5m", 300_000, 10_000)]
        {
            let plain = query("istio", json!({"name": "request-success-rate", "interval": interval}));
            let early = &asked(&plain, 1).doubts[1];
            assert!(
                early.contains(&format!("max_over_time(timestamp({OWN})[{range}ms:{step}ms])")),
                "{early}"
            );
            assert!(early.starts_with("label_replace(vector(1) unless on() ("), "{early}");
        }
    }

    #[test]
    fn v10_a_histogram_of_the_native_form_is_asked_for() {
        let native = |router, name| {
            let query = asked(&query(router, json!({"name": name})), 60);
            query.doubts.into_iter().find(|text| text.contains(r#""native""#))
        };
        let text = native("kubernetes", "request-success-rate").unwrap();
        assert!(text.contains("count(http_request_duration_seconds{"), "{text}");
        assert!(text.contains("unless on() count(http_request_duration_seconds_count{"), "{text}");
        let text = native("istio", "request-duration").unwrap();
        assert!(text.contains("unless on() count(istio_request_duration_milliseconds_bucket{"), "{text}");
        assert_eq!(native("istio", "request-success-rate"), None);
    }

    #[test]
    fn queries_of_users_are_sent_as_they_are() {
        assert_eq!(sent(&asked(&query("istio", json!({"name": "mine", "query": "up"})), 1)), "up");
    }
}
