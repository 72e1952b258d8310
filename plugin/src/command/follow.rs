//! `status`, and the `--wait` flag of other commands: follows a release to its end.

use std::time::Duration;

use serin::api::Canary;
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    args::StatusArgs,
    asking::FOR_EVER,
    context::{Context, now},
    following::{Following, Until},
    values::{For, Output},
};
use crate::{
    cluster::{Depth, Live, Seen},
    failure::{Failure, code},
    screen::{Line, pending_line, status_line},
    text,
    view::{CanaryView, Settled, State, canary, settled},
};

/// How long until a target that could not be read is read again.
const AGAIN: Duration = Duration::from_secs(2);

pub(super) async fn run(context: &Context, args: &StatusArgs) -> Result<(), Failure> {
    let found = context.canary(&args.name).await?;
    if !args.watch {
        return once(context, args, found).await;
    }
    Box::pin(follow(context, found, until(args), args.output)).await
}

fn until(args: &StatusArgs) -> Until {
    Until {
        gate: args.until == For::Gate,
        fail_on_gate: args.fail_on_gate,
        revision: args.revision.clone(),
        timeout: args.timeout.filter(|time| !time.is_zero()),
    }
}

/// The current result, by the same rules.
async fn once(context: &Context, args: &StatusArgs, found: Canary) -> Result<(), Failure> {
    let facts = context.cluster.around(found, Depth::Target).await;
    let view = canary(&facts, now());
    match args.output {
        Some(form @ (Output::Json | Output::Yaml)) => context.out.data(&view, form)?,
        Some(Output::Name) => context.out.text(&format!("canary.flagger.app/{}\n", view.name))?,
        None | Some(Output::Wide) => context.out.lines(&[status_line(&view, &context.out.term)])?,
    }
    match (Following::until(until(args)).look(&facts), facts.failed.first()) {
        (Some(Err(failure)), _) => Err(failure),
        (None, Some(why)) => Err(Failure::failed(format!("the target cannot be read: {why}"))),
        _ => Ok(()),
    }
}

/// Prints a line per change until the release ends.
pub(super) async fn follow(
    context: &Context,
    found: Canary,
    until: Until,
    form: Option<Output>,
) -> Result<(), Failure> {
    let (began, timeout) = (Instant::now(), until.timeout);
    let machine = matches!(form, Some(Output::Json | Output::Yaml | Output::Name));
    let (mut live, _) = Live::of(&context.cluster, found.clone(), Depth::Canary).await;
    let mut facts = context.cluster.around(found, Depth::Target).await;
    if let Some(right) = facts.unread.first() {
        context.out.say(&format!(
            "whether the operator has seen the target as it is now cannot be told: missing right: {right}"
        ));
    }
    let (mut following, mut last) = (Following::until(until), String::new());
    loop {
        let view = canary(&facts, now());
        let ended = following.look(&facts);
        let at_rest = matches!(view.state, State::Healthy | State::Failed);
        let shown = match (&ended, settled(&facts, None, None)) {
            (Some(Ok(text)), _) if view.state == State::Healthy => settled_line(&view, text, context),
            // the result of an earlier run is not the one to wait for
            (None, Settled::No(why)) if at_rest => {
                pending_line(&why, &context.out.term).render(&context.out.term)
            }
            _ => status_line(&view, &context.out.term).render(&context.out.term),
        };
        if shown != last && !machine {
            let time = if context.out.terminal { String::new() } else { format!("{}  ", text::time(now())) };
            context.out.text(&format!("{time}{shown}\n"))?;
            last = shown;
        }
        if let Some(ended) = ended {
            match form {
                Some(form @ (Output::Json | Output::Yaml)) => context.out.data(&view, form)?,
                Some(Output::Name) => context.out.text(&format!("canary.flagger.app/{}\n", view.name))?,
                None | Some(Output::Wide) => {}
            }
            return ended.map(drop);
        }
        let end = timeout.map_or_else(|| began + FOR_EVER, |time| began + time);
        let seen = tokio::select! {
            seen = live.changed() => seen?,
            () = sleep_until(end) => return Err(late(&view, timeout.unwrap_or_default())),
            () = sleep(AGAIN), if !facts.failed.is_empty() => Seen::Change,
        };
        match seen {
            Seen::Change => facts = context.cluster.around(live.facts().canary, Depth::Target).await,
            Seen::Gone => {
                return Err(Failure::failed(format!("canary {}/{} was deleted", view.namespace, view.name)));
            }
            Seen::Trouble(why) => context.out.say(&format!("no answer, trying again: {why}")),
        }
    }
}

fn settled_line(view: &CanaryView, text: &str, context: &Context) -> String {
    let settled = CanaryView { headline: text.to_owned(), ..view.clone() };
    let line: Line = status_line(&settled, &context.out.term);
    line.render(&context.out.term)
}

fn late(view: &CanaryView, time: Duration) -> Failure {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let word = view.state.word(&view.phase);
    let text = format!(
        "canary {}/{} is still {word} after {}: {}",
        view.namespace,
        view.name,
        text::span(seconds),
        view.headline
    );
    let command = view.waiting_for.as_ref().and_then(|w| w.commands.first()).map(|c| c.command.clone());
    let explain = format!("kubectl canary explain {} -n {}", view.name, view.namespace);
    Failure::new(code::TIMEOUT, text).hint(command.unwrap_or(explain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{fixture, fixture_time};

    #[test]
    fn exit_code_3_the_time_is_over() {
        let view = canary(&fixture("gate"), fixture_time());
        let failure = late(&view, Duration::from_secs(1800));
        assert_eq!(failure.code, 3);
        assert_eq!(
            failure.text(),
            "error: canary shop/app is still Waiting after 30m: waits at gate \"qa\" at weight 20 (step 2 of 3)\n  \
             kubectl canary approve app -n shop"
        );
    }
}
