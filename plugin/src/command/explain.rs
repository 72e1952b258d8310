//! `explain`: sentences from the view, then the result of the operator's own planner, if this user may read the objects
//! that the planner needs.

use super::{
    args::ExplainArgs,
    context::{Context, now},
    values::Output,
};
use crate::{
    cluster::Depth,
    failure::Failure,
    screen::{self, Line, Term, Tone},
    view::{self, rules},
};

pub(super) async fn run(context: &Context, args: &ExplainArgs) -> Result<(), Failure> {
    let found = context.canary(&args.name).await?;
    let facts = context.cluster.around(found, Depth::Told).await;
    let at = now();
    let view = view::canary(&facts, at);
    if let Some(form @ (Output::Json | Output::Yaml)) = args.output {
        return context.out.data(&view, form);
    }
    context.out.lines(&screen::explain(&view, at, &context.out.term))?;
    let rules = rules(&facts.canary);
    match serin::explain::look(&context.cluster.client, &rules, facts.namespace(), facts.name(), at).await {
        Ok(snapshot) => {
            let told = serin::explain::told(&snapshot, at);
            let lines = told.lines().map(|line| Line::of(Tone::Plain, line));
            let whole = Term { width: Term::ENDLESS, ..context.out.term };
            context.out.text(&format!("\n{}", screen::render(&lines.collect::<Vec<_>>(), &whole)))
        }
        Err(error) => {
            // kube adds details for programmers to the API server's message
            let refused = error.chain().find_map(|cause| match cause.downcast_ref::<kube::Error>()? {
                kube::Error::Api(status) => Some(status.message.clone()),
                _ => None,
            });
            let why = refused.unwrap_or_else(|| format!("{error:#}"));
            context.out.say(&format!(
                "this is from the status alone; what the operator would do next cannot be worked out: {why}"
            ));
            Ok(())
        }
    }
}
