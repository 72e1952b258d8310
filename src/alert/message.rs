//! PURE. The content of an alert, independent of the format it is sent in.

use crate::{
    api::{Canary, CanaryStatus, Phase},
    plan::{Alert, Note, Urgency},
};

/// Seconds without progress before a run's deadline, unless the Canary sets it; Flagger's default.
const DEADLINE: i64 = 600;

/// An alert about a Canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Name of the Canary.
    pub(super) canary: String,
    /// Its namespace.
    pub(super) namespace: String,
    /// The same for the same alert about the same run.
    pub(super) id: String,
    /// The reason of the note.
    pub(super) reason: &'static str,
    /// How urgent it is.
    pub(super) urgency: Urgency,
    /// The sentence.
    pub(super) text: String,
    /// Additional facts, as pairs of a title and a value.
    pub(super) fields: Vec<(String, String)>,
    /// Phase of the Canary.
    pub(super) phase: Phase,
    /// Percent of the traffic that goes to the canary.
    pub(super) weight: i32,
}

impl Message {
    /// The alert of a note. `cluster` may be empty.
    pub(super) fn of(
        canary: &Canary,
        status: &CanaryStatus,
        note: &Note,
        alert: &Alert,
        cluster: &str,
    ) -> Self {
        let meta = &canary.metadata;
        let (name, namespace) =
            (meta.name.clone().unwrap_or_default(), meta.namespace.clone().unwrap_or_default());
        let mut fields = Vec::new();
        if !cluster.is_empty() {
            fields.push(("Cluster".to_owned(), cluster.to_owned()));
        }
        if alert.details {
            fields.extend(details(canary, &namespace));
        }
        let uid = meta.uid.as_deref().unwrap_or_default();
        let what = alert.once(note.reason, status);
        Self {
            id: format!("{uid}/{}/{what}", status.epoch),
            canary: name,
            namespace,
            reason: note.reason,
            urgency: alert.urgency,
            text: alert.message.clone(),
            fields,
            phase: status.phase.unwrap_or_default(),
            weight: status.canary_weight,
        }
    }

    /// Approximate memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        let fields = self.fields.iter().map(|(title, value)| title.len() + value.len()).sum::<usize>();
        self.canary.len() + self.namespace.len() + self.id.len() + self.text.len() + fields
    }

    /// `<canary>.<namespace>`.
    pub(super) fn about(&self) -> String {
        format!("{}.{}", self.canary, self.namespace)
    }
}

/// Flagger's facts about a Canary.
fn details(canary: &Canary, namespace: &str) -> Vec<(String, String)> {
    let target = &canary.spec.target_ref;
    let deadline = canary.spec.progress_deadline_seconds.map_or(DEADLINE, i64::from);
    let mut all = vec![("Target", format!("{}/{}.{namespace}", target.kind, target.name))];
    if let Some(analysis) = canary.analysis() {
        all.push(("Failed checks threshold", analysis.threshold.unwrap_or_default().to_string()));
    }
    all.push(("Progress deadline", format!("{deadline}s")));
    all.extend(routing(canary).map(|text| ("Traffic routing", text)));
    all.into_iter().map(|(title, value)| (title.to_owned(), value)).collect()
}

fn routing(canary: &Canary) -> Option<String> {
    let analysis = canary.analysis()?;
    let weights: Vec<i32> = if analysis.steps.is_empty() {
        analysis.step_weights.clone()
    } else {
        analysis.steps.iter().map(|step| step.weight).collect()
    };
    let max = analysis.max_weight.unwrap_or(100);
    if !weights.is_empty() {
        let list: Vec<_> = weights.iter().map(ToString::to_string).collect();
        return Some(format!("Weight steps: {} max: {max}", list.join(",")));
    }
    if let Some(step) = analysis.step_weight.filter(|w| *w > 0) {
        return Some(format!("Weight step: {step} max: {max}"));
    }
    if !analysis.match_.is_empty() {
        return Some("A/B Testing".to_owned());
    }
    analysis.iterations.filter(|n| *n > 0).map(|_| "Blue/Green".to_owned())
}
