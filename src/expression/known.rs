//! Conditions that were read before, by their text: so each is read once for each spec, and not at every look.

use std::{collections::BTreeMap, sync::Arc};

use super::condition::Condition;

type Read = Result<Arc<Condition>, String>;

/// Conditions by their text, with those that cannot be read. Cheap to clone. What is not among them is read when it is
/// asked for: so they decide how long an answer takes, never what it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known(Arc<BTreeMap<String, Read>>);

impl Known {
    /// These texts and no others; what was known before is not read again.
    #[must_use]
    pub fn with<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Self {
        Self(Arc::new(texts.map(|text| (text.to_owned(), self.get(text))).collect()))
    }

    /// The condition of this text.
    ///
    /// # Errors
    /// What is wrong with it, in a line.
    pub fn get(&self, text: &str) -> Result<Arc<Condition>, String> {
        self.0.get(text).cloned().unwrap_or_else(|| Condition::parse(text).map(Arc::new))
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_once_as_long_as_it_stands() {
        let first = Known::default().with(["result > 1", "result >"].into_iter());
        let next = first.with(["result > 2", "result > 1"].into_iter());
        let of = |known: &Known, text: &str| known.get(text).unwrap();
        assert!(Arc::ptr_eq(&of(&first, "result > 1"), &of(&next, "result > 1")));
        let gone = next.with(["result > 2"].into_iter()).with(["result > 1"].into_iter());
        assert!(!Arc::ptr_eq(&of(&first, "result > 1"), &of(&gone, "result > 1")), "kept without need");
        assert_eq!(gone, Known::default().with(["result > 1"].into_iter()));
        assert!(gone.with(std::iter::empty()).is_empty());
    }

    #[test]
    fn what_is_not_known_says_the_same() {
        let known = Known::default().with(["result >", "result > 1"].into_iter());
        for text in ["result >", "result > 1"] {
            assert_eq!(known.get(text), Known::default().get(text), "{text}");
        }
        assert!(known.get("result >").is_err());
    }
}
