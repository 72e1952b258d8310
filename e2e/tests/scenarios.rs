//! Scenarios as data: runs each `scenarios/*.yaml` on a model, and compares its transcript, or the parts that the
//! scenario shows, with the `.out` file next to it. `UPDATE_SCENARIOS=1` rewrites these files: check the changes before
//! you commit them. `SERIN_SCENARIOS=c6-,b1-` runs only scenarios with these prefixes.
#![allow(missing_docs, reason = "a test target has no callers")]

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context as _, Result, anyhow, ensure};

#[test]
fn every_story_is_told_as_before() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder)? {
        paths.extend(Some(entry?.path()).filter(|path| path.extension().is_some_and(|e| e == "yaml")));
    }
    let named = std::env::var("SERIN_SCENARIOS").unwrap_or_default();
    let begins = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        named.split(',').any(|beginning| name.starts_with(beginning))
    };
    paths.retain(begins);
    ensure!(!paths.is_empty(), "no stories in {} that begin with {named:?}", folder.display());
    paths.sort();
    let share = paths.len().div_ceil(thread::available_parallelism().map_or(1, usize::from));
    let wrong: Vec<String> = thread::scope(|scope| {
        let tell = |some: &[PathBuf]| some.iter().filter_map(|path| told(path).err()).collect::<Vec<_>>();
        let all: Vec<_> = paths.chunks(share).map(|some| scope.spawn(move || tell(some))).collect();
        let ended = |one: thread::ScopedJoinHandle<'_, _>| {
            one.join().unwrap_or_else(|_| vec![anyhow!("a story was not told to its end")])
        };
        all.into_iter().flat_map(ended).map(|error| format!("{error:#}")).collect()
    });
    ensure!(wrong.is_empty(), "{} of {} stories differ:\n{}", wrong.len(), paths.len(), wrong.join("\n\n"));
    Ok(())
}

/// Runs one. Returns an error if the result differs from the file.
fn told(path: &Path) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let out = serin_model::scenario::shown(&fs::read_to_string(path)?).with_context(|| name.clone())?;
    let expected = path.with_extension("out");
    if std::env::var_os("UPDATE_SCENARIOS").is_some() {
        return fs::write(&expected, out).with_context(|| name);
    }
    difference(&name, &fs::read_to_string(&expected).unwrap_or_default(), &out)
        .map_or(Ok(()), |wrong| Err(anyhow!(wrong)))
}

/// The first line in which two transcripts differ, with the lines before it.
fn difference(name: &str, expected: &str, out: &str) -> Option<String> {
    if expected == out {
        return None;
    }
    let (a, b): (Vec<_>, Vec<_>) = (expected.lines().collect(), out.lines().collect());
    let at = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let line = |lines: &[&str]| lines.get(at).map_or("(end)", |l| l).to_owned();
    let before = b[at.saturating_sub(5)..at].join("\n");
    Some(format!("{name}, line {}:\n{before}\n- {}\n+ {}", at + 1, line(&a), line(&b)))
}
