#![allow(clippy::disallowed_types, reason = "this module reads KeptnMetrics from the API server")]
//! Keptn's metrics, read from the API server: `keptnmetric/<namespace>/<name>` is the value in the status
//! of that KeptnMetric.
//!
//! Flagger's `analysis/…` creates an object for each check and waits for it. It is refused: a check writes nothing.

use std::time::Duration;

use futures::{FutureExt, future::BoxFuture};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject},
    core::GroupVersionKind,
};

use serde_json::Value;

use super::{
    ask::{Ask, MetricSource, Sample},
    error::SourceError,
    http::quoted,
};

/// Time limit of a read.
const DEADLINE: Duration = Duration::from_secs(5);
/// Its name in errors.
const SERVER: &str = "the API server";
/// Longest part of a DNS name.
const LONGEST_LABEL: usize = 63;
/// Longest name of an object.
const LONGEST_NAME: usize = 253;

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

    async fn read(&self, ask: &Ask<'_>) -> Result<Vec<f64>, SourceError> {
        let (namespace, name) = metric(ask.query)?;
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
            // the error may contain a piece of an answer
            _ => SourceError::Unasked { server: SERVER.into(), why: "no usable answer".into() },
        })?;
        ask.of_the_step(&dated(&object.data["status"], &format!("KeptnMetric {namespace}/{name}"))?)
    }
}

impl MetricSource for Keptn {
    fn kind(&self) -> &'static str {
        "keptn"
    }

    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>> {
        self.read(ask).boxed()
    }

    /// There is nothing to query except a metric.
    fn ping<'a>(&'a self, _: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>> {
        async { Ok(()) }.boxed()
    }
}

/// Namespace and name, in lower case as in Flagger.
fn metric(query: &str) -> Result<(String, String), SourceError> {
    let query = query.trim().to_lowercase();
    let unusable = |why: &str| SourceError::Unusable {
        message: format!("query of the MetricTemplate: {why}: write keptnmetric/<namespace>/<name>"),
    };
    match query.split('/').collect::<Vec<_>>().as_slice() {
        // both become parts of a path
        ["keptnmetric" | "keptnmetrics", namespace, name]
            if is_label(namespace) && name.len() <= LONGEST_NAME && name.split('.').all(is_label) =>
        {
            Ok(((*namespace).to_owned(), (*name).to_owned()))
        }
        ["analysis" | "analyses", ..] => Err(unusable("Analyses of Keptn are not served")),
        _ => Err(unusable("it names no KeptnMetric")),
    }
}

/// A part of a DNS name in lower case.
fn is_label(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= LONGEST_LABEL
        && text.chars().all(|c| ends(c) || c == '-')
        && text.starts_with(ends)
        && text.ends_with(ends)
}

/// The value with the time at which Keptn fetched it, which does not change when it stops fetching.
pub(super) fn dated(status: &Value, whose: &str) -> Result<Vec<Sample>, SourceError> {
    let until = status["lastUpdated"].as_str().and_then(|text| text.parse().ok());
    Ok(value(status, whose)?.into_iter().map(|value| Sample { value, until }).collect())
}

/// A value that does not exist yet is no data. One that Keptn could not fetch is an error: it empties the value then.
/// If there is a value, `errMsg` is ignored, because Keptn did not clear it after a success until January 2024.
fn value(status: &Value, whose: &str) -> Result<Vec<f64>, SourceError> {
    let odd =
        |why: String, said: &str| SourceError::Undecodable { server: SERVER.into(), why, said: quoted(said) };
    let none = || match status["errMsg"].as_str().map(str::trim).filter(|said| !said.is_empty()) {
        Some(said) => Err(odd(format!("{whose} has an error in place of a value"), said)),
        None => Ok(vec![]),
    };
    let number = match &status["value"] {
        Value::Null => return none(),
        Value::String(text) if text.trim().is_empty() => return none(),
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
    fn f23_namespace_and_name_are_parts_of_dns_names() {
        assert_eq!(
            metric("keptnmetric/app-1/errors.p99").unwrap(),
            ("app-1".to_owned(), "errors.p99".to_owned())
        );
        let long = "a".repeat(64);
        for text in [
            "keptnmetric/../secrets",
            "keptnmetric/app/..",
            "keptnmetric/app/%2e%2e",
            "keptnmetric/app/x?watch=1",
            "keptnmetric/app/x#",
            "keptnmetric/a.b/x",
            "keptnmetric/-a/x",
            "keptnmetric/app/x-",
            "keptnmetric/app/x y",
            "keptnmetric/äpp/x",
            &format!("keptnmetric/{long}/x"),
            &format!("keptnmetric/app/{long}"),
        ] {
            assert_eq!(metric(text).unwrap_err().reason(), "TemplateUnusable", "{text}");
        }
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
    fn an_error_of_keptn_counts_only_where_there_is_no_value() {
        for none in [json!(""), json!(" "), json!(null)] {
            let error = value(&json!({"value": none, "errMsg": "no route to host"}), "m").unwrap_err();
            assert_eq!(error.reason(), "AnswerUndecodable");
            assert!(error.quoting().contains("no route to host"), "{}", error.quoting());
            assert!(value(&json!({"value": none, "errMsg": " "}), "m").unwrap().is_empty());
        }
        // an old one that was not cleared
        for said in ["", "no route to host"] {
            assert_eq!(value(&json!({"value": "12.5", "errMsg": said}), "m").unwrap(), [12.5]);
        }
    }

    #[test]
    fn v1_a_value_is_of_the_time_at_which_keptn_fetched_it() {
        let of = |status: Value| dated(&status, "m").unwrap();
        let at = "2026-01-01T00:00:00Z";
        let kept = of(json!({"value": "12.5", "lastUpdated": at}));
        assert_eq!(kept, [Sample { value: 12.5, until: Some(at.parse().unwrap()) }]);
        for none in [json!(null), json!(""), json!("soon")] {
            assert_eq!(of(json!({"value": "12.5", "lastUpdated": none})), [Sample::undated(12.5)]);
        }
    }
}
