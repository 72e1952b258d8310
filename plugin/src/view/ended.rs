//! Whether a release has ended, and its result: the condition that `status` waits for.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde_json::Value;
use serin::{
    api::{CanaryStatus, LastRun, Phase, RunPhase},
    manifest::revision,
    names::conditions,
    spec::Target,
};

use super::{
    facts::{Facts, condition, when},
    state::declined,
};

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
/// counts, and not only the current state. `same` says whether the target has the template that it had then, if known.
pub fn settled(facts: &Facts, ran: Option<i64>, same: Option<bool>) -> Settled {
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
    if tried_again(&status) {
        return Settled::No("the revision is to be analysed again".into());
    }
    match seen(facts, &status) {
        Seen::Yes => Settled::Yes(end(&status, ran, same)),
        // the run that was waited for is known without the target
        Seen::Hidden(_) if ran.is_some_and(|number| is_last(&status, number)) => {
            Settled::Yes(end(&status, ran, same))
        }
        Seen::Hidden(right) => Settled::Yes(End::Failed(format!(
            "whether the operator has seen the target as it is now cannot be told; missing right: {right}"
        ))),
        Seen::No(why) => Settled::No(why),
    }
}

/// The last run that ended is this one.
fn is_last(status: &CanaryStatus, number: i64) -> bool {
    status.last_run.as_ref().is_some_and(|last| last.number == number)
}

/// Somebody asked for another analysis of a revision that was rolled back or declined, and its run has not begun.
fn tried_again(status: &CanaryStatus) -> bool {
    (status.begun() == Phase::Failed || declined(status).is_some())
        && status.last_applied_spec == status.last_promoted_spec
}

/// Whether the operator has handled the target's current template.
enum Seen {
    Yes,
    No(String),
    /// The user may not read the target: the missing right.
    Hidden(String),
}

/// The operator records the target's generation only between runs, and only while the template is the last one that it
/// handled. Targets without a generation have no record.
fn seen(facts: &Facts, status: &CanaryStatus) -> Seen {
    let Some(record) = &status.target else { return Seen::Yes };
    let Some(target) = target(facts) else {
        return match (facts.failed.first(), facts.unread.first()) {
            (Some(why), _) => Seen::No(format!("the target cannot be read: {why}")),
            (None, Some(right)) if record.generation > 0 => Seen::Hidden(right.clone()),
            _ => Seen::Yes,
        };
    };
    let meta = &target["metadata"];
    let generation = meta["generation"].as_i64().unwrap_or_default();
    if meta["uid"] == record.uid.as_str() && generation == record.generation {
        return Seen::Yes;
    }
    Seen::No(if target["spec"]["paused"] == true {
        "the target is paused (spec.paused): its revision is analysed when it is resumed".to_owned()
    } else {
        "the operator has not seen the target as it is now".to_owned()
    })
}

/// The target's template, or the spec of a target that has none. None if the target is not in the facts.
pub fn template(facts: &Facts) -> Option<&Value> {
    let spec = &target(facts)?["spec"];
    Some(spec.get("template").unwrap_or(spec))
}

/// The target has another template than the run in progress, which the operator is about to notice. None: not known.
pub fn outdated(facts: &Facts) -> Option<bool> {
    let kind = Target::named(&facts.canary.spec.target_ref).filter(|kind| !kind.holds_both())?;
    let (status, target) = (facts.status(), target(facts)?);
    status.run.as_ref()?;
    let checksums = status.tracked_configs.unwrap_or_default();
    Some(status.last_applied_spec? != revision::hash_with(&kind.revision(target), &checksums))
}

/// The target from the facts.
pub(super) fn target(facts: &Facts) -> Option<&Value> {
    let of = &facts.canary.spec.target_ref;
    facts.objects.iter().find(|o| o["kind"] == of.kind.as_str() && o["metadata"]["name"] == of.name.as_str())
}

fn end(status: &CanaryStatus, ran: Option<i64>, same: Option<bool>) -> End {
    let last = status.last_run.as_ref();
    if status.begun() == Phase::Failed {
        return End::Failed(failure(status, last));
    }
    // the run may have ended without a promotion, with the same primary as before, which is right if the target was
    // set back before
    let set_back = |last: &LastRun| last.outcome == RunPhase::Aborted && same == Some(true);
    if let Some(last) = last.filter(|last| ran.is_some_and(|number| last.number >= number))
        && !promoted(last)
        && !set_back(last)
    {
        return End::Failed(ended(last));
    }
    if status.last_applied_spec != status.last_promoted_spec {
        let stalled = || condition(status, conditions::STALLED).map(|c| c.message.clone());
        let why = declined(status).or_else(stalled);
        return End::Failed(why.unwrap_or_else(|| "the target's revision is not promoted".into()));
    }
    let last = last.filter(|last| status.begun() == Phase::Succeeded && promoted(last));
    End::Promoted(match last {
        Some(last) => promoted_in(last),
        None => "the primary has the target's revision".into(),
    })
}

fn promoted(last: &LastRun) -> bool {
    matches!(last.outcome, RunPhase::Promoted | RunPhase::PromotedUnanalysed)
}

fn promoted_in(last: &LastRun) -> String {
    format!("promoted in {} (run {})", crate::text::span(seconds(&last.started, &last.ended)), last.name)
}

/// How this run ended, once another run has begun or another revision waits to begin one.
pub fn ended_run(status: &CanaryStatus, number: i64) -> End {
    match status.last_run.as_ref().filter(|last| last.number == number) {
        Some(last) if promoted(last) => End::Promoted(promoted_in(last)),
        Some(last) => End::Failed(ended(last)),
        None => End::Failed(format!("how run {number} ended was not seen, and others have ended since")),
    }
}

fn seconds(from: &MicroTime, to: &MicroTime) -> i64 {
    to.0.duration_since(from.0).as_secs()
}

fn failure(status: &CanaryStatus, last: Option<&LastRun>) -> String {
    if let Some(why) = declined(status) {
        return why;
    }
    match last {
        Some(last) => ended(last),
        None => condition(status, conditions::PROMOTED)
            .map_or_else(|| "it was rolled back".to_owned(), |c| c.message.clone()),
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
