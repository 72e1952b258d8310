//! How urgent the work on each Canary is, from its status: kept beside the objects, so that it is known before the
//! Canary is read.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    api::request::Request,
    names::{self, conditions},
};

/// How urgent the work on a Canary is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Its run is being ended, or it has a request without an answer.
    pub(crate) pressing: bool,
    /// It has a run.
    pub(crate) runs: bool,
    /// When its next check is due.
    pub(crate) next_check: Option<Timestamp>,
    /// Since when its revision has waited for other runs to end.
    pub(crate) queued: Option<Timestamp>,
}

impl Standing {
    pub(super) fn of(canary: &Value) -> Self {
        let status = &canary["status"];
        let asked = canary["metadata"]["annotations"][names::ANNOTATION_REQUEST].as_str();
        let asked = asked.and_then(|text| Request::parse(text).ok());
        let mut told = status["conditions"].as_array().into_iter().flatten();
        let queued = told.find(|c| c["type"] == conditions::QUEUED && c["status"] == "True");
        let unanswered = asked.is_some_and(|request| status["request"]["id"] != request.id.as_str());
        Self {
            pressing: status["run"]["ending"].is_object() || unanswered,
            runs: status["run"].is_object(),
            next_check: status["nextCheck"].as_str().and_then(|time| time.parse().ok()),
            queued: queued.and_then(|c| c["lastTransitionTime"].as_str()?.parse().ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        observe::ObjectCache,
        snapshot::{CANARY, Key},
    };

    #[test]
    fn a_run_that_ends_and_a_request_without_an_answer_are_pressing() {
        let cache = ObjectCache::default();
        let key: Key = ("n".into(), "app".into());
        let mut version = 0;
        let mut standing = |request: &str, status: Value| {
            version += 1;
            let meta = json!({
                "name": "app", "namespace": "n", "resourceVersion": version.to_string(),
                "annotations": {names::ANNOTATION_REQUEST: request},
            });
            let spec = json!({"targetRef": {"name": "app"}});
            cache.insert(CANARY, json!({"metadata": meta, "spec": spec, "status": status}));
            cache.standing(&key)
        };
        assert_eq!(standing("", Value::Null), Standing::default());
        let next = "2026-01-01T00:00:10.000000Z";
        let runs = standing("", json!({"run": {"number": 1}, "nextCheck": next}));
        assert_eq!((runs.pressing, runs.runs, runs.next_check), (false, true, next.parse().ok()));
        assert!(standing("", json!({"run": {"number": 1, "ending": {"reason": "x"}}})).pressing);
        let queued = json!({"type": "Queued", "status": "True", "lastTransitionTime": next});
        assert_eq!(standing("", json!({"conditions": [queued]})).queued, next.parse().ok());
        assert!(standing("abort/1", json!({"run": {}})).pressing);
        assert!(!standing("abort/1", json!({"run": {}, "request": {"id": "1"}})).pressing);
        assert!(standing("abort/2", json!({"run": {}, "request": {"id": "1"}})).pressing);
    }
}
