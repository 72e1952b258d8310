//! Stories as data: each `scenarios/*.yaml` is played on a model, and its whole transcript compared with the `.out`
//! beside it. `UPDATE_SCENARIOS=1` writes those anew: read what has changed before it is committed.
#![allow(missing_docs, reason = "a test target has no callers")]

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};

#[test]
fn every_story_is_told_as_before() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let update = std::env::var_os("UPDATE_SCENARIOS").is_some();
    let (mut told, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|e| e != "yaml") {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path)?;
        let expected = path.with_extension("out");
        match serin_e2e::sim::story::tell(&text).with_context(|| name.clone()) {
            Err(error) => wrong.push(format!("{error:#}")),
            Ok(out) if update => fs::write(&expected, out)?,
            Ok(out) => {
                wrong.extend(difference(&name, &fs::read_to_string(&expected).unwrap_or_default(), &out));
            }
        }
        told += 1;
    }
    ensure!(told > 0, "no stories in {}", folder.display());
    ensure!(wrong.is_empty(), "{} of {told} stories differ:\n{}", wrong.len(), wrong.join("\n\n"));
    Ok(())
}

/// The first line in which two transcripts differ, and what came before it.
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
