//! The references of each Canary, and an index of Canaries by reference.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use super::{standing::Standing, work::visited};
use crate::{
    names,
    observe::references::References,
    snapshot::{Key, ObjectRef},
    spec::Target,
};

/// Something by which Canaries are found.
#[derive(Debug, Hash)]
pub(super) enum Term<'a> {
    /// Has the label of the Canary.
    Label(&'a str, &'a str),
    /// Its target or primary.
    Workload(&'a str, &'a str),
    /// The label of the stored templates of its primary.
    TemplateOf(&'a str, &'a str),
    /// Its autoscaler, or the copy of it.
    Scaler(&'a str, &'a str),
    /// One of its Services.
    Service(&'a str, &'a str),
    /// One of its Services, in any namespace.
    ServiceAnywhere(&'a str),
    /// A ConfigMap or Secret, as `config::key`.
    Config(&'a str, &'a str),
    /// A MetricTemplate as `namespace/name`.
    Template(&'a str),
    /// An AlertProvider as `namespace/name`.
    AlertProvider(&'a str),
    /// A host that it serves.
    Host(&'a str),
    /// An object that it uses under one of its names.
    Wanted(&'a str, &'a ObjectRef),
}

/// The references of all Canaries. Terms are kept as hashes: results are compared before they are used.
#[derive(Debug, Default)]
pub(super) struct Canaries {
    by_key: BTreeMap<Key, Arc<References>>,
    standings: BTreeMap<Key, Standing>,
    by_term: BTreeMap<u64, Vec<Arc<Key>>>,
    hasher: RandomState,
    /// Number of Canaries per namespace.
    totals: BTreeMap<String, usize>,
    /// Namespaces whose number has changed since it was last read.
    changed: BTreeSet<String>,
    providers: Counted<String>,
    targets: Counted<Target>,
}

/// How many there are of each.
type Counted<T> = BTreeMap<T, usize>;

fn count<T: Ord>(counted: &mut Counted<T>, one: T) {
    *counted.entry(one).or_default() += 1;
}

fn uncount<T: Ord>(counted: &mut Counted<T>, one: &T) {
    if let Some(number) = counted.get_mut(one) {
        *number -= 1;
        if *number == 0 {
            counted.remove(one);
        }
    }
}

impl Canaries {
    /// Replaces the former references, which are returned.
    pub(super) fn put(
        &mut self,
        key: Key,
        references: Arc<References>,
        standing: Standing,
    ) -> Option<Arc<References>> {
        if self.by_key.get(&key) == Some(&references) {
            self.standings.insert(key, standing);
            return Some(references);
        }
        let old = self.remove(&key);
        self.standings.insert(key.clone(), standing);
        let shared = Arc::new(key.clone());
        for term in self.terms(&key, &references) {
            self.by_term.entry(term).or_default().push(shared.clone());
        }
        count(&mut self.totals, key.0.clone());
        self.changed.insert(key.0.clone());
        count(&mut self.providers, references.provider.clone());
        references.kind.into_iter().for_each(|kind| count(&mut self.targets, kind));
        self.by_key.insert(key, references);
        old
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Arc<References>> {
        let old = self.by_key.remove(key)?;
        self.standings.remove(key);
        for term in self.terms(key, &old) {
            if let Some(keys) = self.by_term.get_mut(&term) {
                keys.retain(|other| **other != *key);
                if keys.is_empty() {
                    self.by_term.remove(&term);
                }
            }
        }
        uncount(&mut self.totals, &key.0);
        self.changed.insert(key.0.clone());
        uncount(&mut self.providers, &old.provider);
        old.kind.into_iter().for_each(|kind| uncount(&mut self.targets, &kind));
        Some(old)
    }

    /// Removes those that `kept` rejects.
    pub(super) fn retain(&mut self, kept: impl Fn(&Key) -> bool) {
        let gone: Vec<Key> = self.by_key.keys().filter(|key| !kept(key)).cloned().collect();
        for key in gone {
            self.remove(&key);
        }
    }

    pub(super) fn standing(&self, key: &Key) -> Standing {
        self.standings.get(key).copied().unwrap_or_default()
    }

    pub(super) fn standings(&self) -> Vec<(Key, Standing)> {
        self.standings.iter().map(|(key, standing)| (key.clone(), *standing)).collect()
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Arc<References>> {
        self.by_key.get(key)
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        self.by_key.keys().cloned().collect()
    }

    pub(super) fn of_namespace<'a>(
        &'a self,
        namespace: &'a str,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<References>)> {
        let from = (namespace.to_owned(), String::new());
        let within = self.by_key.range(from..).take_while(move |(key, _)| key.0 == namespace);
        within.inspect(|_| visited())
    }

    /// The namespaces whose number of Canaries has changed since the last call, with that number.
    pub(super) fn take_changed(&mut self) -> Vec<(String, usize)> {
        let changed = std::mem::take(&mut self.changed);
        let with_number = |namespace| {
            let number = self.totals.get(&namespace).copied().unwrap_or(0);
            (namespace, number)
        };
        changed.into_iter().map(with_number).collect()
    }

    /// Their providers; one of them is empty if some Canary names none.
    pub(super) fn providers(&self) -> BTreeSet<String> {
        self.providers.keys().cloned().collect()
    }

    /// Some have a target of this kind.
    pub(super) fn targets(&self, kind: Target) -> bool {
        self.targets.contains_key(&kind)
    }

    /// Canaries that may name this, in order of their keys; may include a few others.
    pub(super) fn naming<'a>(
        &'a self,
        term: &Term<'_>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<References>)> + use<'a> {
        let keys = self.by_term.get(&self.hasher.hash_one(term)).into_iter().flatten();
        let keys = keys.inspect(|_| visited());
        let mut found: Vec<_> = keys.filter_map(|key| self.by_key.get_key_value(&**key)).collect();
        found.sort_unstable_by_key(|(key, _)| *key);
        found.into_iter()
    }

    /// Hashes of everything by which the Canary is found, each once.
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
