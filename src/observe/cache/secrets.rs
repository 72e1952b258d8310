//! Secrets for queries to metrics servers: which versions a Canary needs to know, and which Canaries a change affects.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    canaries::Term,
    store::{Inner, ObjectCache},
};
use crate::{
    api::{Canary, MetricTemplateSpec},
    snapshot::{Key, METRIC_TEMPLATE, SECRET},
};

/// Versions of the Secrets that the metrics of a Canary and these MetricTemplates name.
pub(crate) fn versions(
    cache: &ObjectCache,
    canary: &Canary,
    own: &str,
    templates: &BTreeMap<String, MetricTemplateSpec>,
) -> BTreeMap<String, String> {
    let metrics = canary.analysis().map(|a| a.metrics.as_slice()).unwrap_or_default();
    let args = metrics.iter().flat_map(|m| &m.args);
    let args = args.filter_map(|arg| Some((own, &arg.value_from.as_ref()?.secret_key_ref.as_ref()?.name)));
    let named = templates.iter().filter_map(|(name, template)| {
        Some((name.split_once('/')?.0, &template.provider.secret_ref.as_ref()?.name))
    });
    let version = |namespace: &str, name: &str| {
        Some(cache.get(SECRET, namespace, name)?["metadata"]["resourceVersion"].as_str()?.to_owned())
    };
    named.chain(args).filter_map(|(ns, name)| Some((format!("{ns}/{name}"), version(ns, name)?))).collect()
}

impl ObjectCache {
    /// Other namespaces whose MetricTemplates are used by Canaries of this one.
    pub(crate) fn templates_elsewhere(&self, namespace: &str) -> BTreeSet<String> {
        let inner = self.lock();
        let own = inner.canaries.of_namespace(namespace);
        let all = own.flat_map(|(_, references)| &references.templates);
        let others = all.filter_map(|name| Some(name.split_once('/')?.0));
        others.filter(|other| *other != namespace).map(str::to_owned).collect()
    }
}

impl Inner {
    /// The Canaries with a MetricTemplate that names this Secret.
    pub(super) fn using_secret(&self, secret: &Key) -> Vec<Key> {
        let Some(entries) = self.objects.get(&METRIC_TEMPLATE) else { return vec![] };
        let naming = entries.under(&secret.0, std::slice::from_ref(&secret.1));
        let templates = naming.map(|(name, _)| format!("{}/{name}", secret.0));
        let users = |name: String| self.naming(&Term::Template(&name), |_, of| of.templates.contains(&name));
        let found: BTreeSet<Key> = templates.flat_map(users).collect();
        found.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::snapshot::CANARY;

    #[test]
    fn a_secret_concerns_those_who_ask_with_it() {
        let cache = ObjectCache::default();
        let object = |name: &str, rest: serde_json::Value| {
            let mut object = json!({"metadata": {"name": name, "namespace": "n", "resourceVersion": "1"}});
            object["spec"] = rest;
            object
        };
        let canary = |metrics| json!({"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "app"}, "analysis": {"metrics": metrics}});
        cache.insert(
            CANARY,
            object("by-template", canary(json!([{"name": "m", "templateRef": {"name": "errors"}}]))),
        );
        let arg = json!({"name": "id", "valueFrom": {"secretKeyRef": {"name": "login", "key": "id"}}});
        cache.insert(CANARY, object("by-argument", canary(json!([{"name": "m", "args": [arg]}]))));
        cache.insert(CANARY, object("stranger", canary(json!([{"name": "m"}]))));
        let provider = json!({"type": "prometheus", "secretRef": {"name": "login"}});
        cache.insert(METRIC_TEMPLATE, object("errors", json!({"provider": provider, "query": "up"})));
        let triggered = |name: &str| {
            let keys = cache.insert(SECRET, object(name, json!({})));
            keys.into_iter().map(|key| key.1).collect::<Vec<_>>()
        };
        assert_eq!(triggered("login"), ["by-argument", "by-template"]);
        assert!(triggered("log").is_empty());

        let named: Canary = serde_json::from_value(json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": "c", "namespace": "n"},
            "spec": canary(json!([{"name": "m", "args": [arg]}])),
        }))
        .unwrap();
        let versions = super::versions(&cache, &named, "n", &BTreeMap::new());
        assert_eq!(versions, [("n/login".to_owned(), "1".to_owned())].into());
    }
}
