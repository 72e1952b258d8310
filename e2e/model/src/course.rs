//! The passage of time in a model: repeats plans and controllers until nothing is left to do, and again at each
//! requested wake-up.

use std::time::Duration;

use serin::{plan::Wake, snapshot::CANARY_RUN, write_budget::LONGEST_IN_AN_OUTAGE};

use crate::{
    controllers, scalers,
    sim::{MOST_PLANS, Sim},
    time::later,
};

impl Sim {
    /// Repeats plans and controllers until nothing is left to do at this time.
    pub fn settle(&mut self) {
        for _ in 0..MOST_PLANS {
            if !self.turn() {
                self.rests();
                return;
            }
        }
        self.observer.violations.push(format!("property 1: not settled after {MOST_PLANS} plans"));
    }

    /// One pass, and the reaction of the controllers. Returns false if nothing was left to do.
    pub(crate) fn turn(&mut self) -> bool {
        let wrote = self.step();
        self.controllers() || wrote
    }

    /// Runs the controllers once. Returns false if they had nothing to do.
    pub(crate) fn controllers(&mut self) -> bool {
        let before = scalers::replicas(&self.world);
        let played = controllers::play(&mut self.pods, &mut self.world, self.now);
        for (name, is) in scalers::replicas(&self.world) {
            if let Some(was) = before.get(&name).filter(|was| **was != is) {
                self.log.push(format!("scaler {name} from {was} to {is}"));
            }
        }
        self.look();
        played
    }

    /// Checks the invariants that hold when nothing is left to do at this time.
    pub(crate) fn rests(&mut self) {
        let wrong = self.kept.wrong(&self.world, self.now);
        // a record that is refused is written later
        if !self.others.refuses.keys().any(|at| at.kind == CANARY_RUN) {
            self.observer.violations.extend(wrong);
        }
        // changes that are refused or reverted each time cannot have an effect
        if self.others.refuses.is_empty() && self.others.changes.is_empty() {
            let soon = self.acts_within(LONGEST_IN_AN_OUTAGE);
            self.observer.settled(&self.world, &self.pods, &self.names, soon.then_some(self.now));
        }
    }

    /// Lets time pass, and runs the planner at each requested wake-up.
    pub fn advance(&mut self, time: Duration) {
        let end = later(self.now, time);
        self.settle();
        for _ in 0..2000 {
            match self.wake {
                Wake::At(at) if at < end => self.now = at.max(self.now),
                _ => break,
            }
            let at = self.now;
            self.settle();
            if matches!(self.wake, Wake::At(again) if again <= at) {
                self.now = later(self.now, Duration::from_secs(1));
            }
        }
        self.now = end.max(self.now);
        self.settle();
    }
}
