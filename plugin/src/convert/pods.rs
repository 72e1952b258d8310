//! How pods are started and stopped.

use serde_json::{Map, Value, json};

use super::{draft::Draft, notes::Notes, times};

/// How long pods keep running after their traffic has moved away.
pub(super) fn delay(draft: &mut Draft<'_>, own: &Value, at: &str, notes: &mut Notes) {
    let times: Vec<_> = ["scaleDownDelaySeconds", "abortScaleDownDelaySeconds"]
        .iter()
        .filter_map(|field| times::read(&own[*field]))
        .collect();
    let Some(longest) = times.iter().max() else { return };
    let all: Vec<String> = times.iter().map(|time| times::written(*time)).collect();
    draft.spec.insert("canaryScaleDownDelay".into(), json!(times::written(*longest)));
    notes.differs(
        format!("{at}.scaleDownDelaySeconds"),
        format!(
            "spec.canaryScaleDownDelay is one for promotions and rollbacks, {} of {}: the target keeps its pods for so long after its traffic has left it",
            times::written(*longest),
            all.join(" and ")
        ),
    );
}

/// Surge and unavailability, as in a Deployment.
pub(super) fn rolling(draft: &mut Draft<'_>, own: &Value) {
    let mut rolling = Map::new();
    for field in ["maxSurge", "maxUnavailable"] {
        if !own[field].is_null() {
            rolling.insert(field.into(), own[field].clone());
        }
    }
    if let Some(deployment) = draft.objects.iter_mut().find(|object| object["kind"] == "Deployment") {
        deployment["spec"]["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate": rolling});
    }
}

pub(super) fn threshold(draft: &mut Draft<'_>, own: &Value, at: &str, notes: &mut Notes) {
    match (own["type"].as_str(), own["value"].as_i64()) {
        (Some("Percentage"), Some(percent)) => {
            draft.analysis.insert("canaryReadyThreshold".into(), json!(percent));
        }
        (type_, value) => notes.left_out(
            at,
            format!(
                "{} {}: only a percentage has a counterpart, spec.analysis.canaryReadyThreshold",
                type_.unwrap_or("?"),
                value.unwrap_or(0)
            ),
        ),
    }
}
