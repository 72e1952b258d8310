//! `get`: shows one release, once or continuously.

use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;
use tokio::time::{Instant, interval};

use super::{
    args::GetArgs,
    context::{Context, now},
    display::Display,
    environment,
    following::Following,
    values::Output,
};
use crate::{
    cluster::{Depth, Live, Seen},
    failure::{Failure, code},
    screen::{Detail, Line, Term, Tone, release},
    view::{Facts, canary},
};

/// Minimum time between two redraws.
const REDRAW: Duration = Duration::from_millis(200);
/// How often times on the screen are updated.
const TIMES: Duration = Duration::from_secs(1);

pub(super) async fn run(context: &Context, args: &GetArgs) -> Result<(), Failure> {
    let found = context.canary(&args.name).await?;
    if args.watch {
        return Box::pin(watch(context, args, found)).await;
    }
    let facts = context.cluster.around(found, Depth::All).await;
    let view = canary(&facts, now());
    match args.output {
        Some(form @ (Output::Json | Output::Yaml)) => context.out.data(&view, form),
        Some(Output::Name) => context.out.text(&format!("canary.flagger.app/{}\n", view.name)),
        None | Some(Output::Wide) => {
            context.out.lines(&release(&view, detail(args), now(), &context.out.term))
        }
    }
}

fn detail(args: &GetArgs) -> Detail {
    Detail { no_tree: args.no_tree, all_pods: args.all_pods, ..Detail::default() }
}

fn screen(
    facts: &Facts,
    trouble: Option<&(Instant, String)>,
    detail: Detail,
    term: &Term,
    at: Timestamp,
) -> Vec<Line> {
    let mut lines = release(&canary(facts, at), detail, at, term);
    if let Some((since, why)) = trouble {
        let text = format!("no answer for {} s, trying again: {why}", since.elapsed().as_secs());
        lines.insert(1, Line::of(Tone::Bad, text));
    }
    lines
}

/// Ends with the run, unless the user wants to keep the screen. Exits with the code of `status`.
async fn watch(context: &Context, args: &GetArgs, found: serin::api::Canary) -> Result<(), Failure> {
    let (mut live, mut facts) = Live::of(&context.cluster, found, Depth::All).await;
    let mut following = Following::default();
    let (mut display, mut term) = (Display::new(context.out), context.out.term);
    let mut tick = interval(REDRAW);
    let (mut trouble, mut changed): (Option<(Instant, String)>, bool) = (None, true);
    let (mut drawn, mut began) = (Instant::now(), following.look(&facts).is_none());
    loop {
        let mut detail = Detail { clock: context.out.terminal, ..detail(args) };
        if let Some((width, height)) = environment::size().filter(|_| context.out.terminal) {
            display.resized(width, height);
            (term.width, detail.height) = (width, height);
        }
        let times = context.out.terminal && drawn.elapsed() >= TIMES;
        if std::mem::take(&mut changed) || times {
            let at = now();
            let clock = at.strftime("%H:%M:%S").to_string();
            display.show(&screen(&facts, trouble.as_ref(), detail, &term, at), &clock)?;
            drawn = Instant::now();
        }
        let end = following.look(&facts);
        began |= end.is_none();
        if let Some(end) = end.filter(|_| !args.keep) {
            let all = Detail { height: 0, clock: false, ..detail };
            display.end(&screen(&facts, None, all, &term, now()))?;
            // the release was idle from the start, so nothing was waited for
            return if began { end.map(drop) } else { Ok(()) };
        }
        // events come in groups: everything until the next tick is drawn together
        tick.tick().await;
        while let Some(seen) = live.changed().now_or_never() {
            match seen? {
                Seen::Change => {
                    (trouble, changed) = (None, true);
                    facts = live.facts();
                }
                Seen::Gone => {
                    display.end(&screen(&facts, None, detail, &term, now()))?;
                    return Err(Failure::new(code::FAILED, format!("canary {} was deleted", args.name)));
                }
                Seen::Trouble(why) => {
                    changed |= trouble.is_none();
                    trouble = trouble.or(Some((Instant::now(), why)));
                }
            }
        }
        if changed && live.lacks_pods(&facts) {
            (live, facts) = Live::of(&context.cluster, facts.canary, Depth::All).await;
        }
    }
}
