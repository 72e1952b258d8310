//! The number of pods for the analysis of a new version, if it differs from the primary's.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::schedule::Step;
use crate::api::CanaryAnalysis;

/// `spec.analysis.canaryReplicas`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum CanaryReplicas {
    /// This many, at least 1.
    Number(i64),
    /// Percent of the primary's, 1 to 100, rounded up.
    Percent(i64),
    /// As many as the weight needs, rounded up, and at least this many.
    Match(i64),
}

impl CanaryReplicas {
    /// The setting of an analysis; none: all, or an invalid setting.
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

    /// Pods for a step, of `whole` pods of the primary. `named`: the weight applies to the requests of a `match`, whose
    /// number is unknown.
    pub fn at(self, step: &Step, named: bool, whole: i64) -> i64 {
        let part = |percent: i64| whole.saturating_mul(percent).saturating_add(99) / 100;
        // copies are made of all requests
        let weight = if step.mirrored || named && step.weight > 0 { 100 } else { step.weight };
        let pods = match self {
            Self::Number(number) => number,
            Self::Percent(percent) => part(percent),
            Self::Match(least) => part(i64::from(weight)).max(least),
        };
        pods.max(1)
    }
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
        let step = |weight| Step { weight, ..Step::default() };
        for (asked, weight, pods) in [
            (Number(3), 90, 3),
            (Percent(25), 90, 3),
            (Percent(1), 0, 1),
            (Match(1), 0, 1),
            (Match(2), 5, 2),
            (Match(1), 11, 2),
            (Match(1), 100, 10),
        ] {
            assert_eq!(asked.at(&step(weight), false, 10), pods, "{asked:?} at {weight} %");
        }
        assert_eq!(Match(1).at(&Step { mirrored: true, ..Step::default() }, false, 10), 10);
        assert_eq!(Match(1).at(&step(20), true, 10), 10);
    }
}
