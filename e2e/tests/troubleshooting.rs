//! `docs/troubleshooting.md` explains every reason that the operator can set.
#![allow(missing_docs, reason = "a test target has no callers")]

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context as _, Result, ensure};

/// Quoted words that are not reasons: values of conditions, and kinds of objects and Events.
const OTHERS: [&str; 11] = [
    "True",
    "False",
    "Unknown",
    "Warning",
    "Canary",
    "Deployment",
    "Gateway",
    "HorizontalPodAutoscaler",
    "Normal",
    "PodsReady",
    "ScaledObject",
];

fn read(path: &str) -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
}

/// String literals that are one word in CamelCase.
fn words(text: &str) -> BTreeSet<String> {
    let camel = |word: &&str| {
        word.len() > 3
            && word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.chars().all(|c| c.is_ascii_alphabetic())
    };
    text.lines()
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .filter(camel)
        .map(str::to_owned)
        .collect()
}

fn reasons() -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/plan")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))? {
            let path = entry?.path();
            if path.ends_with("tests") || path.ends_with("tests.rs") {
                continue;
            }
            if path.ends_with("history") {
                // its other files contain the words of records, which docs/history.md explains
                found.extend(words(&fs::read_to_string(path.join("mod.rs"))?));
            } else if path.is_dir() {
                folders.push(path);
            } else {
                found.extend(words(&fs::read_to_string(path)?));
            }
        }
    }
    for file in [
        "src/spec/findings.rs",
        "src/spec/validated.rs",
        "src/controller/report.rs",
        "src/alert/mod.rs",
        "src/definitions.rs",
    ] {
        found.extend(words(&read(file)?));
    }
    Ok(found.into_iter().filter(|word| !OTHERS.contains(&word.as_str())).collect())
}

#[test]
fn every_reason_is_explained() -> Result<()> {
    let (page, reasons) = (read("docs/troubleshooting.md")?, reasons()?);
    ensure!(
        reasons.contains("TargetMissing") && reasons.contains("Undecodable"),
        "reasons were not found: {reasons:?}"
    );
    let missing: Vec<_> = reasons.iter().filter(|reason| !page.contains(&format!("`{reason}`"))).collect();
    ensure!(missing.is_empty(), "docs/troubleshooting.md does not explain {missing:?}");
    Ok(())
}
