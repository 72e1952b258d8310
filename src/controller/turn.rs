//! When this operator acts: from its start, or once it is elected.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this module starts the task that holds the Lease"
)]

use std::sync::Arc;

use kube::Client;
use tokio::{
    sync::{mpsc::UnboundedReceiver, oneshot},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock,
    config::Config,
    leader::{Candidate, Election, End, Leadership, Unable},
    snapshot::Key,
    telemetry::Metrics,
};

/// An operator that is elected, or will be.
pub(super) struct Turn {
    elected: oneshot::Receiver<()>,
    give_up: CancellationToken,
    candidate: JoinHandle<()>,
}

impl Turn {
    /// Runs for leader, if there is an election.
    pub(super) fn run_for(
        config: &Config,
        client: &Client,
        leadership: Leadership,
        metrics: &Arc<Metrics>,
        unable: Unable,
    ) -> Option<Self> {
        let election = Election { namespace: config.lease_namespace.clone(), duration: config.election? };
        let (sender, elected) = oneshot::channel();
        let give_up = CancellationToken::new();
        let candidate = Candidate {
            client: client.clone(),
            election,
            leadership,
            metrics: metrics.clone(),
            elected: sender,
            unable,
            stop: give_up.clone(),
        };
        let candidate = tokio::spawn(async move {
            if candidate.run().await == End::Lost {
                tracing::error!("the lease is lost: ending at once, so that two never act");
                std::process::exit(1);
            }
        });
        Some(Self { elected, give_up, candidate })
    }

    /// Waits until it is elected. Triggers before that are dropped: all Canaries are processed afterwards. False:
    /// the process is shutting down.
    pub(super) async fn comes(
        &mut self,
        triggers: &mut UnboundedReceiver<Key>,
        stop: &CancellationToken,
    ) -> bool {
        tracing::info!("ready to take over from the operator that leads");
        loop {
            tokio::select! {
                () = stop.cancelled() => return false,
                elected = &mut self.elected => {
                    // the time before does not count for us
                    clock::begin_watching();
                    tracing::info!("this operator leads");
                    return elected.is_ok();
                }
                Some(_) = triggers.recv() => {}
            }
        }
    }

    /// Gives up the Lease at once. There must be no work in progress any more.
    pub(super) async fn give_up(self) {
        self.give_up.cancel();
        // a panic in it has already been reported
        self.candidate.await.ok();
    }
}
