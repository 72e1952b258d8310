//! What a command and the page share when something is asked for: whether it fits, what is written, what is waited for.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use serin::{
    api::{Answer, Canary, RequestStatus, request::Request},
    names,
};
use tokio::time::{Instant, sleep_until};

use super::{
    wish::{Decision, Verb, Wish},
    words::{refusal, stands},
};
use crate::{
    cluster::{Cluster, Depth, Live, Seen, Written, answer, id},
    command::context::now,
    failure::{Failure, code},
    view::{API_VERSION, CanaryView, Facts, State, WaitingKind, canary},
};

/// How long an answer is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is tried again when the Canary changes at the same time.
pub(crate) const TRIES: usize = 5;
/// Longest name of who asks, in bytes: the whole request has room for 1,024.
const LONGEST_BY: usize = 200;

/// A request that nobody has answered yet would be lost.
pub(crate) fn unanswered(canary: &Canary) -> Result<(), Failure> {
    let text = canary.metadata.annotations.as_ref().and_then(|all| all.get(names::ANNOTATION_REQUEST));
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(()) };
    let (id, request) = Request::read(text);
    let answer = canary.status.as_ref().and_then(|status| status.request.as_ref());
    if answer.is_some_and(|answer| answer.id == id || answer.id == Request::id_of_unreadable(text)) {
        return Ok(());
    }
    let (verb, by) = request.map_or_else(|_| ("unreadable".into(), None), |r| (r.verb, r.by));
    let by = by.map(|by| format!(", by {by}")).unwrap_or_default();
    Err(Failure::failed(format!("another request ({verb}{by}) has not been answered yet"))
        .hint("wait until it is, or take its place with --replace"))
}

/// What is needed to decide about a request. The target is read only where it matters: an abort does not wait for it.
pub(crate) async fn known(cluster: &Cluster, found: &Canary, verb: Verb) -> Facts {
    let facts = Facts::of(found.clone());
    let at_rest = canary(&facts, now()).state == State::Healthy;
    if at_rest && matches!(verb, Verb::Promote | Verb::Finish | Verb::Retry) {
        return cluster.around(found.clone(), Depth::Target).await;
    }
    facts
}

/// Whether the verb fits, bound to what is shown: a request that comes too late does nothing.
pub(crate) fn decide(facts: &Facts, view: &CanaryView, wish: &Wish<'_>) -> Decision {
    let Wish { verb, gate, .. } = *wish;
    let waits = view.waiting_for.as_ref();
    let kind = waits.map(|w| w.kind);
    if let Some(wanted) = gate
        && waits.and_then(|w| w.name.as_deref()) != Some(wanted)
    {
        let text = format!("{} does not wait at the gate {wanted:?}: {}", view.name, stands(view));
        return Decision::Refuse(Failure::failed(text));
    }
    // people say "promote" at any gate
    let word = match (verb, kind) {
        (Verb::Promote, Some(WaitingKind::Gate)) => "approve",
        (verb, _) => verb.word(),
    };
    let allowed = view.actions.iter().any(|action| action.verb == word && action.allowed);
    if !allowed {
        return refusal(facts, view, verb);
    }
    let status = facts.status();
    let revision = match &status.run {
        Some(_) => status.last_applied_spec.clone(),
        None if verb == Verb::Retry => status.last_applied_spec.clone(),
        None => status.waiting.as_ref().and_then(|w| w.revision.clone()),
    };
    // a run that is to be ended, or held, is so at whatever step it is
    let bound = matches!(verb, Verb::Approve | Verb::Promote | Verb::Advance);
    asked(Request {
        id: id(word),
        verb: word.to_owned(),
        revision: revision.filter(|hash| hash.len() >= 8).map(|hash| hash.chars().take(64).collect()),
        step: status.run.as_ref().filter(|_| bound).and(status.step.as_ref()).map(|step| step.index),
        gate: waits.filter(|_| bound && word == "approve").and_then(|w| w.name.clone()),
        by: Some(shortened(wish.by).to_owned()),
        reason: wish.reason.map(str::to_owned),
        for_: wish.lasts.map(|time| format!("{}s", time.as_secs().max(1))),
    })
}

/// The request, if the operator can read it.
fn asked(request: Request) -> Decision {
    match Request::parse(&Written::of(&request).text) {
        Ok(_) => Decision::Ask(Box::new(request)),
        Err(why) => {
            let failure = Failure::usage(format!("the operator would not read this request: {why}"));
            let long = why.contains("bytes");
            Decision::Refuse(if long { failure.hint("give a shorter reason") } else { failure })
        }
    }
}

