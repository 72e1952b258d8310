//! Hosted servers that return only a part of the data.

use super::{Asked, Play, http, server};
use crate::source::{
    MetricSource, SourceError, datadog::Datadog, dynatrace::Dynatrace, http::TIMEOUT, splunk::Splunk,
};

const SECRET: &[(&str, &str)] = &[
    ("datadog_api_key", "a"),
    ("datadog_application_key", "b"),
    ("dynatrace_token", "t"),
    ("sf_token_key", "s"),
];

async fn told(source: &dyn MetricSource, body: &str) -> Result<Vec<f64>, SourceError> {
    let (address, _) = server(Play::Say(200, "application/json", body.to_owned())).await;
    source.query(&Asked::of(&address, "q").with(SECRET).ask()).await
}

#[tokio::test]
async fn v3_dynatrace_with_further_pages_is_no_whole_answer() {
    let source = Dynatrace::new(http(TIMEOUT));
    let page = |key: &str| {
        let data = r#"[{"timestamps":[1],"values":[0.25]}]"#;
        format!(r#"{{"totalCount":9,"nextPageKey":{key},"result":[{{"metricId":"m","data":{data}}}]}}"#)
    };
    assert_eq!(told(&source, &page("null")).await.unwrap(), [0.25]);
    let error = told(&source, &page("\"x\"")).await.unwrap_err();
    assert_eq!(error.reason(), "AnswerWarned");
    assert!(error.quoting().contains("further pages"), "{}", error.quoting());
}

#[tokio::test]
async fn v3_splunk_that_has_looked_at_a_part_of_the_series_is_no_whole_answer() {
    let source = Splunk::new(http(TIMEOUT));
    let stream = |code: &str| {
        format!(
            "event: message\ndata: {{\"message\":{{\"messageCode\":\"{code}\",\ndata: \"contents\":{{\"matchedSize\":123456,\"limitSize\":50000}}}}}}\n\n\
             event: data\ndata: {{\"data\":[{{\"tsId\":\"A\",\"value\":1}}],\"logicalTimestampMs\":1}}\n\n\
             event: control-message\ndata: {{\"event\":\"END_OF_CHANNEL\"}}\n\n"
        )
    };
    assert_eq!(told(&source, &stream("JOB_INITIAL_MAX_DELAY")).await.unwrap(), [1.0]);
    let error = told(&source, &stream("FIND_LIMITED_RESULT_SET")).await.unwrap_err();
    assert_eq!(error.reason(), "AnswerWarned");
    assert!(error.quoting().contains("limitSize"), "{}", error.quoting());
}

#[tokio::test]
async fn v3_datadog_that_is_not_ok_gives_no_values() {
    let source = Datadog::new(http(TIMEOUT));
    let of = |status: &str| {
        format!(r#"{{"status":"{status}","error":"a part timed out","series":[{{"pointlist":[[1000,5]]}}]}}"#)
    };
    assert_eq!(told(&source, &of("ok")).await.unwrap(), [5.0]);
    for status in ["error", "partial", "timeout"] {
        assert!(told(&source, &of(status)).await.is_err(), "{status}");
    }
}
