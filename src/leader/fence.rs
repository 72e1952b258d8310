//! Wraps the operator's client: writes of an operator that no longer leads are not sent.
//!
//! # Caveats
//! The process may freeze between reading the clock and sending a request. The API server refuses such a late
//! request if the object has changed: every write is bound to the version that it was decided on.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{Method, Request, Response};
use tower::{BoxError, Layer, Service};

use super::Leadership;

/// Why a request was not sent, or its answer not awaited.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fenced {
    /// The Lease is not held.
    #[error("this operator does not lead: nothing is written")]
    NotLeading,
    /// The Lease ended before there was an answer.
    #[error("no answer before the lease ends")]
    LeaseEnds,
}

/// A client that writes only while the operator leads.
#[derive(Clone)]
pub(crate) struct FencedClient<S> {
    inner: S,
    leadership: Leadership,
}

impl<S> Layer<S> for Leadership {
    type Service = FencedClient<S>;

    fn layer(&self, inner: S) -> FencedClient<S> {
        FencedClient { inner, leadership: self.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for FencedClient<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if !is_fenced(request.method(), request.uri().path()) {
            let answer = self.inner.call(request);
            return Box::pin(async move { answer.await.map_err(Into::into) });
        }
        let Some(left) = self.leadership.left() else {
            return Box::pin(async { Err(Fenced::NotLeading.into()) });
        };
        let answer = self.inner.call(request);
        Box::pin(async move { within(left, answer).await })
    }
}

async fn within<T, E: Into<BoxError>>(
    left: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, BoxError> {
    match tokio::time::timeout(left, answer).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => Err(Fenced::LeaseEnds.into()),
    }
}

/// What may be posted without leading: the Lease itself, and requests that steer nothing. Decisions made while leading
/// are still reported, and every replica checks readers of metrics.
const FREE: [&str; 4] = ["leases", "events", "tokenreviews", "subjectaccessreviews"];

/// Writes, except the free ones.
fn is_fenced(method: &Method, path: &str) -> bool {
    let writes = ![Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
    writes && !plural(path).is_some_and(|plural| FREE.contains(&plural))
}

/// The kind of object in a path, whatever its namespace and its own name are.
fn plural(path: &str) -> Option<&str> {
    let path = path.trim_start_matches('/');
    let within = match path.strip_prefix("api/") {
        Some(core) => core.split_once('/')?.1,
        None => path.strip_prefix("apis/")?.splitn(3, '/').nth(2)?,
    };
    let mut parts = within.split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("namespaces"), Some(_), Some(plural)) => Some(plural),
        (first, ..) => first,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    async fn sends(leadership: &Leadership, method: Method, path: &str) -> Result<(), String> {
        let answered = tower::service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(())) });
        let mut client = leadership.layer(answered);
        let request = Request::builder().method(method).uri(path).body(()).unwrap();
        client.call(request).await.map(drop).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn writes_are_sent_only_while_leading() {
        let objects = "/apis/apps/v1/namespaces/n/deployments/app";
        let (ours, theirs) = (Leadership::default(), Leadership::always());
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let refused = sends(&ours, method.clone(), objects).await.unwrap_err();
            assert_eq!(refused, "this operator does not lead: nothing is written");
            assert_eq!(sends(&theirs, method.clone(), objects).await, Ok(()));
            for path in [
                "/apis/events.k8s.io/v1/namespaces/n/events",
                "/apis/coordination.k8s.io/v1/namespaces/n/leases/l",
                "/apis/authentication.k8s.io/v1/tokenreviews",
                "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            ] {
                assert_eq!(sends(&ours, method.clone(), path).await, Ok(()));
            }
            // a namespace or an object with such a name is not free
            for path in [
                "/apis/apps/v1/namespaces/events/deployments/app",
                "/apis/apps/v1/namespaces/n/deployments/leases",
                "/api/v1/namespaces/leases/services/events",
                "/api/v1/namespaces/events",
            ] {
                assert!(sends(&ours, method.clone(), path).await.is_err(), "{method} {path}");
            }
        }
        assert_eq!(sends(&ours, Method::GET, objects).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_is_not_answered_while_leading_is_given_up() {
        let leadership = Leadership::default();
        leadership.hold_for(Duration::from_secs(5));
        let silent =
            tower::service_fn(|_: Request<()>| std::future::pending::<Result<Response<()>, Infallible>>());
        let request = Request::builder().method(Method::PATCH).uri("/api/v1/services/a").body(()).unwrap();
        let refused = leadership.layer(silent).call(request).await.unwrap_err();
        assert_eq!(refused.to_string(), "no answer before the lease ends");
        assert_eq!(
            sends(&leadership, Method::PATCH, "/api/v1/services/a").await.unwrap_err(),
            "this operator does not lead: nothing is written"
        );
    }
}
