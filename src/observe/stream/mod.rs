//! The objects of one kind in the API server, and their changes: a list, then a watch from its version. Every call and
//! watch has a deadline for silence, so that a dead connection is noticed in any of them.
//!
//! kube's own watcher has a deadline for an open watch only: a list that hangs would blind it for good. It also decodes
//! a list as a whole, so one object that does not decode would blind it as well. Here each object is decoded
//! separately.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this module reads the cluster and waits"
)]

mod answer;
mod collection;
mod object;

use std::{pin::pin, time::Duration};

use futures::AsyncBufRead;
use kube::{
    api::{ListParams, WatchParams},
    core::Status,
};
use serde_json::Value;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

use crate::{retry::Backoff, snapshot::Key};
use answer::Event;
pub(super) use answer::Page;
pub(super) use collection::{Collection, Pages};
use collection::{broken_off, line};
pub(super) use object::{Decoded, Object};

/// Time limit for a page of a list, or the beginning of a watch.
const ANSWER: Duration = Duration::from_secs(20);
/// The API server ends a watch after this time, in seconds.
const WATCHED: u32 = 290;
/// Time limit of an open watch without bookmarks.
const SILENCE: Duration = Duration::from_secs(305);
/// If the API server sends bookmarks, it does so once a minute.
const SILENCE_BETWEEN_BOOKMARKS: Duration = Duration::from_secs(75);
/// The longest pause between two attempts.
const PAUSE: Duration = Duration::from_secs(30);
/// A pause before a list that is not worth a word. A watch that was open for as long was no failure.
const BRIEF: Duration = Duration::from_secs(5);
/// After this many failures of the API server in a row, its version may be what it fails on.
const FAILURES: u32 = 10;
/// Events that wait to be processed.
const WAITING: usize = 64;

/// An observation of a kind.
#[derive(Debug)]
pub(crate) enum Seen<K> {
    /// A list begins, at this version of the cluster.
    Begin(u64),
    /// An object of that list.
    Listed(K),
    /// The list is complete.
    Complete,
    /// An object was created or changed.
    Changed(K),
    /// An object is gone.
    Gone(K),
    /// An object exists, but cannot be decoded.
    Undecodable(Undecodable),
    /// The watch is open, and nothing has happened.
    Alive,
    /// The watch has ended, and is opened again: nothing is visible until then.
    Ended,
    /// Nothing is visible for now.
    Lost(Loss),
}

impl<K> Seen<K> {
    /// It belongs to a list that is not complete yet.
    pub(crate) fn in_list(&self) -> bool {
        match self {
            Self::Begin(_) | Self::Listed(_) => true,
            Self::Undecodable(object) => object.listed,
            _ => false,
        }
    }
}

/// An object that exists, but cannot be decoded.
#[derive(Debug)]
pub(crate) struct Undecodable {
    /// Namespace and name.
    pub(crate) key: Key,
    /// Its version.
    pub(crate) version: u64,
    /// It was in a list; otherwise it was created or changed.
    pub(crate) listed: bool,
    /// The part of it that can be decoded.
    pub(crate) content: Value,
    /// Why the rest cannot be decoded.
    pub(crate) why: String,
}

/// Why a kind is not visible.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Loss {
    /// The API server refuses.
    #[error("{0}")]
    Refused(String),
    /// The operator lacks the rights.
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

/// Why a watch is not reopened where it ended.
enum After {
    /// Everything has to be listed again.
    List,
    /// It continues from the last version.
    Watch,
}

impl After {
    /// After a watch was refused. A server that is busy or fails has forgotten nothing: lists would only add to its load.
    fn refusal(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) if !status.is_forbidden() && !is_busy(status) => Self::List,
            _ => Self::Watch,
        }
    }
}

fn is_busy(status: &Status) -> bool {
    // a cluster that was set back says 504 to a version that it has not reached
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    let ahead = causes.any(|cause| cause.reason == "ResourceVersionTooLarge");
    (status.code == 429 || status.code >= 500) && !ahead
}

/// Which objects of a kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    pub(super) labels: Option<String>,
    pub(super) fields: Option<String>,
}

impl Selection {
    /// Lists these, a page at a time.
    pub(super) fn list_params(&self) -> ListParams {
        ListParams {
            label_selector: self.labels.clone(),
            field_selector: self.fields.clone(),
            ..ListParams::default()
        }
    }
}

/// All observations of the selected objects, until the receiver is dropped.
pub(super) fn watch<K: Decoded>(collection: Collection, selection: Selection) -> mpsc::Receiver<Seen<K>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let closed = sender.clone();
        let mut source = Source {
            collection,
            selection,
            sender,
            backoff: Backoff::new(PAUSE),
            failures: 0,
            bookmarks: false,
        };
        tokio::select! { () = closed.closed() => {}, () = source.run() => {} }
    });
    receiver
}

struct Source<K> {
    collection: Collection,
    selection: Selection,
    sender: mpsc::Sender<Seen<K>>,
    backoff: Backoff,
    /// How often in a row the API server has failed to open a watch.
    failures: u32,
    /// The API server sends bookmarks.
    bookmarks: bool,
}

impl<K: Decoded> Source<K> {
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

    /// Waits as long as the server asks for, but not for ever.
    async fn refused(&mut self, error: &kube::Error) {
        let asked = match error {
            kube::Error::Api(status) => status.details.as_ref().map(|details| details.retry_after_seconds),
            _ => None,
        };
        self.say(Seen::Lost(Loss::of(error))).await;
        let asked = Duration::from_secs(asked.unwrap_or(0).into());
        sleep((asked + self.backoff.next_delay()).min(PAUSE)).await;
    }

