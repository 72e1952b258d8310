//! One of several operators acts: the one that holds the Lease. The others watch, and are ready to continue.
//!
//! The Lease has Flagger's name, so that a Flagger with leader election and Serin also exclude each other. The rules
//! are in [`elector`]; this module carries them out. See `docs/design/0050-leader-election.md`.
//!
//! # Guarantees
//! Writes end before the Lease does: see [`fence`]. An operator that has lost the Lease exits at once, without
//! finishing anything, because it has no right to any more. On a clean shutdown the Lease is given up, so that another
//! operator does not have to wait for its end.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this module reads and writes the Lease, and waits"
)]

mod election;
mod elector;
mod fence;
mod lease;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::{sync::oneshot, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    clock, names,
    observe::{Seen, watch_lease},
    telemetry::Metrics,
};
pub(crate) use election::{Election, LONGEST, SHORTEST};
use elector::{Elector, Move, Record};
use lease::{LeaseClient, LeaseError};

/// Whether this operator may write, and for how long. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leadership {
    held: Arc<Mutex<Held>>,
    /// Why the Lease cannot be written.
    refused: Arc<Mutex<Option<String>>>,
    /// Why the Lease cannot be read.
    unseen: Arc<Mutex<Option<String>>>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Held {
    #[default]
    No,
    /// The earlier of both counts. `Instant` stands still while the machine is suspended, and the wall clock may be set back.
    Until { elapsed: Instant, wall: Timestamp },
    /// There is no election.
    Always,
}

/// Time limit of a call without election; calls have a deadline of their own.
const UNLIMITED: Duration = Duration::from_secs(86_400);

impl Leadership {
    /// Without election.
    pub(crate) fn always() -> Self {
        let leadership = Self::default();
        leadership.set(Held::Always);
        leadership
    }

    /// How long it may still write; none if it may not.
    fn left(&self) -> Option<Duration> {
        match *self.held.lock().unwrap_or_else(PoisonError::into_inner) {
            Held::No => None,
            Held::Always => Some(UNLIMITED),
            Held::Until { elapsed, wall } => {
                let left = elapsed.saturating_duration_since(Instant::now());
                Some(left.min(clock::until(wall, clock::now()))).filter(|left| !left.is_zero())
            }
        }
    }

    fn set(&self, held: Held) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
    }

    /// Why the Lease cannot be written or read, for people to fix; none while it can.
    pub(crate) fn refused(&self) -> Option<String> {
        let read = |why: &Mutex<Option<String>>| why.lock().unwrap_or_else(PoisonError::into_inner).clone();
        read(&self.refused).or_else(|| read(&self.unseen))
    }

    fn set_refused(&self, why: Option<String>) {
        report(&self.refused, why);
    }

    fn set_unseen(&self, why: Option<String>) {
        report(&self.unseen, why);
    }

    #[cfg(test)]
    fn hold_for(&self, time: Duration) {
        self.set(Held::Until { elapsed: Instant::now() + time, wall: clock::after(clock::now(), time) });
    }
}

/// Logged once for as long as it is the same.
fn report(known: &Mutex<Option<String>>, why: Option<String>) {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(why) = why.as_ref().filter(|why| known.as_ref() != Some(why)) {
        tracing::warn!("{why}");
    }
    *known = why;
}

/// Runs for leader and stays leader until `stop`; then gives up the Lease.
pub(crate) struct Candidate {
    pub(crate) client: Client,
    pub(crate) election: Election,
    pub(crate) leadership: Leadership,
    pub(crate) metrics: Arc<Metrics>,
    /// Notified once when it leads.
    pub(crate) elected: oneshot::Sender<()>,
    /// What keeps this operator from working, if it led. It takes no Lease then: another one may be able to.
    pub(crate) unable: Unable,
    pub(crate) stop: CancellationToken,
}

/// Why this operator could not work; none: it could.
pub(crate) type Unable = Box<dyn Fn() -> Option<String> + Send>;

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Because of `stop`.
    Stopped,
    /// The Lease is lost.
    Lost,
}

/// Delay after a failed write of the Lease.
const AGAIN: Duration = Duration::from_secs(1);
/// How often an operator that takes no Lease checks whether it could work by now.
const ABLE: Duration = Duration::from_millis(100);
/// A Lease that is not seen for longer is reported.
const UNSEEN: Duration = Duration::from_secs(20);

