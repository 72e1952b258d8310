//! Hosted servers: recorded forms of answers in their vendors' documentation.

use super::{
    Asked, Play,
    conformance::{Case, joined},
    http,
    identity::{KEYS as AWS, nobody},
    server,
};
use crate::{
    analysis::Since,
    clock,
    source::{
        MetricSource, SourceError, cloudwatch::CloudWatch, datadog::Datadog, dynatrace::Dynatrace,
        http::TIMEOUT, newrelic::NewRelic, splunk::Splunk,
    },
};

/// The contents of a Secret.
type Keys = &'static [(&'static str, &'static str)];

const DATADOG: Keys = &[("datadog_api_key", "s3cret-a"), ("datadog_application_key", "s3cret-b")];
const DYNATRACE: &[(&str, &str)] = &[("dynatrace_token", "s3cret-t")];
const NEWRELIC: &[(&str, &str)] = &[("newrelic_account_id", "12345"), ("newrelic_query_key", "s3cret-k")];
const SPLUNK: &[(&str, &str)] = &[("sf_token_key", "s3cret-s")];

/// All except Google's, whose tokens come from a separate server.
pub(super) fn cases() -> Vec<Case> {
    let hosted = |source, query, answer, secret, header| Case {
        source,
        query,
        json_path: None,
        answer,
        secret,
        header,
    };
    vec![
        hosted(|limit| Box::new(Datadog::new(http(limit))), "avg:x{*}", series, DATADOG, "dd-api-key"),
        hosted(|limit| Box::new(Dynatrace::new(http(limit))), "x:avg", selected, DYNATRACE, "authorization"),
        hosted(|limit| Box::new(NewRelic::new(http(limit))), "SELECT x", results, NEWRELIC, "x-query-key"),
        hosted(|limit| Box::new(Splunk::new(http(limit))), "data('x')", stream, SPLUNK, "x-sf-token"),
        hosted(|limit| Box::new(CloudWatch::new(http(limit), nobody())), "[]", metrics, AWS, "authorization"),
    ]
}

