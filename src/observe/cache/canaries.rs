//! What each Canary names, and the Canaries by what they name.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use super::work::visited;
use crate::{
    names,
    observe::references::References,
    snapshot::{Key, ObjectRef},
};

/// Something that Canaries are looked for by. Those of a namespace say which.
#[derive(Debug, Hash)]
pub(super) enum Term<'a> {
    /// Bears the label of the Canary.
    Label(&'a str, &'a str),
    /// Its target or primary.
    Workload(&'a str, &'a str),
    /// The label of the stored templates of its primary.
    TemplateOf(&'a str, &'a str),
    /// Its autoscaler, or the copy of it.
    Scaler(&'a str, &'a str),
    /// One of its Services.
    Service(&'a str, &'a str),
    /// One of its Services, in whatever namespace.
    ServiceAnywhere(&'a str),
    /// A ConfigMap or Secret, as `config::key`.
    Config(&'a str, &'a str),
    /// A MetricTemplate as `namespace/name`.
    Template(&'a str),
    /// An AlertProvider as `namespace/name`.
    AlertProvider(&'a str),
    /// A host that it serves.
    Host(&'a str),
    /// An object that it has under its names.
    Wanted(&'a str, &'a ObjectRef),
}

/// The references of all Canaries. Terms are kept as hashes: what is found by one is compared before it is believed.
#[derive(Debug, Default)]
pub(super) struct Canaries {
    by_key: BTreeMap<Key, References>,
    by_term: BTreeMap<u64, Vec<Arc<Key>>>,
    hasher: RandomState,
    totals: BTreeMap<String, usize>,
}

impl Canaries {
    /// Takes the place of what it named before, which is returned.
    pub(super) fn put(&mut self, key: Key, references: References) -> Option<References> {
        if self.by_key.get(&key) == Some(&references) {
            return Some(references);
        }
        let old = self.remove(&key);
        let shared = Arc::new(key.clone());
        for term in self.terms(&key, &references) {
            self.by_term.entry(term).or_default().push(shared.clone());
        }
        *self.totals.entry(key.0.clone()).or_default() += 1;
        self.by_key.insert(key, references);
        old
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<References> {
        let old = self.by_key.remove(key)?;
        for term in self.terms(key, &old) {
            if let Some(keys) = self.by_term.get_mut(&term) {
                keys.retain(|other| **other != *key);
                if keys.is_empty() {
                    self.by_term.remove(&term);
                }
            }
        }
        if let Some(total) = self.totals.get_mut(&key.0) {
            *total -= 1;
            if *total == 0 {
                self.totals.remove(&key.0);
            }
        }
        Some(old)
    }

    /// Removes those that `kept` does not take.
    pub(super) fn retain(&mut self, kept: impl Fn(&Key) -> bool) {
        let gone: Vec<Key> = self.by_key.keys().filter(|key| !kept(key)).cloned().collect();
        for key in gone {
            self.remove(&key);
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&References> {
        self.by_key.get(key)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&Key, &References)> {
        self.by_key.iter().inspect(|_| visited())
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        self.by_key.keys().cloned().collect()
    }

    pub(super) fn of_namespace<'a>(
        &'a self,
        namespace: &'a str,
    ) -> impl Iterator<Item = (&'a Key, &'a References)> {
        let from = (namespace.to_owned(), String::new());
        let within = self.by_key.range(from..).take_while(move |(key, _)| key.0 == namespace);
        within.inspect(|_| visited())
    }

    /// Number of Canaries per namespace.
    pub(super) fn totals(&self) -> &BTreeMap<String, usize> {
        &self.totals
    }

    /// Those that may name this, in order of their keys; others may be among them, and are few.
    pub(super) fn naming(&self, term: &Term<'_>) -> impl Iterator<Item = (&Key, &References)> {
        let keys = self.by_term.get(&self.hasher.hash_one(term)).into_iter().flatten();
        let keys = keys.inspect(|_| visited());
        let mut found: Vec<_> = keys.filter_map(|key| self.by_key.get_key_value(&**key)).collect();
        found.sort_unstable_by_key(|(key, _)| *key);
        found.into_iter()
    }

    /// Hashes of all that the Canary is looked for by, each once.
    fn terms(&self, (namespace, name): &Key, of: &References) -> Vec<u64> {
        let hash = |term: Term<'_>| self.hasher.hash_one(term);
        let (primary, scaler) = (names::primary(&of.target), names::primary(&of.scaler));
        let mut all = vec![
            hash(Term::Label(namespace, &names::label_value(name))),
            hash(Term::Workload(namespace, &of.target)),
            hash(Term::Workload(namespace, &primary)),
            hash(Term::TemplateOf(namespace, &names::label_value(&primary))),
        ];
        if !of.scaler.is_empty() {
            all.extend([&of.scaler, &scaler].map(|name| hash(Term::Scaler(namespace, name))));
        }
        for service in of.services() {
            all.extend([Term::Service(namespace, &service), Term::ServiceAnywhere(&service)].map(hash));
        }
        all.extend(of.configs.iter().map(|name| hash(Term::Config(namespace, name))));
        all.extend(of.templates.iter().map(|name| hash(Term::Template(name))));
        all.extend(of.alert_providers.iter().map(|name| hash(Term::AlertProvider(name))));
        all.extend(of.hosts.iter().map(|host| hash(Term::Host(host))));
        all.extend(of.objects().iter().map(|at| hash(Term::Wanted(namespace, at))));
        all.sort_unstable();
        all.dedup();
        all
    }
}
