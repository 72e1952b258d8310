//! What the operator measured, as its own `/metrics` show it, and the limits that its Canary sets.

use serde_json::Value;
use serin::api::CanaryStatus;

use crate::operator::Operator;

/// The result of the last check.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum Measured {
    /// There was none yet.
    #[default]
    Nothing,
    /// There were no requests to measure.
    NoTraffic,
    /// Success rate in percent, 99th percentile in milliseconds.
    Values { success: f64, p99: f64 },
}

/// The limits of the two checks: percent, milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) min_success: f64,
    pub(super) max_p99: f64,
}

impl Limits {
    /// Those in a Canary's spec.
    pub(super) fn of(canary: &Value) -> Self {
        let range = |metric: &str, bound: &str| {
            let metrics = canary["spec"]["analysis"]["metrics"].as_array();
            let found = metrics.into_iter().flatten().find(|one| one["name"] == metric);
            found.and_then(|one| one["thresholdRange"][bound].as_f64()).unwrap_or(f64::NAN)
        };
        Self { min_success: range("request-success-rate", "min"), max_p99: range("request-duration", "max") }
    }

    pub(super) fn success(&self) -> String {
        format!("≥ {} %", self.min_success)
    }

    pub(super) fn p99(&self) -> String {
        format!("≤ {} ms", self.max_p99)
    }
}

impl Measured {
    /// Of the check that led to this status.
    pub(super) async fn read(
        operator: &Operator,
        status: &CanaryStatus,
        target: &str,
    ) -> anyhow::Result<Self> {
        let halted = status.conditions.iter().find(|one| one.type_ == "Halted" && one.status == "True");
        if halted.is_some_and(|one| one.message.contains("no values found")) {
            return Ok(Self::NoTraffic);
        }
        let text = operator.metrics().await?;
        let values = (gauge(&text, target, "request-success-rate"), gauge(&text, target, "request-duration"));
        Ok(match values {
            // The gauge shows durations in seconds.
            (Some(success), Some(seconds)) => Self::Values { success, p99: seconds * 1000.0 },
            _ => Self::Nothing,
        })
    }

    /// Success rate and 99th percentile for a table.
    pub(super) fn cells(&self) -> (String, String) {
        match self {
            Self::Nothing => ("–".into(), "–".into()),
            Self::NoTraffic => ("no data".into(), "no data".into()),
            Self::Values { success, p99 } => (format!("{success:.2} %"), format!("{p99:.1} ms")),
        }
    }

    /// Whether the success rate is good; nothing, when there is none.
    pub(super) fn success_within(&self, limits: Limits) -> Option<bool> {
        match self {
            Self::Nothing => None,
            Self::NoTraffic => Some(false),
            Self::Values { success, .. } => Some(*success >= limits.min_success),
        }
    }

    /// Whether the 99th percentile is good; nothing, when there is none.
    pub(super) fn p99_within(&self, limits: Limits) -> Option<bool> {
        match self {
            Self::Nothing => None,
            Self::NoTraffic => Some(false),
            Self::Values { p99, .. } => Some(*p99 <= limits.max_p99),
        }
    }
}

/// The value of `flagger_canary_metric_analysis` for a target and a metric.
fn gauge(text: &str, target: &str, metric: &str) -> Option<f64> {
    let wanted = [format!("name=\"{target}\""), format!("metric=\"{metric}\"")];
    let line = text.lines().find(|line| {
        line.starts_with("flagger_canary_metric_analysis{") && wanted.iter().all(|label| line.contains(label))
    })?;
    line.rsplit(' ').next()?.parse().ok()
}
