//! Plans whose status may have been written although no answer came. What such a plan decided is told once the Canary
//! is seen with its status; nobody else tells it, because the next plan finds it decided.

use kube::ResourceExt as _;

use crate::{api::Canary, apply::is_stored, plan::Plan, snapshot::Snapshot};

/// Plans kept for one Canary: while the API server does not answer, the same is decided again and again.
const KEPT: usize = 16;

/// Plans that were all decided on the same version of the Canary, so that at most one of them was written.
#[derive(Default)]
pub(super) struct Unanswered(Vec<(Snapshot, Plan)>);

impl Unanswered {
    /// No answer came to the status of this plan.
    pub(super) fn keep(&mut self, snap: &Snapshot, plan: &Plan) {
        if self.0.len() < KEPT {
            self.0.push((snap.clone(), plan.clone()));
        }
    }

    /// The plan that was written, if the Canary as it is seen now shows that one was.
    pub(super) fn written(&mut self, seen: &Canary) -> Option<(Snapshot, Plan)> {
        let version = seen.resource_version();
        if self.0.first().is_some_and(|(snap, _)| snap.canary.resource_version() == version) {
            // the watch may be late
            return None;
        }
        let mut all = std::mem::take(&mut self.0).into_iter();
        all.find(|(_, plan)| plan.status.as_ref().is_some_and(|status| is_stored(seen, status)))
    }
}
