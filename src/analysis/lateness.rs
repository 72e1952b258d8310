//! How late a server is that answers a user's own PromQL, which does not say on which samples its values are based.
//! The newest samples of the router's counters tell: they are asked for along with it, once for each server and window,
//! unless a built-in check asks the same server anyway.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::{
    access::{Access, PROMETHEUS, SecretAt},
    assess::Assessment,
    builtin,
    checks::Checks,
    doubt::Doubt,
    doubting,
    query::{Ask, Metric, Query, Range, Role},
    reading::{Failure, Reading},
    windows,
};
use crate::{api::MetricOutcome, router::Builtin, spec::Validated};

/// The name of the query, in place of that of a metric.
const NEWEST: &str = "newest sample";

/// The queries for the newest samples to send along with the queries at the positions `due`, for a step that `began`
/// then: each with the position of the query for which it is sent.
pub(crate) fn newest(
    c: &Validated,
    checks: &Checks,
    builtin: &Builtin,
    (asks, due): (&[Ask], &[usize]),
    began: Timestamp,
) -> Vec<(usize, Query)> {
    let builtin = builtin.reported_by(c.analysis.reporter.unwrap_or_default());
    let counts = |ask: &Ask| checks.metrics.get(ask.metric).is_some_and(|m| !m.verdict.dry());
    let due: Vec<_> = due.iter().filter_map(|at| Some((*at, asks.get(*at)?))).collect();
    let mut found: Vec<(usize, Query)> = Vec::new();
    for (at, ask) in due.iter().filter(|(_, ask)| counts(ask)) {
        let Some(own) = own(ask) else { continue };
        let told = due.iter().filter_map(|(_, other)| value(other)).any(|other| tells(other, own));
        if !told && !found.iter().any(|(_, query)| is_like(query, own)) {
            found.extend(question(c, checks, builtin, own, began).map(|query| (*at, query)));
        }
    }
    found
}

/// None: names do not fit into it, so that a built-in check could not be asked either.
fn question(
    c: &Validated,
    checks: &Checks,
    builtin: &Builtin,
    own: &Query,
    began: Timestamp,
) -> Option<Query> {
    let counters = builtin::counters(c, checks, builtin, Metric::SuccessRate, &own.window).ok()?;
    let window = windows::length(&own.window);
    let newest = doubting::newest(&counters.own, window, window);
    // a canary without any sample may have no requests: then there is none to wait for
    let early = format!("{newest} < {}", doubting::seconds(began));
    let mut doubts = vec![Doubt::Early.asked(&early), Doubt::Late { seconds: 0 }.asked(&newest)];
    doubts.extend(doubting::behind(&counters, window));
    Some(Query {
        metric: NEWEST.into(),
        kind: Metric::Inline,
        promql: newest,
        server: own.server.clone(),
        access: Access { args: BTreeMap::new(), ..own.access.clone() },
        range: Range::default(),
        window: own.window.clone(),
        counters: None,
        doubts,
        since: None,
    })
}

/// The readings of all queries: the values of own PromQL are in doubt if its server is late. `newest` are the answers
/// about that, by position.
pub(crate) fn aged(
    asks: &[Ask],
    mut readings: BTreeMap<usize, Reading>,
    newest: &BTreeMap<usize, Reading>,
) -> BTreeMap<usize, Reading> {
    let late = |(at, ask)| {
        let own = own(ask)?;
        Some((at, lateness(own, asks, &readings, newest)?, windows::length(&own.window)))
    };
    let late: Vec<_> = asks.iter().enumerate().filter_map(late).collect();
    for (at, doubt, window) in late {
        if let Some(Reading::Values(values)) = readings.get(&at)
            && is_believed(doubt, values, window)
        {
            let values = values.clone();
            readings.insert(at, Reading::Doubted { values, doubt });
        }
    }
    readings
}

/// What the answers say about the server of this query.
fn lateness(
    own: &Query,
    asks: &[Ask],
    readings: &BTreeMap<usize, Reading>,
    newest: &BTreeMap<usize, Reading>,
) -> Option<Doubt> {
    let built_in = readings.iter().filter(|(at, _)| {
        let other = asks.get(**at).and_then(value);
        other.is_some_and(|other| tells(other, own))
    });
    let told = built_in.chain(answers(own, asks, newest)).map(|(_, reading)| reading);
    let doubts = told.filter_map(|reading| match reading {
        Reading::Doubted { doubt: doubt @ (Doubt::Behind { .. } | Doubt::Late { .. }), .. } => Some(*doubt),
        // a canary without any value may have no requests
        Reading::Doubted { values, doubt: Doubt::Early } if !values.is_empty() => Some(Doubt::Early),
        _ => None,
    });
    doubts.min()
}

