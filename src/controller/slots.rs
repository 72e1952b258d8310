//! Slots of the work on a Canary: which permits it waits for, and when it releases them.
#![allow(clippy::disallowed_methods, reason = "this module tells how late the work is")]

use tokio::time::Instant;

use super::{
    lanes::{Class, Lane, Permit, Rank, Slot},
    queue::Start,
    worker::Worker,
};
use crate::{
    clock,
    plan::Plan,
    snapshot::{Key, Snapshot},
};

impl Worker {
    /// The turn of a Canary. None: the process is shutting down.
    pub(super) async fn turn(&self, key: &Key, start: &Start) -> Option<Slot> {
        loop {
            let rank = self.rank(key, start.since);
            tokio::select! {
                permit = self.enter(&self.lanes.decide, key, rank) => {
                    return Some(Slot { rank, decides: Some(permit?) });
                }
                () = self.reclassed(key, start, rank.class) => {}
            }
        }
    }

    /// It has become more urgent, or less.
    async fn reclassed(&self, key: &Key, start: &Start, class: Class) {
        while self.rank(key, start.since).class == class {
            start.triggered().await;
        }
    }

    /// Waits until it may observe and decide. None: the process is shutting down.
    pub(super) async fn decides(&self, key: &Key, slot: &mut Slot) -> Option<()> {
        if slot.decides.is_none() {
            slot.decides = Some(self.enter(&self.lanes.decide, key, slot.rank).await?);
        }
        Some(())
    }

    /// Waits until it may query. None: the process is shutting down.
    pub(super) async fn asks(&self, key: &Key, slot: &Slot) -> Option<Permit> {
        self.enter(&self.lanes.ask, key, slot.rank).await
    }

    /// Waits until a plan may be carried out. None: the process is shutting down.
    pub(super) async fn writes(
        &self,
        key: &Key,
        snap: &Snapshot,
        plan: &Plan,
        slot: &Slot,
    ) -> Option<Permit> {
        let status = plan.status.as_ref().or(snap.canary.status.as_ref());
        let run = status.and_then(|status| status.run.as_ref());
        let class = match run {
            _ if plan.urgent => Class::Pressing,
            Some(run) if run.ending.is_some() => Class::Pressing,
            Some(_) if slot.rank.class == Class::Other => Class::Due,
            _ => slot.rank.class,
        };
        self.enter(&self.lanes.write, key, Rank { class, ..slot.rank }).await
    }

    async fn enter(&self, lane: &Lane, key: &Key, rank: Rank) -> Option<Permit> {
        self.stop.run_until_cancelled(lane.enter(&key.0, rank)).await
    }

    fn rank(&self, key: &Key, due: Instant) -> Rank {
        let (standing, now) = (self.cache.standing(key), clock::now());
        if standing.pressing {
            return Rank { class: Class::Pressing, due };
        }
        if !standing.runs {
            return Rank { class: Class::Other, due };
        }
        // a check that became due while no process ran counts with its real lateness
        let late = standing.next_check.map(|next| clock::until(now, next)).unwrap_or_default();
        let since = Instant::now().checked_sub(late).unwrap_or(due);
        Rank { class: Class::Due, due: due.min(since) }
    }
}
