//! Requests by the annotation `serin.dev/request`: each is answered once, in status, in the same write that
//! carries it out. A request that is not possible at the moment is refused and not kept for later.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::{
        Answer, CanaryStatus, Phase, RequestStatus,
        request::{REMEMBERED, Request, Verb},
    },
    names::{self, conditions},
    plan::{
        builder::PlanBuilder,
        context::Context,
        gates::{held, place},
        model::{Messages, waits::has_answered},
        waiting::WaitingFor,
    },
    text::first_chars,
};

/// A request that is carried out.
pub(crate) struct Granted {
    /// Who asks, and why, as a part of a sentence; empty if not given.
    pub(crate) said: String,
    /// For how long.
    pub(crate) lasts: Option<Duration>,
}

/// The request that has not been answered yet, if there is one.
fn pending(cx: &Context<'_>) -> Option<(String, Result<Request, String>)> {
    let text = cx.snap.canary.metadata.annotations.as_ref()?.get(names::ANNOTATION_REQUEST)?;
    if text.trim().is_empty() {
        return None;
    }
    let (id, request) = Request::read(text);
    // an earlier version answered an unreadable request under the other id, whatever it was
    let verb = request.as_ref().map_or("", Request::short_verb);
    let answers = |known: &RequestStatus| {
        known.id == id && known.verb == verb || known.id == Request::id_of_unreadable(text)
    };
    (!cx.status().request.as_ref().is_some_and(answers)).then_some((id, request))
}

/// Refuses a request that is not possible now; a possible one is left to the code that carries it out.
/// `lacking` says what keeps the run from its promotion. True: one is refused.
pub(crate) fn refuse(cx: &Context<'_>, d: &mut PlanBuilder, lacking: impl Fn() -> Option<String>) -> bool {
    let Some((id, request)) = pending(cx).filter(|_| cx.phase() != Phase::Unset) else { return false };
    let refusal = match &request {
        _ if used(cx, &id) => Some("its id was answered before: choose another one".to_owned()),
        Err(why) => Some(format!("the annotation {} cannot be read: {why}", names::ANNOTATION_REQUEST)),
        Ok(request) => match request.known() {
            Err(why) => Some(why),
            Ok(verb) => unbound(cx, verb, request)
                .or_else(|| stale(cx, request))
                .or_else(|| misplaced(cx, verb, &lacking)),
        },
    };
    if let Some(why) = refusal {
        d.say(Messages::request_refused(&id, &why));
        let request = request.unwrap_or_default();
        answer(cx, d, &Request { id, ..request }, Answer::Refused, why);
        return true;
    }
    false
}

/// The run is about to be aborted by a request.
pub(crate) fn aborts(cx: &Context<'_>) -> bool {
    let Some((id, Ok(request))) = pending(cx) else { return false };
    request.known() == Ok(Verb::Abort)
        && !used(cx, &id)
        && unbound(cx, Verb::Abort, &request).is_none()
        && stale(cx, &request).is_none()
        && misplaced(cx, Verb::Abort, || None).is_none()
}

/// Writes the answer into the status, and remembers the id.
fn answer(cx: &Context<'_>, d: &mut PlanBuilder, request: &Request, answer: Answer, message: String) {
    let CanaryStatus { request: last, answered_requests: known, .. } = &mut d.status;
    // the last answer of an earlier version is not in the list
    let former = last.take().map(|answered| answered.id);
    for id in former.into_iter().chain([request.id.clone()]) {
        if !known.contains(&id) {
            known.push(id);
        }
    }
    known.drain(..known.len().saturating_sub(REMEMBERED));
    *last = Some(RequestStatus {
        id: request.id.clone(),
        verb: request.short_verb().to_owned(),
        answer,
        message,
        by: first_chars(request.by.as_deref().unwrap_or_default(), 100).to_owned(),
        at: MicroTime(cx.now),
    });
}

/// The id was answered earlier: a tool has restored an old annotation.
fn used(cx: &Context<'_>, id: &str) -> bool {
    has_answered(cx.status(), id)
}

/// The revision that a request is about: that of the run, or between runs the target's.
fn on_trial<'c>(cx: &'c Context<'_>) -> &'c str {
    if cx.status().run.is_none() { &cx.hash } else { cx.applied().unwrap_or_default() }
}