/// A primary whose newest sample is older than that may have no requests.
fn is_believed(doubt: Doubt, values: &[f64], window: Duration) -> bool {
    let Doubt::Behind { seconds } = doubt else { return true };
    seconds <= Doubt::longest_behind(window).as_secs() || values.iter().all(|value| value.is_nan())
}

/// Why it is not known how late a server of the metric at this position is, if that matters to what was found.
pub(crate) fn unknown<'r>(
    at: usize,
    found: &Assessment,
    asks: &[Ask],
    newest: &'r BTreeMap<usize, Reading>,
) -> Option<&'r Failure> {
    if matches!(found.outcome, MetricOutcome::Fail | MetricOutcome::Error) {
        return None;
    }
    let mut mine = asks.iter().filter(|ask| ask.metric == at).filter_map(own);
    mine.find_map(|own| {
        answers(own, asks, newest).find_map(|(_, reading)| match reading {
            Reading::Failed(failure) => Some(failure),
            _ => None,
        })
    })
}

/// The answers about the server and the window of this query.
fn answers<'r>(
    own: &Query,
    asks: &[Ask],
    newest: &'r BTreeMap<usize, Reading>,
) -> impl Iterator<Item = (&'r usize, &'r Reading)> {
    newest.iter().filter(|(at, _)| asks.get(**at).and_then(value).is_some_and(|other| is_like(other, own)))
}

/// The query, if it is for a value.
fn value(ask: &Ask) -> Option<&Query> {
    ask.query.as_ref().ok().filter(|_| ask.role == Role::Value)
}

/// The query, if it is a user's own PromQL for a value.
fn own(ask: &Ask) -> Option<&Query> {
    value(ask).filter(|query| query.counters.is_none() && query.access.kind == PROMETHEUS)
}

/// The doubts of `built_in` are about the server of `own`, and strict enough for its window.
fn tells(built_in: &Query, own: &Query) -> bool {
    built_in.counters.is_some()
        && is_same_server(built_in, own)
        && windows::length(&built_in.window) <= windows::length(&own.window)
}

fn is_like(one: &Query, other: &Query) -> bool {
    is_same_server(one, other) && windows::length(&one.window) == windows::length(&other.window)
}

