//! Slots of the work on a Canary: which permits it waits for, and when it releases them.
#![allow(clippy::disallowed_methods, reason = "this module tells how late the work is")]

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    lanes::{Class, Entry, Lane, Permit, Rank, Slot},
    queue::Start,
    worker::Worker,
};
use crate::{
    clock,
    plan::{self, Plan, Question},
    snapshot::{Key, Snapshot},
};

/// A plan that has waited no longer than this to be written is carried out as it is.
const BRIEFLY: Duration = Duration::from_millis(200);
/// A Canary that waits is looked at again no more often than this, whatever happens to it.
const CALM: Duration = Duration::from_secs(1);

impl Worker {
    /// The turn of a Canary. None: the process is shutting down.
    pub(super) async fn turn(&self, key: &Key, start: &Start) -> Option<Slot> {
        loop {
            let rank = self.rank(key, start.since);
            tokio::select! {
                permit = self.enter(&self.lanes.decide, key, rank) => {
                    return Some(Slot { rank, start: start.clone(), decides: Some(permit?), writes: None });
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
            // a permit to write is not kept idle
            let class = if slot.writes.is_some() { Class::Pressing } else { slot.rank.class };
            let rank = Rank { class, ..slot.rank };
            slot.decides = Some(self.enter(&self.lanes.decide, key, rank).await?);
        }
        Some(())
    }

    /// Waits until it may query. None: the process is shutting down, or something happened.
    pub(super) async fn asks(&self, key: &Key, slot: &mut Slot) -> Option<Permit> {
        // servers may take long: others write meanwhile
        slot.writes = None;
        tokio::select! {
            biased;
            permit = self.enter(&self.lanes.ask, key, slot.rank) => permit,
            () = something_happens(&slot.start) => {
                slot.rank = self.rank(key, slot.start.since);
                None
            }
        }
    }

    /// Waits until answers to these questions, asked at `asked_at` about `snap`, are of no use any more. Also ends if the
    /// process is shutting down.
    pub(super) async fn overtaken(
        &self,
        key: &Key,
        snap: &Snapshot,
        (questions, asked_at): (&[Question], Timestamp),
        slot: &mut Slot,
    ) {
        loop {
            something_happens(&slot.start).await;
            slot.rank = self.rank(key, slot.start.since);
            if self.decides(key, slot).await.is_none() {
                return;
            }
            let Ok(mut seen) = self.observe(key, clock::now(), slot).await else { return };
            seen.pauses.clone_from(&snap.pauses);
            if !plan::would_ask(&seen, asked_at, questions) {
                return;
            }
            slot.pause();
        }
    }

    /// Waits until a plan may be carried out, or may be out of date. None: the process is shutting down.
    pub(super) async fn writes(
        &self,
        key: &Key,
        snap: &Snapshot,
        plan: &Plan,
        slot: &mut Slot,
    ) -> Option<Entry> {
        if slot.writes.is_some() {
            return Some(Entry::Write);
        }
        let status = plan.status.as_ref().or(snap.canary.status.as_ref());
        let run = status.and_then(|status| status.run.as_ref());
        let class = match run {
            _ if plan.urgent => Class::Pressing,
            Some(run) if run.ending.is_some() => Class::Pressing,
            Some(_) if slot.rank.class == Class::Other => Class::Due,
            _ => slot.rank.class,
        };
        let (since, rank) = (Instant::now(), Rank { class, ..slot.rank });
        tokio::select! {
            biased;
            permit = self.enter(&self.lanes.write, key, rank) => slot.writes = Some(permit?),
            // a rollback is not held up by looking again
            () = something_happens(&slot.start), if !plan.urgent => {
                slot.rank = self.rank(key, slot.start.since);
                return Some(Entry::Decide);
            }
        }
        let current = plan.urgent || since.elapsed() <= BRIEFLY;
        Some(if current { Entry::Write } else { Entry::Decide })
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

/// Something happens to a Canary that waits, and it has waited for a while.
async fn something_happens(start: &Start) {
    tokio::time::sleep(CALM).await;
    start.triggered().await;
}
