//! PURE. The shapes of the built-in queries, so that each router only names its series and how it tells the canary's.

/// [`Builtin`](super::Builtin) queries over the series `$requests` and either a histogram (99th percentile) or a sum
/// and a count (mean), all narrowed by `$base`; `$ok` picks the requests that did not fail. `$scale` turns the duration
/// into milliseconds.
macro_rules! builtin {
    ($base:literal, $requests:literal if $ok:literal, p99 $bucket:literal $scale:literal) => {
        $crate::router::Builtin {
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
            words: false,
        }
    };
    ($base:literal, $requests:literal if $ok:literal, mean $sum:literal / $count:literal $scale:literal) => {
        $crate::router::Builtin {
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
