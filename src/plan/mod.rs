//! PURE. What should happen next: [`questions`] lists what must be queried outside, [`decide`] decides. [`begin`] does
//! both if there is nothing to query.
//!
//! All are total and take the time as an argument. A plan contains the status to write first (the intent), then the
//! writes that are safe once it is written. The caller carries it out, looks again and asks for the next plan, until
//! there is nothing left to do. So every decision is made from what is stored in the cluster, and a crash between any
//! two writes is the same as looking again.
//!
//! ```text
//!  (new) ─► Initializing ─► Initialized ─┐                  ┌─► Failed ─┐
//!                                        ├─► Progressing ───┤           ├─► (next revision)
//!  (next revision) ──────────────────────┘        │         └───────────┘
//!                                                 ▼
//!                                   Promoting ─► Finalising ─► Succeeded
//! ```
//!
//! Modules in layer order, low to high; each may use only modules above it, and no two files use each other
//! (`e2e/tests/repo.rs` checks both):
//!
//! 1. [`model`], [`kstatus`], [`builder`] - what goes into a decision and what comes out of it
//! 2. [`configs`], [`stored_times`], [`context`], [`chain`], [`observed_target`], [`sides`], [`staleness`], [`unserved`], [`waiting`] -
//!    one Canary, and what several phases ask of it
//! 3. [`history`], [`objects`], [`traffic`] - records of runs, generated objects, where requests go
//! 4. [`gates`], [`analysis`] - who has a say before the weight rises, and what is measured
//! 5. [`phases`] - a chain of guards for each phase
//! 6. [`admission`] - what must hold before a Canary is acted on

mod admission;
mod analysis;
mod builder;
mod chain;
mod configs;
mod context;
mod gates;
mod history;
mod kstatus;
mod model;
mod objects;
mod observed_target;
mod phases;
mod sides;
mod staleness;
mod stored_times;
#[cfg(test)]
mod tests;
mod traffic;
mod unserved;
mod waiting;

pub use admission::preconditions::older_rival;
pub use gates::webhooks::event_calls;
pub use history::exposed_since;
use jiff::Timestamp;
pub use model::{
    Action, Alert, Answers, Call, HookKind, Limit, Limited, Note, Plan, Question, Round, Severity, Stop,
    Urgency, Wake, run_of,
};
pub(crate) use phases::finalizer::freed;

use crate::{api::Phase, manifest::revision, router, snapshot::Snapshot, spec::validate};
use analysis::{entries, schedule};
use builder::PlanBuilder;
use chain::Chain;
use context::Context;
use gates::{requests, webhooks};
use model::flow::{Flow, GO_ON, ignore};
use phases::{idle, initialise, not_accepted, progress, promote};

/// Begins a pass.
///
/// # Errors
/// The questions to answer before [`decide`]. If there are none, the plan is made at once, and the Canary is read
/// only once.
pub fn begin(snap: &Snapshot, now: Timestamp) -> Result<Plan, Vec<Question>> {
    let (corrected, answers) = (stored_times::corrected(snap, now), Answers::default());
    let pass = Pass::of(snap, corrected.as_ref(), &answers, now);
    let questions = pass.questions();
    if questions.is_empty() { Ok(pass.plan()) } else { Err(questions) }
}

/// The questions to answer before [`decide`].
pub fn questions(snap: &Snapshot, now: Timestamp) -> Vec<Question> {
    let (corrected, answers) = (stored_times::corrected(snap, now), Answers::default());
    Pass::of(snap, corrected.as_ref(), &answers, now).questions()
}

/// Whether this situation leads to the same questions as another one at `asked_at`: otherwise the answers say nothing
/// about it.
pub fn would_ask(snap: &Snapshot, asked_at: Timestamp, questions: &[Question]) -> bool {
    self::questions(snap, asked_at) == questions
}

/// What to do now. `answers` are those to [`questions`] for the same snapshot; missing ones are data.
pub fn decide(snap: &Snapshot, answers: &Answers, now: Timestamp) -> Plan {
    let corrected = stored_times::corrected(snap, now);
    Pass::of(snap, corrected.as_ref(), answers, now).plan()
}

