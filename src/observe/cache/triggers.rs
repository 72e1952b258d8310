//! Which Canaries an object bears on.

use serde_json::Value;

use super::{
    super::references::{Contested, References},
    store::Inner,
};
use crate::{
    manifest::{self, config, pod_policies},
    names,
    snapshot::{
        ALERT_PROVIDER, CANARY, CANARY_RUN, DAEMONSET, DEPLOYMENT, HPA, JOB, Key, Kind, METRIC_TEMPLATE,
        ObjectRef, POD, REVISION, SCALED_OBJECT, SECRET,
    },
};

impl Inner {
    /// The Canaries that an object matters to.
    pub(super) fn triggered(&self, kind: Kind, key: &Key, object: &Value) -> Vec<Key> {
        if kind == CANARY {
            return vec![key.clone()];
        }
        if kind == METRIC_TEMPLATE {
            let name = format!("{}/{}", key.0, key.1);
            let refers = |i: &References| i.templates.contains(&name);
            return self.references.iter().filter(|(_, i)| refers(i)).map(|(k, _)| k.clone()).collect();
        }
        if kind == ALERT_PROVIDER {
            let name = format!("{}/{}", key.0, key.1);
            let refers = |i: &References| i.alert_providers.contains(&name);
            return self.references.iter().filter(|(_, i)| refers(i)).map(|(k, _)| k.clone()).collect();
        }
        if [CANARY_RUN, JOB, POD].contains(&kind) {
            return self.within(&key.0, |canary, _| manifest::ours(object, &canary.1));
        }
        if kind.cluster_wide() {
            let read = self.dependencies.dependents_anywhere(kind, &key.1);
            return self.with_service_anywhere(&key.1).into_iter().chain(read).collect();
        }
        if config::KINDS.contains(&kind) {
            let name = config::key(&ObjectRef::new(kind, key.1.clone()));
            let mut triggered = self.within(&key.0, |canary, references| {
                references.configs.contains(&name) || manifest::ours(object, &canary.1)
            });
            if kind == SECRET {
                triggered.extend(self.using_secret(key));
            }
            return triggered;
        }
        let of = object["metadata"]["labels"][names::LABEL_TEMPLATE_OF].as_str();
        self.referencing(&key.0, |references| match kind {
            DEPLOYMENT | DAEMONSET => {
                key.1 == references.target || key.1 == names::primary(&references.target)
            }
            REVISION => of == Some(names::label_value(&names::primary(&references.target)).as_str()),
            HPA | SCALED_OBJECT => {
                let whom = object["spec"]["scaleTargetRef"]["name"].as_str().unwrap_or_default();
                references.scaled_by(&key.1, whom)
            }
            kind if pod_policies::KINDS.contains(&kind) => true,
            // Services, and most routing objects, are named after the apex
            _ => references.services().contains(&key.1),
        })
        .into_iter()
        .chain(self.dependencies.dependents(kind, key))
        .collect()
    }

    pub(super) fn referencing(&self, namespace: &str, hit: impl Fn(&References) -> bool) -> Vec<Key> {
        self.within(namespace, |_, references| hit(references))
    }

    pub(super) fn within(&self, namespace: &str, hit: impl Fn(&Key, &References) -> bool) -> Vec<Key> {
        self.of_namespace(namespace).filter(|(key, own)| hit(key, own)).map(|(key, _)| key.clone()).collect()
    }

    fn of_namespace(&self, namespace: &str) -> impl Iterator<Item = (&Key, &References)> {
        let from = (namespace.to_owned(), String::new());
        self.references.range(from..).take_while(move |(key, _)| key.0 == namespace)
    }

    /// Other Canaries of the namespace that want an object of these references.
    pub(super) fn rivals(&self, key: &Key, own: &References) -> impl Iterator<Item = (&Key, Contested)> {
        self.of_namespace(&key.0)
            .filter(move |(other, _)| *other != key)
            .filter_map(|(other, references)| Some((other, own.contests(references)?)))
    }

    /// Other Canaries, of all namespaces, that serve a host of these references.
    pub(super) fn neighbours(&self, key: &Key, own: &References) -> impl Iterator<Item = &Key> {
        let served = |other: &References| other.hosts.iter().any(|host| own.hosts.contains(host));
        let others = self.references.iter().filter(move |(other, _)| *other != key);
        others.filter(move |(_, other)| served(other)).map(|(other, _)| other)
    }

    /// Other Canaries to which a change of these references matters.
    pub(super) fn concerned(&self, key: &Key, own: &References) -> Vec<Key> {
        let rivals = self.rivals(key, own).map(|(other, _)| other);
        rivals.chain(self.neighbours(key, own)).cloned().collect()
    }

    /// The Canaries that have this Service.
    pub(super) fn served_by(&self, namespace: &str, service: Option<String>) -> Vec<Key> {
        let Some(service) = service else { return vec![] };
        self.referencing(namespace, |references| references.services().contains(&service))
    }
}
