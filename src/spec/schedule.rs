//! The steps of a run, for every strategy: one list, taken from first to last, each with its own window of
//! checks.

use std::time::Duration;

use super::problem::Problem;
use crate::api::{CanaryAnalysis, duration};

/// How users get a new revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Strategy {
    /// Increasing shares of all requests, or of the requests that `match` selects.
    Weighted,
    /// The requests that `match` selects, for a number of iterations.
    AbTest,
    /// No users for a number of iterations, then all users at once.
    BlueGreen,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// Percentage of the requests that go to the canary.
    pub weight: i32,
    /// The canary gets copies of the primary's requests.
    pub mirrored: bool,
    /// The iteration, counted from 1. None for a step by weight.
    pub iteration: Option<i32>,
    /// The minimum duration, however well the checks go.
    pub hold: Duration,
}

impl Step {
    fn weight(weight: i32) -> Self {
        Self { weight: weight.clamp(0, 100), ..Self::default() }
    }
}

/// The strategy that the fields describe, in Flagger's terms.
pub(super) fn strategy(analysis: &CanaryAnalysis) -> Strategy {
    match (analysis.iterations.unwrap_or(0) > 0, analysis.match_.is_empty()) {
        (true, false) => Strategy::AbTest,
        (true, true) => Strategy::BlueGreen,
        (false, _) => Strategy::Weighted,
    }
}

/// All steps in order, never empty. `switches`: the provider can send all users to the canary, so that a blue/green run
/// ends with a window under all the traffic. `skip`: no steps are needed.
///
/// # Errors
/// The analysis has no steps.
pub(super) fn schedule(analysis: &CanaryAnalysis, switches: bool, skip: bool) -> Result<Vec<Step>, Problem> {
    let mirror = analysis.mirror == Some(true) && switches;
    let iterations = analysis.iterations.unwrap_or(0).clamp(0, MOST);
    let iteration = |n, weight| Step { iteration: Some(n), ..Step::weight(weight) };
    Ok(match strategy(analysis) {
        Strategy::AbTest => (1..=iterations).map(|n| iteration(n, 100)).collect(),
        Strategy::BlueGreen => {
            let hidden = (1..=iterations).map(|n| Step { mirrored: mirror, ..iteration(n, 0) });
            hidden.chain(switches.then(|| Step::weight(100))).collect()
        }
        Strategy::Weighted => {
            let mirrored = mirror.then(|| Step { mirrored: true, ..Step::default() });
            mirrored.into_iter().chain(weighted(analysis, skip)?).collect()
        }
    })
}

/// More iterations than anyone waits for.
const MOST: i32 = 10_000;

/// `stepWeight` takes precedence over `stepWeights`, and its last step is limited to `maxWeight`. A list is used
/// unchanged.
fn weighted(analysis: &CanaryAnalysis, skip: bool) -> Result<Vec<Step>, Problem> {
    let step = analysis.step_weight.unwrap_or(0);
    if step > 0 {
        let max = analysis.max_weight.filter(|m| *m > 0).unwrap_or(100).min(100);
        let below = (step..max).step_by(step as usize);
        return Ok(below.chain([max]).map(Step::weight).collect());
    }
    if !analysis.step_weights.is_empty() {
        return Ok(analysis.step_weights.iter().map(|w| Step::weight(*w)).collect());
    }
    if !analysis.steps.is_empty() {
        let all = analysis.steps.iter().enumerate();
        return all
            .map(|(index, s)| Ok(Step { hold: hold(index, s.hold.as_deref())?, ..Step::weight(s.weight) }))
            .collect();
    }
    if skip {
        return Ok(vec![Step::weight(100)]);
    }
    Err(Problem::new(
        "InvalidSpec",
        "spec.analysis has no steps: set stepWeight (and maxWeight), stepWeights, steps or iterations",
    ))
}

/// The minimum duration of a step.
fn hold(index: usize, text: Option<&str>) -> Result<Duration, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Duration::ZERO) };
    duration::parse(text).ok_or_else(|| {
        let text = format!("spec.analysis.steps[{index}].hold: {text:?} is not a duration such as 10m");
        Problem::new("InvalidSpec", text)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn steps(analysis: Value, switches: bool) -> Vec<(i32, bool, Option<i32>)> {
        let analysis: CanaryAnalysis = serde_json::from_value(analysis).unwrap();
        let all = schedule(&analysis, switches, false).unwrap();
        all.into_iter().map(|s| (s.weight, s.mirrored, s.iteration)).collect()
    }

    #[test]
    fn weights_rise_to_the_maximum() {
        let by = |weights: &[i32]| weights.iter().map(|w| (*w, false, None)).collect::<Vec<_>>();
        assert_eq!(steps(json!({"stepWeight": 20, "maxWeight": 50}), true), by(&[20, 40, 50]));
        assert_eq!(steps(json!({"stepWeights": [5, 50, 50, 30]}), true), by(&[5, 50, 50, 30]));
        let listed = json!({"steps": [{"weight": 5, "hold": "10m"}, {"weight": 50}]});
        assert_eq!(steps(listed.clone(), true), by(&[5, 50]));
        let listed: CanaryAnalysis = serde_json::from_value(listed).unwrap();
        assert_eq!(schedule(&listed, true, false).unwrap()[0].hold, Duration::from_secs(600));
        assert!(schedule(&CanaryAnalysis::default(), true, false).is_err());
    }

    #[test]
    fn m1_a_hold_that_is_no_duration_is_refused() {
        // the pattern in the schema is Flagger's, which has no end anchor
        for text in ["10min", "1m 30s", "30sec", "1h30", "5m,"] {
            let analysis = json!({"steps": [{"weight": 5}, {"weight": 50, "hold": text}]});
            let problem = schedule(&serde_json::from_value(analysis).unwrap(), true, false).unwrap_err();
            let words = format!("spec.analysis.steps[1].hold: {text:?} is not a duration such as 10m");
            assert_eq!(problem.message, words);
        }
    }

    #[test]
    fn mirroring_comes_before_weights() {
        let all = steps(json!({"stepWeight": 50, "mirror": true}), true);
        assert_eq!(all, [(0, true, None), (50, false, None), (100, false, None)]);
        assert_eq!(steps(json!({"stepWeight": 100, "mirror": true}), false), [(100, false, None)]);
    }

    #[test]
    fn iterations_are_steps() {
        let named = json!({"iterations": 2, "match": [{"headers": {"x": {"exact": "y"}}}]});
        assert_eq!(steps(named, true), [(100, false, Some(1)), (100, false, Some(2))]);
        let hidden = [(0, false, Some(1)), (0, false, Some(2))];
        assert_eq!(steps(json!({"iterations": 2}), false), hidden);
        assert_eq!(
            steps(json!({"iterations": 1, "mirror": true}), true),
            [(0, true, Some(1)), (100, false, None)]
        );
    }
}
