//! The input of a check.

/// A file, or standard input.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name to show.
    pub name: String,
    /// The contents.
    pub text: String,
}
