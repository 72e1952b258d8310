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

/// The id of the allowed difference between two results; none if they agree.
fn compared(case: &Case, ours: &Outcome, theirs: &Outcome) -> Result<Option<&'static str>, String> {
    let strict = case.strict && !is_condition(case);
    let allowed = |side, why: &str| {
        let listed = differences::listed(side, case, why).filter(|_| !strict);
        listed.map(Some).ok_or_else(|| format!("{side:?} {why}"))
    };
    match (ours, theirs) {
        (Outcome::Value(a), Outcome::Value(b)) if case.same(a, b) => Ok(None),
        (Outcome::Refused(why), _) if case.works => Err(format!("REFUSED {why}")),
        (Outcome::Refused(_), Outcome::Refused(_)) => Ok(None),
        (Outcome::Value(_), Outcome::Value(_)) => Err("OTHER VALUE".to_owned()),
        (Outcome::Late, _) => Err("Ours is late".to_owned()),
        // a refusal keeps its reason, whatever the other would say
        (Outcome::Refused(why), _) => allowed(Side::Ours, why),
        (_, Outcome::Refused(why)) => allowed(Side::Theirs, why),
        (_, Outcome::Late) => Err("Theirs is late".to_owned()),
    }
}

fn is_condition(case: &Case) -> bool {
    ["expr", "cel"].contains(&case.engine)
}

/// The strict conditions about which neither of the two originals agrees.
fn alone<'c>(cases: &'c [Case], agreed: &[bool]) -> Vec<&'c Case> {
    let pairs = cases.windows(2).zip(agreed.windows(2));
    let alone = pairs.filter(|(cases, agreed)| {
        cases[0].strict && cases[0].engine == "expr" && is_condition(&cases[1]) && *agreed == [false, false]
    });
    alone.map(|(cases, _)| &cases[0]).collect()
}

/// Runs cases on both sides. There must be at least `least` of them.
fn play(what: &str, cases: &[Case], least: usize) -> Result<Vec<&'static str>> {
    ensure!(cases.len() >= least, "{} {what} are fewer than {least}", cases.len());
    let (ours, answers) = (original::ours(cases)?, original::answers(cases)?);
    let mut used = Vec::new();
    let mut wrong: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut agreed = Vec::with_capacity(cases.len());
    for ((case, ours), theirs) in cases.iter().zip(ours).zip(answers) {
        let difference = compared(case, &ours, &theirs);
        agreed.push(difference == Ok(None));
        match difference {
            Ok(id) => used.extend(id),
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
    for case in alone(cases, &agreed) {
        found.entry(case.id).or_default().push(&case.text);
        wrong.entry("neither original agrees".to_owned()).or_insert((0, format!("{case:?}"))).0 += 1;
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
fn a_finding_that_comes_back_is_no_allowed_difference() -> Result<()> {
    let cases = found::cases();
    for id in found::IDS {
        let strict = cases.iter().any(|case| case.id == id && case.strict);
        ensure!(strict != (id == found::UNDECIDED), "{id} can come back as an allowed difference");
    }
    let value = Outcome::Value("1".to_owned());
    for case in cases.iter().filter(|case| case.strict && !is_condition(case)) {
        for words in ALL.iter().flat_map(|known| known.words) {
            let refused = Outcome::Refused((*words).to_owned());
            for (ours, theirs) in [(&refused, &value), (&value, &refused), (&refused, &Outcome::Late)] {
                ensure!(compared(case, ours, theirs).is_err(), "{case:?}: {ours:?}, {theirs:?}");
            }
        }
    }
    let (here, there) = (cases.iter().position(|case| case.id == "L9"), |agreed| vec![agreed; 2]);
    let pair = &cases[here.unwrap_or_default()..][..2];
    ensure!(alone(pair, &there(false)).len() == 1 && alone(pair, &there(true)).is_empty(), "{pair:?}");
    ensure!(alone(pair, &[false, true]).is_empty() && alone(pair, &[true, false]).is_empty(), "{pair:?}");
    Ok(())
}

#[test]
fn a_case_without_an_answer_in_time_is_given_up() -> Result<()> {
    let text = ["{{ range 100000000000 }}{{ end }}", "{{ target }}", "{{ 1 | 2 }}"];
    let cases: Vec<Case> = text.iter().map(|text| templates::case((*text).to_owned())).collect();
    let said = original::answers_within("2s", &cases)?;
    ensure!(said[0] == Outcome::Late && said[1] == Outcome::Value("podinfo".to_owned()), "{said:?}");
    ensure!(matches!(said[2], Outcome::Refused(_)), "the cases after it have answers: {said:?}");
    let late = cases.iter().cycle().step_by(3).take(5).cloned().collect::<Vec<_>>();
    let said = original::answers_within("100ms", &late);
    ensure!(said.is_err_and(|said| said.to_string().contains("no answer in time")), "they are counted");
    // a refusal of ours for a wrong reason is not hidden by it
    let refused = |why: &str| compared(&cases[0], &Outcome::Refused(why.to_owned()), &Outcome::Late);
    ensure!(refused("more than 20000 steps") == Ok(Some("t-bounds")) && refused("unexpected").is_err());
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
    let lines: Vec<&str> = page.lines().collect();
    for pair in lines.windows(2).filter(|pair| pair[1].starts_with("| `")) {
        ensure!(pair[0].starts_with('|'), "docs/engines.md: this row is in no table: {}", pair[1]);
    }
    let rows = lines.iter().filter(|line| line.starts_with("| `")).count();
    ensure!(rows == ALL.len(), "docs/engines.md has {rows} rows for {} differences", ALL.len());
    Ok(())
}
