//! Names of the built-in checks, including the old ones of the first API versions.

/// Share of answers that are not server errors, in percent.
pub const SUCCESS_RATE: &str = "request-success-rate";
/// 99th percentile of the request duration, in milliseconds.
pub const DURATION: &str = "request-duration";

/// The current name of a built-in check, from that name or the one of `flagger.app/v1alpha2`.
pub fn canonical(name: &str) -> Option<&'static str> {
    match name {
        SUCCESS_RATE | "istio_requests_total" => Some(SUCCESS_RATE),
        DURATION | "istio_request_duration_seconds_bucket" => Some(DURATION),
        _ => None,
    }
}
