//! PURE. The shapes of the built-in queries, so that each router only names its series and how it tells the canary's.

/// Query text of the built-in checks, as Go templates over the functions of `analysis::template`, whose values are
/// escaped for a PromQL regular expression. Both measure the canary side only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// Percent of requests that did not fail, 0 to 100. Yields 0, not nothing, when all fail; nothing or NaN without
    /// traffic.
    pub success_rate: &'static str,
    /// Requests in the window, whatever became of them.
    pub requests: &'static str,
    /// The counters of those requests.
    pub series: &'static str,
    /// 99th percentile of request durations, in milliseconds.
    pub duration: &'static str,
    /// Name of the counter that all of them rest on.
    pub counter: &'static str,
    /// What has to be switched on for it to be there; empty, where that goes without saying.
    pub needs: &'static str,
    /// Names are put in with `_` for every character that is no letter, digit or `_`.
    pub words: bool,
}

/// [`Builtin`] queries over the series `$requests` and either a histogram (99th percentile) or a sum
/// and a count (mean), all narrowed by `$base`; `$ok` picks the requests that did not fail. `$scale` turns the duration
/// into milliseconds.
macro_rules! builtin {
    ($base:literal, $requests:literal if $ok:literal, p99 $bucket:literal $scale:literal) => {
        $crate::router::queries::Builtin {
            success_rate: $crate::router::queries::success_rate!($base, $requests, $ok),
            requests: $crate::router::queries::requests!($base, $requests),
            series: concat!($requests, "{", $base, "}"),
            duration: concat!(
                "histogram_quantile(0.99, sum(rate(",
                $bucket,
                "{",
                $base,
                "}[{{ interval }}])) by (le))",
                $scale
            ),
            counter: $requests,
            needs: "",
            words: false,
        }
    };
    ($base:literal, $requests:literal if $ok:literal, mean $sum:literal / $count:literal $scale:literal) => {
        $crate::router::queries::Builtin {
            success_rate: $crate::router::queries::success_rate!($base, $requests, $ok),
            requests: $crate::router::queries::requests!($base, $requests),
            series: concat!($requests, "{", $base, "}"),
            duration: concat!(
                "sum(rate(",
                $sum,
                "{",
                $base,
                "}[{{ interval }}])) / sum(rate(",
                $count,
                "{",
                $base,
                "}[{{ interval }}]))",
                $scale
            ),
            counter: $requests,
            needs: "",
            words: false,
        }
    };
}

/// Percent of requests that did not fail: 0, not nothing, when all fail.
macro_rules! success_rate {
    ($base:literal, $requests:literal, $ok:literal) => {
        concat!(
            "(sum(rate(",
            $requests,
            "{",
            $base,
            ",",
            $ok,
            "}[{{ interval }}])) or vector(0)) / sum(rate(",
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
