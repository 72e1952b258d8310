//! The Lease as an object: reading it, and writing it bound to the version that was read.
#![allow(clippy::disallowed_types, reason = "this module reads and writes the Lease")]

use std::time::Duration;

use k8s_openapi::{api::coordination::v1::Lease, apimachinery::pkg::apis::meta::v1::MicroTime};
use kube::{
    Api, Client,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use super::{election::Election, elector::Record};
use crate::{
    clock,
    names::{LEASE, managers},
};

/// Giving up the Lease must not delay the shutdown.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why the Lease was not written, or not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum LeaseError {
    /// It no longer exists.
    #[error("it was deleted")]
    Gone,
    /// No answer in time.
    #[error("no answer within {}s", .0.as_secs())]
    Silent(Duration),
    /// It was refused: another was faster, or the right is missing.
    #[error("{0}")]
    Refused(Box<kube::Error>),
}

impl LeaseError {
    /// A refusal of the API server that will be repeated. Any other failure may be over by now.
    pub(super) fn is_lasting(&self) -> bool {
        let no = |code: u16| (400..500).contains(&code) && code != 409 && code != 429;
        matches!(self, Self::Refused(error) if matches!(&**error, kube::Error::Api(status) if no(status.code)))
    }

    /// Another candidate has written it meanwhile.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused(error) if matches!(&**error, kube::Error::Api(status) if status.code == 409))
    }
}

/// Writes the Lease for one candidate.
pub(super) struct LeaseClient {
    api: Api<Lease>,
    identity: String,
    duration: Duration,
}

impl LeaseClient {
    pub(super) fn new(client: &Client, election: &Election, identity: String) -> Self {
        let api = Api::namespaced(client.clone(), &election.namespace);
        Self { api, identity, duration: election.duration }
    }

    /// Writes the candidate into the Lease that was seen, or creates one.
    ///
    /// # Errors
    /// It has changed since, it was refused, or there was no answer within `limit`.
    pub(super) async fn write(
        &self,
        bound: Option<&Record>,
        transitions: i32,
        limit: Duration,
    ) -> Result<Record, LeaseError> {
        let now = MicroTime(clock::now());
        let mut spec = json!({
            "holderIdentity": self.identity, "leaseDurationSeconds": self.duration.as_secs(),
            "renewTime": now, "leaseTransitions": transitions,
        });
        if bound.is_none_or(|record| record.holder != self.identity) {
            spec["acquireTime"] = json!(now);
        }
        let written = match bound {
            Some(record) => tokio::time::timeout(limit, self.patch(record, spec)).await,
            None => tokio::time::timeout(limit, self.create(spec)).await,
        };
        match written {
            Err(_) => Err(LeaseError::Silent(limit)),
            Ok(Err(kube::Error::Api(status))) if status.is_not_found() && bound.is_some() => {
                Err(LeaseError::Gone)
            }
            Ok(Err(error)) => Err(LeaseError::Refused(Box::new(error))),
            Ok(Ok(written)) => Ok(record(&written)),
        }
    }

    /// Its current state; none if there is no Lease.
    ///
    /// # Errors
    /// It was refused, or there was no answer within `limit`.
    pub(super) async fn read(&self, limit: Duration) -> Result<Option<Record>, LeaseError> {
        // a right to watch it includes this one
        let only = ListParams::default().fields(&format!("metadata.name={LEASE}"));
        match tokio::time::timeout(limit, self.api.list(&only)).await {
            Err(_) => Err(LeaseError::Silent(limit)),
            Ok(Err(error)) => Err(LeaseError::Refused(Box::new(error))),
            Ok(Ok(found)) => Ok(found.items.first().map(record)),
        }
    }

    /// Whether this candidate may write the Lease that was seen, checked by dry run. Temporary failures are not
    /// refusals.
    pub(super) async fn may_write(&self, seen: &Record, limit: Duration) -> bool {
        let params = PatchParams {
            field_manager: Some(managers::LEASE.into()),
            dry_run: true,
            ..PatchParams::default()
        };
        let patch = json!({"metadata": {"resourceVersion": seen.version.to_string()}});
        match tokio::time::timeout(limit, self.api.patch(LEASE, &params, &Patch::Merge(patch))).await {
            Ok(Err(error)) => !LeaseError::Refused(Box::new(error)).is_lasting(),
            Ok(Ok(_)) | Err(_) => true,
        }
    }

    /// Lets another candidate have it at once. If that fails, the Lease simply expires.
    pub(super) async fn give_up(&self, held: &Record) {
        let free =
            json!({"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": MicroTime(clock::now())});
        match tokio::time::timeout(FAREWELL, self.patch(held, free)).await {
            Ok(Ok(_)) => tracing::info!("the lease is given up"),
            Ok(Err(error)) => tracing::warn!(%error, "the lease was not given up: it runs out"),
            Err(_) => tracing::warn!("the lease was not given up in time: it runs out"),
        }
    }

    async fn create(&self, spec: Value) -> kube::Result<Lease> {
        let params = PostParams { field_manager: Some(managers::LEASE.into()), ..PostParams::default() };
        let lease = json!({"metadata": {"name": LEASE}, "spec": spec});
        let lease = serde_json::from_value(lease).map_err(kube::Error::SerdeError)?;
        self.api.create(&params, &lease).await
    }

    async fn patch(&self, record: &Record, spec: Value) -> kube::Result<Lease> {
        let params = PatchParams { field_manager: Some(managers::LEASE.into()), ..PatchParams::default() };
        let patch = json!({"metadata": {"resourceVersion": record.version.to_string()}, "spec": spec});
        self.api.patch(LEASE, &params, &Patch::Merge(patch)).await
    }
}

/// A Lease without a duration is held for a minute, like Flagger's.
const USUAL: i32 = 60;

/// The relevant parts of it.
pub(super) fn record(lease: &Lease) -> Record {
    let spec = lease.spec.clone().unwrap_or_default();
    let seconds = spec.lease_duration_seconds.unwrap_or(USUAL);
    Record {
        version: lease.metadata.resource_version.as_deref().and_then(|v| v.parse().ok()).unwrap_or_default(),
        holder: spec.holder_identity.unwrap_or_default(),
        duration: Duration::from_secs(seconds.max(0).unsigned_abs().into()),
        renewed: spec.renew_time.map(|time| time.0.to_string()).unwrap_or_default(),
        transitions: spec.lease_transitions.unwrap_or_default(),
    }
}
