//! `simulate`: predicts a run of a Canary from the cluster or from files.

use std::path::PathBuf;

use clap::Args;
use serin::api::Canary;

use super::{
    context::Context,
    files,
    out::Out,
    values::{Output, name},
};
use crate::{
    failure::{Failure, code},
    lint,
    screen::{self, Line},
    simulate::{self, PlanView},
    view::API_VERSION,
};

#[derive(Args, Debug)]
pub(crate) struct SimulateArgs {
    /// The Canary in the cluster
    #[arg(value_name = "NAME", value_parser = name, required_unless_present = "files", conflicts_with = "files")]
    name: Option<String>,
    /// Canaries in files and folders in place of the cluster; - is standard input
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    files: Vec<PathBuf>,
    /// Form of output
    #[arg(short, long, value_enum)]
    pub(super) output: Option<Output>,
}

impl SimulateArgs {
    /// Whether it needs no cluster.
    pub(super) fn offline(&self) -> bool {
        !self.files.is_empty()
    }
}

/// Runs with the cluster.
pub(super) async fn run(context: &Context, args: &SimulateArgs) -> Result<(), Failure> {
    let canary = context.canary(args.name.as_deref().unwrap_or_default()).await?;
    show(context.out, args, vec![of(&canary)?])
}

/// Runs with files.
pub(super) fn run_offline(out: Out, args: &SimulateArgs) -> Result<(), Failure> {
    let mut plans = Vec::new();
    for source in files::read(&args.files, &[])? {
        for object in lint::objects(&source).map_err(Failure::usage)? {
            let group = object["apiVersion"].as_str().and_then(|version| version.split_once('/'));
            if object["kind"] != "Canary" || group.is_none_or(|(group, _)| group != "flagger.app") {
                continue;
            }
            let canary: Canary = serde_json::from_value(object).map_err(|error| {
                Failure::usage(format!("{}: a Canary that cannot be read: {error}", source.name))
                    .hint("\"kubectl canary lint\" says what is wrong with it")
            })?;
            plans.push(of(&canary)?);
        }
    }
    if plans.is_empty() {
        return Err(Failure::new(code::NOT_FOUND, "there is no Canary in these files"));
    }
    show(out, args, plans)
}

fn of(canary: &Canary) -> Result<PlanView, Failure> {
    let name = canary.metadata.name.clone().unwrap_or_default();
    simulate::plan(canary).map_err(|why| {
        Failure::failed(format!("the operator would not act on canary {name}: {why}"))
            .hint("\"kubectl canary lint\" says all that is wrong with it")
    })
}

fn show(out: Out, args: &SimulateArgs, mut plans: Vec<PlanView>) -> Result<(), Failure> {
    match args.output {
        Some(form @ (Output::Json | Output::Yaml)) if plans.len() == 1 => out.data(&plans.remove(0), form),
        Some(form @ (Output::Json | Output::Yaml)) => {
            let list = serde_json::json!({"apiVersion": API_VERSION, "kind": "PlanViewList", "items": plans});
            out.data(&list, form)
        }
        Some(Output::Name) => {
            let names = plans.iter().map(|plan| format!("canary.flagger.app/{}\n", plan.name));
            out.text(&names.collect::<String>())
        }
        None | Some(Output::Wide) => {
            let mut lines: Vec<Line> = Vec::new();
            for plan in &plans {
                if !lines.is_empty() {
                    lines.push(Line::default());
                }
                lines.extend(screen::plan(plan, &out.term));
            }
            out.lines(&lines)
        }
    }
}
