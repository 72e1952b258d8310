//! PURE. Arguments of queries: where their values come from, and which are allowed in a query.
//!
//! A value from a Secret is not known here. A placeholder marks its place, and people see the placeholder. The sender
//! of the query puts the value in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::access::{SecretAt, SecretKeyAt};
use crate::{
    api::{ArgField, CanaryMetric, MetricArg},
    expression::Path,
};

/// Reads the arguments from fields, so that every argument has a value or names a Secret.
///
/// # Errors
/// The first invalid argument: its field in the spec, and the remedy.
pub(crate) fn resolve(metric: &mut CanaryMetric, canary: &Value, target: &Value) -> Result<(), String> {
    for i in 0..metric.args.len() {
        let name = metric.args[i].name.clone();
        let at = format!("spec.analysis.metrics[{}].args[{name}]", metric.name);
        if metric.args[..i].iter().any(|other| other.name == name) {
            return Err(format!("{at}: there are two of this name: rename one"));
        }
        let arg = &mut metric.args[i];
        let from = arg.value_from.clone().unwrap_or_default();
        match (&arg.value, from.field_ref, from.secret_key_ref) {
            (Some(_), None, None) | (None, None, Some(_)) => {}
            (None, Some(field), None) => {
                let of = if field.of.as_deref() == Some("target") { target } else { canary };
                let value = read(&field, of).map_err(|why| format!("{at}.valueFrom.fieldRef: {why}"))?;
                *arg = MetricArg { name, value: Some(value), value_from: None };
            }
            _ => {
                return Err(format!(
                    "{at}: give it one of value, valueFrom.fieldRef and valueFrom.secretKeyRef"
                ));
            }
        }
    }
    Ok(())
}

/// The value of a field. Other people may have written it: it must not be able to change a query.
fn read(field: &ArgField, of: &Value) -> Result<String, String> {
    let path = field.field_path.trim();
    let found = Path::field(path).and_then(|path| path.find(of));
    let found = found.map_err(|why| format!("{path:?} cannot be followed: {why}"))?;
    let [value] = found.as_slice() else {
        return Err(format!("{path:?} leads to {} values: name a field that is there", found.len()));
    };
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return Err(format!("{path:?} is neither text nor number")),
    };
    if is_plain(&text) {
        Ok(text)
    } else {
        Err(format!("{path:?} holds characters that could change the query: only {PLAIN} may stand there"))
    }
}

/// The characters that [`is_plain`] accepts, in words.
pub(crate) const PLAIN: &str = "letters, digits and -_.:/@+=,";

/// No character of the text can change a query that contains it.
pub(crate) fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/@+=, ".contains(c))
}

/// Checks that the values for the query of another namespace's MetricTemplate (`whose`) cannot change it.
///
/// # Errors
/// A value could: which one, and the remedy.
pub(super) fn plain(metric: &CanaryMetric, whose: &str) -> Result<(), String> {
    let variables = metric.template_variables.iter().map(|(name, text)| ("templateVariables", name, text));
    let args = metric.args.iter().filter_map(|arg| Some(("args", &arg.name, arg.value.as_ref()?)));
    match variables.chain(args).find(|(_, _, text)| !is_plain(text)) {
        Some((field, name, _)) => Err(format!(
            "{field}[{name}] holds characters that could change the query of {whose}, which is another namespace's and asked with what belongs to it: only {PLAIN} may stand there"
        )),
        None => Ok(()),
    }
}

/// The placeholder in a query for the value of an argument from a Secret.
pub(super) fn mark(name: &str) -> String {
    format!("*****{name}*****")
}

