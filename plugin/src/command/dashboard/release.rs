//! One Canary as it changes, for one reader: its watches begin with the first look and end with the reader.

use std::time::Duration;

use futures::FutureExt as _;
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    detail::{document, explanation, fingerprint},
    message::{Message, unreachable},
};
use crate::{
    cluster::{Cluster, Depth, Live, Seen},
    command::context::now,
    failure::{Failure, code},
    view::{Facts, canary},
};

/// Before the next try.
const RETRY: Duration = Duration::from_secs(2);
/// What comes within this time is told together.
const GROUP: Duration = Duration::from_millis(200);
/// So long without trouble, and it is over.
const CALM: Duration = Duration::from_secs(1);
/// The sentences name times, and are said again so often.
const SENTENCES: Duration = Duration::from_secs(5);

/// What one reader is told.
pub(super) struct Release {
    cluster: Cluster,
    name: String,
    flags: String,
    /// The document that the reader has.
    seen: Option<String>,
    said: String,
    live: Option<(Live, Facts)>,
    trouble: Option<Failure>,
    /// When trouble is over, if none comes.
    calm: Option<Instant>,
    gone: bool,
    started: bool,
}

/// What happened meanwhile.
enum Event {
    Watched(Result<Seen, Failure>),
    Calm,
    Time,
}

impl Release {
    pub(super) fn new(cluster: Cluster, name: String, flags: String, seen: Option<String>) -> Self {
        Self {
            cluster,
            name,
            flags,
            seen,
            said: String::new(),
            live: None,
            trouble: None,
            calm: None,
            gone: false,
            started: false,
        }
    }

    /// Waits for something to tell; what comes back may be empty.
    pub(super) async fn next(&mut self) -> Vec<Message> {
        if self.live.is_none() {
            return Box::pin(self.begin()).await;
        }
        let event = self.wait().await;
        match event {
            Event::Watched(Ok(Seen::Change)) => {
                if self.trouble.is_some() {
                    self.calm = Some(Instant::now() + CALM);
                }
                self.changed().await
            }
            Event::Watched(Ok(Seen::Gone)) => {
                self.live = None;
                vec![]
            }
            Event::Watched(Ok(Seen::Trouble(why))) => self.troubled(unreachable(&why)).await,
            Event::Watched(Err(failure)) => self.troubled(failure).await,
            Event::Calm => {
                (self.trouble, self.calm) = (None, None);
                vec![self.state()]
            }
            Event::Time if self.trouble.is_some() && self.calm.is_none() => {
                self.probe().await;
                vec![]
            }
            Event::Time => self.sentences(),
        }
    }

    async fn wait(&mut self) -> Event {
        let calm = self.calm;
        let Some((live, _)) = &mut self.live else { return Event::Time };
        tokio::select! {
            seen = live.changed() => Event::Watched(seen),
            () = sleep_until(calm.unwrap_or_else(Instant::now)), if calm.is_some() => Event::Calm,
            () = sleep(SENTENCES) => Event::Time,
        }
    }

    /// Reads everything, and begins to watch it.
    async fn begin(&mut self) -> Vec<Message> {
        if self.started {
            sleep(RETRY).await;
        }
        self.started = true;
        let found = match self.cluster.canary(&self.name).await {
            Ok(found) if found.metadata.name.as_deref() == Some(&self.name) => found,
            Ok(_) => return self.missing(),
            Err(failure) if failure.code == code::NOT_FOUND => return self.missing(),
            Err(failure) => {
                let known = self.trouble.as_ref() == Some(&failure);
                self.trouble = Some(failure);
                return if known { vec![] } else { vec![self.state()] };
            }
        };
        let (live, facts) = Live::of(&self.cluster, found, Depth::All).await;
        self.live = Some((live, facts));
        self.gone = false;
        self.calm = self.trouble.as_ref().map(|_| Instant::now() + CALM);
        let mut messages: Vec<_> = self.put().into_iter().collect();
        messages.push(self.state());
        messages
    }

    /// It is not there, and may come.
    fn missing(&mut self) -> Vec<Message> {
        if std::mem::replace(&mut self.gone, true) {
            return vec![];
        }
        (self.seen, self.trouble) = (None, None);
        let key = json!(format!("{}/{}", self.cluster.namespace, self.name));
        vec![Message::new("delete", key.to_string()), self.state()]
    }

    async fn changed(&mut self) -> Vec<Message> {
        sleep(GROUP).await;
        let Some((live, facts)) = &mut self.live else { return vec![] };
        while let Some(seen) = live.changed().now_or_never() {
            match seen {
                Ok(Seen::Change) => {}
                Ok(Seen::Gone) => {
                    self.live = None;
                    return vec![];
                }
                Ok(Seen::Trouble(why)) => return self.troubled(unreachable(&why)).await,
                Err(failure) => return self.troubled(failure).await,
            }
        }
        *facts = live.facts();
        if live.lacks_pods(facts) {
            (self.live, self.started) = (None, false);
            return vec![];
        }
        self.put().into_iter().collect()
    }

    async fn troubled(&mut self, failure: Failure) -> Vec<Message> {
        let known = self.trouble.as_ref().is_some_and(|trouble| trouble.message == failure.message);
        (self.trouble, self.calm) = (Some(failure), None);
        let told = if known { vec![] } else { vec![self.state()] };
        self.probe().await;
        told
    }

    /// A watch that goes on where it was says nothing until something changes: it is begun again once the API server answers.
    async fn probe(&mut self) {
        if self.cluster.canary(&self.name).await.is_ok() {
            self.live = None;
        }
    }

    fn state(&self) -> Message {
        let state = Message::state(self.trouble.as_ref(), self.live.is_some() || self.gone);
        match &self.seen {
            Some(seen) => state.id(seen.clone()),
            None => state,
        }
    }

    /// The document, if the reader has another one.
    fn put(&mut self) -> Option<Message> {
        let (_, facts) = self.live.as_ref()?;
        let fresh = fingerprint(facts, &self.flags);
        if self.seen.as_ref() == Some(&fresh) {
            return None;
        }
        self.seen = Some(fresh.clone());
        let all = document(facts, &self.flags, now());
        all["explanation"].as_str().unwrap_or_default().clone_into(&mut self.said);
        Some(Message::new("put", all.to_string()).id(fresh))
    }

    fn sentences(&mut self) -> Vec<Message> {
        let Some((_, facts)) = &self.live else { return vec![] };
        let at = now();
        let text = explanation(&canary(facts, at), at);
        if self.said == text {
            return vec![];
        }
        self.said.clone_from(&text);
        vec![Message::new("explanation", json!(text).to_string())]
    }
}
