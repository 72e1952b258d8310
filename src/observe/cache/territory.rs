//! The namespaces that the operator works in, and what happens to them when labels change. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::watched::Watched;
use crate::{scope::Scope, snapshot::Kind};

/// The namespaces that the operator works in.
#[derive(Debug, Default)]
pub(super) enum Territory {
    #[default]
    All,
    /// These, each with separate watches, and since when they can be read.
    Named(BTreeMap<String, Option<Timestamp>>),
    /// Those that are selected by their labels. Every kind has one watch for all namespaces.
    Chosen(Chosen),
}

/// Namespaces that are selected by their labels.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    /// Since when they have the labels, as far as that was observed.
    namespaces: BTreeMap<String, Timestamp>,
    /// They have been listed: before that it is unknown whether a namespace is selected.
    listed: bool,
}

/// What happens to namespaces when labels change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Moves {
    pub(super) taken_up: Vec<String>,
    pub(super) let_go: Vec<String>,
}

impl Chosen {
    /// The namespace matches the selector, or no longer does, at `now`.
    pub(super) fn set(&mut self, namespace: &str, chosen: bool, now: Timestamp) -> Moves {
        let mut moves = Moves::default();
        if chosen && !self.namespaces.contains_key(namespace) {
            self.namespaces.insert(namespace.to_owned(), now);
            moves.taken_up.push(namespace.to_owned());
        }
        if !chosen && self.namespaces.remove(namespace).is_some() {
            moves.let_go.push(namespace.to_owned());
        }
        moves
    }

    /// Exactly these match at `now`.
    pub(super) fn replace(&mut self, namespaces: &BTreeSet<String>, now: Timestamp) -> Moves {
        self.listed = true;
        let old: BTreeSet<String> = self.namespaces.keys().cloned().collect();
        let both = old.union(namespaces);
        let each = both.map(|namespace| self.set(namespace, namespaces.contains(namespace), now));
        each.fold(Moves::default(), |mut all, one| {
            all.taken_up.extend(one.taken_up);
            all.let_go.extend(one.let_go);
            all
        })
    }
}

impl Territory {
    pub(super) fn of(scope: &Scope) -> Self {
        match scope {
            Scope::All => Self::All,
            Scope::Named(names) => Self::Named(names.iter().map(|name| (name.clone(), None)).collect()),
            Scope::Labelled(_) => Self::Chosen(Chosen::default()),
        }
    }

    /// The operator works in this namespace.
    pub(super) fn holds(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains_key(namespace),
            Self::Chosen(chosen) => chosen.namespaces.contains_key(namespace),
        }
    }

    /// Since when the operator sees the namespace, if that is later than its start.
    pub(super) fn seen_since(&self, namespace: &str) -> Option<Timestamp> {
        match self {
            Self::All => None,
            Self::Named(names) => names.get(namespace).copied().flatten(),
            Self::Chosen(chosen) => chosen.namespaces.get(namespace).copied(),
        }
    }

    /// A mandatory kind was listed for the first time at `now`, in this namespace.
    pub(super) fn opened(&mut self, namespace: &str, now: Timestamp) {
        if let Self::Named(names) = self
            && let Some(since) = names.get_mut(namespace)
        {
            *since = Some(now);
        }
    }

    /// It is known which namespaces are selected.
    pub(super) fn known(&self) -> bool {
        !matches!(self, Self::Chosen(Chosen { listed: false, .. }))
    }

    /// The watches of a kind.
    pub(super) fn watches(&self, kind: Kind) -> Vec<Watched> {
        match self {
            Self::Named(names) if !kind.cluster_wide() => {
                let in_one = |name: &String| Watched { kind, namespace: Some(name.clone()) };
                names.keys().map(in_one).collect()
            }
            _ => vec![kind.into()],
        }
    }

    /// The watch that covers objects of a kind in this namespace.
    pub(super) fn watch_in(&self, kind: Kind, namespace: &str) -> Watched {
        let own = matches!(self, Self::Named(_)) && !kind.cluster_wide();
        Watched { kind, namespace: own.then(|| namespace.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_list_says_what_was_missed() {
        let mut chosen = Chosen::default();
        let moves = |taken_up: &[&str], let_go: &[&str]| Moves {
            taken_up: taken_up.iter().map(|name| (*name).to_owned()).collect(),
            let_go: let_go.iter().map(|name| (*name).to_owned()).collect(),
        };
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(chosen.replace(&set(&["a", "b"]), at(1)), moves(&["a", "b"], &[]));
        assert_eq!(chosen.set("a", true, at(2)), moves(&[], &[]));
        assert_eq!(chosen.set("c", true, at(2)), moves(&["c"], &[]));
        assert_eq!(chosen.set("x", false, at(2)), moves(&[], &[]));
        assert_eq!(chosen.replace(&set(&["b", "d"]), at(3)), moves(&["d"], &["a", "c"]));
        let since = |chosen: &Chosen| chosen.namespaces.values().copied().collect::<Vec<_>>();
        assert_eq!(since(&chosen), [at(1), at(3)]);
        assert_eq!(chosen.set("b", false, at(4)), moves(&[], &["b"]));
        chosen.set("b", true, at(5));
        assert_eq!(since(&chosen), [at(5), at(3)], "in between it was not seen to");
    }
}
