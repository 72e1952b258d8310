//! PURE. The requests in `analysis.always` and `analysis.never`: they are routed to one side for the whole run,
//! whatever the weights. Knows which they are and when they apply; each router renders its own rules for them. Also
//! finds entries of these lists, and of `analysis.match`, that name no requests.

use serde_json::Value;

use super::{
    route::{Side, cannot},
    split::Split,
};
use crate::spec::Validated;

/// The lists that apply under `want`, each with its side. The first one counts for a request that
/// matches both.
pub(super) fn lists(c: &Validated, want: Split) -> Vec<(&[Value], Side)> {
    let lists = [(&c.analysis.never, Side::Primary), (&c.analysis.always, Side::Canary)];
    let said = lists.into_iter().filter(|(list, _)| want.is_pinned() && !list.is_empty());
    said.map(|(list, side)| (list.as_slice(), side)).collect()
}

/// Name of the Service on a side.
pub(super) fn service(c: &Validated, side: Side) -> &str {
    match side {
        Side::Primary => &c.names.primary_service,
        Side::Canary => &c.names.canary_service,
    }
}

/// The live rules begin with `rules`, comparing only `conditions`, the field that selects requests.
pub(super) fn in_force(live: &[Value], rules: &[Value], conditions: &str) -> bool {
    let same = rules.iter().zip(live).all(|(rule, live)| rule[conditions] == live[conditions]);
    !rules.is_empty() && live.len() > rules.len() && same
}

/// Every entry of both lists with its field path.
pub(super) fn entries(c: &Validated) -> impl Iterator<Item = (String, &Value)> {
    let lists = [("always", &c.analysis.always), ("never", &c.analysis.never)];
    lists.into_iter().flat_map(|(field, list)| {
        let path = move |(index, entry)| (format!("spec.analysis.{field}[{index}]"), entry);
        list.iter().enumerate().map(path)
    })
}

/// Which of them make no sense, for any router: field paths, each with a remedy.
pub(super) fn problems(c: &Validated) -> Vec<String> {
    let mut refused = Vec::new();
    if !c.analysis.match_.is_empty() {
        let why = "cannot be had together with spec.analysis.match, which says already who may get the canary: leave one of them out";
        refused.extend(cannot(c, &["always", "never"], why));
    }
    let fields = ["headers", "queryParams", "sourceLabels"];
    let says_nothing = |entry: &Value| {
        fields.iter().all(|field| entry[field].as_object().is_none_or(serde_json::Map::is_empty))
    };
    let matches = c.analysis.match_.iter().enumerate();
    // conditions that the schema does not have were removed by the API server, and may leave an empty entry
    let matches = matches.map(|(index, entry)| (format!("spec.analysis.match[{index}]"), entry));
    for (path, _) in matches.chain(entries(c)).filter(|(_, entry)| says_nothing(entry)) {
        refused.push(format!("{path}: names no header: every request would be meant"));
    }
    refused
}
