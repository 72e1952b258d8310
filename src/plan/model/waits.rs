//! What a run waits for, as its status says: reasons that more than one place asks for, and requests that were answered.

use crate::{api::CanaryStatus, names::conditions};

/// Reason of the condition `Inconclusive`: neither condition of a metric holds, more often than its limit, and a
/// person decides.
pub(crate) const INCONCLUSIVE_ANALYSIS: &str = "InconclusiveAnalysis";
/// Reason of the condition `Paused`: a webhook has to say yes.
pub(crate) const WAITING_FOR_WEBHOOK: &str = "WaitingForWebhook";

/// People cannot open the gate at which the run waits: a webhook or a rule keeps it shut, or they have to decide about
/// measurements first. Deadlines of gates do not count such a time.
pub(crate) fn is_shut(status: &CanaryStatus) -> bool {
    status.conditions.iter().filter(|c| c.status == "True").any(|c| match c.type_.as_str() {
        conditions::PAUSED => c.reason == WAITING_FOR_WEBHOOK,
        conditions::INCONCLUSIVE => c.reason == INCONCLUSIVE_ANALYSIS,
        conditions::HELD => true,
        _ => false,
    })
}

/// A request with this id was answered.
pub(crate) fn has_answered(status: &CanaryStatus, id: &str) -> bool {
    let last = status.request.as_ref().is_some_and(|last| last.id == id);
    last || status.answered_requests.iter().any(|known| known == id)
}
