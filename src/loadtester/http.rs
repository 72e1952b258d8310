//! The endpoints, with Flagger's paths, statuses and texts. As there, the method is ignored.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, any},
};
use regex::Regex;
use serde::Deserialize;
use tokio::time::timeout;

use super::{
    command::{Policy, Work},
    gates::Gates,
    keepers::Keepers,
    tasks::{Command, Tasks},
};
use crate::{
    cli::flags::go_bool,
    server::{OPENMETRICS, listen::Ends},
};

/// Longest body that is read.
const LARGEST: usize = 64 * 1024;
/// Longest wait for a body.
const ARRIVES: Duration = Duration::from_secs(10);
/// Types of tasks of Flagger's load tester that this one lacks: they belong to services with their own APIs.
const UNSERVED: [&str; 2] = ["concord", "ngrinder"];

/// The types of tasks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    /// A load, by `sh`.
    Cmd,
    /// A check, by `bash`.
    Bash,
    /// A check by one program, with the words of the command.
    Program(&'static str),
}

impl Type {
    fn named(name: &str) -> Option<Self> {
        match name {
            "cmd" => Some(Self::Cmd),
            "bash" => Some(Self::Bash),
            "helm" | "helmv3" => Some(Self::Program("helm")),
            "kubectl" => Some(Self::Program("kubectl")),
            _ => None,
        }
    }

    /// The label in metrics.
    fn label(self) -> &'static str {
        match self {
            Self::Cmd => "cmd",
            Self::Bash => "bash",
            Self::Program(name) => name,
        }
    }

    /// The complete command, for people.
    fn text(self, cmd: &str) -> String {
        match self {
            Self::Cmd | Self::Bash => cmd.to_owned(),
            Self::Program(name) => format!("{name} {cmd}"),
        }
    }

    fn admit(self, policy: &Policy, cmd: &str) -> Result<Work, String> {
        match self {
            Self::Cmd => policy.admit(cmd, "sh"),
            Self::Bash => policy.admit(cmd, "bash"),
            Self::Program(name) => policy.admit_program(name, cmd),
        }
    }
}

/// What a task of this type comes to; none if there is no such type.
#[cfg(test)]
pub(super) fn admitted(policy: &Policy, kind: &str, cmd: &str) -> Option<Result<Work, String>> {
    Type::named(kind).map(|kind| kind.admit(policy, cmd))
}

/// What answering needs.
pub(super) struct Tester {
    pub(super) namespaces: Regex,
    pub(super) policy: Policy,
    pub(super) gates: Gates,
    pub(super) keepers: Keepers,
    pub(super) tasks: Arc<Tasks>,
}

/// The posted body; only the relevant part of a hook's payload.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Payload {
    name: String,
    namespace: String,
    metadata: Option<BTreeMap<String, String>>,
}

type Answer = (StatusCode, String);

fn say(status: StatusCode, text: impl Into<String>) -> Answer {
    (status, text.into())
}

fn change(prefix: &'static str, open: bool) -> MethodRouter<Arc<Tester>> {
    any(move |State(tester), Extension(ends): Extension<Ends>, headers: HeaderMap, body: Posted| {
        set(tester, prefix, open, Who { ends, headers }, body)
    })
}

/// All endpoints; any other path is a task.
pub(super) fn router(tester: Arc<Tester>) -> Router {
    let gate = |prefix: &'static str| {
        Router::new()
            .route("/check", any(move |State(t), body| check(t, prefix, body)))
            .route("/open", change(prefix, true))
            .route("/close", change(prefix, false))
    };
    Router::new()
        .route("/healthz", any(|| async { "OK" }))
        .route("/metrics", any(metrics))
        .route("/gate/approve", any(|| async { "OK" }))
        .route("/gate/halt", any(|| async { (StatusCode::FORBIDDEN, "Forbidden") }))
        .nest("/gate", gate(""))
        .nest("/rollback", gate("rollback."))
        .fallback(task)
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(tester)
}

async fn metrics(State(tester): State<Arc<Tester>>) -> Response {
    ([(header::CONTENT_TYPE, OPENMETRICS)], tester.tasks.exposition()).into_response()
}

/// A body that arrived in time.
struct Posted(Bytes);

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match timeout(ARRIVES, Bytes::from_request(request, state)).await {
            Ok(body) => body.map(Self).map_err(axum::response::IntoResponse::into_response),
            Err(_) => Err(StatusCode::REQUEST_TIMEOUT.into_response()),
        }
    }
}

/// The caller: both ends of the connection, and the headers.
struct Who {
    ends: Ends,
    headers: HeaderMap,
}

