//! PURE. A row of the list: a view without what only the page of one Canary shows.

use serde_json::Value;

use crate::view::CanaryView;

/// Fields that a row does not have.
const LEFT_OUT: [&str; 10] = [
    "checks",
    "images",
    "objects",
    "conditions",
    "events",
    "actions",
    "request",
    "lastRun",
    "unread",
    "revision",
];

/// The row.
pub(super) fn row(view: &CanaryView) -> Value {
    let mut row = serde_json::to_value(view).unwrap_or_default();
    if let Some(fields) = row.as_object_mut() {
        fields.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
        fields.insert("word".into(), view.state.word(&view.phase).into());
        fields.insert("needsAttention".into(), view.needs_attention().into());
    }
    row
}
