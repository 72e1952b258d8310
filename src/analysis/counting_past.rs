//! How many requests the pods of the primary had in each of many looks of the past, by the same differences of counters as
//! [`counting`](super::counting).

use std::time::Duration;

use super::{
    access::Access,
    builtin,
    checks::Checks,
    counting::{LABEL, failed, growth},
    query::{Metric, Query, Range},
};
use crate::{router::Builtin, spec::Validated};

/// All requests, under the label that tells what a sample counts.
pub(crate) const WHOLE: &str = "all";
/// Those that failed.
pub(crate) const FAILED: &str = "bad";

/// The query for the requests of the look of this length that ends when it is evaluated; of each pod by itself where the counters
/// are those of the pods. None: the router has no counters.
///
/// # Errors
/// Names do not fit into it.
pub(crate) fn of_pods(
    c: &Validated,
    checks: &Checks,
    builtin: &Builtin,
    every: Duration,
) -> Result<Option<Query>, String> {
    let builtin = builtin.reported_by(c.analysis.reporter.unwrap_or_default());
    let Some(counted) = builtin.counts else { return Ok(None) };
    let primary = c.for_primary();
    let whole = builtin::selector(&primary, checks, builtin, counted.all)?;
    let failed = failed(&primary, checks, builtin, counted)?;
    let ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    let by = if counted.of_pods { " by (job, instance)" } else { "" };
    let named = |series: &[String], name: &str| {
        let grown = growth(series, &whole, ms, false);
        format!("label_replace(sum{by}({grown}), \"{LABEL}\", \"{name}\", \"\", \"\")")
    };
    Ok(Some(Query {
        metric: "requests of the primary".into(),
        kind: Metric::SuccessRate,
        promql: format!("{} or {}", named(std::slice::from_ref(&whole), WHOLE), named(&failed, FAILED)),
        server: c.metrics_server.clone(),
        access: Access::in_namespace(&c.namespace),
        range: Range::default(),
        window: super::counting::BACK.into(),
        counters: None,
        doubts: vec![],
        since: None,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{api::Reporter, manifest::fixture, router};

    fn query(provider: &str, reporter: Option<Reporter>) -> Option<String> {
        let mut c = fixture::canary(&json!({}));
        c.analysis.reporter = reporter;
        let builtin = router::by_name(provider).unwrap().queries();
        let query = of_pods(&c, &Checks::default(), builtin, Duration::from_secs(15)).unwrap();
        query.map(|query| query.promql)
    }

    #[test]
    fn the_past_is_counted_as_looks_are_and_pod_by_pod() {
        let text = query("istio", None).unwrap();
        let whole = "istio_requests_total{reporter=\"destination\",destination_workload_namespace=\"test\",\
                     destination_workload=~\"podinfo-primary\"}";
        let look = super::super::counting::growth(&[whole.to_owned()], whole, 15_000, false);
        assert!(
            text.starts_with(&format!(
                "label_replace(sum by (job, instance)({look}), \"serin_count\", \"all\""
            )),
            "{text}"
        );
        assert!(text.contains("response_code=~\"5.*\"") && !text.contains("reporter=\"source\""), "{text}");
        let callers = query("istio", Some(Reporter::Source)).unwrap();
        assert!(
            callers.starts_with("label_replace(sum(("),
            "of callers it is not known which pod answered: {callers}"
        );
        assert_eq!(query("nginx", None), None);
    }
}