/// The payload, if its namespace is served.
fn admit(tester: &Tester, body: &Posted) -> Result<Payload, Answer> {
    let payload: Payload = serde_json::from_slice(&body.0)
        .map_err(|e| say(StatusCode::BAD_REQUEST, format!("the body is not what a webhook posts: {e}")))?;
    if !tester.namespaces.is_match(&payload.namespace) {
        return Err(say(StatusCode::FORBIDDEN, "Forbidden"));
    }
    Ok(payload)
}

/// The key of a gate: names must be valid object names.
fn key(prefix: &str, payload: &Payload) -> Result<String, Answer> {
    let fits = |name: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        !name.is_empty() && name.len() <= 253 && name.chars().all(plain)
    };
    let (name, namespace) = (&payload.name, &payload.namespace);
    let key = format!("{prefix}{name}.{namespace}");
    if fits(name) && fits(namespace) && key.len() <= 253 {
        return Ok(key);
    }
    Err(say(StatusCode::BAD_REQUEST, "name and namespace of a Canary are needed"))
}

async fn check(tester: Arc<Tester>, prefix: &'static str, body: Posted) -> Answer {
    let read = || key(prefix, &admit(&tester, &body)?);
    let gate = match read() {
        Ok(gate) => gate,
        Err(answer) => return answer,
    };
    match tester.gates.is_open(&gate).await {
        Ok(approved) => {
            tracing::info!("{gate} gate check: approved {approved}");
            if approved { say(StatusCode::OK, "Approved") } else { say(StatusCode::FORBIDDEN, "Forbidden") }
        }
        Err(why) => unknown(&gate, why),
    }
}

async fn set(tester: Arc<Tester>, prefix: &'static str, open: bool, who: Who, body: Posted) -> Answer {
    let read = || key(prefix, &admit(&tester, &body)?);
    let gate = match read() {
        Ok(gate) => gate,
        Err(answer) => return answer,
    };
    if let Err(why) = tester.keepers.admit(who.ends, &who.headers) {
        tracing::warn!(gate, peer = %who.ends.peer, "gate not changed: {why}");
        return say(StatusCode::FORBIDDEN, why);
    }
    match tester.gates.set(&gate, open).await {
        Ok(()) => {
            tracing::info!("{gate} gate {}", if open { "opened" } else { "closed" });
            say(StatusCode::ACCEPTED, "")
        }
        Err(why) => unknown(&gate, why),
    }
}

/// Neither open nor closed. Not 503: a caller that retries such statuses would not see the reason.
fn unknown(gate: &str, why: String) -> Answer {
    tracing::error!(gate, "{why}");
    say(StatusCode::NOT_IMPLEMENTED, why)
}

async fn task(State(tester): State<Arc<Tester>>, body: Posted) -> Answer {
    let payload = match admit(&tester, &body) {
        Ok(payload) => payload,
        Err(answer) => return answer,
    };
    let canary = format!("{}.{}", payload.name, payload.namespace);
    let Some(metadata) = payload.metadata.filter(|m| !m.is_empty()) else {
        return say(StatusCode::BAD_REQUEST, "metadata not found in payload");
    };
    let kind = metadata.get("type").map_or("cmd", String::as_str);
    if UNSERVED.contains(&kind) {
        return say(
            StatusCode::NOT_IMPLEMENTED,
            format!("tasks of type {kind} are not served by this load tester: see docs/loadtester.md"),
        );
    }
    let Some(kind) = Type::named(kind) else {
        return say(StatusCode::BAD_REQUEST, format!("unknown task type {kind}"));
    };
    let Some(cmd) = metadata.get("cmd").filter(|text| !text.trim().is_empty()).cloned() else {
        return say(StatusCode::BAD_REQUEST, "cmd not found in metadata");
    };
    let text = kind.text(&cmd);
    let work = match kind.admit(&tester.policy, &cmd) {
        Ok(work) => work,
        Err(why) => {
            tracing::warn!(canary, "command refused {text}: {why}");
            return say(StatusCode::FORBIDDEN, why);
        }
    };
    let is_set = |name: &str| metadata.get(name).and_then(|value| go_bool(value)) == Some(true);
    let command = Command { canary, text };
    if kind == Type::Cmd {
        return match tester.tasks.load(command, work, is_set("logCmdOutput")) {
            Ok(()) => say(StatusCode::ACCEPTED, ""),
            Err(why) => say(StatusCode::SERVICE_UNAVAILABLE, why),
        };
    }
    match tester.tasks.check(kind.label(), &command, &work).await {
        Err(why) => say(StatusCode::SERVICE_UNAVAILABLE, why),
        Ok(ended) => match ended.failure {
            Some(why) => say(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("command {cmd} failed: {}: {why}", ended.output),
            ),
            None => say(StatusCode::OK, if is_set("returnCmdOutput") { ended.output } else { String::new() }),
        },
    }
}
