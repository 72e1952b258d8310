//! The answers to queries and webhooks in a model, and events during the wait for them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serin::{
    analysis::{Doubt, Reading, Tally},
    manifest::config,
    plan::{Answers, Limit, Question, Round},
    snapshot::{Denial, Pauses, Timing, WebhookReply, WebhookRound},
    spec::validate,
    statistics::Counts,
};

use crate::{controllers, rates::Rates, sim::Sim, time::later, transcript};

impl Sim {
    /// The scripted answers to these queries.
    pub fn answer(&self, questions: &[Question]) -> Answers {
        let mut answers = Answers::default();
        for question in questions {
            if let (Question::Measure { query, .. } | Question::Count { query, .. }, Some(place)) =
                (question, question.place())
                && let Some(wait) = self.limited.get(&query.metric)
            {
                answers.limited.insert(place, Limit { wait: *wait, server: query.server.clone() });
            }
            match question {
                Question::Ping { .. } => {
                    answers.ping = Some(if self.silent { Err("connection refused".into()) } else { Ok(()) });
                }
                Question::Exists { .. } => answers.exists = Some(!self.uncounted),
                Question::Measure { index, query } => {
                    let well = query.range.min.or(query.range.max).unwrap_or(1.0);
                    let of_text = self.readings.get(&query.promql);
                    let mut reading = of_text.or_else(|| self.readings.get(&query.metric)).cloned();
                    let emptied = Some(Reading::Doubted { values: vec![], doubt: Doubt::Emptied });
                    if reading == emptied && !query.doubts.iter().any(|asked| asked.contains("emptied")) {
                        reading = Some(Reading::Values(vec![]));
                    }
                    answers.readings.insert(*index, reading.unwrap_or(Reading::Values(vec![well])));
                }
                Question::Newest { index, query } => {
                    let reading = self.newest(&query.metric, &query.server).cloned();
                    answers.newest.insert(*index, reading.unwrap_or(Reading::Values(vec![])));
                }
                Question::Count { metric, from, to, .. } => {
                    let counted = self.counts.as_ref().map_err(|why| why.as_str().into());
                    let counted = counted.map(|present| self.counted(*present, *from, *to));
                    answers.counts.insert((*metric, *to), counted);
                }
                Question::Config { at, .. } => {
                    let digest = self.world.objects.at(at).map(config::digest);
                    let answer = if self.unreadable { Err("forbidden".into()) } else { Ok(digest) };
                    answers.configs.insert(at.clone(), answer);
                }
            }
        }
        answers
    }

    /// The scripted answer about the newest samples of this server, or of all.
    fn newest(&self, metric: &str, server: &str) -> Option<&Reading> {
        let of_one = self.readings.get(&format!("{metric} of {server}"));
        of_one.or_else(|| self.readings.get(metric))
    }

    /// The requests between two moments, by the rates at that time.
    fn counted(&self, present: Rates, from: Timestamp, to: Timestamp) -> Tally {
        let (mut begin, mut sum) = (from, Tally::default());
        for (until, rates) in self.former_counts.iter().copied().chain([(Timestamp::MAX, present)]) {
            let end = to.min(until);
            if begin < end {
                let more = rates.between(begin, end, self.clock());
                let both = |a: Counts, b: Counts| Counts { all: a.all + b.all, bad: a.bad + b.bad };
                sum.canary = both(sum.canary, more.canary);
                sum.primary = both(sum.primary, more.primary);
                begin = end;
            }
        }
        sum
    }

    pub(crate) fn ask(&mut self, questions: &[Question]) -> Answers {
        let (open, put_off) = self.left_alone.put_off(questions, self.clock());
        let answers = self.answer(&open).beside(put_off);
        self.asked += open.len();
        for question in &open {
            match question {
                Question::Measure { index, query } => {
                    self.log.push(transcript::asked(&query.metric, answers.readings.get(index)));
                }
                Question::Newest { query, .. } => {
                    let what = format!("{} of {}", query.metric, query.server);
                    let line = self
                        .newest(&query.metric, &query.server)
                        .map(|reading| transcript::asked(&what, Some(reading)));
                    self.log.extend(line);
                }
                Question::Config { at, .. } => self.log.push(format!("read   {at}")),
                Question::Count { metric, to, query, .. } => {
                    self.log.push(transcript::counted(&query.metric, answers.counts.get(&(*metric, *to))));
                }
                Question::Ping { .. } | Question::Exists { .. } => {}
            }
        }
        self.put_off(questions, &answers);
        answers
    }

