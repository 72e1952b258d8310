//! The invariants that a plan breaks, before it is executed: compares it with the queries and the answers.

use jiff::{SignedDuration, Timestamp};
use serin::{
    api::{Answer, CanaryStatus, Phase, StepStatus},
    manifest::readiness::replaced_at_once,
    plan::{Answers, Plan, Question, Wake},
    snapshot::{DEPLOYMENT, SERVICE, Snapshot},
    spec::{Apex, Validated, validate},
};

use crate::{Broken, evidence::enough, facts::port_is_replaced, schedule::schedule};

/// A plan and its inputs.
pub struct Decided<'a> {
    /// The planner's input.
    pub snap: &'a Snapshot,
    /// Its queries.
    pub asked: &'a [Question],
    /// The answers.
    pub answers: &'a Answers,
    /// Its decision.
    pub plan: &'a Plan,
    /// The time.
    pub now: Timestamp,
    /// Hash of the current target.
    pub present: &'a str,
}

/// The memory of decisions on one Canary.
#[derive(Clone, Debug, Default)]
pub struct Decisions {
    /// Epoch, index and time of the furthest step.
    furthest: (i64, i32, Option<Timestamp>),
    /// The clock was changed: earlier times cannot be compared.
    pub clock_set: bool,
    /// The analysis was edited during a run: steps may belong to different schedules.
    pub spec_edited: bool,
    found: Vec<Broken>,
}

impl Decisions {
    fn wrong(&mut self, check: &'static str, text: String) {
        self.found.push((check, text));
    }

    /// The invariants that the next plan breaks.
    pub fn see(&mut self, it: &Decided<'_>) -> Vec<Broken> {
        let (snap, plan, now) = (it.snap, it.plan, it.now);
        let old = snap.canary.status.clone().unwrap_or_default();
        if plan.is_empty() && matches!(plan.wake, Wake::At(t) if t <= now) {
            self.wrong("liveness", format!("asks to be woken at {:?}, which is past at {now}", plan.wake));
        }
        let ending = old.run.as_ref().is_some_and(|r| r.ending.is_some());
        let deleting = snap.canary.metadata.deletion_timestamp.is_some();
        if snap.canary.spec.suspend == Some(true) && !ending && !deleting && !plan.actions.is_empty() {
            self.wrong("S13", format!("acts while suspended: {:?}", plan.actions));
        }
        if let Some(new) = &plan.status {
            self.told(&old, new, plan);
            self.asked(&old, new);
            self.commanded(new, plan);
            if new.epoch < old.epoch {
                self.wrong("S10", format!("the epoch goes from {} back to {}", old.epoch, new.epoch));
            }
            if let Ok(c) = validate(&snap.canary, &snap.rules) {
                self.stepped(it, &c, &old, new);
                self.held(it, &c, &old, new);
                self.evidence(it, &c, &old, new);
            }
        }
        std::mem::take(&mut self.found)
    }

    fn told(&mut self, old: &CanaryStatus, new: &CanaryStatus, plan: &Plan) {
        // earlier plans have already reported that traffic goes to the primary, or that the run ends
        let ending = old.run.as_ref().is_some_and(|r| r.ending.is_some());
        let said_before = new.phase == Some(Phase::Finalising) || ending;
        // a primary that disappears while it is being taken over is created again without a message
        let quiet = new.phase == Some(Phase::Initializing);
        if old.phase != new.phase && plan.notes.is_empty() && !said_before && !quiet {
            self.wrong("property 12", format!("{:?} → {:?} without a word", old.phase, new.phase));
        }
    }

    /// Each request is answered once.
    fn asked(&mut self, old: &CanaryStatus, new: &CanaryStatus) {
        let Some(answered) = new.request.as_ref().filter(|now| old.request.as_ref() != Some(now)) else {
            return;
        };
        let before = old.request.as_ref().filter(|before| before.id == answered.id);
        let last = before.is_some_and(|before| before.verb == answered.verb);
        let used = before.is_some() || old.answered_requests.contains(&answered.id);
        if used && (last || answered.answer != Answer::Refused) {
            self.wrong("S19", format!("request {} is answered again: {answered:?}", answered.id));
        }
    }

