//! PURE. All that the page shows of one Canary, as one document: the views that `get` and `history` print, the sentences of
//! `explain`, and what each verb leads to, with its command.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    command::{history::runs, request::effect},
    screen::{Term, sentences},
    view::{CanaryView, Facts, canary},
};

/// The document. `flags` are those that every command needs to reach the same cluster.
pub(super) fn document(facts: &Facts, flags: &str, now: Timestamp) -> Value {
    let view = canary(facts, now);
    let mut runs = runs(facts, now);
    // of older runs the rest is read when it is looked at
    for run in runs.iter_mut().skip(1) {
        run.measurements.clear();
        run.hooks.clear();
    }
    json!({
        "explanation": explanation(&view, now),
        "verbs": verbs(&view, flags),
        "runs": runs,
        "word": view.state.word(&view.phase),
        "canary": view,
    })
}

/// What `explain` says of it.
pub(super) fn explanation(view: &CanaryView, now: Timestamp) -> String {
    sentences(view, now, &Term { width: Term::ENDLESS, colour: false, ascii: false })
}

/// What can be asked for, what it leads to, and the command that asks for the same.
pub(super) fn verbs(view: &CanaryView, flags: &str) -> Value {
    let gate = view.waiting_for.as_ref().and_then(|waits| waits.name.as_deref());
    let all = view.actions.iter().map(|action| {
        json!({
            "verb": action.verb,
            "allowed": action.allowed,
            "why": action.why,
            "effect": effect(view, action.verb, gate),
            "command": command(view, action.verb, flags),
        })
    });
    Value::Array(all.collect())
}

/// The command of a verb.
pub(super) fn command(view: &CanaryView, verb: &str, flags: &str) -> String {
    format!("kubectl canary {verb} {} -n {}{flags}", view.name, view.namespace)
}

/// Tells documents apart whatever the time is.
pub(super) fn fingerprint(facts: &Facts, flags: &str) -> String {
    let mut hasher = DefaultHasher::new();
    document(facts, flags, Timestamp::UNIX_EPOCH).to_string().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
