//! The treatment of each field, from the list `data/argo-rollouts.fields`. Reports fields without a counterpart.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::Value;

use super::notes::{Level, Notes};

/// The list.
const FIELDS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/argo-rollouts.fields"));

/// Kinds with fields in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Rollout,
    /// Also `ClusterAnalysisTemplate`.
    AnalysisTemplate,
}

/// The treatment of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// None: the field is converted.
    pub(super) level: Option<Level>,
    /// Why it is not converted, and what to do.
    pub(super) reason: &'static str,
}

/// Rows by kind and path.
static ROWS: LazyLock<BTreeMap<(Kind, &str), Row>> = LazyLock::new(|| {
    let row = |line: &'static str| {
        let mut parts = line.split('\t');
        let level = match parts.next()? {
            "converted" => None,
            "none" => Some(Level::LeftOut),
            "refused" => Some(Level::Refused),
            _ => return None,
        };
        let kind = match parts.next()? {
            "Rollout" => Kind::Rollout,
            "AnalysisTemplate" => Kind::AnalysisTemplate,
            _ => return None,
        };
        Some(((kind, parts.next()?), Row { level, reason: parts.next().unwrap_or_default() }))
    };
    FIELDS.lines().filter(|line| !line.starts_with('#')).filter_map(row).collect()
});

/// The row of a path such as `spec.steps[].pause`, and whether the row covers everything below.
pub(super) fn row(kind: Kind, path: &str) -> Option<(Row, bool)> {
    if let Some(row) = ROWS.get(&(kind, path)) {
        return Some((*row, false));
    }
    let mut above = path;
    loop {
        if let Some(row) = ROWS.get(&(kind, format!("{above}.**").as_str())) {
            return Some((*row, true));
        }
        above = &above[..above.rfind('.')?];
    }
}

/// Reports the fields of an object that are not converted.
pub(super) fn walk(kind: Kind, object: &Value, notes: &mut Notes) {
    for (name, value) in object.as_object().into_iter().flatten() {
        field(kind, value, name, name, notes);
    }
}

fn field(kind: Kind, value: &Value, path: &str, shown: &str, notes: &mut Notes) {
    let found = row(kind, path);
    match found {
        Some((Row { level: Some(level), reason }, _)) => {
            notes.say(level, shown, reason);
            return;
        }
        Some((Row { level: None, .. }, true)) => return,
        _ => {}
    }
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                field(kind, value, &format!("{path}.{name}"), &format!("{shown}.{name}"), notes);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                field(kind, item, &format!("{path}[]"), &format!("{shown}[{i}]"), notes);
            }
        }
        _ if found.is_none() && !value.is_null() => {
            notes.left_out(shown, "it is no field of Argo Rollouts 1.10 that is known");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATHS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/argo-rollouts-1.10.2.paths"));

    fn paths() -> impl Iterator<Item = (Kind, &'static str)> {
        PATHS.lines().filter(|line| !line.starts_with('#')).map(|line| match line.split_once(' ') {
            Some(("Rollout", path)) => (Kind::Rollout, path),
            Some(("AnalysisTemplate", path)) => (Kind::AnalysisTemplate, path),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn every_field_of_the_schemas_has_a_row() {
        let lacking: Vec<_> = paths()
            .filter(|(kind, path)| {
                // a list or map with rows for its entries
                let below = |(of, row): &(Kind, &str)| {
                    of == kind && row.strip_prefix(path).is_some_and(|rest| rest.starts_with(['.', '[']))
                };
                row(*kind, path).is_none() && !ROWS.keys().any(below)
            })
            .collect();
        assert!(paths().count() > 2000, "the recorded list is cut off");
        assert!(lacking.is_empty(), "data/argo-rollouts.fields lacks {lacking:#?}");
    }

    #[test]
    fn every_row_is_of_a_field_that_there_is() {
        let known: Vec<_> = paths().collect();
        for (kind, row) in ROWS.keys() {
            let path = row.strip_suffix(".**").unwrap_or(row);
            let below = format!("{path}.");
            let there =
                known.iter().any(|(of, known)| of == kind && (*known == path || known.starts_with(&below)));
            assert!(there, "{kind:?} has no field {path}");
        }
    }

    #[test]
    fn every_line_is_read_and_says_why_a_field_is_not_converted() {
        let lines = FIELDS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count();
        assert_eq!(lines, ROWS.len());
        for ((kind, path), row) in ROWS.iter() {
            assert_eq!(row.level.is_none(), row.reason.is_empty(), "{kind:?} {path}");
        }
    }
}
