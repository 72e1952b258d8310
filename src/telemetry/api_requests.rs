//! Requests to the API server, counted where the client sends them.
#![allow(clippy::disallowed_methods, reason = "durations of requests are measured here and decide nothing")]

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use http::{Method, Request, Response};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use tower::{Layer, Service};

use super::{buckets, catalog};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    verb: &'static str,
    resource: String,
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerbLabels {
    verb: &'static str,
}

/// Counters of requests to the API server, as a layer around a client.
#[derive(Clone, Debug)]
pub struct ApiRequests {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<VerbLabels, Histogram, fn() -> Histogram>,
}

impl Default for ApiRequests {
    fn default() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(buckets::DEFAULT);
        Self { requests: Family::default(), seconds: Family::new_with_constructor(histogram) }
    }
}

impl ApiRequests {
    pub(super) fn register(&self, registry: &mut Registry) {
        let (name, help) = catalog::named("serin_api_requests_total");
        registry.register(name, help, self.requests.clone());
        let (name, help) = catalog::named("serin_api_request_duration_seconds");
        registry.register(name, help, self.seconds.clone());
    }

    pub(super) fn answered(&self, verb: &'static str, resource: String, code: Option<u16>, took: Duration) {
        let code = code.map_or_else(|| "error".to_owned(), |code| code.to_string());
        self.requests.get_or_create(&RequestLabels { verb, resource, code }).inc();
        // a watch answers when there is an event
        if verb != "watch" {
            self.seconds.get_or_create(&VerbLabels { verb }).observe(took.as_secs_f64());
        }
    }
}

impl<S> Layer<S> for ApiRequests {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner, counters: Arc::new(self.clone()) }
    }
}

/// A client whose requests are counted.
#[derive(Clone, Debug)]
pub struct Counted<S> {
    inner: S,
    counters: Arc<ApiRequests>,
}

impl<S, B, R> Service<Request<B>> for Counted<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let uri = request.uri();
        let (verb, resource) = named(request.method(), uri.path(), uri.query().unwrap_or_default());
        let (counters, began) = (self.counters.clone(), Instant::now());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            let code = answer.as_ref().ok().map(|answer| answer.status().as_u16());
            counters.answered(verb, resource, code, began.elapsed());
            answer
        })
    }
}

/// The verb of a request in Kubernetes' terms, and the plural of the resource, with its subresource.
fn named(method: &Method, path: &str, query: &str) -> (&'static str, String) {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    // /api/VERSION/… and /apis/GROUP/VERSION/…
    let rest = match parts.first() {
        Some(&"api") => parts.get(2..),
        Some(&"apis") => parts.get(3..),
        _ => None,
    };
    if parts.get(1) == Some(&"external.metrics.k8s.io") {
        // the name of a metric is a user's text
        return ("get", "externalmetrics".to_owned());
    }
    let rest = rest.unwrap_or_default();
    let rest = if rest.first() == Some(&"namespaces") && rest.len() > 2 { &rest[2..] } else { rest };
    let Some(plural) = rest.first() else { return ("get", "discovery".to_owned()) };
    let resource = rest.get(2).map_or_else(|| (*plural).to_owned(), |sub| format!("{plural}/{sub}"));
    let verb = match (method, rest.len() > 1) {
        (&Method::GET, _) if query.split('&').any(|pair| pair == "watch=true" || pair == "watch=1") => {
            "watch"
        }
        (&Method::GET, false) => "list",
        (&Method::GET, true) => "get",
        (&Method::POST, _) => "create",
        (&Method::PUT, _) => "update",
        (&Method::PATCH, _) => "patch",
        (&Method::DELETE, _) => "delete",
        _ => "other",
    };
    (verb, resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_named_as_kubernetes_names_them() {
        for (method, path, query, verb, resource) in [
            (Method::GET, "/api/v1/namespaces", "", "list", "namespaces"),
            (Method::GET, "/api/v1/namespaces/test", "", "get", "namespaces"),
            (Method::GET, "/api/v1/namespaces/test/services", "watch=true&x=y", "watch", "services"),
            (Method::GET, "/api/v1/namespaces/test/services/app", "", "get", "services"),
            (
                Method::PATCH,
                "/apis/apps/v1/namespaces/test/deployments/app/scale",
                "",
                "patch",
                "deployments/scale",
            ),
            (Method::POST, "/apis/flagger.app/v1beta1/namespaces/test/canaries", "", "create", "canaries"),
            (
                Method::PATCH,
                "/apis/flagger.app/v1beta1/namespaces/test/canaries/app/status",
                "",
                "patch",
                "canaries/status",
            ),
            (
                Method::GET,
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                "watch=1",
                "watch",
                "customresourcedefinitions",
            ),
            (Method::DELETE, "/apis/apps/v1/namespaces/test/deployments/app", "", "delete", "deployments"),
            (Method::GET, "/version", "", "get", "discovery"),
        ] {
            assert_eq!(named(&method, path, query), (verb, resource.to_owned()), "{method} {path}");
        }
    }
}
