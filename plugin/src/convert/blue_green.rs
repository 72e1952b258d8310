//! Blue/green, with an active and a preview Service.

use std::time::Duration;

use serde_json::json;

use super::{
    draft::Draft,
    metrics::{self, Analysis},
    notes::Notes,
    pods, service,
};

/// The path of the strategy.
const AT: &str = "spec.strategy.blueGreen";

/// Converts the strategy.
pub(super) fn convert(draft: &mut Draft<'_>, notes: &mut Notes) {
    let own = &draft.rollout["spec"]["strategy"]["blueGreen"];
    let name = |field: &str| own[field].as_str().unwrap_or_default();
    service::convert(draft, name("activeService"), name("previewService"), notes);
    draft.spec.insert("provider".into(), json!("kubernetes"));
    let mut promotion = json!({"switch": true});
    let seconds = own["autoPromotionSeconds"].as_i64().filter(|seconds| *seconds > 0);
    match (own["autoPromotionEnabled"] == false, seconds) {
        (true, seconds) => {
            promotion["mode"] = json!("manual");
            if seconds.is_some() {
                notes.left_out(
                    format!("{AT}.autoPromotionSeconds"),
                    "Argo Rollouts ignores it where autoPromotionEnabled is false: a person promotes",
                );
            }
        }
        (false, Some(seconds)) => promotion["after"] = json!(format!("{seconds}s")),
        (false, None) => {}
    }
    draft.analysis.insert("iterations".into(), json!(1));
    draft.analysis.insert("promotion".into(), promotion);
    for (field, start) in [("prePromotionAnalysis", 0), ("postPromotionAnalysis", 1)] {
        if own[field].is_object() {
            let analysis = Analysis { value: &own[field], at: format!("{AT}.{field}"), start: Some(start) };
            metrics::add(draft, &analysis, notes);
        }
    }
    pods::delay(draft, own, AT, notes);
    if !own["maxUnavailable"].is_null() {
        pods::rolling(draft, own);
    }
    if draft.times.is_empty() {
        draft.times.push(Duration::from_secs(10));
    }
}
