//! Why a request has no answer.

use std::{error::Error, time::Duration};

use crate::outbound::Refused;

/// Why there is no answer. No text holds credentials or what a server said.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetError {
    /// No `http` or `https` URL.
    #[error("it is no http or https URL")]
    Address,
    /// Not to be asked.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The CA is not PEM.
    #[error("the CA holds no PEM certificate")]
    Authority,
    /// No HTTP client could be made, e.g. for want of a crypto provider.
    #[error("setting up the HTTP client: {}", causes(.0))]
    Setup(#[source] reqwest::Error),
    /// No connection, or one that broke.
    #[error("{}", causes(.0))]
    Unreachable(#[source] reqwest::Error),
    /// No whole answer in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
}

/// An error with all its causes.
fn causes(error: &reqwest::Error) -> String {
    chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

pub(super) fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |&cause| cause.source())
}
