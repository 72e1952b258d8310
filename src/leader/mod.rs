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
}

#[derive(Clone, Copy, Debug, Default)]
enum Held {
    #[default]
    No,
    Until(Instant),
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
            Held::Until(until) => {
                Some(until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
            }
        }
    }

    fn set(&self, held: Held) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
    }

    /// Why the Lease cannot be written, for people to fix; none while it can.
    pub(crate) fn refused(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True if that is new.
    fn set_refused(&self, why: Option<String>) -> bool {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let new = *refused != why;
        *refused = why;
        new
    }

    #[cfg(test)]
    fn hold_for(&self, time: Duration) {
        self.set(Held::Until(Instant::now() + time));
    }
}

/// Runs for leader and stays leader until `stop`; then gives up the Lease.
pub(crate) struct Candidate {
    pub(crate) client: Client,
    pub(crate) election: Election,
    pub(crate) leadership: Leadership,
    pub(crate) metrics: Arc<Metrics>,
    /// Notified once when it leads.
    pub(crate) elected: oneshot::Sender<()>,
    pub(crate) stop: CancellationToken,
}

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

impl Candidate {
    /// Returns when it is over, in either way.
    pub(crate) async fn run(self) -> End {
        let Self { client, election, leadership, metrics, elected, stop } = self;
        let identity = identity();
        let mut running = Running {
            lease: LeaseClient::new(&client, &election, identity.clone()),
            elector: Elector::new(identity, election.duration, election.renewal()),
            started: Instant::now(),
            not_before: Instant::now(),
            listed: false,
            in_doubt: false,
            leadership,
            metrics,
            elected: Some(elected),
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
    started: Instant,
    /// After a failed write, nothing is written before this time.
    not_before: Instant,
    /// Before the first list the Lease may be held by somebody: nothing is taken.
    listed: bool,
    /// The last write failed for a temporary reason.
    in_doubt: bool,
}

impl Running {
    /// Does what is due now. Returns how long to wait for a change; none if the Lease is lost.
    async fn step(&mut self) -> Option<Duration> {
        let now = self.started.elapsed();
        let next = if self.listed { self.elector.next(now) } else { Move::Wait(self.election.duration) };
        let bound = match next {
            Move::Lost => return None,
            Move::Wait(time) => {
                // another candidate has it: the reason why this one could not write it may be gone, and is not tested
                if std::mem::take(&mut self.in_doubt) {
                    self.leadership.set_refused(None);
                }
                return Some(self.ask_for_the_right(time).await);
            }
            Move::Create => None,
            Move::Take(record) => Some(record),
        };
        let pause = self.not_before.saturating_duration_since(Instant::now());
        if !pause.is_zero() {
            return Some(pause);
        }
        let transitions = bound.as_ref().map_or(0, |record| self.elector.transitions_after(record));
        match self.lease.write(bound.as_ref(), transitions, self.election.renewal()).await {
            Ok(record) => self.holds(record, now),
            Err(error) => {
                self.refused(&error);
                self.in_doubt = !error.is_lasting();
                if let (LeaseError::Gone, Some(record)) = (&error, bound) {
                    self.elector.saw_gone(record.version);
                }
                self.not_before = Instant::now() + AGAIN.min(self.election.renewal());
            }
        }
        Some(Duration::ZERO)
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

    /// Reported once for as long as it is the same. Losing to a faster candidate is not a problem.
    fn refused(&self, error: &LeaseError) {
        let namespace = &self.election.namespace;
        let why = (!error.is_conflict()).then(|| {
            format!(
                "Lease {}.{namespace} cannot be written, so that this operator cannot lead: {error}. It needs the Role of \
                 deploy/kustomize/components/leader-election in that namespace",
                names::LEASE
            )
        });
        if self.leadership.set_refused(why.clone())
            && let Some(why) = why
        {
            tracing::warn!("{why}");
        }
    }

    /// The term was requested at `asked`.
    fn holds(&mut self, record: Record, asked: Duration) {
        self.elector.wrote(record, asked);
        self.leadership.set_refused(None);
        // no write may be in progress when another operator may lead
        let until = asked + self.election.duration.saturating_sub(self.election.renewal());
        self.leadership.set(Held::Until(self.started + until));
        if let Some(elected) = self.elected.take() {
            self.metrics.set_leading(true);
            // without a receiver the process is shutting down
            elected.send(()).ok();
        }
    }

    fn take_note(&mut self, event: Seen<Lease>) {
        match event {
            Seen::Listed(found) | Seen::Changed(found) => {
                self.elector.saw(lease::record(&found), self.started.elapsed());
            }
            Seen::Gone(found) => self.elector.saw_gone(lease::record(&found).version),
            Seen::Complete => self.listed = true,
            Seen::Undecodable(lease) => tracing::warn!(why = lease.why, "the lease does not decode"),
            Seen::Lost(loss) => tracing::warn!(error = %loss, "the lease is not seen"),
            Seen::Begin(_) | Seen::Alive => {}
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
mod tests {
    use std::future::pending;

    use http::{Request, Response};
    use kube::client::Body;

    use super::*;

    fn standby(client: &Client) -> Running {
        let election = Election { namespace: "n".into(), duration: Duration::from_secs(6) };
        Running {
            lease: LeaseClient::new(client, &election, "serin_b".into()),
            elector: Elector::new("serin_b".into(), election.duration, election.renewal()),
            started: Instant::now(),
            not_before: Instant::now(),
            listed: true,
            in_doubt: false,
            leadership: Leadership::default(),
            metrics: Arc::new(Metrics::new("istio")),
            elected: None,
            election,
        }
    }

    fn lease_of(holder: &str) -> serde_json::Value {
        serde_json::json!({
            "metadata": {"name": names::LEASE, "namespace": "n", "resourceVersion": "7"},
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": 6, "renewTime": "2026-11-01T00:00:00.000000Z"},
        })
    }

    /// The API server refuses this many requests because a right is missing.
    fn refusing(times: usize) -> (Client, Arc<Mutex<Vec<String>>>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let mut log = log.lock().unwrap();
            log.push(request.uri().query().unwrap_or_default().to_owned());
            let (code, body) = if log.len() <= times {
                let status = serde_json::json!({"status": "Failure", "reason": "Forbidden", "message": "no", "code": 403});
                (403, status)
            } else {
                (200, lease_of("serin_a"))
            };
            let answer = Response::builder().status(code).body(Body::from(body.to_string().into_bytes()));
            async move { Ok::<_, kube::Error>(answer.unwrap()) }
        });
        (Client::new(service, "n"), asked)
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_lacked_the_right_is_ready_once_it_has_it_though_another_leads() {
        let (client, asked) = refusing(2);
        let mut standby = standby(&client);
        standby.step().await.unwrap();
        assert!(standby.leadership.refused().unwrap().contains("cannot be written"));

        standby.take_note(Seen::Changed(serde_json::from_value(lease_of("serin_a")).unwrap()));
        let mut waited = vec![];
        for _ in 0..3 {
            let wait = standby.step().await.unwrap();
            tokio::time::advance(wait).await;
            waited.push(standby.leadership.refused().is_some());
        }
        assert_eq!(waited, [true, true, false]);
        let asked = asked.lock().unwrap();
        let dry: Vec<bool> = asked.iter().map(|query| query.contains("dryRun=All")).collect();
        assert_eq!(dry, [false, true, true], "the Lease of another is written: {asked:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_was_not_answered_is_ready_again_once_another_leads() {
        let service = tower::service_fn(|_: Request<Body>| pending::<Result<Response<Body>, kube::Error>>());
        let client = Client::new(service, "n");
        let mut standby = standby(&client);
        standby.step().await.unwrap();
        let why = standby.leadership.refused().unwrap();
        assert!(why.contains("no answer within"), "{why}");

        standby.take_note(Seen::Changed(serde_json::from_value(lease_of("serin_a")).unwrap()));
        standby.step().await.unwrap();
        assert_eq!(standby.leadership.refused(), None);
    }
}
