//! I/O leaf. Where measurements and contents come from.
//!
//! Owns the trait of metrics servers and what can go wrong with one. What to ask comes from `analysis`; what an answer
//! means is decided there too.

mod contents;
pub mod prometheus;

use futures::future::BoxFuture;

pub use contents::{ContentError, Contents};
pub use prometheus::Prometheus;

use crate::net::{NetError, Refused};

/// A kind of metrics server.
pub trait MetricSource: Send + Sync {
    /// Asks the server at an address for the present values of a query, one per series. An empty list is an answer;
    /// values may be NaN or infinite.
    fn query<'a>(&'a self, server: &'a str, query: &'a str) -> BoxFuture<'a, Result<Vec<f64>, SourceError>>;

    /// Whether the server at an address answers questions at all.
    fn ping<'a>(&'a self, server: &'a str) -> BoxFuture<'a, Result<(), SourceError>>;
}

/// Why a question has no answer. Texts name the server without credentials and never quote more than 1 KiB of what it
/// said.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The address is no `http` or `https` URL.
    #[error("{server:?} is not an http or https address")]
    Address {
        /// The address as given, without credentials.
        server: String,
    },
    /// The operator may not ask this server.
    #[error("{server}: {source}")]
    Refused {
        /// Who.
        server: String,
        /// Why, with a remedy.
        source: Refused,
    },
    /// No HTTP client could be made, e.g. for want of a crypto provider.
    #[error("asking {server}: {source}")]
    Client {
        /// Who.
        server: String,
        /// What went wrong.
        source: NetError,
    },
    /// The server understood and refused: the query is wrong.
    #[error("{server} rejected the query with status {status}: {message}")]
    Rejected {
        /// Who.
        server: String,
        /// 400 or 422.
        status: u16,
        /// What it said.
        message: String,
    },
    /// Another status than success: down, overloaded, not a Prometheus, or wants credentials.
    #[error("{server} answered with status {status}: {message}")]
    Unavailable {
        /// Who.
        server: String,
        /// HTTP status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// No connection, or one that broke.
    #[error("connecting to {server}: {source}")]
    Unreachable {
        /// Who.
        server: String,
        /// What went wrong.
        source: NetError,
    },
    /// No whole answer in time.
    #[error("{server} did not answer within {seconds} s")]
    TimedOut {
        /// Who.
        server: String,
        /// The limit.
        seconds: f64,
    },
    /// An answer past the size limit.
    #[error("the answer of {server} is larger than {limit} bytes")]
    TooLarge {
        /// Who.
        server: String,
        /// The limit.
        limit: usize,
    },
    /// Not what a Prometheus answers.
    #[error("the answer of {server} makes no sense: {message}")]
    Undecodable {
        /// Who.
        server: String,
        /// Where it fails.
        message: String,
    },
    /// The query yields a range of times, where one value per series is wanted.
    #[error("the query yields a range vector; only an instant vector or a scalar can be judged")]
    NotInstant,
}

impl SourceError {
    /// Why a request to this server has no answer.
    pub fn of(error: NetError, server: String) -> Self {
        match error {
            NetError::Address => Self::Address { server },
            NetError::Refused(source) => Self::Refused { server, source },
            NetError::Setup(_) => Self::Client { server, source: error },
            NetError::Unreachable(_) => Self::Unreachable { server, source: error },
            NetError::TimedOut(limit) => Self::TimedOut { server, seconds: limit.as_secs_f64() },
        }
    }

    /// Fixed word for metrics and Event reasons.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Address { .. } => "BadAddress",
            Self::Refused { .. } => "HostNotAllowed",
            Self::Client { .. } => "ClientSetup",
            Self::Rejected { .. } => "QueryRejected",
            Self::Unavailable { .. } => "SourceUnavailable",
            Self::Unreachable { .. } => "SourceUnreachable",
            Self::TimedOut { .. } => "SourceTimedOut",
            Self::TooLarge { .. } => "AnswerTooLarge",
            Self::Undecodable { .. } => "AnswerUndecodable",
            Self::NotInstant => "QueryNotInstant",
        }
    }

    /// Whether asking again may help without anybody changing the query or the address.
    pub fn is_transient(&self) -> bool {
        !matches!(
            self,
            Self::Address { .. }
                | Self::Refused { .. }
                | Self::Client { .. }
                | Self::Rejected { .. }
                | Self::NotInstant
        )
    }
}
