//! A built-in check also queries whether its counters have fresh samples, whether they were reset, and whether they are
//! stored in a form that it does not read. Users' queries cannot be analysed in such detail: see `lateness`.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{
    assess::Assessment,
    doubt::Doubt,
    query::{Ask, Counters, Query, Role, Since},
    reading::Reading,
    windows,
};
use crate::api::MetricOutcome;

/// How far back a last sample is looked for, to tell a server that gets none from a canary without requests.
const LOOK_BACK: Duration = Duration::from_secs(3600);
/// A window is searched for its newest sample at this many moments,
const MOMENTS: u32 = 8;
/// at least this often, because a server with a short lookback shows a sample only that long,
const LONGEST_STEP: Duration = Duration::from_secs(10);
/// and at most at this many moments, because servers limit the samples of a query.
const MOST_MOMENTS: u32 = 64;

/// Adds queries for reasons not to trust the answer, for a run and a step that began at these times and a check that
/// was `due` then. `measured`: there were values in this run before. Queries that are not built in stay unchanged.
#[must_use]
pub(crate) fn doubting(query: Query, since: Since, due: Timestamp, measured: bool) -> Query {
    let Some(counters) = &query.counters else { return Query { since: Some(since), ..query } };
    let began = since.step;
    let window = windows::length(&query.window);
    let own = &counters.own;
    let resets = all(own, |series| format!("resets({series}[{}])", query.window));
    let mut doubts = vec![Doubt::Reset.asked(&format!("sum({resets}) > 0"))];
    let newest = newest(own, window, window);
    if due.duration_since(began) < signed(window) {
        let condition = format!("vector(1) unless on() ({newest} >= {})", seconds(began));
        doubts.push(Doubt::Early.asked(&condition));
    }
    // the age limit is applied when the answer is read: a server that answers as of some time ago would use that time
    // as now
    doubts.push(Doubt::Late { seconds: 0 }.asked(&newest));
    if !counters.primary.is_empty() && measured {
        let (own, primary) =
            (self::newest(own, LOOK_BACK, window), self::newest(&counters.primary, LOOK_BACK, window));
        doubts.push(Doubt::Emptied.asked(&format!("vector(1) unless on() ({own} or {primary})")));
    }
    doubts.extend(behind(counters, window));
    if !counters.histograms.is_empty() {
        let native = all(&counters.histograms, |(native, _)| native.clone());
        let classic = all(&counters.histograms, |(_, classic)| classic.clone());
        let condition = format!("count({native}) unless on() count({classic})");
        doubts.push(Doubt::Native.asked(&condition));
    }
    Query { doubts, ..query }
}

/// The query for whether the server is behind; none if the router's series do not distinguish the primary.
pub(super) fn behind(counters: &Counters, window: Duration) -> Option<String> {
    let newest = || newest_of_long(&counters.primary, window);
    (!counters.primary.is_empty()).then(|| Doubt::Behind { seconds: 0 }.asked(&newest()))
}

/// PromQL for the time of the newest sample within `range`, including samples that the server's lookback no longer
/// shows or that a stale marker hides.
pub(super) fn newest(series: &[String], range: Duration, window: Duration) -> String {
    let (step, range) = (step(range, window).as_millis(), range.as_millis());
    let one = |s: &String| format!("timestamp({s}) or max_over_time(timestamp({s})[{range}ms:{step}ms])");
    format!("max({})", all(series, one))
}

/// The same as far back as [`LOOK_BACK`], exact within the time in which a server counts as behind, and coarse before that.
fn newest_of_long(series: &[String], window: Duration) -> String {
    let near = Doubt::longest_behind(window);
    let far = LOOK_BACK.max(near);
    let (near_step, far_step) = (step(near, window).as_millis(), step(far, window).as_millis());
    let (near, far) = (near.as_millis(), far.as_millis());
    let one = |s: &String| {
        let within = |range, step| format!("max_over_time(timestamp({s})[{range}ms:{step}ms])");
        format!("timestamp({s}) or {} or {}", within(near, near_step), within(far, far_step))
    };
    format!("max({})", all(series, one))
}

/// The time between two moments at which such a range is searched.
fn step(range: Duration, window: Duration) -> Duration {
    (window / MOMENTS).min(LONGEST_STEP).max(range / MOST_MOMENTS).max(Duration::from_millis(1))
}

/// PromQL for the union of these series.
fn all<T>(each: &[T], text: impl Fn(&T) -> String) -> String {
    each.iter().map(text).collect::<Vec<_>>().join(" or ")
}

