//! `lint`: files, folders and standard input. Needs no cluster.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use super::{
    args::LintArgs,
    out::Out,
    values::{Least, LintOutput},
};
use crate::{
    failure::{Failure, code},
    lint::{CODES, Finding, Level, Report, Source, lint},
    screen::{Line, Tone},
    view::API_VERSION,
};

/// Endings of files that are looked for in folders.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];
/// Folders are not gone into any deeper.
const DEEPEST: usize = 32;

pub(super) fn run(out: Out, args: &LintArgs) -> Result<(), Failure> {
    if args.list_codes {
        let codes = CODES.iter().map(|(code, level, about)| format!("{code}  {:<8} {about}\n", level.word()));
        return out.text(&codes.collect::<String>());
    }
    let report = lint(&sources(args)?, &args.ignore);
    match args.output {
        LintOutput::Text => out.lines(&text(&report))?,
        LintOutput::Github => out.text(&report.findings.iter().map(github).collect::<String>())?,
        LintOutput::Json => out.json(&serde_json::json!({
            "apiVersion": API_VERSION, "kind": "LintReport", "canaries": report.canaries,
            "unreadable": report.unreadable, "findings": report.findings,
        }))?,
    }
    out.say(&report.summary());
    verdict(&report, args.fail_on)
}

/// Unreadable files come before findings.
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
    // each has been printed
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

/// As GitHub shows it beside the line.
fn github(finding: &Finding) -> String {
    let level = if finding.level == Level::Note { "notice" } else { finding.level.word() };
    let escaped = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let Finding { file, line, code, object, message, .. } = finding;
    let file = escaped(file).replace(':', "%3A").replace(',', "%2C");
    format!("::{level} file={file},line={line},title={code}::{}\n", escaped(&format!("{object}: {message}")))
}

fn sources(args: &LintArgs) -> Result<Vec<Source>, Failure> {
    let mut paths: Vec<PathBuf> = args.paths.iter().chain(&args.files).cloned().collect();
    if paths.is_empty() {
        return Err(Failure::usage("there is nothing to look at")
            .hint("name files or folders, or - for standard input"));
    }
    paths.dedup();
    let mut sources = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            let mut text = String::new();
            let read = io::stdin().lock().read_to_string(&mut text);
            read.map_err(|error| Failure::usage(format!("cannot read standard input: {error}")))?;
            sources.push(Source { name: "-".into(), text });
            continue;
        }
        let mut files = Vec::new();
        if path.is_dir() {
            below(&path, DEEPEST, &mut files)?;
        } else {
            files.push(path);
        }
        for file in files {
            let text = fs::read_to_string(&file)
                .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
            sources.push(Source { name: file.display().to_string(), text });
        }
    }
    Ok(sources)
}

/// All manifests below a folder, hidden ones apart, in order of their names.
fn below(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed =
        |error: io::Error| Failure::usage(format!("cannot read the folder {}: {error}", folder.display()));
    let mut entries: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    entries.sort();
    for path in entries {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let manifest = path.extension().is_some_and(|end| ENDINGS.iter().any(|known| end == *known));
        if hidden {
            continue;
        }
        // a link to a folder above would be gone into for ever
        if path.is_dir() && !path.is_symlink() && depth > 0 {
            below(&path, depth - 1, files)?;
        } else if path.is_file() && manifest {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
