//! What the page writes: the requests of the commands, by the code of the commands. The browser names what it showed, and
//! nothing is asked for where that has changed.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use serde::Deserialize;
use serin::api::{Answer, Canary, request::Request};

use super::{
    api::found,
    page::{Page, Refused, answer},
};
use crate::{
    cluster::{Written, answer as answer_to, write},
    command::{
        context::now,
        request::{
            Decision, ResultView, TRIES, Verb, Wish, answered, decide, known, restless, unanswered, will,
        },
        values::time,
    },
    failure::{Failure, code},
    view::{CanaryView, canary},
};

/// Longest body.
const LONGEST: usize = 4096;

/// What somebody pressed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Pressed {
    verb: String,
    /// Eight digits that the browser made: the same press is the same request, however often it is sent.
    key: String,
    shown: Shown,
    reason: Option<String>,
    /// Of `pause`: how long.
    #[serde(rename = "for")]
    lasts: Option<String>,
}

/// What the page showed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Shown {
    uid: String,
    state: String,
    /// Of the run in progress.
    run: Option<i64>,
    step: Option<usize>,
    gate: Option<String>,
    /// On trial, or at rest the last one.
    revision: Option<String>,
}

fn refused(status: StatusCode, failure: Failure) -> Refused {
    Refused { status, failure }
}

fn conflict(failure: Failure) -> Refused {
    refused(StatusCode::CONFLICT, failure)
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Pressed, Refused> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind.is_none_or(|kind| !kind.starts_with("application/json")) {
        let failure = Failure::usage("a request is sent as application/json");
        return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, failure));
    }
    let bytes = to_bytes(body, LONGEST).await.map_err(|_| {
        let failure = Failure::usage(format!("a request has at most {LONGEST} bytes"));
        refused(StatusCode::PAYLOAD_TOO_LARGE, failure)
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::usage(format!("the request cannot be read: {error}")).into())
}

/// Asks for what was pressed, and waits for the answer of the operator for a while.
pub(super) async fn ask(
    State(page): State<Arc<Page>>,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let pressed = read(&headers, body).await?;
    let well = pressed.key.len() == 8 && pressed.key.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let verb = Verb::named(&pressed.verb).filter(|_| well);
    let verb = verb.ok_or_else(|| Failure::usage(format!("there is no request {:?}", pressed.verb)))?;
    let lasts = match &pressed.lasts {
        Some(text) => Some(time(text).map_err(Failure::usage)?),
        None => None,
    };
    let reason = pressed.reason.as_deref().filter(|text| !text.trim().is_empty());
    let wish = Wish { verb, gate: None, lasts, reason, by: &page.by };
    let cluster = page.within(&namespace)?;
    for _ in 0..TRIES {
        let canary_now = found(&cluster, &name).await?;
        let facts = known(&cluster, &canary_now, verb).await;
        let view = canary(&facts, now());
        let asked = Written { id: format!("{}-{}", pressed.verb, pressed.key), text: String::new() };
        if let Some(said) = answer_to(&canary_now, &asked) {
            return Ok(said_again(said.answer, &said.message, &pressed.verb));
        }
        same(&view, &pressed.shown).map_err(conflict)?;
        let mut request = match decide(&facts, &view, &wish) {
            Decision::Ask(request) => request,
            Decision::Nothing(text) => return Err(conflict(Failure::failed(text))),
            Decision::Refuse(failure) if failure.code == code::USAGE => return Err(failure.into()),
            Decision::Refuse(failure) => return Err(conflict(failure)),
        };
        request.id = format!("{}-{}", request.verb, pressed.key);
        let written = Written::of(&request);
        if !is_written(&canary_now, &written) {
            unanswered(&canary_now).map_err(conflict)?;
            if !write(&cluster, &canary_now, &written).await? {
                continue;
            }
            page.out.say(&will(&view, &request));
        }
        let (after, said) = answered(&cluster, &canary_now, &written, page.patience).await?;
        return Ok(answer(&ResultView::of(&view, &after, &request, &said, now())));
    }
    Err(conflict(restless(&name)))
}

/// The same press was sent before, and its request has not been answered. An admission policy may have changed its text.
fn is_written(canary: &Canary, written: &Written) -> bool {
    let all = canary.metadata.annotations.as_ref();
    let text = all.and_then(|all| all.get(serin::names::ANNOTATION_REQUEST));
    text.is_some_and(|text| Request::read(text).0 == written.id)
}

fn said_again(said: Answer, message: &str, verb: &str) -> Response {
    answer(&serde_json::json!({"kind": "RequestResult", "answer": said, "message": message, "verb": verb}))
}

/// What was shown is what there is: otherwise whoever pressed has decided about something else.
fn same(view: &CanaryView, shown: &Shown) -> Result<(), Failure> {
    let hint = "nothing was asked for: look at it as it is now, and decide again";
    let changed = |what: String| Err(Failure::failed(what).hint(hint));
    let name = &view.name;
    if view.uid != shown.uid {
        return changed(format!("{name} was deleted and made again since"));
    }
    let run = view.run.as_ref().map(|run| run.number);
    if run != shown.run {
        return match run {
            Some(number) => changed(format!("{name} has begun with run {number} since")),
            None => changed(format!("the run of {name} has ended since: {}", view.headline)),
        };
    }
    let step = view.progress.as_ref().map(|progress| progress.at);
    if step != shown.step {
        return changed(format!("{name} has gone on since: it is at step {}", step.unwrap_or_default()));
    }
    let state = serde_json::json!(view.state);
    let gate = view.waiting_for.as_ref().and_then(|waits| waits.name.as_deref());
    if state != shown.state.as_str() || gate != shown.gate.as_deref() {
        return changed(format!("{name} stands in another way since: {}", view.headline));
    }
    // between runs it is all that tells one revision from the next
    if view.revision != shown.revision {
        let revision = crate::text::cut(view.revision.as_deref().unwrap_or_default(), 12, "");
        return changed(format!("{name} has another revision since: {revision}"));
    }
    Ok(())
}