/// A time in PromQL's number format.
pub(super) fn seconds(time: Timestamp) -> String {
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

/// Why what was found for the metric at this position cannot be used, and for how long after it was due that is
/// normal.
pub(crate) fn unsettled(
    at: usize,
    found: &Assessment,
    asks: &[Ask],
    readings: &BTreeMap<usize, Reading>,
) -> Option<(Doubt, Duration)> {
    let outcome = found.outcome;
    let of_canary = |ask: &Ask| matches!(ask.role, Role::Value | Role::Samples);
    let mine = asks.iter().enumerate().filter(|(_, ask)| ask.metric == at && of_canary(ask));
    let doubted = |(index, ask): (usize, &Ask)| {
        let Reading::Doubted { doubt, .. } = readings.get(&index)? else { return None };
        let query = ask.query.as_ref().ok()?;
        let matters = match doubt {
            Doubt::Behind { .. } | Doubt::Emptied => {
                matches!(outcome, MetricOutcome::Pass | MetricOutcome::NoData | MetricOutcome::Inconclusive)
            }
            // what another query proves to be bad is bad now
            Doubt::Former if outcome == MetricOutcome::Fail && ask.role == Role::Value => {
                found.query == query.promql
            }
            Doubt::Former => outcome != MetricOutcome::Error,
            Doubt::Late { .. } | Doubt::Early => outcome == MetricOutcome::Pass,
            Doubt::Reset => outcome == MetricOutcome::Error,
            Doubt::Native => false,
        };
        matters.then(|| (*doubt, windows::length(&query.window)))
    };
    mine.filter_map(doubted).min()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        analysis::{Checks, asks, assess},
        api::{CanaryMetric, Reporter},
        manifest::fixture,
        router,
    };

    const DUE: &str = "2026-11-28T12:00:00.25Z";
    const OWN: &str = r#"istio_requests_total{reporter="destination",destination_workload_namespace="test",destination_workload=~"podinfo"}"#;

    /// With one reporter, if there are two.
    fn query(router: &str, metric: serde_json::Value) -> Query {
        let metrics = vec![serde_json::from_value(metric).unwrap()];
        let checks = Checks { metrics, ..Checks::default() };
        let builtin = router::by_name(router).unwrap().queries();
        let mut c = fixture::canary(&json!({}));
        c.analysis.reporter = Some(Reporter::Destination);
        let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "podinfo"});
        c.spec.ingress_ref = serde_json::from_value(ingress).unwrap();
        asks(&c, &checks, builtin).remove(0).query.unwrap()
    }

    fn asked(query: &Query, step_lasts: i64) -> Query {
        let due: Timestamp = DUE.parse().unwrap();
        let step = due - SignedDuration::from_secs(step_lasts);
        doubting(query.clone(), Since { run: step, step }, due, false)
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
        // a day is searched as often as an hour
        let day = query("istio", json!({"name": "request-success-rate", "interval": "1d"}));
        assert!(asked(&day, 300).doubts.iter().all(|text| !text.contains(":10000ms]")));
    }

    #[test]
    fn v2_the_primary_tells_whether_the_server_is_behind() {
        let plain = query("istio", json!({"name": "request-success-rate", "interval": "30s"}));
        let primary = OWN.replace("podinfo", "podinfo-primary");
        let behind = &asked(&plain, 30).doubts[2];
        assert!(behind.contains(&format!("timestamp({primary})[120000ms:3750ms]")), "{behind}");
        assert!(behind.contains(&format!("timestamp({primary})[3600000ms:56250ms]")), "{behind}");
        assert!(behind.contains(r#""behind""#), "{behind}");
        let plain = query("nginx", json!({"name": "request-success-rate", "interval": "30s"}));
        let behind = &asked(&plain, 30).doubts[2];
        let primary = r#"ingress=~"podinfo",canary=""})[120000ms:3750ms]"#;
        assert!(behind.contains(primary) && behind.contains(r#""behind""#), "{behind}");
    }

    #[test]
    fn v2_the_promoted_revision_is_the_primary_of_knative() {
        let metrics: Vec<CanaryMetric> =
            vec![serde_json::from_value(json!({"name": "request-success-rate"})).unwrap()];
        let builtin = router::by_name("knative").unwrap().queries();
        let behind = |promoted: Option<&str>| {
            let (revision, promoted) = (Some("podinfo-00002".into()), promoted.map(str::to_owned));
            let checks = Checks { metrics: metrics.clone(), revision, promoted, ..Checks::default() };
            let query = asks(&fixture::canary(&json!({})), &checks, builtin).remove(0).query.unwrap();
            asked(&query, 60).doubts.into_iter().find(|text| text.contains(r#""behind""#))
        };
        let text = behind(Some("podinfo-00001")).unwrap();
        assert!(text.contains(r#"envoy_cluster_name=~"test/podinfo-00001"}"#), "{text}");
        assert!(!text.contains("podinfo-00002"), "{text}");
        // without a promoted revision there is no primary
        assert_eq!((behind(None), behind(Some("podinfo-00002"))), (None, None));
    }

    #[test]
    fn v1_values_from_before_the_run_hide_no_other_that_is_bad() {
        let metric = json!({"name": "request-success-rate", "thresholdRange": {"min": 99}, "query": "up"});
        let checks = Checks { metrics: vec![serde_json::from_value(metric).unwrap()], ..Checks::default() };
        let c = fixture::canary(&json!({}));
        let asks = asks(&c, &checks, router::by_name("istio").unwrap().queries());
        let doubted = |built_in: f64, former: f64| {
            let former = Reading::Doubted { values: vec![former], doubt: Doubt::Former };
            let readings = [(0, Reading::Values(vec![built_in])), (1, former)].into();
            let found = assess(&c, &checks, 0, &asks, &readings).unwrap();
            (found.outcome, unsettled(0, &found, &asks, &readings).map(|(doubt, _)| doubt))
        };
        assert_eq!(doubted(0.0, 100.0), (MetricOutcome::Fail, None));
        assert_eq!(doubted(0.0, 0.0), (MetricOutcome::Fail, None));
        assert_eq!(doubted(100.0, 0.0), (MetricOutcome::Fail, Some(Doubt::Former)));
        assert_eq!(doubted(100.0, 100.0), (MetricOutcome::Pass, Some(Doubt::Former)));
    }

    #[test]
    fn samples_from_before_the_run_are_not_enough() {
        let metric = json!({
            "name": "mine", "query": "up", "thresholdRange": {"min": 99}, "minSamples": 20, "samplesQuery": "n",
        });
        let checks = Checks { metrics: vec![serde_json::from_value(metric).unwrap()], ..Checks::default() };
        let c = fixture::canary(&json!({}));
        let asks = asks(&c, &checks, router::by_name("istio").unwrap().queries());
        let doubted = |value: f64, samples: f64, doubt: Doubt| {
            let samples = Reading::Doubted { values: vec![samples], doubt };
            let readings = [(0, Reading::Values(vec![value])), (1, samples)].into();
            let found = assess(&c, &checks, 0, &asks, &readings).unwrap();
            (found.outcome, unsettled(0, &found, &asks, &readings).map(|(doubt, _)| doubt))
        };
        for (value, samples, outcome) in [
            (100.0, 30.0, MetricOutcome::Pass),
            (0.0, 30.0, MetricOutcome::Fail),
            (0.0, 3.0, MetricOutcome::NoData),
        ] {
            assert_eq!(doubted(value, samples, Doubt::Former), (outcome, Some(Doubt::Former)));
        }
        assert_eq!(doubted(100.0, 30.0, Doubt::Early), (MetricOutcome::Pass, Some(Doubt::Early)));
        assert_eq!(doubted(0.0, 30.0, Doubt::Early), (MetricOutcome::Fail, None));
    }

    #[test]
    fn v2_an_emptied_server_is_asked_about_once_there_were_values() {
        let plain = query("istio", json!({"name": "request-success-rate", "interval": "30s"}));
        let due: Timestamp = DUE.parse().unwrap();
        let step = due - SignedDuration::from_secs(30);
        let asked = |measured| sent(&doubting(plain.clone(), Since { run: step, step }, due, measured));
        assert!(asked(true).contains(r#""emptied""#) && !asked(false).contains(r#""emptied""#));
        let primary = OWN.replace("podinfo", "podinfo-primary");
        for side in [OWN, &primary] {
            let far = format!("timestamp({side})[3600000ms:56250ms]");
            assert!(asked(true).contains(&far), "{}", asked(true));
        }
    }

    #[test]
    fn v15_samples_are_seen_that_a_short_lookback_no_longer_shows() {
        // an instant query of a plain series finds nothing if the last scrape is older than the lookback, or after a
        // stale marker: so each relevant sample is searched over the whole window, in steps below usual lookbacks
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
        // a Summary has series of this name as well, for each quantile
        assert!(text.contains(r#"count(http_request_duration_seconds{quantile="","#), "{text}");
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
