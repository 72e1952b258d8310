//! Records of runs. There are many, and most are never read: of a closed one only the outcome is kept.

use serde_json::{Value, json};

use crate::api::RunPhase;

pub(super) fn drop_closed(record: &mut Value) {
    let phase = serde_json::from_value::<RunPhase>(record["status"]["phase"].clone()).unwrap_or_default();
    if phase.ended() {
        record["spec"] = json!({"number": record["spec"]["number"]});
        record["status"] = json!({"phase": phase});
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_open_records_are_kept_whole() {
        let record = |phase: &str| {
            json!({
                "metadata": {"name": "a-1"}, "spec": {"number": 1, "canary": "a"},
                "status": {"phase": phase, "measurements": [{"metric": "m"}]},
            })
        };
        let mut open = record("Running");
        drop_closed(&mut open);
        assert_eq!(open, record("Running"));
        let mut closed = record("RolledBack");
        drop_closed(&mut closed);
        assert_eq!(closed["spec"], json!({"number": 1}));
        assert_eq!(closed["status"], json!({"phase": "RolledBack"}));
    }
}
