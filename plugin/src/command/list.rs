//! `list`.

use serin::api::Canary;

use super::{
    args::ListArgs,
    context::{Context, now},
    display::Display,
    environment,
    values::Output,
};
use crate::{
    cluster::{Lists, Seen},
    failure::{Failure, code},
    screen::{Columns, Line, list},
    view::{API_VERSION, CanaryView, Facts, canary},
};

pub(super) async fn run(context: &Context, args: &ListArgs) -> Result<(), Failure> {
    if args.watch {
        return watch(context, args).await;
    }
    let views = chosen(context.cluster.list(args.all_namespaces, args.selector.as_deref()).await?, args);
    missing(&views, args, &context.cluster.namespace)?;
    match args.output {
        Some(form @ (Output::Json | Output::Yaml)) => {
            let list =
                serde_json::json!({"apiVersion": API_VERSION, "kind": "CanaryViewList", "items": views});
            context.out.data(&list, form)
        }
        Some(Output::Name) => {
            let names = views.iter().map(|view| format!("canary.flagger.app/{}\n", view.name));
            context.out.text(&names.collect::<String>())
        }
        None | Some(Output::Wide) => {
            if views.is_empty() {
                context.out.say(&nothing(args, &context.cluster.namespace));
                return Ok(());
            }
            context.out.lines(&lines(&views, context, args))
        }
    }
}

fn nothing(args: &ListArgs, namespace: &str) -> String {
    let place = if args.all_namespaces { String::new() } else { format!(" in namespace {namespace}") };
    let which = if args.needs_attention { "canaries that need attention" } else { "canaries" };
    format!("no {which} found{place}")
}

fn lines(views: &[CanaryView], context: &Context, args: &ListArgs) -> Vec<Line> {
    let columns = Columns { namespaces: args.all_namespaces, wide: args.output == Some(Output::Wide) };
    list(views, columns, now(), &context.out.term, !args.no_headers)
}

/// The Canaries that the user asked for.
fn chosen(all: Vec<Canary>, args: &ListArgs) -> Vec<CanaryView> {
    let at = now();
    let views = all.into_iter().map(|one| canary(&Facts::of(one), at));
    let named = |view: &CanaryView| args.names.is_empty() || args.names.contains(&view.name);
    views.filter(named).filter(|view| !args.needs_attention || view.needs_attention()).collect()
}

fn missing(views: &[CanaryView], args: &ListArgs, namespace: &str) -> Result<(), Failure> {
    if args.needs_attention {
        return Ok(());
    }
    let lacks = |name: &&String| !views.iter().any(|view| view.name == **name);
    match args.names.iter().find(lacks) {
        None => Ok(()),
        Some(name) if args.all_namespaces => Err(Failure::new(
            code::NOT_FOUND,
            format!("canaries.flagger.app {name:?} not found in any namespace"),
        )),
        Some(name) => Err(Failure::new(
            code::NOT_FOUND,
            format!("canaries.flagger.app {name:?} not found in namespace {namespace}"),
        )
        .hint("with -A it is looked for in all namespaces")),
    }
}

/// Redraws on a terminal. In a pipe, prints only new lines.
async fn watch(context: &Context, args: &ListArgs) -> Result<(), Failure> {
    let mut lists = Lists::of(&context.cluster, args.all_namespaces, args.selector.as_deref());
    let mut display = Display::new(context.out);
    let mut tick = tokio::time::interval(std::time::Duration::from_secs(1));
    let mut known = false;
    loop {
        tokio::select! {
            seen = lists.changed() => match seen? {
                Seen::Trouble(why) if !context.out.terminal => { context.out.say(&format!("trying again: {why}")); continue }
                Seen::Trouble(_) => {}
                Seen::Change | Seen::Gone => known = true,
            },
            _ = tick.tick(), if context.out.terminal => {}
        }
        if !known {
            continue;
        }
        if let Some((width, height)) = environment::size().filter(|_| context.out.terminal) {
            display.resized(width, height);
        }
        let views = chosen(lists.all(), args);
        display.show(&lines(&views, context, args), &now().strftime("%H:%M:%S").to_string())?;
    }
}
