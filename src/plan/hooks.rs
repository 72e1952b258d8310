//! What is asked of users' webhooks in a run, and what their answers come to.
//!
//! Served are the checks of the type `rollout`: each is called once for every window of checks, and a no is a failed check.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::context::Context;
use crate::api::{CanaryWebhook, Phase, duration};

/// Time for a call that says nothing of it, as Flagger's.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How much of a revision's hash a payload carries.
const CHECKSUM: usize = 10;

/// One call of a webhook.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// Its name.
    pub name: String,
    /// Its type, e.g. `rollout`.
    pub kind: String,
    /// Where it is.
    pub url: String,
    /// What is posted.
    pub body: Value,
    /// Time for each try.
    pub timeout: Duration,
    /// How often a try without an answer is made again.
    pub retries: u32,
    /// Take any TLS certificate.
    pub any_certificate: bool,
}

/// The checks of a window, in list order.
pub(super) fn rollout(cx: &Context<'_>) -> Vec<Call> {
    cx.c.analysis.webhooks.iter().filter(|hook| hook.kind() == "rollout").map(|hook| call(cx, hook)).collect()
}

/// The Halt text of a check that said no.
pub(super) fn refused(cx: &Context<'_>, call: &Call, why: &str) -> String {
    format!("Halt {}.{} advancement external check {} failed {why}", cx.c.name, cx.c.namespace, call.name)
}

fn call(cx: &Context<'_>, hook: &CanaryWebhook) -> Call {
    let revision: String = cx.applied().unwrap_or_default().chars().take(CHECKSUM).collect();
    let mut body = json!({
        "name": cx.c.name, "namespace": cx.c.namespace, "phase": Phase::Progressing, "checksum": revision,
    });
    if !hook.metadata.is_empty() {
        body["metadata"] = json!(hook.metadata);
    }
    let asked = hook.timeout.as_deref().and_then(duration::parse).filter(|t| !t.is_zero());
    Call {
        name: hook.name.clone(),
        kind: hook.kind().to_owned(),
        url: hook.url.clone(),
        body,
        timeout: asked.unwrap_or(TIMEOUT),
        retries: hook.retries.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        any_certificate: hook.disable_tls == Some(true),
    }
}
