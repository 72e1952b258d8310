//! Whether a release has ended, and its result: the condition that `status` waits for.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde_json::Value;
use serin::{
    api::{CanaryStatus, LastRun, Phase, RunPhase},
    names::conditions,
};

use super::facts::{Facts, condition, when};

/// The result of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The primary has the target's template. The text says how.
    Promoted(String),
    /// The primary does not have it, and will not get it without a change. The text explains why.
    Failed(String),
}

/// Whether a release has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// A run is in progress, or the operator has not seen the target's current template.
    No(String),
    /// It has ended.
    Yes(End),
}

/// Judges the facts. `ran` is the number of the run that was in progress earlier, if any. Then the result of that run
/// counts, and not only the current state.
pub fn settled(facts: &Facts, ran: Option<i64>) -> Settled {
    let status = facts.status();
    if facts.canary.metadata.deletion_timestamp.is_some() {
        return Settled::Yes(End::Failed("the Canary is being deleted".into()));
    }
    if status.observed_generation != facts.canary.metadata.generation {
        return Settled::No("the operator has not seen this Canary as it is now".into());
    }
    if let Some(refused) = when(&status, conditions::ACCEPTED, "False") {
        return Settled::Yes(End::Failed(format!("it is not accepted: {}", refused.message)));
    }
    if status.run.is_some() {
        return Settled::No("a run is in progress".into());
    }
    if !matches!(status.begun(), Phase::Initialized | Phase::Succeeded | Phase::Failed) {
        return Settled::No(format!("the phase is {}", status.begun()));
    }
    if let Some(why) = unseen(facts, &status) {
        return Settled::No(why);
    }
    Settled::Yes(end(&status, ran))
}

/// The operator has not handled the target's current template. It records the generation only between runs, and only
/// while the template is the last one that it handled. Targets without a usable generation have no record.
fn unseen(facts: &Facts, status: &CanaryStatus) -> Option<String> {
    let seen = status.target.as_ref().filter(|seen| seen.generation > 0)?;
    let target = target(facts)?;
    let meta = &target["metadata"];
    let same = meta["uid"] == seen.uid.as_str() && meta["generation"].as_i64() == Some(seen.generation);
    (!same).then(|| "the operator has not seen the target as it is now".to_owned())
}

/// The target from the facts.
pub(super) fn target(facts: &Facts) -> Option<&Value> {
    let of = &facts.canary.spec.target_ref;
    facts.objects.iter().find(|o| o["kind"] == of.kind.as_str() && o["metadata"]["name"] == of.name.as_str())
}

fn end(status: &CanaryStatus, ran: Option<i64>) -> End {
    let last = status.last_run.as_ref();
    if status.begun() == Phase::Failed {
        return End::Failed(failure(status, last));
    }
    // the run may have ended without a promotion, with the same primary as before
    if let Some(last) = last.filter(|last| ran.is_some_and(|number| last.number >= number))
        && !matches!(last.outcome, RunPhase::Promoted | RunPhase::PromotedUnanalysed)
    {
        return End::Failed(ended(last));
    }
    if status.last_applied_spec != status.last_promoted_spec {
        let stalled = condition(status, conditions::STALLED).map(|c| c.message.clone());
        return End::Failed(stalled.unwrap_or_else(|| "the target's revision is not promoted".into()));
    }
    End::Promoted(match last.filter(|_| status.begun() == Phase::Succeeded) {
        Some(last) => format!("promoted in {} (run {})", took(last), last.name),
        None => "the primary has the target's revision".into(),
    })
}

fn took(last: &LastRun) -> String {
    crate::text::span(seconds(&last.started, &last.ended))
}

fn seconds(from: &MicroTime, to: &MicroTime) -> i64 {
    to.0.duration_since(from.0).as_secs()
}

fn failure(status: &CanaryStatus, last: Option<&LastRun>) -> String {
    let promoted = condition(status, conditions::PROMOTED);
    if let Some(declined) = promoted.filter(|c| c.reason == conditions::DECLINED) {
        return declined.message.clone();
    }
    match last {
        Some(last) => ended(last),
        None => promoted.map_or_else(|| "it was rolled back".to_owned(), |c| c.message.clone()),
    }
}

fn ended(last: &LastRun) -> String {
    let how = match last.outcome {
        RunPhase::PromotionUndone => "its promotion was undone",
        RunPhase::Aborted => "its run was ended, because the target was set back or changed",
        RunPhase::Superseded => "a newer revision took its place",
        RunPhase::Deleted => "the Canary was deleted in its run",
        RunPhase::RolledBack => "it was rolled back",
        _ => "how its run ended is not known",
    };
    format!("{how}: {} (run {})", last.message, last.name)
}
