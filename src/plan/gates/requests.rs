//! What people ask for by the annotation `serin.dev/request`: each request is answered once, in status, in the write that
//! carries out what it asks for. One that does not fit the moment is refused and not kept for later.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::{
    api::{
        Answer, Phase, RequestStatus,
        request::{Request, Verb},
    },
    names,
    plan::{builder::PlanBuilder, context::Context, gates::place, model::Messages, waiting::WaitingFor},
};

/// The request that has not been answered yet, if there is one.
fn pending(cx: &Context<'_>) -> Option<(String, Result<Request, String>)> {
    let text = cx.snap.canary.metadata.annotations.as_ref()?.get(names::ANNOTATION_REQUEST)?;
    if text.trim().is_empty() {
        return None;
    }
    let request = Request::parse(text);
    let id = request.as_ref().map_or_else(|_| Request::id_of_unreadable(text), |r| r.id.clone());
    let answered = cx.status().request.as_ref().is_some_and(|known| known.id == id);
    (!answered).then_some((id, request))
}

/// Refuses a request that does not apply now; one that does is left to the code that carries it out.
/// `lacking` says what keeps the run from its promotion.
pub(crate) fn refuse(cx: &Context<'_>, d: &mut PlanBuilder, lacking: impl Fn() -> Option<String>) {
    let Some((id, request)) = pending(cx).filter(|_| cx.phase() != Phase::Unset) else { return };
    let refusal = match &request {
        Err(why) => Some(format!("the annotation {} cannot be read: {why}", names::ANNOTATION_REQUEST)),
        Ok(request) => match request.known() {
            Err(why) => Some(why),
            Ok(verb) => stale(cx, request).or_else(|| misplaced(cx, verb, &lacking)),
        },
    };
    if let Some(why) = refusal {
        let verb = request.map(|r| r.short_verb().to_owned()).unwrap_or_default();
        d.say(Messages::request_refused(&id, &why));
        let at = MicroTime(cx.now);
        d.status.request = Some(RequestStatus { id, verb, answer: Answer::Refused, message: why, at });
    }
}

/// It names another revision, step or gate than the one there is.
fn stale(cx: &Context<'_>, request: &Request) -> Option<String> {
    let trial = if cx.waits_to_begin() { &cx.hash } else { cx.applied().unwrap_or_default() };
    if let Some(revision) = request.revision.as_ref().filter(|r| !trial.starts_with(r.as_str())) {
        return Some(format!("it is about revision {revision:.64}, and {trial:.12} is on trial"));
    }
    let step = cx.step().index;
    if let Some(other) = request.step.filter(|wanted| *wanted != step) {
        return Some(format!("it is about step {other}, and the run is at step {step}"));
    }
    let gate = request.gate.as_deref()?;
    let here = place::stands_at(cx).and_then(|rule| rule.name.as_deref());
    (here != Some(gate)).then(|| match here {
        Some(here) => format!("it is about gate {gate:.64}, and the run is at gate {here}"),
        None => format!("it is about gate {gate:.64}, at which the run is not"),
    })
}

/// There is nothing that it could do now, and why.
fn misplaced(cx: &Context<'_>, verb: Verb, lacking: impl Fn() -> Option<String>) -> Option<String> {
    if ending(cx) {
        return Some("the run is being ended".into());
    }
    let what = match verb {
        _ if fits(cx, verb) => return None,
        Verb::Promote => "nothing waits for a promotion",
        Verb::Approve => "no gate waits for an approval",
        Verb::Abort => "there is no run to abort",
    };
    let promotes = verb == Verb::Promote && cx.status().run.is_some();
    let why = promotes.then(lacking).flatten().map(|why| format!(", and {why}")).unwrap_or_default();
    Some(format!("{what}: the phase is {}{why}", cx.phase()))
}

/// The run is of the kind that this verb is about, at a moment at which it can be carried out.
fn fits(cx: &Context<'_>, verb: Verb) -> bool {
    match verb {
        Verb::Promote => matches!(WaitingFor::of(cx), Some(WaitingFor::Promotion | WaitingFor::Inconclusive)),
        Verb::Approve => {
            place::stands_at(cx).is_some() && WaitingFor::of(cx) != Some(WaitingFor::Inconclusive)
        }
        Verb::Abort => matches!(
            cx.phase(),
            Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion | Phase::Promoting
        ),
    }
}

fn ending(cx: &Context<'_>) -> bool {
    cx.status().run.as_ref().is_some_and(|run| run.ending.is_some())
}

/// Somebody asks for this, and who: it is answered in the same write as what the caller does next.
pub(crate) fn granted(cx: &Context<'_>, d: &mut PlanBuilder, verb: Verb) -> Option<String> {
    let (id, Ok(request)) = pending(cx)? else { return None };
    let fits = request.known() == Ok(verb) && stale(cx, &request).is_none() && !ending(cx) && fits(cx, verb);
    // the target has another template by now: what was asked for is not what would be done
    if !fits || !cx.waits_to_begin() && cx.applied() != Some(cx.hash.as_str()) {
        return None;
    }
    let message = request.by.map_or_else(String::new, |by| format!("asked for by {by:.100}"));
    d.say(Messages::request_accepted(&id, &request.verb, &message));
    let (at, said) = (MicroTime(cx.now), message.clone());
    d.status.request = Some(RequestStatus { id, verb: request.verb, answer: Answer::Accepted, message, at });
    Some(said)
}

/// Somebody opens the gate at which the run waits.
pub(crate) fn opens(cx: &Context<'_>, d: &mut PlanBuilder) -> bool {
    granted(cx, d, Verb::Promote).or_else(|| granted(cx, d, Verb::Approve)).is_some()
}