/// The same data: one address, asked with the same credentials and headers.
fn is_same_server(one: &Query, other: &Query) -> bool {
    let address = |query: &Query| query.server.trim().trim_end_matches('/').to_owned();
    let secret = |at: &SecretAt| (at.namespace.clone(), at.name.clone());
    let secrets = |query: &Query| query.access.secret.as_ref().map(secret);
    one.access.kind == other.access.kind
        && address(one) == address(other)
        && secrets(one) == secrets(other)
        && one.access.headers == other.access.headers
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        analysis::{asks, assess},
        manifest::fixture,
        router,
    };

    const SERVER: &str = "http://p:9090";
    const OTHER: &str = "http://q:9090";

    fn checks(metrics: Value) -> Checks {
        let template = |namespace: &str, provider: Value| {
            let spec =
                json!({"provider": provider, "query": "sum(e{shop=\"{{ variables.shop }}\"}) or vector(0)"});
            (namespace.to_owned(), serde_json::from_value(spec).unwrap())
        };
        let secret =
            |name: &str| json!({"type": "prometheus", "address": SERVER, "secretRef": {"name": name}});
        let templates = [
            template("test/same", json!({"type": "prometheus", "address": format!("{SERVER}/")})),
            template("shared/same", json!({"type": "prometheus", "address": SERVER})),
            template("test/other", json!({"type": "prometheus", "address": OTHER})),
            template("shared/secret", secret("login")),
            template("shared/too", secret("login")),
            template("test/secret", secret("login")),
            template("test/web", json!({"type": "web", "address": SERVER})),
        ];
        Checks {
            metrics: serde_json::from_value(metrics).unwrap(),
            templates: templates.into(),
            ..Checks::default()
        }
    }

    /// The queries of such metrics, and those for the newest samples.
    fn asked(router: &str, metrics: Value) -> (Checks, Vec<Ask>, Vec<(usize, Query)>) {
        let (mut c, checks) = (fixture::canary(&json!({})), checks(metrics));
        c.metrics_server = SERVER.into();
        let builtin = router::by_name(router).unwrap().queries();
        let asks = asks(&c, &checks, builtin);
        assert!(asks.iter().all(|ask| ask.query.is_ok()), "{asks:?}");
        let due: Vec<usize> = (0..asks.len()).collect();
        let began = "2026-11-28T12:00:00.25Z".parse().unwrap();
        let newest = newest(&c, &checks, builtin, (&asks, &due), began);
        (checks, asks, newest)
    }

    /// Where and for which window.
    fn places(metrics: Value) -> Vec<(usize, String, String)> {
        let newest = asked("istio", metrics).2;
        newest.into_iter().map(|(at, query)| (at, query.server, query.window)).collect()
    }

    fn own(name: &str, more: &Value) -> Value {
        let mut metric = json!({"name": name, "query": "sum(errors) or vector(0)", "interval": "30s"});
        fixture::merge(&mut metric, more);
        metric
    }

    fn of(template: &str) -> Value {
        let (namespace, name) = template.split_once('/').unwrap();
        json!({"name": template, "templateRef": {"name": name, "namespace": namespace}, "interval": "30s",
            "templateVariables": {"shop": "north"}})
    }

    #[test]
    fn v1_a_server_of_own_promql_alone_is_asked_for_its_newest_samples() {
        let (_, _, newest) = asked("istio", json!([own("errors", &json!({}))]));
        let [(0, query)] = newest.as_slice() else { panic!("{newest:?}") };
        let [early, late, behind] = query.doubts.as_slice() else { panic!("{query:?}") };
        assert!(query.promql.contains(r#"destination_workload=~"podinfo"})[30000ms:3750ms]"#), "{query:?}");
        // a canary without requests has no samples, and none are waited for
        assert_eq!(
            *early,
            format!(r#"label_replace({} < 1795867200.250, "serin_doubt", "early", "", "")"#, query.promql)
        );
        assert_eq!(*late, format!(r#"label_replace({}, "serin_doubt", "late", "", "")"#, query.promql));
        let primary = r#"destination_workload=~"podinfo-primary"})[120000ms:3750ms]"#;
        assert!(behind.contains(primary) && behind.contains(r#""behind""#), "{behind}");
    }

    #[test]
    fn v1_each_server_is_asked_once_for_each_window() {
        let all = places(json!([
            own("errors", &json!({})),
            own("retries", &json!({})),
            own("slow", &json!({"interval": "5m"})),
            of("test/same"),
            of("shared/same"),
            of("test/other"),
            of("shared/secret"),
            of("shared/too"),
            of("test/secret"),
            of("test/web"),
        ]));
        let at = |at: usize, server: &str, window: &str| (at, server.to_owned(), window.to_owned());
        // the same Secret is the same server, one of another namespace is not
        assert_eq!(
            all,
            [
                at(0, SERVER, "30s"),
                at(2, SERVER, "5m"),
                at(5, OTHER, "30s"),
                at(6, SERVER, "30s"),
                at(8, SERVER, "30s")
            ]
        );
    }

    #[test]
    fn v1_a_server_that_a_built_in_check_asks_is_not_asked_again() {
        let beside = |interval: &str| {
            let built_in = json!({"name": "request-success-rate", "interval": interval});
            places(json!([built_in, own("errors", &json!({})), of("test/same"), of("test/other")]))
        };
        let other = (3, OTHER.to_owned(), "30s".to_owned());
        assert_eq!(beside("30s"), std::slice::from_ref(&other));
        assert_eq!(beside("20s"), std::slice::from_ref(&other));
        // samples that are young for its window may all be too old for a shorter one
        assert_eq!(beside("5m"), [(1, SERVER.to_owned(), "30s".to_owned()), other]);
    }

    #[test]
    fn v1_what_does_not_count_needs_no_newest_sample() {
        assert_eq!(places(json!([own("errors", &json!({"dryRun": true})), of("test/web")])), []);
    }

    #[test]
    fn v1_every_router_has_counters_to_ask_for() {
        for router in router::all() {
            let (_, _, newest) = asked(router.name(), json!([own("errors", &json!({}))]));
            assert_eq!(newest.len(), 1, "{}", router.name());
        }
    }

    #[test]
    fn v1_a_query_for_the_newest_sample_has_no_arguments_of_the_metric() {
        let id = json!({"name": "id", "valueFrom": {"secretKeyRef": {"name": "login", "key": "account"}}});
        let (_, asks, newest) = asked("istio", json!([own("errors", &json!({"args": [id]}))]));
        assert_eq!(asks[0].query.as_ref().unwrap().access.args.len(), 1);
        assert_eq!(newest[0].1.access.args.len(), 0);
    }

    /// The doubt about own PromQL with these values, given readings of the queries and of the newest samples.
    fn doubt(
        metrics: Value,
        readings: &[(usize, Reading)],
        newest: &[(usize, Reading)],
    ) -> Vec<Option<Doubt>> {
        let (_, asks, _) = asked("istio", metrics);
        let all = aged(&asks, readings.iter().cloned().collect(), &newest.iter().cloned().collect());
        let doubt = |reading: &Reading| match reading {
            Reading::Doubted { doubt, .. } => Some(*doubt),
            _ => None,
        };
        all.values().map(doubt).collect()
    }

    fn doubted(values: &[f64], doubt: Doubt) -> Reading {
        Reading::Doubted { values: values.to_vec(), doubt }
    }

    #[test]
    fn v1_own_promql_is_as_late_as_its_server() {
        let metrics = json!([own("errors", &json!({})), of("test/same"), of("test/other")]);
        let good = [0, 1, 2].map(|at| (at, Reading::Values(vec![0.0])));
        let late = Doubt::Late { seconds: 31 };
        let of_first = |newest: Reading| doubt(metrics.clone(), &good, &[(0, newest)]);
        assert_eq!(of_first(doubted(&[1.0], late)), [Some(late), Some(late), None]);
        assert_eq!(of_first(doubted(&[1.0], Doubt::Early)), [Some(Doubt::Early), Some(Doubt::Early), None]);
        assert_eq!(of_first(Reading::Values(vec![])), [None; 3]);
        let behind = |seconds| Doubt::Behind { seconds };
        assert_eq!(of_first(doubted(&[], behind(31)))[0], Some(behind(31)));
        // a primary without requests for that long
        assert_eq!(of_first(doubted(&[], behind(121))), [None; 3]);
        let none = [(0, Reading::Values(vec![]))];
        let found = doubt(metrics.clone(), &none, &[(0, doubted(&[], behind(121)))]);
        assert_eq!(found, [Some(behind(121))]);
    }

    #[test]
    fn v1_own_promql_is_as_late_as_a_built_in_check_of_its_server() {
        let metrics = json!([{"name": "request-success-rate", "interval": "30s"}, own("errors", &json!({}))]);
        let beside = |built_in: Reading| {
            doubt(metrics.clone(), &[(0, built_in), (1, Reading::Values(vec![0.0]))], &[])[1]
        };
        let late = Doubt::Late { seconds: 31 };
        assert_eq!(beside(doubted(&[99.9], late)), Some(late));
        assert_eq!(beside(doubted(&[99.9], Doubt::Early)), Some(Doubt::Early));
        // no requests at all, and what says nothing about the age of samples
        for reading in [
            doubted(&[], Doubt::Early),
            doubted(&[99.9], Doubt::Reset),
            Reading::Values(vec![99.9]),
            Reading::Failed("down".into()),
        ] {
            assert_eq!(beside(reading), None);
        }
    }

    #[test]
    fn v1_without_an_answer_about_the_age_only_bad_values_count() {
        let c = fixture::canary(&json!({}));
        let (checks, asks, _) =
            asked("istio", json!([own("errors", &json!({"thresholdRange": {"max": 1}}))]));
        let newest = [(0, Reading::Failed("timed out".into()))].into();
        let why = |value: f64| {
            let readings = [(0, Reading::Values(vec![value]))].into();
            let found = assess(&c, &checks, 0, &asks, &readings).unwrap();
            unknown(0, &found, &asks, &newest).map(|failure| failure.why.clone())
        };
        assert_eq!((why(0.0), why(7.0)), (Some("timed out".into()), None));
    }
}
