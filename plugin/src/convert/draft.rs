//! A Canary in the making, with what belongs to it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{
    input::{Input, meta, together},
    times,
};

/// Longest time between checks where nothing asks for another.
const MINUTE: Duration = Duration::from_secs(60);
/// Shortest.
const SECOND: Duration = Duration::from_secs(1);

/// A Canary in the making.
pub(super) struct Draft<'a> {
    pub(super) input: &'a Input<'a>,
    pub(super) rollout: &'a Value,
    /// The Service that users call.
    pub(super) apex: String,
    /// The former name of the Service of the new version, where it gets another.
    pub(super) renamed: Option<String>,
    pub(super) spec: Map<String, Value>,
    pub(super) service: Map<String, Value>,
    pub(super) analysis: Map<String, Value>,
    pub(super) metrics: Vec<Value>,
    /// MetricTemplates and workloads.
    pub(super) objects: Vec<Value>,
    /// Objects of the input that these take the place of.
    pub(super) replaced: Vec<Value>,
    /// Failed checks that the metrics' own limits leave room for, and one more.
    pub(super) failures: i64,
    /// Times that something wants to be looked at after.
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

    /// Metadata of an object beside the Rollout.
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

    /// A text with the Service of the new version under its new name; none: it does not name it.
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

    /// The time between checks: the shortest that anything asks for.
    pub(super) fn interval(&self) -> String {
        let shortest = self.times.iter().copied().filter(|time| !time.is_zero()).min();
        times::written(shortest.unwrap_or(MINUTE).clamp(SECOND, MINUTE))
    }

    /// Takes the place of an object of the input.
    pub(super) fn replace(&mut self, object: &Value, by: Option<Value>) {
        if !self.replaced.contains(object) {
            self.replaced.push(object.clone());
            self.objects.extend(by);
        }
    }

    /// An object of the input beside the Rollout, as it has become so far.
    pub(super) fn given(&self, kind: &str, name: &str) -> Option<&'a Value> {
        self.input.beside(self.rollout, kind, name)
    }

    /// Adds a MetricTemplate, under a name of its own if another one has it.
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

/// A name that an object may have.
pub(super) fn object_name(text: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.chars().map(fit).take(200).collect();
    name.trim_matches('-').to_owned()
}
