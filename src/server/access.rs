//! Who may read `/metrics`: decided by the API server, with TokenReview and SubjectAccessReview, as kube-rbac-proxy
//! does.
//!
//! Caches recent answers, so that a scraper costs two calls a minute. Knows nothing about metrics.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this module asks the API server, and answers age"
)]

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, StatusCode, header};
use k8s_openapi::api::{
    authentication::v1::{TokenReview, TokenReviewSpec, UserInfo},
    authorization::v1::{NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec},
};
use kube::{Api, Client, api::PostParams};
use sha2::{Digest as _, Sha256};
use tokio::{sync::Mutex, time::timeout};

/// Time limit of a call to the API server.
const DEADLINE: Duration = Duration::from_secs(5);
/// An answer is valid for this long.
const FRESH: Duration = Duration::from_secs(60);
/// Number of cached answers: there are few scrapers.
const KEPT: usize = 64;
/// Longest token that is checked: those of service accounts have about 1 KiB.
const LONGEST: usize = 8 * 1024;
/// The path that is checked.
const PATH: &str = "/metrics";

/// Why a caller may not read.
pub(super) type Refusal = (StatusCode, String);

/// Cached answers with their time, by the digest of the token.
type Known = BTreeMap<[u8; 32], (Instant, Result<(), Refusal>)>;

/// Checks who may read. One check at a time: callers without the right cannot make the operator send more requests.
pub(crate) struct Access {
    client: Client,
    known: Mutex<Known>,
}

impl Access {
    /// Checks with this client, whose account may make reviews.
    pub(crate) fn new(client: Client) -> Self {
        Self { client, known: Mutex::default() }
    }

    /// Whether the sender of these headers may read.
    ///
    /// # Errors
    /// No account is named, or one without the right; or it is unknown.
    pub(super) async fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).map(str::trim).unwrap_or_default();
        if token.is_empty() || token.len() > LONGEST {
            let why = "send the token of an account that may get the path /metrics, as Authorization: Bearer";
            return Err((StatusCode::UNAUTHORIZED, why.into()));
        }
        let key = Sha256::digest(token).into();
        let mut known = self.known.lock().await;
        known.retain(|_, (asked, _)| asked.elapsed() < FRESH);
        if let Some((_, answer)) = known.get(&key) {
            return answer.clone();
        }
        let answer = timeout(DEADLINE, self.review(token)).await.unwrap_or_else(|_| {
            Err(unknown(&format!("no answer of the API server within {} s", DEADLINE.as_secs())))
        });
        let is_known = !matches!(answer, Err((StatusCode::SERVICE_UNAVAILABLE, _)));
        if is_known && known.len() < KEPT {
            known.insert(key, (Instant::now(), answer.clone()));
        }
        answer
    }

    async fn review(&self, token: &str) -> Result<(), Refusal> {
        let asked = TokenReview {
            spec: TokenReviewSpec { token: token.to_owned(), ..TokenReviewSpec::default() },
            ..TokenReview::default()
        };
        let reviews: Api<TokenReview> = Api::all(self.client.clone());
        let answer = reviews.create(&PostParams::default(), &asked).await.map_err(|e| failed(&e))?;
        let status = answer.status.unwrap_or_default();
        let user = status.user.filter(|_| status.authenticated == Some(true));
        let Some(user) = user else {
            return Err((StatusCode::UNAUTHORIZED, "the API server does not know this token".into()));
        };
        let name = user.username.clone().unwrap_or_default();
        let reviews: Api<SubjectAccessReview> = Api::all(self.client.clone());
        let answer = reviews.create(&PostParams::default(), &may_read(user)).await.map_err(|e| failed(&e))?;
        if answer.status.is_some_and(|status| status.allowed) {
            return Ok(());
        }
        let why =
            format!("{name} may not get the path {PATH}: grant it by a ClusterRole with nonResourceURLs");
        Err((StatusCode::FORBIDDEN, why))
    }
}

fn may_read(user: UserInfo) -> SubjectAccessReview {
    SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            extra: user.extra,
            groups: user.groups,
            uid: user.uid,
            user: user.username,
            non_resource_attributes: Some(NonResourceAttributes {
                path: Some(PATH.into()),
                verb: Some("get".into()),
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    }
}

fn failed(error: &kube::Error) -> Refusal {
    let forbidden = matches!(error, kube::Error::Api(status) if status.is_forbidden());
    let remedy = if forbidden { ": the operator needs the rights of metricsAuth in the chart" } else { "" };
    unknown(&format!("{error}{remedy}"))
}

fn unknown(why: &str) -> Refusal {
    tracing::warn!("who asks for {PATH} cannot be determined: {why}");
    (StatusCode::SERVICE_UNAVAILABLE, "who asks cannot be determined: see the log of the operator".into())
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use axum::http::{Request, Response};
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;

    /// An API server that knows the tokens `scraper` and `stranger`; only the first may read.
    fn access() -> (Access, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            counted.fetch_add(1, Ordering::SeqCst);
            async move {
                let asked = request.into_body().collect_bytes().await.unwrap();
                let mut review: Value = serde_json::from_slice(&asked).unwrap();
                let spec = review["spec"].clone();
                review["status"] = match spec["token"].as_str() {
                    Some(token @ ("scraper" | "stranger")) => {
                        json!({"authenticated": true, "user": {"username": token, "groups": ["g"]}})
                    }
                    Some("unlucky") => {
                        return Ok(Response::builder().status(500).body(Body::empty()).unwrap());
                    }
                    Some(_) => json!({"authenticated": false}),
                    None => {
                        assert_eq!(spec["nonResourceAttributes"], json!({"path": "/metrics", "verb": "get"}));
                        assert_eq!(spec["groups"], json!(["g"]));
                        json!({"allowed": spec["user"] == "scraper"})
                    }
                };
                let body = serde_json::to_vec(&review).unwrap();
                Ok::<_, Infallible>(Response::new(Body::from(body)))
            }
        });
        (Access::new(Client::new(service, "n")), calls)
    }

    async fn status(access: &Access, authorization: Option<&str>) -> u16 {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        access.admit(&headers).await.map_or_else(|(status, _)| status.as_u16(), |()| 200)
    }

    #[tokio::test]
    async fn f10_metrics_are_for_accounts_that_may_read_them() {
        let (access, calls) = access();
        for (authorization, expected) in [
            (None, 401),
            (Some("Basic scraper"), 401),
            (Some("Bearer "), 401),
            (Some("Bearer nobody"), 401),
            (Some("Bearer stranger"), 403),
            (Some("Bearer scraper"), 200),
            (Some("Bearer unlucky"), 503),
        ] {
            assert_eq!(status(&access, authorization).await, expected, "{authorization:?}");
        }
        assert_eq!(status(&access, Some(&format!("Bearer {}", "x".repeat(LONGEST + 1)))).await, 401);
        let asked = calls.load(Ordering::SeqCst);
        assert_eq!(asked, 6, "nobody once, the others twice, and one that failed");
        for (authorization, expected) in
            [("Bearer nobody", 401), ("Bearer stranger", 403), ("Bearer scraper", 200)]
        {
            assert_eq!(status(&access, Some(authorization)).await, expected);
        }
        assert_eq!(calls.load(Ordering::SeqCst), asked, "answers are believed for a while");
        status(&access, Some("Bearer unlucky")).await;
        assert_eq!(calls.load(Ordering::SeqCst), asked + 1, "what is not known is asked again");
    }
}
