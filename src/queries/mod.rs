//! Questions → Answers: all at once, each with a deadline. No answer is also a result. Webhooks may take long and are
//! called in the background: [`WebhookRounds`]; events are sent to them in order: [`EventSink`].
#![allow(clippy::disallowed_methods, reason = "measures how long sources take")]

mod event_sink;
mod webhook_rounds;

use std::{sync::Arc, time::Instant};

use futures::future::join_all;
use jiff::Timestamp;
use tokio::time::timeout;

use crate::{
    analysis::{self, Access, Failure, Query, Reading, Tally, args, windows},
    config::Rules,
    expression::template::url,
    manifest::config::Digest,
    net::{Share, Shares},
    plan::{Answers, Limit, Question},
    source::{
        Ask, ContentError, Contents, Credentials, Secrets, Series, SourceError, Sources, Stretch,
        http::TIMEOUT,
    },
    telemetry::Metrics,
};

pub(crate) use event_sink::EventSink;
pub(crate) use webhook_rounds::WebhookRounds;

/// Concurrent queries to metrics servers, in total and per namespace: each takes a connection.
const UNDER_WAY: usize = 1024;
const OF_ONE: usize = 256;

/// Queries metric sources, and reads contents from the API server.
#[derive(Clone)]
pub(crate) struct Asker {
    sources: Arc<Sources>,
    secrets: Secrets,
    configs: Contents,
    rules: Arc<Rules>,
    metrics: Arc<Metrics>,
    under_way: Shares,
}

impl Asker {
    /// An asker over these sources.
    pub(crate) fn new(
        sources: Sources,
        secrets: Secrets,
        configs: Contents,
        rules: &Rules,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (sources, rules) = (Arc::new(sources), Arc::new(rules.clone()));
        let under_way = Shares::new(UNDER_WAY, OF_ONE);
        Self { sources, secrets, configs, rules, metrics, under_way }
    }

    /// Sends all queries of a Canary of this namespace, at once.
    pub(crate) async fn ask(&self, tenant: &str, questions: &[Question]) -> Answers {
        let replies = join_all(questions.iter().map(|question| self.one(tenant, question))).await;
        let mut answers = Answers::default();
        for (question, reply) in questions.iter().zip(replies) {
            if let (Some(place), Some(limit)) = (question.place(), reply.limit()) {
                let longest = answers.limited.remove(&place).max(Some(limit));
                answers.limited.extend(longest.map(|limit| (place, limit)));
            }
            match (question, reply) {
                (Question::Measure { index, .. }, Reply::Metric(Ok(values))) => {
                    answers.readings.insert(*index, Reading::Values(values));
                }
                (Question::Measure { index, query }, Reply::Metric(Err(unanswered))) => {
                    answers.readings.insert(*index, unanswered.reading(&query.promql));
                }
                (Question::Newest { index, .. }, Reply::Metric(reply)) => {
                    answers.newest.insert(*index, reply.map_or_else(Unanswered::of_newest, Reading::Values));
                }
                (Question::Count { metric, to, .. }, Reply::Counts(reply)) => {
                    answers.counts.insert((*metric, *to), reply.map_err(|unanswered| unanswered.failure));
                }
                (Question::Exists { .. }, Reply::Metric(reply)) => {
                    answers.exists = reply.ok().map(|values| !values.is_empty());
                }
                (Question::Ping { access, template, .. }, Reply::Metric(reply)) => {
                    let reply = reply.map(drop).map_err(|e| e.silence(access, template.as_deref()));
                    answers.ping = Some(answers.ping.unwrap_or(Ok(())).and(reply));
                }
                (Question::Config { at, .. }, Reply::Config(reply)) => {
                    answers.configs.insert(at.clone(), reply.map_err(|e| e.to_string()));
                }
                (_, Reply::Metric(_) | Reply::Counts(_) | Reply::Config(_)) => {}
            }
        }
        answers
    }

    async fn one(&self, tenant: &str, question: &Question) -> Reply {
        match question {
            Question::Ping { server, access, .. } => {
                Reply::Metric(self.source(tenant, server, access, None).await)
            }
            Question::Exists { query } | Question::Measure { query, .. } | Question::Newest { query, .. } => {
                Reply::Metric(self.source(tenant, &query.server, &query.access, Some(query)).await)
            }
            Question::Count { to, query, .. } => Reply::Counts(self.count(tenant, query, *to).await),
            Question::Config { namespace, at } => Reply::Config(self.configs.digest(namespace, at).await),
        }
    }