/// It does not name its revision, and would have the same effect on the next one.
fn unbound(cx: &Context<'_>, verb: Verb, request: &Request) -> Option<String> {
    let word = verb.word();
    (verb.names_revision() && request.revision.is_none()).then(|| {
        format!(
            "{word} has to name the revision that it is about: {{\"id\":\"…\",\"verb\":\"{word}\",\"revision\":\"{:.10}\"}}",
            on_trial(cx)
        )
    })
}

/// It names a different revision, step or gate than the current one.
fn stale(cx: &Context<'_>, request: &Request) -> Option<String> {
    let trial = on_trial(cx);
    if let Some(revision) = request.revision.as_ref().filter(|r| !trial.starts_with(r.as_str())) {
        let stands = if cx.status().run.is_none() && !cx.waits_to_begin() {
            format!("the target has {trial:.12}")
        } else {
            format!("{trial:.12} is on trial")
        };
        return Some(format!("it names revision {revision:.64}, and {stands}"));
    }
    let step = cx.step().index;
    if let Some(other) = request.step.filter(|wanted| *wanted != step) {
        return Some(format!("it names step {other}, and the run is at step {step}"));
    }
    let gate = request.gate.as_deref()?;
    let here = place::stands_at(cx).and_then(|rule| rule.name.as_deref());
    (here != Some(gate)).then(|| match here {
        Some(here) => format!("it names gate {gate:.64}, and the run is at gate {here}"),
        None => format!("it names gate {gate:.64}, and the run is not at that gate"),
    })
}

/// It has no effect now, and why.
fn misplaced(cx: &Context<'_>, verb: Verb, lacking: impl Fn() -> Option<String>) -> Option<String> {
    if ending(cx) {
        return Some("the run is being ended".into());
    }
    let what = obstacle(cx, verb)?;
    let promotes = verb == Verb::Promote && cx.status().run.is_some();
    let why = promotes.then(lacking).flatten().map(|why| format!(", and {why}")).unwrap_or_default();
    let instead = instead(cx, verb).map(|text| format!("; {text}")).unwrap_or_default();
    Some(format!("{what}: the phase is {}{why}{instead}", cx.phase()))
}

