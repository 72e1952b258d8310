//! `convert argo`: converts objects of Argo Rollouts to Serin's. Needs no cluster.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::{files, out::Out};
use crate::{
    convert::{self, Conversion, Level},
    failure::{Failure, code},
    screen::{Term, conversion, render},
    view::API_VERSION,
};

/// From what.
#[derive(Subcommand, Debug)]
pub(crate) enum ConvertCommand {
    /// Rollouts and AnalysisTemplates of Argo Rollouts, with their Services and routes
    Argo(ConvertArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ConvertArgs {
    /// Files and folders; - is standard input
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The same, as kubectl takes it
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    files: Vec<PathBuf>,
    /// Form of output
    #[arg(short, long, value_enum, default_value = "yaml")]
    output: Form,
}

/// Forms of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// The objects; notes on standard error
    Yaml,
    /// Objects and notes as JSON
    Json,
    /// The notes only
    Report,
}

pub(super) fn run(out: Out, command: &ConvertCommand) -> Result<(), Failure> {
    let ConvertCommand::Argo(args) = command;
    let done = convert::argo(&files::read(&args.paths, &args.files)?);
    match args.output {
        Form::Yaml => {
            out.text(&yaml(&done)?)?;
            let plain = Term { width: Term::ENDLESS, colour: false, ..out.term };
            for line in render(&conversion(&done, &plain), &plain).lines() {
                out.say(line);
            }
        }
        Form::Json => out.json(&report(&done))?,
        Form::Report => out.lines(&conversion(&done, &out.term))?,
    }
    out.say(&summary(&done));
    verdict(&done)
}

/// The documents as one YAML text.
fn yaml(done: &Conversion) -> Result<String, Failure> {
    let mut text = String::new();
    for object in &done.objects {
        let document = serde_saphyr::to_string(object)
            .map_err(|error| Failure::failed(format!("cannot write the objects: {error}")))?;
        text.push_str("---\n");
        text.push_str(&document);
    }
    Ok(text)
}

fn report(done: &Conversion) -> serde_json::Value {
    json!({
        "apiVersion": API_VERSION, "kind": "ConversionReport", "rollouts": done.rollouts,
        "unreadable": done.unreadable, "objects": done.objects, "notes": done.notes,
    })
}

fn summary(done: &Conversion) -> String {
    let rollouts =
        if done.rollouts == 1 { "1 Rollout".to_owned() } else { format!("{} Rollouts", done.rollouts) };
    format!(
        "{rollouts}: {} refused, {} left out, {} that differ",
        done.count(Level::Refused),
        done.count(Level::LeftOut),
        done.count(Level::Differs)
    )
}

/// Unreadable files take precedence over refusals, which have been printed.
fn verdict(done: &Conversion) -> Result<(), Failure> {
    if !done.unreadable.is_empty() {
        return Err(Failure::usage(done.unreadable.join("\nerror: ")));
    }
    if done.rollouts == 0 {
        return Err(Failure::usage("there is no Rollout in these files")
            .hint("name the files with apiVersion argoproj.io/v1alpha1"));
    }
    if done.count(Level::Refused) > 0 { Err(Failure::new(code::FAILED, "")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Source;

    const ROLLOUT: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: app}\nspec:\n  selector: {matchLabels: {app: app}}\n  template:\n    metadata: {labels: {app: app}}\n    spec: {containers: [{name: app, image: 'app:1', ports: [{containerPort: 80}]}]}\n  strategy: {canary: {steps: [{setWeight: 50}, {pause: {}}]}}\n";

    #[test]
    fn exit_codes_follow_what_was_refused() {
        let exit = |text: &str| {
            let done = convert::argo(&[Source { name: "a.yaml".into(), text: text.into() }]);
            verdict(&done).map_or_else(|failure| failure.code, |()| 0)
        };
        assert_eq!(exit(ROLLOUT), 0);
        assert_eq!(
            exit(
                &ROLLOUT
                    .replace("canary: {", "canary: {trafficRouting: {alb: {ingress: x, servicePort: 80}}, ")
            ),
            1
        );
        assert_eq!((exit("a: {{ b"), exit("kind: Service")), (2, 2));
    }

    #[test]
    fn objects_are_documents_that_can_be_read_again() {
        let done = convert::argo(&[Source { name: "a.yaml".into(), text: ROLLOUT.into() }]);
        let text = yaml(&done).unwrap();
        let again = crate::lint::objects(&Source { name: "b".into(), text }).unwrap();
        assert_eq!(again, done.objects);
        assert_eq!(crate::schema::violations(&report(&done)), Vec::<String>::new());
        assert!(summary(&done).starts_with("1 Rollout: 0 refused, "), "{}", summary(&done));
    }
}