    /// Commands in messages and conditions work: an id works once.
    fn commanded(&mut self, new: &CanaryStatus, plan: &Plan) {
        let notes = plan.notes.iter().map(|note| note.message.as_str());
        let conditions = new.conditions.iter().filter(|c| c.status == "True").map(|c| c.message.as_str());
        let answered = |id: &str| {
            new.request.as_ref().is_some_and(|last| last.id == id)
                || new.answered_requests.iter().any(|known| known == id)
        };
        for id in notes.chain(conditions).filter_map(printed_id).filter(|id| answered(id)) {
            self.wrong("S20", format!("people are told to use the id {id}, which was answered"));
        }
    }

    fn held(&mut self, it: &Decided<'_>, c: &Validated, old: &CanaryStatus, new: &CanaryStatus) {
        let paused = |status: &CanaryStatus| {
            status.run.as_ref().and_then(|run| run.paused.clone().map(|_| run.number))
        };
        let (Some(before), Some(after)) = (paused(old), paused(new)) else { return };
        let weight = |status: &CanaryStatus| status.step.as_ref().map_or(0, |step| step.weight);
        let primary_down = it.snap.ready(&c.names.primary_service) == 0;
        let raised = weight(new) > weight(old) && !(primary_down && weight(new) == 100);
        let promoted = new.phase == Some(Phase::Promoting) && old.phase != new.phase;
        if before == after && (raised || promoted) {
            self.wrong("S18", format!("goes on from {:?} to {:?} while it is held", old.step, new.step));
        }
    }

    fn stepped(&mut self, it: &Decided<'_>, c: &Validated, old: &CanaryStatus, new: &CanaryStatus) {
        let (snap, now) = (it.snap, it.now);
        let (a, b) = (old.step.clone().unwrap_or_default(), new.step.clone().unwrap_or_default());
        let primary_down = snap.ready(&c.names.primary_service) == 0;
        // a primary that is replaced at once has no traffic meanwhile
        let promoting = snap.canary.status.as_ref().and_then(|s| s.phase) == Some(Phase::Promoting);
        let ended = new.run.as_ref().and_then(|r| r.ending.as_ref());
        let left = || snap.objects.get(SERVICE, &c.names.primary_service).is_some_and(port_is_replaced);
        let at_once = snap.objects.get(DEPLOYMENT, &c.names.primary).is_some_and(replaced_at_once);
        let emptied = promoting && (at_once || left());
        if ended.is_some() && b.weight > a.weight && !((primary_down || emptied) && b.weight == 100) {
            self.wrong("S7", format!("weight {} → {} after the run was ended", a.weight, b.weight));
        }
        // an edit of the schedule changes only the position of a run in it
        let placed = |x: &StepStatus| (x.weight, x.mirrored, x.confirmed.clone());
        if self.spec_edited && a.index > 0 && placed(&a) == placed(&b) {
            return;
        }
        if b.index == a.index.saturating_add(1) {
            let expected = expected(snap, c, new, a.index as usize);
            if b.weight != expected {
                self.wrong("S9", format!("step {} gives {} and not {expected}", b.index, b.weight));
            }
            let (epoch, index, at) = self.furthest;
            let waited = at.is_none_or(|at| {
                now.duration_since(at) >= SignedDuration::try_from(c.interval).unwrap_or_default()
            });
            let waited = waited || a.shortened.is_some();
            if epoch == new.epoch && b.index > index && !waited && !self.clock_set && !self.spec_edited {
                self.wrong("property 2", format!("step {} within the interval", b.index));
            }
            if epoch != new.epoch || b.index > index {
                self.furthest = (new.epoch, b.index, Some(now));
            }
        } else if b.index > a.index && !(self.spec_edited && b.weight <= a.weight) {
            self.wrong("S9", format!("index {} → {}", a.index, b.index));
        } else if b.weight > a.weight
            && !((primary_down || promoting) && b.weight == 100)
            && !(self.spec_edited && b.index == 1 && b.weight == expected(snap, c, new, 0))
        {
            self.wrong("S9", format!("weight {} → {} without a step", a.weight, b.weight));
        }
        let back = a.weight.saturating_sub(b.weight);
        let moved_on = || Some(it.present) != old.last_applied_spec.as_deref();
        if b.promotion > a.promotion && c.promotion_step > 0 && back > c.promotion_step && !moved_on() {
            self.wrong("S9", format!("promotion takes {back} at once"));
        }
    }

