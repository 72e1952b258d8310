//! How many pods a new version is analysed with, where that is not as many as the primary has.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{
    pause::Apex,
    problem::Problem,
    schedule::{Step, Strategy},
    validated::Validated,
};
use crate::api::CanaryAnalysis;

/// `spec.analysis.canaryReplicas`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum CanaryReplicas {
    /// So many, at least 1.
    Number(i64),
    /// So many percent of the primary's, 1 to 100, rounded up.
    Percent(i64),
    /// As many as the weight needs, rounded up, and no fewer than this.
    Match(i64),
}

impl CanaryReplicas {
    /// What an analysis asks for; none: all, or something that cannot be read.
    pub(super) fn of(analysis: &CanaryAnalysis) -> Option<Self> {
        match analysis.canary_replicas.as_ref()? {
            IntOrString::Int(number) => Some(Self::Number(i64::from(*number))).filter(|_| *number >= 1),
            IntOrString::String(text) if text == "match" => {
                Some(Self::Match(i64::from(analysis.min_ready.unwrap_or(1).max(1))))
            }
            IntOrString::String(text) => {
                let percent = text.strip_suffix('%').and_then(|percent| percent.parse().ok());
                percent.filter(|percent| (1..=100).contains(percent)).map(Self::Percent)
            }
        }
    }

    /// Pods for a step, of `whole` pods of the primary.
    pub fn at(self, c: &Validated, step: &Step, whole: i64) -> i64 {
        let part = |percent: i64| whole.saturating_mul(percent).saturating_add(99) / 100;
        // how many requests a `match` names is unknown, and copies are made of all
        let named = c.strategy == Strategy::AbTest || !c.analysis.match_.is_empty();
        let weight = if step.mirrored || named && step.weight > 0 { 100 } else { step.weight };
        let pods = match self {
            Self::Number(number) => number,
            Self::Percent(percent) => part(percent),
            Self::Match(least) => part(i64::from(weight)).max(least),
        };
        pods.max(1)
    }
}

/// What `canaryReplicas` cannot be, or cannot go with: it holds every run.
pub(super) fn fault(c: &Validated) -> Option<Problem> {
    let given = c.analysis.canary_replicas.as_ref()?;
    let field = "spec.analysis.canaryReplicas";
    let why = if c.canary_replicas.is_none() {
        let given = match given {
            IntOrString::Int(number) => number.to_string(),
            IntOrString::String(text) => format!("{text:?}"),
        };
        format!("{field} is {given}: give it a number of pods from 1, a percentage such as 50%, or match")
    } else if !c.target.replicated() {
        format!("{field}: a {} has no replicas: leave it out", c.spec.target_ref.kind)
    } else if c.spec.autoscaler_ref.is_some() {
        format!(
            "{field}: the replicas of {} are those of its autoscaler: leave canaryReplicas or spec.autoscalerRef out",
            c.names.target
        )
    } else if c.apex == Apex::Shares {
        format!(
            "{field}: with spec.analysis.steps the replicas of {} make its share: leave it out",
            c.names.target
        )
    } else {
        return None;
    };
    Some(Problem::new("InvalidSpec", why))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::manifest::fixture;

    fn of(given: &Value) -> Option<CanaryReplicas> {
        let mut analysis = json!({"stepWeight": 20});
        fixture::merge(&mut analysis, given);
        CanaryReplicas::of(&serde_json::from_value(analysis).unwrap())
    }

    #[test]
    fn it_is_a_number_a_percentage_or_as_the_weight() {
        use CanaryReplicas::{Match, Number, Percent};
        for (given, read) in [
            (json!({"canaryReplicas": 3}), Some(Number(3))),
            (json!({"canaryReplicas": "50%"}), Some(Percent(50))),
            (json!({"canaryReplicas": "match"}), Some(Match(1))),
            (json!({"canaryReplicas": "match", "minReady": 2}), Some(Match(2))),
            (json!({"canaryReplicas": 0}), None),
            (json!({"canaryReplicas": "150%"}), None),
            (json!({"canaryReplicas": "some"}), None),
            (json!({}), None),
        ] {
            assert_eq!(of(&given), read, "{given}");
        }
    }

    #[test]
    fn there_are_enough_pods_for_a_step() {
        use CanaryReplicas::{Match, Number, Percent};
        let (mut c, step) = (fixture::canary(&json!({})), |weight| Step { weight, ..Step::default() });
        for (asked, weight, pods) in [
            (Number(3), 90, 3),
            (Percent(25), 90, 3),
            (Percent(1), 0, 1),
            (Match(1), 0, 1),
            (Match(2), 5, 2),
            (Match(1), 11, 2),
            (Match(1), 100, 10),
        ] {
            assert_eq!(asked.at(&c, &step(weight), 10), pods, "{asked:?} at {weight} %");
        }
        assert_eq!(Match(1).at(&c, &Step { mirrored: true, ..Step::default() }, 10), 10);
        c.strategy = Strategy::AbTest;
        assert_eq!(Match(1).at(&c, &step(20), 10), 10, "how many are named is unknown");
    }
}
