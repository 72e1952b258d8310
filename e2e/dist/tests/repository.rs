//! Checks that the published parts match: versions, the release workflow, and the documentation.
#![allow(missing_docs, reason = "a test target has no callers")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use serin_dist::{
    links::targets,
    notes::notes,
    site::{broken_in_source, files, is},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Pages of the repository that are not in `docs/`.
const OTHERS: [&str; 6] =
    ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "e2e/README.md", "findings/README.md"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| format!("reading {path}"))
}

fn yaml(path: &str) -> Result<Value> {
    serde_saphyr::from_str(&read(path)?).with_context(|| format!("parsing {path}"))
}

fn pages() -> Result<Vec<String>> {
    let mut all = files(&root(), "docs")?;
    all.retain(|path| is(path, "md"));
    all.extend(OTHERS.map(str::to_owned));
    Ok(all)
}

/// Tags that a text uses for our images.
fn tags<'a>(text: &'a str, image: &str) -> Vec<&'a str> {
    let after = format!("{image}:");
    let found = text.split(&*after).skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        rest[..end].trim_end_matches('.')
    });
    found.filter(|tag| tag.contains('.')).collect()
}

#[test]
fn the_version_is_the_same_wherever_it_is_written() -> Result<()> {
    let mut others = Vec::new();
    for chart in ["serin", "flagger", "loadtester"] {
        let chart = yaml(&format!("charts/{chart}/Chart.yaml"))?;
        if chart["appVersion"] != VERSION {
            others.push(format!("appVersion of the chart {}: {}", chart["name"], chart["appVersion"]));
        }
    }
    ensure!(yaml("charts/serin/Chart.yaml")?["version"] == VERSION, "the chart serin has another version");
    for path in ["deploy/kustomize/base", "deploy/loadtester"] {
        let tag = yaml(&format!("{path}/kustomization.yaml"))?["images"][0]["newTag"].clone();
        if tag != VERSION {
            others.push(format!("newTag in {path}: {tag}"));
        }
    }
    let mut count = 0;
    for page in pages()?.into_iter().chain(["deploy/install.yaml".to_owned()]) {
        let text = read(&page)?;
        for tag in tags(&text, "serin").into_iter().chain(tags(&text, "serin-loadtester")) {
            count += 1;
            if tag != VERSION {
                others.push(format!("{page} names the tag {tag}"));
            }
        }
    }
    ensure!(count >= 8, "{count} tags of images were found");
    ensure!(others.is_empty(), "the version is {VERSION}, but:\n{}", others.join("\n"));
    Ok(())
}

#[test]
fn the_changelog_has_notes_for_this_version() -> Result<()> {
    notes(&read("CHANGELOG.md")?, VERSION, None).map(drop)
}

/// The targets of the Makefile.
fn made() -> Result<BTreeSet<String>> {
    let makefile = read("Makefile")?;
    let names = makefile.lines().filter_map(|line| line.strip_prefix(".PHONY: ").map(str::to_owned));
    Ok(names.collect())
}

/// The make targets that a script uses: `make a VARIABLE=x b` names a and b.
fn asked(script: &str) -> Vec<&str> {
    let lines =
        script.lines().map(str::trim_start).filter(|line| *line == "make" || line.starts_with("make "));
    let words =
        lines.flat_map(|line| line.split_whitespace().skip(1).take_while(|word| !word.starts_with('#')));
    words.filter(|word| !word.starts_with('-') && !word.contains(['=', '$', '"', '\''])).collect()
}

#[test]
fn variables_and_flags_are_no_targets() {
    assert_eq!(asked("cd x\n  make -j2 dist LINKS=a\nmake ci # make all\nremake it"), ["dist", "ci"]);
}

