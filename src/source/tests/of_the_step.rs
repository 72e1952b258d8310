//! Servers that return the time of their values: values from before the step say nothing about it.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Asked, Play, http, server};
use crate::{
    analysis::{Doubt, Since},
    clock,
    source::{
        MetricSource, SourceError, ask::Sample, cloudwatch::CloudWatch, datadog::Datadog,
        externalmetrics::ExternalMetrics, graphite::Graphite, http::TIMEOUT, influxdb::InfluxDb,
        splunk::Splunk, stackdriver,
    },
};

/// The Secret that all of them need.
const SECRET: &[(&str, &str)] = &[
    ("aws_access_key_id", "AKIDEXAMPLE"),
    ("aws_secret_access_key", "k"),
    ("datadog_api_key", "a"),
    ("datadog_application_key", "b"),
    ("sf_token_key", "s"),
    ("token", "t"),
    ("org", "o"),
];
const METRIC_DATA: &str = r#"[{"Id":"e","MetricStat":{"Period":60,"Stat":"Sum"}}]"#;

struct Case {
    source: Box<dyn MetricSource>,
    query: &'static str,
    /// An answer with the value 5 of a minute that begins then.
    answer: fn(Timestamp) -> String,
}

fn case(source: impl MetricSource + 'static, query: &'static str, answer: fn(Timestamp) -> String) -> Case {
    Case { source: Box::new(source), query, answer }
}

fn cases() -> Vec<Case> {
    let all = || http(TIMEOUT);
    vec![
        case(CloudWatch::new(all(), super::identity::nobody()), METRIC_DATA, |at| {
            let (new, old) = (at.as_second(), at.as_second() - 60);
            json!({"MetricDataResults": [{"Id": "e", "Timestamps": [new, old], "Values": [5, 9]}]})
                .to_string()
        }),
        case(Datadog::new(all()), "q", |at| {
            let (new, old) = (at.as_millisecond(), at.as_millisecond() - 60_000);
            let series = json!({"interval": 60, "pointlist": [[old, 9.0], [new, 5.0]]});
            json!({"status": "ok", "series": [series]}).to_string()
        }),
        case(ExternalMetrics::new(all(), super::nobody()), "test/queue", |at| {
            let measured = (at + SignedDuration::from_secs(60)).to_string();
            json!({"items": [{"value": "5", "timestamp": measured, "windowSeconds": 60}]}).to_string()
        }),
        case(Graphite::new(all()), "target=a", |at| {
            let at = at.as_second();
            let points = json!([[9.0, at - 60], [5.0, at], [null, at + 60], [null, at + 120]]);
            json!([{"target": "a", "datapoints": points}]).to_string()
        }),
        case(InfluxDb::new(all()), "q", |at| {
            let ends = at + SignedDuration::from_secs(60);
            format!(",result,table,_time,_value\r\n,_result,0,{at},9\r\n,_result,0,{ends},5\r\n\r\n")
        }),
        case(Splunk::new(all()), "q", |at| {
            let at = at.as_millisecond();
            format!(
                "event: message\ndata: {{\"message\":{{\"messageCode\":\"JOB_RUNNING_RESOLUTION\",\"contents\":{{\"resolutionMs\":60000}}}}}}\n\n\
                 event: data\ndata: {{\"data\":[{{\"tsId\":\"A\",\"value\":9}}],\"logicalTimestampMs\":{}}}\n\n\
                 event: data\ndata: {{\"data\":[{{\"tsId\":\"A\",\"value\":5}}],\"logicalTimestampMs\":{at}}}\n\n\
                 event: data\ndata: {{\"data\":[{{\"tsId\":\"A\",\"value\":null}}],\"logicalTimestampMs\":{}}}\n\n\
                 event: control-message\ndata: {{\"event\":\"END_OF_CHANNEL\"}}\n\n",
                at - 60_000,
                at + 60_000
            )
        }),
    ]
}

#[tokio::test]
async fn v1_values_of_the_time_before_the_step_are_in_doubt() {
    let now = clock::now();
    let ago = |seconds: i64| now - SignedDuration::from_secs(seconds);
    for case in cases() {
        let kind = case.source.kind();
        // its minute ended two minutes ago
        let (address, _) = server(Play::Say(200, "application/json", (case.answer)(ago(180)))).await;
        let said = |step: Option<Timestamp>, run: Timestamp| {
            let (region, since) = (Some("eu-west-1".to_owned()), step.map(|step| Since { run, step }));
            let asked = Asked { region, since, ..Asked::of(&address, case.query).with(SECRET) };
            let source = case.source.as_ref();
            async move { source.query(&asked.ask()).await }
        };
        for step in [None, Some(ago(600)), Some(ago(150))] {
            assert_eq!(said(step, ago(900)).await.unwrap(), [5.0], "{kind} {step:?}");
        }
        for (run, wanted) in [(900, Doubt::Early), (100, Doubt::Former)] {
            let said = said(Some(ago(90)), ago(run)).await;
            let Err(SourceError::Doubtful { values, doubt }) = said else { panic!("{kind} {said:?}") };
            assert_eq!((values, doubt), (vec![5.0], wanted), "{kind}");
        }
    }
}