    /// Waits for one of the concurrent queries of this namespace.
    async fn place(&self, tenant: &str) -> Result<Option<Share>, SourceError> {
        timeout(TIMEOUT, self.under_way.take(tenant)).await.map_err(|_| SourceError::Crowded)
    }

    /// Queries one metrics server, or only checks whether it answers. Errors do not repeat the content of its Secret.
    async fn source(
        &self,
        tenant: &str,
        address: &str,
        access: &Access,
        query: Option<&Query>,
    ) -> Result<Vec<f64>, Unanswered> {
        let began = Instant::now();
        let reply = match self.place(tenant).await {
            Ok(_place) => self.exchange(tenant, address, access, query).await,
            Err(crowded) => Err(Unanswered::new(crowded, &Credentials::default())),
        };
        let outcome = reply.as_ref().map_or_else(|unanswered| unanswered.error.reason(), |_| "answered");
        self.metrics.queried(&access.kind, outcome, began.elapsed());
        reply
    }

    /// Queries a metrics server for the counts up to a time.
    async fn count(&self, tenant: &str, query: &Query, to: Timestamp) -> Result<Tally, Unanswered> {
        let began = Instant::now();
        let none = Credentials::default();
        let ask = Ask {
            tenant,
            namespace: &query.access.namespace,
            as_operator: false,
            address: &query.server,
            query: &query.promql,
            window: windows::length(&query.window),
            region: None,
            json_path: None,
            headers: &query.access.headers,
            any_certificate: query.access.any_certificate,
            credentials: &none,
            since: None,
        };
        let reply = match (self.place(tenant).await, self.sources.of(&query.access.kind)) {
            (Ok(_place), Ok(source)) => source.count(&ask, to).await,
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        let outcome = reply.as_ref().map_or_else(SourceError::reason, |_| "answered");
        self.metrics.queried(&query.access.kind, outcome, began.elapsed());
        reply.map_err(|error| Unanswered::new(error, &none))
    }

    async fn exchange(
        &self,
        tenant: &str,
        address: &str,
        access: &Access,
        query: Option<&Query>,
    ) -> Result<Vec<f64>, Unanswered> {
        let source = self.sources.of(&access.kind);
        let source = source.map_err(|error| Unanswered::new(error, &Credentials::default()))?;
        let (text, credentials) = self.filled_with(access, query).await?;
        let ask = self.question(tenant, address, access, query, (&text, &credentials));
        let reply = match query {
            Some(_) => source.query(&ask).await,
            None => source.ping(&ask).await.map(|()| vec![]),
        };
        reply.map_err(|error| Unanswered::new(error, &credentials))
    }

    /// Asks for what a query yielded at moments of the past. None: that is more than an answer may hold.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(crate) async fn past(
        &self,
        tenant: &str,
        query: &Query,
        stretch: Stretch,
    ) -> Result<Option<Vec<Series>>, Failure> {
        let access = &query.access;
        let (text, credentials) = self.filled_with(access, Some(query)).await.map_err(|e| e.failure)?;
        let ask = self.question(tenant, &query.server, access, Some(query), (&text, &credentials));
        let reply = match self.sources.of(&access.kind) {
            Ok(source) => source.past(&ask, stretch).await,
            Err(error) => Err(error),
        };
        match reply {
            Ok(series) => Ok(Some(series)),
            Err(SourceError::TooLarge { .. }) => Ok(None),
            Err(error) => Err(Unanswered::new(error, &credentials).failure),
        }
    }

    /// The text of a query, and what it is asked with.
    async fn filled_with(
        &self,
        access: &Access,
        query: Option<&Query>,
    ) -> Result<(String, Credentials), Unanswered> {
        let none = Credentials::default();
        let plainly = |error| Unanswered::new(error, &none);
        let credentials = match &access.secret {
            Some(at) => self.secrets.read(at).await.map_err(plainly)?,
            None => none.clone(),
        };
        let (text, secrets) = self.filled_in(query).await.map_err(plainly)?;
        Ok((text, credentials.beside(secrets)))
    }

    fn question<'a>(
        &self,
        tenant: &'a str,
        address: &'a str,
        access: &'a Access,
        query: Option<&Query>,
        (text, credentials): (&'a str, &'a Credentials),
    ) -> Ask<'a> {
        Ask {
            tenant,
            namespace: &access.namespace,
            as_operator: self.rules.lends_identity(&access.namespace),
            address,
            query: text,
            window: windows::length(query.map_or("", |q| &q.window)),
            region: access.region.as_deref(),
            json_path: access.json_path.as_deref(),
            headers: &access.headers,
            any_certificate: access.any_certificate,
            credentials,
            since: query.and_then(|q| q.since),
        }
    }
}

