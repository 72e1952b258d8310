//! Which labels and annotations of users go along to what is made for them.

use crate::names;

/// Whether a key starts with one of `prefixes`, of which `*` is any. Keys of Flux and the mark of a Canary never go along.
pub(super) fn included(key: &str, prefixes: &[String]) -> bool {
    !key.contains(names::FLUX)
        && key != names::LABEL_CANARY
        && prefixes.iter().any(|p| p == "*" || !p.is_empty() && key.starts_with(p.as_str()))
}
