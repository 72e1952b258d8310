//! The number of API calls of a Canary behind each router, counted on the model: status, objects, records and Events.

use anyhow::{Context as _, Result, ensure};

/// Calls in each stage of a life: initialisation, a promoted run, a rolled back run, the deletion.
pub(crate) type Calls = [usize; 4];

/// The calls of each router. Commit 5d73f992, before hand-overs were put in order, took as many, but one less to delete a
/// Canary behind Kuma; it had no Knative.
const TAKEN: &[(&str, Calls)] = &[
    ("istio", [16, 27, 23, 16]),
    ("gatewayapi:v1", [14, 27, 23, 16]),
    ("gatewayapi:v1beta1", [14, 27, 23, 16]),
    ("contour", [14, 27, 23, 16]),
    ("traefik", [14, 27, 23, 14]),
    ("kubernetes", [13, 21, 21, 12]),
    ("nginx", [14, 27, 23, 14]),
    ("skipper", [14, 27, 23, 14]),
    ("apisix", [14, 27, 23, 15]),
    ("gloo", [16, 27, 23, 16]),
    ("kuma", [14, 27, 23, 15]),
    ("linkerd", [14, 27, 23, 14]),
    ("knative", [9, 24, 21, 8]),
];

/// The number of calls in these log lines: each action, each Event, and each group of changes to the status.
pub(crate) fn of(log: &[String]) -> usize {
    let words: Vec<&str> =
        log.iter().map(|line| line.split_whitespace().next().unwrap_or_default()).collect();
    let one = ["create", "copy", "patch", "scale", "delete", "write", "record", "say"];
    let acts = words.iter().filter(|word| one.contains(word)).count();
    let begins = |at: usize| words[at] == "status" && (at == 0 || words[at - 1] != "status");
    acts + (0..words.len()).filter(|at| begins(*at)).count()
}

/// No stage of a life needs more calls than before.
pub(crate) fn no_more(provider: &str, now: Calls) -> Result<()> {
    let taken = TAKEN.iter().find(|(name, _)| *name == provider).context("it has no row in TAKEN")?.1;
    let within = now.iter().zip(taken).all(|(now, taken)| *now <= taken);
    ensure!(within, "{now:?} calls in place of {taken:?}: setting up, promoted, rolled back, deleted");
    Ok(())
}
