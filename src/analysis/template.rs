//! Metric queries as Go templates, with the functions Flagger offers: `name`, `namespace`, `target`, `service`,
//! `ingress`, `route`, `interval` and `variables`, and beside them `args`. A missing key is an error, never an empty string. Bounded in
//! output and loops: the text is a user's.

use std::{collections::BTreeMap, fmt, sync::Arc};

use gotmpl::{MissingKey, Template, Value, tmap};

use super::checks::Checks;
use crate::spec::Validated;

/// Most bytes a rendered query may have: more than any server takes in a URL.
const LONGEST: usize = 32 * 1024;
/// Most rounds of all `range` loops together.
const ROUNDS: u64 = 10_000;

/// What the functions of a template return.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model {
    /// Name of the Canary.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Name of the target.
    pub target: String,
    /// Apex name.
    pub service: String,
    /// `ingressRef.name`, or the target.
    pub ingress: String,
    /// `routeRef.name`, or the target; of a Knative Service its newest revision.
    pub route: String,
    /// Window of the metric, e.g. `1m`.
    pub interval: String,
    /// The metric's `templateVariables`.
    pub variables: BTreeMap<String, String>,
    /// The metric's `args`; of one from a Secret a mark.
    pub args: BTreeMap<String, String>,
}

impl Model {
    /// The model of a Canary, without variables.
    pub(crate) fn of(c: &Validated, checks: &Checks, interval: &str) -> Self {
        let named = |name: Option<&String>| name.unwrap_or(&c.names.target).clone();
        Self {
            name: c.name.clone(),
            namespace: c.namespace.clone(),
            target: c.names.target.clone(),
            service: c.names.apex.clone(),
            ingress: named(c.spec.ingress_ref.as_ref().map(|at| &at.name)),
            route: checks
                .revision
                .clone()
                .unwrap_or_else(|| named(c.spec.route_ref.as_ref().map(|at| &at.name))),
            interval: interval.to_owned(),
            variables: BTreeMap::new(),
            args: BTreeMap::new(),
        }
    }

    /// Names are of objects, so that none can change a query in whose quotes it is put.
    ///
    /// # Errors
    /// One is not.
    pub(crate) fn names(&self) -> Result<(), String> {
        let all = [
            ("targetRef.name", &self.target),
            ("service.name", &self.service),
            ("ingressRef.name", &self.ingress),
            ("routeRef.name", &self.route),
        ];
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let odd = all.iter().find(|(_, name)| !plain(name));
        odd.map_or(Ok(()), |(field, _)| Err(format!("spec.{field} is not a valid object name: correct it")))
    }
}

/// Renders a template. Err: what is wrong with it, with the place where the parser knows it.
pub(crate) fn render(text: &str, model: &Model) -> Result<String, String> {
    let mut template = Template::new("query").missing_key(MissingKey::Error).max_range_iters(ROUNDS);
    let functions = [
        ("name", &model.name),
        ("namespace", &model.namespace),
        ("target", &model.target),
        ("service", &model.service),
        ("ingress", &model.ingress),
        ("route", &model.route),
        ("interval", &model.interval),
    ];
    for (name, value) in functions {
        let value = Value::from(value.as_str());
        template = template.func(name, move |_| Ok(value.clone()));
    }
    for (name, values) in [("variables", &model.variables), ("args", &model.args)] {
        let values: BTreeMap<Arc<str>, Value> =
            values.iter().map(|(k, v)| (k.as_str().into(), Value::from(v.as_str()))).collect();
        let values = Value::Map(Arc::new(values));
        template = template.func(name, move |_| Ok(values.clone()));
    }
    let mut out = Bounded(String::new());
    // An empty map as data, so that `{{ .Field }}` is an error as in Flagger.
    let done = template.parse(text).and_then(|parsed| parsed.execute_fmt(&mut out, &tmap! {}));
    match done {
        Ok(()) => Ok(out.0),
        Err(_) if out.0.len() > LONGEST => Err(format!("renders to more than {LONGEST} bytes")),
        Err(error) => Err(error.to_string()),
    }
}

struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(text);
        if self.0.len() > LONGEST { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        Model {
            namespace: "prod".into(),
            target: "podinfo".into(),
            interval: "1m".into(),
            args: [("team".to_owned(), "blue".to_owned())].into(),
            variables: [("direction".to_owned(), "in".to_owned()), ("a-b".to_owned(), "c".to_owned())].into(),
            ..Model::default()
        }
    }

    #[test]
    fn templates_render_as_in_go() {
        let cases = [
            (
                r#"x{ns="{{ namespace }}",w=~"{{ target }}"}[{{ interval }}]"#,
                r#"x{ns="prod",w=~"podinfo"}[1m]"#,
            ),
            ("{{ variables.direction }}", "in"),
            ("{{ args.team }}", "blue"),
            (r#"{{ index variables "a-b" }}"#, "c"),
            ("{{- namespace -}} x", "prodx"),
            (r#"{{ if eq namespace "prod" }}a{{ else }}b{{ end }}"#, "a"),
            (r#"{{ target | printf "%s-primary" }}"#, "podinfo-primary"),
            ("{{ $x := target }}{{ $x }}-{{ $x }}", "podinfo-podinfo"),
            (r#"{{ "{{" }} literal"#, "{{ literal"),
            ("up", "up"),
        ];
        for (text, rendered) in cases {
            assert_eq!(render(text, &model()).as_deref(), Ok(rendered), "{text}");
        }
    }

    #[test]
    fn mistakes_are_errors() {
        for text in [
            "{{ .Namespace }}",
            "{{ variables.missing }}",
            "{{ args.missing }}",
            "{{ nope }}",
            "{{ namespace",
            "{{ $x }}",
            "{{ if }}x{{ end }}",
        ] {
            let error = render(text, &model()).unwrap_err();
            assert!(!error.is_empty(), "{text}");
        }
    }

    #[test]
    fn greedy_templates_end() {
        let wide = "{{ printf \"%60000d\" 1 }}";
        assert!(render(wide, &model()).unwrap_err().contains("more than"));
        assert!(
            render(r#"{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}"#, &model()).is_err()
        );
    }
}
