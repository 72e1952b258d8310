//! Arguments of templates: finds `{{args.x}}` in queries and conditions, and the sources of the values.

use serde_json::{Value, json};

use super::{draft::Draft, notes::Notes};

/// Arguments of a metric: those of the analysis, then the defaults of its template.
pub(super) struct Arguments<'a> {
    given: Vec<&'a Value>,
    /// The field that a note is about.
    at: String,
}

/// The text before an argument, the name of the argument, and the rest.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let from = text.find("{{")?;
    let to = from + text[from..].find("}}")?;
    Some((&text[..from], text[from + 2..to].trim(), &text[to + 2..]))
}

/// The name of an argument after `args.`.
fn word(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

impl<'a> Arguments<'a> {
    pub(super) fn new(analysis: &'a Value, template: &'a Value, at: &str) -> Self {
        let list = |value: &'a Value| value["args"].as_array().into_iter().flatten();
        let given = list(analysis).chain(list(&template["spec"])).collect();
        Self { given, at: at.to_owned() }
    }

    /// The first argument with this name that has a value or a source.
    fn of(&self, name: &str) -> Option<&'a Value> {
        let named =
            |arg: &&&Value| arg["name"] == name && (!arg["value"].is_null() || arg["valueFrom"].is_object());
        self.given.iter().find(named).copied()
    }

    /// The text with its arguments filled in. None: the value of an argument is not known.
    pub(super) fn filled(&self, text: &str) -> Option<String> {
        let (mut said, mut rest) = (String::new(), text);
        while let Some((before, inside, after)) = next(rest) {
            let value = self.of(inside.strip_prefix("args.")?)?["value"].as_str()?;
            said.push_str(before);
            said.push_str(value);
            rest = after;
        }
        Some(said + rest)
    }

    /// The `args` of a metric with these names.
    pub(super) fn entries(
        &self,
        draft: &Draft<'_>,
        used: &[String],
        job: bool,
        notes: &mut Notes,
    ) -> Vec<Value> {
        used.iter().filter_map(|name| self.entry(draft, name, job, notes)).collect()
    }

    fn entry(&self, draft: &Draft<'_>, name: &str, job: bool, notes: &mut Notes) -> Option<Value> {
        let at = format!("{}.args[{name}]", self.at);
        let Some(arg) = self.of(name) else {
            notes.refuse(at, "it has no value: give it one in the analysis of the Rollout");
            return None;
        };
        let own = word(name);
        if let Some(value) = arg["value"].as_str() {
            let value = renamed(draft, &at, value, notes);
            return Some(json!({"name": own, "value": value}));
        }
        let from = &arg["valueFrom"];
        if let Some(path) = from["fieldRef"]["fieldPath"].as_str() {
            if path.trim_start_matches('.').starts_with("status") {
                notes.refuse(
                    at,
                    format!("{path} is a field of a Rollout's status, which a Deployment does not have"),
                );
                return None;
            }
            return Some(
                json!({"name": own, "valueFrom": {"fieldRef": {"fieldPath": path, "of": "target"}}}),
            );
        }
        if from["secretKeyRef"].is_object() && job {
            notes.refuse(
                at,
                "a Secret would be shown in the Job: let its container take it by env.valueFrom.secretKeyRef",
            );
            return None;
        }
        if let (Some(secret), Some(key)) =
            (from["secretKeyRef"]["name"].as_str(), from["secretKeyRef"]["key"].as_str())
        {
            let key = json!({"name": secret, "key": key});
            return Some(json!({"name": own, "valueFrom": {"secretKeyRef": key}}));
        }
        notes.refuse(
            at,
            "the hash of a version's pods is not known beforehand: name the workload, {{ target }} or {{ target }}-primary, in the query",
        );
        None
    }
}

/// The query as a template of Serin. Adds the names of its arguments to `used`.
pub(super) fn query(text: &str, used: &mut Vec<String>) -> String {
    let (mut said, mut rest) = (String::new(), text);
    while let Some((before, inside, after)) = next(rest) {
        said.push_str(before);
        match inside.strip_prefix("args.") {
            Some(name) => {
                if !used.iter().any(|known| known == name) {
                    used.push(name.to_owned());
                }
                said.push_str(&format!("{{{{ args.{} }}}}", word(name)));
            }
            // not an argument of Argo Rollouts: passes these braces on to the container or the server
            None => said.push_str(&format!("{{{{ \"{{{{\" }}}}{inside}{{{{ \"}}}}\" }}}}")),
        }
        rest = after;
    }
    said + rest
}

fn renamed(draft: &Draft<'_>, at: &str, value: &str, notes: &mut Notes) -> String {
    if let Some(other) = draft.renamed_in(value) {
        notes.differs(
            at,
            format!(
                "{value:?} is {other:?}, as the Service of the new version is {}",
                draft.canary_service()
            ),
        );
        return other;
    }
    let host = value.split(['.', ':', '/']).find(|part| !part.is_empty() && !part.ends_with("http"));
    if host == Some(draft.apex.as_str()) {
        notes.differs(
            at,
            format!(
                "{value:?} names the Service of both versions: that of the old one is {}-primary",
                draft.apex
            ),
        );
    }
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_keep_their_places_in_queries() {
        let analysis = json!({"args": [{"name": "service-name", "value": "app"}]});
        let template = json!({"spec": {"args": [{"name": "service-name", "value": "other"}, {"name": "limit", "value": "0.9"}, {"name": "none"}]}});
        let args = Arguments::new(&analysis, &template, "spec");
        let mut used = vec![];
        assert_eq!(
            query("a{b=\"{{args.service-name}}\"} > {{ args.limit }} {{ .x }}", &mut used),
            "a{b=\"{{ args.service_name }}\"} > {{ args.limit }} {{ \"{{\" }}.x{{ \"}}\" }}"
        );
        assert_eq!(used, ["service-name", "limit"]);
        assert_eq!(args.filled("result > {{args.limit}}").as_deref(), Some("result > 0.9"));
        assert_eq!(args.filled("{{args.service-name}}").as_deref(), Some("app"), "the analysis comes first");
        assert_eq!((args.filled("{{args.none}}"), args.filled("{{ x }}")), (None, None));
    }
}
