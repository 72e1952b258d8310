//! Errors of queries to a metrics server.

use std::time::Duration;

use crate::{
    analysis::{Doubt, NO_VALUES, args::PLAIN},
    net::{NetError, Refused},
};

/// Why a query has no answer. Texts name the server without credentials and contain none of its words: those are in
/// [`quoting`](SourceError::quoting).
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// The address is not an `http` or `https` URL.
    #[error("{server:?} is not an http or https address")]
    Address {
        /// The given address, without credentials.
        server: String,
    },
    /// The operator may not contact this server.
    #[error("{server}: {source}")]
    Refused {
        /// The server.
        server: String,
        /// Why, with a remedy.
        source: Refused,
    },
    /// No HTTP client could be created, e.g. because there is no crypto provider.
    #[error("asking {server}: {source}")]
    Client {
        /// The server.
        server: String,
        /// The error.
        source: NetError,
    },
    /// Something that the query needs is missing from its MetricTemplate, or invalid.
    #[error("{message}")]
    Unusable {
        /// Field and remedy.
        message: String,
    },
    /// The named Secret does not exist.
    #[error("Secret {secret} does not exist, but {named_by} names it: create it or correct the name")]
    SecretMissing {
        /// `namespace/name`.
        secret: String,
        /// The object and field that name it.
        named_by: String,
    },
    /// The Secret lacks a key, or its value is not text.
    #[error("Secret {secret}, which {named_by} names, has no {key}: add it under data")]
    KeyMissing {
        /// `namespace/name`.
        secret: String,
        /// The object and field that name it.
        named_by: String,
        /// The key, or those of which one is enough.
        key: String,
    },
    /// A Secret of this type must not be used in a query.
    #[error(
        "Secret {secret}, which {named_by} names, is of the type {type_}, which gives no arguments: put the value into a Secret of the type Opaque"
    )]
    NotForQueries {
        /// `namespace/name`.
        secret: String,
        /// The object and field that name it.
        named_by: String,
        /// Its type.
        type_: String,
    },
    /// A value from a Secret could change the query of another namespace's MetricTemplate.
    #[error(
        "Secret {secret}, which {named_by} names, holds characters under {key} that could change the query of a MetricTemplate of namespace {lender}: only {PLAIN} may stand there"
    )]
    NotPlain {
        /// `namespace/name`.
        secret: String,
        /// The object and field that name it.
        named_by: String,
        /// The key.
        key: String,
        /// The owner of the MetricTemplate.
        lender: String,
    },
    /// The API server does not return the Secret.
    #[error("Secret {secret}, which {named_by} names, cannot be read: {message}")]
    SecretUnread {
        /// `namespace/name`.
        secret: String,
        /// The object and field that name it.
        named_by: String,
        /// The API server's message.
        message: String,
    },
    /// The operator has no identity of its own in a cloud, or cannot obtain it.
    #[error("no credentials for {cloud}: {message}")]
    Identity {
        /// The cloud.
        cloud: &'static str,
        /// The error.
        message: String,
    },
    /// The server refuses the query as wrong.
    #[error("{server} rejected the query with status {status}")]
    Rejected {
        /// The server.
        server: String,
        /// 400 or 422.
        status: u16,
        /// Its answer, as far as it may be repeated.
        said: String,
    },
    /// An unsuccessful status: down, overloaded, not such a server, or it wants credentials.
    #[error("{server} answered with status {status}{}", hint(*.status))]
    Unavailable {
        /// The server.
        server: String,
        /// HTTP status.
        status: u16,
        /// Its answer, as far as it may be repeated.
        said: String,
    },
    /// A different kind of server answers there.
    #[error(
        "there is no Prometheus at {server}: it answered with status {status} and not in the form of Prometheus' API; \
         correct the address, with the path before /api/v1"
    )]
    NoPrometheus {
        /// The server.
        server: String,
        /// HTTP status.
        status: u16,
        /// Its answer, as far as it may be repeated.
        said: String,
    },
    /// The server asks for fewer queries.
    #[error("{server} answered with status {status}: too many queries, so the next ones are delayed")]
    RateLimited {
        /// The server.
        server: String,
        /// HTTP status.
        status: u16,
        /// Its answer, as far as it may be repeated.
        said: String,
        /// How long to wait before the next query, if the server states it.
        retry_after: Option<Duration>,
    },
    /// No connection, or one that broke.
    #[error("connecting to {server}: {source}")]
    Unreachable {
        /// The server.
        server: String,
        /// The error.
        source: NetError,
    },
    /// The API server could not forward the query.
    #[error("{server} cannot be asked: {why}")]
    Unasked {
        /// The server.
        server: String,
        /// The error.
        why: String,
    },
    /// No complete answer in time.
    #[error("{server} did not answer within {seconds} s")]
    TimedOut {
        /// The server.
        server: String,
        /// The limit.
        seconds: f64,
    },
    /// The query had to wait for too long.
    #[error(
        "too many questions of this namespace are under way: use fewer metrics, or servers that answer sooner"
    )]
    Crowded,
    /// An answer above the size limit.
    #[error("the answer of {server} is larger than {limit} bytes")]
    TooLarge {
        /// The server.
        server: String,
        /// The limit.
        limit: usize,
    },
    /// The answer does not have this kind of server's format.
    #[error("the answer of {server} cannot be read: {why}")]
    Undecodable {
        /// The server.
        server: String,
        /// The problem with the answer.
        why: String,
        /// The odd part, as far as it may be repeated.
        said: String,
    },
    /// Part of the data may be missing.
    #[error("the answer of {server} comes with warnings: a part of the data may be missing")]
    Warned {
        /// The server.
        server: String,
        /// The warnings, as far as they may be repeated.
        said: String,
    },
    /// The server answers, and warns that the query does not do what it seems to do.
    #[error("{server} warns that the query is not right, so that its values are not used: correct the query")]
    QueryWarned {
        /// The server.
        server: String,
        /// The warnings, as far as they may be repeated.
        said: String,
    },
    /// There are values, and a reason not to trust good ones.
    #[error("the values are in doubt: {}", .doubt.why())]
    Doubtful {
        /// One value for each series.
        values: Vec<f64>,
        /// The reason.
        doubt: Doubt,
    },
    /// There is no value, although there is a sample: too few for a rate.
    #[error(
        "{NO_VALUES}, though there is a sample: none of its series has two within {seconds} s, so the metric's interval is \
         shorter than two scrapes take: give it a longer one"
    )]
    Sparse {
        /// The interval of the metric.
        seconds: f64,
    },
    /// The query returns a range of times, but one value per series is needed.
    #[error("the query yields a range vector; only an instant vector or a scalar can be judged")]
    NotInstant,
}

