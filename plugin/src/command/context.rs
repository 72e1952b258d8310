//! What commands share.

use jiff::Timestamp;
use serin::api::Canary;

use super::out::Out;
use crate::{cluster::Cluster, failure::Failure};

/// What commands share.
pub(super) struct Context {
    pub(super) cluster: Cluster,
    pub(super) out: Out,
}

impl Context {
    /// The Canary of this name; one that is found by its target is said to be.
    pub(super) async fn canary(&self, name: &str) -> Result<Canary, Failure> {
        let canary = self.cluster.canary(name).await?;
        let found = canary.metadata.name.clone().unwrap_or_default();
        if found != name {
            self.out.say(&format!("{name} is the target of the Canary {found}"));
        }
        Ok(canary)
    }
}

/// The present.
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}