#[test]
fn v1_google_tells_when_the_time_of_a_point_ends() {
    let body = r#"{"timeSeriesData":[{"pointData":[
        {"values":[{"doubleValue":5}],"timeInterval":{"startTime":"2026-01-01T00:00:00Z","endTime":"2026-01-01T00:01:00Z"}},
        {"values":[{"doubleValue":9}],"timeInterval":{"endTime":"2026-01-01T00:00:00Z"}}]}]}"#;
    let samples = stackdriver::decode(&http(TIMEOUT).reply("Google Cloud", 200, body.into())).unwrap();
    assert_eq!(samples, [Sample { value: 5.0, until: Some("2026-01-01T00:01:00Z".parse().unwrap()) }]);
}

/// The used values out of values with these end times, in a step from 100 s on of a run from 10 s on.
fn taken(samples: &[(f64, Option<i64>)]) -> Result<Vec<f64>, SourceError> {
    let at = |seconds: i64| Some(Timestamp::from_second(seconds).unwrap());
    let since = at(10).zip(at(100)).map(|(run, step)| Since { run, step });
    let asked = Asked { since, ..Asked::of("http://x", "q") };
    let sample = |(value, until): &(f64, Option<i64>)| Sample { value: *value, until: until.and_then(at) };
    asked.ask().of_the_step(&samples.iter().map(sample).collect::<Vec<_>>())
}

#[test]
fn v1_one_series_of_the_step_is_enough_and_what_has_no_time_is_taken() {
    let of = |samples: &[(f64, Option<i64>)]| taken(samples).is_ok();
    assert!(of(&[]));
    assert!(of(&[(1.0, None)]));
    assert!(of(&[(1.0, Some(50)), (1.0, Some(101))]));
    assert!(!of(&[(1.0, Some(50)), (1.0, Some(100))]));
    assert!(of(&[(f64::NAN, Some(50))]), "no data is no data");
    assert!(!of(&[(f64::NAN, None), (1.0, Some(50))]));
}

#[test]
fn v1_a_series_that_ended_before_the_run_does_not_count_beside_those_of_the_run() {
    let of = taken;
    // the pods of a release that was rolled back, beside those of the next one
    assert_eq!(of(&[(9.0, Some(5)), (1.0, Some(150))]).unwrap(), [1.0]);
    assert_eq!(of(&[(9.0, Some(5)), (1.0, None)]).unwrap(), [1.0]);
    // a pod of this run that is gone says something about the run
    assert_eq!(of(&[(9.0, Some(50)), (1.0, Some(150))]).unwrap(), [9.0, 1.0]);
    let Err(SourceError::Doubtful { values, doubt }) = of(&[(9.0, Some(5)), (1.0, Some(50))]) else {
        panic!()
    };
    assert_eq!((values, doubt), (vec![1.0], Doubt::Early));
    let Err(SourceError::Doubtful { values, doubt }) = of(&[(9.0, Some(5)), (f64::NAN, None)]) else {
        panic!()
    };
    assert!(values[0] > 8.0 && values.len() == 2 && doubt == Doubt::Former);
}

#[tokio::test]
async fn v1_a_value_whose_time_is_not_over_does_not_count_beside_one_whose_time_is() {
    // part of a minute has part of its errors
    let (now, begins) = (clock::now(), clock::now() - SignedDuration::from_secs(20));
    let ago = |seconds: i64| now - SignedDuration::from_secs(seconds);
    for case in cases() {
        let kind = case.source.kind();
        if !["cloudwatch", "datadog", "graphite"].contains(&kind) {
            continue;
        }
        let (address, _) = server(Play::Say(200, "application/json", (case.answer)(begins))).await;
        let said = |step: Option<Timestamp>| {
            let (region, since) =
                (Some("eu-west-1".to_owned()), step.map(|step| Since { run: ago(900), step }));
            let asked = Asked { region, since, ..Asked::of(&address, case.query).with(SECRET) };
            let source = case.source.as_ref();
            async move { source.query(&asked.ask()).await }
        };
        assert_eq!(said(None).await.unwrap(), [9.0], "{kind}");
        assert_eq!(said(Some(ago(60))).await.unwrap(), [9.0], "{kind}");
        // a complete one from before the step does not replace it
        if kind != "datadog" {
            assert_eq!(said(Some(ago(10))).await.unwrap(), [5.0], "{kind}");
        }
    }
    // if there is no other, it counts
    let answer =
        json!([{"target": "a", "datapoints": [[null, ago(80).as_second()], [5.0, ago(20).as_second()]]}]);
    let (address, _) = server(Play::Say(200, "application/json", answer.to_string())).await;
    let alone = Graphite::new(http(TIMEOUT)).query(&Asked::of(&address, "target=a").ask()).await;
    assert_eq!(alone.unwrap(), [5.0]);
}
