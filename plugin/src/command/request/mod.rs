//! `approve`, `promote` and `abort`: says what will happen, writes the request, waits for the answer and prints it.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use serin::{
    api::{Answer, Canary, Phase, RequestStatus, request::Request},
    names,
};
use tokio::time::{Instant, sleep_until};

use super::{
    args::{AbortArgs, Asking, RequestArgs},
    context::{Context, now},
    follow::{Until, follow},
    values::Output,
};
use crate::{
    cluster::{Depth, Live, Seen, Written, answer, asks_by, id, write},
    failure::{Failure, code},
    view::{API_VERSION, CanaryView, Facts, State, WaitingKind, canary},
};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is tried again when the Canary changes at the same time.
const TRIES: usize = 5;
/// Longest name of who asks, in bytes: the whole request has room for 1,024.
const LONGEST_BY: usize = 200;

/// What the command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Approve,
    Promote,
    Abort { if_running: bool },
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Promote => "promote",
            Self::Abort { .. } => "abort",
        }
    }
}

/// What is to be done about a Canary as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Decision {
    /// This is asked for.
    Ask(Box<Request>),
    /// Nothing is to be done, and that is well.
    Nothing(String),
    /// It does not fit the moment.
    Refuse(Failure),
}

pub(super) async fn approve(context: &Context, args: &RequestArgs) -> Result<(), Failure> {
    Box::pin(each(context, &args.names, Verb::Approve, args.gate.as_deref(), &args.asking)).await
}

pub(super) async fn promote(context: &Context, args: &RequestArgs) -> Result<(), Failure> {
    Box::pin(each(context, &args.names, Verb::Promote, args.gate.as_deref(), &args.asking)).await
}

pub(super) async fn abort(context: &Context, args: &AbortArgs) -> Result<(), Failure> {
    let verb = Verb::Abort { if_running: args.if_running };
    Box::pin(each(context, &args.names, verb, None, &args.asking)).await
}

/// Of several, all are asked for; what went wrong first is the exit code.
async fn each(
    context: &Context,
    names: &[String],
    verb: Verb,
    gate: Option<&str>,
    asking: &Asking,
) -> Result<(), Failure> {
    let mut failed: Option<Failure> = None;
    for name in names {
        if let Err(failure) = Box::pin(one(context, name, verb, gate, asking)).await {
            if names.len() > 1 {
                context.out.say(&failure.text());
            }
            failed = failed.filter(|first| first.code >= failure.code).or(Some(failure));
        }
    }
    match failed {
        None => Ok(()),
        // each has been said
        Some(failure) if names.len() > 1 => Err(Failure { message: String::new(), ..failure }),
        Some(failure) => Err(failure),
    }
}

