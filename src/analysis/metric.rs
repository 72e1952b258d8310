//! What the fields of a metric say: its template, window and bounds.

use super::query::{Metric, Range};
use crate::{api::CanaryMetric, spec::Validated};

/// Window of checks that name none.
const WINDOW: &str = "1m";

/// The MetricTemplate of a metric, as `namespace/name`.
pub(crate) fn template_of(c: &Validated, m: &CanaryMetric) -> Option<String> {
    let template = m.template_ref.as_ref()?;
    let namespace = template.namespace.as_deref().filter(|n| !n.is_empty()).unwrap_or(&c.namespace);
    Some(format!("{namespace}/{}", template.name))
}

/// `thresholdRange`, else the old single threshold: the least success rate, or the most of anything else; unset is 0,
/// unless there is a condition in its place.
pub(super) fn range(m: &CanaryMetric, kind: Metric) -> Range {
    match (&m.threshold_range, kind) {
        (Some(range), _) => Range { min: range.min, max: range.max },
        (None, _) if m.threshold.is_none() && m.verdict.has_condition() => Range::default(),
        (None, Metric::SuccessRate) => Range { min: Some(m.threshold.unwrap_or(0.0)), max: None },
        (None, _) => Range { min: None, max: Some(m.threshold.unwrap_or(0.0)) },
    }
}

pub(super) fn window(m: &CanaryMetric) -> Result<String, String> {
    let text = m.interval.as_deref().map(str::trim).filter(|i| !i.is_empty()).unwrap_or(WINDOW);
    if is_promql_duration(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("interval of metric {}: {text:?} is no duration such as 30s or 1m", m.name))
    }
}

/// Digits and a unit, once or more: what PromQL takes between brackets.
fn is_promql_duration(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let number = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let Some((unit, after)) = ["ms", "s", "m", "h", "d", "w", "y"]
            .iter()
            .find_map(|unit| Some((unit, rest.get(number..)?.strip_prefix(unit)?)))
        else {
            return false;
        };
        if number == 0 || number > 9 || unit.is_empty() {
            return false;
        }
        rest = after;
    }
    !text.is_empty()
}
