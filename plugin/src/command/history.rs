//! `history` and `events`: what happened to a Canary.

use jiff::Timestamp;
use serin::names;

use super::{
    args::{EventsArgs, HistoryArgs},
    context::{Context, now},
    values::Output,
};
use crate::{
    cluster::Depth,
    failure::{Failure, code},
    screen,
    view::{self, API_VERSION, Facts, RunView},
};

pub(super) async fn run(context: &Context, args: &HistoryArgs) -> Result<(), Failure> {
    let found = context.canary(&args.name).await?;
    let facts = context.cluster.around(found, Depth::Told).await;
    for right in facts.unread.iter().filter(|right| right.contains("canaryruns")) {
        context.out.say(&format!("only the last run is known: missing right: {right}"));
    }
    let mut runs = runs(&facts, now());
    if let Some(number) = args.run {
        let Some(run) = runs.iter().find(|run| run.number == number) else {
            let known: Vec<_> = runs.iter().map(|run| run.number.to_string()).collect();
            let known = if known.is_empty() { "there is none".into() } else { known.join(", ") };
            return Err(Failure::new(
                code::NOT_FOUND,
                format!("canary {} has no record of a run {number}", facts.name()),
            )
            .hint(format!("records of runs: {known}")));
        };
        return match args.output {
            Some(form @ (Output::Json | Output::Yaml)) => context.out.data(run, form),
            Some(Output::Name) => context.out.text(&format!("canaryrun.serin.dev/{}\n", run.name)),
            None | Some(Output::Wide) => context.out.lines(&screen::run(run, now(), &context.out.term)),
        };
    }
    runs.truncate(args.limit.unwrap_or(usize::MAX));
    match args.output {
        Some(form @ (Output::Json | Output::Yaml)) => {
            let list = serde_json::json!({"apiVersion": API_VERSION, "kind": "RunViewList", "items": runs});
            context.out.data(&list, form)
        }
        Some(Output::Name) => {
            let names = runs.iter().map(|run| format!("canaryrun.serin.dev/{}\n", run.name));
            context.out.text(&names.collect::<String>())
        }
        None | Some(Output::Wide) if runs.is_empty() => {
            context.out.say(&format!("no run of {} has ended or is in progress", facts.name()));
            Ok(())
        }
        form => {
            let wide = form == Some(Output::Wide);
            context.out.lines(&screen::history(&runs, wide, now(), &context.out.term))
        }
    }
}

/// The runs that are known, newest first: their records, or what the status keeps of the last one.
pub(super) fn runs(facts: &Facts, at: Timestamp) -> Vec<RunView> {
    let mut runs: Vec<RunView> = facts.newest_first().into_iter().map(view::run).collect();
    if runs.is_empty() {
        runs.extend(view::canary(facts, at).last_run);
    }
    runs
}

/// Events of the Canary, its target and its primary.
pub(super) async fn events(context: &Context, args: &EventsArgs) -> Result<(), Failure> {
    let found = context.canary(&args.name).await?;
    let (namespace, name) = (
        found.metadata.namespace.clone().unwrap_or_default(),
        found.metadata.name.clone().unwrap_or_default(),
    );
    let target = found.spec.target_ref;
    let about = [
        ("Canary".to_owned(), name.clone()),
        (target.kind.clone(), target.name.clone()),
        (target.kind, names::primary(&target.name)),
    ];
    let all = view::events(&context.cluster.events(&namespace, &about).await?);
    match args.output {
        Some(form @ (Output::Json | Output::Yaml)) => {
            let list = serde_json::json!({"apiVersion": API_VERSION, "kind": "EventViewList", "items": all});
            context.out.data(&list, form)
        }
        _ if all.is_empty() => {
            context.out.say(&format!("no events about {name}: the API server keeps them for an hour or so"));
            Ok(())
        }
        form => {
            let wide = form == Some(Output::Wide);
            context.out.lines(&screen::events(&all, wide, now(), &context.out.term))
        }
    }
}
