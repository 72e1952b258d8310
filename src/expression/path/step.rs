//! The parts of a path.

use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// Any of these, in their order.
    Select(Vec<Selector>),
    /// Everything below, and the value itself.
    Descend,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Selector {
    Name(String),
    /// From the end if it is negative.
    Place(i64),
    Slice {
        from: Option<i64>,
        to: Option<i64>,
        by: usize,
    },
    /// `*` after a point, or `[*]`.
    All {
        bracketed: bool,
    },
    Filter(Filter),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filter {
    pub(super) of: Vec<Key>,
    /// None: it only has to exist.
    pub(super) compares: Option<(Comparison, Value)>,
}

/// A step of the path in a filter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Key {
    Name(String),
    Place(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// Longer ones first.
pub(super) const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::Unequal),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::More),
];

/// An index into a list, counted from the end if it is negative.
pub(super) fn place(at: i64, count: usize) -> Option<usize> {
    usize::try_from(if at < 0 { at.checked_add_unsigned(count as u64)? } else { at }).ok()
}
