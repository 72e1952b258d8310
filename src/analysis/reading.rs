//! What came back for a query, and what the answer to a built-in one is not to be trusted for. Such a query asks along
//! whether its counters were reset, and, while its window reaches back to before the step, whether there is a sample of the
//! step at all: nobody is let through on what was measured before. Other queries cannot be read that closely.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    provider_kinds,
    query::{Ask, Query, Role},
};

/// What came back for a query.
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
    /// Known to be bad without any value: why.
    Bad(String),
    /// The server answered that there is nothing: why.
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
}

/// Why there is no usable answer.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// In our words: fit for status and logs.
    pub why: String,
    /// With the server's words in it, where it said something: for Events only.
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

/// Our words only, so that whatever prints it repeats nobody.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

/// A reason not to trust good values of a built-in check; what is bad is bad all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Doubt {
    /// All samples are of the time before the step.
    Early,
    /// A counter was reset within the window.
    Reset,
}

impl Doubt {
    /// The label of a series that stands for a doubt, beside those with the values.
    pub const LABEL: &'static str = "serin_doubt";

    /// What a series with this value of the label stands for.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Early, Self::Reset].into_iter().find(|doubt| doubt.word() == word)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Early => "early",
            Self::Reset => "reset",
        }
    }

    /// In words.
    pub fn why(self) -> &'static str {
        match self {
            Self::Early => "there is no sample of the step yet",
            Self::Reset => "a counter was reset within its window",
        }
    }

    /// PromQL that yields a series for this doubt if `condition` yields one without labels.
    fn asked(self, condition: &str) -> String {
        format!(r#"label_replace({condition}, "{}", "{}", "", "")"#, Self::LABEL, self.word())
    }
}

/// The query asks along what it is not to be trusted for, at a step that `began` then. Others than built-in ones stay as
/// they are.
#[must_use]
pub(crate) fn doubting(query: Query, began: Timestamp, now: Timestamp) -> Query {
    let Some(series) = &query.series else { return query };
    let mut doubts = vec![Doubt::Reset.asked(&format!("sum(resets({series}[{}])) > 0", query.window))];
    let window =
        SignedDuration::try_from(provider_kinds::window(&query.window)).unwrap_or(SignedDuration::MAX);
    if now.duration_since(began) < window {
        let millis = began.as_millisecond();
        let since = format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000));
        let condition = format!("vector(1) unless on() (max(timestamp({series})) >= {since})");
        doubts.push(Doubt::Early.asked(&condition));
    }
    Query { doubts, ..query }
}

/// The text that is sent for a query.
pub(crate) fn sent(query: &Query) -> String {
    match query.doubts.as_slice() {
        [] => query.promql.clone(),
        doubts => format!("({}) or {}", query.promql, doubts.join(" or ")),
    }
}

/// The metric at this position was measured before there was a sample of the step.
pub(crate) fn early(at: usize, asks: &[Ask], readings: &std::collections::BTreeMap<usize, Reading>) -> bool {
    let mut mine = asks.iter().enumerate().filter(|(_, ask)| ask.metric == at && ask.role == Role::Value);
    mine.any(|(index, _)| matches!(readings.get(&index), Some(Reading::Doubted { doubt: Doubt::Early, .. })))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        analysis::{Checks, asks},
        manifest::fixture,
        router,
    };

    fn query(metric: serde_json::Value) -> Query {
        let metrics = vec![serde_json::from_value(metric).unwrap()];
        let checks = Checks { metrics, ..Checks::default() };
        let builtin = router::by_name("istio").unwrap().queries();
        asks(&fixture::canary(&json!({})), &checks, builtin).remove(0).query.unwrap()
    }

    #[test]
    fn f55_built_in_checks_ask_for_resets_and_for_a_sample_of_the_step() {
        let began = Timestamp::from_millisecond(1_700_000_000_250).unwrap();
        let series = r#"istio_requests_total{reporter="destination",destination_workload_namespace="test",destination_workload=~"podinfo"}"#;
        let reset =
            format!(r#"label_replace(sum(resets({series}[1m])) > 0, "serin_doubt", "reset", "", "")"#);
        let early = format!(
            r#"label_replace(vector(1) unless on() (max(timestamp({series})) >= 1700000000.250), "serin_doubt", "early", "", "")"#
        );
        for name in ["request-success-rate", "request-duration"] {
            let plain = query(json!({"name": name}));
            assert_eq!(sent(&plain), plain.promql);
            let at = |seconds| doubting(plain.clone(), began, began + SignedDuration::from_secs(seconds));
            assert_eq!(sent(&at(59)), format!("({}) or {reset} or {early}", plain.promql));
            // the whole window lies within the step
            assert_eq!(sent(&at(60)), format!("({}) or {reset}", plain.promql));
        }
    }

    #[test]
    fn queries_of_users_are_sent_as_they_are() {
        let own = query(json!({"name": "mine", "query": "up"}));
        let began = Timestamp::UNIX_EPOCH;
        assert_eq!(sent(&doubting(own, began, began)), "up");
    }

    #[test]
    fn x4_what_is_printed_of_a_failure_repeats_nobody() {
        let failure = Failure { why: "status 500".into(), quote: Some("status 500: m4rker".into()) };
        assert_eq!(format!("{failure:?}"), "\"status 500\"");
    }
}