/// What to do about a lasting status.
fn hint(status: u16) -> &'static str {
    match status {
        300..=399 => ": redirects are not followed, so correct the address to the one that it leads to",
        _ => "",
    }
}

impl SourceError {
    /// Why a request to this server has no answer.
    pub(crate) fn of(error: NetError, server: String) -> Self {
        match error {
            NetError::Address => Self::Address { server },
            NetError::Refused(source) => Self::Refused { server, source },
            NetError::Authority | NetError::Setup(_) => Self::Client { server, source: error },
            NetError::Unreachable(_) | NetError::Unconnected => Self::Unreachable { server, source: error },
            NetError::TimedOut(limit) => Self::TimedOut { server, seconds: limit.as_secs_f64() },
        }
    }

    /// The text followed by the server's words, if they may be repeated: for Events, not for status or logs.
    pub(crate) fn quoting(&self) -> String {
        match self {
            Self::Rejected { said, .. }
            | Self::Unavailable { said, .. }
            | Self::RateLimited { said, .. }
            | Self::NoPrometheus { said, .. }
            | Self::Undecodable { said, .. }
            | Self::Warned { said, .. }
            | Self::QueryWarned { said, .. }
                if !said.is_empty() =>
            {
                format!("{self}: {said}")
            }
            _ => self.to_string(),
        }
    }

    /// The server does not answer such a query, however often it is asked.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Rejected { .. }
            | Self::QueryWarned { .. }
            | Self::NoPrometheus { .. }
            | Self::NotInstant => true,
            Self::Unavailable { status, .. } => matches!(status, 400..=407 | 501),
            _ => false,
        }
    }

    /// Fixed word for metrics and Event reasons.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Address { .. } => "BadAddress",
            Self::Refused { .. } => "HostNotAllowed",
            Self::Client { .. } => "ClientSetup",
            Self::Unusable { .. } => "TemplateUnusable",
            Self::SecretMissing { .. } => "SecretMissing",
            Self::KeyMissing { .. } => "SecretKeyMissing",
            Self::NotForQueries { .. } => "SecretNotForQueries",
            Self::NotPlain { .. } => "ArgInvalid",
            Self::SecretUnread { .. } => "SecretUnread",
            Self::Identity { .. } => "CloudIdentity",
            Self::Rejected { .. } => "QueryRejected",
            Self::Unavailable { .. } => "SourceUnavailable",
            Self::RateLimited { .. } => "SourceRateLimited",
            Self::NoPrometheus { .. } => "NotPrometheus",
            Self::Unreachable { .. } | Self::Unasked { .. } => "SourceUnreachable",
            Self::TimedOut { .. } => "SourceTimedOut",
            Self::Crowded => "TooManyQuestions",
            Self::TooLarge { .. } => "AnswerTooLarge",
            Self::Undecodable { .. } => "AnswerUndecodable",
            Self::Warned { .. } => "AnswerWarned",
            Self::QueryWarned { .. } => "QueryWarned",
            Self::Doubtful { .. } | Self::Sparse { .. } => "AnswerDoubtful",
            Self::NotInstant => "QueryNotInstant",
        }
    }
}
