//! The MetricTemplates and AlertProviders that a Canary names.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    api::{AlertProviderSpec, Canary, MetricTemplateSpec},
    observe::cache::ObjectCache,
    snapshot::{ALERT_PROVIDER, Kind, METRIC_TEMPLATE},
};

/// The spec of an object; none if it does not exist. If it exists but does not decode, the reason is recorded.
fn decoded_spec<T: DeserializeOwned + Clone + Send + Sync + 'static>(
    cache: &ObjectCache,
    kind: Kind,
    (namespace, name): (&str, &str),
    undecodable: &mut BTreeMap<String, String>,
) -> Option<T> {
    let decode = |object: &Value| T::deserialize(&object["spec"]).map_err(|error| error.to_string());
    let decoded = match cache.undecodable(kind, &(namespace.to_owned(), name.to_owned())) {
        Some(why) => Err(why),
        None => (*cache.typed(kind, (namespace, name), decode)?).clone(),
    };
    let note = |why| drop(undecodable.insert(format!("{} {namespace}/{name}", kind.kind), why));
    decoded.map_err(note).ok()
}

/// The MetricTemplates that its metrics name, by `namespace/name`.
pub(super) fn templates(
    cache: &ObjectCache,
    canary: &Canary,
    namespace: &str,
    undecodable: &mut BTreeMap<String, String>,
) -> BTreeMap<String, MetricTemplateSpec> {
    let metrics = canary.analysis().map(|a| a.metrics.as_slice()).unwrap_or_default();
    let named = metrics.iter().filter_map(|m| m.template_ref.as_ref()).map(|t| {
        let ns = t.namespace.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| namespace.to_owned());
        (ns, t.name.clone())
    });
    let mut spec = |ns: &str, name: &str| decoded_spec(cache, METRIC_TEMPLATE, (ns, name), undecodable);
    named.filter_map(|(ns, name)| Some((format!("{ns}/{name}"), spec(&ns, &name)?))).collect()
}

/// The AlertProviders that its alerts name, by `namespace/name`.
pub(super) fn alert_providers(
    cache: &ObjectCache,
    canary: &Canary,
    namespace: &str,
    undecodable: &mut BTreeMap<String, String>,
) -> BTreeMap<String, AlertProviderSpec> {
    let alerts = canary.analysis().map(|a| a.alerts.as_slice()).unwrap_or_default();
    let named = alerts.iter().map(|a| a.provider_ref.in_namespace(namespace));
    let mut spec = |ns: &str, name: &str| decoded_spec(cache, ALERT_PROVIDER, (ns, name), undecodable);
    named.filter_map(|(ns, name)| Some((format!("{ns}/{name}"), spec(ns, name)?))).collect()
}
