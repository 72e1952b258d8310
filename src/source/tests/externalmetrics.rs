use crate::source::externalmetrics::path;

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