    async fn unanswered(&mut self, what: String) {
        self.lost(Loss::Unanswered(what)).await;
    }

    /// Lists everything; returns the version of the list.
    async fn list(&mut self) -> Option<String> {
        let mut pages = Pages::new(self.collection.clone(), self.selection.list_params());
        let mut begun = false;
        loop {
            let text = match timeout(ANSWER, pages.text()).await {
                Err(_) => {
                    self.unanswered(format!("no list within {}s", ANSWER.as_secs())).await;
                    return None;
                }
                Ok(Err(error)) => {
                    self.refused(&error).await;
                    return None;
                }
                Ok(Ok(text)) => text,
            };
            let Some(page) = Page::of(&text) else {
                self.unanswered("what it sends is no list".into()).await;
                return None;
            };
            if !begun {
                begun = true;
                self.say(Seen::Begin(page.version.parse().unwrap_or(0))).await;
            }
            // one at a time, because decoded objects take many times the memory
            for item in &page.items {
                self.say(listed(Object::of(item))).await;
            }
            if !pages.turn(&page) {
                self.say(Seen::Complete).await;
                return Some(page.version);
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
        let opened = timeout(ANSWER, self.collection.open_watch(&params, version)).await;
        match opened {
            Err(_) => {
                self.unanswered(format!("no watch within {}s", ANSWER.as_secs())).await;
                After::Watch
            }
            Ok(Err(error)) => {
                let fails = matches!(&error, kube::Error::Api(status) if status.code >= 500);
                self.failures = if fails { self.failures + 1 } else { 0 };
                self.refused(&error).await;
                if self.failures >= FAILURES {
                    self.failures = 0;
                    return After::List;
                }
                After::refusal(&error)
            }
            Ok(Ok(body)) => {
                self.failures = 0;
                self.say(Seen::Alive).await;
                self.read(body, version).await
            }
        }
    }

    /// Reads the events of an open watch, until it ends.
    async fn read(&mut self, body: impl AsyncBufRead, version: &mut String) -> After {
        let opened = Instant::now();
        let mut body = pin!(body);
        loop {
            let patience = if self.bookmarks { SILENCE_BETWEEN_BOOKMARKS } else { SILENCE };
            let line = timeout(patience, line(&mut body)).await;
            if !matches!(line, Ok(Ok(Some(_)))) && opened.elapsed() >= BRIEF {
                self.backoff.reset();
            }
            let line = match line {
                Err(_) => {
                    self.unanswered(format!("silent for {}s", patience.as_secs())).await;
                    return After::Watch;
                }
                Ok(Err(error)) if !broken_off(&error) => {
                    self.unanswered(error.to_string()).await;
                    return After::Watch;
                }
                Ok(Ok(None) | Err(_)) => {
                    self.say(Seen::Ended).await;
                    // a watch that ends at its time limit is reopened at once
                    if opened.elapsed() < PAUSE {
                        sleep(self.backoff.next_delay()).await;
                    }
                    return After::Watch;
                }
                Ok(Ok(Some(line))) => line,
            };
            let Some(event) = Event::of(&line) else {
                self.unanswered("what it sends is no event".into()).await;
                return After::List;
            };
            if let Some(after) = self.take_in(event, version).await {
                return after;
            }
            self.backoff.reset();
        }
    }

    /// Processes one event; none if the watch continues.
    async fn take_in(&mut self, event: Event<'_>, version: &mut String) -> Option<After> {
        let seen = match event {
            Event::Changed(text) => {
                let object = Object::of(text);
                version.clone_from(&object.version);
                changed(object)
            }
            Event::Gone(text) => {
                let object = Object::of(text);
                version.clone_from(&object.version);
                match K::of(object.content) {
                    Ok(object) => Seen::Gone(object),
                    // a list shows that it is gone
                    Err(_) => return Some(After::List),
                }
            }
            Event::Bookmark(text) => {
                self.bookmarks = true;
                *version = Object::of(text).version;
                Seen::Alive
            }
            Event::Error(status) => {
                // a version may expire now and then, but also during each list, if lists take long
                let pause = self.backoff.next_delay();
                let why = format!("{} ({})", status.message, status.code);
                let brief = status.code == 410 && pause <= BRIEF;
                self.say(if brief { Seen::Ended } else { Seen::Lost(Loss::Refused(why)) }).await;
                sleep(pause).await;
                return Some(After::List);
            }
        };
        self.say(seen).await;
        None
    }
}

fn listed<K: Decoded>(object: Object) -> Seen<K> {
    decoded(object, true).map_or_else(Seen::Undecodable, Seen::Listed)
}

fn changed<K: Decoded>(object: Object) -> Seen<K> {
    decoded(object, false).map_or_else(Seen::Undecodable, Seen::Changed)
}

fn decoded<K: Decoded>(object: Object, listed: bool) -> Result<K, Undecodable> {
    let version = object.number();
    let Object { key, content, lacking, .. } = object;
    if let Some(why) = lacking {
        return Err(Undecodable { key, version, listed, content, why });
    }
    let head = || serde_json::json!({"metadata": {"namespace": key.0, "name": key.1}});
    K::of(content).map_err(|why| Undecodable { content: head(), key: key.clone(), version, listed, why })
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod fuzz_tests;
