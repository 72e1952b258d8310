//! Prints the planner's behaviour in each scenario, without texts. With a Git revision as argument, compares it with
//! the whole transcripts of that revision, and fails if they differ.
#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use std::{env, fs, path::Path, process::Command};

use anyhow::{Context as _, Result, bail};
use serin_model::{behaviour, scenario};

fn main() -> Result<()> {
    let against = env::args().nth(1);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))? {
        paths.extend(Some(entry?.path()).filter(|path| path.extension().is_some_and(|e| e == "yaml")));
    }
    paths.sort();
    let (mut compared, mut differ) = (0, 0);
    for path in &paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(path)?;
        let now = behaviour::of(&scenario::tell(&text).with_context(|| name.clone())?);
        let Some(revision) = &against else {
            println!("# {name}\n{now}");
            continue;
        };
        let Some(scenario) = at(revision, &folder, &format!("{name}.yaml"))? else { continue };
        let whole = scenario::is_whole(&scenario).unwrap_or(false);
        let Some(then) = at(revision, &folder, &format!("{name}.out"))?.filter(|_| whole) else { continue };
        compared += 1;
        let then = behaviour::of(&then);
        if then != now {
            differ += 1;
            println!("{name}:\n{}", difference(&then, &now));
        }
    }
    if let Some(revision) = against {
        println!("{compared} of {} scenarios compared with {revision}, {differ} differ", paths.len());
        if differ > 0 || compared == 0 {
            bail!("behaviour is not shown to be that of {revision}");
        }
    }
    Ok(())
}

/// The file in a revision, if it exists.
fn at(revision: &str, folder: &Path, file: &str) -> Result<Option<String>> {
    let shown =
        Command::new("git").arg("-C").arg(folder).args(["show", &format!("{revision}:./{file}")]).output();
    let shown = shown.context("running git show")?;
    Ok(shown.status.success().then(|| String::from_utf8_lossy(&shown.stdout).into_owned()))
}

/// The first lines that differ, after some common lines.
fn difference(then: &str, now: &str) -> String {
    let (then, now): (Vec<_>, Vec<_>) = (then.lines().collect(), now.lines().collect());
    let at = then.iter().zip(&now).take_while(|(a, b)| a == b).count();
    let some = |sign: &str, lines: &[&str]| -> Vec<String> {
        lines.iter().skip(at).take(5).map(|line| format!("  {sign} {line}")).collect()
    };
    let before = now[at.saturating_sub(4)..at].iter().map(|line| format!("    {line}"));
    before.chain(some("-", &then)).chain(some("+", &now)).collect::<Vec<_>>().join("\n")
}