    /// Until when it does not ask. None also if the clock was set back since it stopped asking, as in the operator.
    pub(crate) fn pauses(&self) -> Pauses {
        let now = self.clock();
        let until = |pause: Option<(Timestamp, Timestamp)>| pause.filter(|(since, _)| *since <= now);
        Pauses {
            queries: until(self.asks_later).map(|(_, until)| until),
            contents: until(self.reads_later).map(|(_, until)| until),
            servers: self.left_alone.until(now),
        }
    }

    /// As the operator does it in `controller::asking`.
    fn put_off(&mut self, questions: &[Question], answers: &Answers) {
        let canary = self.snapshot().filter(|_| !answers.limited.is_empty());
        let valid = canary.and_then(|snap| validate(&snap.canary, &snap.rules).ok());
        let interval = valid.map_or(Duration::ZERO, |valid| valid.interval);
        self.left_alone.note(&answers.limited, interval, later(self.clock(), self.asking));
        let pause = |tries: u32| {
            let wait = SignedDuration::from_secs(1 << tries.min(6));
            self.clock().checked_add(wait).ok().map(|until| (self.clock(), until))
        };
        let (reads_later, asks_later) = (pause(self.unread), pause(self.silence));
        let contents = |question: &Question| matches!(question, Question::Config { .. });
        if answers.configs.values().any(Result::is_err) {
            self.unread += 1;
            self.reads_later = reads_later;
        } else if questions.iter().any(contents) {
            (self.unread, self.reads_later) = (0, None);
        }
        let unusable = |r: &Reading| matches!(r, Reading::Failed(_) | Reading::Doubted { .. });
        let uncounted = answers.counts.values().any(Result::is_err);
        if uncounted || answers.readings.values().chain(answers.newest.values()).any(unusable) {
            self.silence += 1;
            self.asks_later = asks_later;
        } else if !questions.iter().all(contents) {
            (self.silence, self.asks_later) = (0, None);
        }
    }

    /// Time passes and others act during the wait for answers. Returns false if nothing happened.
    pub(crate) fn time_passes(&mut self) -> bool {
        // the pause after a query starts with its answer
        for pause in [&mut self.asks_later, &mut self.reads_later] {
            *pause = pause.map(|(since, until)| (since, later(until, self.asking)));
        }
        let Some((name, mode)) = self.meanwhile.take() else {
            self.now = later(self.now, self.asking);
            return !self.asking.is_zero();
        };
        self.pods.modes.insert(name, mode);
        self.now = later(self.now, self.asking);
        controllers::play(&mut self.pods, &mut self.world, self.now);
        self.look();
        true
    }

    /// Calls webhooks: they answer at once, or hang. Returns true if one has answered.
    pub(crate) fn call(&mut self, rounds: &[Round]) -> bool {
        let mut answered = false;
        for round in rounds {
            let asked = self.clock();
            self.now = later(self.now, self.calling);
            let mut said = Vec::new();
            for call in &round.calls {
                self.called.push(call.clone());
                let refusal = self.refusals.get(&call.name).map(String::as_str);
                if refusal == Some("hangs") {
                    self.log.push(format!("call   {} hangs", call.name));
                    break;
                }
                let answer = refusal.map_or(Ok(()), |why| Err(Denial::plain(why)));
                self.log.push(format!("call   {}: {}", call.name, refusal.unwrap_or("yes")));
                let last = round.ends_with(&answer);
                let course = Timing {
                    shown: call.url.clone(),
                    asked,
                    answered: self.clock(),
                    tries: 1,
                    status: Some(if answer.is_ok() { 200 } else { 403 }),
                };
                said.push(WebhookReply { name: call.name.clone(), url: call.url.clone(), answer, course });
                if last || said.len() == round.calls.len() {
                    answered = true;
                    self.heard.insert(round.place.clone(), WebhookRound { at: self.clock(), said });
                    break;
                }
            }
        }
        answered
    }
}
