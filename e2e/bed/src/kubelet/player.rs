//! The state of a pod's player, and its writes to the API server.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
};
use serde_json::Value;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{
    addresses::Addresses,
    behaviour::{Behaviour, Facts, Selector},
};

/// The overridden behaviour of pods. The last of equal selectors counts.
pub(super) type Overrides = Vec<(Selector, Behaviour)>;

/// How long to retry a write while the API server does not answer.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(200);

/// State that the players share.
pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) addresses: Mutex<Addresses>,
    pub(super) overrides: watch::Receiver<Overrides>,
    pub(super) backends: bool,
}

impl Shared {
    pub(super) fn with_addresses<T>(&self, use_them: impl FnOnce(&mut Addresses) -> T) -> T {
        use_them(&mut self.addresses.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How a pod ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    NotYet,
    /// It is being deleted, and gone after this long.
    After(Duration),
}

/// Simulates one pod.
pub(super) struct Player {
    pub(super) shared: Arc<Shared>,
    pub(super) facts: Facts,
    pub(super) ending: watch::Receiver<Ending>,
}

impl Player {
    pub(super) fn new(shared: Arc<Shared>, facts: Facts, ending: watch::Receiver<Ending>) -> Self {
        Self { shared, facts, ending }
    }

    pub(super) async fn patch_status(&self, patch: &Value) -> anyhow::Result<()> {
        let pods = pods(&self.shared.client, &self.facts);
        let params = PatchParams::default();
        let patch = Patch::Merge(patch);
        insist(async || pods.patch_status(&self.facts.name, &params, &patch).await.map(drop)).await
    }
}

/// Deletes the object, if it is still the same pod.
pub(super) async fn delete_now(client: &Client, facts: &Facts) -> anyhow::Result<()> {
    let params = DeleteParams {
        grace_period_seconds: Some(0),
        preconditions: Some(Preconditions { uid: Some(facts.uid.clone()), resource_version: None }),
        ..DeleteParams::default()
    };
    let pods = pods(client, facts);
    insist(async || pods.delete(&facts.name, &params).await.map(drop)).await
}

pub(super) fn pods(client: &Client, facts: &Facts) -> Api<Pod> {
    Api::namespaced(client.clone(), &facts.namespace)
}

/// Retries until the API server has accepted the write, or reports that nothing is left to do (404, 409).
pub(super) async fn insist<F: Future<Output = kube::Result<()>>>(call: impl Fn() -> F) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match call().await {
            Ok(()) => return Ok(()),
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => return Ok(()),
            Err(kube::Error::Api(status)) if (400..429).contains(&status.code) => {
                return Err(kube::Error::Api(status).into());
            }
            Err(error) if Instant::now() >= deadline => return Err(error.into()),
            Err(_) => sleep(PAUSE).await,
        }
    }
}
