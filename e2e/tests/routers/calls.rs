//! What a Canary costs the API server behind each router, counted on the model: status, objects, records and Events.

use anyhow::{Result, ensure};

/// Calls of each stage of a life: setting up, a run to promotion, one that is rolled back, the deletion.
pub(crate) type Calls = [usize; 4];

/// What each router took before hand-overs had an order of their own.
const BEFORE: &[(&str, Calls)] = &[];

/// Calls that these lines of a log tell of: each action, each Event, and each row of changes to the status.
pub(crate) fn of(log: &[String]) -> usize {
    let word = |line: &String| line.split_whitespace().next().unwrap_or_default().to_owned();
    let words: Vec<String> = log.iter().map(word).collect();
    let one = ["create", "copy", "patch", "scale", "delete", "write", "record", "say"];
    let acts = words.iter().filter(|word| one.contains(&word.as_str())).count();
    let begins = |at: usize| words[at] == "status" && (at == 0 || words[at - 1] != "status");
    acts + (0..words.len()).filter(|at| begins(*at)).count()
}

/// No stage of a life takes more than one call above what it took.
pub(crate) fn no_dearer(provider: &str, now: Calls) -> Result<()> {
    let before = BEFORE.iter().find(|(name, _)| *name == provider).map(|(_, calls)| *calls);
    let within = before.is_some_and(|before| now.iter().zip(before).all(|(now, before)| *now <= before + 1));
    ensure!(within, "calls of {provider}: {now:?}, before {before:?}");
    Ok(())
}
