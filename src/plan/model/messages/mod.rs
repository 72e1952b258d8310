//! All texts for users. They are Flagger's if it has one, because scripts and runbooks match on them; each kind of
//! note has its own reason.

mod pods;
mod requests;

use super::{
    hook::HookKind,
    note::{Broken, Note, Urgency},
};
use crate::{
    analysis::Failure,
    api::MetricOutcome,
    manifest::ChangedBy,
    names,
    snapshot::{Queued, WebhookReply},
};

/// `<canary>.<namespace>` and `<target>.<namespace>`, as Flagger's texts name them.
#[derive(Clone, Debug)]
pub(crate) struct Messages {
    canary: String,
    target: String,
    primary: String,
}

impl Messages {
    pub(crate) fn new(canary: &str, target: &str, primary: &str, namespace: &str) -> Self {
        let dotted = |name: &str| format!("{name}.{namespace}");
        Self { canary: dotted(canary), target: dotted(target), primary: dotted(primary) }
    }

    pub(crate) fn providers_answer() -> Note {
        Note::normal("MetricsAvailable", "all the metrics providers are available!")
    }
    pub(crate) fn providers_silent(failure: &Failure) -> Note {
        let text = |why: &str| format!("Error checking metric providers: {why}");
        let quote = failure.quote.as_deref().map(text);
        Note { quote, ..Note::warning("MetricsUnavailable", text(&failure.why)) }
    }
    pub(crate) fn leftover(object: &str) -> Note {
        Note::normal(
            "LeftoverRemoved",
            format!(
                "{object}, made by an earlier version or by Flagger, routed requests until now: the new route is in force, and it is removed"
            ),
        )
    }
    pub(crate) fn primary_not_ready(&self, why: &str) -> Note {
        Note::warning("PrimaryNotReady", format!("{} not ready: {why}", self.primary)).aloud(Urgency::Warn)
    }
    pub(crate) fn canary_not_ready(&self, noun: &str, why: &str) -> Note {
        Note::warning("CanaryNotReady", format!("canary {noun} {} not ready: {why}", self.target))
            .aloud(Urgency::Warn)
    }
    pub(crate) fn initialized(&self, kind: &str) -> Note {
        Note::normal("Initialized", format!("Initialization done! {}", self.canary))
            .alerting(Urgency::Info, format!("New {kind} detected, initialization completed."))
            .detailed()
    }
    pub(crate) fn adopted(&self) -> Note {
        Note::normal("Adopted", format!("{} was taken over as it runs, without a rollout", self.primary))
    }
    pub(crate) fn new_revision(&self) -> Note {
        Note::normal("NewRevision", format!("New revision detected! Scaling up {}", self.target))
            .alerting(Urgency::Info, "New revision detected, progressing canary analysis.")
            .detailed()
    }
    pub(crate) fn restarting(&self) -> Note {
        Note::normal(
            "AnalysisRestarted",
            format!("New revision detected! Restarting analysis for {}", self.target),
        )
    }
    pub(crate) fn starting(&self) -> Note {
        Note::normal("AnalysisStarted", format!("Starting canary analysis for {}", self.target))
    }
    pub(crate) fn advanced(&self, weight: i32) -> Note {
        Note::normal("Advanced", format!("Advance {} canary weight {weight}", self.canary))
    }
    pub(crate) fn iterated(&self, done: i32, all: i32) -> Note {
        Note::normal("Advanced", format!("Advance {} canary iteration {done}/{all}", self.canary))
    }
    pub(crate) fn routing_to_canary(mirrored: bool) -> Note {
        let text = if mirrored {
            "Stop traffic mirroring and route all traffic to canary"
        } else {
            "Routing all traffic to canary"
        };
        Note::normal("RoutingToCanary", text)
    }
    pub(crate) fn primary_advanced(&self, weight: i32) -> Note {
        Note::normal("PrimaryAdvanced", format!("Advance {} primary weight {weight}", self.canary))
    }
    pub(crate) fn copying(&self) -> Note {
        Note::normal("Promoting", format!("Copying {} template spec to {}", self.target, self.primary))
    }
    pub(crate) fn routing_to_primary() -> Note {
        Note::normal("RoutingToPrimary", "Routing all traffic to primary")
    }
    pub(crate) fn promoted(&self, skipped: bool) -> Note {
        let (text, alert) = if skipped {
            (
                format!("Promotion completed! Canary analysis was skipped for {}", self.target),
                "Canary analysis was skipped, promotion finished.",
            )
        } else {
            (
                format!("Promotion completed! Scaling down {}", self.target),
                "Canary analysis completed successfully, promotion finished.",
            )
        };
        Note::normal("Promoted", text).alerting(Urgency::Info, alert)
    }
    /// `<canary>.<namespace>`.
    pub(crate) fn canary(&self) -> &str {
        &self.canary
    }
    pub(crate) fn wait_is_over() -> Note {
        Note::normal("WaitOver", "the wait for the promotion is over: the run goes on")
    }
    pub(crate) fn check_passed(kind: HookKind, hook: &str) -> Note {
        let mut word = kind.word().to_owned();
        word[..1].make_ascii_uppercase();
        Note::normal("CheckPassed", format!("{word} check {hook} passed"))
    }
    pub(crate) fn check_failed(&self, kind: HookKind, said: &WebhookReply) -> (String, Option<String>) {
        let what = if kind == HookKind::Rollout { "external" } else { kind.word() };
        let text =
            |why: &str| format!("Halt {} advancement {what} check {} failed {why}", self.canary, said.name);
        match &said.answer {
            Ok(()) => (text(""), None),
            Err(refusal) => (text(&refusal.why), Some(text(&refusal.quote))),
        }
    }
    pub(crate) fn post_rollout_failed(said: &WebhookReply) -> Note {
        let text = |why: &str| format!("Post-rollout hook {} failed {why}", said.name);
        let Err(refusal) = &said.answer else { return Note::warning("PostRolloutFailed", text("")) };
        let quote = Some(text(&refusal.quote));
        Note { quote, ..Note::warning("PostRolloutFailed", text(&refusal.why)) }
    }
    /// `muted`: it is not sent as an alert.
    pub(crate) fn waiting_for_hook(&self, kind: HookKind, hook: &str, muted: bool) -> Note {
        let (reason, what, alert) = match kind {
            HookKind::ConfirmTrafficIncrease => (
                "WaitingForTrafficIncrease",
                "traffic increase approval",
                "Canary traffic increase is waiting for approval.",
            ),
            HookKind::ConfirmPromotion => {
                ("WaitingForPromotion", "promotion approval", "Canary promotion is waiting for approval.")
            }
            _ => ("WaitingForApproval", "approval", "Canary is waiting for approval."),
        };
        let text = format!("Halt {} advancement waiting for {what} {hook}", self.canary);
        let note = Note::warning(reason, text);
        if muted { note } else { note.alerting(Urgency::Warn, alert).at_each_step() }
    }
    pub(crate) fn manual_rollback(&self) -> Note {
        let text = format!("Rolling back {} manual webhook invoked", self.canary);
        Note::warning("RollingBack", text).alerting(Urgency::Warn, "Rolling back manual webhook invoked")
    }
    pub(crate) fn abort_wanted(&self, why: &str) -> Note {
        Note::warning("RollingBack", format!("Rolling back {} abort requested: {why}", self.canary))
    }
    pub(crate) fn declined(&self, why: &str) -> Note {
        Note::warning("Declined", format!("Rollout of {} was not started: {why}", self.target))
    }
    /// `quote`: the same with a server's answer in it.
    pub(crate) fn halted(text: &str, quote: Option<String>) -> Note {
        Note { quote, ..Note::warning("Halted", text) }
    }
    pub(crate) fn limit_reached(&self, why: &str) -> Note {
        Note::warning("LimitReached", format!("Rolling back {} {why}", self.canary)).aloud(Urgency::Error)
    }
    pub(crate) fn found_worse(&self, why: &str) -> Note {
        Note::warning("FoundWorse", format!("Rolling back {} {why}", self.canary)).aloud(Urgency::Error)
    }
    pub(crate) fn undecided_too_long(&self, why: &str) -> Note {
        Note::warning("UndecidedTooLong", format!("Rolling back {} {why}", self.canary)).aloud(Urgency::Error)
    }
    pub(crate) fn undecided(why: &str) -> Note {
        Note::normal("Undecided", format!("the promotion waits: {why}"))
    }
    /// `request`: what continues the run.
    pub(crate) fn inconclusive(&self, why: &str, request: &str) -> Note {
        let (name, namespace) = split(&self.canary);
        Note::warning(
            "InconclusiveAnalysis",
            format!(
                "{why}; waiting for a decision. To continue: kubectl -n {namespace} annotate canary {name} --overwrite {}={request}",
                names::ANNOTATION_REQUEST
            ),
        )
        .aloud(Urgency::Warn)
        .at_each_step()
    }
    pub(crate) fn held(reason: &'static str, why: &str) -> Note {
        Note::warning(reason, format!("the run holds its weight: {why}"))
    }
    pub(crate) fn dry_run(name: &str, outcome: MetricOutcome, why: &str) -> Note {
        Note::normal("DryRun", format!("metric {name} is {outcome:?} and does not count (dryRun): {why}"))
    }
    pub(crate) fn threshold_reached(&self, checks: i32) -> Note {
        Note::warning(
            "RollingBack",
            format!("Rolling back {} failed checks threshold reached {checks}", self.canary),
        )
        .alerting(Urgency::Error, format!("Failed checks threshold reached {checks}"))
    }
    pub(crate) fn deadline_exceeded(&self, why: &str) -> Note {
        Note::warning(
            "DeadlineExceeded",
            format!("Rolling back {} progress deadline exceeded {why}", self.canary),
        )
        .alerting(Urgency::Error, format!("Progress deadline exceeded {why}"))
    }
    pub(crate) fn failed(&self) -> Note {
        Note::warning("Failed", format!("Canary failed! Scaling down {}", self.canary))
    }
    pub(crate) fn promotion_failed(&self, why: &str) -> Note {
        Note::warning(
            "PromotionFailed",
            format!("Promotion of {} failed, primary not ready: {why}", self.target),
        )
        .alerting(Urgency::Error, format!("Promotion failed, primary not ready: {why}"))
    }
    pub(crate) fn promotion_kept(&self) -> Note {
        let text = format!(
            "{} keeps the new template: {} changed meanwhile to one that was not analysed, so that nobody could serve while all pods of {} are replaced at once. To go back, set {} to the former template",
            self.primary, self.target, self.primary, self.target
        );
        Note::warning("PromotionKept", text).aloud(Urgency::Error)
    }
    pub(crate) fn aborted(&self) -> Note {
        Note::normal(
            "Aborted",
            format!("{} was set back to the promoted template: ending the analysis", self.target),
        )
        .aloud(Urgency::Info)
    }
    pub(crate) fn waits_no_longer(&self) -> Note {
        Note::normal(
            "Aborted",
            format!("{} was set back to the revision that was analysed last: no run begins", self.target),
        )
        .aloud(Urgency::Info)
    }
    pub(crate) fn reverted(&self) -> Note {
        Note::normal(
            "FailureOver",
            format!("{} was set back to the promoted template: the failure is over", self.target),
        )
        .aloud(Urgency::Info)
    }
    pub(crate) fn frozen(broken: &Broken) -> Note {
        broken.note("Frozen", "Metric query failed, the run holds its weight: ")
    }
    pub(crate) fn still_frozen(broken: &Broken) -> Note {
        broken.note("StillFrozen", "The run has been frozen for 10 minutes: ")
    }
    pub(crate) fn thawed() -> Note {
        Note::normal("Thawed", "the metrics server answers again: the run goes on")
    }
    pub(crate) fn canary_vanished(&self) -> Note {
        Note::warning(
            "CanaryNotReady",
            format!(
                "{} has no ready pods any more: its traffic goes to the primary until it has",
                self.target
            ),
        )
        .aloud(Urgency::Warn)
    }
    pub(crate) fn removed_with_target(&self) -> Note {
        Note::normal(
            "Removed",
            format!(
                "{} was removed with its Canary: everything that was made for it is deleted",
                self.target
            ),
        )
    }
    pub(crate) fn steps_begin_again(&self, why: &str) -> Note {
        Note::normal("StepsRestarted", format!("{why}: the steps of {} begin again at weight 0", self.target))
    }
    pub(crate) fn steps_added(&self) -> Note {
        Note::normal(
            "StepsAdded",
            format!(
                "the schedule of {} has further steps now: they are taken before its promotion",
                self.target
            ),
        )
    }
    pub(crate) fn weight_follows(&self, weight: i32) -> Note {
        Note::normal(
            "WeightLowered",
            format!("every step is below the weight of {} now: it goes down to {weight}", self.target),
        )
    }
    pub(crate) fn withdrawn(&self) -> Note {
        Note::warning(
            "TrafficWithdrawn",
            format!("{} is no longer what was analysed: its traffic goes to the primary", self.target),
        )
        .aloud(Urgency::Warn)
    }
    pub(crate) fn primary_vanished(&self) -> Note {
        Note::warning(
            "PrimaryNotReady",
            format!("{} has no ready pods: traffic stays on {} until it has", self.primary, self.target),
        )
        .aloud(Urgency::Warn)
    }
    pub(crate) fn queued(&self, full: Queued) -> Note {
        let (most, which) =
            (full.most, if full.in_namespace { "max-runs-per-namespace" } else { "max-runs" });
        Note::normal(
            "Queued",
            format!(
                "{} has a new revision that waits for its turn: {most} runs are in progress, the limit of --{which}={most}",
                self.canary
            ),
        )
    }
    pub(crate) fn suspended() -> Note {
        Note::normal("Suspended", "skipping canary run as object is suspended")
    }
    pub(crate) fn resumed() -> Note {
        Note::normal("Resumed", "no longer suspended: going on")
    }
    pub(crate) fn drift(object: &str, by: &ChangedBy) -> Note {
        let who = match by {
            ChangedBy::Manager(manager) => manager,
            ChangedBy::Unknown => "hand",
            ChangedBy::Us => {
                return Note::normal(
                    "ObjectUpdated",
                    format!(
                        "{object} was updated: it had the form of an earlier version or of other settings of Serin"
                    ),
                );
            }
        };
        Note::warning(
            "DriftCorrected",
            format!("{object} was changed by {who}: reverted to what the Canary requires"),
        )
    }
    pub(crate) fn recreated(object: &str) -> Note {
        Note::warning("Recreated", format!("{object} was missing: created again"))
    }
    pub(crate) fn terminating(&self) -> Note {
        Note::normal("Terminating", format!("Terminating canary {}", self.canary))
    }
    pub(crate) fn terminated(&self) -> Note {
        Note::normal("Terminated", format!("Terminated canary {}", self.canary))
    }
    pub(crate) fn left_running(&self, why: &str) -> Note {
        Note::warning(
            "LeftRunning",
            format!(
                "{why}: the objects generated for {} are left running so that users are not cut off",
                self.canary
            ),
        )
        .aloud(Urgency::Warn)
    }
    pub(crate) fn lost_with_canary(objects: &str, primary: &str) -> Note {
        let why = "Flagger made them for the Canary, and the API server refuses to change that";
        Note::warning(
            "LeftRunning",
            format!(
                "{objects}, which {primary} uses, will be deleted with the Canary: {why}: create them again"
            ),
        )
        .aloud(Urgency::Warn)
    }
}

/// Name and namespace.
fn split(dotted: &str) -> (&str, &str) {
    dotted.rsplit_once('.').unwrap_or((dotted, ""))
}

#[cfg(test)]
mod tests;
