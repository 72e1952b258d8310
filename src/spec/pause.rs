//! How a run waits before its promotion, and what the analysis requires of the apex Service: both from
//! `spec.analysis.promotion`.

use std::time::Duration;

use serde::Serialize;

use super::{problem::Problem, schedule::Strategy};
use crate::api::{CanaryAnalysis, duration};

/// What ends the wait before a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Wait {
    /// Only a request.
    Request,
    /// A request, or this much time.
    For(Duration),
}

/// How a run waits before it is promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pause {
    /// What ends it.
    pub until: Wait,
    /// After which step, from 1.
    pub at: usize,
}

/// How users are moved if only the apex Service routes them (provider `kubernetes`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Apex {
    /// They are not: the apex always selects the primary.
    #[default]
    Stays,
    /// Its selector is changed to the new version and back.
    Switches,
    /// It selects the pods of both; the replicas make the shares.
    Shares,
}

/// What the analysis requires of the apex Service.
pub(super) fn apex(provider: &str, analysis: &CanaryAnalysis, strategy: Strategy) -> Apex {
    let switched = analysis.promotion.as_ref().is_some_and(|p| p.switch_users == Some(true));
    let weights = analysis.step_weight.unwrap_or(0) > 0 || !analysis.step_weights.is_empty();
    match strategy {
        _ if provider != "kubernetes" => Apex::Stays,
        Strategy::BlueGreen if switched => Apex::Switches,
        Strategy::Weighted if !weights && !analysis.steps.is_empty() && analysis.match_.is_empty() => {
            Apex::Shares
        }
        _ => Apex::Stays,
    }
}

/// The pause of the analysis; `steps` is the length of its schedule.
///
/// # Errors
/// It contradicts itself.
pub(super) fn pause(
    analysis: &CanaryAnalysis,
    strategy: Strategy,
    steps: usize,
) -> Result<Option<Pause>, Problem> {
    let Some(promotion) = &analysis.promotion else { return Ok(None) };
    let invalid = |text: String| Problem::new("InvalidSpec", text);
    let after = match promotion.after.as_deref().filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => Some(duration::parse(text).ok_or_else(|| {
            invalid(format!("spec.analysis.promotion.after: {text:?} is not a duration such as 10m"))
        })?),
    };
    let gated = promotion.gate.is_some();
    let until = match (promotion.mode.as_deref().unwrap_or("auto"), after) {
        ("manual" | "auto" | "", Some(_)) if gated || promotion.mode.as_deref() == Some("manual") => {
            return Err(invalid(
                "spec.analysis.promotion.after is not looked at with mode manual or a gate: leave one of the two out"
                    .into(),
            ));
        }
        ("manual", _) => Wait::Request,
        ("auto" | "", None) if gated => Wait::Request,
        ("auto" | "", Some(time)) if !time.is_zero() => Wait::For(time),
        ("auto" | "", _) => return Ok(None),
        (other, _) => {
            return Err(invalid(format!(
                "spec.analysis.promotion.mode: {other:?} is neither auto nor manual"
            )));
        }
    };
    let iterations = usize::try_from(analysis.iterations.unwrap_or(0)).unwrap_or(0);
    let at = if strategy == Strategy::BlueGreen { iterations.clamp(1, steps) } else { steps };
    Ok(Some(Pause { until, at }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(promotion: &Value, strategy: Strategy, steps: usize) -> Result<Option<Pause>, String> {
        let analysis = json!({"iterations": 2, "promotion": promotion});
        let analysis = serde_json::from_value(analysis).unwrap();
        pause(&analysis, strategy, steps).map_err(|problem| problem.message)
    }

    #[test]
    fn users_are_switched_after_the_wait() {
        let manual = |at| Ok(Some(Pause { until: Wait::Request, at }));
        assert_eq!(of(&json!({"mode": "manual"}), Strategy::BlueGreen, 3), manual(2));
        assert_eq!(of(&json!({"mode": "manual"}), Strategy::Weighted, 3), manual(3));
        assert_eq!(of(&json!({"gate": {"deadline": "1h"}}), Strategy::Weighted, 3), manual(3));
        let minute = Wait::For(Duration::from_secs(60));
        assert_eq!(
            of(&json!({"after": "1m"}), Strategy::AbTest, 2),
            Ok(Some(Pause { until: minute, at: 2 }))
        );
        for none in [json!({}), json!({"mode": "auto"}), json!({"after": "0s"}), json!({"switch": true})] {
            assert_eq!(of(&none, Strategy::BlueGreen, 3), Ok(None));
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused_by_its_path() {
        for (promotion, word) in [
            (json!({"mode": "manual", "after": "1m"}), "leave one of the two out"),
            (json!({"gate": {}, "after": "1m"}), "leave one of the two out"),
            (json!({"mode": "sometimes"}), "neither auto nor manual"),
            (json!({"after": "soon"}), "not a duration"),
        ] {
            let text = of(&promotion, Strategy::BlueGreen, 3).unwrap_err();
            assert!(text.starts_with("spec.analysis.promotion.") && text.contains(word), "{text}");
        }
    }
}
