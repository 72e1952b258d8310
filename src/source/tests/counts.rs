#![allow(clippy::disallowed_methods, reason = "servers to ask run beside the tests")]

use jiff::Timestamp;

use crate::{
    analysis::Tally,
    source::{
        ask::MetricSource,
        error::SourceError,
        graphite::Graphite,
        http::TIMEOUT,
        prometheus::Prometheus,
        tests::{Asked, Play, http, server},
    },
    statistics::Counts,
};

fn says(series: &[(&str, &str)], more: &str) -> Play {
    let one = |(name, value): &(&str, &str)| {
        format!(r#"{{"metric":{{"serin_count":"{name}"}},"value":[1.5,"{value}"]}}"#)
    };
    let all: Vec<String> = series.iter().map(one).collect();
    let data = format!(r#"{{"resultType":"vector","result":[{}]}}"#, all.join(","));
    Play::Say(200, "application/json", format!(r#"{{"status":"success"{more},"data":{data}}}"#))
}

async fn count(play: Play) -> Result<Tally, SourceError> {
    let (address, _) = server(play).await;
    let at = Timestamp::from_millisecond(1_700_000_015_250).unwrap();
    Prometheus::new(http(TIMEOUT)).count(&Asked::of(&address, "up").ask(), at).await
}

const WHOLE: [(&str, &str); 4] =
    [("primary_bad", "2"), ("canary_all", "144"), ("primary_all", "1002"), ("canary_bad", "4")];

#[tokio::test]
async fn counts_are_told_by_their_label_in_any_order() {
    let counts = |all, bad| Counts { all, bad };
    assert_eq!(
        count(says(&WHOLE, "")).await.unwrap(),
        Tally { canary: counts(144, 4), primary: counts(1002, 2) }
    );
    assert_eq!(count(says(&[], "")).await.unwrap(), Tally::default());
}

#[tokio::test]
async fn counts_are_asked_for_at_their_own_time() {
    let (address, seen) = server(says(&WHOLE, "")).await;
    let at = Timestamp::from_millisecond(1_700_000_015_250).unwrap();
    Prometheus::new(http(TIMEOUT)).count(&Asked::of(&address, "up").ask(), at).await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen[0].starts_with("GET /api/v1/query?nocache=1&time=1700000015.250&query=up "), "{}", seen[0]);
}

#[tokio::test]
async fn an_answer_that_is_not_whole_or_makes_no_sense_is_no_look() {
    let odd = [
        says(&WHOLE, r#","warnings":["a store is down"]"#),
        says(&WHOLE, r#","isPartial":true"#),
        says(&[("canary_all", "3"), ("canary_all", "4")], ""),
        says(&[("canary_all", "1"), ("canary_bad", "2")], ""),
        says(&[("canary_all", "0.5")], ""),
        says(&[("canary_all", "-1")], ""),
        says(&[("canary_all", "NaN")], ""),
        says(&[("canary_all", "1e16")], ""),
        Play::Say(
            200,
            "application/json",
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"3"]}]}}"#
                .into(),
        ),
        Play::Say(503, "text/plain", "down".into()),
        Play::Close,
    ];
    for play in odd {
        assert!(count(play).await.is_err());
    }
}

#[tokio::test]
async fn servers_without_counters_say_so() {
    let at = Timestamp::UNIX_EPOCH;
    let error = Graphite::new(http(TIMEOUT)).count(&Asked::of("http://x", "up").ask(), at).await.unwrap_err();
    assert!(error.to_string().contains("graphite"), "{error}");
}
