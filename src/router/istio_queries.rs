//! PURE. Istio's requests as reported at both ends. The destination's report contains what reached a pod; the source's,
//! of a sidecar or a gateway, contains what users got: also refused connections, resets, timeouts and requests without
//! an endpoint.
//!
//! A call by gRPC that fails is an answer with code 200 and a status of its own, which Istio reports. Those that count as
//! failures are those of the server, as Linkerd has them: unknown, deadline exceeded, internal, unavailable, data loss. Envoy
//! also reports a stream that its caller cancelled as unknown (2), with a flag for that: such a stream is no failure.

use super::queries::{Builtin, Counted, builtin};

macro_rules! destination {
    ($series:literal) => {
        concat!(
            $series,
            r#"{reporter="destination",destination_workload_namespace="{{ namespace }}",destination_workload=~"{{ target }}"}"#
        )
    };
    ($series:literal, $of:expr) => {
        concat!(
            $series,
            r#"{reporter="destination",destination_workload_namespace="{{ namespace }}",destination_workload=~"{{ target }}","#,
            $of,
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
    ($series:literal, $of:expr) => {
        concat!(
            $series,
            r#"{reporter="source",destination_service_namespace="{{ namespace }}",destination_service_name=~"{{ side }}","#,
            $of,
            "}"
        )
    };
}

/// Answers that are no failures, neither by their code nor by a status of gRPC.
macro_rules! good {
    () => {
        r#"response_code!~"5.*",grpc_response_status!~"2|4|13|14|15""#
    };
}

/// Streams that their callers cancelled.
macro_rules! cancelled {
    () => {
        r#"response_code!~"5.*",grpc_response_status=~"2|4|13|14|15",response_flags=~"DC|DR""#
    };
}

/// Failures by their status of gRPC alone.
macro_rules! failed_call {
    () => {
        r#"response_code!~"5.*",grpc_response_status=~"2|4|13|14|15",response_flags!~"DC|DR""#
    };
}

/// Growth of the counters of requests that did not fail, as reported at this end.
macro_rules! passed {
    ($end:ident) => {
        concat!(
            "increase(",
            $end!("istio_requests_total", good!()),
            "[{{ interval }}]) or increase(",
            $end!("istio_requests_total", cancelled!()),
            "[{{ interval }}])"
        )
    };
}

/// The success rate from the reports of this end: 0, not nothing, if all fail.
macro_rules! success_rate {
    ($end:ident) => {
        concat!(
            "(sum(",
            passed!($end),
            ") or vector(0)) / sum(increase(",
            $end!("istio_requests_total"),
            "[{{ interval }}])) * 100"
        )
    };
}

/// From the reports of the destination alone, as in Flagger; `spec.analysis.reporter` chooses the others.
pub(super) const QUERIES: Builtin = Builtin {
    success_rate: success_rate!(destination),
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
    success_rate: success_rate!(source),
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
    bad: &[
        destination!("istio_requests_total", r#"response_code=~"5.*""#),
        destination!("istio_requests_total", failed_call!()),
    ],
    of_pods: true,
};
const AT_CALLERS: Counted = Counted {
    all: source!("istio_requests_total"),
    bad: &[
        source!("istio_requests_total", r#"response_code=~"5.*""#),
        source!("istio_requests_total", failed_call!()),
    ],
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

/// The same for requests that did not fail.
macro_rules! passed_by_caller {
    ($end:ident) => {
        concat!("sum by (source_workload, source_workload_namespace) (", passed!($end), ")")
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
        passed_by_caller!(source),
        " and ",
        reporting!(),
        ") or (",
        passed_by_caller!(destination),
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
