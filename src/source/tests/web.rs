use super::{Asked, Play, http, nobody, server};
use crate::source::{
    ask::MetricSource, externalmetrics::ExternalMetrics, graphite::Graphite, http::TIMEOUT, web::Web,
};

#[tokio::test]
async fn h4_line_breaks_within_a_url_are_not_sent() {
    let (address, seen) = server(Play::Say(200, "application/json", "5".into())).await;
    let query = "\n/stats/rate?app=podinfo\n    &label=a b\r\n  &from=-1m\n";
    assert_eq!(Web::new(http(TIMEOUT)).query(&Asked::of(&address, query).ask()).await.unwrap(), [5.0]);
    let request = seen.lock().unwrap()[0].clone();
    assert!(request.starts_with("GET /stats/rate?app=podinfo&label=a%20b&from=-1m HTTP/1.1"), "{request}");
}

/// The request of this source, for an address with an argument of its own.
async fn asked_for(source: &dyn MetricSource, query: &str) -> String {
    let (address, seen) = server(Play::Say(500, "text/plain", String::new())).await;
    source.query(&Asked::of(&format!("{address}/api?tenant=a%26b"), query).ask()).await.unwrap_err();
    seen.lock().unwrap()[0].lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn h4_arguments_of_an_address_are_sent_with_those_of_the_query() {
    let http = || http(TIMEOUT);
    let cases: [(Box<dyn MetricSource>, &str, &str); 5] = [
        (Box::new(Web::new(http())), "/rate?app=a", "/api/rate?tenant=a%26b&app=a"),
        (Box::new(Web::new(http())), "/rate", "/api/rate?tenant=a%26b"),
        (Box::new(Web::new(http())), "?app=a", "/api?tenant=a%26b&app=a"),
        (
            Box::new(Graphite::new(http())),
            "target=a&from=-2min",
            "/api/render?tenant=a%26b&target=a&from=-2min&format=json&noCache=true",
        ),
        (
            Box::new(ExternalMetrics::new(http(), nobody())),
            "test/queue?labelSelector=app%3Da",
            "/api/apis/external.metrics.k8s.io/v1beta1/namespaces/test/queue?tenant=a%26b&labelSelector=app%3Da",
        ),
    ];
    for (source, query, wanted) in cases {
        let line = asked_for(source.as_ref(), query).await;
        assert_eq!(line, format!("GET {wanted} HTTP/1.1"), "{}", source.kind());
    }
}

#[tokio::test]
async fn r35_a_bare_number_is_a_value_and_a_text_an_error_that_quotes_it() {
    for (body, value) in [("0.99", 0.99), (" 0.99 \n", 0.99), ("\"0.99\"", 0.99), ("true", 1.0)] {
        let (address, _) = server(Play::Say(200, "text/plain", body.into())).await;
        assert_eq!(
            Web::new(http(TIMEOUT)).query(&Asked::of(&address, "/").ask()).await.unwrap(),
            [value],
            "{body}"
        );
    }
    for body in ["OK", "0.99 ms", "\"OK\""] {
        let (address, _) = server(Play::Say(200, "text/plain", body.into())).await;
        let error = Web::new(http(TIMEOUT)).query(&Asked::of(&address, "/").ask()).await.unwrap_err();
        assert!(error.quoting().contains(body.trim_matches('"')), "{}", error.quoting());
        assert!(!error.to_string().contains(body), "{error}");
    }
}
