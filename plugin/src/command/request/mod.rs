//! Requests to a run: prints the consequences, writes the request, waits for the answer and prints it.

mod ask;
mod wish;
mod words;

use std::io::{self, BufRead as _, Write as _};

use serin::api::{Answer, Canary, RequestStatus, request::Request};

use self::words::accepted;
use super::{
    args::{AbortArgs, RequestArgs},
    asking::{Asking, FinishArgs, PauseArgs, SteerArgs},
    context::{Context, now},
    follow::follow,
    following::Until,
    values::Output,
};
use crate::{
    cluster::{Written, asks_by, write},
    failure::{Failure, code},
    view::{CanaryView, canary},
};

pub(super) use self::{
    ask::{PATIENCE, ResultView, TRIES, answered, decide, known, restless, unanswered},
    wish::{Decision, Verb, Wish},
    words::{effect, will},
};

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
        let facts = known(&context.cluster, &found, wish.verb).await;
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
        let (after, said) = answered(&context.cluster, &found, &written, asking.patience(PATIENCE)).await?;
        report(context, &view, &after, &request, &said, asking.output)?;
        if asking.wait {
            let until = Until { timeout: asking.limit(), ..Until::default() };
            return Box::pin(follow(context, after, until, None)).await;
        }
        return Ok(());
    }
    Err(restless(name))
}

fn report(
    context: &Context,
    before: &CanaryView,
    after: &Canary,
    request: &Request,
    said: &RequestStatus,
    form: Option<Output>,
) -> Result<(), Failure> {
    let result = ResultView::of(before, after, request, said, now());
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