/// The verb that people probably mean.
fn instead(cx: &Context<'_>, verb: Verb) -> Option<&'static str> {
    let goes_on = matches!(verb, Verb::Promote | Verb::Approve);
    match cx.phase() {
        _ if held::is_paused(cx) && verb != Verb::Resume => Some("resume lets it go on"),
        Phase::Progressing if goes_on => {
            Some("advance ends its step now, and finish promotes without the rest of the analysis")
        }
        Phase::Waiting if verb == Verb::Advance => Some("approve opens its gate"),
        Phase::WaitingPromotion if verb == Verb::Advance => Some("promote ends the wait"),
        Phase::Promoting if !goes_on => Some("abort gives the primary its former template back"),
        Phase::Failed if goes_on || matches!(verb, Verb::Advance | Verb::Finish | Verb::Resume) => {
            Some("retry analyses the revision again")
        }
        _ => None,
    }
}

/// Why this verb is not possible at the moment; None: it is.
fn obstacle(cx: &Context<'_>, verb: Verb) -> Option<&'static str> {
    let phase = cx.phase();
    let runs = cx.status().run.is_some()
        && matches!(phase, Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion);
    let unless = |fits: bool, why| if fits { None } else { Some(why) };
    let raises = matches!(verb, Verb::Promote | Verb::Approve | Verb::Retry | Verb::Advance | Verb::Finish);
    match verb {
        _ if raises && held::by_rule(cx).is_some() => Some("releases are held"),
        Verb::Promote | Verb::Approve if held::is_paused(cx) => Some("the run is paused"),
        Verb::Promote => {
            let waits = matches!(WaitingFor::of(cx), Some(WaitingFor::Promotion | WaitingFor::Inconclusive));
            unless(waits, "nothing waits for a promotion")
        }
        Verb::Approve => {
            let waits =
                place::stands_at(cx).is_some() && WaitingFor::of(cx) != Some(WaitingFor::Inconclusive);
            unless(waits, "no gate waits for an approval")
        }
        Verb::Abort => {
            let begun = matches!(
                phase,
                Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion | Phase::Promoting
            );
            unless(begun, "there is no run to abort")
        }
        Verb::Retry => not_tried_again(cx),
        Verb::Pause if held::is_paused(cx) => Some("the run is paused already"),
        Verb::Pause => unless(runs, "there is no run that could be held"),
        Verb::Resume => unless(held::is_paused(cx), "no run is paused"),
        Verb::Advance => not_advanced(cx),
        Verb::Finish if cx.status().run.as_ref().is_some_and(|run| run.finish.is_some()) => {
            Some("that was asked for already")
        }
        Verb::Finish if stands(cx, conditions::HALTED) => {
            Some("a check fails, and what fails is promoted by spec.skipAnalysis only")
        }
        Verb::Finish => unless(runs, "there is no run that could be promoted"),
    }
}

/// Why a revision is not analysed again.
fn not_tried_again(cx: &Context<'_>) -> Option<&'static str> {
    if !matches!(cx.phase(), Phase::Initialized | Phase::Succeeded | Phase::Failed) {
        return Some("nothing has ended that could be tried again");
    }
    if cx.promoted() == Some(cx.hash.as_str()) {
        return Some("there is nothing to try again, the primary has the target's revision");
    }
    if cx.applied() != Some(cx.hash.as_str()) {
        return Some("the target has another revision since, which is analysed anyway");
    }
    cx.is_paused().then_some("the target is paused (spec.paused), so it would not start the revision's pods")
}

/// Why the current step is not ended now.
fn not_advanced(cx: &Context<'_>) -> Option<&'static str> {
    let step = cx.step();
    if held::is_paused(cx) {
        return Some("the run is paused");
    }
    if cx.phase() != Phase::Progressing {
        return Some("no step is under way");
    }
    if step.index == 0 || step.confirmed.is_none() {
        return Some("the route does not carry the weight of a step yet");
    }
    if step.shortened.is_some() {
        return Some("the next step was asked for already");
    }
    let standing = [
        (conditions::HALTED, "a check fails at this step"),
        (conditions::INCONCLUSIVE, "the checks of this step say neither yes nor no"),
        (conditions::FROZEN, "the metrics of this step cannot be measured"),
    ];
    standing.into_iter().find(|(type_, _)| stands(cx, type_)).map(|(_, why)| why)
}

/// This condition is true.
fn stands(cx: &Context<'_>, type_: &str) -> bool {
    cx.status().conditions.iter().any(|c| c.type_ == type_ && c.status == "True")
}

fn ending(cx: &Context<'_>) -> bool {
    cx.status().run.as_ref().is_some_and(|run| run.ending.is_some())
}

/// This request and who made it, if there is one: it is answered in the same write as the caller's next action.
pub(crate) fn granted(cx: &Context<'_>, d: &mut PlanBuilder, verb: Verb) -> Option<Granted> {
    let (id, Ok(request)) = pending(cx)? else { return None };
    let fits = request.known() == Ok(verb)
        && !used(cx, &id)
        && unbound(cx, verb, &request).is_none()
        && stale(cx, &request).is_none()
        && !ending(cx)
        && obstacle(cx, verb).is_none();
    // the target has another template by now: the effect would not be what was requested. A promotion goes on all the
    // same, and without an accepted spec nothing else ends the run
    let moved_on = !cx.waits_to_begin() && cx.applied() != Some(cx.hash.as_str());
    let ends = verb == Verb::Abort && (cx.phase() == Phase::Promoting || cx.rejected);
    // one request opens one thing
    let taken = d.status.request != cx.status().request;
    if !fits || moved_on && !ends || taken {
        return None;
    }
    let by = request.by.as_ref().map(|by| format!(" by {by:.100}")).unwrap_or_default();
    let why = request.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let said = if by.is_empty() && why.is_empty() { String::new() } else { format!("asked for{by}{why}") };
    d.say(Messages::request_accepted(&id, &request.verb, &said));
    answer(cx, d, &request, Answer::Accepted, said.clone());
    Some(Granted { said, lasts: request.lasts() })
}

/// Somebody opens the gate at which the run waits.
pub(crate) fn opens(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    granted(cx, d, Verb::Promote).or_else(|| granted(cx, d, Verb::Approve)).is_some()
}
