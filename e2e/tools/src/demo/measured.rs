//! The operator's measurements from its `/metrics`, and the limits of its Canary.

use serde_json::Value;
use serin::api::CanaryStatus;

use serin_bed::operator::Operator;

/// The result of the last check.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum Measured {
    /// There was no check yet.
    #[default]
    Nothing,
    /// There were no requests to measure.
    NoTraffic,
    /// Success rate in percent, and 99th percentile in milliseconds, if it is checked.
    Values { success: f64, p99: Option<f64> },
}

/// The limits of the checks: percent, and milliseconds if there is a second check.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) min_success: f64,
    pub(super) max_p99: Option<f64>,
}

impl Limits {
    /// The limits in a Canary's spec: the first check is about success, the second one about durations.
    pub(super) fn of(canary: &Value) -> Self {
        let range = |check: usize, bound: &str| {
            canary["spec"]["analysis"]["metrics"][check]["thresholdRange"][bound].as_f64()
        };
        Self { min_success: range(0, "min").unwrap_or(f64::NAN), max_p99: range(1, "max") }
    }

    pub(super) fn success(&self) -> String {
        format!("≥ {} %", self.min_success)
    }

    pub(super) fn p99(&self) -> String {
        self.max_p99.map_or_else(|| "–".to_owned(), |most| format!("≤ {most} ms"))
    }
}

impl Measured {
    /// The measurements of the check that resulted in this status.
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
        // The gauge shows durations in seconds.
        let p99 = gauge(&text, target, "request-duration").map(|seconds| seconds * 1000.0);
        let success = gauge(&text, target, "success-rate");
        Ok(success.map_or(Self::Nothing, |success| Self::Values { success, p99 }))
    }

    /// Success rate and 99th percentile for a table.
    pub(super) fn cells(&self) -> (String, String) {
        match self {
            Self::Nothing => ("–".into(), "–".into()),
            Self::NoTraffic => ("no data".into(), "no data".into()),
            Self::Values { success, p99 } => {
                (format!("{success:.2} %"), p99.map_or_else(|| "–".to_owned(), |p99| format!("{p99:.1} ms")))
            }
        }
    }
}

/// The value of `flagger_canary_metric_analysis` for a target and a metric with these words in its name.
fn gauge(text: &str, target: &str, words: &str) -> Option<f64> {
    let wanted = [format!("name=\"{target}\""), words.to_owned()];
    let line = text.lines().find(|line| {
        line.starts_with("flagger_canary_metric_analysis{") && wanted.iter().all(|label| line.contains(label))
    })?;
    line.rsplit(' ').next()?.parse().ok()
}