/// The values by name, and the places of those from Secrets. `versions`: of Secrets, by `namespace/name`.
pub(super) fn values(
    metric: &CanaryMetric,
    namespace: &str,
    versions: &BTreeMap<String, String>,
) -> (BTreeMap<String, String>, BTreeMap<String, SecretKeyAt>) {
    let (mut known, mut secret) = (BTreeMap::new(), BTreeMap::new());
    for arg in &metric.args {
        if let Some(value) = &arg.value {
            known.insert(arg.name.clone(), value.clone());
        } else if let Some(at) = arg.value_from.as_ref().and_then(|from| from.secret_key_ref.as_ref()) {
            let mark = mark(&arg.name);
            known.insert(arg.name.clone(), mark.clone());
            let named_by = format!("spec.analysis.metrics[{}].args[{}]", metric.name, arg.name);
            let version = versions.get(&format!("{namespace}/{}", at.name)).cloned();
            let of = SecretAt { named_by, namespace: namespace.into(), name: at.name.clone(), version };
            secret.insert(mark, SecretKeyAt { of, key: at.key.clone() });
        }
    }
    (known, secret)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolved(args: &Value) -> Result<CanaryMetric, String> {
        let mut metric: CanaryMetric =
            serde_json::from_value(json!({"name": "errors", "args": args})).unwrap();
        let canary = json!({"metadata": {"labels": {"app.kubernetes.io/team": "blue"}}});
        let target = json!({
            "metadata": {"annotations": {"evil": "\"}) or vector(1)", "ok": "a-b_c.d:e/f"}},
            "spec": {"replicas": 3, "containers": [{"name": "a"}, {"name": "b"}]},
        });
        resolve(&mut metric, &canary, &target).map(|()| metric)
    }

    fn field(path: &str, of: &str) -> Value {
        json!([{"name": "x", "valueFrom": {"fieldRef": {"fieldPath": path, "of": of}}}])
    }

    #[test]
    fn fields_of_canary_and_target_are_read() {
        for (path, of, value) in [
            ("metadata.labels['app.kubernetes.io/team']", "canary", "blue"),
            ("spec.replicas", "target", "3"),
            ("$.metadata.annotations.ok", "target", "a-b_c.d:e/f"),
            ("spec.containers[1].name", "target", "b"),
        ] {
            let metric = resolved(&field(path, of)).unwrap();
            assert_eq!(values(&metric, "test", &BTreeMap::new()).0["x"], value, "{path}");
        }
        for (path, of, words) in [
            ("spec.replicas", "canary", "leads to 0 values"),
            ("spec.containers[*].name", "target", "leads to 2 values"),
            ("spec.containers", "target", "neither text nor number"),
            ("spec[", "target", "cannot be followed"),
        ] {
            let error = resolved(&field(path, of)).unwrap_err();
            let at = "spec.analysis.metrics[errors].args[x].valueFrom.fieldRef: ";
            assert!(error.starts_with(at) && error.contains(words), "{error}");
        }
    }

    #[test]
    fn x11_what_others_wrote_in_a_field_cannot_change_a_query() {
        let error = resolved(&field("metadata.annotations.evil", "target")).unwrap_err();
        assert!(error.contains("could change the query") && !error.contains("vector"), "{error}");
    }

    #[test]
    fn an_argument_has_one_value_and_a_name_of_its_own() {
        let twice = resolved(&json!([{"name": "x", "value": "1"}, {"name": "x", "value": "2"}]));
        assert!(twice.unwrap_err().contains("two of this name"));
        let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
        for arg in [json!({"name": "x"}), json!({"name": "x", "value": "1", "valueFrom": secret})] {
            assert!(resolved(&json!([arg])).unwrap_err().contains("give it one of"));
        }
    }

    #[test]
    fn x5_the_place_of_a_secret_is_kept_by_a_mark() {
        let secret = json!({"secretKeyRef": {"name": "login", "key": "id"}});
        let metric = resolved(&json!([{"name": "id", "valueFrom": secret}])).unwrap();
        let (known, secret) = values(&metric, "test", &[("test/login".to_owned(), "5".to_owned())].into());
        assert_eq!(known["id"], "*****id*****");
        let at = &secret["*****id*****"];
        assert_eq!(
            (at.of.name.as_str(), at.of.version.as_deref(), at.key.as_str()),
            ("login", Some("5"), "id")
        );
    }
}