/// Checks the workflow here, because it runs only on GitHub.
#[test]
fn the_workflow_of_a_release_asks_for_targets_that_there_are() -> Result<()> {
    let (workflow, made) = (yaml(".github/workflows/release.yml")?, made()?);
    let jobs = workflow["jobs"].as_object().context("no jobs")?;
    let mut asked_for = BTreeSet::new();
    for (name, job) in jobs {
        ensure!(job["runs-on"].is_string(), "the job {name} names no machine");
        let needs = job["needs"].as_array().map_or_else(|| vec![&job["needs"]], |all| all.iter().collect());
        for need in needs.into_iter().filter_map(Value::as_str) {
            ensure!(jobs.contains_key(need), "{name} needs {need}, which is no job");
        }
        for step in job["steps"].as_array().context("a job without steps")? {
            ensure!(
                step["run"].is_string() != step["uses"].is_string(),
                "{name} has a step that does not do one thing"
            );
            asked_for.extend(asked(step["run"].as_str().unwrap_or_default()).into_iter().map(str::to_owned));
        }
    }
    ensure!(asked_for.contains("dist"), "it does not make a release: {asked_for:?}");
    let missing: Vec<_> = asked_for.difference(&made).collect();
    ensure!(missing.is_empty(), "the Makefile has no {missing:?}");
    Ok(())
}

#[test]
fn pages_ask_for_targets_that_there_are() -> Result<()> {
    let made = made()?;
    let mut missing = Vec::new();
    for page in pages()? {
        let text = read(&page)?;
        // commands in examples start a line, after an optional prompt
        let commands = text.replace("\n$ make ", "\nmake ");
        let wrong = asked(&commands).into_iter().filter(|name| !made.contains(*name));
        missing.extend(wrong.map(|name| format!("{page}: make {name}")));
    }
    ensure!(missing.is_empty(), "the Makefile has none of these:\n{}", missing.join("\n"));
    Ok(())
}

#[test]
fn links_of_all_pages_lead_to_files_and_headings_that_are_there() -> Result<()> {
    let broken = broken_in_source(&root(), &pages()?)?;
    ensure!(broken.is_empty(), "{}", broken.join("\n"));
    Ok(())
}

#[test]
fn every_page_is_a_chapter_of_the_site_once() -> Result<()> {
    let all = targets(&read("docs/SUMMARY.md")?);
    let chapters: BTreeSet<&str> = all.iter().map(String::as_str).collect();
    ensure!(chapters.len() == all.len(), "docs/SUMMARY.md names a page twice");
    let mut pages = files(&root(), "docs")?;
    // decisions are added when the site is built
    pages.retain(|page| is(page, "md") && !page.starts_with("docs/design/") && page != "docs/SUMMARY.md");
    let pages = pages.iter().filter_map(|page| page.strip_prefix("docs/"));
    let missing: Vec<_> = pages.filter(|page| !chapters.contains(page)).collect();
    ensure!(missing.is_empty(), "docs/SUMMARY.md lacks {missing:?}");
    Ok(())
}

/// Names of the values that a page sets on Helm's command line.
fn set(page: &str) -> Vec<&str> {
    let lines = page.lines().filter(|line| !line.contains("istioctl"));
    let all = lines.flat_map(|line| line.split("--set ").skip(1));
    all.filter_map(|rest| rest.trim_start_matches('\'').split_once('=').map(|(name, _)| name)).collect()
}

#[test]
fn values_that_pages_set_are_in_the_charts() -> Result<()> {
    let schemas = ["serin", "loadtester"].map(|chart| read(&format!("charts/{chart}/values.schema.json")));
    let values = ["serin", "loadtester"].map(|chart| yaml(&format!("charts/{chart}/values.yaml")));
    let mut known = Vec::new();
    for schema in schemas {
        known.push((serde_json::from_str::<Value>(&schema?)?, "/properties/"));
    }
    for value in values {
        known.push((value?, "/"));
    }
    let there = |name: &str| {
        let path = |step: &str| format!("{step}{}", name.replace('.', step));
        known.iter().any(|(value, step)| value.pointer(&path(step)).is_some())
    };
    let (mut count, mut missing) = (0, Vec::new());
    for page in pages()?.iter().filter(|page| page.starts_with("docs/") || *page == "README.md") {
        for name in set(&read(page)?) {
            count += 1;
            if !there(name) {
                missing.push(format!("{page}: --set {name}"));
            }
        }
    }
    ensure!(count >= 10, "{count} values were found");
    ensure!(missing.is_empty(), "the charts have none of these:\n{}", missing.join("\n"));
    Ok(())
}
