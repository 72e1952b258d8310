//! Metric queries as Go templates, with Flagger's functions (`name`, `namespace`, `target`, `service`,
//! `ingress`, `route`, `interval` and `variables`) and `args`. A missing key is an error, unless it is read with
//! `index`, which returns an empty text for it.

use std::collections::BTreeMap;

use super::{access::SecretKeyAt, args, checks::Checks};
use crate::{
    api::CanaryMetric,
    expression::template::{self, Functions},
    spec::Validated,
};

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
    /// The metric's `args`; a placeholder for one from a Secret.
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

    /// The model of a metric, with its variables and arguments, and the places of those from Secrets.
    pub(super) fn of_metric(
        c: &Validated,
        checks: &Checks,
        m: &CanaryMetric,
        interval: &str,
    ) -> (Self, BTreeMap<String, SecretKeyAt>) {
        let (args, secret) = args::values(m, &c.namespace, &checks.secrets);
        let variables = m.template_variables.clone();
        (Self { variables, args, ..Self::of(c, checks, interval) }, secret)
    }

    /// Checks that names are names of objects, so that none can change a query that quotes it.
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

/// Renders a template. Err: what is wrong with it, with line and column.
pub(crate) fn render(text: &str, model: &Model) -> Result<String, String> {
    let texts = [
        ("name", model.name.as_str()),
        ("namespace", &model.namespace),
        ("target", &model.target),
        ("service", &model.service),
        ("ingress", &model.ingress),
        ("route", &model.route),
        ("interval", &model.interval),
    ];
    let marks = model.args.iter().filter(|(name, value)| args::mark(name) == **value);
    let functions = Functions {
        texts: texts.into(),
        maps: [("variables", &model.variables), ("args", &model.args)].into(),
        marks: marks.map(|(_, value)| value.as_str()).collect(),
    };
    template::render(text, &functions)
}
