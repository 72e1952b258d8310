//! The input objects, and which of them belong to a Rollout.

use serde_json::Value;

use crate::lint::title;

use super::{
    converted::Converted,
    notes::{Level, Note},
};

/// All objects.
pub(super) struct Input<'a> {
    all: &'a [Value],
}

/// The object has one of Argo Rollouts' own kinds.
pub(super) fn is_argo(object: &Value) -> bool {
    object["apiVersion"].as_str().is_some_and(|version| version.starts_with("argoproj.io/"))
        && ["Rollout", "AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun", "Experiment"]
            .contains(&object["kind"].as_str().unwrap_or_default())
}

/// A text field of the metadata. Empty if it is absent.
pub(super) fn meta<'o>(object: &'o Value, field: &str) -> &'o str {
    object["metadata"][field].as_str().unwrap_or_default()
}

/// The objects are in the same namespace. A chart's objects have no namespace before the chart is installed.
pub(super) fn together(a: &Value, b: &Value) -> bool {
    let (a, b) = (meta(a, "namespace"), meta(b, "namespace"));
    a == b || a.is_empty() || b.is_empty()
}

impl<'a> Input<'a> {
    pub(super) fn new(all: &'a [Value]) -> Self {
        Self { all }
    }

    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &'a Value> {
        let own = ["Rollout", "AnalysisTemplate", "ClusterAnalysisTemplate"].contains(&kind);
        let kind = kind.to_owned();
        self.all.iter().filter(move |object| object["kind"] == kind.as_str() && (!own || is_argo(object)))
    }

    /// The object of this kind and name in the namespace of another object.
    pub(super) fn beside(&self, other: &Value, kind: &str, name: &str) -> Option<&'a Value> {
        self.of_kind(kind).find(|object| meta(object, "name") == name && together(object, other))
    }

    /// The template that an analysis refers to.
    pub(super) fn template(&self, rollout: &Value, reference: &Value) -> Option<&'a Value> {
        let name = reference["templateName"].as_str().unwrap_or_default();
        if reference["clusterScope"] == true {
            return self.of_kind("ClusterAnalysisTemplate").find(|object| meta(object, "name") == name);
        }
        self.beside(rollout, "AnalysisTemplate", name)
    }

    /// Autoscalers of the Rollout.
    pub(super) fn scalers(&self, rollout: &Value) -> impl Iterator<Item = &'a Value> {
        let (rollout, all) = (rollout.clone(), self.all);
        all.iter().filter(move |object| {
            let target = &object["spec"]["scaleTargetRef"];
            ["HorizontalPodAutoscaler", "ScaledObject"].iter().any(|kind| object["kind"] == *kind)
                && target["kind"] == "Rollout"
                && target["name"] == rollout["metadata"]["name"]
                && together(object, &rollout)
        })
    }

    /// Objects of Argo Rollouts' kinds that were not converted.
    pub(super) fn leftovers(&self, results: &[Converted]) -> Vec<Note> {
        let used = |object: &Value| results.iter().any(|converted| converted.replaces(object));
        let rest = self.all.iter().filter(|o| is_argo(o) && o["kind"] != "Rollout" && !used(o));
        let note = |object: &Value| {
            let text = match object["kind"].as_str().unwrap_or_default() {
                "AnalysisRun" => "records are made anew, as CanaryRuns",
                "Experiment" => "there are no experiments",
                _ => "no Rollout of these files that was converted uses it",
            };
            Note { level: Level::LeftOut, object: title(object), field: String::new(), text: text.into() }
        };
        rest.map(note).collect()
    }
}
