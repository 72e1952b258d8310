//! The fields of a metric: its template, window and bounds.

use super::{
    checks::Checks,
    provider_kinds::PROMETHEUS,
    query::{Metric, Range},
    windows,
};
use crate::{api::CanaryMetric, spec::Validated};

/// Window of checks that set none.
const WINDOW: &str = "1m";

/// The MetricTemplate of a metric, as `namespace/name`.
pub(crate) fn template_of(c: &Validated, m: &CanaryMetric) -> Option<String> {
    let template = m.template_ref.as_ref()?;
    let namespace = template.namespace.as_deref().filter(|n| !n.is_empty()).unwrap_or(&c.namespace);
    Some(format!("{namespace}/{}", template.name))
}

/// `thresholdRange`, or else the old single threshold: the minimum success rate, or the maximum of anything else; unset
/// is 0, unless there is a condition or a comparison instead.
pub(super) fn range(m: &CanaryMetric, kind: Metric) -> Range {
    match (&m.threshold_range, kind) {
        (Some(range), _) => Range { min: range.min, max: range.max },
        (None, _) if m.threshold.is_none() && (m.verdict.has_condition() || m.verdict.compare.is_some()) => {
            Range::default()
        }
        (None, Metric::SuccessRate) => Range { min: Some(m.threshold.unwrap_or(0.0)), max: None },
        (None, _) => Range { min: None, max: Some(m.threshold.unwrap_or(0.0)) },
    }
}

/// How far the query of a metric looks back, in the format of this kind of server.
///
/// # Errors
/// It is not a duration.
pub fn window(m: &CanaryMetric, kind: &str) -> Result<String, String> {
    let text = m.interval.as_deref().map(str::trim).filter(|i| !i.is_empty()).unwrap_or(WINDOW);
    windows::written(text, kind).map_err(|why| format!("interval of metric {}: {text:?} is {why}", m.name))
}

/// The kind of server that a query of a metric goes to.
pub(super) fn kind_of<'c>(c: &Validated, checks: &'c Checks, m: &CanaryMetric) -> &'c str {
    let template = template_of(c, m).and_then(|name| checks.templates.get(&name));
    template.map_or(PROMETHEUS, |template| template.provider.type_.as_str())
}
