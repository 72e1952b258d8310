//! Answers of Graphite's own web application 1.1.10, over a Whisper store.

use crate::source::{
    ask::MetricSource,
    error::SourceError,
    graphite::Graphite,
    http::TIMEOUT,
    tests::{Asked, Play, http, server},
};

async fn answered(status: u16, body: &str) -> (Result<Vec<f64>, SourceError>, String) {
    let (address, seen) = server(Play::Say(status, "application/json", body.into())).await;
    let asked = Asked::of(&address, "target=sumSeries(app.errors)\n &from=-2min");
    let said = Graphite::new(http(TIMEOUT)).query(&asked.ask()).await;
    let line = seen.lock().unwrap()[0].lines().next().unwrap().to_owned();
    (said, line)
}

#[tokio::test]
async fn the_newest_value_of_each_series_counts() {
    let errors = r#"[{"target": "app.errors", "tags": {"name": "app.errors"}, "datapoints": [[null, 1795286910], [1.5, 1795286920], [2.5, 1795286930], [null, 1795286940]]}]"#;
    let (said, line) = answered(200, errors).await;
    assert_eq!(said.unwrap(), [2.5]);
    assert_eq!(
        line,
        "GET /render?target=sumSeries(app.errors)%20&from=-2min&format=json&noCache=true HTTP/1.1"
    );

    let two = r#"[{"target": "app.huge", "tags": {"name": "app.huge"}, "datapoints": [[1e+300, 1795286930], [null, 1795286940]]}, {"target": "app.idle", "tags": {"name": "app.idle"}, "datapoints": [[null, 1795286910], [null, 1795286920]]}]"#;
    let both = answered(200, two).await.0.unwrap();
    assert!(both[0] > 9e299 && both[1].is_nan(), "a series without values is no number: {both:?}");
}

#[tokio::test]
async fn a_series_that_nobody_has_is_no_data_and_an_unknown_function_is_a_wrong_query() {
    assert!(answered(200, "[]").await.0.unwrap().is_empty());
    let words =
        r#"Invalid parameters (Received request for unknown function: nope); targets: "nope(app.errors)""#;
    let error = answered(400, words).await.0.unwrap_err();
    assert_eq!(error.reason(), "QueryRejected");
    assert!(error.quoting().contains("unknown function: nope"), "{error}");
}

#[tokio::test]
async fn l6_infinity_is_a_value() {
    let of =
        |target: &str, value: &str| format!(r#"[{{"target": "{target}", "datapoints": [[{value}, 1]]}}]"#);
    let infinity = f64::INFINITY;
    assert_eq!(answered(200, &of("a", "1e9999")).await.0.unwrap(), [infinity]);
    assert_eq!(answered(200, &of("a", "-1e9999")).await.0.unwrap(), [-infinity]);
    assert_eq!(answered(200, &of("scale(a\\\"1e9999,1e9999)", "1e9999")).await.0.unwrap(), [infinity]);
    for odd in ["1e9998", "\"x", "true"] {
        assert!(answered(200, &of("a", odd)).await.0.is_err(), "{odd}");
    }
}
