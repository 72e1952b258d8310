//! `trafficDistribution` of the Services: as the Canary says while it says so, and as before once it is taken out.

use serde_json::{Value, json};

use crate::{
    manifest::{adopted_service as adopted, json as get, marks::annotation},
    names::ANNOTATION_DISTRIBUTION,
    spec::Validated,
};

/// Sets the field in `body`, or takes it back if it is still the one that was set.
pub(super) fn follow(c: &Validated, body: &mut Value, live: Option<&Value>) {
    let field = ["spec", "trafficDistribution"];
    let note = ["metadata", "annotations", ANNOTATION_DISTRIBUTION];
    if let Some(given) = c.service.traffic_distribution.as_ref().filter(|given| !given.is_empty()) {
        get::set(body, &field, json!(given));
        get::set(body, &note, json!(given));
        return;
    }
    let Some(live) = live.filter(|live| annotation(live, ANNOTATION_DISTRIBUTION).is_some()) else { return };
    get::set(body, &note, Value::Null);
    if adopted::distribution_is_ours(live) {
        get::set(body, &field, adopted::recorded_original(c, live)["trafficDistribution"].clone());
    }
}
