//! What is looked at.

/// A file, or what was read from standard input.
#[derive(Clone, Debug)]
pub struct Source {
    /// As it is shown.
    pub name: String,
    /// What it holds.
    pub text: String,
}
