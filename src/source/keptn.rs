#![allow(clippy::disallowed_types, reason = "this module reads KeptnMetrics from the API server")]
//! Keptn's metrics, read from the API server: `keptnmetric/<namespace>/<name>` is the value that Keptn keeps in the status
//! of that KeptnMetric.
//!
//! Flagger's `analysis/…` makes an object for each check and waits for it. It is refused: a check writes nothing.

use std::time::Duration;

use futures::{FutureExt, future::BoxFuture};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject},
    core::GroupVersionKind,
};

use serde_json::Value;

use super::{
    ask::{Ask, MetricSource},
    error::SourceError,
    http::quoted,
};

/// No read may take longer.
const DEADLINE: Duration = Duration::from_secs(5);
/// As it is named in errors.
const SERVER: &str = "the API server";

/// The KeptnMetrics of the cluster.
#[derive(Clone)]
pub(super) struct Keptn {
    client: Client,
}

impl Keptn {
    /// Through this client.
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    async fn read(&self, query: &str) -> Result<Vec<f64>, SourceError> {
        let (namespace, name) = metric(query)?;
        let gvk = GroupVersionKind::gvk("metrics.keptn.sh", "v1beta1", "KeptnMetric");
        let resource = ApiResource::from_gvk_with_plural(&gvk, "keptnmetrics");
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &namespace, &resource);
        let answer = tokio::time::timeout(DEADLINE, api.get(&name)).await;
        let timed_out = |_| SourceError::TimedOut { server: SERVER.into(), seconds: DEADLINE.as_secs_f64() };
        let object = answer.map_err(timed_out)?.map_err(|error| match error {
            kube::Error::Api(status) if status.code == 429 => SourceError::RateLimited {
                server: SERVER.into(),
                status: status.code,
                said: String::new(),
                retry_after: None,
            },
            kube::Error::Api(status) => SourceError::Unavailable {
                server: format!("{SERVER}, asked for KeptnMetric {namespace}/{name},"),
                status: status.code,
                said: String::new(),
            },
            // the error may hold a piece of an answer
            _ => SourceError::Unasked { server: SERVER.into(), why: "no usable answer".into() },
        })?;
        value(&object.data["status"], &format!("KeptnMetric {namespace}/{name}"))
    }
}

impl MetricSource for Keptn {
    fn kind(&self) -> &'static str {
        "keptn"
    }

    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        self.read(ask.query).boxed()
    }

    /// There is nothing to ask but a metric.
    fn ping<'a>(&'a self, _: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>> {
        async { Ok(()) }.boxed()
    }
}

/// Namespace and name, in lower case as with Flagger.
fn metric(query: &str) -> Result<(String, String), SourceError> {
    let query = query.trim().to_lowercase();
    let unusable = |why: &str| SourceError::Unusable {
        message: format!("query of the MetricTemplate: {why}: write keptnmetric/<namespace>/<name>"),
    };
    match query.split('/').collect::<Vec<_>>().as_slice() {
        ["keptnmetric" | "keptnmetrics", namespace, name] if !namespace.is_empty() && !name.is_empty() => {
            Ok(((*namespace).to_owned(), (*name).to_owned()))
        }
        ["analysis" | "analyses", ..] => Err(unusable("Analyses of Keptn are not served")),
        _ => Err(unusable("it names no KeptnMetric")),
    }
}

/// A value that is not there yet is no data. What Keptn could not fetch is an error, although the value of before may still
/// stand there.
fn value(status: &Value, whose: &str) -> Result<Vec<f64>, SourceError> {
    let odd =
        |why: String, said: &str| SourceError::Undecodable { server: SERVER.into(), why, said: quoted(said) };
    if let Some(said) = status["errMsg"].as_str().map(str::trim).filter(|said| !said.is_empty()) {
        return Err(odd(format!("{whose} has an error in place of a new value"), said));
    }
    let number = match &status["value"] {
        Value::Null => return Ok(vec![]),
        Value::String(text) if text.trim().is_empty() => return Ok(vec![]),
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.as_f64(),
        _ => None,
    };
    number.map(|number| vec![number]).ok_or_else(|| odd(format!("the value of {whose} is no number"), ""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_names_a_metric() {
        for text in ["keptnmetric/App/Errors\n", " keptnmetrics/app/errors "] {
            assert_eq!(metric(text).unwrap(), ("app".to_owned(), "errors".to_owned()));
        }
        for text in ["", "keptnmetric", "keptnmetric//x", "keptnmetric/a/b/c", "secret/a/b"] {
            let error = metric(text).unwrap_err();
            assert!(error.to_string().contains("keptnmetric/<namespace>/<name>"), "{text}: {error}");
            assert_eq!(error.reason(), "TemplateUnusable");
        }
        let analysis = metric("analysis/app/release/5m/x=y").unwrap_err().to_string();
        assert!(analysis.contains("Analyses of Keptn are not served"), "{analysis}");
    }

    #[test]
    fn a_value_is_text_or_a_number() {
        let of = |value: Value| super::value(&json!({"value": value}), "m");
        assert_eq!(of(json!("12.5")).unwrap(), [12.5]);
        assert_eq!(of(json!(12.5)).unwrap(), [12.5]);
        for none in [json!(null), json!(""), json!(" ")] {
            assert!(of(none).unwrap().is_empty());
        }
        assert!(value(&json!(null), "m").unwrap().is_empty());
        assert!(of(json!("NaN")).unwrap()[0].is_nan());
        for odd in [json!("much"), json!(true), json!([1])] {
            assert_eq!(of(odd).unwrap_err().reason(), "AnswerUndecodable");
        }
    }

    #[test]
    fn a_value_that_keptn_could_not_renew_is_none() {
        let error = value(&json!({"value": "12.5", "errMsg": "no route to host"}), "m").unwrap_err();
        assert_eq!(error.reason(), "AnswerUndecodable");
        assert!(error.quoting().contains("no route to host"), "{}", error.quoting());
        assert_eq!(value(&json!({"value": "12.5", "errMsg": ""}), "m").unwrap(), [12.5]);
    }
}
