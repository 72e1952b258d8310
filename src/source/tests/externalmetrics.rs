use crate::source::externalmetrics::{decode, path};
use crate::source::{http::TIMEOUT, tests::http};

#[test]
fn l11_a_value_may_stand_without_quotes() {
    let read = |values: &str| {
        let reply = http(TIMEOUT).reply("the API", 200, format!(r#"{{"items":[{values}]}}"#).into());
        decode(&reply).map(|all| all.iter().map(|sample| sample.value).collect::<Vec<_>>())
    };
    assert_eq!(read(r#"{"value":5},{"value":"1500m"},{"value":0.5}"#).unwrap(), [5.0, 1.5, 0.5]);
    for odd in [r#"{"value":true}"#, r#"{"value":null}"#, r#"{"value":"x"}"#, "{}"] {
        assert_eq!(read(odd).unwrap_err().reason(), "AnswerUndecodable", "{odd}");
    }
}

#[test]
fn queries_become_paths_that_cannot_leave_the_api() {
    let at =
        |query: &str| path(query).map(|url| format!("{}?{}", url.path(), url.query().unwrap_or_default()));
    let api = "/apis/external.metrics.k8s.io/v1beta1/namespaces";
    assert_eq!(
        at("prod/queue?labelSelector=app%3Da").unwrap(),
        format!("{api}/prod/queue?labelSelector=app%3Da")
    );
    assert_eq!(at(" queue ").unwrap(), format!("{api}/default/queue?"));
    assert_eq!(at("a/datadogmetric@b:c").unwrap(), format!("{api}/a/datadogmetric@b:c?"));
    assert_eq!(at("a/x%2f..%2f..").unwrap(), format!("{api}/a/x%252f..%252f..?"));
    for bad in ["", "/", "a/", "a/..", "../b", "a/b/c", "?x"] {
        assert_eq!(at(bad).unwrap_err().reason(), "TemplateUnusable", "{bad}");
    }
}
