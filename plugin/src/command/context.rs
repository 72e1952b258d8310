//! The context that commands share.

use jiff::Timestamp;
use serin::api::Canary;

use super::out::Out;
use crate::{cluster::Cluster, failure::Failure};

/// The context that commands share.
pub(super) struct Context {
    pub(super) cluster: Cluster,
    pub(super) out: Out,
}

impl Context {
    /// The Canary with this name. Reports if it was found by its target.
    pub(super) async fn canary(&self, name: &str) -> Result<Canary, Failure> {
        let canary = self.cluster.canary(name).await?;
        let found = canary.metadata.name.clone().unwrap_or_default();
        if found != name {
            self.out.say(&format!("{name} is the target of the Canary {found}"));
        }
        Ok(canary)
    }
}

/// The current time.
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}
