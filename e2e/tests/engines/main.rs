//! Checks that templates, conditions, paths, durations and quantities mean the same as in the programs that users know:
//! Serin and the originals in Go (`e2e/engines`) read each case.
//!
//! A difference must be a refusal that `docs/engines.md` lists. A different value is always a failure.
//! `SERIN_ENGINES_CASES` sets the number of generated cases, in addition to the written ones, and `SERIN_ENGINES_SEED`
//! selects them. `SERIN_ENGINES_OURS` names a program that answers instead of Serin, such as one built from an earlier
//! revision: the report then lists the findings that it has.

mod conditions;
mod differences;
mod documented;
mod found;
mod functions;
mod generated;
mod grammar;
mod original;
mod paths;
mod small;
mod templates;

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use crate::{
    differences::{ALL, Side},
    original::{Case, Outcome},
};

/// The default number of generated cases.
const CASES: usize = 2_000;

/// Runs cases on both sides. There must be at least `least` of them.
fn play(what: &str, cases: &[Case], least: usize) -> Result<Vec<&'static str>> {
    ensure!(cases.len() >= least, "{} {what} are fewer than {least}", cases.len());
    let (ours, answers) = (original::ours(cases)?, original::answers(cases)?);
    let mut used = Vec::new();
    let mut wrong: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for ((case, ours), theirs) in cases.iter().zip(ours).zip(answers) {
        let side = match (&ours, &theirs) {
            (Outcome::Value(a), Outcome::Value(b)) if case.same(a, b) => continue,
            (Outcome::Refused(why), _) if case.works => Err(format!("REFUSED {why}")),
            (Outcome::Refused(_), Outcome::Refused(_)) => continue,
            (Outcome::Value(_), Outcome::Value(_)) => Err("OTHER VALUE".to_owned()),
            (Outcome::Refused(why), _) => {
                differences::listed(Side::Ours, case, why).ok_or_else(|| format!("OURS {why}"))
            }
            (_, Outcome::Refused(why)) => {
                differences::listed(Side::Theirs, case, why).ok_or_else(|| format!("THEIRS {why}"))
            }
        };
        match side {
            Ok(id) => used.push(id),
            Err(why) => {
                if !case.id.is_empty() {
                    found.entry(case.id).or_default().push(&case.text);
                }
                let kind = format!("{} {}", case.engine, differences::placeless(&why));
                let seen = wrong
                    .entry(kind)
                    .or_insert((0, format!("{case:?}\n    ours {ours:?}\n    theirs {theirs:?}")));
                seen.0 += 1;
            }
        }
    }
    let all: Vec<String> =
        wrong.iter().map(|(kind, (count, first))| format!("{count} × {kind}\n    {first}")).collect();
    let ids: Vec<String> = found
        .iter()
        .map(|(id, texts)| format!("{id}: {} cases differ, such as {:?}", texts.len(), texts[0]))
        .collect();
    ensure!(
        wrong.is_empty(),
        "{} kinds of differences in {what}:\n{}\n{}",
        all.len(),
        all.join("\n"),
        ids.join("\n")
    );
    used.sort_unstable();
    used.dedup();
    Ok(used)
}

#[test]
fn what_is_written_down_means_the_same() -> Result<()> {
    let corpora = [
        ("templates", templates::cases(), 600),
        ("conditions", conditions::cases(), 400),
        ("paths", paths::cases(), 250),
        ("durations, quantities, intervals and fields", small::cases(), 150),
        ("what was found", found::cases(), 100),
        ("what is documented", documented::cases()?, 400),
    ];
    let (mut used, mut wrong) = (Vec::new(), Vec::new());
    for (what, cases, least) in corpora {
        match play(what, &cases, least) {
            Ok(some) => used.extend(some),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    let idle: Vec<&str> = ALL.iter().map(|known| known.id).filter(|id| !used.contains(id)).collect();
    ensure!(idle.is_empty(), "no case shows these differences any more: {idle:?}");
    Ok(())
}

#[test]
fn what_is_generated_means_the_same() -> Result<()> {
    let number =
        |name: &str, instead| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(instead);
    let (count, seed) = (number("SERIN_ENGINES_CASES", CASES), number("SERIN_ENGINES_SEED", 1));
    let mut wrong = Vec::new();
    for (what, one) in generated::ENGINES {
        let mut random = generated::Random::new(seed as u64);
        let mut left = count;
        while left > 0 {
            let some = left.min(10_000);
            let cases: Vec<Case> = (0..some).flat_map(|_| one(&mut random)).collect();
            wrong.extend(play(&format!("generated {what} (seed {seed})"), &cases, 1).err());
            left -= some;
        }
    }
    let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn every_finding_has_a_case() -> Result<()> {
    let cases = found::cases();
    for id in found::IDS {
        ensure!(cases.iter().any(|case| case.id == id), "there is no case of {id}");
    }
    ensure!(cases.iter().all(|case| found::IDS.contains(&case.id)), "an id is not listed");
    Ok(())
}

#[test]
fn every_difference_is_documented() -> Result<()> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/engines.md"))?;
    for known in ALL {
        ensure!(
            page.contains(&format!("| `{}` |", known.id)),
            "docs/engines.md lacks a row for {}",
            known.id
        );
    }
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    ensure!(rows == ALL.len(), "docs/engines.md has {rows} rows for {} differences", ALL.len());
    Ok(())
}
