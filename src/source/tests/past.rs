#![allow(clippy::disallowed_methods, reason = "servers to ask run beside the tests")]

use crate::source::{
    ask::{MetricSource, Series, Stretch},
    error::SourceError,
    http::TIMEOUT,
    prometheus::Prometheus,
    tests::{Asked, Play, http, server},
};

const STRETCH: Stretch = Stretch { from: 1_700_000_000_000, to: 1_700_000_030_500, step: 15_250 };

async fn past(play: Play) -> (Result<Vec<Series>, SourceError>, String) {
    let (address, seen) = server(play).await;
    let asked = Asked::of(&address, "up");
    let found = Prometheus::new(http(TIMEOUT)).past(&asked.ask(), STRETCH).await;
    (found, seen.lock().unwrap().concat())
}

fn says(data: &str) -> Play {
    Play::Say(200, "application/json", format!(r#"{{"status":"success","data":{data}}}"#))
}

#[tokio::test]
async fn the_past_is_asked_for_by_its_moments() {
    let matrix = r#"{"resultType":"matrix","result":[{"metric":{"instance":"a"},"values":[[1700000000,"1"],[1700000015.25,"NaN"]]}]}"#;
    let (found, seen) = past(says(matrix)).await;
    let found = found.unwrap();
    let labels = [("instance".to_owned(), "a".to_owned())].into();
    assert_eq!((found.len(), &found[0].labels), (1, &labels));
    assert_eq!(found[0].points[0], (1_700_000_000_000, 1.0));
    assert!(found[0].points[1].0 == 1_700_000_015_250 && found[0].points[1].1.is_nan());
    let asked = "/api/v1/query_range?nocache=1&start=1700000000.000&end=1700000030.500&step=15.250&query=up ";
    assert!(seen.contains(asked), "{seen}");
}

#[tokio::test]
async fn what_is_no_range_is_no_past() {
    let (found, _) = past(says(r#"{"resultType":"vector","result":[]}"#)).await;
    assert!(found.unwrap_err().to_string().contains("it is no range"));
    let (found, _) = past(Play::Flood).await;
    assert_eq!(found.unwrap_err().reason(), "AnswerTooLarge");
    let matrix = r#"{"resultType":"matrix","result":[{"metric":{},"values":[[1,"x"]]}]}"#;
    assert!(past(says(matrix)).await.0.is_err());
}
