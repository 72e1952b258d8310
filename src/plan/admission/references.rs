//! What a Canary refers to beside its metrics' own: AlertProviders, and namespaces that are not its own.

use crate::{
    analysis::{self, Ask},
    api::CrossNamespaceRef,
    snapshot::Snapshot,
    spec::{Problem, Validated},
};

/// Alerts whose AlertProvider does not exist.
pub(crate) fn alerts(snap: &Snapshot, c: &Validated) -> Vec<String> {
    let missing = c.analysis.alerts.iter().filter_map(|alert| {
        let (namespace, name) = alert.provider_ref.in_namespace(&c.namespace);
        let provider = format!("{namespace}/{name}");
        (!snap.alert_providers.contains_key(&provider)).then(|| {
            let field = format!("spec.analysis.alerts[{}].providerRef", alert.name);
            match snap.undecodable.get(&format!("AlertProvider {provider}")) {
                Some(why) => format!(
                    "{field}: AlertProvider {provider} does not decode, so this alert is not sent: {why}"
                ),
                None => format!(
                    "{field}: there is no AlertProvider {provider}, so this alert is not sent: {}",
                    snap.rules.when_missing(&provider)
                ),
            }
        })
    });
    missing.collect()
}

/// With `--no-cross-namespace-refs`, all that is named is of the Canary's namespace.
pub(crate) fn cross_namespace(snap: &Snapshot, c: &Validated, asks: &[Ask]) -> Result<(), Problem> {
    if !snap.rules.no_cross_namespace_refs {
        return Ok(());
    }
    let foreign = |at: &CrossNamespaceRef| at.in_namespace(&c.namespace).0 != c.namespace;
    let metrics = c.analysis.metrics.iter();
    let metric = metrics.filter(|m| m.template_ref.as_ref().is_some_and(foreign));
    let metric = metric.map(|m| format!("metrics[{}].templateRef", m.name));
    let alert = c.analysis.alerts.iter().filter(|a| foreign(&a.provider_ref));
    let alert = alert.map(|a| format!("alerts[{}].providerRef", a.name));
    let named =
        metric.chain(alert).map(|field| format!("spec.analysis.{field}.namespace names another namespace"));
    let read = asks.iter().filter_map(|ask| {
        let read = analysis::provider_kinds::reads_in(ask.query.as_ref().ok()?)?;
        let name = &c.metrics.get(ask.metric)?.name;
        let text = format!("spec.analysis.metrics[{name}]: its query reads in the namespace {read}");
        (read != c.namespace).then_some(text)
    });
    match named.chain(read).next() {
        Some(why) => {
            Err(Problem::new("CrossNamespace", format!("{why}, which --no-cross-namespace-refs forbids")))
        }
        None => Ok(()),
    }
}