impl Asker {
    /// The text of a query with values of Secrets instead of placeholders, and those values.
    async fn filled_in(&self, query: Option<&Query>) -> Result<(String, Vec<String>), SourceError> {
        let Some(query) = query else { return Ok(Default::default()) };
        let (mut text, mut values) = (analysis::sent(query), Vec::new());
        for (mark, at) in &query.access.args {
            let held = self.secrets.read(&at.of).await?;
            let value = held.argument(&at.key)?;
            if query.access.lent && !args::is_plain(value) {
                return Err(SourceError::NotPlain {
                    secret: format!("{}/{}", at.of.namespace, at.of.name),
                    named_by: at.of.named_by.clone(),
                    key: at.key.clone(),
                    lender: query.access.namespace.clone(),
                });
            }
            text = analysis::placed(&text, mark, value);
            values.extend([value.to_owned(), url(value)]);
        }
        Ok((text, values))
    }
}

/// An error with its texts for people.
struct Unanswered {
    error: SourceError,
    failure: Failure,
}

impl Unanswered {
    fn new(error: SourceError, credentials: &Credentials) -> Self {
        let [why, quote] = [error.to_string(), error.quoting()].map(|text| credentials.redact(&text));
        Self { failure: Failure { quote: Some(quote).filter(|quote| *quote != why), why }, error }
    }

    /// A refused query is the user's to fix, so it is named. Doubts are about values.
    fn reading(self, query: &str) -> Reading {
        match self.error {
            SourceError::Doubtful { values, doubt } => Reading::Doubted { values, doubt },
            SourceError::Sparse { .. } => Reading::NoData(self.failure.why),
            SourceError::Rejected { .. } | SourceError::QueryWarned { .. } => {
                Reading::Failed(reworded(&self.failure, |text| format!("{text}. The query was: {query}")))
            }
            _ => Reading::Failed(self.failure),
        }
    }

    /// A server that does not know such questions, although it answers others in the same form, has no such samples.
    fn of_newest(self) -> Reading {
        if self.error.is_refusal() { Reading::Values(vec![]) } else { self.reading("") }
    }

    /// Names the MetricTemplate whose server does not answer, as Flagger does.
    fn silence(self, access: &Access, template: Option<&str>) -> Failure {
        match template.and_then(|name| name.split_once('/')) {
            Some((namespace, name)) => reworded(&self.failure, |text| {
                format!("{} of MetricTemplate {name}.{namespace}: {text}", access.kind)
            }),
            None => self.failure,
        }
    }
}

fn reworded(failure: &Failure, words: impl Fn(&str) -> String) -> Failure {
    Failure { why: words(&failure.why), quote: failure.quote.as_deref().map(words) }
}

enum Reply {
    Metric(Result<Vec<f64>, Unanswered>),
    Counts(Result<Tally, Unanswered>),
    Config(Result<Option<Digest>, ContentError>),
}

impl Reply {
    /// The server's wish for fewer queries, if it has one.
    fn limit(&self) -> Option<Limit> {
        let (Self::Metric(Err(unanswered)) | Self::Counts(Err(unanswered))) = self else { return None };
        let SourceError::RateLimited { server, retry_after, .. } = &unanswered.error else { return None };
        Some(Limit { wait: retry_after.unwrap_or_default(), server: server.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v10_what_a_server_has_too_few_samples_of_is_no_data_with_the_reason() {
        let error = SourceError::Sparse { seconds: 60.0 };
        let reading = Unanswered::new(error, &Credentials::default()).reading("up");
        let Reading::NoData(why) = reading else { panic!("{reading:?}") };
        assert!(why.contains("give it a longer one"), "{why}");
    }

    #[test]
    fn v1_a_server_that_refuses_a_question_for_the_newest_sample_has_none() {
        let of = |error| Unanswered::new(error, &Credentials::default()).of_newest();
        let (server, said) = (|| "http://loki:3100".to_owned(), String::new);
        let none = Reading::Values(vec![]);
        assert_eq!(of(SourceError::Rejected { server: server(), status: 400, said: said() }), none);
        assert_eq!(of(SourceError::NoPrometheus { server: server(), status: 400, said: said() }), none);
        assert_eq!(of(SourceError::Unavailable { server: server(), status: 403, said: said() }), none);
        for error in [
            SourceError::Unavailable { server: server(), status: 422, said: said() },
            SourceError::Unavailable { server: server(), status: 503, said: said() },
            SourceError::TimedOut { server: server(), seconds: 5.0 },
        ] {
            assert!(matches!(of(error), Reading::Failed(_)));
        }
    }
}