    fn evidence(&mut self, it: &Decided<'_>, c: &Validated, old: &CanaryStatus, new: &CanaryStatus) {
        let (asked, answers, now) = (it.asked, it.answers, it.now);
        let (a, b) = (old.step.clone().unwrap_or_default(), new.step.clone().unwrap_or_default());
        let begins = |phase| new.phase == Some(phase) && old.phase != new.phase;
        // after an edit an index may increase without a change of the weight
        let follows = self.spec_edited && b.weight <= a.weight;
        let advances = b.index > a.index && a.index > 0 && !follows;
        // it was measured before the wait started
        let waited = matches!(old.phase, Some(Phase::WaitingPromotion | Phase::Waiting));
        let finished = old.run.as_ref().is_some_and(|run| run.finish.is_some());
        if c.skip_analysis || finished || waited || !(advances || begins(Phase::Promoting)) {
            return;
        }
        let metrics = c.metrics.len();
        let vanished_and_back = self.furthest.0 == new.epoch && b.index <= self.furthest.1 && b.index == 1;
        if !enough(c, asked, answers, old, !vanished_and_back) {
            self.wrong(
                "S6",
                format!(
                    "goes on from step {} on {answers:?} to {} of {metrics} checks",
                    a.index,
                    asked.len()
                ),
            );
        }
        let window = a.checked.or(a.confirmed).map(|t| now.duration_since(t.0));
        if a.shortened.is_some() {
            return;
        }
        if window.is_none_or(|w| w < SignedDuration::try_from(c.interval).unwrap_or_default()) {
            self.wrong("S6", format!("goes on from step {} before its window has ended", a.index));
        }
    }
}

/// The weight of this step, counted from 0. After the last step, the last weight.
fn expected(snap: &Snapshot, c: &Validated, new: &CanaryStatus, step: usize) -> i32 {
    let weights = schedule(&serde_json::to_value(&*snap.canary).unwrap_or_default());
    let listed = weights.get(step).or(weights.last()).copied().unwrap_or(100) as i32;
    if c.apex == Apex::Shares { nearest(new, listed) } else { listed }
}

/// The weight that whole pods make of this one, worked out anew.
fn nearest(status: &CanaryStatus, weight: i32) -> i32 {
    let whole = f64::from(status.primary_replicas.unwrap_or(1).max(1));
    if weight == 0 {
        return 0;
    }
    let pods = (whole * f64::from(weight) / 100.0 - 0.001).round().clamp(1.0, (whole - 1.0).max(1.0));
    (pods * 100.0 / (pods + (whole - pods).max(1.0))).round() as i32
}

/// The id in a command to annotate the Canary with a request, as `verb/id` or as JSON.
fn printed_id(text: &str) -> Option<&str> {
    let (_, request) = text.split_once("serin.dev/request=")?;
    match request.split_once("\"id\":\"") {
        Some((_, id)) => id.split('"').next(),
        None => request.split_whitespace().next()?.split_once('/').map(|(_, id)| id),
    }
}