async fn one(
    context: &Context,
    name: &str,
    verb: Verb,
    gate: Option<&str>,
    asking: &Asking,
) -> Result<(), Failure> {
    let by = match &asking.by {
        Some(by) => by.clone(),
        None => asks_by(&context.cluster).await,
    };
    for _ in 0..TRIES {
        let found = context.canary(name).await?;
        let facts = Facts::of(found.clone());
        let view = canary(&facts, now());
        let request = match decide(&facts, &view, verb, gate, &by) {
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

/// A request that nobody has answered yet would be lost.
fn unanswered(canary: &Canary) -> Result<(), Failure> {
    let text = canary.metadata.annotations.as_ref().and_then(|all| all.get(names::ANNOTATION_REQUEST));
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(()) };
    let request = Request::parse(text);
    let id = request.as_ref().map_or_else(|_| Request::id_of_unreadable(text), |r| r.id.clone());
    let answer = canary.status.as_ref().and_then(|status| status.request.as_ref());
    if answer.is_some_and(|answer| answer.id == id) {
        return Ok(());
    }
    let (verb, by) = request.map_or_else(|_| ("unreadable".into(), None), |r| (r.verb, r.by));
    let by = by.map(|by| format!(", by {by}")).unwrap_or_default();
    Err(Failure::failed(format!("another request ({verb}{by}) has not been answered yet"))
        .hint("wait until it is, or take its place with --replace"))
}

/// Whether the verb fits, bound to what is shown: a request that comes too late does nothing.
fn decide(facts: &Facts, view: &CanaryView, verb: Verb, gate: Option<&str>, by: &str) -> Decision {
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
        return refusal(view, verb);
    }
    let status = facts.status();
    let revision = match &status.run {
        Some(_) => status.last_applied_spec.clone(),
        None => status.waiting.as_ref().and_then(|w| w.revision.clone()),
    };
    let bound = !matches!(verb, Verb::Abort { .. });
    Decision::Ask(Box::new(Request {
        id: id(word),
        verb: word.to_owned(),
        revision: revision.filter(|hash| hash.len() >= 8).map(|hash| hash.chars().take(64).collect()),
        // a run that is to end is to end at whatever step it is
        step: status.run.as_ref().filter(|_| bound).and(status.step.as_ref()).map(|step| step.index),
        gate: waits.filter(|_| bound && word == "approve").and_then(|w| w.name.clone()),
        by: Some(crate::text::cut(by, LONGEST_BY / 4, "")),
    }))
}

/// How it stands, in a few words.
fn stands(view: &CanaryView) -> String {
    let word = view.state.word(&view.phase);
    match &view.progress {
        Some(at) if at.at > 0 => format!("it is {word} at step {} of {}", at.at, at.of),
        _ => format!("it is {word}"),
    }
}

fn refusal(view: &CanaryView, verb: Verb) -> Decision {
    let name = &view.name;
    let action = view.actions.iter().find(|action| action.verb == verb.word());
    let why = action.and_then(|action| action.why.clone()).unwrap_or_default();
    let moves = matches!(view.state, State::Progressing | State::Frozen);
    match (verb, view.state) {
        (Verb::Abort { if_running: true }, State::Healthy | State::Failed | State::Initializing) => {
            Decision::Nothing(format!("there is no run to abort: {name} is {}", view.state.word(&view.phase)))
        }
        (Verb::Abort { .. }, State::Healthy | State::Failed | State::Initializing) => Decision::Refuse(
            Failure::failed(format!("there is no run to abort: {name} is {}", view.state.word(&view.phase)))
                .hint("with --if-running that is no failure"),
        ),
        (Verb::Promote, State::Healthy) => {
            Decision::Nothing(format!("nothing to promote: the primary of {name} has the target's revision"))
        }
        (Verb::Promote | Verb::Approve, State::Failed) => Decision::Refuse(
            Failure::failed(format!("{name} has failed and is rolled back: {}", view.headline))
                .hint("change the target to begin a new run, or set it back to what is promoted"),
        ),
        (Verb::Approve | Verb::Promote, _) if moves => {
            Decision::Refuse(Failure::failed(format!("{name} waits for nobody: {}", stands(view))).hint(
                "it goes on by itself when its checks pass; \"kubectl canary explain\" says what keeps it",
            ))
        }
        _ if why.is_empty() => {
            Decision::Refuse(Failure::failed(format!("{name} cannot do that now: {}", stands(view))))
        }
        _ => Decision::Refuse(Failure::failed(format!("{name}: {why}"))),
    }
}

/// What is about to be asked for.
fn will(view: &CanaryView, request: &Request) -> String {
    let at = view.progress.as_ref().filter(|p| p.at > 0).map(|p| format!(" at step {} of {}", p.at, p.of));
    let at = at.unwrap_or_default();
    let weight = view.weight.canary;
    let what = match request.verb.as_str() {
        "abort" => "all traffic goes back to the primary".to_owned(),
        "promote" => "the revision goes on to its promotion".to_owned(),
        _ => request
            .gate
            .as_ref()
            .map_or_else(|| "the gate is opened".into(), |gate| format!("gate {gate:?} is opened")),
    };
    format!(
        "asking {}/{}{at}, weight {weight}, to {}: {what} (request {})",
        view.namespace, view.name, request.verb, request.id
    )
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

/// Why there is no answer, as far as the status tells.
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

/// The answer, for programs.
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

fn accepted(before: &CanaryView, request: &Request) -> String {
    let name = &before.name;
    match request.verb.as_str() {
        "abort" if before.phase == Phase::Waiting.to_string() && before.run.is_none() => {
            format!("canary {name:?} aborted: this revision is not begun with\n")
        }
        "abort" => format!("canary {name:?} aborted: traffic goes back to the primary\n"),
        "promote" => format!("canary {name:?} promoted: it waited at weight {}\n", before.weight.canary),
        _ => {
            let gate = request
                .gate
                .as_ref()
                .map_or_else(|| "the gate is open".into(), |gate| format!("gate {gate:?} is open"));
            format!("canary {name:?} approved: {gate} (weight {})\n", before.weight.canary)
        }
    }
}

#[cfg(test)]
mod tests;
