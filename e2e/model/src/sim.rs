//! A namespace in memory for the planner: executes plans on a snapshot, simulates controllers, and controls the clock.
//! There is no API server and no operator: tests with real parts cover those.
//!
//! Contains the loop of queries, scripted answers, decision and writes, and its interruptions and disturbances. The
//! [`Observer`] checks every decision and every write. Used by the property tests and the scenarios.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serin::{
    analysis::Reading,
    expression::Known,
    plan::{self, Answers, Call, Limited, Wake},
    snapshot::{Pauses, Queued, Snapshot, WebhookRound, Write},
    write_budget::WriteBudget,
};

use serin_invariants::view::Names;

use crate::{
    controllers,
    observer::Observer,
    others::Others,
    pods::{Mode, Pods},
    rate::Rate,
    rates::Rates,
    records::Kept,
    time::{later, start},
    world::World,
};

/// Maximum number of consecutive plans without an event in between.
pub const MOST_PLANS: usize = 40;

/// Time after which a status that was refused is written again.
const TRIES_AGAIN: Duration = Duration::from_secs(5);

/// What goes wrong with the next plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The process dies after this many writes, including the status.
    CrashAfter(usize),
    /// Somebody edits the Canary between the read and the write.
    Conflict,
}

/// The model.
#[derive(Clone, Debug)]
pub struct Sim {
    /// The objects.
    pub world: World,
    /// The controllers.
    pub pods: Pods,
    /// The clock.
    pub now: Timestamp,
    /// How far the operator's clock is ahead.
    pub skew: SignedDuration,
    /// Since when the operator has been running without a break, by its own clock.
    pub watching_since: Timestamp,
    /// The values of metrics, by name, or of one of the queries of a metric, by its text. Others have good values.
    pub readings: BTreeMap<String, Reading>,
    /// Requests per second to both sides, or why they cannot be counted.
    pub counts: Result<Rates, String>,
    /// What they were before, each until a time of the operator: what was counted does not change later.
    pub former_counts: Vec<(Timestamp, Rates)>,
    /// Webhooks that refuse, with the reason. `hangs` means no answer.
    pub refusals: BTreeMap<String, String>,
    /// Calls of webhooks so far.
    pub called: Vec<Call>,
    /// How long answers take.
    pub asking: Duration,
    /// How long each round of webhooks takes.
    pub calling: Duration,
    /// Happens during the wait for the next answers: these pods change.
    pub meanwhile: Option<(String, Mode)>,
    /// How long the servers of these metrics ask to be left alone.
    pub limited: BTreeMap<String, Duration>,
    /// The metrics server does not answer pings.
    pub silent: bool,
    /// The metrics server does not have the counter that built-in checks need.
    pub uncounted: bool,
    /// The maximum number of runs of other Canaries is in progress.
    pub queued: Option<Queued>,
    /// Contents of ConfigMaps and Secrets cannot be read.
    pub unreadable: bool,
    /// Disturbs the next plan that is not empty.
    pub trouble: Option<Trouble>,
    /// Disturbs the plan after this many other plans with writes.
    pub trouble_at: Option<(usize, Trouble)>,
    /// Other parties that write.
    pub others: Others,
    /// The invariants.
    pub observer: Observer,
    /// The Canary after each write of its status, if requested.
    pub told: Option<Vec<serde_json::Value>>,
    /// The events so far, without times.
    pub log: Vec<String>,
    /// Number of plans with writes.
    pub plans: usize,
    /// Number of queries.
    pub asked: usize,
    pub(crate) heard: BTreeMap<String, WebhookRound>,
    /// Why the last status was refused: the next one says so.
    pub(crate) refused: Option<String>,
    pub(crate) writes: WriteBudget<Write>,
    pub(crate) rate: Rate,
    /// Conditions that were parsed before.
    conditions: Known,
    pub(crate) names: Names,
    pub(crate) wake: Wake,
    /// When the operator began not to ask, and until when, by its own clock.
    pub(crate) asks_later: Option<(Timestamp, Timestamp)>,
    pub(crate) silence: u32,
    /// The same for contents of ConfigMaps and Secrets.
    pub(crate) reads_later: Option<(Timestamp, Timestamp)>,
    pub(crate) unread: u32,
    /// Servers that asked for fewer queries.
    pub(crate) left_alone: Limited,
    /// The memory of the records of runs.
    pub(crate) kept: Kept,
}

impl Sim {
    /// A model of this world, with the name of its target.
    pub fn new(world: World, name: &str) -> Self {
        Self::of(world, Names::named(name))
    }

