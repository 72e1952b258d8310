//! Requests to a run: prints the consequences, writes the request, waits for the answer and prints it.

mod wish;
mod words;

use std::{
    io::{self, BufRead as _, Write as _},
    time::Duration,
};

use serde::Serialize;
use serde_json::json;
use serin::{
    api::{Answer, Canary, RequestStatus, request::Request},
    names,
};
use tokio::time::{Instant, sleep_until};

use self::{
    wish::{Decision, Verb, Wish},
    words::{accepted, refusal, stands, will},
};
use super::{
    args::{AbortArgs, RequestArgs},
    asking::{Asking, FinishArgs, PauseArgs, SteerArgs},
    context::{Context, now},
    follow::{Until, follow},
    values::Output,
};
use crate::{
    cluster::{Depth, Live, Seen, Written, answer, asks_by, id, write},
    failure::{Failure, code},
    view::{API_VERSION, CanaryView, Facts, State, WaitingKind, canary},
};

/// How long to wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Number of attempts if the Canary changes at the same time.
const TRIES: usize = 5;
/// Maximum length of the user's name, in bytes: a whole request may have 1,024.
const LONGEST_BY: usize = 200;
/// Maximum length of the reason, in bytes.
const LONGEST_REASON: usize = 256;

pub(super) async fn approve(context: &Context, args: &RequestArgs) -> Result<(), Failure> {
    let wish = Wish { gate: args.gate.as_deref(), ..Wish::of(Verb::Approve, &args.asking) };
    Box::pin(each(context, &args.names, &wish, &args.asking)).await
}

pub(super) async fn promote(context: &Context, args: &RequestArgs) -> Result<(), Failure> {
    let wish = Wish { gate: args.gate.as_deref(), ..Wish::of(Verb::Promote, &args.asking) };
    Box::pin(each(context, &args.names, &wish, &args.asking)).await
}

pub(super) async fn abort(context: &Context, args: &AbortArgs) -> Result<(), Failure> {
    let verb = Verb::Abort { if_running: args.if_running };
    Box::pin(each(context, &args.names, &Wish::of(verb, &args.asking), &args.asking)).await
}

pub(super) async fn retry(context: &Context, args: &SteerArgs) -> Result<(), Failure> {
    Box::pin(each(context, &args.names, &Wish::of(Verb::Retry, &args.asking), &args.asking)).await
}

pub(super) async fn pause(context: &Context, args: &PauseArgs) -> Result<(), Failure> {
    let wish = Wish { lasts: args.lasts, ..Wish::of(Verb::Pause, &args.asking) };
    Box::pin(each(context, &args.names, &wish, &args.asking)).await
}

pub(super) async fn resume(context: &Context, args: &SteerArgs) -> Result<(), Failure> {
    Box::pin(each(context, &args.names, &Wish::of(Verb::Resume, &args.asking), &args.asking)).await
}

pub(super) async fn advance(context: &Context, args: &SteerArgs) -> Result<(), Failure> {
    Box::pin(each(context, &args.names, &Wish::of(Verb::Advance, &args.asking), &args.asking)).await
}

pub(super) async fn finish(context: &Context, args: &FinishArgs) -> Result<(), Failure> {
    if !args.yes && !args.asking.dry_run {
        sure(context, &args.names)?;
    }
    Box::pin(each(context, &args.names, &Wish::of(Verb::Finish, &args.asking), &args.asking)).await
}

/// Asks for confirmation where the request would promote without analysis.
fn sure(context: &Context, names: &[String]) -> Result<(), Failure> {
    let what = format!("{} would be promoted without the rest of the analysis", names.join(", "));
    if !context.out.terminal || !io::IsTerminal::is_terminal(&io::stdin()) {
        return Err(Failure::new(code::USAGE, what).hint("say --yes where nobody can be asked"));
    }
    let failed = |error: io::Error| Failure::failed(format!("cannot ask: {error}"));
    write!(io::stderr(), "{what}: go on? y/N ").map_err(failed)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    match line.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::failed("nothing was asked for")),
    }
}

/// Sends the request to several Canaries. The first failure decides the exit code.
async fn each(context: &Context, names: &[String], wish: &Wish<'_>, asking: &Asking) -> Result<(), Failure> {
    let mut failed: Option<Failure> = None;
    for name in names {
        if let Err(failure) = Box::pin(one(context, name, wish, asking)).await {
            if names.len() > 1 {
                context.out.say(&failure.text());
            }
            failed = failed.filter(|first| first.code >= failure.code).or(Some(failure));
        }
    }
    match failed {
        None => Ok(()),
        // each failure has been printed
        Some(failure) if names.len() > 1 => Err(Failure { message: String::new(), ..failure }),
        Some(failure) => Err(failure),
    }
}

