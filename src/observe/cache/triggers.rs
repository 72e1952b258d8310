//! Which Canaries an object affects.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

use super::{super::references::References, canaries::Term, store::Inner};
use crate::{
    manifest::{self, config, pod_policies},
    names,
    snapshot::{
        ALERT_PROVIDER, CANARY, CANARY_RUN, DAEMONSET, DEPLOYMENT, HPA, JOB, Key, Kind, METRIC_TEMPLATE,
        ObjectRef, POD, REVISION, SCALED_OBJECT, SECRET, SERVICE,
    },
};

impl Inner {
    /// The Canaries that an object affects.
    pub(super) fn triggered(&self, kind: Kind, key: &Key, object: &Value) -> Vec<Key> {
        if kind == CANARY {
            return self.territory.holds(&key.0).then(|| key.clone()).into_iter().collect();
        }
        if kind == METRIC_TEMPLATE {
            let name = format!("{}/{}", key.0, key.1);
            return self.naming(&Term::Template(&name), |_, refers| refers.templates.contains(&name));
        }
        if kind == ALERT_PROVIDER {
            let name = format!("{}/{}", key.0, key.1);
            return self
                .naming(&Term::AlertProvider(&name), |_, refers| refers.alert_providers.contains(&name));
        }
        if [CANARY_RUN, JOB, POD].contains(&kind) {
            return self.owning(&key.0, object);
        }
        if kind.cluster_wide() {
            let read = self.dependencies.dependents_anywhere(kind, &key.1);
            return self.with_service_anywhere(&key.1).into_iter().chain(read).collect();
        }
        if config::KINDS.contains(&kind) {
            let name = config::key(&ObjectRef::new(kind, key.1.clone()));
            let term = Term::Config(&key.0, &name);
            let mut triggered =
                self.naming(&term, |of, refers| of.0 == key.0 && refers.configs.contains(&name));
            triggered.extend(self.owning(&key.0, object));
            if kind == SECRET {
                triggered.extend(self.using_secret(key));
            }
            return triggered;
        }
        let mut triggered = self.referring(kind, key, object);
        triggered.extend(self.dependencies.dependents(kind, key));
        triggered
    }

    /// The Canaries that name an object of a namespace.
    fn referring(&self, kind: Kind, key: &Key, object: &Value) -> Vec<Key> {
        let (namespace, name) = (key.0.as_str(), key.1.as_str());
        let here = |of: &Key| of.0 == namespace;
        match kind {
            DEPLOYMENT | DAEMONSET => self.naming(&Term::Workload(namespace, name), |of, refers| {
                here(of) && (name == refers.target || name == names::primary(&refers.target))
            }),
            REVISION => {
                let of = object["metadata"]["labels"][names::LABEL_TEMPLATE_OF].as_str().unwrap_or_default();
                self.naming(&Term::TemplateOf(namespace, of), |key, refers| {
                    here(key) && of == names::label_value(&names::primary(&refers.target))
                })
            }
            HPA | SCALED_OBJECT => {
                let whom = object["spec"]["scaleTargetRef"]["name"].as_str().unwrap_or_default();
                let scaled = |of: &Key, refers: &References| here(of) && refers.scaled_by(name, whom);
                let mut triggered = self.naming(&Term::Workload(namespace, whom), scaled);
                triggered.extend(self.naming(&Term::Scaler(namespace, name), scaled));
                triggered
            }
            kind if pod_policies::KINDS.contains(&kind) => self.governed_by(kind, namespace, object),
            SERVICE => {
                let mut triggered = self.served(namespace, name);
                // others may lead to the same pods
                let governed =
                    if manifest::marked(object) { vec![] } else { self.governed_by(kind, namespace, object) };
                triggered
                    .extend(governed.into_iter().filter(|key| !triggered.contains(key)).collect::<Vec<_>>());
                triggered
            }
            // most routing objects are named after the apex
            _ => self.served(namespace, name),
        }
    }

    /// Canaries that name this, and match `meant`.
    pub(super) fn naming(&self, term: &Term<'_>, meant: impl Fn(&Key, &References) -> bool) -> Vec<Key> {
        let found = self.canaries.naming(term).filter(|(key, references)| meant(key, references));
        found.map(|(key, _)| key.clone()).collect()
    }

    /// The Canary in an object's label.
    fn owning(&self, namespace: &str, object: &Value) -> Vec<Key> {
        let label = object["metadata"]["labels"][names::LABEL_CANARY].as_str().unwrap_or_default();
        let ours = |of: &Key, _: &References| of.0 == namespace && manifest::ours(object, &of.1);
        self.naming(&Term::Label(namespace, label), ours)
    }

    /// Other Canaries of the namespace that want an object of these references.
    pub(super) fn rivals(&self, key: &Key, own: &References) -> Vec<Key> {
        let found = self.candidates(key, own).into_iter();
        let rivals = found.filter(|(_, references)| own.contests(references).is_some());
        rivals.map(|(other, _)| other).collect()
    }

    /// Other Canaries of the namespace that may want an object of these references.
    pub(super) fn candidates(&self, key: &Key, own: &References) -> Vec<(Key, Arc<References>)> {
        let mut found = BTreeMap::new();
        for at in own.objects() {
            let naming = self.canaries.naming(&Term::Wanted(&key.0, &at));
            for (other, references) in naming.filter(|(other, _)| other.0 == key.0 && *other != key) {
                found.insert(other.clone(), references.clone());
            }
        }
        found.into_iter().collect()
    }

    /// Other Canaries, of all namespaces, that serve a host of these references.
    pub(super) fn neighbours(&self, key: &Key, own: &References) -> Vec<Key> {
        let serving = |host: &String| {
            self.naming(&Term::Host(host), |other, references| {
                other != key && references.hosts.contains(host)
            })
        };
        let found: BTreeSet<Key> = own.hosts.iter().flat_map(serving).collect();
        found.into_iter().collect()
    }

    /// Other Canaries that a change of these references affects.
    pub(super) fn concerned(&self, key: &Key, own: &References) -> Vec<Key> {
        self.rivals(key, own).into_iter().chain(self.neighbours(key, own)).collect()
    }

    /// The Canaries that have this Service.
    pub(super) fn served(&self, namespace: &str, service: &str) -> Vec<Key> {
        self.naming(&Term::Service(namespace, service), |of, references| {
            of.0 == namespace && references.services().iter().any(|own| own == service)
        })
    }
}