/// The name of who asks, in the bytes that there is room for.
fn shortened(by: &str) -> &str {
    let end = (0..=LONGEST_BY.min(by.len())).rev().find(|end| by.is_char_boundary(*end));
    by.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// Waits for the answer.
pub(crate) async fn answered(
    cluster: &Cluster,
    canary: &Canary,
    written: &Written,
    patience: Duration,
) -> Result<(Canary, RequestStatus), Failure> {
    let end = Instant::now() + patience;
    let (mut live, _) = Live::of(cluster, canary.clone(), Depth::Canary).await;
    loop {
        let seen = tokio::select! {
            seen = live.changed() => seen?,
            () = sleep_until(end) => return Err(unheard(&live.facts(), written, patience)),
        };
        if seen == Seen::Gone {
            return Err(Failure::failed("the Canary was deleted before it answered"));
        }
        let now = live.facts().canary;
        if let Some(said) = answer(&now, written) {
            let said = said.clone();
            return Ok((now, said));
        }
        if let Some(lost) = lost(&now, written) {
            return Err(lost);
        }
    }
}

/// The answer will not be seen any more: another request was answered since, or has taken the place of this one.
pub(super) fn lost(canary: &Canary, written: &Written) -> Option<Failure> {
    let (id, name) = (&written.id, canary.metadata.name.as_deref().unwrap_or_default());
    let known = canary.status.as_ref().map(|status| status.answered_requests.as_slice()).unwrap_or_default();
    if known.contains(id) {
        let text = format!("the request {id} was answered, and another one right after it");
        return Some(
            Failure::failed(text).hint(format!("\"kubectl canary events {name}\" shows both answers")),
        );
    }
    let text = canary.metadata.annotations.as_ref().and_then(|all| all.get(names::ANNOTATION_REQUEST))?;
    let (other, request) = Request::read(text);
    if other == *id || text.trim().is_empty() {
        return None;
    }
    let by = request.ok().and_then(|request| request.by).map(|by| format!(" by {by}")).unwrap_or_default();
    let text = format!("the request {id} was not answered: the request {other}{by} has taken its place");
    Some(
        Failure::failed(text)
            .hint("look at the release as it is now, and repeat the command if it still fits"),
    )
}

/// Why there is no answer, as far as the status tells.
pub(super) fn unheard(facts: &Facts, written: &Written, patience: Duration) -> Failure {
    let view = canary(facts, now());
    let aborts = Request::parse(&written.text).is_ok_and(|request| request.verb == "abort");
    let why = match (view.state, view.waiting_for.as_ref().map(|w| w.kind)) {
        // an abort is answered all the same
        (State::Refused, _) if aborts => None,
        (State::Suspended, _) => Some("while the Canary is suspended".to_owned()),
        (State::Refused, _) => Some(format!("while the Canary is not accepted ({})", view.headline)),
        (State::Frozen, _) => Some(format!("while the Canary is frozen ({})", view.headline)),
        (_, Some(WaitingKind::Pods)) => Some(format!("while pods are not ready ({})", view.headline)),
        _ => None,
    };
    let seconds = patience.as_secs();
    match why {
        Some(why) => Failure::new(
            code::TIMEOUT,
            format!("the request {} is written, but was not looked at for {seconds} s {why}", written.id),
        )
        .hint("it stays, and is answered when that is over"),
        None => Failure::new(
            code::TIMEOUT,
            format!("the request {} is written, but no operator has answered it for {seconds} s", written.id),
        )
        .hint("does an operator run that watches this namespace? It stays, and is answered when one does"),
    }
}

/// Each time that it was to be written, the Canary had changed.
pub(crate) fn restless(name: &str) -> Failure {
    Failure::failed(format!("canary {name} changes all the time: the request could not be written"))
        .hint("look at it with \"kubectl canary get\" and repeat the command")
}

/// The answer, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResultView<'v> {
    api_version: &'static str,
    kind: &'static str,
    namespace: &'v str,
    name: &'v str,
    id: &'v str,
    verb: &'v str,
    answer: Answer,
    message: &'v str,
    at: jiff::Timestamp,
    before: serde_json::Value,
    after: serde_json::Value,
}

impl<'v> ResultView<'v> {
    pub(crate) fn of(
        before: &'v CanaryView,
        after: &Canary,
        request: &'v Request,
        said: &'v RequestStatus,
        now: Timestamp,
    ) -> Self {
        let then = canary(&Facts::of(after.clone()), now);
        let short = |view: &CanaryView| json!({"phase": view.phase, "weight": view.weight.canary});
        Self {
            api_version: API_VERSION,
            kind: "RequestResult",
            namespace: &before.namespace,
            name: &before.name,
            id: &request.id,
            verb: &request.verb,
            answer: said.answer,
            message: &said.message,
            at: said.at.0,
            before: short(before),
            after: short(&then),
        }
    }
}