async fn one(context: &Context, name: &str, wish: &Wish<'_>, asking: &Asking) -> Result<(), Failure> {
    let by = match &asking.by {
        Some(by) => by.clone(),
        None => asks_by(&context.cluster).await,
    };
    let wish = Wish { by: &by, ..wish.clone() };
    for _ in 0..TRIES {
        let found = context.canary(name).await?;
        let facts = Facts::of(found.clone());
        let view = canary(&facts, now());
        let request = match decide(&facts, &view, &wish) {
            Decision::Ask(request) => request,
            Decision::Nothing(text) => {
                context.out.say(&text);
                return Ok(());
            }
            Decision::Refuse(failure) => return Err(failure),
        };
        if !asking.replace {
            unanswered(&found)?;
        }
        let written = Written::of(&request);
        if asking.dry_run {
            context.out.say("nothing is written; the patch would be:");
            return context.out.text(&format!("{}\n", written.patch(&found)));
        }
        context.out.say(&will(&view, &request));
        if !write(&context.cluster, &found, &written).await? {
            continue;
        }
        if asking.no_wait_answer {
            context.out.say(&format!("the request {} is written; its answer is not waited for", written.id));
            return Ok(());
        }
        let (after, said) = answered(context, &found, &written, asking.timeout.unwrap_or(PATIENCE)).await?;
        report(context, &view, &after, &request, &said, asking.output)?;
        if asking.wait {
            let until = Until { timeout: asking.timeout, ..Until::default() };
            return Box::pin(follow(context, after, until, None)).await;
        }
        return Ok(());
    }
    Err(Failure::failed(format!("canary {name} changes all the time: the request could not be written"))
        .hint("look at it with \"kubectl canary get\" and repeat the command"))
}

/// Refuses if an earlier request has no answer yet: this one would overwrite it.
fn unanswered(canary: &Canary) -> Result<(), Failure> {
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

/// Checks that the verb fits the current state, and binds the request to that state, so that a late request has no
/// effect.
fn decide(facts: &Facts, view: &CanaryView, wish: &Wish<'_>) -> Decision {
    let Wish { verb, gate, .. } = *wish;
    let waits = view.waiting_for.as_ref();
    let kind = waits.map(|w| w.kind);
    if let Some(wanted) = gate
        && waits.and_then(|w| w.name.as_deref()) != Some(wanted)
    {
        let text = format!("{} does not wait at the gate {wanted:?}: {}", view.name, stands(view));
        return Decision::Refuse(Failure::failed(text));
    }
    // users say "promote" at any gate
    let word = match (verb, kind) {
        (Verb::Promote, Some(WaitingKind::Gate)) => "approve",
        (verb, _) => verb.word(),
    };
    let allowed = view.actions.iter().any(|action| action.verb == word && action.allowed);
    if !allowed {
        return refusal(view, verb);
    }
    let status = facts.status();
    let revision = match &status.run {
        Some(_) => status.last_applied_spec.clone(),
        None if verb == Verb::Retry => status.last_applied_spec.clone(),
        None => status.waiting.as_ref().and_then(|w| w.revision.clone()),
    };
    // a request to end or hold a run applies at any step
    let bound = matches!(verb, Verb::Approve | Verb::Promote | Verb::Advance);
    Decision::Ask(Box::new(Request {
        id: id(word),
        verb: word.to_owned(),
        revision: revision.filter(|hash| hash.len() >= 8).map(|hash| hash.chars().take(64).collect()),
        step: status.run.as_ref().filter(|_| bound).and(status.step.as_ref()).map(|step| step.index),
        gate: waits.filter(|_| bound && word == "approve").and_then(|w| w.name.clone()),
        by: Some(crate::text::cut(wish.by, LONGEST_BY / 4, "")),
        reason: wish.reason.map(|why| crate::text::cut(why, LONGEST_REASON / 4, "")),
        for_: wish.lasts.map(|time| format!("{}s", time.as_secs().max(1))),
    }))
}

/// Waits for the answer.
async fn answered(
    context: &Context,
    canary: &Canary,
    written: &Written,
    patience: Duration,
) -> Result<(Canary, RequestStatus), Failure> {
    let end = Instant::now() + patience;
    let (mut live, _) = Live::of(&context.cluster, canary.clone(), Depth::Canary).await;
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
    }
}

/// Why there is no answer, as far as the status shows.
fn unheard(facts: &Facts, written: &Written, patience: Duration) -> Failure {
    let view = canary(facts, now());
    let why = match (view.state, view.waiting_for.as_ref().map(|w| w.kind)) {
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

/// The answer, in machine-readable form.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultView<'v> {
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

fn report(
    context: &Context,
    before: &CanaryView,
    after: &Canary,
    request: &Request,
    said: &RequestStatus,
    form: Option<Output>,
) -> Result<(), Failure> {
    let then = canary(&Facts::of(after.clone()), now());
    let short = |view: &CanaryView| json!({"phase": view.phase, "weight": view.weight.canary});
    let result = ResultView {
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
    };
    match form {
        Some(form @ (Output::Json | Output::Yaml)) => context.out.data(&result, form)?,
        Some(Output::Name) => context.out.text(&format!("canary.flagger.app/{}\n", before.name))?,
        _ if said.answer == Answer::Accepted => context.out.text(&accepted(before, request))?,
        _ => {}
    }
    match said.answer {
        Answer::Accepted => Ok(()),
        Answer::Refused => Err(Failure::failed(format!("{} was refused: {}", request.verb, said.message))),
    }
}

#[cfg(test)]
mod tests;