impl Candidate {
    /// Returns when it is over, in either way.
    pub(crate) async fn run(self) -> End {
        let Self { client, election, leadership, metrics, elected, unable, stop } = self;
        let identity = identity();
        let mut running = Running {
            lease: LeaseClient::new(&client, &election, identity.clone()),
            elector: Elector::new(identity, election.duration, election.renewal()),
            started: Instant::now(),
            not_before: Instant::now(),
            listed: false,
            lost: None,
            read: Duration::ZERO,
            in_doubt: false,
            leadership,
            metrics,
            elected: Some(elected),
            unable,
            declined: None,
            election,
        };
        let mut seen = watch_lease(&client, &running.election.namespace);
        let end = loop {
            let Some(wait) = running.step().await else { break End::Lost };
            tokio::select! {
                () = stop.cancelled() => break End::Stopped,
                () = tokio::time::sleep(wait) => {}
                Some(event) = seen.recv() => running.take_note(event),
            }
        };
        running.leadership.set(Held::No);
        running.metrics.set_leading(false);
        let held = running.elector.known().filter(|_| running.elector.held_until().is_some());
        if let (End::Stopped, Some(held)) = (&end, held) {
            running.lease.give_up(held).await;
        }
        end
    }
}

struct Running {
    lease: LeaseClient,
    elector: Elector,
    election: Election,
    leadership: Leadership,
    metrics: Arc<Metrics>,
    elected: Option<oneshot::Sender<()>>,
    unable: Unable,
    /// Why it does not take a Lease that it could have.
    declined: Option<String>,
    started: Instant,
    /// After a failed write, nothing is written before this time.
    not_before: Instant,
    /// Before the first list the Lease may be held by somebody: nothing is taken.
    listed: bool,
    /// Since when its watch sees nothing, and why.
    lost: Option<(Instant, String)>,
    /// When the Lease was last read without the watch.
    read: Duration,
    /// The last write failed for a temporary reason.
    in_doubt: bool,
}

impl Running {
    /// Does what is due now. Returns how long to wait for a change; none if the Lease is lost.
    async fn step(&mut self) -> Option<Duration> {
        self.report_unseen();
        let (now, wall) = (self.started.elapsed(), clock::now());
        let next = if self.listed { self.elector.next(now) } else { Move::Wait(self.election.duration) };
        let bound = match next {
            Move::Lost => return None,
            Move::Wait(time) => {
                // another candidate has it: the reason why this one could not write it may be gone, and is not tested
                if std::mem::take(&mut self.in_doubt) {
                    self.leadership.set_refused(None);
                }
                let time = self.look_for_changes(time, now).await;
                return Some(self.ask_for_the_right(time).await);
            }
            Move::Create => None,
            Move::Take(record) => Some(record),
        };
        if self.declines(bound.as_ref()) {
            return Some(ABLE);
        }
        let pause = self.not_before.saturating_duration_since(Instant::now());
        if !pause.is_zero() {
            return Some(pause);
        }
        let transitions = bound.as_ref().map_or(0, |record| self.elector.transitions_after(record));
        match self.lease.write(bound.as_ref(), transitions, self.election.renewal()).await {
            Ok(record) => self.holds(record, (now, wall)),
            Err(error) => {
                self.refused(&error);
                self.in_doubt = !error.is_lasting();
                if let (LeaseError::Gone, Some(record)) = (&error, bound) {
                    self.elector.saw_gone(record.version);
                }
                self.not_before = Instant::now() + AGAIN.min(self.election.renewal());
                if error.is_conflict() {
                    self.look().await;
                }
            }
        }
        Some(Duration::ZERO)
    }

    /// Whether it leaves this Lease to others, because it could not work. What it holds it keeps: it may still take users
    /// off a failing version, and nobody knows whether another operator sees more.
    fn declines(&mut self, bound: Option<&Record>) -> bool {
        let ours = bound.is_some_and(|record| self.elector.is_ours(record));
        let why = if ours { None } else { (self.unable)() };
        if let Some(why) = why.as_ref().filter(|why| self.declined.as_ref() != Some(why)) {
            tracing::warn!(
                why,
                "the lease could be taken, but this operator could not work: it is left to others"
            );
        }
        self.declined = why;
        self.declined.is_some()
    }

