use super::{Asked, Play, http, server};
use crate::source::{ask::MetricSource, http::TIMEOUT, web::Web};

#[tokio::test]
async fn h4_line_breaks_within_a_url_are_not_sent() {
    let (address, seen) = server(Play::Say(200, "application/json", "5".into())).await;
    let query = "\n/stats/rate?app=podinfo\n    &label=a b\r\n  &from=-1m\n";
    assert_eq!(Web::new(http(TIMEOUT)).query(&Asked::of(&address, query).ask()).await.unwrap(), [5.0]);
    let request = seen.lock().unwrap()[0].clone();
    assert!(request.starts_with("GET /stats/rate?app=podinfo&label=a%20b&from=-1m HTTP/1.1"), "{request}");
}
