//! What the page is told as it happens: one watch for the list, whoever looks at it, and one for each Canary that is looked at.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::stream;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, sleep, sleep_until},
};

use super::{
    message::{Message, unreachable},
    page::{Page, Refused, named},
    release::Release,
    row::row,
};
use crate::{
    cluster::{Lists, Seen},
    command::context::now,
    failure::Failure,
    view::{Facts, canary},
};

/// After trouble it is asked so often whether the API server answers again.
const PROBE: Duration = Duration::from_secs(2);
/// So long without trouble, and it is over.
const CALM: Duration = Duration::from_secs(1);
/// Between two signs of life.
const BEAT: Duration = Duration::from_secs(10);

/// Follows all Canaries for as long as the page is served.
pub(super) async fn follow(page: &Page) {
    loop {
        let mut lists = Lists::of(&page.cluster, page.all, None);
        let (mut troubled, mut calm): (bool, Option<Instant>) = (false, None);
        loop {
            let over = calm.unwrap_or_else(|| Instant::now() + CALM);
            tokio::select! {
                seen = lists.changed() => match seen {
                    Ok(Seen::Trouble(why)) => {
                        (troubled, calm) = (true, None);
                        tell(page, Some(unreachable(&why)));
                    }
                    Ok(Seen::Change | Seen::Gone) => {
                        calm = Some(Instant::now() + CALM);
                        take(page, &lists);
                    }
                    Err(failure) => {
                        (troubled, calm) = (true, None);
                        tell(page, Some(failure));
                        sleep(CALM).await;
                    }
                },
                () = sleep_until(over), if calm.is_some() => {
                    (troubled, calm) = (false, None);
                    tell(page, None);
                }
                // a watch that goes on where it was says nothing until something changes
                () = sleep(PROBE), if troubled && calm.is_none() => {
                    if page.cluster.may_list(page.all).await.is_ok_and(|may| may) {
                        break;
                    }
                }
            }
        }
    }
}

fn take(page: &Page, lists: &Lists) {
    let mut all = Vec::new();
    for one in lists.all() {
        let meta = &one.metadata;
        let key = format!(
            "{}/{}",
            meta.namespace.as_deref().unwrap_or_default(),
            meta.name.as_deref().unwrap_or_default()
        );
        all.push((key, meta.resource_version.clone().unwrap_or_default(), one));
    }
    page.board
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take(all, |one| row(&canary(&Facts::of(one), now())).to_string());
    page.moved.send_modify(|moves| *moves += 1);
}

fn tell(page: &Page, trouble: Option<Failure>) {
    let mut board = page.board.lock().unwrap_or_else(PoisonError::into_inner);
    let moves = board.is_troubled() || trouble.is_some();
    board.trouble(trouble);
    drop(board);
    if moves {
        page.moved.send_modify(|moves| *moves += 1);
    }
}

/// A place among the streams that are open.
fn place(page: &Page) -> Result<OwnedSemaphorePermit, Refused> {
    page.streams.clone().try_acquire_owned().map_err(|_| Refused {
        status: StatusCode::SERVICE_UNAVAILABLE,
        failure: Failure::failed("too many pages are open").hint("close some of them"),
    })
}

fn last_seen(headers: &HeaderMap) -> Option<String> {
    headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The first bytes of a stream: a comment.
fn opening() -> VecDeque<Event> {
    VecDeque::from([Event::default().comment("")])
}

/// Somebody who looks at the list.
struct Reader {
    page: Arc<Page>,
    moved: watch::Receiver<u64>,
    seen: Option<u64>,
    queue: VecDeque<Event>,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    async fn next(&mut self) -> Option<Event> {
        while self.queue.is_empty() {
            self.moved.changed().await.ok()?;
            // what comes in a row is told together
            sleep(Duration::from_millis(100)).await;
            self.moved.mark_unchanged();
            self.look();
        }
        self.queue.pop_front()
    }

    fn look(&mut self) {
        let board = self.page.board.lock().unwrap_or_else(PoisonError::into_inner);
        let (messages, number) = board.since(self.seen);
        drop(board);
        self.seen = number.or(self.seen);
        self.queue.extend(messages.into_iter().map(Message::event));
    }
}

/// The list of Canaries as it changes.
pub(super) async fn fleet(State(page): State<Arc<Page>>, headers: HeaderMap) -> Result<Response, Refused> {
    let place = place(&page)?;
    let seen = last_seen(&headers)
        .and_then(|id| page.board.lock().unwrap_or_else(PoisonError::into_inner).number_of(&id));
    let moved = page.moved.subscribe();
    let mut reader = Reader { page, moved, seen, queue: opening(), _place: place };
    reader.look();
    let events = stream::unfold(reader, |mut reader| async move {
        reader.next().await.map(|event| (Ok::<_, Infallible>(event), reader))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(BEAT)).into_response())
}

/// One Canary as it changes.
pub(super) async fn release(
    State(page): State<Arc<Page>>,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    named(&name)?;
    let place = place(&page)?;
    let cluster = page.within(&namespace)?;
    let release = Release::new(cluster, name, page.flags.clone(), last_seen(&headers));
    let events = stream::unfold((release, opening(), place), |(mut release, mut queue, place)| async move {
        while queue.is_empty() {
            queue.extend(Box::pin(release.next()).await.into_iter().map(Message::event));
        }
        queue.pop_front().map(|event| (Ok::<_, Infallible>(event), (release, queue, place)))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(BEAT)).into_response())
}
