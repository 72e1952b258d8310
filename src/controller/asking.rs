//! Asking a Canary's questions, and what is not asked again for a while after an unusable answer.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    lanes::Slot,
    pass_state::PassState,
    pause::Pause,
    worker::{Asked, Worker},
};
use crate::{
    analysis::Reading,
    clock,
    plan::{self, Answers, Question},
    snapshot::{Key, Snapshot},
    spec::validate,
};

/// Shortest time until something is asked again after an unusable answer.
const SHORTEST: Duration = Duration::from_secs(1);

impl Worker {
    /// Queries. Postpones the next query if the answers are unusable. None: something has happened meanwhile, so the
    /// Canary has to be looked at again, or the process is shutting down.
    pub(super) async fn ask(
        &self,
        key: &Key,
        snap: &Snapshot,
        questions: Vec<Question>,
        now: Timestamp,
        slot: &mut Slot,
    ) -> Option<Asked> {
        let (open, put_off) = self.states.of(key, |state| state.limited.put_off(&questions, now));
        slot.pause();
        let answers = if open.is_empty() {
            Answers::default()
        } else {
            let _permit = self.asks(key, slot).await?;
            tokio::select! {
                answers = self.stop.run_until_cancelled(self.asker.ask(&key.0, &open)) => answers?,
                () = self.overtaken(key, snap, (&questions, now), slot) => return None,
            }
        };
        let answers = Answers { asked_at: now, ..answers.beside(put_off) };
        let interval = validate(&snap.canary, &self.config.rules).map_or(Duration::ZERO, |c| c.interval);
        self.states.of(key, |state| {
            state.limited.note(&answers.limited, interval, clock::now());
            state.put_off(&questions, &answers, now);
        });
        Some(Asked { questions, answers, pauses: snap.pauses.clone() })
    }
}

impl Asked {
    /// Answers from the pass right before, if this one has the same questions. What they have postponed does not matter
    /// to them: the snapshot gets the pauses from before.
    pub(super) fn reused(asked: Option<Self>, snap: &mut Snapshot, now: Timestamp) -> Option<Self> {
        let asked = asked.filter(|asked| !asked.questions.is_empty())?;
        let pauses = std::mem::replace(&mut snap.pauses, asked.pauses.clone());
        if plan::would_ask(snap, now, &asked.questions) {
            return Some(asked);
        }
        snap.pauses = pauses;
        None
    }
}

impl PassState {
    /// What could not be used is not asked again at once: metrics servers and the API server each at their own pace.
    fn put_off(&mut self, questions: &[Question], answers: &Answers, now: Timestamp) {
        // also applies to this pass, which may decide as of `now`
        let from_now =
            |wait: Duration| Some(Pause::between(now, clock::after(clock::now(), wait.max(SHORTEST))));
        let contents = |question: &Question| matches!(question, Question::Config { .. });
        if answers.configs.values().any(Result::is_err) {
            self.read_not_before = from_now(self.unread.next_delay());
        } else if questions.iter().any(contents) {
            self.unread.reset();
            self.read_not_before = None;
        }
        let unusable = |r: &Reading| matches!(r, Reading::Failed(_) | Reading::Doubted { .. });
        let uncounted = answers.counts.values().any(Result::is_err);
        if uncounted || answers.readings.values().chain(answers.newest.values()).any(unusable) {
            self.ask_not_before = from_now(self.silences.next_delay());
        } else if !questions.iter().all(contents) {
            self.silences.reset();
            self.ask_not_before = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{CONFIG_MAP, ObjectRef};

    #[test]
    fn c30_metrics_and_contents_are_put_off_each_on_its_own() {
        let (mut state, now) = (PassState::default(), clock::now());
        let at = ObjectRef::new(CONFIG_MAP, "settings");
        let read = [Question::Config { namespace: "n".into(), at: at.clone() }];
        let mut answers = Answers::default();
        answers.configs.insert(at.clone(), Err("forbidden".into()));
        state.put_off(&read, &answers, now);
        assert!(state.read_not_before.is_some() && state.ask_not_before.is_none());
        let mut uncounted = Answers::default();
        uncounted.counts.insert((0, now), Err("status 429".into()));
        state.put_off(&[], &uncounted, now);
        assert!(state.ask_not_before.is_some(), "a count is as good as a value");
        answers.configs.insert(at, Ok(None));
        state.put_off(&read, &answers, now);
        assert!(state.read_not_before.is_none() && state.ask_not_before.is_some());
    }
}
