//! Where a number of replicas comes from, as far as the object shows it.
//!
//! The API server sets 1 if `spec.replicas` is removed from a manifest that Helm 3 or client-side `kubectl apply`
//! sends, and that 1 belongs to the party that sent it. So a 1 alone says nothing; any other number was written by
//! somebody.

use serde_json::{Map, Value, json};

use super::json as get;
use crate::names::ANNOTATION_KUBECTL;

/// The API server's default.
const DEFAULT: i64 = 1;

/// Somebody has set this number on purpose, and did not merely leave it out of a manifest.
pub fn replicas_are_meant(workload: &Value) -> bool {
    let replicas = get::replicas(workload);
    replicas != DEFAULT || applied(workload) == Some(replicas) || owner(workload).is_some()
}

/// The number in the last manifest of `kubectl apply`, unless somebody else has written the number since.
fn applied(workload: &Value) -> Option<i64> {
    let sent = workload["metadata"]["annotations"][ANNOTATION_KUBECTL].as_str()?;
    let mut fields = get::list(&workload["metadata"]["managedFields"]).iter().map(|f| &f["fieldsV1"]);
    let annotated = |fields: &&Value| {
        fields["f:metadata"]["f:annotations"][format!("f:{ANNOTATION_KUBECTL}")].is_object()
    };
    if fields.find(annotated).is_some_and(|fields| !fields["f:spec"]["f:replicas"].is_object()) {
        return None;
    }
    serde_json::from_str::<Value>(sent).ok()?["spec"]["replicas"].as_i64()
}

/// The entry in managedFields of the party that applies the number: removing the number would remove the entry.
fn owner(workload: &Value) -> Option<&Value> {
    let fields = get::list(&workload["metadata"]["managedFields"]).iter();
    let mut owners =
        fields.filter(|f| f["operation"] == "Apply" && f["fieldsV1"]["f:spec"]["f:replicas"].is_object());
    owners.next()
}

/// Of managedFields and of the last manifest of `kubectl apply`, keeps only the parts that show where the number of
/// replicas comes from.
pub fn keep_authors_of_replicas(object: &mut Value) {
    let fields = owner(object).map(|owner| {
        json!([{
            "manager": owner["manager"], "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}},
        }])
    });
    let sent = applied(object).map(|replicas| json!({"spec": {"replicas": replicas}}).to_string());
    let Some(meta) = object["metadata"].as_object_mut() else { return };
    meta.remove("managedFields");
    meta.extend(fields.map(|fields| ("managedFields".to_owned(), fields)));
    if let Some(annotations) = meta.get_mut("annotations").and_then(Value::as_object_mut) {
        replace(annotations, ANNOTATION_KUBECTL, sent);
    }
}

fn replace(annotations: &mut Map<String, Value>, key: &str, value: Option<String>) {
    annotations.remove(key);
    annotations.extend(value.map(|value| (key.to_owned(), json!(value))));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(replicas: i64, meta: &Value) -> Value {
        json!({"metadata": meta, "spec": {"replicas": replicas}})
    }

    #[test]
    fn k1_a_one_is_meant_only_where_that_can_be_told() {
        let sent = |text: &str| json!({"annotations": {ANNOTATION_KUBECTL: text}});
        let by = |operation: &str, fields: Value| json!({"managedFields": [{"manager": "helm", "operation": operation, "fieldsV1": {"f:spec": fields}}]});
        let applied_by = |spec: Value| {
            let annotations = json!({"f:annotations": {format!("f:{ANNOTATION_KUBECTL}"): {}}});
            let entry = json!({"manager": "kubectl-client-side-apply", "operation": "Update",
                "fieldsV1": {"f:metadata": annotations, "f:spec": spec}});
            json!({"annotations": {ANNOTATION_KUBECTL: "{\"spec\":{\"replicas\":1}}"}, "managedFields": [entry]})
        };
        for (workload, meant) in [
            (of(3, &json!({})), true),
            (of(1, &json!({})), false),
            (of(1, &sent("{\"spec\":{\"replicas\":1}}")), true),
            (of(1, &sent("{\"spec\":{\"replicas\":6}}")), false),
            (of(1, &sent("{\"spec\":{}}")), false),
            (of(1, &sent("no JSON")), false),
            (of(1, &applied_by(json!({"f:replicas": {}}))), true),
            // Helm 3 wrote another number later, and its chart leaves the number out now
            (of(1, &applied_by(json!({"f:template": {}}))), false),
            (of(1, &by("Apply", json!({"f:replicas": {}}))), true),
            // after a null that Helm 3 sent, the 1 belongs to it
            (of(1, &by("Update", json!({"f:replicas": {}}))), false),
            (of(1, &by("Apply", json!({"f:template": {}}))), false),
        ] {
            assert_eq!(replicas_are_meant(&workload), meant, "{workload}");
            let mut kept = workload.clone();
            keep_authors_of_replicas(&mut kept);
            assert_eq!(replicas_are_meant(&kept), meant, "{workload}");
        }
        assert!(!replicas_are_meant(&json!({"spec": {}})));
    }
}
