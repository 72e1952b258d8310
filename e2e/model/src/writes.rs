//! How a model executes plans: in the operator's order, interrupted by crashes, conflicts and refusals.

use serin::{
    plan::{Action, Limited, Plan},
    snapshot::{CANARY_RUN, ObjectRef, SERVICE, Snapshot},
    write_budget::{Outcome, WriteBudget},
};

use crate::{
    sim::{Sim, Trouble},
    transcript,
    world::World,
};

impl Sim {
    pub(crate) fn say(&mut self, plan: &Plan) {
        self.log.extend(plan.notes.iter().map(transcript::note));
    }

    /// Executes a plan in the operator's order: the status, then the actions, then the Events. Returns true if it was
    /// completed.
    pub fn carry_out(&mut self, snap: &Snapshot, plan: &Plan) -> bool {
        let trouble = self.trouble.take();
        let mut left = match trouble {
            Some(Trouble::CrashAfter(writes)) => writes,
            _ => usize::MAX,
        };
        if trouble == Some(Trouble::Conflict) {
            let note = format!("{}", self.plans);
            self.world.edit_canary(&serde_json::json!({"metadata": {"annotations": {"somebody": note}}}));
        }
        let mut decided = true;
        if plan.status.is_some() {
            if left == 0 {
                self.crash();
                return false;
            }
            left -= 1;
            decided = self.write_status(snap, plan);
            if !decided && !plan.urgent {
                return false;
            }
        }
        let mut reached = true;
        for action in plan.actions.iter().filter(|a| decided || a.kind() != CANARY_RUN) {
            if left == 0 {
                self.crash();
                return false;
            }
            left -= 1;
            if !self.act(action) {
                reached = false;
                if !plan.urgent {
                    break;
                }
            }
        }
        if decided {
            self.kept.remember(plan, reached);
            self.say(plan);
        }
        decided
    }

    pub(crate) fn crash(&mut self) {
        self.log.push("       the operator dies and starts anew".into());
        (self.asks_later, self.silence) = (None, 0);
        (self.reads_later, self.unread) = (None, 0);
        self.left_alone = Limited::default();
        self.kept.forget();
        self.heard.clear();
        self.refused = None;
        self.writes = WriteBudget::default();
    }

    fn write_status(&mut self, snap: &Snapshot, plan: &Plan) -> bool {
        let Some(status) = &plan.status else { return true };
        self.refused = self.others.refuses_status().map(|why| format!("status: {why}"));
        if let Some(why) = &self.refused {
            self.log.push(format!("       refused: {why}"));
            return false;
        }
        let before = self.world.clone();
        let version = snap.canary.metadata.resource_version.as_deref();
        if let Err(moved) = self.world.write_status(version, status) {
            self.log.push(format!("       refused, it has changed: {}", moved.0));
            return false;
        }
        let templates = &self.observer.templates;
        let revision = |hash: &str| {
            let image = templates.get(hash).and_then(|t| t["spec"]["containers"][0]["image"].as_str());
            image.map_or_else(|| hash.chars().take(10).collect(), |i| format!("revision of {i}"))
        };
        let lines = transcript::status(&before.status(), &self.world.status(), &revision);
        self.log.extend(lines);
        if let Some(told) = &mut self.told {
            told.extend(self.world.canary.clone());
        }
        self.wrote(&before, None);
        true
    }

    fn act(&mut self, action: &Action) -> bool {
        let before = self.world.clone();
        let canary = before.canary.as_ref().and_then(|canary| canary["metadata"]["name"].as_str());
        let (write, desired) = action.attempt(canary.unwrap_or_default());
        self.log.push(transcript::action(action));
        let outcome = match self.others.refuses(&self.world, &write.0, action) {
            Some(why) => {
                self.log.push(format!("       refused: {why}"));
                Outcome::Refused(format!("{}: {why}", write.0))
            }
            None => match self.world.write(action, self.now) {
                Ok(()) => Outcome::Written,
                Err(moved) => {
                    self.log.push(format!("       refused, it has changed: {}", moved.0));
                    Outcome::Conflict(moved.0)
                }
            },
        };
        let written = outcome == Outcome::Written;
        self.writes.note(&write, desired, outcome, self.clock());
        if written {
            let wrong = self.rate.note(&write.0, self.steps_a_minute(), self.now);
            self.observer.violations.extend(wrong);
            self.wrote(&before, Some(action));
            let changed = self.others.react(&mut self.world, &write.0, self.now);
            self.log.extend(changed);
            self.look();
        }
        written
    }

    fn wrote(&mut self, before: &World, action: Option<&Action>) {
        let apex = ObjectRef::new(SERVICE, self.names.apex.clone());
        self.observer.apex_refused = self.others.refuses.contains_key(&apex);
        self.observer.wrote(before, &self.world, &self.pods, &self.names, action, self.now);
        self.look();
    }
}