    /// The watch may be dead without a sign. A holder renews its Lease several times before it runs out: one that has
    /// not changed for a third of that is read. Returns how long to wait, at most `wait`.
    async fn look_for_changes(&mut self, wait: Duration, now: Duration) -> Duration {
        let Some((since, every)) = self.elector.unchanged() else { return wait };
        let due = since.max(self.read) + every;
        let left = due.saturating_sub(now);
        if !left.is_zero() {
            return wait.min(left);
        }
        self.look().await;
        Duration::ZERO
    }

    /// Reads the Lease, whatever the watch has seen.
    async fn look(&mut self) {
        match self.lease.read(self.election.renewal()).await {
            Ok(found) => self.elector.read(found, self.started.elapsed()),
            Err(error) => tracing::warn!(%error, "the lease was not read"),
        }
        self.read = self.started.elapsed();
    }

    /// A candidate that does not see the Lease cannot take over in time.
    fn report_unseen(&self) {
        let lost = self.lost.as_ref().filter(|(since, _)| since.elapsed() >= UNSEEN);
        self.leadership.set_unseen(lost.map(|(_, why)| {
            let namespace = &self.election.namespace;
            format!(
                "Lease {}.{namespace} cannot be watched, so that this operator cannot take over in time: {why}. It needs \
                 the rights list and watch for that Lease",
                names::LEASE
            )
        }));
    }

    /// A missing right may be granted while another operator leads. Returns how long to wait, at most `wait`.
    async fn ask_for_the_right(&mut self, wait: Duration) -> Duration {
        let (Some(_), Some(seen)) = (self.leadership.refused(), self.elector.known()) else { return wait };
        let pause = self.not_before.saturating_duration_since(Instant::now());
        if !pause.is_zero() {
            return wait.min(pause);
        }
        let every = self.election.renewal();
        if self.lease.may_write(seen, every).await {
            self.leadership.set_refused(None);
            return wait;
        }
        self.not_before = Instant::now() + every;
        wait.min(every)
    }

    /// Losing to a faster candidate is not a problem.
    fn refused(&self, error: &LeaseError) {
        let namespace = &self.election.namespace;
        let why = (!error.is_conflict()).then(|| {
            format!(
                "Lease {}.{namespace} cannot be written, so that this operator cannot lead: {error}. It needs the Role of \
                 deploy/kustomize/components/leader-election in that namespace",
                names::LEASE
            )
        });
        self.leadership.set_refused(why);
    }

    /// The term was requested at `asked`, by both clocks.
    fn holds(&mut self, record: Record, (asked, wall): (Duration, Timestamp)) {
        self.elector.wrote(record, asked);
        self.leadership.set_refused(None);
        // no write may be in progress when another operator may lead
        let lasts = self.election.duration.saturating_sub(self.election.renewal());
        let elapsed = self.started + asked + lasts;
        self.leadership.set(Held::Until { elapsed, wall: clock::after(wall, lasts) });
        if let Some(elected) = self.elected.take() {
            self.metrics.set_leading(true);
            // without a receiver the process is shutting down
            elected.send(()).ok();
        }
    }

    fn take_note(&mut self, event: Seen<Lease>) {
        if !event.in_list() {
            self.lost = match &event {
                Seen::Lost(loss) => Some(loss.to_string()),
                Seen::Ended => Some("its watch ended".to_owned()),
                _ => None,
            }
            .map(|why| (self.lost.as_ref().map_or_else(Instant::now, |(since, _)| *since), why));
        }
        match event {
            Seen::Listed(found) => self.elector.listed(lease::record(&found), self.started.elapsed()),
            Seen::Changed(found) => self.elector.saw(lease::record(&found), self.started.elapsed()),
            Seen::Gone(found) => self.elector.saw_gone(lease::record(&found).version),
            Seen::Complete => self.listed = true,
            Seen::Undecodable(lease) => tracing::warn!(why = lease.why, "the lease does not decode"),
            Seen::Lost(loss) => tracing::warn!(error = %loss, "the lease is not seen"),
            Seen::Begin(_) | Seen::Alive | Seen::Ended => {}
        }
    }
}

/// A new one at each start: requests of a former process are not ours.
fn identity() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let mut random = [0; 8];
    // without it, the time distinguishes starts
    if SystemRandom::new().fill(&mut random).is_err() {
        random = clock::now().as_microsecond().to_be_bytes();
    }
    format!("{}{}_{:016x}", names::LEASE_HOLDER, host.trim(), u64::from_be_bytes(random))
}

#[cfg(test)]
mod tests;
