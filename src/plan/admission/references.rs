//! References of a Canary to other namespaces: whether their owners, and the operator's settings, allow them.

use crate::{
    analysis::{self, Ask},
    api::CrossNamespaceRef,
    snapshot::Snapshot,
    spec::{Problem, Validated},
};

/// With `--no-cross-namespace-refs`, or with `--strict` for objects without an owner who could allow it: the Canary is
/// refused.
pub(crate) fn forbidden(snap: &Snapshot, c: &Validated, asks: &[Ask]) -> Result<(), Problem> {
    let (closed, strict) = (snap.rules.no_cross_namespace_refs, snap.rules.strict);
    if !closed && !strict {
        return Ok(());
    }
    let flag = if closed { "--no-cross-namespace-refs" } else { "--strict" };
    let foreign = |at: &CrossNamespaceRef| at.in_namespace(&c.namespace).0 != c.namespace;
    let metrics = c.analysis.metrics.iter();
    let metric = metrics.filter(|m| m.template_ref.as_ref().is_some_and(foreign));
    let metric = metric.map(|m| format!("metrics[{}].templateRef", m.name));
    let alert = c.analysis.alerts.iter().filter(|a| foreign(&a.provider_ref));
    let alert = alert.map(|a| format!("alerts[{}].providerRef", a.name));
    let named =
        metric.chain(alert).map(|field| format!("spec.analysis.{field}.namespace names another namespace"));
    let read = asks.iter().filter_map(|ask| {
        let query = ask.query.as_ref().ok()?;
        let read = analysis::provider_kinds::reads_in(query)?;
        // a namespace that lends a MetricTemplate may also have it read in that namespace
        let beside = !closed && read == query.access.namespace;
        let name = &c.metrics.get(ask.metric)?.name;
        let text = format!("spec.analysis.metrics[{name}]: its query reads in the namespace {read}");
        (read != c.namespace && !beside).then_some(text)
    });
    match named.filter(|_| closed).chain(read).next() {
        Some(why) => Err(Problem::new("CrossNamespace", format!("{why}, which {flag} forbids"))),
        None => Ok(()),
    }
}

/// A MetricTemplate of another namespace, by `namespace/name`, that does not serve the Canary's.
pub(crate) fn not_lent(
    snap: &Snapshot,
    c: &Validated,
    (field, name): (&str, &str),
    allowed: Option<&Vec<String>>,
) -> Option<Problem> {
    let of = name.split_once('/').map_or("", |(namespace, _)| namespace);
    (!snap.rules.lends(allowed, of, &c.namespace)).then(|| {
        let message = format!("{field}: {}", unserved(&format!("MetricTemplate {name}"), &c.namespace));
        Problem::new("NotAllowed", message)
    })
}

fn unserved(object: &str, namespace: &str) -> String {
    format!(
        "{object} does not serve namespace {namespace}: have its owner add {namespace} to its spec.allowedNamespaces, or make one in {namespace}"
    )
}

/// Alerts whose AlertProvider does not exist, or does not serve the Canary's namespace.
pub(crate) fn alerts(snap: &Snapshot, c: &Validated) -> Vec<String> {
    let lost = c.analysis.alerts.iter().filter_map(|alert| {
        let (namespace, name) = alert.provider_ref.in_namespace(&c.namespace);
        let provider = format!("{namespace}/{name}");
        let field = format!("spec.analysis.alerts[{}].providerRef", alert.name);
        match snap.alert_providers.get(&provider) {
            None => Some(match snap.undecodable.get(&format!("AlertProvider {provider}")) {
                Some(why) => format!(
                    "{field}: AlertProvider {provider} does not decode, so this alert is not sent: {why}"
                ),
                None => format!(
                    "{field}: there is no AlertProvider {provider}, so this alert is not sent: {}",
                    snap.rules.when_missing(&provider)
                ),
            }),
            Some(spec) => {
                let lent = snap.rules.lends(spec.allowed_namespaces.as_ref(), namespace, &c.namespace);
                let why = || unserved(&format!("AlertProvider {provider}"), &c.namespace);
                (!lent).then(|| format!("{field}: this alert is not sent: {}", why()))
            }
        }
    });
    lost.collect()
}
