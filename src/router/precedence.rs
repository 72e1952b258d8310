//! PURE. Proxies that sort rules themselves: of two for the same path the one with more headers comes first, then the
//! one with more query parameters. A rule that has to come first by its place in the list alone may come too late.

use serde_json::{Value, json};

use super::always_never;
use crate::spec::Validated;

/// How a router's proxies sort.
#[derive(Debug)]
pub(super) struct Sorting {
    /// The routing object, for people.
    pub(super) of: &'static str,
    /// Rules with as many conditions keep their order.
    pub(super) keeps_order: bool,
}

impl Sorting {
    /// Entries of always and never that lose to a rule over which they take precedence: field paths, each with a
    /// remedy. `written`: the conditions of an entry, as its rules have them.
    pub(super) fn problems(&self, c: &Validated, written: &dyn Fn(&Value) -> Vec<Value>) -> Vec<String> {
        let ahead = |first: &Value, other: &Value| {
            written(first).iter().zip(&written(other)).all(|(first, other)| {
                let (first, other) = (rank(first), rank(other));
                first > other || first == other && self.keeps_order
            })
        };
        let of = self.of;
        let mut refused = Vec::new();
        let cookie = json!({"headers": {"cookie": {}}});
        let affine = c.analysis.session_affinity.is_some();
        for (path, _) in always_never::entries(c).filter(|(_, entry)| affine && !ahead(entry, &cookie)) {
            refused.push(format!(
                "{path}: {of} prefers rules with more headers, so that of the session cookie would take its requests: name a header in it that spec.service.match does not name, or leave sessionAffinity out"
            ));
        }
        for (index, never) in c.analysis.never.iter().enumerate() {
            let lost = |always: &Value| !apart(never, always) && !ahead(never, always);
            if let Some(other) = c.analysis.always.iter().position(lost) {
                refused.push(format!(
                    "spec.analysis.never[{index}]: {of} prefers rules with more headers, then with more query parameters, so spec.analysis.always[{other}] would take requests that match both: name more of them here, or a value there that excludes this one"
                ));
            }
        }
        refused
    }
}

/// Rules with a higher one come first.
fn rank(condition: &Value) -> (usize, usize) {
    let count = |field: &str| condition[field].as_object().map_or(0, serde_json::Map::len);
    (count("headers"), count("queryParams"))
}

/// No request matches both: they want different values of the same header or query parameter.
fn apart(a: &Value, b: &Value) -> bool {
    ["headers", "queryParams"].into_iter().any(|field| {
        let mut exact =
            a[field].as_object().into_iter().flatten().filter(|(_, way)| way["exact"].is_string());
        exact.any(|(name, way)| {
            let other = &b[field][name]["exact"];
            other.is_string() && *other != way["exact"]
        })
    })
}
