//! One query to a metrics server, and the interface of every kind of server.

use std::{collections::BTreeMap, fmt, time::Duration};

use futures::{FutureExt as _, future::BoxFuture};
use jiff::Timestamp;

use super::{credentials::Credentials, error::SourceError};
use crate::{
    analysis::{Doubt, Since, Tally},
    clock,
};

/// All inputs of one query to a metrics server.
#[derive(Clone)]
pub(crate) struct Ask<'a> {
    /// The namespace of the Canary.
    pub tenant: &'a str,
    /// Namespace of the object that names the server.
    pub namespace: &'a str,
    /// Without a Secret, the operator's own identity in a cloud may be used.
    pub as_operator: bool,
    /// `spec.provider.address`, or the Canary's Prometheus; empty if the kind has a public one.
    pub address: &'a str,
    /// The rendered query. It may contain secrets: errors must not repeat any of it.
    pub query: &'a str,
    /// How far the check looks back; above zero.
    pub window: Duration,
    /// `spec.provider.region`.
    pub region: Option<&'a str>,
    /// `spec.provider.jsonPath`.
    pub json_path: Option<&'a str>,
    /// `spec.provider.headers`.
    pub headers: &'a BTreeMap<String, Vec<String>>,
    /// Accept any TLS certificate.
    pub any_certificate: bool,
    /// The content of the Secret; empty if none is named.
    pub credentials: &'a Credentials,
    /// From when values count, if that is known.
    pub since: Option<Since>,
}

/// Without address, query and headers, which may contain secrets.
impl fmt::Debug for Ask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = f.debug_struct("Ask");
        all.field("tenant", &self.tenant).field("window", &self.window).finish_non_exhaustive()
    }
}

/// A value, and the end of its time, if the server returns it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) value: f64,
    pub(super) until: Option<Timestamp>,
}

impl Sample {
    /// Without a known time.
    pub(super) fn undated(value: f64) -> Self {
        Self { value, until: None }
    }
}

impl<'a> Ask<'a> {
    /// The operator's own identity in a cloud may be used.
    ///
    /// # Errors
    /// It is not lent to the namespace.
    pub(super) fn own_identity(&self, cloud: &'static str) -> Result<(), SourceError> {
        if self.as_operator {
            return Ok(());
        }
        let message = format!(
            "the operator's own identity is not lent to MetricTemplates of namespace {}: name a Secret with credentials in \
             spec.provider.secretRef, or have --cloud-identity-namespaces of the operator name {}",
            self.namespace, self.namespace
        );
        Err(SourceError::Identity { cloud, message })
    }

    /// Something secret is sent to a server of the user's choice, which may repeat it in any form.
    pub(super) fn is_confidential(&self) -> bool {
        let chosen = !self.address.trim().is_empty();
        self.credentials.holds_hidden()
            || chosen && (self.credentials.holds_secrets() || !self.headers.is_empty())
    }

    /// The address of the template, or the public one of its kind.
    pub(crate) fn address_or(&self, public: &'a str) -> &'a str {
        if self.address.trim().is_empty() { public } else { self.address }
    }

    /// A value that ends then is complete and not from before the step: a partial sum would be too small.
    pub(super) fn is_whole(&self, until: Timestamp) -> bool {
        until <= clock::now() && self.since.is_none_or(|since| until > since.step)
    }

    /// The values of these samples. If some are from the run, those from before it are dropped: they belong to series
    /// that have ended, such as the pods of a former release.
    ///
    /// # Errors
    /// All that have a value are from before the step, or the run: they are in doubt.
    pub(super) fn of_the_step(&self, samples: &[Sample]) -> Result<Vec<f64>, SourceError> {
        let all = || samples.iter().map(|sample| sample.value).collect();
        let Some(since) = self.since else { return Ok(all()) };
        let older = |sample: &&Sample, than: Timestamp| sample.until.is_some_and(|at| at <= than);
        let found = || samples.iter().filter(|sample| !sample.value.is_nan());
        if found().next().is_none() {
            return Ok(all());
        }
        if found().all(|sample| older(&sample, since.run)) {
            return Err(SourceError::Doubtful { values: all(), doubt: Doubt::Former });
        }
        let ended = |sample: &&Sample| !sample.value.is_nan() && older(sample, since.run);
        let values = samples.iter().filter(|sample| !ended(sample)).map(|sample| sample.value).collect();
        if found().all(|sample| older(&sample, since.step)) {
            return Err(SourceError::Doubtful { values, doubt: Doubt::Early });
        }
        Ok(values)
    }
}

/// Moments of the past, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The first.
    pub(crate) from: i64,
    /// None is later.
    pub(crate) to: i64,
    /// From one to the next.
    pub(crate) step: i64,
}

/// What a series was at such moments.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Series {
    /// Which it is.
    pub(crate) labels: BTreeMap<String, String>,
    /// Its values where it had some, with their moments in milliseconds.
    pub(crate) points: Vec<(i64, f64)>,
}

/// A kind of metrics server: an entry of `analysis::provider_kinds::KINDS`.
pub(crate) trait MetricSource: Send + Sync {
    /// Name of its kind, as in `spec.provider.type`.
    fn kind(&self) -> &'static str;

    /// Queries the current values, one per series. An empty list is a valid answer; values may be NaN or
    /// infinite.
    fn query<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<Vec<f64>, SourceError>>;

    /// Queries counts of requests at a time, each a series with a label that identifies it.
    ///
    /// # Errors
    /// Servers of this kind have no counters, or the answer is incomplete.
    fn count<'a>(&'a self, _ask: &'a Ask<'a>, _at: Timestamp) -> BoxFuture<'a, Result<Tally, SourceError>> {
        let message = format!("servers of the kind {} are not asked for counts of requests", self.kind());
        futures::future::ready(Err(SourceError::Unusable { message })).boxed()
    }

    /// Asks for the values of a query at moments of the past.
    ///
    /// # Errors
    /// Servers of this kind are not asked for that, or there is no whole answer.
    fn past<'a>(
        &'a self,
        _ask: &'a Ask<'a>,
        _stretch: Stretch,
    ) -> BoxFuture<'a, Result<Vec<Series>, SourceError>> {
        let message = format!("servers of the kind {} are not asked for their past", self.kind());
        futures::future::ready(Err(SourceError::Unusable { message })).boxed()
    }

    /// Whether the server answers questions at all. The query of `ask` is not looked at.
    fn ping<'a>(&'a self, ask: &'a Ask<'a>) -> BoxFuture<'a, Result<(), SourceError>>;
}