    /// A model of this world, with objects with these names.
    pub(crate) fn of(world: World, names: Names) -> Self {
        let mut sim = Self {
            world,
            pods: Pods::default(),
            now: start(),
            skew: SignedDuration::ZERO,
            watching_since: Timestamp::MIN,
            readings: BTreeMap::new(),
            counts: Ok(Rates::default()),
            former_counts: vec![],
            refusals: BTreeMap::new(),
            called: vec![],
            heard: BTreeMap::new(),
            conditions: Known::default(),
            asking: Duration::ZERO,
            calling: Duration::ZERO,
            meanwhile: None,
            limited: BTreeMap::new(),
            silent: false,
            uncounted: false,
            queued: None,
            unreadable: false,
            trouble: None,
            trouble_at: None,
            others: Others::default(),
            refused: None,
            writes: WriteBudget::default(),
            rate: Rate::default(),
            observer: Observer::default(),
            told: None,
            log: vec![],
            plans: 0,
            asked: 0,
            names,
            wake: Wake::Now,
            asks_later: None,
            silence: 0,
            reads_later: None,
            unread: 0,
            left_alone: Limited::default(),
            kept: Kept::default(),
        };
        controllers::play(&mut sim.pods, &mut sim.world, sim.now);
        sim.look();
        sim
    }

    /// Names of its objects.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The next requested wake-up.
    pub fn wake(&self) -> Wake {
        self.wake
    }

    /// The world was changed from outside.
    pub fn look(&mut self) {
        self.observer.saw(&self.world, &self.pods, &self.names, self.now);
    }

    /// The planner's input now.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let mut snap = self.world.snapshot()?;
        snap.pauses = self.pauses();
        snap.watching_since = self.watching_since;
        snap.writes = self.writes.clone();
        snap.refused.clone_from(&self.refused);
        snap.records = self.kept.records(&self.world);
        snap.heard = self.heard.clone();
        snap.queued = self.queued;
        snap.conditions = self.conditions.clone();
        Some(snap)
    }

    /// It wakes up within this time, or repeats a write that was refused or that others revert.
    pub(crate) fn acts_within(&self, time: Duration) -> bool {
        let now = self.clock();
        let looks = matches!(self.wake, Wake::At(at) if at <= later(self.now, time));
        looks || self.writes.held(now).any(|until| until <= later(now, time))
    }

    /// The Canary was deleted with its records, and created again.
    pub fn canary_was_made_again(&mut self) {
        self.kept.gone();
        self.observer.canary_was_made_again();
    }

    /// The operator's time.
    pub fn clock(&self) -> Timestamp {
        self.now.checked_add(self.skew).unwrap_or(self.now)
    }

    /// The operator is not running for this long: time passes and pods change, but nothing is decided.
    pub fn away(&mut self, time: Duration) {
        self.now = later(self.now, time);
        controllers::play(&mut self.pods, &mut self.world, self.now);
        self.crash();
        self.watching_since = self.clock();
    }

    /// One pass: read, query, decide, write. Returns false if there was nothing to write.
    pub fn step(&mut self) -> bool {
        let Some(mut snap) = self.snapshot() else {
            self.wake = Wake::OnChange;
            return false;
        };
        self.conditions = self.conditions.with(snap.canary.conditions());
        snap.conditions = self.conditions.clone();
        let (asked_at, asked_in) = (self.clock(), snap.pauses.clone());
        let begun = plan::begin(&snap, asked_at);
        let questions = begun.as_ref().err().cloned().unwrap_or_default();
        let answers = Answers { asked_at, ..self.ask(&questions) };
        if !questions.is_empty() && self.time_passes() {
            let Some(fresh) = self.snapshot() else { return false };
            snap = Snapshot { conditions: snap.conditions, pauses: asked_in.clone(), ..fresh };
            if !plan::would_ask(&snap, asked_at, &questions) {
                return true;
            }
        }
        snap.pauses = Pauses { servers: asked_in.servers, ..self.pauses() };
        let clock = self.clock();
        let plan = begun.unwrap_or_else(|_| plan::decide(&snap, &answers, clock));
        self.observer.decided(&snap, &questions, &answers, &plan, clock);
        self.wake = match plan.wake {
            Wake::At(at) => Wake::At(at.checked_sub(self.skew).unwrap_or(at)),
            wake => wake,
        };
        if plan.is_empty() {
            self.kept.remember(&plan, true);
            self.say(&plan);
            return self.call(&plan.calls);
        }
        if let Some((_, trouble)) = self.trouble_at.filter(|(plans, _)| *plans == self.plans) {
            self.trouble = Some(trouble);
        }
        self.plans += 1;
        if self.carry_out(&snap, &plan) {
            self.call(&plan.calls);
        } else if self.refused.is_some() {
            self.wake = Wake::At(later(self.now, TRIES_AGAIN));
            return false;
        }
        true
    }

    /// The number of steps that the Canary may take per minute, by its interval.
    pub(crate) fn steps_a_minute(&self) -> usize {
        let interval = self.world.canary.as_ref().map(|c| c["spec"]["analysis"]["interval"].clone());
        let seconds = interval.as_ref().and_then(|i| i.as_str()?.strip_suffix('s')?.parse::<usize>().ok());
        60 / seconds.unwrap_or(60).max(1)
    }

    /// All violations, with the events so far.
    pub fn verdict(&self) -> Result<(), String> {
        if self.observer.violations.is_empty() {
            return Ok(());
        }
        Err(format!("{}\n{}", self.observer.violations.join("\n"), self.log.join("\n")))
    }
}
