//! The answer to a query.

use std::fmt;

use serde::Serialize;

use super::doubt::Doubt;

/// The answer to a query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Reading {
    /// One value per series; may be empty or hold NaN.
    Values(Vec<f64>),
    /// The same, and a reason not to trust good ones.
    Doubted {
        /// One value per series.
        values: Vec<f64>,
        /// The reason.
        doubt: Doubt,
    },
    /// Known to be bad without a value, and why.
    Bad(String),
    /// The server answered that there is no data, and why.
    NoData(String),
    /// No usable answer.
    Failed(Failure),
}

impl Reading {
    /// The values, if there are any.
    pub(super) fn values(&self) -> &[f64] {
        match self {
            Self::Values(values) | Self::Doubted { values, .. } => values,
            Self::Bad(_) => &[0.0],
            Self::NoData(_) | Self::Failed(_) => &[],
        }
    }

    /// There are no values because the check does not read the form in which they are stored.
    pub(super) fn is_unreadable(&self) -> bool {
        matches!(self, Self::Doubted { values, doubt: Doubt::Native } if values.is_empty())
    }
}

/// Why there is no usable answer.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// In our own words: safe for status and logs.
    pub why: String,
    /// With the server's words in it, if it sent any: for Events only.
    pub quote: Option<String>,
}

impl From<&str> for Failure {
    fn from(why: &str) -> Self {
        why.to_owned().into()
    }
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self { why, quote: None }
    }
}

/// Our words only, so that printing it never repeats a server.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x4_what_is_printed_of_a_failure_repeats_no_server() {
        let failure = Failure { why: "status 500".into(), quote: Some("status 500: m4rker".into()) };
        assert_eq!(format!("{failure:?}"), "\"status 500\"");
    }
}
