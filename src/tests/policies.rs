//! The shipped admission policies, by their own expressions: what they let pass and what they refuse. Rights are asked of an API
//! server only, so those that ask for some are not evaluated here.

use kube::core::cel::{AdmissionRequest, GroupVersionResource, VapEvaluator, VapExpression};
use serde_json::{Value, json};

/// The operator's own account.
pub(crate) const OPERATOR: &str = "system:serviceaccount:serin-system:serin";

/// The policies of a file, with their variables put where they are used.
pub(crate) fn policies(file: &str) -> Vec<Value> {
    let path = format!("{}/deploy/kustomize/components/policies/{file}.yaml", env!("CARGO_MANIFEST_DIR"));
    let all: Vec<Value> = serde_saphyr::from_multiple(&std::fs::read_to_string(path).unwrap()).unwrap();
    let kinds = ["ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"];
    all.into_iter().filter(|o| kinds.contains(&o["kind"].as_str().unwrap())).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(crate) fn inlined(policy: &Value, expression: &str) -> String {
    let variables = list(&policy["spec"]["variables"]);
    let whole = variables.iter().rev().fold(expression.to_owned(), |whole, v| {
        let place = format!("variables.{}", text(&v["name"]));
        whole.replace(&place, &format!("({})", text(&v["expression"])))
    });
    // this evaluator takes every key for that of a field, and escapes it
    ["canary", "checksum", "metric", "namespace", "original", "request", "revision"].into_iter().fold(
        whole,
        |whole, key| {
            let key = format!("serin.dev/{key}");
            whole.replace(&key, &key.replace('.', "__dot__").replace('/', "__slash__"))
        },
    )
}

/// A write of a resource: its new and its old state.
pub(crate) struct Write<'a> {
    pub(crate) user: &'a str,
    /// Group and plural.
    pub(crate) resource: (&'a str, &'a str),
    pub(crate) old: Value,
    pub(crate) new: Value,
}

impl Write<'_> {
    pub(crate) fn operation(&self) -> &'static str {
        match (self.old.is_null(), self.new.is_null()) {
            (true, _) => "CREATE",
            (_, true) => "DELETE",
            _ => "UPDATE",
        }
    }

    pub(crate) fn evaluator(&self) -> VapEvaluator {
        let (group, resource) = (self.resource.0.to_owned(), self.resource.1.to_owned());
        let request = AdmissionRequest {
            operation: self.operation().into(),
            username: self.user.into(),
            resource: GroupVersionResource { group, resource, version: "v1".into() },
            ..AdmissionRequest::default()
        };
        let of = VapEvaluator::builder().request(request).object(self.new.clone());
        if self.old.is_null() { of.build() } else { of.old_object(self.old.clone()).build() }
    }

    fn holds(&self, policy: &Value, expression: &Value) -> bool {
        let expression = inlined(policy, text(expression));
        let one = VapExpression { expression, message: None, message_expression: None };
        let result = self.evaluator().evaluate(&[one]).remove(0);
        let said = result.message.unwrap_or_default();
        let failed = ["evaluation error", "failed to compile"].iter().any(|why| said.starts_with(why));
        assert!(!failed, "{}: {said}", result.expression);
        result.passed
    }

    /// Whether a policy is about it.
    pub(crate) fn concerns(&self, policy: &Value) -> bool {
        let spec = &policy["spec"];
        let matches = list(&spec["matchConstraints"]["resourceRules"]).iter().any(|rule| {
            list(&rule["apiGroups"]).contains(&json!(self.resource.0))
                && list(&rule["resources"]).contains(&json!(self.resource.1))
                && list(&rule["operations"]).contains(&json!(self.operation()))
        });
        matches && list(&spec["matchConditions"]).iter().all(|c| self.holds(policy, &c["expression"]))
    }

    /// What the policies of the operator's account say against it.
    pub(crate) fn refused(&self) -> Vec<String> {
        let all: Vec<Value> = ["operator", "routes"].into_iter().flat_map(policies).collect();
        let concerned = all.iter().filter(|policy| self.concerns(policy));
        let broken = concerned.flat_map(|policy| {
            let validations = list(&policy["spec"]["validations"]).iter();
            validations.filter(|one| !self.holds(policy, &one["expression"])).collect::<Vec<_>>()
        });
        broken.map(|one| text(&one["message"]).to_owned()).collect()
    }
}

/// By the operator.
pub(crate) fn by<'a>(resource: (&'a str, &'a str), old: &Value, new: &Value) -> Write<'a> {
    Write { user: OPERATOR, resource, old: old.clone(), new: new.clone() }
}
