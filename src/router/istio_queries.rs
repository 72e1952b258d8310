//! PURE. Istio's requests as reported at both ends. The destination's report contains what reached a pod; the source's,
//! of a sidecar or a gateway, contains what users got: also refused connections, resets, timeouts and requests without
//! an endpoint.

use super::queries::{Builtin, Counted, builtin};

macro_rules! destination {
    ($series:literal) => {
        concat!(
            $series,
            r#"{reporter="destination",destination_workload_namespace="{{ namespace }}",destination_workload=~"{{ target }}"}"#
        )
    };
    ($series:literal, $ok:literal) => {
        concat!(
            $series,
            r#"{reporter="destination",destination_workload_namespace="{{ namespace }}",destination_workload=~"{{ target }}","#,
            $ok,
            "}"
        )
    };
}

macro_rules! source {
    ($series:literal) => {
        concat!(
            $series,
            r#"{reporter="source",destination_service_namespace="{{ namespace }}",destination_service_name=~"{{ side }}"}"#
        )
    };
    ($series:literal, $ok:literal) => {
        concat!(
            $series,
            r#"{reporter="source",destination_service_namespace="{{ namespace }}",destination_service_name=~"{{ side }}","#,
            $ok,
            "}"
        )
    };
}

/// From the reports of the destination alone, as in Flagger; `spec.analysis.reporter` chooses the others.
pub(super) const QUERIES: Builtin = Builtin {
    unseen: "",
    counts: Some(&AT_PODS),
    by_source: Some(&SOURCE),
    by_both: Some(&BOTH),
    ..builtin!(
        r#"reporter="destination",destination_workload_namespace="{{ namespace }}",destination_workload=~"{{ target }}""#,
        "istio_requests_total" if r#"response_code!~"5.*""#,
        p99 "istio_request_duration_milliseconds_bucket" ""
    )
};

/// The source always knows the Service that it called, but the workload only if it reached one.
const SOURCE: Builtin = Builtin {
    counts: Some(&AT_CALLERS),
    ..builtin!(
        r#"reporter="source",destination_service_namespace="{{ namespace }}",destination_service_name=~"{{ side }}""#,
        "istio_requests_total" if r#"response_code!~"5.*""#,
        p99 "istio_request_duration_milliseconds_bucket" ""
    )
};

/// The counters of comparisons: the reports of one end. Which of two reports a caller has may change from look to look,
/// so a choice between them would count some requests twice.
const AT_PODS: Counted = Counted {
    all: destination!("istio_requests_total"),
    bad: destination!("istio_requests_total", r#"response_code=~"5.*""#),
    of_pods: true,
};
const AT_CALLERS: Counted = Counted {
    all: source!("istio_requests_total"),
    bad: source!("istio_requests_total", r#"response_code=~"5.*""#),
    of_pods: false,
};

/// Growth of a counter, for each caller.
macro_rules! by_caller {
    ($selector:expr) => {
        concat!(
            "sum by (source_workload, source_workload_namespace) (increase(",
            $selector,
            "[{{ interval }}]))"
        )
    };
}

/// The callers that report their calls.
macro_rules! reporting {
    () => {
        concat!("(", by_caller!(source!("istio_requests_total")), " > 0)")
    };
}

/// All requests: for each caller its own report, or that of the destination if it has none.
macro_rules! all {
    () => {
        concat!("sum(", reporting!(), " or ", by_caller!(destination!("istio_requests_total")), ")")
    };
}

const BOTH: Builtin = Builtin {
    success_rate: concat!(
        "(sum((",
        by_caller!(source!("istio_requests_total", r#"response_code!~"5.*""#)),
        " and ",
        reporting!(),
        ") or (",
        by_caller!(destination!("istio_requests_total", r#"response_code!~"5.*""#)),
        " unless ",
        reporting!(),
        ")) or vector(0)) / ",
        all!(),
        " * 100"
    ),
    requests: all!(),
    series: &[destination!("istio_requests_total"), source!("istio_requests_total")],
    primary_series: &[],
    counter: "istio_requests_total",
    needs: "",
    unseen: "",
    duration: concat!(
        "histogram_quantile(0.99, sum by (le) ((sum by (le, source_workload, source_workload_namespace) (increase(",
        source!("istio_request_duration_milliseconds_bucket"),
        "[{{ interval }}])) and on (source_workload, source_workload_namespace) ",
        reporting!(),
        ") or (sum by (le, source_workload, source_workload_namespace) (increase(",
        destination!("istio_request_duration_milliseconds_bucket"),
        "[{{ interval }}])) unless on (source_workload, source_workload_namespace) ",
        reporting!(),
        ")))"
    ),
    duration_series: &[
        destination!("istio_request_duration_milliseconds_bucket"),
        source!("istio_request_duration_milliseconds_bucket"),
    ],
    words: false,
    counts: Some(&AT_PODS),
    by_source: None,
    by_both: None,
};
