//! PURE. Converts objects of Argo Rollouts to Serin's, and lists everything that has no counterpart, is refused or
//! behaves differently.
//!
//! [`table`] states the treatment of each field of the two schemas, and reports the fields without a counterpart. The
//! other modules convert the rest. A Rollout with a refused field is not converted at all: a release that lacks one of
//! its checks would be worse than no release.

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

/// The result for all objects.
#[derive(Clone, Debug, Default)]
pub struct Conversion {
    /// Objects to apply, in the order in which to apply them.
    pub objects: Vec<Value>,
    /// Notes about them.
    pub notes: Vec<Note>,
    /// Files that cannot be read, with the reason.
    pub unreadable: Vec<String>,
    /// The number of Rollouts.
    pub rollouts: usize,
}

impl Conversion {
    /// The number of notes of this level.
    pub fn count(&self, level: Level) -> usize {
        self.notes.iter().filter(|note| note.level == level).count()
    }
}

/// Converts all Rollouts of the files, with the objects that belong to them. Unrelated objects stay unchanged.
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

/// Removes duplicates of objects that two Rollouts share, and reports those that differ.
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

/// The result of the operator's own validation.
fn checked(objects: &[Value]) -> Vec<Note> {
    let list = serde_json::json!({"kind": "List", "items": objects});
    let source = Source { name: "result".into(), text: list.to_string() };
    // the user's other Canaries are not from the conversion, but would also fail
    let report = lint::lint(&[source], &["SER0301".into()]);
    let note = |finding: &lint::Finding| Note {
        level: if finding.level == lint::Level::Error { Level::Refused } else { Level::Differs },
        object: finding.object.clone(),
        field: String::new(),
        text: format!("{}: {}", finding.code, finding.message),
    };
    report.findings.iter().map(note).collect()
}

/// Templates and workloads come before the Canaries that refer to them.
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
