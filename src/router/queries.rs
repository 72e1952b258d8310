//! PURE. The forms of the built-in queries, so that each router only defines its series and how to recognise the
//! canary's.

use crate::api::Reporter;

/// Query text of the built-in checks, as Go templates over the functions of `analysis::template`, whose values are
/// escaped for a PromQL regular expression. In addition to those functions there are `{{ side }}`, the Service of the
/// measured side, `{{ pod }}`, a regular expression for the names of its pods, `{{ other pod }}`, one for names of the
/// other side's pods that begin in the same way, `{{ workload }}`, the measured workload's kind in lower case, and
/// `{{ promoted }}`, the promoted revision of a Knative Service. Both measure only the canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// Percent of requests that did not fail, 0 to 100. Returns 0, not nothing, if all fail; nothing or NaN without
    /// traffic.
    pub success_rate: &'static str,
    /// Requests in the window, with any result.
    pub requests: &'static str,
    /// The counters of those requests, as selectors.
    pub series: &'static [&'static str],
    /// The same of the primary; empty if they differ in its names only.
    pub primary_series: &'static [&'static str],
    /// 99th percentile of request durations, in milliseconds.
    pub duration: &'static str,
    /// Name of the counter that all of them use.
    pub counter: &'static str,
    /// What has to be enabled for it to exist; empty if nothing.
    pub needs: &'static str,
    /// Another reason for missing values: failures that are not counted there. Empty if Flagger's text is right.
    pub unseen: &'static str,
    /// The counters of those durations: the buckets of the histogram, or the count beside the sum.
    pub duration_series: &'static [&'static str],
    /// Names are inserted with `_` for every character other than letters, digits and `_`.
    pub words: bool,
    /// Counters of all requests and of failed ones, if comparisons are possible.
    pub counts: Option<&'static Counted>,
    /// The same from the reports of the callers, if they report.
    pub by_source: Option<&'static Self>,
    /// The same from the reports of both ends, with no request counted twice.
    pub by_both: Option<&'static Self>,
}

/// Counters of requests, as selectors over the same functions as [`Builtin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// All requests of the measured side.
    pub all: &'static str,
    /// Failed requests, in selectors that have no series in common.
    pub bad: &'static [&'static str],
    /// The pods count, not proxies that are older than the run.
    pub of_pods: bool,
}

impl Builtin {
    /// The queries for these reports; if there is no choice, the only ones.
    pub(crate) fn reported_by(&self, reporter: Reporter) -> &Self {
        match reporter {
            Reporter::Destination => None,
            Reporter::Source => self.by_source,
            Reporter::Both => self.by_both,
        }
        .unwrap_or(self)
    }
}

/// Another reason for missing values with most proxies.
pub(super) const UNENDED: &str = "none of its requests has ended, and only then are they counted";
/// The same for Envoy's clusters.
pub(super) const UNANSWERED: &str =
    "it answers none of its requests: those that their callers give up are not counted";

/// `increase` instead of `rate`: in ratios and quantiles both give the same number, but for a young series some servers
/// divide by its age instead of the window.
///
/// [`Builtin`] queries over the series `$requests` and either a histogram (99th percentile), whose series may need a matcher
/// of their own, `$of`, or a sum and a count (mean), all narrowed by `$base`; `$ok` selects the requests that did not fail.
/// `$scale` converts the duration to milliseconds.
macro_rules! builtin {
    ($base:literal, $requests:literal if $ok:literal, p99 $bucket:literal of $of:literal $scale:literal) => {
        $crate::router::queries::Builtin {
            duration: concat!(
                "histogram_quantile(0.99, sum(increase(",
                $bucket,
                "{",
                $base,
                ",",
                $of,
                "}[{{ interval }}])) by (le))",
                $scale
            ),
            duration_series: &[concat!($bucket, "{", $base, ",", $of, "}")],
            ..$crate::router::queries::builtin!($base, $requests if $ok, p99 $bucket $scale)
        }
    };
    ($base:literal, $requests:literal if $ok:literal, p99 $bucket:literal $scale:literal) => {
        $crate::router::queries::Builtin {
            success_rate: $crate::router::queries::success_rate!($base, $requests, $ok),
            requests: $crate::router::queries::requests!($base, $requests),
            series: &[concat!($requests, "{", $base, "}")],
            primary_series: &[],
            duration: concat!(
                "histogram_quantile(0.99, sum(increase(",
                $bucket,
                "{",
                $base,
                "}[{{ interval }}])) by (le))",
                $scale
            ),
            counter: $requests,
            needs: "",
            unseen: $crate::router::queries::UNENDED,
            duration_series: &[concat!($bucket, "{", $base, "}")],
            words: false,
            counts: None,
            by_source: None,
            by_both: None,
        }
    };
    ($base:literal, $requests:literal if $ok:literal, mean $sum:literal / $count:literal $scale:literal) => {
        $crate::router::queries::Builtin {
            success_rate: $crate::router::queries::success_rate!($base, $requests, $ok),
            requests: $crate::router::queries::requests!($base, $requests),
            series: &[concat!($requests, "{", $base, "}")],
            primary_series: &[],
            duration: concat!(
                "sum(increase(",
                $sum,
                "{",
                $base,
                "}[{{ interval }}])) / sum(increase(",
                $count,
                "{",
                $base,
                "}[{{ interval }}]))",
                $scale
            ),
            counter: $requests,
            needs: "",
            unseen: $crate::router::queries::UNENDED,
            duration_series: &[concat!($count, "{", $base, "}")],
            words: false,
            counts: None,
            by_source: None,
            by_both: None,
        }
    };
}

/// Percent of requests that did not fail: 0, not nothing, if all fail.
macro_rules! success_rate {
    ($base:literal, $requests:literal, $ok:literal) => {
        concat!(
            "(sum(increase(",
            $requests,
            "{",
            $base,
            ",",
            $ok,
            "}[{{ interval }}])) or vector(0)) / sum(increase(",
            $requests,
            "{",
            $base,
            "}[{{ interval }}])) * 100"
        )
    };
}

/// Requests in the window.
macro_rules! requests {
    ($base:literal, $requests:literal) => {
        concat!("sum(increase(", $requests, "{", $base, "}[{{ interval }}]))")
    };
}

pub(super) use {builtin, requests, success_rate};
