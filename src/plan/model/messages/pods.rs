//! Texts about numbers of pods, and about what sets them.

use super::{Messages, split};
use crate::plan::model::note::Note;

impl Messages {
    pub(crate) fn handed_over(&self, replicas: i64) -> Note {
        Note::normal(
            "ReplicasHandedOver",
            format!("{} was scaled to {replicas}: the replicas go to {}", self.target, self.primary),
        )
    }
    pub(crate) fn replicas_not_followed(&self, replicas: i64, kept: i64) -> Note {
        let (name, namespace) = split(&self.primary);
        Note::warning(
            "ReplicasNotFollowed",
            format!(
                "{} was scaled to {replicas}, which also happens when spec.replicas is removed from what is applied: {} keeps its {kept} replicas. To give it {replicas}: kubectl -n {namespace} scale deployment {name} --replicas={replicas}",
                self.target, self.primary
            ),
        )
    }
    /// Fewer replicas came with a revision that waits to begin.
    pub(crate) fn fewer_while_waiting(&self, replicas: i64, kept: i64) -> Note {
        let (name, namespace) = split(&self.primary);
        Note::warning(
            "ReplicasNotFollowed",
            format!(
                "{} was scaled to {replicas} with a revision that waits to begin: {} keeps its {kept} replicas for the former one. To give it {replicas}, once the revision is promoted: kubectl -n {namespace} scale deployment {name} --replicas={replicas}",
                self.target, self.primary
            ),
        )
    }
    /// `asked`: the current number of the target, if it has changed; `by`: the autoscalers that may have changed it.
    pub(crate) fn pods_taken(&self, asked: Option<i64>, by: &str) -> Note {
        let what = match asked {
            Some(replicas) => format!("{} was scaled to {replicas} in a run", self.target),
            None => format!("pods of {} were deleted in a run", self.target),
        };
        let (name, namespace) = split(&self.primary);
        let remedy = if by.is_empty() {
            format!(
                "A run keeps the number that it began with: to change it, run kubectl -n {namespace} scale deployment {name} --replicas=N"
            )
        } else {
            format!("{by} scales it: let it keep at least one pod while a run is under way")
        };
        Note::warning(
            "PodsTakenAway",
            format!("{what}: its pods are restored, and this does not count as a failed check. {remedy}"),
        )
    }
    /// `replicas`: the number that the primary gets.
    pub(crate) fn primary_switched_off(&self, replicas: i64) -> Note {
        Note::warning(
            "PrimaryScaledToZero",
            format!(
                "{} was scaled to 0 while pods of it are needed: it gets {replicas} replicas. To switch it off, wait until it is at rest, or set {} back to its former template",
                self.primary, self.target
            ),
        )
    }
    pub(crate) fn primary_off_all_nodes(&self) -> Note {
        Note::warning(
            "PrimaryScaledToZero",
            format!(
                "{} was given a node selector that no node meets while pods of it are needed: the selector is removed. To switch it off, wait until it is at rest, or set {} back to its former template",
                self.primary, self.target
            ),
        )
    }
    pub(crate) fn contested(&self, seconds: i64, advice: &str) -> Note {
        Note::warning(
            "ReplicasContested",
            format!(
                "{} was scaled up while idle: it is scaled back to 0, at most once in {seconds} s. {advice}",
                self.target
            ),
        )
    }
    pub(crate) fn autoscaler_made(autoscaler: &str, primary: &str) -> Note {
        Note::normal("AutoscalerMade", format!("{autoscaler} was made: it scales {primary}"))
    }
    pub(crate) fn autoscaler_follows(source: &str, autoscaler: &str) -> Note {
        Note::normal("AutoscalerFollows", format!("{source} was changed: {autoscaler} follows"))
    }
    pub(crate) fn below_floor(&self, floor: i64) -> Note {
        Note::warning(
            "PrimaryBelowFloor",
            format!(
                "{} was scaled below the {floor} replicas it had when the run began: weights do not rise until it has them again. Look what scales it besides its autoscaler",
                self.primary
            ),
        )
    }
    pub(crate) fn too_small(&self, weight: i32, of: i64) -> Note {
        Note::warning(
            "CanaryTooSmall",
            format!(
                "{} has {weight} % of the traffic and fewer ready pods than that share of {of}: raise the minimum of its autoscaler if it is too slow",
                self.target
            ),
        )
    }
}
