//! PURE. Objects of Argo Rollouts as those of Serin, with a list of what has no counterpart, is refused or behaves in another way.
//!
//! [`table`] says of each field of the two schemas what becomes of it, and names those without a counterpart by itself; the
//! other modules convert the rest. A Rollout of which something is refused is not converted at all: a release without one
//! of its checks would be worse than none.

mod arguments;
mod blue_green;
mod condition;
mod converted;
mod draft;
mod gateway;
mod input;
mod istio;
mod metrics;
mod notes;
mod pods;
mod provider;
mod rollout;
mod route;
mod service;
mod steps;
mod table;
mod times;

pub use notes::{Level, Note};

use serde_json::Value;

use self::{converted::Converted, input::Input, notes::Notes, table::Kind};
use crate::lint::{self, Source};

/// What became of all objects.
#[derive(Clone, Debug, Default)]
pub struct Conversion {
    /// Objects to apply, in the order in which they may be.
    pub objects: Vec<Value>,
    /// What is to be known about them.
    pub notes: Vec<Note>,
    /// Files, with why they cannot be read.
    pub unreadable: Vec<String>,
    /// How many Rollouts there were.
    pub rollouts: usize,
}

impl Conversion {
    /// How many notes are of this level.
    pub fn count(&self, level: Level) -> usize {
        self.notes.iter().filter(|note| note.level == level).count()
    }
}

/// Converts all Rollouts of the files, with what belongs to them. What has nothing to do with one stays as it is.
pub fn argo(sources: &[Source]) -> Conversion {
    let mut done = Conversion::default();
    let mut all = Vec::new();
    for source in sources {
        match lint::objects(source) {
            Ok(objects) => all.extend(objects),
            Err(unreadable) => done.unreadable.push(unreadable),
        }
    }
    let input = Input::new(&all);
    let mut results: Vec<Converted> = Vec::new();
    for rollout in input.of_kind("Rollout") {
        done.rollouts += 1;
        let mut notes = Notes::of(rollout);
        table::walk(Kind::Rollout, rollout, &mut notes);
        let converted = rollout::convert(&input, rollout, &mut notes);
        results.extend(converted.filter(|_| !notes.refused()));
        done.notes.extend(notes.take());
    }
    done.notes.extend(input.leftovers(&results));
    let made: Vec<Value> = results.iter().flat_map(|converted| converted.objects.iter().cloned()).collect();
    let kept = all.iter().filter(|object| !input::is_argo(object));
    let kept = kept.filter(|object| results.iter().all(|converted| !converted.replaces(object))).cloned();
    done.objects = kept.chain(made).collect();
    done.objects.sort_by_key(order);
    done.notes.extend(unique(&mut done.objects));
    done.notes.extend(checked(&done.objects));
    done
}

/// Leaves one of each that two Rollouts made alike, and names those that they made in two ways.
fn unique(objects: &mut Vec<Value>) -> Vec<Note> {
    let mut kept: Vec<Value> = Vec::new();
    let mut notes = Vec::new();
    for object in objects.drain(..) {
        let same = |other: &&Value| {
            ["name", "namespace"].iter().all(|f| other["metadata"][*f] == object["metadata"][*f])
                && other["kind"] == object["kind"]
        };
        match kept.iter().find(same) {
            Some(other) if *other == object => {}
            Some(_) if object["kind"] == "MetricTemplate" => notes.push(Note {
                level: Level::Refused,
                object: lint::title(&object),
                field: String::new(),
                text: "two Rollouts need it in two forms: convert them one by one, and rename one".into(),
            }),
            _ => kept.push(object),
        }
    }
    *objects = kept;
    notes
}

/// What the operator's own validation says of the result.
fn checked(objects: &[Value]) -> Vec<Note> {
    let list = serde_json::json!({"kind": "List", "items": objects});
    let source = Source { name: "result".into(), text: list.to_string() };
    // the Canaries of the user are not ours, but would fail as well
    let report = lint::lint(&[source], &["SER0301".into()]);
    let note = |finding: &lint::Finding| Note {
        level: if finding.level == lint::Level::Error { Level::Refused } else { Level::Differs },
        object: finding.object.clone(),
        field: String::new(),
        text: format!("{}: {}", finding.code, finding.message),
    };
    report.findings.iter().map(note).collect()
}

/// Templates and workloads before the Canaries that refer to them.
fn order(object: &Value) -> u8 {
    match object["kind"].as_str().unwrap_or_default() {
        "Namespace" => 0,
        "MetricTemplate" => 2,
        "Canary" => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
