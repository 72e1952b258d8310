//! An unfinished Canary, with its other objects.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{
    input::{Input, meta, together},
    times,
};

/// Longest interval between checks. Used if nothing asks for a shorter one.
const MINUTE: Duration = Duration::from_secs(60);
/// Shortest interval.
const SECOND: Duration = Duration::from_secs(1);

/// An unfinished Canary.
pub(super) struct Draft<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) rollout: &'a Value,
    /// The Service that users call.
    pub(super) apex: String,
    /// The former name of the Service of the new version, if it gets a new name.
    pub(super) renamed: Option<String>,
    pub(super) spec: Map<String, Value>,
    pub(super) service: Map<String, Value>,
    pub(super) analysis: Map<String, Value>,
    pub(super) metrics: Vec<Value>,
    /// MetricTemplates and workloads.
    pub(super) objects: Vec<Value>,
    /// Input objects that the results replace.
    pub(super) replaced: Vec<Value>,
    /// One more than the failed checks that the metrics' own limits allow.
    pub(super) failures: i64,
    /// Intervals that metrics and pauses ask for.
    pub(super) times: Vec<Duration>,
    /// There is an autoscaler.
    pub(super) scaled: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn new(input: &'a Input<'a>, rollout: &'a Value) -> Self {
        Self {
            input,
            rollout,
            apex: meta(rollout, "name").to_owned(),
            renamed: None,
            spec: Map::new(),
            service: Map::new(),
            analysis: Map::new(),
            metrics: vec![],
            objects: vec![],
            replaced: vec![],
            failures: 0,
            times: vec![],
            scaled: false,
        }
    }

    /// Metadata of another object in the namespace of the Rollout.
    pub(super) fn metadata(&self, name: &str) -> Value {
        match meta(self.rollout, "namespace") {
            "" => json!({"name": name}),
            namespace => json!({"name": name, "namespace": namespace}),
        }
    }

    /// The Service of the new version.
    pub(super) fn canary_service(&self) -> String {
        format!("{}-canary", self.apex)
    }

    /// The text with the new name of the Service of the new version. None: the text does not contain the name.
    pub(super) fn renamed_in(&self, text: &str) -> Option<String> {
        let former = self.renamed.as_deref()?;
        let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let (mut said, mut rest, mut found) = (String::new(), text, false);
        while let Some(at) = rest.find(former) {
            let (before, after) = (&rest[..at], &rest[at + former.len()..]);
            let whole = !before.ends_with(part) && !after.starts_with(part);
            found |= whole;
            said.push_str(before);
            said.push_str(if whole { &self.apex } else { former });
            said.push_str(if whole { "-canary" } else { "" });
            rest = after;
        }
        said.push_str(rest);
        found.then_some(said)
    }

    /// The time between checks: the shortest interval that anything asks for.
    pub(super) fn interval(&self) -> String {
        let shortest = self.times.iter().copied().filter(|time| !time.is_zero()).min();
        times::written(shortest.unwrap_or(MINUTE).clamp(SECOND, MINUTE))
    }

    /// Replaces an object of the input.
    pub(super) fn replace(&mut self, object: &Value, by: Option<Value>) {
        if !self.replaced.contains(object) {
            self.replaced.push(object.clone());
            self.objects.extend(by);
        }
    }

    /// An input object in the namespace of the Rollout.
    pub(super) fn given(&self, kind: &str, name: &str) -> Option<&'a Value> {
        self.input.beside(self.rollout, kind, name)
    }

    /// Adds a MetricTemplate. It gets another name if the name is taken.
    pub(super) fn template(&mut self, name: &str, spec: &Value) -> String {
        let mut free = name.to_owned();
        for number in 2..=100 {
            let has = |object: &&Value| {
                object["kind"] == "MetricTemplate"
                    && meta(object, "name") == free
                    && together(object, self.rollout)
            };
            match self.objects.iter().find(has) {
                None => break,
                Some(same) if same["spec"] == *spec => return free,
                Some(_) => free = format!("{name}-{number}"),
            }
        }
        self.objects.push(json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate",
            "metadata": self.metadata(&free), "spec": spec,
        }));
        free
    }
}

/// A valid object name.
pub(super) fn object_name(text: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.chars().map(fit).take(200).collect();
    name.trim_matches('-').to_owned()
}
