//! What the API server has of one kind, and what happens to it: a list, then a watch from there on. No call and no watch may
//! be silent for longer than a deadline, so that a connection that is dead is noticed, whichever call it dies in.
//!
//! kube's own watcher has a deadline for an open watch only: a list that hangs would blind it for good.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this module reads the cluster and waits"
)]

use std::{pin::pin, time::Duration};

use futures::StreamExt as _;
use kube::{
    Api, ResourceExt,
    api::{ListParams, WatchEvent, WatchParams},
};
use serde::de::DeserializeOwned;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

use crate::retry::Backoff;

/// Objects in one answer to a list.
const PAGE: u32 = 250;
/// A page of a list, or the beginning of a watch, has to come within this time.
const ANSWER: Duration = Duration::from_secs(20);
/// The API server ends a watch after this time, in seconds.
const WATCHED: u32 = 290;
/// An open watch without bookmarks is ended by then.
const SILENCE: Duration = Duration::from_secs(305);
/// Where the API server sends bookmarks, it does so once a minute.
const SILENCE_BETWEEN_BOOKMARKS: Duration = Duration::from_secs(75);
/// The longest pause between two attempts.
const PAUSE: Duration = Duration::from_secs(30);
/// Events that wait to be taken in.
const WAITING: usize = 64;

/// What is seen of a kind.
#[derive(Debug)]
pub(crate) enum Seen<K> {
    /// A list begins, as of this version of the cluster.
    Begin(u64),
    /// An object of that list.
    Listed(K),
    /// It is complete.
    Complete,
    /// An object came or changed.
    Changed(K),
    /// An object is gone.
    Gone(K),
    /// The watch is open, and nothing has happened.
    Alive,
    /// Nothing is seen for now.
    Lost(Loss),
}

/// Why nothing is seen of a kind.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Loss {
    /// The API server says no.
    #[error("{0}")]
    Refused(String),
    /// The rights of the operator do not suffice.
    #[error("{0}")]
    Forbidden(String),
    /// There was no answer.
    #[error("the API server does not answer: {0}")]
    Unanswered(String),
}

impl Loss {
    fn of(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) if status.is_forbidden() => Self::Forbidden(status.message.clone()),
            kube::Error::Api(status) => Self::Refused(format!("{} ({})", status.message, status.code)),
            other => Self::Unanswered(other.to_string()),
        }
    }
}

/// Why a watch is not opened again where it ended.
enum After {
    /// All has to be listed again.
    List,
    /// It goes on from the last version.
    Watch,
}

/// Which objects of a kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    pub(super) labels: Option<String>,
    pub(super) fields: Option<String>,
}

/// All that is seen of the selected objects, until the receiver is dropped.
pub(super) fn watch<K>(api: Api<K>, selection: Selection) -> mpsc::Receiver<Seen<K>>
where
    K: kube::Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let closed = sender.clone();
        let mut source = Source { api, selection, sender, backoff: Backoff::new(PAUSE), bookmarks: false };
        tokio::select! { () = closed.closed() => {}, () = source.run() => {} }
    });
    receiver
}

struct Source<K> {
    api: Api<K>,
    selection: Selection,
    sender: mpsc::Sender<Seen<K>>,
    backoff: Backoff,
    /// The API server sends bookmarks.
    bookmarks: bool,
}

impl<K> Source<K>
where
    K: kube::Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    async fn run(&mut self) {
        loop {
            let Some(mut version) = self.list().await else { continue };
            while let After::Watch = self.follow(&mut version).await {}
        }
    }

    async fn say(&self, seen: Seen<K>) {
        // without a receiver the task ends anyway
        self.sender.send(seen).await.ok();
    }

    async fn lost(&mut self, loss: Loss) {
        self.say(Seen::Lost(loss)).await;
        sleep(self.backoff.next_delay()).await;
    }

    /// Lists all; the version as of which that is.
    async fn list(&mut self) -> Option<String> {
        let mut params = ListParams {
            label_selector: self.selection.labels.clone(),
            field_selector: self.selection.fields.clone(),
            limit: Some(PAGE),
            ..ListParams::default()
        };
        let mut begun = false;
        loop {
            let page = match timeout(ANSWER, self.api.list(&params)).await {
                Err(_) => {
                    self.lost(Loss::Unanswered(format!("no list within {}s", ANSWER.as_secs()))).await;
                    return None;
                }
                Ok(Err(error)) => {
                    self.lost(Loss::of(&error)).await;
                    return None;
                }
                Ok(Ok(page)) => page,
            };
            let version = page.metadata.resource_version.unwrap_or_default();
            if !begun {
                begun = true;
                self.say(Seen::Begin(version.parse().unwrap_or(0))).await;
            }
            for object in page.items {
                self.say(Seen::Listed(object)).await;
            }
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                self.say(Seen::Complete).await;
                return Some(version);
            }
        }
    }

    /// Watches until the watch ends.
    async fn follow(&mut self, version: &mut String) -> After {
        let params = WatchParams {
            label_selector: self.selection.labels.clone(),
            field_selector: self.selection.fields.clone(),
            timeout: Some(WATCHED),
            bookmarks: true,
            send_initial_events: false,
        };
        let opened = timeout(ANSWER, self.api.watch(&params, version)).await;
        let stream = match opened {
            Err(_) => {
                self.lost(Loss::Unanswered(format!("no watch within {}s", ANSWER.as_secs()))).await;
                return After::Watch;
            }
            Ok(Err(error)) => {
                // a version that is too old, or of a cluster that was set back
                let again = matches!(&error, kube::Error::Api(status) if !status.is_forbidden());
                self.lost(Loss::of(&error)).await;
                return if again { After::List } else { After::Watch };
            }
            Ok(Ok(stream)) => stream,
        };
        self.say(Seen::Alive).await;
        let mut stream = pin!(stream);
        let opened = Instant::now();
        loop {
            let patience = if self.bookmarks { SILENCE_BETWEEN_BOOKMARKS } else { SILENCE };
            let event = match timeout(patience, stream.next()).await {
                Err(_) => {
                    self.lost(Loss::Unanswered(format!("silent for {}s", patience.as_secs()))).await;
                    return After::Watch;
                }
                Ok(None) => {
                    // one that ends at its time is opened again at once
                    if opened.elapsed() < PAUSE {
                        sleep(self.backoff.next_delay()).await;
                    }
                    return After::Watch;
                }
                Ok(Some(Err(error))) => {
                    self.lost(Loss::of(&error)).await;
                    return After::Watch;
                }
                Ok(Some(Ok(event))) => event,
            };
            if let Some(after) = self.take_in(event, version).await {
                return after;
            }
            self.backoff.reset();
        }
    }

    /// One event; none if the watch goes on.
    async fn take_in(&mut self, event: WatchEvent<K>, version: &mut String) -> Option<After> {
        let seen = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                *version = object.resource_version().unwrap_or_default();
                Seen::Changed(object)
            }
            WatchEvent::Deleted(object) => {
                *version = object.resource_version().unwrap_or_default();
                Seen::Gone(object)
            }
            WatchEvent::Bookmark(mark) => {
                self.bookmarks = true;
                *version = mark.metadata.resource_version;
                Seen::Alive
            }
            WatchEvent::Error(status) => {
                if status.code != 410 {
                    self.lost(Loss::Refused(format!("{} ({})", status.message, status.code))).await;
                }
                return Some(After::List);
            }
        };
        self.say(seen).await;
        None
    }
}

#[cfg(test)]
mod tests;
