//! The gates of a run, read from `startGate`, `steps[].gate` and `promotion.gate`.

use std::time::Duration;

use serde::Serialize;

use super::{pause::Pause, problem::Problem, schedule::Step};
use crate::api::{CanaryAnalysis, Gate, duration};

/// Time until people are reminded of a gate without a deadline.
const REMINDER: Duration = Duration::from_secs(3600);

/// A gate after parsing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GateRule {
    /// Its name for people.
    pub name: Option<String>,
    /// Longest wait.
    pub deadline: Option<Duration>,
    /// The run continues after that; otherwise it is rolled back.
    pub proceeds: bool,
    /// When people are reminded.
    pub remind_after: Duration,
}

impl Default for GateRule {
    fn default() -> Self {
        Self { name: None, deadline: None, proceeds: false, remind_after: REMINDER }
    }
}

/// Parses one gate; `path` is its field.
///
/// # Errors
/// A field of it is invalid.
pub(super) fn rule(gate: &Gate, path: &str) -> Result<GateRule, Problem> {
    let time = |field: &str, text: &Option<String>| match text.as_deref().filter(|t| !t.is_empty()) {
        None => Ok(None),
        Some(text) => match duration::parse(text).filter(|time| !time.is_zero()) {
            Some(time) => Ok(Some(time)),
            None => Err(Problem::new(
                "InvalidSpec",
                format!("{path}.{field}: {text:?} is not a duration above zero such as 24h"),
            )),
        },
    };
    let deadline = time("deadline", &gate.deadline)?;
    let proceeds = match gate.on_deadline.as_deref().unwrap_or("rollback") {
        "rollback" | "" => false,
        "proceed" => true,
        other => {
            let text = format!("{path}.onDeadline: {other:?} is neither rollback nor proceed");
            return Err(Problem::new("InvalidSpec", text));
        }
    };
    let remind = time("remindAfter", &gate.remind_after)?;
    let remind_after = remind.unwrap_or_else(|| deadline.map_or(REMINDER, |time| time / 2));
    Ok(GateRule { name: gate.name.clone().filter(|n| !n.is_empty()), deadline, proceeds, remind_after })
}

/// The gates of an analysis.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Gates {
    /// Before a run.
    pub start: Option<GateRule>,
    /// After steps, by index from 1.
    pub steps: std::collections::BTreeMap<usize, GateRule>,
    /// How the wait before the promotion is limited.
    pub promotion: GateRule,
}

/// All gates of an analysis, with its steps and its wait before the promotion.
///
/// # Errors
/// One of them is invalid.
pub(super) fn gates(
    analysis: &CanaryAnalysis,
    schedule: &[Step],
    pause: Option<&Pause>,
) -> Result<Gates, Problem> {
    let start = analysis.start_gate.as_ref().map(|g| rule(g, "spec.analysis.startGate")).transpose()?;
    let mut steps = std::collections::BTreeMap::new();
    let listed = analysis.step_weight.unwrap_or(0) <= 0 && analysis.step_weights.is_empty();
    // copies of requests come before the first step of the list
    let before = schedule.len().saturating_sub(analysis.steps.len());
    for (index, step) in analysis.steps.iter().enumerate() {
        let Some(gate) = &step.gate else { continue };
        let path = format!("spec.analysis.steps[{index}].gate");
        let gate = rule(gate, &path)?;
        if !listed || analysis.iterations.unwrap_or(0) > 0 {
            let text = format!(
                "{path} would never be reached: spec.analysis.steps is not looked at beside stepWeight, stepWeights or iterations; leave those out"
            );
            return Err(Problem::new("InvalidSpec", text));
        }
        if index + 1 == analysis.steps.len() && pause.is_some() {
            let text = format!(
                "{path} is at the last step, where spec.analysis.promotion waits as well: leave one of the two out"
            );
            return Err(Problem::new("InvalidSpec", text));
        }
        steps.insert(before + index + 1, gate);
    }
    let promotion = analysis.promotion.as_ref().and_then(|p| p.gate.as_ref());
    let promotion = promotion.map(|g| rule(g, "spec.analysis.promotion.gate")).transpose()?;
    Ok(Gates { start, steps, promotion: promotion.unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(analysis: Value, steps: usize, pause: bool) -> Result<Gates, String> {
        let analysis = serde_json::from_value(analysis).unwrap();
        let pause = pause.then_some(Pause { until: crate::spec::pause::Wait::Request, at: steps });
        gates(&analysis, &vec![Step::default(); steps], pause.as_ref()).map_err(|p| p.message)
    }

    #[test]
    fn gates_are_counted_as_the_schedule_is() {
        let steps = json!([{"weight": 5, "gate": {"name": "qa", "deadline": "1h"}}, {"weight": 50}]);
        let found = of(json!({"steps": steps, "startGate": {}}), 2, true).unwrap();
        let qa = &found.steps[&1];
        assert_eq!(
            (qa.name.as_deref(), qa.deadline, qa.remind_after, qa.proceeds),
            (Some("qa"), Some(Duration::from_secs(3600)), Duration::from_secs(1800), false)
        );
        assert_eq!(found.start, Some(GateRule::default()));
        assert!(of(json!({"steps": steps, "mirror": true}), 3, false).unwrap().steps.contains_key(&2));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_its_path() {
        let gate = |gate: Value| json!({"steps": [{"weight": 5, "gate": gate}]});
        for (analysis, pause, words) in [
            (gate(json!({"deadline": "soon"})), false, "steps[0].gate.deadline"),
            (gate(json!({"remindAfter": "0s"})), false, "steps[0].gate.remindAfter"),
            (gate(json!({"onDeadline": "pray"})), false, "neither rollback nor proceed"),
            (gate(json!({})), true, "leave one of the two out"),
            (json!({"stepWeight": 5, "steps": [{"weight": 5, "gate": {}}]}), false, "never be reached"),
            (json!({"startGate": {"deadline": "-1h"}}), false, "startGate.deadline"),
            (json!({"promotion": {"gate": {"deadline": "x"}}}), false, "promotion.gate.deadline"),
        ] {
            let text = of(analysis, 1, pause).unwrap_err();
            assert!(text.contains(words), "{text}");
        }
    }
}
