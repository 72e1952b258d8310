#![allow(clippy::disallowed_methods, reason = "servers to ask run beside the tests")]

use std::time::Duration;

use crate::analysis::Doubt;
use crate::source::{
    ask::MetricSource,
    error::SourceError,
    http::TIMEOUT,
    prometheus::Prometheus,
    tests::{Asked, Play, http, server},
};

async fn query(timeout: Duration, server: &str, promql: &str) -> Result<Vec<f64>, SourceError> {
    Prometheus::new(http(timeout)).query(&Asked::of(server, promql).ask()).await
}

async fn ask(play: Play) -> Result<Vec<f64>, SourceError> {
    let (address, _) = server(play).await;
    query(TIMEOUT, &address, "up").await
}

fn says(data: &str) -> Play {
    Play::Say(200, "application/json", format!(r#"{{"status":"success","data":{data}}}"#))
}

fn vector(values: &[&str]) -> String {
    let series: Vec<String> =
        values.iter().map(|v| format!(r#"{{"metric":{{"a":"b"}},"value":[1.5,"{v}"]}}"#)).collect();
    format!(r#"{{"resultType":"vector","result":[{}]}}"#, series.join(","))
}

#[tokio::test]
async fn values_are_read() {
    assert_eq!(ask(says(&vector(&["99.5"]))).await.unwrap(), [99.5]);
    assert_eq!(ask(says(&vector(&[]))).await.unwrap(), [] as [f64; 0]);
    assert!(ask(says(&vector(&["NaN"]))).await.unwrap()[0].is_nan());
    assert_eq!(
        ask(says(&vector(&["+Inf", "-Inf", "1e3"]))).await.unwrap(),
        [f64::INFINITY, f64::NEG_INFINITY, 1e3]
    );
    assert_eq!(ask(says(r#"{"resultType":"scalar","result":[1,"3"]}"#)).await.unwrap(), [3.0]);
    let many = vec!["1"; 5000];
    assert_eq!(ask(says(&vector(&many))).await.unwrap().len(), 5000);
    let Play::Say(_, _, body) = says(&vector(&["1"])) else { unreachable!() };
    assert_eq!(ask(Play::Say(200, "text/plain", body)).await.unwrap(), [1.0]);
}

#[tokio::test]
async fn a_wrong_query_is_told_from_a_broken_server() {
    let error = r#"{"status":"error","errorType":"odd","error":"parse\n error"}"#;
    for status in [400, 422] {
        let refused = ask(Play::Say(status, "application/json", error.into())).await.unwrap_err();
        assert_eq!(refused.reason(), "QueryRejected");
        assert!(
            refused.quoting().ends_with(&format!("rejected the query with status {status}: parse error"))
        );
    }
    let long = r#"{"status":"error","error":"MANY"}"#.replace("MANY", &"x ".repeat(2000));
    let long = ask(Play::Say(400, "application/json", long)).await.unwrap_err();
    let SourceError::Rejected { said, .. } = long else { panic!("{long}") };
    assert_eq!(said.chars().count(), 1024);
    for status in [302, 401, 500, 503] {
        let down = ask(Play::Say(status, "text/plain", "upstream".into())).await.unwrap_err();
        assert_eq!(down.reason(), "SourceUnavailable");
    }
    let odd = ask(Play::Say(200, "application/json", error.into())).await.unwrap_err();
    assert_eq!(odd.reason(), "AnswerUndecodable");
    assert!(odd.quoting().ends_with("cannot be read: it calls itself an error: parse error"), "{odd}");
}

#[tokio::test]
async fn v1_every_question_asks_for_an_answer_of_now() {
    let (address, seen) = server(says(&vector(&["1"]))).await;
    let long = format!("up{{a=\"{}\"}}", "b".repeat(8000));
    for (base, query) in [("", "up"), ("/?nocache=1", "up"), ("/?tenant=a", "up"), ("", long.as_str())] {
        self::query(TIMEOUT, &format!("{address}{base}"), query).await.unwrap();
    }
    let seen = seen.lock().unwrap();
    let lines: Vec<&str> = seen.iter().map(|r| r.lines().next().unwrap()).collect();
    assert_eq!(
        lines,
        [
            "GET /api/v1/query?nocache=1&query=up HTTP/1.1",
            "GET /api/v1/query?nocache=1&query=up HTTP/1.1",
            "GET /api/v1/query?tenant=a&nocache=1&query=up HTTP/1.1",
            // queries that proxies refuse as a URL are posted
            "POST /api/v1/query?nocache=1 HTTP/1.1",
        ]
    );
    assert!(seen[3].contains("application/x-www-form-urlencoded"), "{}", seen[3]);
}

#[tokio::test]
async fn v1_v2_samples_older_than_half_of_the_window_are_doubted_by_our_own_clock() {
    let now = crate::clock::now().as_second();
    // the window is 1m by default
    let told = async |age: i64, word: &str, value: &str| {
        let values = if value.is_empty() {
            String::new()
        } else {
            format!(r#"{{"metric":{{}},"value":[1,"{value}"]}},"#)
        };
        let newest = now - age;
        let of = format!(r#"{{"metric":{{"serin_doubt":"{word}"}},"value":[1,"{newest}"]}}"#);
        ask(says(&format!(r#"{{"resultType":"vector","result":[{values}{of}]}}"#))).await
    };
    assert_eq!(told(20, "late", "99").await.unwrap(), [99.0]);
    let error = told(40, "late", "99").await.unwrap_err();
    let SourceError::Doubtful { values, doubt: Doubt::Late { seconds } } = error else { panic!("{error}") };
    assert_eq!(values, [99.0]);
    assert!((40..60).contains(&seconds), "{seconds}");
    let error = told(90, "behind", "").await.unwrap_err();
    assert!(matches!(error, SourceError::Doubtful { doubt: Doubt::Behind { .. }, .. }), "{error}");
    assert_eq!(told(20, "behind", "").await.unwrap(), [] as [f64; 0]);
    // a rate needs two samples: the counters exist, and the window is too short for their scrapes
    let error = told(20, "late", "").await.unwrap_err();
    assert!(
        error.to_string().starts_with("running query failed: no values found, though there is a sample"),
        "{error}"
    );
    assert!(
        error.to_string().contains("within 60 s") && matches!(error, SourceError::Sparse { .. }),
        "{error}"
    );
    assert!(!matches!(told(90, "late", "").await, Err(SourceError::Sparse { .. })));
    // series with values are readable
    assert_eq!(told(0, "native", "99").await.unwrap(), [99.0]);
    let error = told(0, "native", "").await.unwrap_err();
    assert!(matches!(error, SourceError::Doubtful { doubt: Doubt::Native, .. }), "{error}");
}

#[tokio::test]
async fn v2_a_server_is_behind_for_as_long_as_it_has_nothing_and_not_if_it_has_fresh_samples() {
    let now = crate::clock::now().as_second();
    // the window is 1m by default
    let told = async |value: &str, canary: Option<i64>, primary: i64| {
        let aged = |word: &str, age: i64| {
            format!(r#"{{"metric":{{"serin_doubt":"{word}"}},"value":[1,"{}"]}}"#, now - age)
        };
        let value = (!value.is_empty()).then(|| format!(r#"{{"metric":{{}},"value":[1,"{value}"]}}"#));
        let late = canary.map(|age| aged("late", age));
        let all: Vec<String> = value.into_iter().chain(late).chain([aged("behind", primary)]).collect();
        ask(says(&format!(r#"{{"resultType":"vector","result":[{}]}}"#, all.join(",")))).await
    };
    let behind = |found: Result<Vec<f64>, SourceError>| {
        matches!(found, Err(SourceError::Doubtful { doubt: Doubt::Behind { .. }, .. }))
    };
    for age in [90, 200, 900, 3500] {
        assert!(behind(told("", None, age).await), "no data for {age} s");
        assert!(behind(told("NaN", None, age).await), "no number for {age} s");
    }
    assert!(behind(told("99", Some(45), 90).await));
    // the primary of a canary that has all requests may have had none for long
    assert!(!behind(told("99", Some(45), 900).await));
    // a fresh sample of the canary comes from a server that is not behind
    assert_eq!(told("99", Some(10), 90).await.unwrap(), [99.0]);
    assert!(!behind(told("", Some(10), 900).await));
}

#[tokio::test]
async fn v3_a_partial_answer_is_no_whole_one() {
    let answer = |partial: bool| {
        let text = format!(
            r#"{{"status":"success","isPartial":{partial},"data":{{"resultType":"scalar","result":[1,"3"]}}}}"#
        );
        ask(Play::Say(200, "application/json", text))
    };
    assert_eq!(answer(true).await.unwrap_err().reason(), "AnswerWarned");
    assert_eq!(answer(false).await.unwrap(), [3.0]);
}

#[tokio::test]
async fn v13_a_server_that_ran_out_of_time_is_not_asked_a_wrong_query() {
    for said in [
        "timeout exceeded while executing the query",
        "expanding series: context deadline exceeded",
        "query timed out in expression evaluation",
        "query was canceled in expression evaluation",
        r#"error when executing query=\"up\" for (time=1, step=2): timeout exceeded during query execution: 0.050 seconds"#,
        "fetching chunks: read tcp 10.0.0.1:10901: i/o timeout",
        "net/http: TLS handshake timeout",
        "net/http: timeout awaiting response headers",
    ] {
        let text = format!(r#"{{"status":"error","errorType":"execution","error":"{said}"}}"#);
        let error = ask(Play::Say(422, "application/json", text)).await.unwrap_err();
        assert_eq!(error.reason(), "SourceUnavailable", "{said}");
        assert!(error.quoting().contains(&said.replace('\\', "")), "{error}");
    }
}

#[tokio::test]
async fn v13_words_that_a_server_quotes_from_a_query_are_not_its_own() {
    let refusals = [
        (
            422,
            r#"found duplicate series for the match group {reason=\"timeout exceeded\"} on the right hand-side of the operation: [{__name__=\"a\", reason=\"timed out\"}, {}];many-to-many matching not allowed"#,
        ),
        (
            422,
            r#"error when executing query=\"rate(request_timeout_total{why=\\\"was canceled\\\"}[1m])\" for (time=1, step=2): duplicate time series: requests_canceled_total{}"#,
        ),
        (422, "cannot evaluate: unexpected name `deadline exceeded`"),
        (422, "unknown function timeout_total"),
        (400, r#"1:9: parse error: unexpected string \"unsupported path\""#),
    ];
    for (status, said) in refusals {
        let text = format!(r#"{{"status":"error","errorType":"execution","error":"{said}"}}"#);
        let error = ask(Play::Say(status, "application/json", text)).await.unwrap_err();
        assert_eq!(error.reason(), "QueryRejected", "{said}");
    }
}

#[tokio::test]
async fn v14_an_address_where_there_is_no_prometheus_is_named() {
    let answers = [
        (400, "text/plain", "unsupported path requested: /select/0/prometheus/api/v1/query"),
        (400, "application/json", r#"{"status":"error","error":"unsupported path requested"}"#),
        (400, "text/html", "<html>bad request</html>"),
        (404, "text/html", "<html>not found</html>"),
        (404, "text/plain", "404 page not found"),
    ];
    for (status, kind, body) in answers {
        let error = ask(Play::Say(status, kind, body.into())).await.unwrap_err();
        assert_eq!(error.reason(), "NotPrometheus", "{status} {body}");
        assert!(error.to_string().contains("there is no Prometheus at"), "{error}");
    }
}

#[tokio::test]
async fn v16_a_native_histogram_is_called_one() {
    let mixed = r#"{"resultType":"vector","result":[{"metric":{},"value":[1,"5"]},{"metric":{},"histogram":[1,{"count":"1"}]}]}"#;
    let error = ask(says(mixed)).await.unwrap_err();
    assert!(error.to_string().contains("a series is a native histogram"), "{error}");
}

#[tokio::test]
async fn nonsense_is_no_answer() {
    let html = ask(Play::Say(200, "text/html", "<html><body>login</body></html>".into())).await.unwrap_err();
    assert_eq!(html.reason(), "AnswerUndecodable");
    assert!(html.to_string().ends_with("cannot be read: it is a web page"));
    assert!(html.quoting().ends_with("it is a web page: <html><body>login</body></html>"));
    let bodies = [
        r#"{"resultType":"vector","result":[{"metric":{},"value":[]}]}"#,
        r#"{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}"#,
        r#"{"resultType":"vector","result":[{"metric":{},"histogram":[1,{"count":"1"}]}]}"#,
        r#"{"resultType":"string","result":[1,"x"]}"#,
        r#"{"resultType":"vector"}"#,
        "null",
        "[]",
    ];
    for data in bodies {
        assert_eq!(ask(says(data)).await.unwrap_err().reason(), "AnswerUndecodable", "{data}");
    }
    for body in ["", "{}", "null", "[1", "\u{0}"] {
        let play = Play::Say(200, "application/json", body.into());
        assert_eq!(ask(play).await.unwrap_err().reason(), "AnswerUndecodable", "{body}");
    }
    let matrix = r#"{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[2,"1"]]}]}"#;
    assert_eq!(ask(says(matrix)).await.unwrap_err().reason(), "QueryNotInstant");
}

#[tokio::test]
async fn a_flood_is_cut_and_silence_ends() {
    assert_eq!(ask(Play::Flood).await.unwrap_err().reason(), "AnswerTooLarge");
    let (address, _) = server(Play::Hang).await;
    let quick = query(Duration::from_millis(100), &address, "up").await.unwrap_err();
    assert_eq!(quick.reason(), "SourceTimedOut");
    assert!(quick.to_string().ends_with("did not answer within 0.1 s"));
    assert_eq!(ask(Play::Close).await.unwrap_err().reason(), "SourceUnreachable");
}

#[tokio::test]
async fn base_paths_are_tidied_and_queries_sent_as_they_are() {
    let (address, seen) = server(says(&vector(&["1"]))).await;
    for base in ["", "/", "/prom", "/prom/"] {
        query(TIMEOUT, &format!("{address}{base}"), " sum(\n  up{a=\"b c\"}\n) ").await.unwrap();
    }
    let lines: Vec<String> =
        seen.lock().unwrap().iter().map(|r| r.lines().next().unwrap().to_owned()).collect();
    let query = "/api/v1/query?nocache=1&query=sum%28%0A++up%7Ba%3D%22b+c%22%7D%0A%29";
    for (line, base) in lines.iter().zip(["", "", "/prom", "/prom"]) {
        assert_eq!(*line, format!("GET {base}{query} HTTP/1.1"));
    }
}

#[tokio::test]
async fn h4_r16_comments_and_line_breaks_of_a_query_are_kept() {
    let (address, seen) = server(says(&vector(&["1"]))).await;
    query(TIMEOUT, &address, "# share of bad answers\nsum(a{b=\"c  d\"}) # 5xx\n/ sum(b)").await.unwrap();
    let line = seen.lock().unwrap()[0].lines().next().unwrap().to_owned();
    assert_eq!(
        line,
        "GET /api/v1/query?nocache=1&query=%23+share+of+bad+answers%0Asum%28a%7Bb%3D%22c++d%22%7D%29+%23+5xx%0A%2F+sum%28b%29 HTTP/1.1"
    );
}

#[tokio::test]
async fn l7_a_warning_about_the_query_is_told_from_a_partial_answer() {
    let warned = |warnings: &str| {
        let data = vector(&["1"]);
        let body = format!(r#"{{"status":"success","data":{data},"warnings":[{warnings}]}}"#);
        Play::Say(200, "application/json", body)
    };
    let of_query = r#""PromQL warning: quantile value should be between 0 and 1, got 2""#;
    let of_store = r#""receive series from Addr: 10.0.0.1: connection refused""#;
    let error = ask(warned(of_query)).await.unwrap_err();
    assert_eq!(error.reason(), "QueryWarned");
    assert!(error.to_string().ends_with("correct the query"), "{error}");
    assert!(error.quoting().contains("between 0 and 1"), "{}", error.quoting());
    for warnings in [of_store.to_owned(), format!("{of_query},{of_store}")] {
        let error = ask(warned(&warnings)).await.unwrap_err();
        assert_eq!(error.reason(), "AnswerWarned");
        assert!(error.to_string().ends_with("a part of the data may be missing"), "{error}");
    }
}

#[tokio::test]
async fn credentials_are_sent_and_never_shown() {
    let (address, seen) = server(Play::Say(503, "text/plain", "no".into())).await;
    let with = address.replace("http://", "http://me:s3cret@");
    let error = query(TIMEOUT, &with, "up").await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cret"));
    assert!(seen.lock().unwrap()[0].to_lowercase().contains("authorization: basic"));
    for bad in ["me:s3cret@host", "ftp://me:s3cret@host", "", "http://", "file:///etc/passwd"] {
        let error = query(TIMEOUT, bad, "up").await.unwrap_err();
        assert_eq!(error.reason(), "BadAddress", "{bad}");
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
    let nobody = query(TIMEOUT, "http://me:s3cret@127.0.0.1:1", "up").await.unwrap_err();
    assert!(!format!("{nobody} {nobody:?}").contains("s3cret"));
}

#[tokio::test]
async fn ping_wants_the_one() {
    let ping = |play| async {
        Prometheus::new(http(TIMEOUT)).ping(&Asked::of(&server(play).await.0, "").ask()).await
    };
    assert!(ping(says(&vector(&["1"]))).await.is_ok());
    assert_eq!(ping(says(&vector(&["2"]))).await.unwrap_err().reason(), "AnswerUndecodable");
    assert!(ping(Play::Close).await.is_err());
}
