//! `migrate flagger`: lists what changes for Flagger's Canaries. Writes nothing.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{context::Context, files, out::Out, values::Output};
use crate::{
    failure::{Failure, code},
    lint::Source,
    migrate::{self, Change, Migration},
    screen,
    view::API_VERSION,
};

/// From what.
#[derive(Subcommand, Debug)]
pub(crate) enum MigrateCommand {
    /// Canaries, MetricTemplates and AlertProviders of Flagger
    Flagger(MigrateArgs),
}

#[derive(Args, Debug)]
pub(crate) struct MigrateArgs {
    /// Files and folders; - is standard input
    #[arg(value_name = "PATH", required_unless_present = "in_cluster", conflicts_with = "in_cluster")]
    paths: Vec<PathBuf>,
    /// The objects in the cluster in place of files
    #[arg(long)]
    in_cluster: bool,
    /// With --in-cluster: of all namespaces
    #[arg(short = 'A', long, requires = "in_cluster")]
    all_namespaces: bool,
    /// Form of output
    #[arg(short, long, value_enum)]
    pub(super) output: Option<Output>,
}

impl MigrateCommand {
    fn args(&self) -> &MigrateArgs {
        let Self::Flagger(args) = self;
        args
    }

    /// Whether it needs no cluster.
    pub(super) fn offline(&self) -> bool {
        !self.args().in_cluster
    }

    pub(super) fn output(&self) -> Option<Output> {
        self.args().output
    }
}

/// Runs with files.
pub(super) fn run_offline(out: Out, command: &MigrateCommand) -> Result<(), Failure> {
    let args = command.args();
    show(out, args, &migrate::flagger(&files::read(&args.paths, &[])?))
}

/// Runs with the cluster.
pub(super) async fn run(context: &Context, command: &MigrateCommand) -> Result<(), Failure> {
    let args = command.args();
    let objects = context.cluster.flaggers(args.all_namespaces).await?;
    let text = json!({"kind": "List", "items": objects}).to_string();
    show(context.out, args, &migrate::flagger(&[Source { name: "cluster".into(), text }]))
}

fn show(out: Out, args: &MigrateArgs, found: &Migration) -> Result<(), Failure> {
    match args.output {
        Some(form @ (Output::Json | Output::Yaml)) => out.data(&report(found), form)?,
        _ => out.lines(&screen::migration(found, &out.term))?,
    }
    let (refused, differ) = (found.count(Change::Refused), found.count(Change::Differs));
    let canaries =
        if found.canaries == 1 { "1 canary".to_owned() } else { format!("{} canaries", found.canaries) };
    out.say(&format!("{canaries}: {refused} refused, {differ} that differ; docs/migrating-from-flagger.md has the reasons, and what is different for all"));
    verdict(found)
}

fn report(found: &Migration) -> serde_json::Value {
    json!({
        "apiVersion": API_VERSION, "kind": "MigrationReport", "canaries": found.canaries,
        "unreadable": found.unreadable, "remarks": found.remarks,
    })
}

/// Unreadable files take precedence over refusals, which have been printed.
fn verdict(found: &Migration) -> Result<(), Failure> {
    if !found.unreadable.is_empty() {
        return Err(Failure::usage(found.unreadable.join("\nerror: ")));
    }
    if found.count(Change::Refused) > 0 { Err(Failure::new(code::FAILED, "")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_follow_what_is_refused() {
        let exit = |text: &str| {
            let found = migrate::flagger(&[Source { name: "a".into(), text: text.into() }]);
            assert_eq!(crate::schema::violations(&report(&found)), Vec::<String>::new());
            verdict(&found).map_or_else(|failure| failure.code, |()| 0)
        };
        let canary = "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: app}\nspec:\n  provider: istio\n  targetRef: {apiVersion: apps/v1, kind: Deployment, name: app}\n  service: {port: 80}\n  analysis: {interval: 1m, stepWeight: 10, maxWeight: 50}\n";
        assert_eq!(
            (exit(canary), exit(&canary.replace("istio", "smi:v1alpha1")), exit("a: {{ b")),
            (0, 1, 2)
        );
    }
}
