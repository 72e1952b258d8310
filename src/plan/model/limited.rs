//! Metrics servers that ask for fewer queries: each is left alone for a while, and no other.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::question::{Answers, Limit, Question};
use crate::{
    analysis::{Failure, Reading},
    clock,
};

/// A server leaves this much time between two queries at least, once it has asked for fewer.
const SHORTEST: Duration = Duration::from_secs(1);

/// The servers that a Canary leaves alone, by [`Question::place`].
#[derive(Clone, Debug, Default)]
pub struct Limited(BTreeMap<String, Rest>);

#[derive(Clone, Debug)]
struct Rest {
    server: String,
    since: Timestamp,
    until: Timestamp,
}

impl Limited {
    /// Servers have asked for fewer queries. Each is queried no more often than one that answers, once per `interval`,
    /// and not before the time that it names.
    pub fn note(&mut self, limits: &BTreeMap<String, Limit>, interval: Duration, now: Timestamp) {
        self.0.retain(|_, rest| rest.holds(now));
        for (place, Limit { wait, server }) in limits {
            let until = clock::after(now, (*wait).max(interval).max(SHORTEST));
            self.0.insert(place.clone(), Rest { server: server.clone(), since: now, until });
        }
    }

    /// Until when each is left alone.
    pub fn until(&self, now: Timestamp) -> BTreeMap<String, Timestamp> {
        let left_alone = self.0.iter().filter(|(_, rest)| rest.holds(now));
        left_alone.map(|(place, rest)| (place.clone(), rest.until)).collect()
    }

    /// The questions to ask, and the answers to those that are not asked now.
    pub fn put_off(&self, questions: &[Question], now: Timestamp) -> (Vec<Question>, Answers) {
        let (mut open, mut answers) = (Vec::new(), Answers::default());
        for question in questions {
            let rest = question.place().and_then(|place| self.0.get(&place)).filter(|rest| rest.holds(now));
            match rest {
                Some(rest) => answers.refuse(question, rest.why()),
                None => open.push(question.clone()),
            }
        }
        (open, answers)
    }
}

impl Rest {
    /// It is not over. False also if the clock has been set back since it began: then its end is unknown.
    fn holds(&self, now: Timestamp) -> bool {
        self.since <= now && now < self.until
    }

    fn why(&self) -> Failure {
        format!("{} asks for fewer queries, so it is not queried before {:.0}", self.server, self.until)
            .into()
    }
}

impl Answers {
    /// This question was not asked, for this reason.
    fn refuse(&mut self, question: &Question, why: Failure) {
        match question {
            Question::Ping { .. } => self.ping = Some(Err(why)),
            Question::Measure { index, .. } => {
                self.readings.insert(*index, Reading::Failed(why));
            }
            Question::Count { metric, to, .. } => {
                self.counts.insert((*metric, *to), Err(why));
            }
            // the query that it goes along with is not asked either
            Question::Newest { .. } | Question::Exists { .. } | Question::Config { .. } => {}
        }
    }

    /// These, and the answers to questions that were put off.
    #[must_use]
    pub fn beside(mut self, put_off: Self) -> Self {
        self.readings.extend(put_off.readings);
        self.counts.extend(put_off.counts);
        self.ping = put_off.ping.or(self.ping);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Access;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn ping(server: &str) -> Question {
        Question::Ping { server: server.into(), access: Access::default(), template: None }
    }

    fn limited(wait: u64, interval: u64) -> Limited {
        let limit = Limit { wait: Duration::from_secs(wait), server: "http://a".into() };
        let limits = ping("http://a").place().map(|place| (place, limit)).into_iter().collect();
        let mut limited = Limited::default();
        limited.note(&limits, Duration::from_secs(interval), at(0));
        limited
    }

    #[test]
    fn c30_a_server_that_asks_for_less_is_not_asked_more_often_than_one_that_answers() {
        let ends = |wait, interval| limited(wait, interval).until(at(0)).into_values().collect::<Vec<_>>();
        assert_eq!(ends(0, 300), [at(300)]);
        assert_eq!(ends(900, 300), [at(900)]);
        assert_eq!(ends(0, 0), [at(1)]);
    }

    #[test]
    fn c30_only_the_server_that_asks_for_less_is_left_alone() {
        let (limited, all) = (limited(300, 10), [ping("http://a"), ping("http://b")]);
        let (open, answers) = limited.put_off(&all, at(299));
        assert_eq!(open, [ping("http://b")]);
        let why = answers.ping.unwrap().unwrap_err().why;
        assert!(why.contains("http://a") && why.contains(&format!("{:.0}", at(300))), "{why}");
        assert_eq!(limited.put_off(&all, at(300)).0, all);
    }

    #[test]
    fn c19_a_clock_that_is_set_back_leaves_no_server_alone() {
        let (limited, all) = (limited(300, 10), [ping("http://a")]);
        assert_eq!(limited.put_off(&all, at(-3600)).0, all);
        assert!(limited.until(at(-3600)).is_empty());
    }
}