/// One pass over a Canary: the result of its admission, and the plan so far.
struct Pass<'a> {
    /// With its stored times corrected.
    snap: &'a Snapshot,
    /// None if the Canary cannot be acted on.
    cx: Option<Context<'a>>,
    draft: PlanBuilder,
    now: Timestamp,
}

impl<'a> Pass<'a> {
    fn of(
        stored: &'a Snapshot,
        corrected: Option<&'a Snapshot>,
        answers: &'a Answers,
        now: Timestamp,
    ) -> Self {
        let snap = corrected.unwrap_or(stored);
        let mut draft = PlanBuilder::of(snap, now).correcting(stored.status());
        let cx = admission::admit(snap, answers, &mut draft, now);
        Self { snap, cx, draft, now }
    }

    fn questions(&self) -> Vec<Question> {
        let mut all = match self.cx.as_ref().map(|cx| (cx.phase(), cx)) {
            Some((Phase::Unset, cx)) if !cx.rejected => admission::metric_templates::pings(cx),
            Some((Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion, cx))
                // a run that is being ended needs no measurements: its rollback waits for no server
                if !cx.waits_to_begin() && !requests::aborts(cx) && !webhooks::rolls_back(cx) =>
            {
                schedule::questions(cx)
            }
            _ => vec![],
        };
        let namespace = self.snap.canary.metadata.namespace.clone().unwrap_or_default();
        let unread = self.draft.unread.iter().cloned();
        all.extend(unread.map(|at| Question::Config { namespace: namespace.clone(), at }));
        all
    }

    fn plan(self) -> Plan {
        let Self { snap, cx, mut draft, now } = self;
        if let Some(cx) = cx {
            ignore(by_phase(&cx, &mut draft));
            gates::hold::report(&cx, &mut draft);
            draft.next_check = schedule::next(&cx, &draft.status);
        }
        history::record(snap, &mut draft, now);
        staleness::report(snap, &mut draft);
        objects::contest::report(snap, &mut draft, now);
        draft.finish()
    }
}

/// The canary's current percentage in the routing object; None if there is none, or if it cannot be read.
pub fn live_weight(snap: &Snapshot) -> Option<i32> {
    let c = validate(&snap.canary, &snap.rules).ok()?;
    let split = router::by_name(&c.provider)?.read_back(&c, &snap.objects).ok()?;
    Some(split.canary())
}

/// The guards that run in every phase.
const FIRST: Chain = &[
    ("finalizer", objects::finalizer),
    ("requests", |cx, d| {
        if requests::refuse(cx, d, || schedule::wanting(cx, &entries::all(cx))) {
            gates::manual::renew(cx, d);
        }
        GO_ON
    }),
    ("abort_requested", gates::aborted),
    ("pause_requested", gates::hold::pause),
    ("step_requested", gates::hold::advance),
    ("finish_requested", gates::hold::finish),
];

fn by_phase(cx: &Context<'_>, d: &mut PlanBuilder) -> Flow {
    if cx.rejected {
        return chain::run(not_accepted::CHAIN, cx, d);
    }
    chain::run(FIRST, cx, d)?;
    chain::run(of_phase(cx), cx, d)
}

/// The guards of the Canary's phase.
fn of_phase(cx: &Context<'_>) -> Chain {
    match cx.phase() {
        Phase::Unset | Phase::Initializing => initialise::CHAIN,
        // made again: it has its primary in itself, and none of its former revisions exists
        _ if cx.c.target.holds_both() && !observed_target::is_same(cx) => initialise::CHAIN,
        // Flagger's hashes: a run in progress starts over
        _ if cx.promoted().is_some_and(|hash| !revision::is_ours(hash)) => idle::CHAIN,
        Phase::Waiting if cx.waits_to_begin() => idle::CHAIN,
        Phase::Progressing | Phase::Waiting | Phase::WaitingPromotion => progress::CHAIN,
        Phase::Promoting => promote::CHAIN,
        Phase::Finalising => promote::FINALISE,
        Phase::Initialized | Phase::Succeeded | Phase::Failed | Phase::Terminating | Phase::Terminated => {
            idle::CHAIN
        }
    }
}