fn series(values: &[&str]) -> String {
    let all = joined(values, |_, v| format!(r#"{{"pointlist":[[1,77],[2,{v}],[3,null]]}}"#), ",");
    format!(r#"{{"status":"ok","series":[{all}]}}"#)
}

fn selected(values: &[&str]) -> String {
    let all = joined(values, |_, v| format!(r#"{{"timestamps":[1],"values":[{v}]}}"#), ",");
    format!(r#"{{"result":[{{"metricId":"m","data":[{all}]}}]}}"#)
}

fn results(values: &[&str]) -> String {
    format!(r#"{{"results":[{}]}}"#, joined(values, |_, v| format!(r#"{{"result":{v}}}"#), ","))
}

fn stream(values: &[&str]) -> String {
    let all = joined(values, |i, v| format!(r#"{{"tsId":"a{i}","value":{v}}}"#), ",");
    format!("event: data\ndata: {{\"data\":[{all}]}}\n\n{END}")
}

fn metrics(values: &[&str]) -> String {
    let one = |_, v: &str| format!(r#"{{"Id":"a","StatusCode":"Complete","Values":[{v},77]}}"#);
    format!(r#"{{"MetricDataResults":[{}]}}"#, joined(values, one, ","))
}

/// The result of a source for an answer, and the request it sent.
async fn told(
    source: &dyn MetricSource,
    secret: &[(&str, &str)],
    query: &str,
    status: u16,
    body: &str,
) -> (Result<Vec<f64>, SourceError>, String) {
    let (address, seen) = server(Play::Say(status, "application/json", body.to_owned())).await;
    let said = source.query(&Asked::of(&address, query).with(secret).ask()).await;
    let request = seen.lock().unwrap().first().cloned().unwrap_or_default();
    (said, request)
}

async fn values(source: &dyn MetricSource, secret: &[(&str, &str)], body: &str) -> Vec<f64> {
    told(source, secret, "q", 200, body).await.0.unwrap()
}

async fn pinged(source: &dyn MetricSource, secret: &[(&str, &str)], status: u16) -> (bool, String) {
    let (address, seen) = server(Play::Say(status, "application/json", "{}".into())).await;
    let there = source.ping(&Asked::of(&address, "").with(secret).ask()).await.is_ok();
    let request = seen.lock().unwrap()[0].clone();
    (there, request)
}

/// Parameters of the request line, by name.
fn parameters(request: &str) -> std::collections::BTreeMap<String, String> {
    let path = request.split(' ').nth(1).unwrap();
    let url = reqwest::Url::parse(&format!("http://x{path}")).unwrap();
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn datadog_gives_the_newest_point_of_each_series() {
    let source = Datadog::new(http(TIMEOUT));
    let body = r#"{"status":"ok","res_type":"time_series","from_date":1,"to_date":2,"query":"q","series":[
        {"metric":"m","scope":"a:1","interval":20,"length":3,"pointlist":[[1,9],[2,1.5],[3,null]]},
        {"metric":"m","scope":"a:2","pointlist":[[1,2]]}]}"#;
    assert_eq!(values(&source, DATADOG, body).await, [1.5, 2.0]);
    assert!(values(&source, DATADOG, r#"{"status":"ok","series":[]}"#).await.is_empty());
    let empty = r#"{"status":"ok","series":[{"pointlist":[]}]}"#;
    assert!(values(&source, DATADOG, empty).await[0].is_nan());

    let (_, request) = told(&source, DATADOG, " avg:errors{a:b} \n", 200, body).await;
    assert!(request.starts_with("GET /api/v1/query?"), "{request}");
    assert!(request.contains("dd-api-key: s3cret-a") && request.contains("dd-application-key: s3cret-b"));
    let sent = parameters(&request);
    assert_eq!(sent["query"], "avg:errors{a:b}");
    let (from, to): (i64, i64) = (sent["from"].parse().unwrap(), sent["to"].parse().unwrap());
    assert_eq!(to - from, 600, "ten windows of a minute");

    let wrong = told(&source, DATADOG, "q", 200, r#"{"status":"error","error":"bad","series":[]}"#).await.0;
    assert_eq!(wrong.unwrap_err().reason(), "QueryRejected");
    let denied = told(&source, DATADOG, "q", 403, r#"{"errors":["Forbidden","really"]}"#).await.0;
    assert!(denied.unwrap_err().quoting().ends_with("with status 403: Forbidden; really"));
    let (there, request) = pinged(&source, DATADOG, 200).await;
    assert!(there && request.starts_with("GET /api/v1/validate "), "{request}");
    assert!(!pinged(&source, DATADOG, 403).await.0);
}

#[tokio::test]
async fn r38_datadog_points_without_value_and_buckets_that_are_not_full_are_not_taken() {
    let source = Datadog::new(http(TIMEOUT));
    // buckets of 20 s, the last of which began now
    let now = clock::now().as_millisecond();
    let answer = |all: &[&[&str]], interval: &str| {
        let series = |values: &&[&str]| {
            let begins = |i: usize| now - 20_000 * i64::try_from(values.len() - 1 - i).unwrap();
            let points = joined(values, |i, value| format!("[{},{value}]", begins(i)), ",");
            format!(r#"{{{interval}"pointlist":[{points}]}}"#)
        };
        let all: Vec<String> = all.iter().map(series).collect();
        format!(r#"{{"status":"ok","series":[{}]}}"#, all.join(","))
    };
    for interval in ["", r#""interval":20,"#] {
        let said = |all: &[&[&str]]| answer(all, interval);
        // the last bucket is still being filled: its errors may be few yet, or all; so is the one before, for a moment
        assert_eq!(values(&source, DATADOG, &said(&[&["98", "99.5", "99", "0"]])).await, [99.5]);
        assert_eq!(values(&source, DATADOG, &said(&[&["98.5", "null", "null", "0"]])).await, [98.5]);
        // a query by group has one series per group, and each counts
        let two = said(&[&["100", "null", "null"], &["7", "null", "1", "1"]]);
        assert_eq!(values(&source, DATADOG, &two).await, [100.0, 7.0]);
        // nothing but gaps is no data, and not a good value
        assert!(values(&source, DATADOG, &said(&[&["null", "null"]])).await[0].is_nan());
        assert!(values(&source, DATADOG, &said(&[&["null", "5"]])).await[0].is_nan());
    }
}

#[tokio::test]
async fn dynatrace_gives_one_value_for_each_series() {
    let source = Dynatrace::new(http(TIMEOUT));
    let body = r#"{"totalCount":2,"nextPageKey":null,"resolution":"Inf","result":[{"metricId":"m","data":[
        {"dimensions":["A"],"timestamps":[1],"values":[0.25]},{"dimensions":["B"],"timestamps":[1],"values":[null]}]}]}"#;
    let found = values(&source, DYNATRACE, body).await;
    assert_eq!(found.len(), 2);
    assert!((found[0] - 0.25).abs() < f64::EPSILON && found[1].is_nan());
    assert!(values(&source, DYNATRACE, r#"{"result":[]}"#).await.is_empty());
    assert!(values(&source, DYNATRACE, r#"{"result":[{"metricId":"m","data":[]}]}"#).await.is_empty());

    let (_, request) = told(&source, DYNATRACE, "builtin:x:avg", 200, body).await;
    assert!(
        request.starts_with("GET /api/v2/metrics/query?metricSelector=builtin%3Ax%3Aavg&resolution=Inf&")
    );
    assert!(request.contains("authorization: Api-Token s3cret-t"), "{request}");
    let sent = parameters(&request);
    let (from, to): (i64, i64) = (sent["from"].parse().unwrap(), sent["to"].parse().unwrap());
    assert_eq!(to - from, 600_000, "milliseconds");
    let run = clock::now().checked_sub(jiff::SignedDuration::from_secs(90)).unwrap();
    let (address, seen) = server(Play::Say(200, "application/json", body.to_owned())).await;
    let asked = Asked { since: Some(Since { run, step: run }), ..Asked::of(&address, "q") };
    source.query(&asked.with(DYNATRACE).ask()).await.unwrap();
    let sent = parameters(&seen.lock().unwrap()[0]);
    assert_eq!(sent["from"], run.as_millisecond().to_string(), "no time before the run");

    let said = r#"{"error":{"code":400,"message":"unknown metric"}}"#;
    let error = told(&source, DYNATRACE, "q", 400, said).await.0.unwrap_err();
    assert_eq!(error.reason(), "QueryRejected");
    assert!(error.quoting().ends_with("unknown metric"), "{error}");
    let (there, request) = pinged(&source, DYNATRACE, 200).await;
    assert!(there && request.starts_with("GET /api/v2/metrics?pageSize=1 "), "{request}");
}

#[tokio::test]
async fn newrelic_gives_the_one_result() {
    let source = NewRelic::new(http(TIMEOUT));
    let found = values(&source, NEWRELIC, r#"{"results":[{"result":2.5}],"metadata":{}}"#).await;
    assert_eq!(found, [2.5]);
    assert_eq!(values(&source, NEWRELIC, r#"{"results":[{"average":3}]}"#).await, [3.0]);
    assert!(values(&source, NEWRELIC, r#"{"results":[]}"#).await.is_empty());
    assert!(values(&source, NEWRELIC, r#"{"results":[{"result":null}]}"#).await[0].is_nan());
    for odd in [r#"{"results":[{"events":[]}]}"#, r#"{"results":[{"a":1,"b":2}]}"#, r#"{"facets":[]}"#] {
        let error = told(&source, NEWRELIC, "q", 200, odd).await.0.unwrap_err();
        assert_eq!(error.reason(), "AnswerUndecodable", "{odd}");
    }
    let (_, request) = told(&source, NEWRELIC, "SELECT 1", 200, "").await;
    assert!(request.starts_with("GET /v1/accounts/12345/query?nrql=SELECT+1%0ASINCE+60+seconds+ago "));
    assert!(request.contains("x-query-key: s3cret-k"), "{request}");
    let wrong = told(&source, NEWRELIC, "q", 400, r#"{"error":"NRQL Syntax Error"}"#).await.0.unwrap_err();
    assert!(wrong.quoting().ends_with("NRQL Syntax Error"), "{wrong}");
    let paths = [("newrelic_account_id", "1/../2"), ("newrelic_query_key", "k")];
    let error = told(&source, &paths, "q", 200, "").await.0.unwrap_err();
    assert_eq!(error.reason(), "SecretKeyMissing");
}

#[tokio::test]
async fn h4_a_comment_at_the_end_of_nrql_leaves_the_window_alone() {
    let source = NewRelic::new(http(TIMEOUT));
    let (_, request) = told(&source, NEWRELIC, "SELECT 1 -- all\n// of it", 200, "").await;
    let sent = "nrql=SELECT+1+--+all%0A%2F%2F+of+it%0ASINCE+60+seconds+ago ";
    assert!(request.contains(sent), "{request}");
}

const STREAM: &str = "event: control-message\ndata: {\ndata:   \"event\" : \"STREAM_START\",\ndata:   \"timestampMs\" : 1\ndata: }\n\n\
    event: metadata\ndata: {\"tsId\":\"AAA\",\"properties\":{}}\n\n\
    event: data\ndata: {\"data\":[{\"tsId\":\"AAA\",\"value\":1},{\"tsId\":\"BBB\",\"value\":7.5}],\"logicalTimestampMs\":1}\n\n\
    event: data\r\ndata: {\"data\":[{\"tsId\":\"AAA\",\"value\":2},{\"tsId\":\"BBB\",\"value\":null}],\"logicalTimestampMs\":2}\r\n\r\n";
const END: &str = "event: control-message\ndata: {\"event\":\"END_OF_CHANNEL\",\"timestampMs\":3}\n\n";

#[tokio::test]
async fn splunk_gives_the_last_value_of_each_series() {
    let source = Splunk::new(http(TIMEOUT));
    assert_eq!(values(&source, SPLUNK, &format!("{STREAM}{END}")).await, [2.0, 7.5]);
    assert!(values(&source, SPLUNK, END).await.is_empty());
    for (body, reason) in [
        (STREAM.to_owned(), "AnswerUndecodable"),
        (format!("{STREAM}{}", END.trim_end()), "AnswerUndecodable"),
        ("event: error\ndata: {\"errors\":[{\"code\":\"X\"}]}\n\n".to_owned(), "SourceUnavailable"),
        (
            format!(
                "{STREAM}event: control-message\ndata: {{\"event\":\"CHANNEL_ABORT\",\"abortInfo\":{{}}}}\n\n"
            ),
            "SourceUnavailable",
        ),
        ("event: data\ndata: {}\n\n".to_owned(), "AnswerUndecodable"),
    ] {
        let error = told(&source, SPLUNK, "q", 200, &body).await.0.unwrap_err();
        assert_eq!(error.reason(), reason, "{body}");
    }
    let program = "data('errors').sum().publish()";
    let (_, request) = told(&source, SPLUNK, program, 200, END).await;
    assert!(request.starts_with("POST /v2/signalflow/execute?start="), "{request}");
    assert!(request.contains("x-sf-token: s3cret-s") && request.ends_with(program), "{request}");
    let sent = parameters(&request);
    assert_eq!(sent["immediate"], "true");
    let (there, request) = pinged(&source, SPLUNK, 200).await;
    assert!(there && request.starts_with("GET /v2/metric?limit=1 "), "{request}");
}

#[tokio::test]
async fn x5_keys_that_are_missing_are_named_and_no_key_is_shown() {
    let http = http(TIMEOUT);
    let all: [(Box<dyn MetricSource>, Keys); 4] = [
        (Box::new(Datadog::new(http.clone())), DATADOG),
        (Box::new(Dynatrace::new(http.clone())), DYNATRACE),
        (Box::new(NewRelic::new(http.clone())), NEWRELIC),
        (Box::new(Splunk::new(http)), SPLUNK),
    ];
    for (source, secret) in all {
        for (missing, _) in secret {
            let rest: Vec<_> = secret.iter().filter(|(key, _)| key != missing).copied().collect();
            let error = told(source.as_ref(), &rest, "q", 200, "").await.0.unwrap_err();
            assert_eq!(error.reason(), "SecretKeyMissing");
            assert!(error.to_string().contains(missing), "{error}");
        }
        let broken: Vec<_> = secret.iter().map(|(key, _)| (*key, "s3cret\u{7}")).collect();
        let error = told(source.as_ref(), &broken, "q", 200, "").await.0.unwrap_err();
        assert_eq!(error.reason(), "SecretKeyMissing");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
    }
}
