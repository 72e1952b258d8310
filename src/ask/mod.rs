//! Questions → Answers: all at once, each with a deadline. Not being answered is an answer. Webhooks may take long and are
//! called in the background: [`Calls`]; events are told to them in turn: [`Telling`].
#![allow(clippy::disallowed_methods, reason = "measures how long sources take")]

mod calls;
mod telling;

use std::{sync::Arc, time::Instant};

use futures::future::join_all;

use crate::{
    analysis::Reading,
    manifest::config::Digest,
    plan::{Answers, Question},
    source::{ContentError, Contents, MetricSource, SourceError},
    telemetry::Metrics,
};

pub use calls::Calls;
pub use telling::Telling;

/// Asks metric sources, and the API server about contents.
#[derive(Clone)]
pub struct Asker {
    prometheus: Arc<dyn MetricSource>,
    configs: Contents,
    metrics: Arc<Metrics>,
}

impl Asker {
    /// An asker over these sources.
    pub fn new(prometheus: Arc<dyn MetricSource>, configs: Contents, metrics: Arc<Metrics>) -> Self {
        Self { prometheus, configs, metrics }
    }

    /// Asks everything at once.
    pub async fn ask(&self, questions: &[Question]) -> Answers {
        let replies = join_all(questions.iter().map(|question| self.one(question))).await;
        let mut answers = Answers::default();
        for (question, reply) in questions.iter().zip(replies) {
            match (question, reply) {
                (Question::Measure { index, .. }, Reply::Metric(Ok(values))) => {
                    answers.readings.insert(*index, Reading::Values(values));
                }
                (Question::Measure { index, query }, Reply::Metric(Err(error))) => {
                    answers.readings.insert(*index, Reading::Failed(said(&query.promql, &error)));
                }
                (_, Reply::Metric(reply)) => {
                    answers.ping = Some(reply.map(|_| ()).map_err(|e| e.to_string()));
                }
                (Question::Config { at, .. }, Reply::Config(reply)) => {
                    answers.configs.insert(at.clone(), reply.map_err(|e| e.to_string()));
                }
                (_, Reply::Config(_)) => {}
            }
        }
        answers
    }

    async fn one(&self, question: &Question) -> Reply {
        let began = Instant::now();
        let reply = match question {
            Question::Ping { server } => self.prometheus.ping(server).await.map(|()| vec![]),
            Question::Measure { query, .. } => self.prometheus.query(&query.server, &query.promql).await,
            Question::Config { namespace, at } => {
                return Reply::Config(self.configs.digest(namespace, at).await);
            }
        };
        let outcome = reply.as_ref().map_or_else(SourceError::reason, |_| "answered");
        self.metrics.queried("prometheus", outcome, began.elapsed());
        Reply::Metric(reply)
    }
}

enum Reply {
    Metric(Result<Vec<f64>, SourceError>),
    Config(Result<Option<Digest>, ContentError>),
}

/// A refused query is the user's to mend: it is named.
fn said(query: &str, error: &SourceError) -> String {
    match error {
        SourceError::Rejected { .. } => format!("{error}. The query was: {query}"),
        _ => error.to_string(),
    }
}
