//! The operator's output about itself: the log subscriber ([`init`]), the metrics ([`metrics`]) and the outcomes of
//! reconciles ([`outcome`]).
//!
//! Does not serve the metrics (`server` does) and does not decide what to report to users (`plan` does).

mod api_requests;
mod buckets;
mod canaries;
mod catalog;
mod hooks;
mod labels;
mod metrics;
mod outcome;
mod process;
mod reconcile;

use std::io;

use tracing_subscriber::EnvFilter;

pub use canaries::{Ended, Shown};
pub use catalog::{CATALOG, Described};
pub use metrics::Metrics;
pub use outcome::Outcome;
pub use reconcile::Reconcile;

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not in `tracing` syntax.
    #[error("the log filter {filter:?} cannot be read")]
    Filter {
        /// The filter as given.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Another subscriber is already in place.
    #[error("a log subscriber is already in place")]
    Installed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Checks a log filter in `tracing` syntax, e.g. `warn,serin=debug`.
pub fn check_filter(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })
}

/// Starts logging to standard error: JSON, one object a line, or text (coloured on a terminal only).
///
/// Standard output is for the output of commands. Call this once per process.
pub fn init(filter: &str, json: bool) -> Result<(), TelemetryError> {
    let builder = tracing_subscriber::fmt().with_env_filter(check_filter(filter)?).with_writer(io::stderr);
    let done = if json {
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    } else {
        builder.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).try_init()
    };
    done.map_err(TelemetryError::Installed)
}

#[cfg(test)]
mod tests;
