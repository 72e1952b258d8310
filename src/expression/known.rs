//! Conditions that were parsed before, by their text: each is parsed once for each spec, not at every check.

use std::{collections::BTreeMap, sync::Arc};

use super::condition::Condition;

type Read = Result<Arc<Condition>, String>;

/// Conditions by their text, including invalid ones. Cheap to clone. Others are parsed when they are
/// needed, so this only affects how long an answer takes, never the answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known(Arc<BTreeMap<String, Read>>);

impl Known {
    /// Exactly these texts; known ones are not parsed again.
    #[must_use]
    pub fn with<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Self {
        Self(Arc::new(texts.map(|text| (text.to_owned(), self.get(text))).collect()))
    }

    /// The condition of this text.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
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
