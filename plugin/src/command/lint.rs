//! `lint`: checks files, folders and standard input. Needs no cluster.

use std::path::PathBuf;

use clap::Args;

use super::{
    files,
    out::Out,
    values::{Least, LintOutput},
};
use crate::{
    failure::{Failure, code},
    lint::{CODES, Finding, Level, Report, lint},
    screen::{Line, Tone},
    view::API_VERSION,
};

#[derive(Args, Debug)]
pub(crate) struct LintArgs {
    /// Files and folders; - is standard input
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The same, as kubectl takes it
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    files: Vec<PathBuf>,
    /// Exit code 1 from this level on
    #[arg(long, value_enum, default_value = "error")]
    fail_on: Least,
    /// Leave a code out, everywhere or of one Canary
    #[arg(long, value_name = "CODE[=NAMESPACE/NAME]")]
    ignore: Vec<String>,
    /// Print all codes
    #[arg(long)]
    list_codes: bool,
    /// Form of output
    #[arg(short, long, value_enum, default_value = "text")]
    output: LintOutput,
}

pub(super) fn run(out: Out, args: &LintArgs) -> Result<(), Failure> {
    if args.list_codes {
        let codes = CODES.iter().map(|(code, level, about)| format!("{code}  {:<8} {about}\n", level.word()));
        return out.text(&codes.collect::<String>());
    }
    let report = lint(&files::read(&args.paths, &args.files)?, &args.ignore);
    match args.output {
        LintOutput::Text => out.lines(&text(&report))?,
        LintOutput::Github => out.text(&report.findings.iter().map(github).collect::<String>())?,
        LintOutput::Json => out.json(&json(&report))?,
    }
    out.say(&report.summary());
    verdict(&report, args.fail_on)
}

fn json(report: &Report) -> serde_json::Value {
    serde_json::json!({
        "apiVersion": API_VERSION, "kind": "LintReport", "canaries": report.canaries,
        "unreadable": report.unreadable, "findings": report.findings,
    })
}

/// Unreadable files take precedence over findings.
fn verdict(report: &Report, fail_on: Least) -> Result<(), Failure> {
    if !report.unreadable.is_empty() {
        return Err(Failure::usage(report.unreadable.join("\nerror: ")));
    }
    let least = match fail_on {
        Least::Error => Level::Error,
        Least::Warning => Level::Warning,
        Least::Note => Level::Note,
    };
    let found = report.findings.iter().any(|finding| finding.level >= least);
    // the findings have been printed
    if found { Err(Failure::new(code::FAILED, "")) } else { Ok(()) }
}

fn text(report: &Report) -> Vec<Line> {
    let line = |finding: &Finding| {
        let tone = match finding.level {
            Level::Error => Tone::Bad,
            Level::Warning => Tone::Warn,
            Level::Note => Tone::Dim,
        };
        Line::of(Tone::Plain, format!("{}:{}: ", finding.file, finding.line))
            .and(tone, format!("{} {}", finding.level.word(), finding.code))
            .plain(format!(" ({}) {}", finding.object, finding.message))
    };
    report.findings.iter().map(line).collect()
}

/// GitHub's format for annotations of a line.
fn github(finding: &Finding) -> String {
    let level = if finding.level == Level::Note { "notice" } else { finding.level.word() };
    let escaped = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let Finding { file, line, code, object, message, .. } = finding;
    let file = escaped(file).replace(':', "%3A").replace(',', "%2C");
    format!("::{level} file={file},line={line},title={code}::{}\n", escaped(&format!("{object}: {message}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Source;

    fn report(text: &str) -> Report {
        lint(&[Source { name: "a.yaml".into(), text: text.into() }], &[])
    }

    #[test]
    fn exit_codes_follow_the_worst_finding() {
        let exit =
            |report: &Report, least| verdict(report, least).map_or_else(|failure| failure.code, |()| 0);
        let note = "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: app}\nspec:\n  targetRef: {apiVersion: apps/v1, kind: Deployment, name: app}\n  service: {port: 80}\n  analysis: {interval: 1m, stepWeight: 10, maxWeight: 50, metrics: [{name: request-success-rate, thresholdRange: {min: 99}}]}\n";
        let of =
            |text: &str| [Least::Error, Least::Warning, Least::Note].map(|least| exit(&report(text), least));
        assert_eq!(crate::schema::violations(&json(&report(note))), Vec::<String>::new());
        assert_eq!(of(note), [0, 0, 1]);
        assert_eq!(of(&note.replace("min: 99", "min: 0.99")), [0, 1, 1]);
        assert_eq!(of(&note.replace("stepWeight", "stepWeigth")), [1, 1, 1]);
        assert_eq!(of("a: {{ b"), [2, 2, 2]);
    }

    #[test]
    fn findings_are_written_for_github() {
        let text = "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: app}\nspec: {suspend: true, targetRef: {apiVersion: apps/v1, kind: Deployment, name: app}}\n";
        let found = report(text).findings;
        let line = github(found.iter().find(|f| f.code == "SER0213").unwrap());
        assert_eq!(
            line,
            "::warning file=a.yaml,line=4,title=SER0213::Canary app: spec.suspend is true: nothing moves until it is not\n"
        );
    }
}
